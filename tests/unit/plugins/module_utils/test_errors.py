# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the error class, and that users see its advice."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, Answer, KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}


def test_a_failed_result_has_words_for_people_and_values_for_playbooks() -> None:
    error = KooDriveError("rejected", "it was refused", action="Asking", answer=Answer(400, "13000102", "No.", "c0ffee"))
    assert error.as_result("In between.", "", trace_id="t1") == {
        "failed": True,
        "changed": False,
        "msg": f"Asking failed: it was refused. In between. {ADVICE['rejected']} Trace ID: t1.",
        "error": {"kind": "rejected", "http_status": 400, "code": "13000102", "message": "No.", "request_id": "c0ffee"},
        "warnings": [],
    }


def test_an_option_that_is_refused_needs_no_step_and_no_trace_id() -> None:
    assert invalid_request("target", "must not be empty").as_result()["msg"] == f"target must not be empty. {ADVICE['invalid_request']}"


def test_own_advice_goes_before_the_one_of_the_kind() -> None:
    assert KooDriveError("rejected", "x", advice="Do this.").as_result()["msg"] == "x. Do this."


#: For each kind, the faults of the calls of a run, and what is asked for, that end in it with the advice of the kind.
ENDS = {
    "invalid_request": ([], {"verify_timeout": -1}),
    "insufficient_capacity": ([Fault(), Fault(apply="no", reply="status", status=400, code=13000311)], {}),
    "rejected": ([Fault(reply="status", status=404)], {}),
    "rate_limited": ([Fault(reply="status", status=429)], {}),
    "server_error": ([Fault(reply="status", status=500)], {}),
    "unreachable": ([Fault(reply="reset")], {}),
    "invalid_reply": ([Fault(reply="not-json")], {}),
    "not_verified": ([Fault(), Fault(apply="no")], {"verify_timeout": 0}),
    "outcome_unknown": ([Fault(), Fault(apply="no", reply="reset")], {"verify_timeout": 0}),
}


#: What needs a ledger to end in, which its own tests have.
OF_THE_LEDGER = {"open_transfer", "busy", "ledger_unavailable"}


#: The token and the app have their own advice about credentials.
OF_THE_CREDENTIALS = {"authentication"}


@pytest.mark.parametrize("kind", sorted(set(ADVICE) - OF_THE_LEDGER - OF_THE_CREDENTIALS))
def test_the_advice_of_each_kind_is_shown_to_a_user(koodrive: KooDriveForTests, kind: str) -> None:
    faults, options = ENDS[kind]
    koodrive.script(*faults)
    result = koodrive.failure(GROUP, **options)
    assert result["error"]["kind"] == kind and ADVICE[kind] in result["msg"]
