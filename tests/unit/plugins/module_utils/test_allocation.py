# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planning arithmetic."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import (
    CAPACITIES,
    MAX_CAPACITY,
    SPACE_TYPES,
    Plan,
    Pool,
    Target,
    Transfer,
    as_result,
    plan_transfer,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from hypothesis import given
from hypothesis import strategies as st

BEFORE = {"department": Pool(2000, 400), "individual": Pool(1000, 900), "group": Pool(500, 500)}


def plan(*targets: Target, reserve: int = 0, before: dict[str, Pool] | None = None) -> Plan:
    return plan_transfer("department", targets, reserve, before or BEFORE)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        (Target("group", "total_capacity", 2048), 1548),
        (Target("group", "total_capacity", 501), 1),
        (Target("group", "total_capacity", 500), None),
        (Target("group", "total_capacity", 0), None),
        (Target("individual", "unallocated_capacity", 500), 400),
        (Target("individual", "unallocated_capacity", 101), 1),
        (Target("individual", "unallocated_capacity", 100), None),
        (Target("individual", "unallocated_capacity", 0), None),
        (Target("individual", "expand_capacity", 1), 1),
        (Target("group", "expand_capacity", 1600), 1600),
    ],
)
def test_a_target_gets_what_is_missing(target: Target, sent: int | None) -> None:
    assert plan(target).transfers == (() if sent is None else (Transfer(target.type, sent),))


def test_targets_keep_their_order_and_only_those_that_lack_something_are_sent() -> None:
    decided = plan(
        Target("individual", "unallocated_capacity", 150), Target("group", "total_capacity", 400), reserve=1550
    )
    assert decided.transfers == (Transfer("individual", 50),)
    assert decided.required_totals == {"individual": 1050, "group": 400}
    assert as_result(decided.after()) == {
        "department": {"total_capacity": 1950, "allocated_capacity": 400, "unallocated_capacity": 1550},
        "individual": {"total_capacity": 1050, "allocated_capacity": 900, "unallocated_capacity": 150},
        "group": {"total_capacity": 500, "allocated_capacity": 500, "unallocated_capacity": 0},
    }


@pytest.mark.parametrize(("wanted", "sent"), [(0, ()), (10, (Transfer("group", 60),))])
def test_more_allocated_than_there_is_means_nothing_unallocated(wanted: int, sent: tuple[Transfer, ...]) -> None:
    before = {**BEFORE, "group": Pool(450, 500)}
    assert before["group"].unallocated_capacity == 0
    assert plan(Target("group", "unallocated_capacity", wanted), before=before).transfers == sent


def test_an_origin_that_is_allocated_in_excess_gives_nothing() -> None:
    with pytest.raises(KooDriveError) as caught:
        plan(Target("group", "expand_capacity", 1), before={**BEFORE, "department": Pool(300, 400)})
    assert caught.value.kind == "insufficient_capacity"


def test_too_little_in_the_origin_gives_the_numbers() -> None:
    with pytest.raises(KooDriveError) as caught:
        plan(Target("group", "total_capacity", 2048), Target("individual", "expand_capacity", 5), reserve=50)
    assert caught.value.kind == "insufficient_capacity"
    message = caught.value.as_result()["msg"]
    assert "cannot give 1553 GB: it has 1600 GB unallocated, of which 50 GB must stay (origin_reserve)" in message
    assert "3 GB short" in message
    assert "Nothing was moved. The pools hold: department 2000 GB total, 1600 GB unallocated; individual" in message


def test_an_origin_below_its_reserve_does_not_matter_when_nothing_is_to_be_moved() -> None:
    assert plan(Target("group", "total_capacity", 500), reserve=MAX_CAPACITY).transfers == ()


def test_the_last_gigabyte_can_be_given() -> None:
    assert plan(Target("group", "expand_capacity", 1550), reserve=50).needed == 1550


def seen(**totals: int) -> dict[str, Pool]:
    return {name: Pool(totals.get(name, pool.total_capacity), pool.allocated_capacity) for name, pool in BEFORE.items()}


def test_what_a_later_reading_shows_of_a_transfer() -> None:
    decided = plan(Target("group", "total_capacity", 600), Target("individual", "total_capacity", 1000))
    done = seen(department=1900, group=600)
    assert decided.unmoved(seen()) and not decided.unmoved(done)
    assert decided.moved_exactly(done) and not decided.moved_exactly(seen())
    assert decided.missing(seen()) == {"group": 100}
    assert decided.missing(seen(group=599)) == {"group": 1}
    assert decided.missing(done) == {}
    # A target that had enough must still have it.
    assert decided.missing(seen(department=1900, group=600, individual=990)) == {"individual": 10}
    assert decided.other_changes(done) == {}
    assert decided.other_changes(seen(department=1800, group=650, individual=1050)) == {
        "department": -100,
        "individual": 50,
        "group": 50,
    }


capacities = st.integers(0, MAX_CAPACITY)
pools = st.builds(Pool, capacities, capacities)
allocations = st.fixed_dictionaries({name: pools for name in SPACE_TYPES})


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Target], int, dict[str, Pool]]:
    names = draw(st.permutations(list(SPACE_TYPES)))
    count = draw(st.integers(1, 2))
    targets = [
        Target(name, draw(st.sampled_from(CAPACITIES)), draw(st.integers(1, MAX_CAPACITY))) for name in names[1:][:count]
    ]
    return names[0], targets, draw(st.integers(0, 1000)), draw(allocations)


@given(cases())
def test_every_plan_keeps_the_sum_and_the_reserve_and_is_complete(
    case: tuple[str, list[Target], int, dict[str, Pool]],
) -> None:
    origin, targets, reserve, before = case
    try:
        decided = plan_transfer(origin, targets, reserve, before)
    except KooDriveError as error:
        assert error.kind == "insufficient_capacity"
        return
    after = decided.after()
    assert sum(pool.total_capacity for pool in after.values()) == sum(pool.total_capacity for pool in before.values())
    assert all(transfer.expand_capacity > 0 for transfer in decided.transfers)
    assert not decided.missing(after)
    if decided.transfers:
        assert after[origin].unallocated_capacity >= reserve
    for target in targets:
        if target.measure == "total_capacity":
            assert after[target.type].total_capacity >= target.capacity
        if target.measure == "unallocated_capacity":
            assert after[target.type].unallocated_capacity >= target.capacity
    desired = [target for target in targets if target.measure != "expand_capacity"]
    if desired:
        assert plan_transfer(origin, desired, reserve, after).transfers == ()
