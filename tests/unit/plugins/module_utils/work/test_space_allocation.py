# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the layout of all pools against the simulator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import LocalStore
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.moving import MOST_TRANSFERS
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

ROOM = [
    {"type": "individual", "unallocated_capacity": 500},
    {"type": "group", "total_capacity": 2048, "unallocated_capacity": 100},
    {"type": "department", "unallocated_capacity": 200},
]
#: A layout that needs two transfers of 600 GB to group: 400 GB from individual and 200 GB from department.
TWO_GIVERS = {
    "department": {"total": 500, "allocated": 0},
    "individual": {"total": 800, "allocated": 300},
    "group": {"total": 100, "allocated": 100},
}
TWO_TRANSFERS = [
    {"type": "group", "unallocated_capacity": 600},
    {"type": "individual", "unallocated_capacity": 100},
    {"type": "department", "total_capacity": 200},
]
FIRST = {"origin_type": "individual", "type": "group", "expand_capacity": 400}
SECOND = {"origin_type": "department", "type": "group", "expand_capacity": 200}


@pytest.fixture(name="two_origins")
def fixture_two_origins(koodrive: KooDriveForTests) -> KooDriveForTests:
    koodrive.state.tenant = Tenant(TWO_GIVERS)
    return koodrive


def bodies(koodrive: KooDriveForTests) -> list[Any]:
    return [request["body"] for request in koodrive.state.requests if request["method"] == "POST"]


def test_one_transfer_and_then_nothing(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant = Tenant({**TWO_GIVERS, "department": {"total": 4000, "allocated": 400}})
    moved = koodrive.layout(*ROOM)
    assert moved["changed"] and moved["verified"] and moved["missing"] == {}
    assert moved["transfers"] == [{"origin_type": "department", "type": "group", "expand_capacity": 1948}]
    assert moved["allocation"]["group"]["total_capacity"] == koodrive.totals()["group"] == 2048
    again = koodrive.layout(*ROOM)
    assert not again["changed"] and again["transfers"] == [] and again["allocation"] == moved["allocation"]
    assert again.keys() == moved.keys() and len(bodies(koodrive)) == 1


def test_the_second_transfer_is_planned_from_the_pools_after_the_first(two_origins: KooDriveForTests) -> None:
    moved = two_origins.layout(*TWO_TRANSFERS)
    assert moved["transfers"] == [FIRST, SECOND] and moved["changed"] and moved["verified"] and moved["warnings"] == []
    assert two_origins.totals() == {"department": 300, "individual": 400, "group": 700}
    assert two_origins.methods() == ["GET", "POST", "GET", "POST", "GET"]
    assert moved["allocation_before"]["group"]["total_capacity"] == 100
    assert "individual: 800 GB total" in moved["diff"]["before"] and "individual: 400 GB total" in moved["diff"]["after"]


def test_capacity_that_another_program_moved_meanwhile_is_not_moved_again(two_origins: KooDriveForTests) -> None:
    others = {"originType": 0, "target": [{"type": 2, "expandCapacity": 150}]}
    two_origins.script(Fault(), Fault(interloper=others))
    moved = two_origins.layout(*TWO_TRANSFERS)
    assert [row["expand_capacity"] for row in moved["transfers"]] == [400, 50], moved
    assert two_origins.totals()["group"] == 700


#: A trace ID, so that two results can be equal.
ONE_RUN = "r" * 58


@pytest.mark.parametrize("pools", [ROOM, TWO_TRANSFERS])
@pytest.mark.parametrize("step", [1, 7])
def test_check_mode_predicts_the_real_run(two_origins: KooDriveForTests, pools: list[dict[str, Any]], step: int) -> None:
    predicted = two_origins.layout(*pools, check_mode=True, capacity_step=step, trace_id=ONE_RUN)
    assert not bodies(two_origins)
    real = two_origins.layout(*pools, capacity_step=step, trace_id=ONE_RUN)
    for result in (predicted, real):
        del result["msg" if result.get("failed") else "verified"]
    assert predicted == real


@pytest.mark.parametrize("step", [1, 7])
def test_the_rest_is_predicted_and_moved_once(two_origins: KooDriveForTests, step: int) -> None:
    night = [{"type": "individual", "unallocated_capacity": 100}, {"type": "department", "unallocated_capacity": 50}, {"type": "group", "takes_rest": True}]
    predicted = two_origins.layout(*night, check_mode=True, capacity_step=step)
    assert not bodies(two_origins)
    real = two_origins.layout(*night, capacity_step=step)
    assert predicted["transfers"] == real["transfers"] and predicted["allocation"] == real["allocation"] and real["verified"]
    gifts = [450 // step * step, 400 // step * step]
    assert [row["expand_capacity"] for row in real["transfers"]] == gifts and two_origins.totals()["group"] == 100 + sum(gifts)
    again = two_origins.layout(*night, capacity_step=step)
    assert not again["changed"] and len(bodies(two_origins)) == 2


def test_too_little_capacity_stops_before_any_write(two_origins: KooDriveForTests) -> None:
    failure = two_origins.layout(*ROOM)
    assert failure["error"]["kind"] == "insufficient_capacity" and not failure["changed"] and failure["transfers"] == []
    assert failure["missing"] == {"group": 1948}
    assert "group lacks 1,948 GB; department can give 300 GB. Nothing was moved. The pools hold: department 500 GB" in failure["msg"]
    assert not bodies(two_origins)


def test_a_partial_move_warns_of_the_missing_capacity(two_origins: KooDriveForTests) -> None:
    moved = two_origins.layout(*ROOM, partial=True)
    assert moved["transfers"] == [{**SECOND, "expand_capacity": 300}] and moved["missing"] == {"group": 1648}
    assert moved["warnings"] == ["Not all that is missing could be given: group lacks 1,648 GB."]
    again = two_origins.layout(*ROOM, partial=True)
    assert not again["changed"] and again["missing"] == {"group": 1648} and len(bodies(two_origins)) == 1


@pytest.mark.parametrize("fate", [Fault(reply="status", status=400, code=13000311, apply="no"), Fault(reply="reset", apply="no")])
def test_a_failure_of_the_second_transfer_reports_the_first_as_done(two_origins: KooDriveForTests, fate: Fault) -> None:
    two_origins.script(Fault(), Fault(), Fault(), fate)
    failure = two_origins.layout(*TWO_TRANSFERS)
    assert failure["failed"] and failure["changed"] and failure["transfers"][0] == FIRST
    refused = fate.reply == "status"
    assert f"Done before that: 400 GB to group from individual{'; running again goes on from there' if refused else ''}. " in failure["msg"]
    assert failure["allocation_before"]["group"]["total_capacity"] == 100
    rest = two_origins.layout(*TWO_TRANSFERS, settle_time=0)
    assert rest["transfers"] == [SECOND] and two_origins.totals()["group"] == 700


def test_a_refused_transfer_is_not_listed_with_the_applied_one(two_origins: KooDriveForTests) -> None:
    two_origins.script(Fault(), Fault(), Fault(), Fault(apply="no", reply="status", status=400, code=13000311))
    failure = two_origins.layout(*TWO_TRANSFERS)
    assert failure["transfers"] == [FIRST] and "This transfer moved nothing." in failure["msg"]
    assert "partial: true" in failure["msg"] and "in reserve" not in failure["msg"]


def test_a_first_transfer_with_an_unknown_outcome_is_not_reported_as_done(two_origins: KooDriveForTests) -> None:
    """Let another program move the capacity of the first transfer."""
    others = {"originType": 0, "target": [{"type": 2, "expandCapacity": 450}]}
    two_origins.script(Fault(), Fault(apply="no", reply="reset", interloper=others))
    failure = two_origins.layout(*TWO_TRANSFERS)
    assert failure["error"]["kind"] == "outcome_unknown" and "not by this transfer alone" in failure["msg"], failure["msg"]
    assert "Done before that" not in failure["msg"] and "othing was sent" not in failure["msg"] and "Run again." in failure["msg"]
    assert len(bodies(two_origins)) == 1


def test_a_ledger_that_cannot_end_the_first_transfer_fails_with_a_message(two_origins: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    def append(store: LocalStore, record: Record, ends: str | None = None) -> bool:
        if ends is not None:
            raise KooDriveError("ledger_unavailable", "the disk is full")
        return real(store, record)

    real = LocalStore.append
    monkeypatch.setattr(LocalStore, "append", append)
    failure = two_origins.layout(*TWO_TRANSFERS)
    assert failure["error"]["kind"] == "ledger_unavailable" and failure["changed"] and failure["transfers"] == [FIRST]
    assert "the disk is full" in failure["msg"] and "Done before that: 400 GB" in failure["msg"] and len(bodies(two_origins)) == 1


def test_a_stale_reading_does_not_repeat_the_first_transfer(two_origins: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = two_origins.state.tenant.rows()
    real = Tenant.rows

    def rows(self: Tenant) -> list[dict[str, int]]:
        return stale if len(bodies(two_origins)) == 2 else real(self)

    monkeypatch.setattr(Tenant, "rows", rows)
    two_origins.script(Fault(), Fault(), Fault(), Fault(apply="no", reply="status", status=429, retry_after="0"))
    failure = two_origins.layout(*TWO_TRANSFERS, retries=2)
    assert failure["error"]["kind"] == "not_verified" and "show again what they held before 400 GB to group" in failure["msg"]
    assert failure["transfers"] == [FIRST] and len(bodies(two_origins)) == 2


def test_a_refused_second_transfer_is_not_listed_if_the_pools_cannot_be_read_after_it(two_origins: KooDriveForTests) -> None:
    limited = Fault(apply="no", reply="status", status=429, retry_after="0")
    two_origins.script(Fault(), Fault(), Fault(), limited, Fault(reply="status", status=401))
    failure = two_origins.layout(*TWO_TRANSFERS, retries=1)
    assert failure["error"]["kind"] == "authentication" and failure["changed"] and failure["transfers"] == [FIRST]


def test_each_transfer_has_its_own_tries(two_origins: KooDriveForTests) -> None:
    ok, limited = Fault(), Fault(apply="no", reply="status", status=429, retry_after="0")
    two_origins.script(ok, limited, ok, ok, ok, limited, ok, limited)
    failure = two_origins.layout(*TWO_TRANSFERS, retries=1)
    assert failure["error"]["kind"] == "rate_limited" and failure["transfers"] == [FIRST] and len(bodies(two_origins)) == 4


def test_an_origin_that_koodrive_does_not_report_is_skipped(two_origins: KooDriveForTests) -> None:
    two_origins.state.tenant = Tenant({name: TWO_GIVERS[name] for name in ("individual", "group")})
    two_origins.state.shape = replace(two_origins.state.shape, quota="none")
    moved = two_origins.layout({"type": "group", "unallocated_capacity": 100}, TWO_TRANSFERS[1], {"type": "department", "total_capacity": 0, "receives": False})
    assert moved["transfers"] == [{**FIRST, "expand_capacity": 100}]


def test_a_first_transfer_that_is_refused_moves_nothing(two_origins: KooDriveForTests) -> None:
    two_origins.script(Fault(), Fault(reply="status", status=400, code=13000311, apply="no"))
    failure = two_origins.layout(*TWO_TRANSFERS)
    assert failure["error"]["code"] == "13000311" and not failure["changed"] and "This task moved nothing." in failure["msg"]
    assert "Done before that" not in failure["msg"] and len(bodies(two_origins)) == 1


def test_a_lost_reply_to_the_first_transfer_is_resolved_before_the_second(two_origins: KooDriveForTests) -> None:
    two_origins.script(Fault(), Fault(reply="reset"))
    moved = two_origins.layout(*TWO_TRANSFERS)
    assert moved["transfers"] == [FIRST, SECOND] and "The reply to the transfer was lost" in moved["warnings"][0]
    assert two_origins.totals()["group"] == 700 and len(bodies(two_origins)) == 2


def test_without_verification_the_first_of_two_transfers_is_still_verified(two_origins: KooDriveForTests) -> None:
    moved = two_origins.layout(*TWO_TRANSFERS, verify=False)
    assert two_origins.methods() == ["GET", "POST", "GET", "POST"] and not moved["verified"]
    assert moved["allocation"]["group"]["total_capacity"] == 700


def test_another_writer_that_undoes_each_transfer_causes_a_failure_with_a_message(koodrive: KooDriveForTests) -> None:
    class Busy(Tenant):
        """Allocate all new capacity of the group pool immediately."""

        def transfer(self, body: Any) -> None:
            super().transfer(body)
            self.pools[2].allocated = self.pools[2].total

    koodrive.state.tenant = Busy(TWO_GIVERS)
    failure = koodrive.layout({"type": "group", "unallocated_capacity": 50}, {"type": "individual", "unallocated_capacity": 0})
    assert failure["error"]["kind"] == "not_verified" and "Is there another writer?" in failure["msg"] and failure["changed"]
    assert len(bodies(koodrive)) == MOST_TRANSFERS


@pytest.mark.parametrize(
    ("pools", "message"),
    [
        ([], "pools must not be empty"),
        ([{"type": "group", "total_capacity": 1}, {"type": "group", "unallocated_capacity": 1}], "pools must not have a type twice: group"),
        ([{"type": "group", "total_capacity": -1}], "total_capacity of the pool group must be whole GB from 0"),
        ([{"type": "group"}], "pools must have total_capacity, unallocated_capacity or takes_rest for the pool group"),
        ([{"type": "group", "takes_rest": True, "receives": False}], "takes_rest of the pool group needs receives: true"),
        ([{"type": "group", "takes_rest": True}, {"type": "individual", "takes_rest": True}], "takes_rest may be true for one pool only, not for group and"),
        ([{"type": "group", "total_capacity": True}], "total_capacity of the pool group must be whole GB"),
    ],
)
def test_bad_input_is_refused_by_name(koodrive: KooDriveForTests, pools: list[dict[str, Any]], message: str) -> None:
    failure = koodrive.layout(*pools)
    assert failure["error"]["kind"] == "invalid_request" and message in failure["msg"] and not koodrive.methods()


def test_a_pool_that_is_not_named_stays_as_it_is(two_origins: KooDriveForTests) -> None:
    moved = two_origins.layout(TWO_TRANSFERS[0], TWO_TRANSFERS[1], partial=True)
    assert moved["transfers"] == [FIRST] and two_origins.totals()["department"] == 500
    assert moved["missing"] == {"group": 200}
