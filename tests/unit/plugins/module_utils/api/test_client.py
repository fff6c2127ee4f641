# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: its requests, its connection, and what it leaves behind."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.tests.simulator.certificates import server_context
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}


@pytest.fixture(name="sessions")
def fixture_sessions(monkeypatch: pytest.MonkeyPatch) -> list[requests.Session]:
    """The HTTP sessions of all clients, held so that nothing is closed by being forgotten."""
    made: list[requests.Session] = []
    real = client.http_session

    def http_session(*args: Any, **kwargs: Any) -> requests.Session:
        made.append(real(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(client, "http_session", http_session)
    return made


ENDS = {
    "success": [],
    "a failed read": [Fault(reply="not-json")],
    "a refused write": [Fault(), Fault(reply="status", status=403)],
    "a lost reply": [Fault(), Fault(reply="reset")],
    "a reply that does not come": [Fault(), Fault(reply="hang")],
    "a reply that is too long": [Fault(), Fault(reply="oversized")],
}


@pytest.mark.parametrize("faults", ENDS.values(), ids=ENDS)
def test_the_connection_is_closed_after_a_run_also_a_failed_one(koodrive: KooDriveForTests, sessions: list[requests.Session], faults: list[Fault]) -> None:
    koodrive.script(*faults)
    koodrive.outcome(GROUP, timeout=1)
    gc.disable()
    try:
        koodrive.settle(patience=5)
    finally:
        gc.enable()
    assert len(sessions) == 1 and koodrive.connections() == 0


def test_certificates_that_nobody_checks_are_nothing_to_warn_of(tmp_path: Path) -> None:
    with KooDriveForTests(new_state(TOKEN), tls=server_context(tmp_path / "ca.pem")) as koodrive, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", urllib3.exceptions.InsecureRequestWarning)
        assert koodrive.run(GROUP, validate_certs=False)["changed"]
    assert [warning for warning in seen if warning.category is urllib3.exceptions.InsecureRequestWarning] == []


def test_the_pauses_of_a_read_begin_with_the_first_one(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting.time.sleep", slept.append)
    koodrive.script(*[Fault(reply="status", status=503)] * 3)
    assert koodrive.run(GROUP, retries=3)["changed"]
    for pause, most in zip(slept, (0.5, 1, 2)):
        assert most / 2 <= pause <= most


def test_a_pause_that_koodrive_asks_for_is_no_longer_than_a_request_may_take(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting.time.sleep", slept.append)
    koodrive.script(*[Fault(reply="status", status=429, retry_after=seconds) for seconds in ("2", "3600")])
    assert koodrive.run(GROUP, retries=2, timeout=5)["changed"] and slept == [2, 5]
