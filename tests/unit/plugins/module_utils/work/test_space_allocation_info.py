# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the reading of the pools as a function, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation_info import ALLOCATION_INFO_SPEC, allocation_info
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Shape
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests, options_of

GB = 1024 * 1024
STORED = {
    "department": {"total": 2000, "allocated": 400, "stored": 240 * GB},
    "individual": {"total": 1000, "allocated": 900, "stored": 45 * GB + 524},
    "group": {"total": 500, "allocated": 500, "stored": 525},
}


def info(koodrive: KooDriveForTests, **options: Any) -> dict[str, Any]:
    given = {"endpoint": koodrive.endpoint, "token": TOKEN, "timeout": 5, "retries": 1, **options}
    return allocation_info(options_of(ALLOCATION_INFO_SPEC, **given), False, {})


def test_the_result_has_the_fields_of_a_transfer(koodrive: KooDriveForTests) -> None:
    read = info(koodrive, trace_id="t" * 58)
    moved = koodrive.run({"type": "group", "expand_capacity": 1})
    assert read["allocation"] == moved["allocation_before"]
    assert read["endpoint"] == moved["endpoint"] == koodrive.endpoint
    assert read["trace_id"] == "t" * 58 and read["changed"] is False and read["warnings"] == []


def test_the_sums_include_only_known_pools(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant = Tenant({"individual": {"total": 10, "allocated": 30}, "group": {"total": 7, "allocated": 2}})
    read = info(koodrive)
    assert list(read["allocation"]) == ["individual", "group"]
    assert (read["total_capacity"], read["allocated_capacity"], read["unallocated_capacity"]) == (17, 32, 5)


def test_a_tenant_without_pools(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant = Tenant({})
    read = info(koodrive)
    assert (read["allocation"], read["total_capacity"]) == ({}, 0)


def test_a_failure_names_the_step_and_the_endpoint(koodrive: KooDriveForTests) -> None:
    failed = info(koodrive, token="another")
    assert failed["error"]["kind"] == "authentication" and failed["msg"].startswith("Reading the pools failed")
    assert failed["endpoint"] == koodrive.endpoint and failed["trace_id"] in failed["msg"]


def test_a_transient_failure_is_retried(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(reply="status", status=503))
    assert info(koodrive)["allocation"]
    assert koodrive.methods() == ["GET", "GET"]


def test_one_pool_only_is_made_up_for_where_it_can_be(koodrive: KooDriveForTests) -> None:
    koodrive.state.shape = Shape(data="object")
    assert list(info(koodrive)["allocation"]) == ["department", "individual", "group"]
    koodrive.state.shape = Shape(data="object", quota="none")
    assert list(info(koodrive)["allocation"]) == ["department"]
    assert koodrive.paths() == ["get", "quotaUsed"] * 2


@pytest.mark.parametrize("numbers", ["number", "text"])
def test_usage_is_what_is_stored_in_gb(koodrive: KooDriveForTests, numbers: str) -> None:
    koodrive.state.tenant, koodrive.state.shape = Tenant(STORED), Shape(numbers=numbers)
    without = info(koodrive)
    assert koodrive.paths() == ["get"] and "stored_capacity" not in without
    read = info(koodrive, usage=True)
    assert koodrive.paths() == ["get", "get", "quotaUsed"] and read["warnings"] == []
    # 524 KB are less than half a thousandth of a GB, and 525 KB are more.
    assert {name: pool.pop("stored_capacity") for name, pool in read["allocation"].items()} == {"department": 240.0, "individual": 45.0, "group": 0.001}
    assert read.pop("stored_capacity") == 285.001
    assert {**read, "trace_id": ""} == {**without, "trace_id": ""}


def test_usage_of_a_tenant_without_pools(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant = Tenant({})
    read = info(koodrive, usage=True)
    assert read["allocation"] == {} and "stored_capacity" not in read


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(reply="status", status=403), "KooDrive refused the credentials (HTTP 403"),
        (Fault(reply="status", status=404), "KooDrive refused the request (HTTP 404"),
        (Fault(reply="reset"), "did not answer in full"),
    ],
)
def test_if_the_second_read_fails_the_pools_are_returned_with_a_warning(koodrive: KooDriveForTests, fault: Fault, message: str) -> None:
    koodrive.script(Fault(), fault, fault)
    read = info(koodrive, usage=True)
    assert "failed" not in read and "stored_capacity" not in json.dumps(read["allocation"]) and "stored_capacity" not in read
    (warning,) = read["warnings"]
    assert warning.startswith("How much is stored is not known: ") and message in warning


def test_a_transient_failure_of_the_second_read_is_retried(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(reply="status", status=503))
    assert info(koodrive, usage=True)["stored_capacity"] == 1080.0
    assert koodrive.paths() == ["get", "quotaUsed", "quotaUsed"]


def test_a_pool_without_reported_usage_is_named_and_the_sum_is_left_out(koodrive: KooDriveForTests) -> None:
    koodrive.state.shape = Shape(quota="partly")
    read = info(koodrive, usage=True)
    assert [name for name, pool in read["allocation"].items() if "stored_capacity" in pool] == ["department", "individual"]
    assert "stored_capacity" not in read and "is stored in: group." in read["warnings"][0]


def test_a_reply_that_serves_for_the_pools_serves_for_their_usage(koodrive: KooDriveForTests) -> None:
    koodrive.state.shape = Shape(data="object")
    assert len([pool for pool in info(koodrive, usage=True)["allocation"].values() if pool["stored_capacity"] > 0]) == 3
    assert koodrive.paths() == ["get", "quotaUsed"]
