# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test how arguments are prepared, with Ansible's own checks after that."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import NO_NUMBER, is_blank, prepared, whole_number
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.validation import main_fault, message_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC

GROUP = {"type": "group", "total_capacity": 600}
BLANKS = [None, "", " ", "\t\n"]
BEYOND = [
    float("inf"),
    float("-inf"),
    float("nan"),
    "inf",
    "-Infinity",
    "nan",
    "sNaN",
    "1e5000",
    "1e999999999",
    f"1e{10**25}",
    f"1e-{10**25}",
    "9" * 5000,
    10**5000,
    1e300,
]


def validated(**arguments: Any) -> ValidationResult:
    return ArgumentSpecValidator(TRANSFER_SPEC).validate(prepared(TRANSFER_SPEC, {"origin_type": "department", "target": [GROUP], **arguments}))


def checked(**arguments: Any) -> tuple[dict[str, Any], str]:
    """Return the options, and Ansible's errors about them."""
    result = validated(**arguments)
    return result.validated_parameters, " ".join(result.error_messages)


def refused(**arguments: Any) -> str:
    """Return the message of the refusal."""
    return message_of(validated(**arguments).error_messages, TRANSFER_SPEC)


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_is_not_given(blank: Any) -> None:
    options, fault = checked(origin_reserve=blank, retries=blank, verify=blank, token=blank, ca_path=blank)
    assert not fault and (options["origin_reserve"], options["retries"], options["verify"]) == (0, 3, True)
    assert options["token"] is options["ca_path"] is None


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_required_option_is_refused_by_name(blank: Any) -> None:
    assert "origin_type" in checked(origin_type=blank)[1] and "target" in checked(target=blank)[1]
    assert "origin_type" in checked(origin_type=blank, source_type=blank)[1]
    assert "type" in checked(target=[{**GROUP, "type": blank}])[1]
    fault = checked(target=[{"type": "group", "total_capacity": blank}])[1]
    assert "one of the following is required: total_capacity" in fault


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_capacity_with_another_one_counts_as_not_given(blank: Any) -> None:
    options, fault = checked(target=[{"type": "group", "total_capacity": blank, "unallocated_capacity": 5, "expand_capacity": blank}])
    assert not fault and options["target"][0]["unallocated_capacity"] == 5


def test_a_value_that_is_not_blank_is_kept() -> None:
    for value in (0, False, [], {}, "0", "None"):
        assert not is_blank(value)
    assert prepared(TRANSFER_SPEC, {"retries": 0, "verify": False, "target": [], "unknown": "", "_ansible_check_mode": None}) == {
        "retries": 0,
        "verify": False,
        "target": [],
        "unknown": "",
        "_ansible_check_mode": None,
    }


def test_an_alias_is_the_option_unless_that_has_another_value() -> None:
    by_alias = {"source_type": "group", "targets": json.dumps([GROUP])}
    assert prepared(TRANSFER_SPEC, by_alias) == {"origin_type": "group", "target": [GROUP]}
    assert prepared(TRANSFER_SPEC, {**by_alias, "origin_type": " ", "target": [GROUP]}) == {"origin_type": "group", "target": [GROUP]}
    assert prepared(TRANSFER_SPEC, {"origin_type": "group", "source_type": ""}) == {"origin_type": "group"}
    both = {"origin_type": "department", "source_type": "group"}
    assert prepared(TRANSFER_SPEC, both) == both


@pytest.mark.parametrize("value", BEYOND, ids=lambda value: str(value)[:12] if not isinstance(value, int) else "int")
def test_a_number_that_is_too_large_is_refused_by_name(value: Any) -> None:
    start = time.monotonic()
    assert "argument 'timeout' is of type text, and must be a whole number" in refused(timeout=value)
    assert "argument 'expand_capacity' is of type text in 'target', and must be whole GB" in refused(target=[{"type": "group", "expand_capacity": value}])
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("option", ["capacity_step", "origin_reserve"])
def test_the_message_about_each_option_in_gb_says_so(option: str) -> None:
    assert f"argument '{option}' is of type text, and must be whole GB" in refused(**{option: "1.5"})


def test_a_message_shows_the_beginning_of_what_is_no_number() -> None:
    assert prepared(TRANSFER_SPEC, {"timeout": "x" * 50})["timeout"] == "x" * 40 + NO_NUMBER


def test_the_greatest_number_has_20_digits() -> None:
    for number in (10**20 - 1, 1 - 10**20):
        assert whole_number(number) == whole_number(str(number)) == number
    for number in (10**20, -(10**20)):
        assert whole_number(number) is whole_number(str(number)) is None


@pytest.mark.parametrize("value", ["2TB", "2,000", "2 000", "1.5", "many", "01000", "-01000", "0x10", "1_000", "0o17", "0b1", "1:30", "１０", "1e-3", [5], {}])
def test_an_invalid_or_ambiguous_number_is_refused_with_its_text(value: Any) -> None:
    # ansible-core 2.16 does not say what it could not convert.
    not_this = rf"(, not {re.escape(str(value))})?\."
    fault = refused(target=[{"type": "group", "total_capacity": value}])
    assert re.fullmatch(rf"argument 'total_capacity' is of type text in 'target', and must be whole GB, without unit or separator{not_this}", fault)
    assert re.fullmatch(rf"argument 'settle_time' is of type text, and must be a whole number, without unit or separator{not_this}", refused(settle_time=value))


@pytest.mark.parametrize("value", ["600", "600.0", 600.0, "6e2", " 600 ", 600])
def test_a_whole_number_in_another_spelling_is_accepted(value: Any) -> None:
    options, fault = checked(target=[{"type": "group", "total_capacity": value}])
    assert not fault and options["target"][0]["total_capacity"] == 600


def test_the_text_of_a_list_is_a_list() -> None:
    options, fault = checked(target=json.dumps([GROUP, {"type": "individual", "total_capacity": None, "expand_capacity": 5}]))
    assert not fault and [row["type"] for row in options["target"]] == ["group", "individual"]


@pytest.mark.parametrize(
    "value",
    ["[{'type': 'group', 'total_capacity': 600}]", "[", '{"type": "group"}', "no list", '"group"', "7", "[" * 100000, 7, [7], [[GROUP]], [None], GROUP, True],
    ids=lambda value: str(value)[:20],
)
def test_an_invalid_list_of_targets_is_refused_by_name(value: Any) -> None:
    given = prepared(TRANSFER_SPEC, {"origin_type": "department", "target": value})
    assert "target" in main_fault(ArgumentSpecValidator(TRANSFER_SPEC).validate(given).error_messages, TRANSFER_SPEC)


def test_a_row_in_json_is_read_like_a_row() -> None:
    rows = ['{"type": "group", "total_capacity": 1e400}', '{"type": "group", "total_capacity": "600.0", "expand_capacity": " "}', "type=group"]
    unbounded, fine, other = prepared(TRANSFER_SPEC, {"target": rows})["target"]
    assert unbounded["total_capacity"].startswith("inf") and fine == {"type": "group", "total_capacity": 600} and other == "type=group"
