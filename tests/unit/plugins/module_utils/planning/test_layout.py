# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which transfers make a layout."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import SPACE_TYPES, Allocation, Plan, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.layout import MORE_ROOM, Layout, Minimums
from hypothesis import given
from hypothesis import strategies as some

CAPACITY = some.integers(0, 400)
POOLS = some.fixed_dictionaries({name: some.builds(Pool, CAPACITY, CAPACITY) for name in SPACE_TYPES})


def minimums_of(name: str) -> some.SearchStrategy[Minimums]:
    some_minimum = some.none() | CAPACITY
    mostly = some.sampled_from([True, True, False])
    return some.builds(Minimums, some.just(name), some_minimum, some_minimum, mostly, mostly, some.just(False)).filter(lambda row: row[1:3] != (None, None))


@some.composite
def layouts(draw: some.DrawFn, partial: bool, rest: bool = False) -> Layout:
    """Layouts of some pools. With ``rest``, one of them takes what the others have beyond, and may have no minimum
    itself.
    """
    names = draw(some.lists(some.sampled_from(list(SPACE_TYPES)), min_size=1, unique=True))
    pools = [draw(minimums_of(name)) for name in names]
    if rest:
        # Mostly with all pools, and with minimums that leave something beyond.
        names = draw(some.permutations(list(SPACE_TYPES)))[: draw(some.sampled_from([2, 3, 3]))]
        few = some.integers(0, 150)
        pools = [Minimums(name, None, draw(few), True, draw(some.sampled_from([True, True, False]))) for name in names]
        total, unallocated = draw(some.none() | few), draw(some.none() | few)
        pools[0] = Minimums(names[0], total, unallocated, True, draw(some.booleans()), True)
    return Layout(tuple(draw(some.permutations(pools))), draw(some.sampled_from([1, 1, 7, 10])), partial)


def transfers(layout: Layout, before: Allocation) -> tuple[list[Plan], Allocation]:
    """All transfers that make the layout, and the pools after them."""
    plans: list[Plan] = []
    pools = before
    while (plan := layout.plan(pools)).moves:
        assert len(plans) < 2, "three pools never need more than two"
        plans.append(plan)
        pools = plan.after()
    return plans, pools


def suffices(layout: Layout, pools: Allocation) -> bool:
    try:
        layout.ensure_sufficient(layout.plan(pools))
    except KooDriveError as error:
        assert error.kind == "insufficient_capacity"
        return False
    return True


def up(gigabytes: int, step: int) -> int:
    return (gigabytes + step - 1) // step * step


@given(layout=layouts(partial=False), before=POOLS)
def test_the_transfers_make_the_layout_and_nothing_else(layout: Layout, before: Allocation) -> None:
    plans, after = transfers(layout, before)
    if not suffices(layout, before):
        return
    assert not layout.missing(after)
    missing = layout.missing(before)
    for minimums in layout.pools:
        name = minimums.type
        received = sum(move.expand_capacity for plan in plans for move in plan.moves if move.type == name)
        gave = sum(plan.needed for plan in plans if plan.origin_type == name)
        assert received == up(missing.get(name, 0), layout.step)
        assert gave <= before[name].unallocated_capacity
        for field in ("total_capacity", "unallocated_capacity"):
            least = getattr(minimums, field)
            if least is not None and gave:
                assert after[name].as_dict()[field] >= least, "an origin must keep its minimum"
    for name in set(SPACE_TYPES) - {minimums.type for minimums in layout.pools}:
        assert after[name] == before[name]


@given(layout=layouts(partial=False), before=POOLS)
def test_no_writes_that_could_be_spared(layout: Layout, before: Allocation) -> None:
    plans, _after = transfers(layout, before)
    if not suffices(layout, before):
        return
    needed = sum(up(gigabytes, layout.step) for gigabytes in layout.missing(before).values())
    givers = sorted((gigabytes // layout.step * layout.step for gigabytes in layout.to_give(before).values()), reverse=True)
    fewest = next(count for count in range(4) if sum(givers[:count]) >= needed)
    assert len(plans) == fewest


@given(layout=layouts(partial=False), before=POOLS)
def test_too_little_capacity_fails_before_anything_is_sent(layout: Layout, before: Allocation) -> None:
    """Decide from the reading before the first transfer."""
    _plans, after = transfers(layout, before)
    assert suffices(layout, before) == (not layout.missing(after))


@given(layout=layouts(partial=True), before=POOLS)
def test_a_part_is_all_that_can_be_given(layout: Layout, before: Allocation) -> None:
    plans, after = transfers(layout, before)
    layout.ensure_sufficient(layout.plan(before))
    left = sum(gigabytes // layout.step for gigabytes in layout.to_give(after).values())
    assert not layout.missing(after) or left == 0
    for plan in plans:
        assert plan.needed <= layout.to_give(plan.before)[plan.origin_type]
        assert not plan.missing(plan.after()), "each transfer is verified by what it can bring"


@given(layout=layouts(partial=False) | layouts(partial=False, rest=True), before=POOLS)
def test_the_same_reading_has_the_same_plan(layout: Layout, before: Allocation) -> None:
    plan = layout.plan(before)
    for order in permutations(layout.pools):
        assert layout._replace(pools=order).plan(dict(reversed(before.items())))[2:] == plan[2:]


def net(layout: Layout, before: Allocation) -> dict[str, int]:
    """What each pool gets in all, and gives if it is less than 0, when one takes the rest. Worked out without any
    transfer.
    """
    (rest,) = [minimums.type for minimums in layout.pools if minimums.takes_rest]
    change = {name: up(gigabytes, layout.step) for name, gigabytes in layout.missing(before).items() if name != rest}
    for name, gigabytes in layout.to_give(before).items():
        if name != rest:
            change[name] = -(gigabytes // layout.step * layout.step)
    change[rest] = -sum(change.values())
    return change


@given(layout=layouts(partial=False, rest=True), before=POOLS)
def test_one_pool_takes_all_that_the_others_have_beyond_their_minimums(layout: Layout, before: Allocation) -> None:
    if not suffices(layout, before):
        return
    plans, after = transfers(layout, before)
    change = net(layout, before)
    assert {name: after[name].total_capacity - before[name].total_capacity for name in SPACE_TYPES} == {**dict.fromkeys(SPACE_TYPES, 0), **change}
    assert len(plans) == sum(gigabytes < 0 for gigabytes in change.values()), "each pool that gives in all is the origin once"
    assert not layout.missing(after) and sum(pool.total_capacity for pool in after.values()) == sum(pool.total_capacity for pool in before.values())
    for plan in plans:
        assert all(move.expand_capacity % layout.step == 0 and move.type != plan.origin_type for move in plan.moves)
        assert plan.needed <= layout.to_give(plan.before)[plan.origin_type]
        assert not plan.missing(plan.after()) and plan.missing(plan.before)
        # A transfer of the rest must show in full.
        totals = {name: (plan.before[name].total_capacity, plan.after()[name].total_capacity) for name in plan.required_totals}
        assert all(totals[name][0] < required <= totals[name][1] for name, required in plan.required_totals.items())
    assert not layout.plan(after).moves


@given(layout=layouts(partial=False, rest=True), before=POOLS)
def test_a_pool_that_takes_the_rest_changes_nothing_of_what_suffices(layout: Layout, before: Allocation) -> None:
    """It may give to others, too."""
    assert suffices(layout, before) == suffices(_without_rest(layout), before)


@given(layout=layouts(partial=True, rest=True), before=POOLS)
def test_with_too_little_there_is_no_rest(layout: Layout, before: Allocation) -> None:
    plans, after = transfers(layout, before)
    left = sum(gigabytes // layout.step for minimums in layout.pools for gigabytes in [layout.to_give(after).get(minimums.type, 0)] if not minimums.takes_rest)
    assert left == 0
    if not suffices(layout._replace(partial=False), before):
        assert [plan[2:] for plan in plans] == [plan[2:] for plan in transfers(_without_rest(layout), before)[0]]


def _without_rest(layout: Layout) -> Layout:
    return layout._replace(pools=tuple(row._replace(takes_rest=False) for row in layout.pools))


def layout_of(*pools: Minimums, step: int = 1, partial: bool = False) -> Layout:
    return Layout(pools, step, partial)


GROUP = Minimums("group", 600, 100)
PEOPLE = Minimums("individual", None, 100)
DEPARTMENTS = Minimums("department", None, 200)
BEFORE = {"department": Pool(2000, 400), "individual": Pool(1000, 950), "group": Pool(500, 500)}


def test_one_giver_serves_both_in_one_transfer() -> None:
    plan = layout_of(GROUP, PEOPLE, DEPARTMENTS).plan(BEFORE)
    assert plan.origin_type == "department" and dict(plan.moves) == {"individual": 50, "group": 100}
    # With less than this, a target would lack capacity again.
    assert plan.required_totals == {"individual": 1050, "group": 600}


def test_the_pool_with_most_to_give_gives_first() -> None:
    pools = {"department": Pool(500, 0), "individual": Pool(950, 300), "group": Pool(100, 100)}
    plans, after = transfers(layout_of(Minimums("group", None, 900), PEOPLE, Minimums("department", 0, None)), pools)
    assert [(plan.origin_type, plan.needed) for plan in plans] == [("individual", 550), ("department", 350)]
    assert after["individual"].unallocated_capacity == 100 and after["group"].unallocated_capacity == 900


def test_a_pool_below_its_minimum_is_no_origin() -> None:
    """Test a pool that has unallocated capacity, but less in total than its minimum."""
    pools = {"group": Pool(500, 0), "individual": Pool(100, 100)}
    layout = layout_of(Minimums("group", 600, None), Minimums("individual", None, 50))
    assert not layout.to_give(pools) and not layout.plan(pools).moves
    with pytest.raises(KooDriveError, match="lack 150 GB and can give 0 GB: individual lacks 50 GB, group lacks 100 GB; no pool named can give anything$"):
        layout.ensure_sufficient(layout.plan(pools))


def test_the_neediest_pool_comes_first_when_there_is_too_little() -> None:
    pools = {"department": Pool(95, 0), "individual": Pool(0, 0), "group": Pool(0, 0)}
    layout = layout_of(Minimums("department", None, 0), Minimums("individual", None, 60), Minimums("group", None, 70), step=10, partial=True)
    plan = layout.plan(pools)
    assert dict(plan.moves) == {"individual": 20, "group": 70} and layout.missing(plan.after()) == {"individual": 40}


def test_more_allocated_than_the_total_counts_as_missing_too() -> None:
    pools = {"department": Pool(2000, 0), "group": Pool(500, 700)}
    plan = layout_of(Minimums("department", None, 0), Minimums("group", None, 100)).plan(pools)
    assert dict(plan.moves) == {"group": 300} and plan.after()["group"].unallocated_capacity == 100


def test_a_pool_that_only_gives_is_not_brought_to_what_it_keeps() -> None:
    pools = {"department": Pool(50, 0), "group": Pool(500, 0)}
    layout = layout_of(Minimums("department", None, 100, receives=False), Minimums("group", None, 0))
    assert not layout.missing(pools) and layout.to_give(pools) == {"group": 500}


def test_a_pool_that_does_not_give_keeps_what_it_has_beyond() -> None:
    pools = {"department": Pool(500, 0), "group": Pool(500, 0)}
    layout = layout_of(Minimums("department", None, 100, gives=False), Minimums("group", None, 100))
    assert layout.to_give(pools) == {"group": 400} and layout.missing({**pools, "department": Pool(50, 0)}) == {"department": 50}


def test_a_pool_that_only_gives_may_be_unknown() -> None:
    layout = layout_of(Minimums("department", None, 0, receives=False), Minimums("individual", None, 50), Minimums("group", None, 0))
    plan = layout.plan({"individual": Pool(0, 0), "group": Pool(100, 0)})
    assert (plan.origin_type, dict(plan.moves)) == ("group", {"individual": 50})


@pytest.mark.parametrize(
    ("step", "message"),
    [(1, "the pools named lack 250 GB and can give 240 GB: group lacks 250 GB; department can give 240 GB"), (100, "in steps of 100 GB")],
)
def test_the_numbers_of_what_does_not_suffice(step: int, message: str) -> None:
    layout = layout_of(Minimums("department", 760, None), Minimums("group", None, 250), step=step)
    with pytest.raises(KooDriveError, match=message) as caught:
        layout.ensure_sufficient(layout.plan({"department": Pool(1000, 0), "group": Pool(0, 0)}))
    assert caught.value.kind == "insufficient_capacity" and caught.value.advice == MORE_ROOM and "would suffice" not in caught.value.what


def test_the_pool_that_takes_the_rest_gives_what_the_others_cannot() -> None:
    pools = {"department": Pool(100, 0), "individual": Pool(500, 0), "group": Pool(0, 0)}
    layout = layout_of(Minimums("department", 0, None), Minimums("individual", None, 0, takes_rest=True), Minimums("group", None, 300))
    plans, after = transfers(layout, pools)
    assert [(plan.origin_type, dict(plan.moves)) for plan in plans] == [("individual", {"group": 200}), ("department", {"group": 100})]
    assert after["individual"].total_capacity == 300


def test_capacity_that_is_just_enough_suffices() -> None:
    layout = layout_of(Minimums("department", 760, None), Minimums("group", None, 240))
    assert suffices(layout, {"department": Pool(1000, 0), "group": Pool(0, 0)})
    assert not suffices(layout, {"department": Pool(999, 0), "group": Pool(0, 0)})


def test_rounding_can_ask_for_more_than_the_pools_have() -> None:
    pools: dict[str, Any] = {"department": Pool(205, 0), "group": Pool(0, 0)}
    layout = layout_of(Minimums("department", 0, None), Minimums("group", None, 205), step=10)
    with pytest.raises(KooDriveError, match="can give 200 GB, in steps of 10 GB; it would suffice without capacity_step"):
        layout.ensure_sufficient(layout.plan(pools))
    assert dict(layout._replace(partial=True).plan(pools).moves) == {"group": 200}


def test_the_message_lists_an_unnamed_pool_and_how_it_can_be_an_origin() -> None:
    pools = {"department": Pool(2052, 400), "individual": Pool(100, 100), "group": Pool(100, 100)}
    with pytest.raises(KooDriveError) as caught:
        layout = layout_of(Minimums("individual", None, 1500))
        layout.ensure_sufficient(layout.plan(pools))
    assert "individual lacks 1,500 GB; no pool named can give anything. Not named: department (1,652 GB unallocated)" in caught.value.what
    assert caught.value.advice.startswith("To let department give all unallocated capacity, add {type: department, unallocated_capacity: 0} to pools. ")


def test_the_rest_comes_back_at_night() -> None:
    layout = layout_of(PEOPLE, Minimums("group", None, 50), Minimums("department", None, None, takes_rest=True))
    pools = {"department": Pool(1000, 400), "individual": Pool(1000, 550), "group": Pool(700, 500)}
    plans, after = transfers(layout, pools)
    assert [(plan.origin_type, dict(plan.moves)) for plan in plans] == [("individual", {"department": 350}), ("group", {"department": 150})]
    assert after["department"].total_capacity == 1500


def test_what_one_has_beyond_goes_first_to_whom_it_is_missing() -> None:
    layout = layout_of(PEOPLE, Minimums("group", None, 50), Minimums("department", None, 0, takes_rest=True), step=10)
    pools = {"department": Pool(400, 400), "individual": Pool(1000, 705), "group": Pool(500, 500)}
    assert dict(layout.plan(pools).moves) == {"group": 50, "department": 140}
