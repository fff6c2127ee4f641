# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the transfer as a function, over real HTTP against the simulator."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Shape, new_state
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}
PREDICTED = ("changed", "transfers", "allocation", "allocation_before", "diff")


def test_read_write_verify_and_then_nothing(koodrive: KooDriveForTests) -> None:
    result = koodrive.run(GROUP)
    assert koodrive.methods() == ["GET", "POST", "GET"]
    assert koodrive.state.requests[1]["body"] == '{"originType":0,"target":[{"type":2,"expandCapacity":100}]}'
    assert result["changed"] and result["verified"] and result["warnings"] == []
    assert result["transfers"] == [{"type": "group", "expand_capacity": 100}]
    assert result["allocation"]["group"] == {
        "total_capacity": 600,
        "allocated_capacity": 500,
        "unallocated_capacity": 100,
    }
    assert result["allocation_before"]["department"]["total_capacity"] == 2000
    assert result["diff"]["after"].splitlines() == [
        "department: 1,900 GB total, 1,500 GB unallocated",
        "individual: 1,000 GB total, 100 GB unallocated",
        "group: 600 GB total, 100 GB unallocated",
    ]
    again = koodrive.run(GROUP)
    assert koodrive.methods() == ["GET", "POST", "GET", "GET"]
    assert not again["changed"] and again["verified"] and again["transfers"] == []
    assert again["allocation"] == again["allocation_before"] == result["allocation"]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert set(again) == set(result)


@pytest.mark.parametrize(
    "targets",
    [
        [GROUP],
        [{"type": "group", "total_capacity": 400}],
        [{"type": "individual", "unallocated_capacity": 500}, {"type": "group", "expand_capacity": 7}],
    ],
)
def test_check_mode_predicts_the_real_run_and_writes_nothing(koodrive: KooDriveForTests, targets: list[dict[str, Any]]) -> None:
    predicted = koodrive.run(*targets, check_mode=True)
    assert koodrive.methods() == ["GET"]
    real = koodrive.run(*targets)
    assert {name: predicted[name] for name in PREDICTED} == {name: real[name] for name in PREDICTED}
    assert set(predicted) == set(real)
    assert predicted["verified"] == (not predicted["transfers"])


def test_capacity_that_is_allocated_during_the_transfer_is_a_warning(koodrive: KooDriveForTests) -> None:
    class Used(Tenant):
        """Allocate 80 GB of the group pool with each transfer."""

        def transfer(self, body: Any) -> None:
            super().transfer(body)
            self.pools[2].allocated += 80

    koodrive.state.tenant = Used(koodrive.state.tenant.by_name())
    result = koodrive.run({"type": "group", "unallocated_capacity": 500})
    assert result["changed"] and result["allocation"]["group"]["unallocated_capacity"] == 420
    assert result["warnings"] == ["The transfer was made, but capacity was allocated meanwhile. The next run moves 80 GB to group from department."]
    assert koodrive.run({"type": "group", "expand_capacity": 1})["warnings"] == []


@pytest.mark.parametrize("measure", ["total_capacity", "unallocated_capacity"])
def test_a_desired_state_can_be_0(koodrive: KooDriveForTests, measure: str) -> None:
    assert not koodrive.run({"type": "group", measure: 0})["changed"]


def test_expand_adds_on_every_run(koodrive: KooDriveForTests) -> None:
    for expected in (510, 520):
        assert koodrive.run({"type": "group", "expand_capacity": 10})["changed"]
        assert koodrive.state.tenant.by_name()["group"]["total"] == expected


def test_without_verification_the_expected_pools_are_returned(koodrive: KooDriveForTests) -> None:
    result = koodrive.run(GROUP, verify=False)
    assert koodrive.methods() == ["GET", "POST"]
    assert result["changed"] and not result["verified"]
    assert result["allocation"] == koodrive.run(GROUP)["allocation"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_too_little_capacity_stops_before_any_write(koodrive: KooDriveForTests, check_mode: bool) -> None:
    result = koodrive.failure({"type": "group", "total_capacity": 5000}, check_mode=check_mode, origin_reserve=7)
    assert koodrive.methods() == ["GET"]
    assert result["error"] == {
        "kind": "insufficient_capacity",
        "http_status": None,
        "code": None,
        "message": None,
        "request_id": None,
    }
    assert "4,500 GB" in result["msg"] and "1,600 GB" in result["msg"] and "2,907 GB short" in result["msg"]
    assert result["trace_id"] in result["msg"]
    assert result["transfers"] == [] and not result["changed"]
    assert result["allocation"]["department"]["unallocated_capacity"] == 1600


def test_one_trace_id_and_the_headers_for_all_calls(koodrive: KooDriveForTests) -> None:
    result = koodrive.run(GROUP, user_id="user-9", language="zh-CN")
    seen = {(request["trace_id"], request["user_id"], request["language"]) for request in koodrive.state.requests}
    assert seen == {(result["trace_id"], "user-9", "zh-CN")}
    # A compressed reply could be larger than what was read of it.
    assert {request["accept_encoding"] for request in koodrive.state.requests} == {"identity"}
    assert koodrive.run(GROUP)["trace_id"] != result["trace_id"]
    assert koodrive.run(GROUP, trace_id="x" * 58)["trace_id"] == "x" * 58


def test_app_authentication_signs_reads_and_writes(koodrive: KooDriveForTests) -> None:
    assert koodrive.run(GROUP, **koodrive.app)["changed"]
    assert [request["authorization"] for request in koodrive.state.requests] == ["HMAC-SHA256"] * 3
    result = koodrive.failure(GROUP, **{**koodrive.app, "app_secret": "another"})
    assert result["error"]["kind"] == "authentication" and result["error"]["http_status"] == 401


def test_every_shape_of_the_read(koodrive: KooDriveForTests) -> None:
    for shape in (Shape(numbers="text"), Shape(code="text"), Shape(numbers="text", code="text")):
        koodrive.state.shape = shape
        koodrive.state.tenant.pools[2].total = 500
        assert koodrive.run(GROUP)["allocation"]["group"]["total_capacity"] == 600


@pytest.mark.parametrize("missing", ["department", "group"])
def test_a_pool_that_no_read_reports_is_unknown(koodrive: KooDriveForTests, missing: str) -> None:
    pools = koodrive.state.tenant.by_name()
    del pools[missing]
    koodrive.state.tenant = Tenant(pools)
    result = koodrive.failure(GROUP)
    assert koodrive.paths() == ["get", "quotaUsed"]
    assert result["error"]["kind"] == "invalid_reply" and f"did not report the {missing} pool" in result["msg"]


@pytest.mark.parametrize("numbers", ["number", "text"])
def test_a_read_of_one_pool_is_completed_by_the_read_of_all_pools(koodrive: KooDriveForTests, numbers: str) -> None:
    koodrive.state.shape = Shape(data="object", numbers=numbers)
    result = koodrive.run(GROUP)
    assert koodrive.paths() == ["get", "quotaUsed", "transfer", "quotaUsed"]
    assert result["changed"] and result["verified"] and koodrive.totals()["group"] == 600
    assert result["allocation"]["individual"] == {"total_capacity": 1000, "allocated_capacity": 900, "unallocated_capacity": 100}
    languages = {request["path"].rpartition("/")[2]: request["language"] for request in koodrive.state.requests}
    assert languages == {"get": "en-US", "quotaUsed": None, "transfer": "en-US"}
    assert {request["authorization"] for request in koodrive.state.requests} == {"Bearer"}


def test_pools_of_one_read_call_are_not_compared_with_those_of_another(koodrive: KooDriveForTests) -> None:
    one_pool = b'{"code": 0, "data": {"type": 2, "totalCapacity": 600, "allocateCapacity": 500}}'
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(one_pool), one_pool)
    koodrive.script(Fault(), Fault(), Fault(reply="raw", raw=raw))
    assert koodrive.run(GROUP)["verified"]
    assert koodrive.paths() == ["get", "transfer", "get", "get"]


@pytest.mark.parametrize(("quota", "message"), [("none", "the call that has all pools failed: KooDrive refused"), ("partly", "the group pool")])
def test_a_pool_that_both_reads_lack_is_unknown(koodrive: KooDriveForTests, quota: str, message: str) -> None:
    koodrive.state.shape = Shape(data="object", quota=quota)
    result = koodrive.failure(GROUP)
    assert result["error"]["kind"] == "invalid_reply" and message in result["msg"] and koodrive.paths() == ["get", "quotaUsed"]


def test_a_transient_failure_of_the_second_read_is_retried(koodrive: KooDriveForTests) -> None:
    koodrive.state.shape = Shape(data="object")
    koodrive.script(Fault(), Fault(reply="status", status=503))
    assert koodrive.run(GROUP, retries=1)["changed"]
    assert koodrive.paths() == ["get", "quotaUsed", "get", "quotaUsed", "transfer", "quotaUsed"]


@pytest.mark.parametrize(
    ("targets", "sent"),
    [
        ([{"type": "group", "total_capacity": 557}], [60]),
        ([{"type": "group", "total_capacity": 560}, {"type": "individual", "unallocated_capacity": 101}], [60, 10]),
        ([{"type": "group", "expand_capacity": 30}], [30]),
    ],
)
def test_a_koodrive_that_requires_a_step_accepts_the_amounts(koodrive: KooDriveForTests, targets: list[dict[str, Any]], sent: list[int]) -> None:
    koodrive.state.tenant.step = 10
    predicted = koodrive.run(*targets, capacity_step=10, check_mode=True)
    result = koodrive.run(*targets, capacity_step=10)
    assert [row["expand_capacity"] for row in result["transfers"]] == sent and predicted["transfers"] == result["transfers"]
    if "expand_capacity" not in targets[0]:
        assert not koodrive.run(*targets, capacity_step=10)["changed"]


def test_a_refusal_because_of_the_step_gives_advice(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant.step = 10
    result = koodrive.failure({"type": "group", "total_capacity": 557})
    assert result["error"]["code"] == "13000102" and "This task moved nothing." in result["msg"]
    assert "accepts only multiples of 10 GB" in result["msg"] and "capacity_step" in result["msg"]
    koodrive.state.tenant.refusal = (400, 13000102, "Verify parameters failed.")
    assert "capacity_step" not in koodrive.failure({"type": "group", "total_capacity": 560})["msg"]


def test_the_message_of_the_gateway_and_its_request_id_are_in_the_failure(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(GROUP, token="exp1red")
    assert result["error"]["code"] == "APIGW.0301" and result["error"]["request_id"] == "c0ffee"
    assert "request ID c0ffee" in result["msg"]


def test_an_expired_token(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(GROUP, token="exp1red")
    assert result["error"]["kind"] == "authentication" and result["error"]["code"] == "APIGW.0301"
    assert result["msg"].startswith("Reading the pools failed: KooDrive refused the credentials (HTTP 401")
    assert "20 minutes" in result["msg"]


def test_a_refused_write_lists_the_pools(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant.refusal = (400, 13000412, "Space is not active.")
    result = koodrive.failure(GROUP)
    assert koodrive.methods() == ["GET", "POST", "GET"]
    assert result["error"] == {
        "kind": "rejected",
        "http_status": 400,
        "code": "13000412",
        "message": "Space is not active.",
        "request_id": None,
    }
    assert result["msg"].startswith("Transferring 100 GB to group from department failed: KooDrive refused the request")
    assert "This task moved nothing." in result["msg"] and "Now: department 2,000 GB total" in result["msg"]
    assert result["transfers"] == [{"type": "group", "expand_capacity": 100}] and not result["changed"]


@pytest.mark.parametrize(
    ("targets", "options", "named"),
    [
        ([], {}, "target must not be empty"),
        ([GROUP, {"type": "group", "expand_capacity": 1}], {}, "target must not have a type twice: group"),
        ([{"type": "department", "expand_capacity": 1}], {}, "target must not have the origin among its types"),
        ([{"type": "group", "expand_capacity": 0}], {}, "expand_capacity of the target group must be"),
        ([{"type": "group", "expand_capacity": True}], {}, "expand_capacity of the target group must be"),
        ([{"type": "group", "total_capacity": -1}], {}, "total_capacity of the target group must be"),
        ([{"type": "group", "total_capacity": 104857601}], {}, "total_capacity of the target group must be"),
        ([{"type": "individual", "unallocated_capacity": -5}], {}, "unallocated_capacity of the target individual"),
        ([{"type": "group", "expand_capacity": 15}], {"capacity_step": 10}, "expand_capacity of the target group must be a multiple"),
        ([GROUP], {"capacity_step": 0}, "capacity_step must be"),
        ([GROUP], {"capacity_step": True}, "capacity_step must be"),
        ([GROUP], {"capacity_step": 104857601}, "capacity_step must be"),
        ([GROUP], {"origin_reserve": -1}, "origin_reserve must be"),
        ([GROUP], {"origin_reserve": 104857601}, "origin_reserve must be"),
        ([GROUP], {"verify_timeout": -1}, "verify_timeout must be"),
        ([GROUP], {"verify_timeout": 3601}, "verify_timeout must be"),
        ([GROUP], {"source_type": "individual"}, "origin_type and its alias source_type have different values"),
        ([GROUP], {"settle_time": -1}, "settle_time must be"),
        ([GROUP], {"settle_time": 86401}, "settle_time must be"),
    ],
)
def test_bad_input_is_refused_by_name_before_any_request(
    koodrive: KooDriveForTests, targets: list[dict[str, Any]], options: dict[str, Any], named: str
) -> None:
    result = koodrive.failure(*targets, **options)
    assert result["error"]["kind"] == "invalid_request" and result["msg"].startswith(named)
    assert koodrive.state.requests == []


def test_a_closed_port_fails_with_a_message() -> None:
    with KooDriveForTests(new_state()) as gone:
        pass
    result = gone.failure(GROUP)
    assert result["error"]["kind"] == "unreachable"
    assert "could not be reached" in result["msg"] and "refused" in result["msg"]


def test_an_unknown_host_fails_with_a_message() -> None:
    with KooDriveForTests(new_state()) as gone:
        pass
    result = gone.failure(GROUP, endpoint="https://nowhere.invalid")
    assert result["error"]["kind"] == "unreachable" and "nowhere.invalid" in result["msg"]
