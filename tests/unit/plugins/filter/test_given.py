# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers count as given."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.filter.given import FilterModule
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import arguments

given = FilterModule().filters()["given"]


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n", "None", " None\n"])
def test_what_is_blank_is_not_given(blank: Any) -> None:
    assert given({"total": "600", "reserve": blank}) == {"total": "600"}


@pytest.mark.parametrize("value", [0, False, [], {}, "0", "none", "None at all", " 600 ", [None], {"total": ""}])
def test_everything_else_is_given_as_it_is(value: Any) -> None:
    assert given({"total": value}) == {"total": value}


def test_what_is_blank_for_a_module_is_blank_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "is_blank", lambda value: value == "n/a")
    assert given({"total": "n/a", "reserve": ""}) == {"reserve": ""}


@pytest.mark.parametrize("value", [None, "", ["total"], 5])
def test_only_a_dictionary_has_answers(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a dictionary of answers"):
        given(value)
