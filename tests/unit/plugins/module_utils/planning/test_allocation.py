# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planning arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import (
    CAPACITIES,
    MAX_CAPACITY,
    SPACE_TYPES,
    Allocation,
    Comparison,
    Move,
    Plan,
    Pool,
    Target,
    as_result,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import Task
from hypothesis import given
from hypothesis import strategies as st

BEFORE = {"department": Pool(2000, 400), "individual": Pool(1000, 900), "group": Pool(500, 500)}


def decide(origin: str, targets: Sequence[Target], reserve: int, before: Allocation, step: int = 1) -> Plan:
    """A plan that the origin can give. Raises KooDriveError otherwise."""
    task = Task(origin_type=origin, targets=tuple(targets), origin_reserve=reserve, capacity_step=step, idempotency_key=None)
    plan = task.plan(before)
    task.ensure_sufficient(plan)
    return plan


def plan(*targets: Target, reserve: int = 0, before: dict[str, Pool] | None = None, step: int = 1) -> Plan:
    return decide("department", targets, reserve, before or BEFORE, step)


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
    assert plan(target).moves == (() if sent is None else (Move(target.type, sent),))


def test_targets_keep_their_order_and_only_those_that_lack_something_are_sent() -> None:
    decided = plan(Target("individual", "unallocated_capacity", 150), Target("group", "total_capacity", 400), reserve=1550)
    assert decided.moves == (Move("individual", 50),)
    assert decided.required_totals == {"individual": 1050, "group": 400}
    assert as_result(decided.after()) == {
        "department": {"total_capacity": 1950, "allocated_capacity": 400, "unallocated_capacity": 1550},
        "individual": {"total_capacity": 1050, "allocated_capacity": 900, "unallocated_capacity": 150},
        "group": {"total_capacity": 500, "allocated_capacity": 500, "unallocated_capacity": 0},
    }


@pytest.mark.parametrize(("wanted", "sent"), [(0, ()), (10, (Move("group", 60),))])
def test_more_allocated_than_the_total_means_nothing_unallocated(wanted: int, sent: tuple[Move, ...]) -> None:
    before = {**BEFORE, "group": Pool(450, 500)}
    assert before["group"].unallocated_capacity == 0
    assert plan(Target("group", "unallocated_capacity", wanted), before=before).moves == sent


def test_an_origin_that_is_allocated_in_excess_gives_nothing() -> None:
    with pytest.raises(KooDriveError) as caught:
        plan(Target("group", "expand_capacity", 1), before={**BEFORE, "department": Pool(300, 400)})
    assert caught.value.kind == "insufficient_capacity"


def test_too_little_in_the_origin_gives_the_numbers() -> None:
    with pytest.raises(KooDriveError) as caught:
        plan(Target("group", "total_capacity", 2048), Target("individual", "expand_capacity", 5), reserve=50)
    assert caught.value.kind == "insufficient_capacity"
    message = caught.value.as_result()["msg"]
    assert "cannot give 1,553 GB: it has 1,600 GB unallocated, of which 50 GB must stay (origin_reserve)" in message
    assert "3 GB short" in message


def test_an_origin_below_its_reserve_does_not_matter_if_nothing_must_move() -> None:
    assert plan(Target("group", "total_capacity", 500), reserve=MAX_CAPACITY).moves == ()


def test_the_last_gigabyte_can_be_given() -> None:
    assert plan(Target("group", "expand_capacity", 1550), reserve=50).needed == 1550


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        (Target("group", "total_capacity", 501), 10),
        (Target("group", "total_capacity", 510), 10),
        (Target("group", "total_capacity", 511), 20),
        (Target("group", "total_capacity", 500), None),
        (Target("individual", "unallocated_capacity", 157), 60),
        (Target("individual", "expand_capacity", 30), 30),
    ],
)
def test_what_is_sent_is_rounded_up_to_the_step(target: Target, sent: int | None) -> None:
    decided = plan(target, step=10)
    assert decided.moves == (() if sent is None else (Move(target.type, sent),))
    # At least, and not exactly, is what the task asks for.
    assert not decided.missing(decided.after()) and decided.compare(decided.after()) in (Comparison.EXACTLY, Comparison.BEFORE)


def test_an_origin_with_too_little_for_the_rounded_amount_fails_with_a_message() -> None:
    target = Target("group", "total_capacity", 557)
    assert plan(target, reserve=1543).needed == 57
    with pytest.raises(KooDriveError) as caught:
        plan(target, reserve=1543, step=10)
    assert "cannot give 60 GB" in caught.value.what and "it is 3 GB short. It has the 57 GB that are missing" in caught.value.what
    assert "capacity_step" in caught.value.what
    with pytest.raises(KooDriveError) as caught:
        plan(target, reserve=1544, step=10)
    assert "capacity_step" not in caught.value.what


def seen(**totals: int) -> dict[str, Pool]:
    return {name: Pool(totals.get(name, pool.total_capacity), pool.allocated_capacity) for name, pool in BEFORE.items()}


def test_what_a_later_reading_shows_of_a_transfer() -> None:
    decided = plan(Target("group", "total_capacity", 600), Target("individual", "total_capacity", 1000))
    done = seen(department=1900, group=600)
    assert decided.compare(seen()) is Comparison.BEFORE
    # What happens to a pool that the transfer does not touch says nothing of it.
    assert decided.compare(seen(individual=1100)) is Comparison.BEFORE
    assert decided.compare(done) is decided.compare(seen(department=1900, group=600, individual=1100)) is Comparison.EXACTLY
    assert decided.compare(seen(department=1800, group=600)) is decided.compare(seen(department=1900, group=601)) is Comparison.OTHERWISE
    assert decided.is_consistent_with(done) and decided.is_consistent_with(seen(department=1800, group=601))
    assert not decided.is_consistent_with(seen()) and not decided.is_consistent_with(seen(department=1901, group=600))
    assert not decided.is_consistent_with(seen(department=1900, group=599))
    assert decided.compare(seen(department=1900, group=599)) is decided.compare(seen(department=1900)) is Comparison.OTHERWISE
    assert decided.compare(seen(department=1800, group=700, individual=999)) is Comparison.OTHERWISE
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
allocations = st.fixed_dictionaries(dict.fromkeys(SPACE_TYPES, pools))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Target], int, dict[str, Pool], int]:
    names = draw(st.permutations(list(SPACE_TYPES)))
    count = draw(st.integers(1, 2))
    targets = [Target(name, draw(st.sampled_from(CAPACITIES)), draw(st.integers(1, MAX_CAPACITY))) for name in names[1:][:count]]
    return names[0], targets, draw(st.integers(0, 1000)), draw(allocations), draw(st.sampled_from([1, 10, 1024]))


@given(cases())
def test_every_plan_keeps_the_sum_and_the_reserve_and_is_complete(
    case: tuple[str, list[Target], int, dict[str, Pool], int],
) -> None:
    origin, targets, reserve, before, step = case
    try:
        decided = decide(origin, targets, reserve, before, step)
    except KooDriveError as error:
        assert error.kind == "insufficient_capacity"
        return
    after = decided.after()
    assert sum(pool.total_capacity for pool in after.values()) == sum(pool.total_capacity for pool in before.values())
    assert all(move.expand_capacity > 0 and move.expand_capacity % step == 0 for move in decided.moves)
    assert not decided.missing(after)
    if decided.moves:
        assert after[origin].unallocated_capacity >= reserve
    for target in targets:
        if target.measure == "total_capacity":
            assert after[target.type].total_capacity >= target.capacity
        if target.measure == "unallocated_capacity":
            assert after[target.type].unallocated_capacity >= target.capacity
    desired = [target for target in targets if target.measure != "expand_capacity"]
    if desired:
        assert decide(origin, desired, reserve, after, step).moves == ()
