# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the report of a run after each of its steps."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Plan, Pool, Target
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.run_report import RunReport
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import Task, TransferReport

BEFORE = {"department": Pool(2000, 400), "group": Pool(500, 500)}
AFTER = {"department": Pool(1900, 400), "group": Pool(600, 500)}
TASK = Task("department", (Target("group", "total_capacity", 600),), 0, 1, None)
ERROR = KooDriveError("not_verified", "it does not show", action="Transferring", advice="Look.")


@pytest.fixture(name="plan")
def fixture_plan() -> Plan:
    return TASK.plan(BEFORE)


@pytest.fixture(name="report")
def fixture_report() -> TransferReport:
    return TransferReport("https://example.org", "t" * 58, TASK)


def test_every_result_has_the_endpoint_and_the_trace_id() -> None:
    report = RunReport("https://example.org", "t" * 58)
    report.warnings.append("Careful.")
    always = {"endpoint": "https://example.org", "trace_id": "t" * 58, "warnings": ["Careful."]}
    assert report.result({"changed": False}) == {**always, "changed": False}
    failure = report.failure(ERROR)
    assert failure.items() >= always.items() and failure["failed"] and failure["msg"].endswith(f"Look. Trace ID: {'t' * 58}.")


@pytest.mark.parametrize("kind", ["ledger_unavailable", "busy", "open_transfer"])
def test_a_failure_before_the_first_transfer_says_that_nothing_was_sent(report: TransferReport, kind: str) -> None:
    assert "it fails. Nothing was sent." in report.failure(KooDriveError(kind, "it fails"))["msg"]


def test_a_failure_before_the_first_read_has_no_pools(report: TransferReport) -> None:
    failure = report.failure(ERROR)
    assert failure["origin_type"] == "department" and "allocation" not in failure and "transfers" not in failure


def test_a_failure_does_not_list_a_planned_transfer_that_was_not_sent(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.planned(plan)
    failure = report.failure(ERROR)
    assert failure["transfers"] == [] and failure["allocation"] == failure["allocation_before"] and not failure["changed"]
    assert "Before:" not in failure["msg"] and "The pools hold" not in failure["msg"]


def test_a_failure_for_too_little_capacity_lists_the_pools(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.planned(plan)
    message = report.failure(KooDriveError("insufficient_capacity", "it cannot give that"))["msg"]
    assert "Nothing was moved. The pools hold: department 2,000 GB total, 1,600 GB unallocated; group" in message


def test_a_refused_transfer_has_changed_nothing(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.planned(plan)
    report.sends()
    report.was_refused()
    report.saw(AFTER)
    assert not report.failure(ERROR)["changed"], "another writer has changed the pools"


def test_after_sending_the_pools_are_unknown_until_the_next_read(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.planned(plan)
    report.sends()
    report.could_not_see(KooDriveError("unreachable", "nobody answers"))
    failure = report.failure(ERROR)
    assert failure["transfers"] == [{"type": "group", "expand_capacity": 100}] and "allocation" not in failure and not failure["changed"]
    for words in ("Before: department 2,000 GB total", "What they hold now is not known.", "The latest reading failed: nobody answers."):
        assert words in failure["msg"]
    report.saw(AFTER)
    failure = report.failure(ERROR)
    assert failure["changed"] and "Now: department 1,900 GB total" in failure["msg"] and "latest reading" not in failure["msg"]


def test_a_request_that_was_not_sent_has_changed_nothing(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.planned(plan)
    report.sends()
    report.did_not_send()
    failure = report.failure(ERROR)
    assert not failure["changed"] and failure["allocation"]["group"]["total_capacity"] == 500 and "Now: department 2,000" in failure["msg"]


def test_a_second_request_that_was_not_sent_is_not_listed(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.has_made(plan)
    report.planned(Task("department", (Target("group", "total_capacity", 700),), 0, 1, None).plan(AFTER))
    report.sends()
    report.did_not_send()
    failure = report.failure(ERROR)
    assert failure["transfers"] == [{"type": "group", "expand_capacity": 100}]
    assert "Done before that: 100 GB to group from department; running again goes on from there." in failure["msg"]


def test_a_new_plan_is_not_reported_as_sent(report: TransferReport, plan: Plan) -> None:
    report.saw(BEFORE)
    report.planned(plan)
    report.sends()
    report.saw(AFTER)
    report.planned(Task("department", (Target("group", "total_capacity", 700),), 0, 1, None).plan(AFTER))
    failure = report.failure(ERROR)
    assert failure["transfers"] == [] and not failure["changed"]


def test_a_success_has_one_shape(report: TransferReport, plan: Plan) -> None:
    report.planned(plan.nothing())
    nothing = report.success(BEFORE, verified=True)
    report.has_made(plan)
    moved = report.success(AFTER, verified=True)
    assert moved.keys() == nothing.keys() and moved["changed"] and not nothing["changed"]
    assert moved["diff"] == {
        "before": "department: 2,000 GB total, 1,600 GB unallocated\ngroup: 500 GB total, 0 GB unallocated\n",
        "after": "department: 1,900 GB total, 1,500 GB unallocated\ngroup: 600 GB total, 100 GB unallocated\n",
    }
    assert moved["earlier"] is None


def test_an_applied_transfer_stays_reported_after_a_later_failure(report: TransferReport, plan: Plan) -> None:
    report.planned(plan)
    report.sends()
    report.has_made(plan)
    report.saw(AFTER)
    second = Task("department", (Target("group", "total_capacity", 700),), 0, 1, None).plan(AFTER)
    report.planned(second)
    failure = report.failure(KooDriveError("ledger_unavailable", "the disk is full"))
    assert failure["changed"] and failure["transfers"] == [{"type": "group", "expand_capacity": 100}]
    assert failure["allocation_before"]["group"]["total_capacity"] == 500 and failure["allocation"]["group"]["total_capacity"] == 600
    for words in ("Done before that: 100 GB to group from department; running again goes on from there.", "The pools hold: department 1,900 GB"):
        assert words in failure["msg"]
    for kind in ("ledger_unavailable", "busy", "open_transfer"):
        assert "Nothing was sent" not in report.failure(KooDriveError(kind, "it fails"))["msg"]
    report.sends()
    failure = report.failure(ERROR)
    assert failure["changed"] and [row["expand_capacity"] for row in failure["transfers"]] == [100, 100]
    assert "Done before that:" in failure["msg"] and "Before: department 1,900 GB total" in failure["msg"]
