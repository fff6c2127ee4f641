# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pools the answers of a survey name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.filter.layout_pools import FilterModule

layout_pools = FilterModule().filters()["layout_pools"]
ROWS = [{"type": "group", "total_capacity": 600}, {"type": "individual", "unallocated_capacity": 5}]
BLANK: dict[str, Any] = {"department_total_capacity": "", "individual_total_capacity": None, "pools": " "}


def test_a_pool_has_what_was_answered_and_the_others_are_not_named() -> None:
    answers = {**BLANK, "group_total_capacity": "600", "group_unallocated_capacity": 0, "department_unallocated_capacity": "200", "partial": "yes"}
    assert layout_pools(answers) == [
        {"type": "department", "unallocated_capacity": "200"},
        {"type": "group", "total_capacity": "600", "unallocated_capacity": 0},
    ]


@pytest.mark.parametrize("pools", [ROWS, "[{type: group, total_capacity: 600}, {type: individual, unallocated_capacity: 5}]"])
def test_a_list_or_its_text_is_taken_as_it_is(pools: Any) -> None:
    assert layout_pools({**BLANK, "pools": pools}) == ROWS


@pytest.mark.parametrize(
    "answers", [{}, BLANK, {"pools": []}, {"pools": "group"}, {"pools": ROWS[0]}, {"pools": ROWS, "group_total_capacity": 5}, {"pools": 5}]
)
def test_what_asks_in_no_way_or_in_two_asks_for_nothing(answers: dict[str, Any]) -> None:
    assert layout_pools(answers) == []


@pytest.mark.parametrize("answers", [None, "", [], ROWS])
def test_only_a_dictionary_has_answers(answers: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a dictionary of answers"):
        layout_pools(answers)
