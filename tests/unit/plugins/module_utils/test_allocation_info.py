# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reading of the pools as a function, over real HTTP."""

from __future__ import annotations

from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation_info import allocation_info
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import CONNECTION_SPEC
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Shape
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests, options_of


def info(koodrive: KooDriveForTests, **options: Any) -> dict[str, Any]:
    given = {"endpoint": koodrive.endpoint, "token": TOKEN, "timeout": 5, "retries": 1, **options}
    return allocation_info(options_of(CONNECTION_SPEC, **given), False, {})


def test_it_has_the_shape_of_the_transfer(koodrive: KooDriveForTests) -> None:
    read = info(koodrive, trace_id="t" * 58)
    moved = koodrive.run({"type": "group", "expand_capacity": 1})
    assert read["allocation"] == moved["allocation_before"]
    assert read["endpoint"] == moved["endpoint"] == koodrive.endpoint
    assert read["trace_id"] == "t" * 58 and read["changed"] is False and read["warnings"] == []


def test_the_sums_are_those_of_what_is_known(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant = Tenant({"individual": {"total": 10, "allocated": 30}, "group": {"total": 7, "allocated": 2}})
    read = info(koodrive)
    assert list(read["allocation"]) == ["individual", "group"]
    assert (read["total_capacity"], read["allocated_capacity"], read["unallocated_capacity"]) == (17, 32, 5)


def test_a_tenant_without_pools(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant = Tenant({})
    read = info(koodrive)
    assert (read["allocation"], read["total_capacity"]) == ({}, 0)


def test_a_failure_says_where_and_when(koodrive: KooDriveForTests) -> None:
    failed = info(koodrive, token="another")
    assert failed["error"]["kind"] == "authentication" and failed["msg"].startswith("Reading the pools failed")
    assert failed["endpoint"] == koodrive.endpoint and failed["trace_id"] in failed["msg"]


def test_a_passing_failure_is_tried_again(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(reply="status", status=503))
    assert info(koodrive)["allocation"]
    assert koodrive.methods() == ["GET", "GET"]


def test_one_pool_only_is_made_up_for_where_it_can_be(koodrive: KooDriveForTests) -> None:
    koodrive.state.shape = Shape(data="object")
    assert list(info(koodrive)["allocation"]) == ["department", "individual", "group"]
    koodrive.state.shape = Shape(data="object", quota="none")
    assert list(info(koodrive)["allocation"]) == ["department"]
    assert koodrive.paths() == ["get", "quotaUsed"] * 2
