# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a report."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.filter.capacity_figures import FilterModule
from hypothesis import given
from hypothesis import strategies as st

capacity_figures = FilterModule().filters()["capacity_figures"]
CAPACITIES = st.integers(0, 104857600)


def pool(total: Any, allocated: Any) -> dict[str, Any]:
    return {"total_capacity": total, "allocated_capacity": allocated}


def figures_of(total: Any, allocated: Any, **result: Any) -> dict[str, Any]:
    """Return the figures of one group pool."""
    (figures,) = capacity_figures({"allocation": {"group": pool(total, allocated)}, **result})["pools"]
    return figures


def test_a_pool_has_numbers_words_and_parts() -> None:
    assert figures_of(1000, 875) == {
        "name": "group",
        "total_capacity": 1000,
        "allocated_capacity": 875,
        "unallocated_capacity": 125,
        "over": 0,
        "received": 0,
        "gave": 0,
        "state": "87.5 % allocated",
        "scale": 1000,
        "bar": [
            {"name": "allocated", "start": 0, "length": 87.5},
            {"name": "unallocated", "start": 87.5, "length": 12.5},
            {"name": "total", "start": 0, "length": 100},
        ],
        "moved_bar": [],
        "bar_text": "█" * 18 + "░" * 2,
    }


@pytest.mark.parametrize(
    ("total", "allocated", "state", "text"),
    [
        (0, 0, "empty", "░" * 20),
        (500, 500, "full", "█" * 20),
        (1, 1, "full", "█" * 20),
        (500, 0, "0.0 % allocated", "░" * 20),
        (100000, 99999, "99.9 % allocated", "█" * 20),
        (1000, 999, "99.9 % allocated", "█" * 20),
        (1000, 998, "99.8 % allocated", "█" * 20),
        (1024, 1100, "over-allocated", "█" * 18 + "!" * 2),
        (100000, 100001, "over-allocated", "█" * 19 + "!"),
        (0, 7, "over-allocated", "!" * 20),
    ],
)
def test_the_state_says_how_full_a_pool_is(total: int, allocated: int, state: str, text: str) -> None:
    figures = figures_of(total, allocated)
    assert (figures["state"], figures["bar_text"]) == (state, text)


def test_one_gb_is_a_bar() -> None:
    figures = figures_of(1, 0)
    assert figures["scale"] == 1 and [(part["name"], part["length"]) for part in figures["bar"]] == [("unallocated", 100), ("total", 100)]
    assert figures_of(0, 0)["bar"] == []


def test_over_allocation_is_a_part_beyond_the_total() -> None:
    figures = figures_of(100, 200)
    assert (figures["over"], figures["unallocated_capacity"], figures["scale"]) == (100, 0, 200)
    assert [(part["name"], part["start"], part["length"]) for part in figures["bar"]] == [("allocated", 0, 50), ("over", 50, 50), ("total", 0, 50)]


@given(CAPACITIES, CAPACITIES)
def test_the_parts_fill_the_bar(total: int, allocated: int) -> None:
    figures = figures_of(total, allocated)
    assert len(figures["bar_text"]) == 20 and ("!" in figures["bar_text"]) is (allocated > total)
    lengths = {part["name"]: part["length"] for part in figures["bar"]}
    longest = sum(lengths.get(name, 0) for name in ("allocated", "unallocated", "over"))
    assert longest == pytest.approx(100 if total or allocated else 0)


def moved(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    allocation = {"department": pool(1500, 400), "individual": pool(1040, 900), "group": pool(600, 500)}
    return capacity_figures({"allocation": allocation, "transfers": list(rows), "verified": True, **more})


TO_GROUP = {"type": "group", "expand_capacity": "100"}
TO_INDIVIDUAL = {"type": "individual", "expand_capacity": 40}


def test_pools_show_what_they_received_and_gave() -> None:
    figures = moved(TO_GROUP, TO_INDIVIDUAL, origin_type="department")
    assert figures["moves"] == [
        {"type": "group", "origin_type": "department", "expand_capacity": 100},
        {"type": "individual", "origin_type": "department", "expand_capacity": 40},
    ]
    department, _individual, group = figures["pools"]
    assert [(row["gave"], row["received"]) for row in figures["pools"]] == [(140, 0), (0, 40), (0, 100)]
    assert department["scale"] == 1640 and department["moved_bar"] == [{"name": "gave", "start": 100 * 1500 / 1640, "length": 100 * 140 / 1640}]
    assert group["scale"] == 600 and group["moved_bar"] == [{"name": "received", "start": 100 * 500 / 600, "length": 100 * 100 / 600}]


def test_each_row_can_name_another_origin() -> None:
    figures = moved({**TO_GROUP, "origin_type": "department"}, {**TO_GROUP, "origin_type": "individual", "expand_capacity": 7})
    assert [(row["gave"], row["received"]) for row in figures["pools"]] == [(100, 0), (7, 0), (0, 107)]


def test_a_missing_origin_is_none() -> None:
    assert moved(TO_GROUP)["moves"] == [{"type": "group", "origin_type": None, "expand_capacity": 100}]


@pytest.mark.parametrize(
    ("result", "headline"),
    [
        ({}, ""),
        ({"transfers": []}, "Nothing was to be moved"),
        ({"transfers": [TO_GROUP], "verified": True}, "Moved"),
        ({"transfers": [TO_GROUP], "verified": False}, "Planned, or moved without verifying"),
        ({"transfers": [TO_GROUP], "verified": True, "error": {}}, "The task failed"),
        ({"error": {}, "failed": False}, "The task failed"),
    ],
)
def test_the_headline_says_what_the_task_did(result: dict[str, Any], headline: str) -> None:
    figures = capacity_figures({"allocation": {}, **result})
    assert figures["headline"] == headline
    assert len(figures["moves"]) == (1 if result.get("transfers") and "error" not in result else 0)


def test_pools_keep_their_order_and_are_summed() -> None:
    figures = capacity_figures({"allocation": {"<i>": pool("104857600", "0"), "group": pool(10, 15), "department": pool("5.0", 2)}})
    assert [row["name"] for row in figures["pools"]] == ["<i>", "group", "department"]
    assert figures["all"] == {
        "total_capacity": 104857615,
        "allocated_capacity": 17,
        "unallocated_capacity": 104857603,
        "over": 0,
        "state": "0.0 % allocated",
    }


@pytest.mark.parametrize(
    ("pools", "state", "over"),
    [
        ([(100, 80), (100, 20)], "50.0 % allocated", 0),
        ([(100, 100), (50, 50)], "full", 0),
        ([(0, 0)], "empty", 0),
        ([], "empty", 0),
        ([(100, 150), (100, 60)], "over-allocated", 10),
        # One is over-allocated, and another has unallocated capacity.
        ([(100, 150), (100, 50)], "99.9 % allocated", 0),
    ],
)
def test_all_pools_have_one_state_together(pools: list[tuple[int, int]], state: str, over: int) -> None:
    together = capacity_figures({"allocation": {f"pool-{number}": pool(*capacities) for number, capacities in enumerate(pools)}})["all"]
    assert (together["state"], together["over"]) == (state, over)


def stored(total: int, allocated: int, amount: Any) -> dict[str, Any]:
    return {**pool(total, allocated), "stored_capacity": amount}


def test_stored_is_drawn_within_allocated() -> None:
    figures = capacity_figures({"allocation": {"group": stored(1000, 800, "200.5"), "department": stored(1000, 0, 0.0)}})
    group, department = figures["pools"]
    assert (group["stored_capacity"], group["stored_state"], group["bar_text"]) == (200.5, "25.1 % of it stored", "#" * 4 + "█" * 12 + "░" * 4)
    assert {part["name"]: (part["start"], part["length"]) for part in group["bar"]}["stored"] == (0, 20.05)
    assert [part["name"] for part in group["bar"]] == ["allocated", "stored", "unallocated", "total"]
    assert (department["stored_state"], department["bar_text"]) == ("nothing allocated", "░" * 20)
    assert (figures["all"]["stored_capacity"], figures["all"]["stored_state"]) == (200.5, "25.1 % of it stored")


def test_more_stored_than_allocated_is_in_words_only() -> None:
    (figures,) = capacity_figures({"allocation": {"group": stored(1000, 100, 200)}})["pools"]
    assert figures["stored_state"] == "200.0 % of it stored" and figures["bar_text"] == "#" * 2 + "░" * 18
    assert {part["name"]: part["length"] for part in figures["bar"]}["stored"] == 10


def test_without_the_usage_of_one_pool_there_is_no_sum() -> None:
    figures = capacity_figures({"allocation": {"group": stored(1000, 800, 1), "department": pool(1, 1), "individual": stored(1, 1, None)}})
    assert ["stored_capacity" in row for row in (*figures["pools"], figures["all"])] == [True, False, False, False]


@pytest.mark.parametrize("wrong", ["much", -1, float("inf"), "nan", [], {}])
def test_the_message_names_a_pool_with_a_wrong_usage(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="the pool group has no (possible )?number as stored_capacity"):
        capacity_figures({"allocation": {"group": stored(1, 1, wrong)}})


@pytest.mark.parametrize("result", [None, [], {}, {"allocation": None}, {"allocation": [pool(1, 1)]}, {"results": [{"allocation": {}}]}])
def test_a_result_without_pools_is_refused(result: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="needs the registered result of one task that has an allocation"):
        capacity_figures(result)


@pytest.mark.parametrize("broken", [{}, {"total_capacity": 1}, pool("much", 1), pool(1, None), pool(1, float("inf")), pool(1, "nan"), [], None])
def test_the_message_names_a_pool_without_numbers(broken: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="the pool group has no whole numbers as total_capacity and allocated_capacity"):
        capacity_figures({"allocation": {"group": broken}})
