# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pools the variables of the playbooks ask for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.filter.requested_pools import FilterModule
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import CAPACITIES, MAX_CAPACITY

requested_pools = FilterModule().filters()["requested_pools"]
ROWS = [{"type": "group", "total_capacity": 600}, {"type": "individual", "unallocated_capacity": 5}]
TEXT_ROWS = [{"type": "group", "total_capacity": "600"}, {"type": "individual", "unallocated_capacity": "5"}]
TEXTS = [
    '[{"type": "group", "total_capacity": 600}, {"type": "individual", "unallocated_capacity": 5}]',
    "[{type: group, total_capacity: 600}, {type: individual, unallocated_capacity: 5}]",
    "- type: group\n  total_capacity: 600\n- type: individual\n  unallocated_capacity: 5\n",
]
FROM = {"origin_type": "department"}
JOIN = {**FROM, "individual_count": "50", "individual_each": 10}


def pools(answers: dict[str, Any], playbook: str) -> list[Any]:
    requested = requested_pools(answers, playbook)
    assert requested["fault"] == ""
    return list(requested["pools"])


def fault(answers: dict[str, Any], playbook: str) -> str:
    requested = requested_pools(answers, playbook)
    assert requested["pools"] == []
    return str(requested["fault"])


@pytest.mark.parametrize("measure", CAPACITIES)
@pytest.mark.parametrize("blank", ["", " ", "\t\n", None, "None", " None\n", [], {}])
def test_one_pool_and_one_capacity_are_one_target(measure: str, blank: Any) -> None:
    others = {other: "" if blank in ([], {}) else blank for other in CAPACITIES if other != measure}
    answers = {**FROM, "target": blank, "target_type": "group", **others, measure: "600"}
    assert pools(answers, "transfer") == [{"type": "group", measure: "600"}]


def test_zero_is_not_blank() -> None:
    assert pools({**FROM, "target_type": "group", "total_capacity": 0}, "transfer") == [{"type": "group", "total_capacity": 0}]


@pytest.mark.parametrize(("playbook", "name"), [("transfer", "target"), ("balance", "pools")])
def test_a_list_may_be_text(playbook: str, name: str) -> None:
    class Text(str):
        """A text like those of newer ansible-core, a subclass of str."""

    assert pools({**FROM, name: ROWS}, playbook) == ROWS
    for text in (*TEXTS, Text(TEXTS[1])):
        assert pools({**FROM, name: text, "target_type": ""}, playbook) == TEXT_ROWS


def test_a_number_in_a_text_means_its_digits() -> None:
    rows = pools({"pools": "[{type: group, total_capacity: 01000, unallocated_capacity: 1:30, gives: no}, {type: individual, total_capacity: ~}]"}, "balance")
    assert rows == [
        {"type": "group", "total_capacity": "01000", "unallocated_capacity": "1:30", "gives": "no"},
        {"type": "individual", "total_capacity": None},
    ]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"origin_type": " "}, "koodrive_origin_type is missing."),
        (FROM, "No target is given."),
        ({**FROM, "target_type": "group"}, "No capacity is given for koodrive_target_type."),
        ({**FROM, "total_capacity": "600"}, "koodrive_target_type is missing."),
        ({**FROM, "target_type": "group", "total_capacity": "600", "expand_capacity": "1"}, "koodrive_total_capacity and koodrive_expand_capacity are given"),
        ({**FROM, "target_type": "group", "target": ROWS}, "koodrive_target and koodrive_target_type are both given."),
        ({**FROM, "target": ROWS[0]}, "koodrive_target must be a list, also for one entry. It is one entry"),
        ({**FROM, "target": "group"}, "koodrive_target must be a list, also for one entry. It is group."),
        ({**FROM, "target": 5}, "koodrive_target must be a list, also for one entry. It is 5."),
        ({**FROM, "target": "[{type: gro"}, "koodrive_target is not valid YAML or JSON: "),
        (
            {**FROM, "target": "- type: group\n  ]"},
            "koodrive_target is not valid YAML or JSON: expected <block end>, but found ']' in line 2, column 3. Correct it.",
        ),
        ({**FROM, "target": "[" * 5000}, "koodrive_target is not valid YAML or JSON: "),
        ({**FROM, "target_type": "group", "expand_capacity": 1, "additions_need_a_key": "yes"}, "koodrive_expand_capacity needs koodrive_idempotency_key"),
        ({**FROM, "target": ROWS, "additions_need_a_key": "ture"}, "koodrive_additions_need_a_key must be true or false, not ture."),
    ],
)
def test_each_mistake_of_a_transfer_has_a_message(answers: dict[str, Any], message: str) -> None:
    assert fault(answers, "transfer").startswith(message)


@pytest.mark.parametrize("guard", [{}, {"additions_need_a_key": "no"}, {"additions_need_a_key": "yes", "idempotency_key": "A-1139"}])
def test_an_addition_needs_a_key_only_if_the_playbook_says_so(guard: dict[str, str]) -> None:
    assert pools({**FROM, "target_type": "group", "expand_capacity": 1, **guard}, "transfer") == [{"type": "group", "expand_capacity": 1}]


def test_desired_states_need_no_key() -> None:
    assert pools({**FROM, "target": ROWS, "additions_need_a_key": "yes"}, "transfer") == ROWS


def test_without_joiners_of_a_type_its_amount_may_be_0() -> None:
    answers = {**FROM, "individual_count": 0, "individual_each": 0, "group_count": 1, "group_each": 5}
    assert pools(answers, "onboard") == [{"type": "group", "unallocated_capacity": 5}]


def test_a_misspelled_word_of_a_batch_is_named_with_the_right_one() -> None:
    assert "has cuont, which is unknown. Did you mean count?" in fault({**FROM, "batches": [{"type": "group", "cuont": 1, "each": 5}]}, "onboard")


def test_a_message_shows_the_beginning_of_a_long_value() -> None:
    assert fault({**JOIN, "individual_count": "x" * 50}, "onboard").endswith(f", not {'x' * 40}.")


def test_joiners_can_need_as_much_as_a_pool_can_have() -> None:
    answers = {**FROM, "group_count": 1, "group_each": MAX_CAPACITY}
    assert pools(answers, "onboard") == [{"type": "group", "unallocated_capacity": MAX_CAPACITY}]
    assert "need 104,857,601 GB. A pool can have at most" in fault({**answers, "group_each": MAX_CAPACITY + 1}, "onboard")


def test_pools_without_an_answer_are_left_out() -> None:
    answers = {"department_total_capacity": "", "group_total_capacity": "600", "group_unallocated_capacity": 0, "department_unallocated_capacity": "200"}
    assert pools(answers, "balance") == [
        {"type": "department", "unallocated_capacity": "200"},
        {"type": "group", "total_capacity": "600", "unallocated_capacity": 0},
    ]
    assert pools({**answers, "takes_rest": "individual"}, "balance")[1] == {"type": "individual", "takes_rest": True}
    assert pools({**answers, "takes_rest": "group"}, "balance")[1]["takes_rest"] is True


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, "No pool is given."),
        ({"pools": []}, "No pool is given."),
        ({"pools": ROWS, "takes_rest": "group"}, "koodrive_pools and koodrive_takes_rest are both given."),
        ({"takes_rest": "team"}, "koodrive_takes_rest must be one of department, individual, group, not team."),
        ({"takes_rest": ["group"]}, "koodrive_takes_rest must be one of department, individual, group, not ['group']."),
    ],
)
def test_each_mistake_of_a_layout_has_a_message(answers: dict[str, Any], message: str) -> None:
    assert fault(answers, "balance").startswith(message)


def test_batches_and_single_answers_add_up() -> None:
    batches = [{"type": "individual", "count": "3", "each": 100.0}, {"type": "group", "count": 1, "each": "7"}, {"type": "group", "count": 0, "each": 0}]
    assert pools({**JOIN, "batches": batches}, "onboard") == [
        {"type": "individual", "unallocated_capacity": 800},
        {"type": "group", "unallocated_capacity": 7},
    ]
    assert pools({**FROM, "batches": "[{type: group, count: 2, each: 5}, {type: group, count: 1, each: 30}]"}, "onboard") == [
        {"type": "group", "unallocated_capacity": 40}
    ]


def test_a_reference_adds_and_rounds_each_sum_up() -> None:
    batches = [{"type": "group", "count": 1, "each": 7}, {"type": "group", "count": 1, "each": 5}]
    answers = {**JOIN, "batches": batches, "reference": "INC-7", "capacity_step": "10"}
    assert pools(answers, "onboard") == [{"type": "individual", "expand_capacity": 500}, {"type": "group", "expand_capacity": 20}]


def test_without_an_origin_the_pools_without_joiners_give_down_to_the_reserve() -> None:
    assert pools({**JOIN, "origin_type": None, "origin_reserve": "30"}, "onboard") == [
        {"type": "individual", "unallocated_capacity": 500, "gives": False},
        {"type": "department", "unallocated_capacity": 30, "receives": False},
        {"type": "group", "unallocated_capacity": 30, "receives": False},
    ]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, "There are no joiners: "),
        ({"individual_count": 0, "individual_each": 5}, "There are no joiners: "),
        ({"individual_count": 3}, "onboarding_capacity_individual_each is not given, and onboarding_capacity_individual_count is 3."),
        ({"individual_count": 3, "individual_each": 0}, "onboarding_capacity_individual_each must be a whole number, 1 or more"),
        ({"individual_count": "1_000", "individual_each": 1}, "onboarding_capacity_individual_count must be a whole number, 0 or more"),
        ({"individual_count": True, "individual_each": 1}, "onboarding_capacity_individual_count must be a whole number, 0 or more"),
        ({**JOIN, "origin_reserve": -1}, "onboarding_capacity_origin_reserve must be a whole number, 0 or more"),
        ({**JOIN, "origin_type": "team"}, "onboarding_capacity_origin_type must be one of department, individual, group, not team."),
        ({**JOIN, "origin_type": {"a": 1}}, "onboarding_capacity_origin_type must be one of department, individual, group, not {'a': 1}."),
        ({**JOIN, "origin_type": "individual"}, "onboarding_capacity_origin_type is individual, and some joiners are of this type."),
        ({**JOIN, "individual_each": 104857600}, "The joiners of the type individual need 5,242,880,000 GB."),
        ({**JOIN, "origin_type": "", "reference": "A"}, "onboarding_capacity_reference needs onboarding_capacity_origin_type."),
        ({"batches": ["individual"]}, "onboarding_capacity_batches, entry 1, must have type, count and each"),
        ({"batches": [{"type": "group", "count": "x", "each": 1}]}, "The count of onboarding_capacity_batches, entry 1, must be a whole number, 0"),
        ({"batches": [{"type": "group", "count": 1, "each": "2TB"}]}, "each of onboarding_capacity_batches, entry 1, must be a whole number, 1"),
    ],
)
def test_each_mistake_of_onboarding_has_a_message(answers: dict[str, Any], message: str) -> None:
    assert fault(answers, "onboard").startswith(message)


@pytest.mark.parametrize("answers", [None, "", [], ROWS])
def test_only_a_dictionary_has_answers(answers: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="requested_pools needs a dictionary of answers"):
        requested_pools(answers, "balance")


def test_only_the_playbooks_are_known() -> None:
    with pytest.raises(AnsibleFilterError, match="knows the playbooks transfer, balance, onboard, not report"):
        requested_pools({}, "report")
