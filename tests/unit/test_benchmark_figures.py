# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark makes of its medians."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.tests.benchmark.figures import TARGETS, derived
from ansible_collections.huaweicloud.koodrive.tests.benchmark.playbooks import DEBUG, FLOOR, PING, URI, contenders

MOVING = "in process, moving"
MOVING_SHARED = "in process, PostgreSQL, moving"
COSTS = {DEBUG: 0.02, PING: 0.2, FLOOR: 0.25, URI: 0.6, MOVING: 0.03, MOVING_SHARED: 0.042}
PLAYS = {name: cost + 0.5 for name, cost in COSTS.items()}


def test_figures_of_a_contender() -> None:
    figures = derived(COSTS, PLAYS)
    assert figures[MOVING] == {
        "x ping": pytest.approx(0.15),
        "x uri": pytest.approx(0.05),
        "x floor": pytest.approx(0.12),
        "over debug, x ping": pytest.approx(0.05),
        "a play of one, x ping's": pytest.approx(0.53 / 0.7),
        "a play of one, x uri's": pytest.approx(0.53 / 1.1),
    }
    assert figures[MOVING_SHARED]["ms over the local ledger"] == pytest.approx(12)


def test_without_those_to_compare_it_with_there_are_no_figures() -> None:
    plays = {name: PLAYS[name] for name in (PING, MOVING_SHARED)}
    figures = derived({name: COSTS[name] for name in plays}, plays)
    assert figures[MOVING_SHARED] == {"x ping": pytest.approx(0.21), "a play of one, x ping's": pytest.approx(0.542 / 0.7)}


def test_every_target_figure_is_measured() -> None:
    costs = dict.fromkeys(contenders("https://127.0.0.1", "token", "ca.pem"), 1.0)
    figures = derived(costs, costs)
    assert all(figure in figures[name] for name, figure in TARGETS)
