# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the messages about wrong options, from Ansible's own checks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.validation import in_plain_words, main_fault, unknown_options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC

GROUP = {"type": "group", "total_capacity": 600}


def faults_of(**arguments: Any) -> list[str]:
    """Return the errors of Ansible's own checks."""
    given = {"origin_type": "department", "target": [GROUP], **arguments}
    return ArgumentSpecValidator(TRANSFER_SPEC).validate(given).error_messages


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": None, "taget": [GROUP]}, "Did you mean target instead of taget?"),
        ({"origin_type": None, "orgin_type": "group"}, "Did you mean origin_type instead of orgin_type?"),
        ({"target": [{"type": "group", "total_capcity": 600}]}, "Did you mean target.total_capacity instead of target.total_capcity?"),
        ({"target": [{"tpe": "group", "total_capacity": 600}], "verfy": True}, "Did you mean target.type instead of target.tpe? Did you mean verify"),
    ],
)
def test_a_misspelled_option_is_named_with_the_right_one(arguments: dict[str, Any], message: str) -> None:
    fault = unknown_options(faults_of(**arguments), TRANSFER_SPEC)
    assert message in fault


def test_an_option_unlike_all_others_is_named_alone() -> None:
    assert unknown_options(faults_of(colour="red"), TRANSFER_SPEC).startswith("colour. Supported parameters include: ")
    assert "Did you mean" not in unknown_options(faults_of(colour="red"), TRANSFER_SPEC)
    assert unknown_options(faults_of(origin_type=None), TRANSFER_SPEC) == ""


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            "Elements value for option 'target' is of type <class 'str'> and we were unable to convert to dict: dictionary requested",
            "An entry of the argument 'target' is of type text, and must be a dictionary.",
        ),
        (
            "argument 'target' is of type <class 'dict'> and we were unable to convert to list: <class 'dict'> cannot be converted to a list",
            "argument 'target' is of type dictionary, and must be a list, even for one entry.",
        ),
        (
            "argument 'receives' is of type str found in 'pools'. and we were unable to convert to bool: The value 'x' is not a valid boolean.",
            "argument 'receives' is of type text in 'pools', and must be true or false.",
        ),
        ("argument 'limit' is of type <class 'list'> and we were unable to convert to float: no", "argument 'limit' is of type list and we were"),
    ],
)
def test_types_of_python_are_not_shown(fault: str, message: str) -> None:
    assert in_plain_words(fault).startswith(message) and "<class" not in in_plain_words(fault)


def test_an_error_without_an_option_is_shown_if_no_error_names_one() -> None:
    assert main_fault(["one thing", "another"], TRANSFER_SPEC) == "one thing"
