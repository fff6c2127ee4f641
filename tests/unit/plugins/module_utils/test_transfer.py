# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transfer as a function, over real HTTP against the simulator."""

from __future__ import annotations

from typing import Any

import pytest
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
        "department: 1900 GB total, 1500 GB unallocated",
        "individual: 1000 GB total, 100 GB unallocated",
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
def test_too_little_stops_before_any_write(koodrive: KooDriveForTests, check_mode: bool) -> None:
    result = koodrive.failure({"type": "group", "total_capacity": 5000}, check_mode=check_mode, origin_reserve=7)
    assert koodrive.methods() == ["GET"]
    assert result["error"] == {"kind": "insufficient_capacity", "http_status": None, "code": None, "message": None}
    assert "4500 GB" in result["msg"] and "1600 GB" in result["msg"] and "2907 GB short" in result["msg"]
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
def test_a_pool_that_is_not_reported_is_unknown(koodrive: KooDriveForTests, missing: str) -> None:
    pools = koodrive.state.tenant.by_name()
    del pools[missing]
    koodrive.state.tenant = Tenant(pools)
    result = koodrive.failure(GROUP)
    assert koodrive.methods() == ["GET"]
    assert result["error"]["kind"] == "invalid_reply" and f"did not report the {missing} pool" in result["msg"]


def test_data_as_one_object_shows_one_pool(koodrive: KooDriveForTests) -> None:
    koodrive.state.shape = Shape(data="object")
    assert "did not report the group pool" in koodrive.failure(GROUP)["msg"]


def test_an_expired_token(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(GROUP, token="exp1red")
    assert result["error"]["kind"] == "authentication" and result["error"]["code"] == "APIGW.0301"
    assert result["msg"].startswith("Reading the pools failed: KooDrive refused the credentials (HTTP 401")
    assert "20 minutes" in result["msg"]


def test_a_refused_write_says_what_the_pools_hold(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant.refusal = (400, 13000412, "Space is not active.")
    result = koodrive.failure(GROUP)
    assert koodrive.methods() == ["GET", "POST", "GET"]
    assert result["error"] == {
        "kind": "rejected",
        "http_status": 400,
        "code": "13000412",
        "message": "Space is not active.",
    }
    assert result["msg"].startswith("Transferring 100 GB to group from department failed: KooDrive refused the request")
    assert "This task moved nothing." in result["msg"] and "Now: department 2000 GB total" in result["msg"]
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
        ([GROUP], {"origin_reserve": -1}, "origin_reserve must be"),
        ([GROUP], {"origin_reserve": 104857601}, "origin_reserve must be"),
        ([GROUP], {"verify_timeout": -1}, "verify_timeout must be"),
        ([GROUP], {"verify_timeout": 3601}, "verify_timeout must be"),
    ],
)
def test_bad_input_is_refused_by_name_before_any_request(
    koodrive: KooDriveForTests, targets: list[dict[str, Any]], options: dict[str, Any], named: str
) -> None:
    result = koodrive.failure(*targets, **options)
    assert result["error"]["kind"] == "invalid_request" and result["msg"].startswith(named)
    assert koodrive.state.requests == []


def test_nobody_there() -> None:
    with KooDriveForTests(new_state()) as gone:
        pass
    result = gone.failure(GROUP)
    assert result["error"]["kind"] == "unreachable"
    assert "could not be reached" in result["msg"] and "refused" in result["msg"]


def test_no_such_host() -> None:
    with KooDriveForTests(new_state()) as gone:
        pass
    result = gone.failure(GROUP, endpoint="https://nowhere.invalid")
    assert result["error"]["kind"] == "unreachable" and "nowhere.invalid" in result["msg"]
