# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the pauses between tries."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import waiting
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import Pauses


@pytest.fixture(name="slept")
def fixture_slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the lengths of the pauses, which take no time."""
    made: list[float] = []
    monkeypatch.setattr(waiting.time, "sleep", made.append)
    return made


def test_each_pause_is_twice_as_long_up_to_the_longest(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting.random, "uniform", lambda _least, most: most)
    pauses = Pauses(0.5, 3)
    for _time in range(5):
        pauses.wait(100)
    assert slept == [0.5, 1, 2, 3, 3]


def test_a_pause_is_shortened_by_up_to_half(slept: list[float]) -> None:
    for _time in range(500):
        Pauses(1, 1).wait(100)
    assert 0.5 <= min(slept) < 0.55 and 0.95 < max(slept) <= 1


def test_a_pause_that_is_asked_for_takes_precedence_and_counts(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting.random, "uniform", lambda _least, most: most)
    pauses = Pauses(0.5, 10)
    pauses.wait(100, 7)
    pauses.wait(100, 0)
    pauses.wait(100)
    assert slept == [7, 0, 2]


def test_a_pause_is_between_zero_and_the_limit(slept: list[float]) -> None:
    Pauses(5, 5).wait(2)
    Pauses(5, 5).wait(2, 3600)
    Pauses(5, 5).wait(-1)
    assert slept == [2, 2, 0]
