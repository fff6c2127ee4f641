# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's rulebooks, run by the real ansible-rulebook."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import FIRST_PAUSE
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT
from ansible_collections.huaweicloud.koodrive.tests.system.rulebook import PATIENCE, Controller, Rulebook
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

pytestmark = pytest.mark.broad
POOLS = {
    "department": {"total": 4000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 500},
    "group": {"total": 1000, "allocated": 500},
}
Start = Callable[..., Rulebook]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture(name="start")
def fixture_start(koodrive: KooDriveForTests, tmp_path: Path) -> Start:
    """Starts the rulebook with variables and options. Endpoint and credentials come from the environment."""
    koodrive.state.tenant = Tenant(POOLS)
    environment = {"KOODRIVE_ENDPOINT": koodrive.endpoint, "KOODRIVE_TOKEN": TOKEN, "KOODRIVE_LEDGER": koodrive.ledger}

    def start(*options: str, name: str = "keep_room", **variables: Any) -> Rulebook:
        return Rulebook(f"huaweicloud.koodrive.{name}", tmp_path, environment, {"koodrive_interval": 1, **variables}, *options)

    return start


def take(koodrive: KooDriveForTests, gigabytes: int) -> None:
    """Move this much from the group pool to the individual pool, as another writer."""
    koodrive.state.tenant.transfer({"originType": 2, "target": [{"type": 1, "expandCapacity": gigabytes}]})


def test_a_low_pool_is_refilled_once(koodrive: KooDriveForTests, start: Start) -> None:
    with start() as rulebook:
        rulebook.wait_for("'reasons': ['first']")
        rulebook.wait_for("are watched. GB unallocated: department 3600 of 4000, individual 500 of 1000, group 500 of 1000.")
        take(koodrive, 450)
        rulebook.wait_for("'came_below': ['group']")
        rulebook.wait_for("'came_back': ['group']")
        # A fifth of what it had, from the pool that had most to give.
        assert koodrive.totals() == {"department": 3940, "individual": 1450, "group": 610}
        rulebook.wait_for("PLAY RECAP")
        seen = len(koodrive.methods())
        take(koodrive, 100)
        rulebook.wait_for("'came_below': ['group']", times=2)
        until(lambda: len(koodrive.methods()) > seen + 4, "it reads no more")
    assert koodrive.methods().count("POST") == 1
    assert rulebook.printed().count("are watched. GB unallocated:") == 1
    assert rulebook.printed().count("PLAY RECAP") == 1 and TOKEN not in rulebook.printed()
    assert koodrive.totals()["group"] == 510


def test_the_rulebook_reports_failed_readings_and_their_end(koodrive: KooDriveForTests, start: Start) -> None:
    with start("-vv") as rulebook:
        rulebook.wait_for("'reasons': ['first']")
        koodrive.script(Fault(reply="refuse", seconds=12 * FIRST_PAUSE))
        rulebook.wait_for(f"The pools of {koodrive.endpoint} are not watched: Reading the pools failed: {koodrive.endpoint} could not be reached")
        rulebook.wait_for(f"The pools of {koodrive.endpoint} are watched again.")
        koodrive.state.credentials.tokens.remove(TOKEN)
        rulebook.wait_for(f"The pools of {koodrive.endpoint} are not watched: Reading the pools failed: KooDrive refused")
        seen = len(koodrive.methods())
        until(lambda: len(koodrive.methods()) > seen + 2, "it reads no more")
        koodrive.state.credentials.tokens.append(TOKEN)
        rulebook.wait_for(f"The pools of {koodrive.endpoint} are watched again.", times=2)
    assert "POST" not in koodrive.methods() and "PLAY" not in rulebook.printed() and TOKEN not in rulebook.printed()


def test_the_rulebook_asks_to_expand_the_tenant_if_no_pool_can_give(koodrive: KooDriveForTests, start: Start) -> None:
    koodrive.state.tenant = Tenant({name: {"total": 1000, "allocated": 990} for name in POOLS})
    with start() as rulebook:
        rulebook.wait_for(f"Please have the capacity of the tenant at {koodrive.endpoint} expanded: 30 of 3000 GB are unallocated in all pools together.")
        # The same event is about the pools, too.
        rulebook.wait_for("PLAY RECAP")
        take(koodrive, 1)
        rulebook.wait_for("'reasons': ['changed']")
    assert rulebook.printed().count("Please have the capacity") == 1 and rulebook.printed().count("PLAY RECAP") == 1
    assert "failed=0" in rulebook.printed() and "POST" not in koodrive.methods()


def test_a_wrong_variable_ends_it_at_once(start: Start) -> None:
    with start(koodrive_group_threshold="a lot") as rulebook:
        assert rulebook.end() != 0
    assert "thresholds.group must be whole GB" in rulebook.printed()


def test_a_job_of_a_controller_does_the_same(koodrive: KooDriveForTests, start: Start) -> None:
    take(koodrive, 450)
    with Controller() as controller:
        where = ("--controller-url", controller.endpoint, "--controller-token", controller.TOKEN)
        with start(*where, name="keep_room_by_job", koodrive_individual_unallocated_capacity=100) as rulebook:
            until(lambda: bool(controller.launched), rulebook.printed())
    ((template, variables, faults),) = controller.launched
    assert (template, faults) == ("KooDrive balance", [])
    assert {name: value for name, value in variables.items() if value != ""} == {
        "koodrive_department_unallocated_capacity": 800,
        "koodrive_individual_unallocated_capacity": 100,
        "koodrive_group_unallocated_capacity": 110,
        "koodrive_capacity_step": 1,
        "koodrive_partial": "yes",
    }
    assert "PLAY" not in rulebook.printed()


def test_the_rulebooks_differ_only_in_the_job() -> None:
    (by_playbook,), (by_job,) = (
        yaml.safe_load((ROOT / f"extensions/eda/rulebooks/{name}.yml").read_text(encoding="utf-8")) for name in ("keep_room", "keep_room_by_job")
    )
    playbook, job = (rulebook["rules"][-1].pop("action") for rulebook in (by_playbook, by_job))
    assert by_playbook == by_job
    assert playbook["run_playbook"]["extra_vars"] == job["run_job_template"]["job_args"]["extra_vars"]
