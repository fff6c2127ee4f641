# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which targets the answers of a survey ask for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.filter.transfer_targets import FilterModule
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import CAPACITIES

transfer_targets = FilterModule().filters()["transfer_targets"]
ROWS = [{"type": "group", "total_capacity": 600}, {"type": "individual", "unallocated_capacity": 5}]


@pytest.mark.parametrize("measure", CAPACITIES)
@pytest.mark.parametrize("blank", ["", " ", None, "None", [], {}])
def test_one_pool_and_one_capacity_are_one_target(measure: str, blank: Any) -> None:
    # A capacity has no list that is empty.
    others = {other: "" if blank in ([], {}) else blank for other in CAPACITIES if other != measure}
    answers = {"origin_type": "department", "target": blank, "target_type": "group", **others, measure: "600"}
    assert transfer_targets(answers) == [{"type": "group", measure: "600"}]


def test_none_of_anything_is_as_good_as_one() -> None:
    assert transfer_targets({"target_type": "group", "total_capacity": 0}) == [{"type": "group", "total_capacity": 0}]


@pytest.mark.parametrize(
    "target",
    [
        ROWS,
        '[{"type": "group", "total_capacity": 600}, {"type": "individual", "unallocated_capacity": 5}]',
        "[{type: group, total_capacity: 600}, {type: individual, unallocated_capacity: 5}]",
        "- type: group\n  total_capacity: 600\n- type: individual\n  unallocated_capacity: 5\n",
    ],
)
def test_a_list_or_its_text_is_taken_as_it_is(target: Any) -> None:
    assert transfer_targets({"target": target, "target_type": "", "total_capacity": " "}) == ROWS


def test_a_text_of_ansibles_own_is_a_text() -> None:
    class Text(str):
        """As newer releases of ansible-core have them."""

    assert transfer_targets({"target": Text("[{type: group, total_capacity: 600}]")}) == [{"type": "group", "total_capacity": 600}]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"target_type": "group"},
        {"target_type": "", "total_capacity": "600"},
        {"target_type": "group", "total_capacity": "600", "expand_capacity": "1"},
        {"target_type": "group", "total_capacity": "600", "target": ROWS},
        {"target_type": "group", "total_capacity": "600", "target": 5},
        {"target_type": "group", "target": ROWS},
        {"total_capacity": "600", "target": ROWS},
        {"target": []},
        {"target": "# nothing"},
        {"target": "{type: group, total_capacity: 600}"},
        {"target": ROWS[0]},
        {"target": "group"},
        {"target": 5},
    ],
)
def test_what_is_not_asked_in_one_way_alone_asks_for_nothing(answers: dict[str, Any]) -> None:
    assert transfer_targets(answers) == []


def test_a_text_that_is_no_yaml_says_where() -> None:
    with pytest.raises(Exception, match="while parsing"):
        transfer_targets({"target": "[{type: gro"})


def test_only_a_dictionary_has_answers() -> None:
    with pytest.raises(AnsibleFilterError, match="takes a dictionary of answers, not list"):
        transfer_targets(ROWS)
