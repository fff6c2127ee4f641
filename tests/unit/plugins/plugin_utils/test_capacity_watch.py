# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test which readings are events."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Pool, as_result, sums
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.capacity_watch import CapacityWatch, thresholds_from

ENDPOINT = {"endpoint": "https://koodrive.example.org", "trace_id": "t" * 58}


def reading(**pools: tuple[int, int]) -> dict[str, Any]:
    """Return a reading of pools, each with its total and its unallocated capacity."""
    allocation = {name: Pool(total, total - unallocated) for name, (total, unallocated) in pools.items()}
    return {**ENDPOINT, "changed": False, "warnings": [], "allocation": as_result(allocation), **sums(allocation)}


def failure(kind: str) -> dict[str, Any]:
    return {**ENDPOINT, **KooDriveError(kind, "it failed").as_result()}


class Watched(CapacityWatch):
    """A watch, and a short form of its events."""

    def __init__(self, **thresholds: Any) -> None:
        super().__init__(thresholds_from(thresholds))

    def reasons(self, read: dict[str, Any], heartbeat: bool = False) -> list[str] | None:
        event = self.event_of(read, heartbeat)
        return event and event["koodrive"]["reasons"]

    def below(self, read: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
        event = (self.event_of(read, True) or {})["koodrive"]
        return event["below"], event["came_below"], event["came_back"]


def test_an_event_has_all_values_of_a_reading() -> None:
    read = reading(department=(2000, 1600), group=(500, 0))
    assert Watched(group=1).event_of(read, False) == {
        "koodrive": {
            **ENDPOINT,
            "allocation": read["allocation"],
            "total_capacity": 2500,
            "allocated_capacity": 900,
            "unallocated_capacity": 1600,
            "below": ["group"],
            "came_below": ["group"],
            "came_back": [],
            "warnings": [],
            "reasons": ["first", "below"],
        }
    }


def test_only_a_change_is_an_event() -> None:
    watch = Watched()
    assert watch.reasons(reading(group=(500, 100))) == ["first"]
    assert watch.reasons(reading(group=(500, 100))) is None
    assert watch.reasons(reading(group=(500, 99))) == ["changed"]
    assert watch.reasons(reading(group=(500, 99), individual=(1, 1))) == ["changed"]
    assert watch.reasons(reading()) == ["changed"]
    assert watch.reasons(reading()) is None


def test_a_heartbeat_is_a_reason_only_if_there_is_no_other() -> None:
    watch = Watched()
    assert watch.reasons(reading(), heartbeat=True) == ["first"]
    assert watch.reasons(reading(), heartbeat=True) == ["heartbeat"]
    assert watch.reasons(failure("unreachable"), heartbeat=True) == ["failed"]
    assert watch.reasons(failure("unreachable"), heartbeat=True) == ["heartbeat"]


def test_each_kind_of_failure_is_one_event_and_so_is_its_end() -> None:
    watch = Watched()
    assert watch.event_of(failure("unreachable"), False) == {
        "koodrive": {**ENDPOINT, "error": failure("unreachable")["error"], "msg": failure("unreachable")["msg"], "reasons": ["failed"]}
    }
    assert watch.reasons(failure("unreachable")) is None
    assert watch.reasons(failure("authentication")) == ["failed"]
    assert watch.reasons(reading()) == ["first", "recovered"]
    assert watch.reasons(failure("authentication")) == ["failed"]
    assert watch.reasons(reading()) == ["recovered"]
    assert watch.reasons(reading()) is None


def test_a_change_during_failed_readings_is_an_event_afterwards() -> None:
    watch = Watched(group=50, individual=10)
    watch.reasons(reading(group=(500, 100), individual=(100, 5)))
    watch.reasons(failure("unreachable"))
    event = watch.event_of(reading(group=(500, 20), individual=(100, 50)), False)
    assert event and event["koodrive"]["reasons"] == ["recovered", "changed", "below", "back"]
    assert (event["koodrive"]["came_below"], event["koodrive"]["came_back"]) == (["group"], ["individual"])


@pytest.mark.parametrize(
    ("threshold", "pool", "is_below"),
    [
        (100, (500, 100), False),
        (100, (500, 99), True),
        ("100", (500, 99), True),
        ("100.0", (500, 99), True),
        (" 100\n", (500, 100), False),
        (0, (500, 0), False),
        ("0%", (500, 0), False),
        ("20%", (500, 100), False),
        ("20 %", (500, 99), True),
        ("0.3%", (1000, 3), False),
        ("0.3%", (1000, 2), True),
        ("33.4%", (3, 1), True),
        ("33.3%", (3, 1), False),
        ("100%", (500, 499), True),
        ("100%", (500, 500), False),
        # Of nothing, nothing is missing; of so many GB, all are.
        ("10%", (0, 0), False),
        (1, (0, 0), True),
    ],
)
def test_a_pool_with_exactly_the_threshold_is_not_below_it(threshold: Any, pool: tuple[int, int], is_below: bool) -> None:
    assert Watched(group=threshold).below(reading(group=pool))[0] == (["group"] if is_below else [])


def test_a_pool_with_more_allocated_than_its_total_is_below_zero() -> None:
    assert Watched(group=1).below(reading(group=(500, -100)))[0] == ["group"]


def test_all_pools_together_have_a_threshold() -> None:
    watch = Watched(all="10%", group=30)
    assert watch.below(reading(department=(600, 60), group=(400, 40))) == ([], [], [])
    assert watch.below(reading(department=(600, 60), group=(400, 29))) == (["group", "all"], ["group", "all"], [])
    assert watch.below(reading(department=(600, 60), group=(400, 40))) == ([], [], ["group", "all"])


def test_a_pool_that_is_not_reported_is_neither_below_nor_back() -> None:
    watch = Watched(group=50, all=500)
    assert watch.below(reading(group=(500, 20))) == (["group", "all"], ["group", "all"], [])
    assert watch.below(reading(individual=(900, 900))) == ([], [], [])
    assert watch.below(reading()) == ([], [], [])
    assert watch.below(reading(group=(500, 20), individual=(900, 900))) == (["group"], [], ["all"])
    assert watch.below(reading(individual=(900, 900))) == ([], [], [])
    assert watch.below(reading(group=(500, 50), individual=(900, 900))) == ([], [], ["group"])


def test_a_sum_without_a_pool_that_was_there_before_is_no_alarm() -> None:
    watch = Watched(all=1000)
    assert watch.below(reading(department=(600, 600), group=(500, 500))) == ([], [], [])
    assert watch.below(reading(department=(600, 600))) == ([], [], [])
    assert watch.below(reading(department=(600, 400), group=(500, 500))) == (["all"], ["all"], [])


def test_a_blank_threshold_counts_as_not_set() -> None:
    assert thresholds_from(None) == thresholds_from({}) == thresholds_from({"group": "", "all": " \t", "individual": None}) == {}


@pytest.mark.parametrize(
    "wrong", [-1, "-1", "many", "10.5", 10.5, True, "101%", "-1%", "%", "10%%", "1e3", 104857601, "1" * 30, "١٠", [10], {"gb": 10}, float("nan"), float("inf")]
)
def test_a_threshold_is_whole_gb_or_percent(wrong: Any) -> None:
    with pytest.raises(KooDriveError, match="must be whole GB from 0 to 104857600, or from 0% to 100% of the total") as raised:
        thresholds_from({"group": wrong})
    assert raised.value.what.startswith("thresholds.group ") and raised.value.kind == "invalid_request"


@pytest.mark.parametrize("name", ["groups", "Group", "", 1])
def test_a_threshold_with_an_unknown_name_is_refused(name: Any) -> None:
    with pytest.raises(KooDriveError, match=f"thresholds.{name} is not one of department, individual, group, all"):
        thresholds_from({name: ""})


def test_stored_data_is_in_events_but_its_change_is_not_an_event() -> None:
    def used(stored: float, unallocated: int) -> dict[str, Any]:
        read = reading(group=(500, unallocated))
        read["allocation"]["group"]["stored_capacity"] = stored
        return {**read, "stored_capacity": stored}

    watch = Watched(group=50)
    event = watch.event_of(used(1.5, 100), False)
    assert event and event["koodrive"]["stored_capacity"] == event["koodrive"]["allocation"]["group"]["stored_capacity"] == 1.5
    assert watch.reasons(used(2.5, 100)) is None
    assert watch.reasons(reading(group=(500, 100))) is None
    assert watch.reasons(used(2.5, 40)) == ["changed", "below"]
    event = watch.event_of(used(3.5, 40), True)
    assert event and event["koodrive"]["stored_capacity"] == 3.5 and event["koodrive"]["reasons"] == ["heartbeat"]
