# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the result of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import outcome_of, refusal_of


def test_a_result_is_returned_as_it_is() -> None:
    assert outcome_of(lambda options, check_mode, caller: {"options": options, "check_mode": check_mode and caller.is_waiting()}, {"a": 1}, True) == {
        "options": {"a": 1},
        "check_mode": True,
    }


def test_a_refused_option_is_a_failed_result() -> None:
    def work(_options: Mapping[str, Any], _check_mode: bool, **_more: Any) -> dict[str, Any]:
        raise invalid_request("target", "must not be empty")

    result = outcome_of(work, {}, False)
    assert result["failed"] is True and result["error"]["kind"] == "invalid_request" and result["warnings"] == []


def test_an_error_of_ansibles_own_checks_has_an_error_too() -> None:
    result = refusal_of(["a detail", "value of target is wrong"], {"target": {}}, "Before: ")
    assert result["failed"] is True and result["msg"] == "Before: value of target is wrong"
    assert result["error"] == {"kind": "invalid_request", "http_status": None, "code": None, "message": None, "request_id": None}
