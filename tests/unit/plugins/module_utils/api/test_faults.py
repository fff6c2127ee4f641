# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the promises about faults, over real HTTP against a simulator with faults."""

from __future__ import annotations

import re
import socket
import time
import tracemalloc
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import MAX_REPLY
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work import moving
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Refused
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}
BOTH = [GROUP, {"type": "individual", "expand_capacity": 7}]
BEFORE = {"department": 2000, "individual": 1000, "group": 500}
MOVED = {"department": 1900, "individual": 1000, "group": 600}
OK = Fault()
INTERLOPER = {"originType": 0, "target": [{"type": 1, "expandCapacity": 30}]}

# Replies after which the outcome of the transfer is unknown.
LOST = [
    {"reply": "reset"},
    {"reply": "hang"},
    {"reply": "drip", "seconds": 0.1},
    {"reply": "drip-headers", "seconds": 0.1},
    {"reply": "short"},
    {"reply": "not-json"},
    {"reply": "empty"},
    {"reply": "truncated"},
    {"reply": "oversized"},
    {"reply": "endless"},
    {"reply": "redirect"},
    {"reply": "redirect-page"},
    {"reply": "redirect-endless"},
    {"reply": "brotli"},
    {"reply": "bomb"},
    {"reply": "status", "status": 500, "code": 13000311},
    {"reply": "status", "status": 400, "code": 13000201},
    {"reply": "status", "status": 502},
    {"reply": "gateway", "status": 502, "code": "APIGW.0201"},
    {"reply": "status", "status": 504, "retry_after": "0"},
    {"reply": "status", "status": 408},
]


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(options, "SHORTEST_TIMEOUT", 0.1)


def quick(koodrive: KooDriveForTests, *faults: Fault) -> dict[str, Any]:
    """Set the faults, and return the options of a run with short waits."""
    koodrive.script(*faults)
    return {"timeout": 0.4, "verify_timeout": 0.3}


def writes(koodrive: KooDriveForTests) -> int:
    return koodrive.methods().count("POST")


def test_a_simulator_that_refuses_connections_keeps_its_port(koodrive: KooDriveForTests) -> None:
    for _time in range(2):
        koodrive.script(Fault(reply="refuse", seconds=0.2))
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.1", koodrive.port))
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", koodrive.port))
        koodrive.settle()
        assert koodrive.run(GROUP)["allocation"]["group"]["total_capacity"] == 600


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_a_lost_reply_to_a_transfer_that_was_done_is_a_success_with_a_warning(koodrive: KooDriveForTests, lost: dict[str, Any]) -> None:
    result = koodrive.run(GROUP, retries=3, **quick(koodrive, OK, Fault(**lost)))
    assert result["changed"] and result["verified"]
    assert result["allocation"]["group"]["total_capacity"] == 600
    assert koodrive.totals() == MOVED and writes(koodrive) == 1
    assert len(result["warnings"]) == 1 and "The pools show exactly this transfer" in result["warnings"][0]
    assert "/elsewhere" not in str(koodrive.state.requests)


@pytest.mark.parametrize("lost", LOST, ids=str)
@pytest.mark.parametrize("verify", [True, False])
def test_a_lost_reply_to_a_transfer_that_was_not_done_is_a_failure_and_not_repeated(koodrive: KooDriveForTests, lost: dict[str, Any], verify: bool) -> None:
    result = koodrive.failure(GROUP, retries=3, verify=verify, **quick(koodrive, OK, Fault(apply="no", **lost)))
    assert result["error"]["kind"] == ("server_error" if lost["reply"] in ("status", "gateway") else "outcome_unknown")
    assert result["error"]["http_status"] == lost.get("status", result["error"]["http_status"])
    assert koodrive.totals() == BEFORE and writes(koodrive) == 1
    assert not result["changed"] and result["transfers"] == [{"type": "group", "expand_capacity": 100}]
    for words in ("may still move", "Now: department 2,000 GB total", "Run again. The next run starts from the pools that it then reads"):
        assert words in result["msg"]
    assert result["trace_id"] in result["msg"]


@pytest.mark.parametrize("reply", ["reset", "ok"])
@pytest.mark.parametrize(
    ("options", "advice"), [({}, "Check the pools before you run again, because"), ({"idempotency_key": "A-1"}, "Run again. The next run")]
)
def test_the_advice_after_an_addition_depends_on_its_key(koodrive: KooDriveForTests, reply: str, options: dict[str, Any], advice: str) -> None:
    result = koodrive.failure(BOTH[1], **options, **quick(koodrive, OK, Fault(apply="no", reply=reply)))
    assert advice in result["msg"]


def test_a_new_connection_that_is_lost_after_sending_does_not_send_again(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(close=True), Fault(reply="reset"))
    result = koodrive.run(GROUP, retries=3)
    assert len({request["connection"] for request in koodrive.state.requests}) == 3
    assert writes(koodrive) == 1 and "exactly this transfer" in result["warnings"][0]


def test_the_run_waits_for_a_late_transfer(koodrive: KooDriveForTests) -> None:
    limits = {**quick(koodrive, OK, Fault(apply="late", reply="reset", seconds=0.5)), "verify_timeout": 3}
    result = koodrive.run(GROUP, **limits)
    assert result["changed"] and koodrive.totals() == MOVED and writes(koodrive) == 1


def test_a_rerun_after_an_unknown_outcome_does_not_overshoot(koodrive: KooDriveForTests) -> None:
    limits = quick(koodrive, OK, Fault(apply="late", reply="hang", seconds=0.8))
    assert koodrive.failure(GROUP, **limits)["error"]["kind"] == "outcome_unknown"
    time.sleep(0.5)
    assert koodrive.totals() == MOVED
    assert not koodrive.run(GROUP)["changed"]
    assert koodrive.totals() == MOVED


def test_reads_that_fail_after_a_lost_reply_leave_the_outcome_unknown(koodrive: KooDriveForTests) -> None:
    failing = Fault(reply="status", status=503)
    result = koodrive.failure(GROUP, **quick(koodrive, OK, Fault(reply="reset"), *[failing] * 50))
    assert result["error"]["kind"] == "outcome_unknown"
    assert "could not be read" in result["msg"] and "HTTP 503" in result["msg"]
    assert "allocation" not in result and result["allocation_before"]["group"]["total_capacity"] == 500
    assert koodrive.totals() == MOVED and writes(koodrive) == 1


def test_an_expired_token_after_a_lost_reply_ends_the_reading(koodrive: KooDriveForTests) -> None:
    limits = quick(koodrive, OK, Fault(reply="reset"), Fault(reply="status", status=401, code="APIGW.0301"))
    result = koodrive.failure(GROUP, **{**limits, "verify_timeout": 60})
    assert result["error"]["kind"] == "outcome_unknown" and koodrive.methods() == ["GET", "POST", "GET"]
    assert "The latest reading failed: KooDrive refused the credentials" in result["msg"]


@pytest.mark.parametrize(("reply", "kind"), [("reset", "outcome_unknown"), ("ok", "not_verified")])
def test_the_message_does_not_name_the_time_limit_if_the_reading_ends_early(koodrive: KooDriveForTests, reply: str, kind: str) -> None:
    limits = quick(koodrive, OK, Fault(apply="no", reply=reply), OK, Fault(reply="status", status=401))
    result = koodrive.failure(GROUP, **{**limits, "verify_timeout": 60})
    assert result["error"]["kind"] == kind and koodrive.methods() == ["GET", "POST", "GET", "GET"]
    assert "when they were last read, the pools" in result["msg"] and "60 seconds" not in result["msg"]


def test_another_writer_after_a_lost_reply_is_a_success_if_the_targets_have_enough(koodrive: KooDriveForTests) -> None:
    lost = Fault(reply="reset", interloper=INTERLOPER)
    result = koodrive.run(GROUP, **quick(koodrive, OK, lost))
    assert result["changed"] and result["verified"] and writes(koodrive) == 1
    assert "enough in every target, but not by this transfer alone" in result["warnings"][0]
    assert "department -30 GB, individual +30 GB" in result["warnings"][1]


def test_another_writer_after_a_lost_reply_is_unknown_if_a_target_lacks_capacity(koodrive: KooDriveForTests) -> None:
    lost = Fault(apply="no", reply="status", status=502, interloper=INTERLOPER)
    result = koodrive.failure(GROUP, **quick(koodrive, OK, lost))
    assert result["error"]["kind"] == "outcome_unknown" and result["error"]["http_status"] == 502
    assert "another change" in result["msg"] and result["changed"]
    assert "Before: department 2,000 GB total" in result["msg"] and "Now: department 1,970 GB total" in result["msg"]


@pytest.fixture(name="slept")
def fixture_slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause between two tries; none of them takes any time."""
    seconds: list[float] = []
    monkeypatch.setattr("ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting.time.sleep", seconds.append)
    return seconds


def test_the_run_waits_for_a_reading_that_lags_behind(koodrive: KooDriveForTests, slept: list[float]) -> None:
    koodrive.script(OK, Fault(lag=6))
    result = koodrive.run(GROUP, verify_timeout=60)
    assert result["changed"] and result["verified"] and result["warnings"] == []
    assert koodrive.methods() == ["GET", "POST"] + ["GET"] * 7
    for pause, most in zip(slept, (min(moving.FIRST_LOOK_AGAIN * 2**n, moving.LONGEST_LOOK_AGAIN) for n in range(6))):
        assert most / 2 <= pause <= most


def test_the_first_reading_after_a_transfer_does_not_wait(koodrive: KooDriveForTests, pauses: list[float | None]) -> None:
    koodrive.run(GROUP)
    assert pauses == [] and koodrive.methods() == ["GET", "POST", "GET"]


@pytest.mark.parametrize("trouble", [{"reply": "reset"}, {"reply": "not-json"}, {"reply": "status", "status": 503}], ids=str)
def test_failed_readings_after_an_accepted_transfer_are_tried_again(koodrive: KooDriveForTests, slept: list[float], trouble: dict[str, Any]) -> None:
    koodrive.script(OK, OK, Fault(**trouble), Fault(**trouble))
    assert koodrive.run(GROUP, verify_timeout=5, retries=3)["verified"]
    assert koodrive.methods() == ["GET", "POST", "GET", "GET", "GET"]
    # The pauses of the verification, not those of a read that is repeated.
    assert 0.1 <= slept[0] <= 0.2 <= slept[1] <= 0.4


def test_an_accepted_transfer_that_never_shows_is_not_verified(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(GROUP, **quick(koodrive, OK, Fault(apply="no")))
    assert result["error"]["kind"] == "not_verified" and not result["changed"]
    assert "KooDrive accepted it, but after 0.3 seconds the pools do not show it: group lacks 100 GB" in result["msg"]
    assert writes(koodrive) == 1


def test_an_accepted_addition_that_never_shows_is_not_taken_for_another_change(koodrive: KooDriveForTests) -> None:
    instead = {"originType": 1, "target": [{"type": 2, "expandCapacity": 30}]}
    addition = {"type": "group", "expand_capacity": 30}
    result = koodrive.failure(addition, **quick(koodrive, OK, Fault(apply="no", interloper=instead)))
    assert result["error"]["kind"] == "not_verified"
    assert "KooDrive accepted it, but after 0.3 seconds the pools show another change than this transfer." in result["msg"]


def test_a_transfer_for_some_targets_only_is_not_verified(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(*BOTH, **quick(koodrive, OK, Fault(apply="partly")))
    assert result["error"]["kind"] == "not_verified" and result["changed"]
    assert "individual lacks 7 GB" in result["msg"] and "group lacks" not in result["msg"]
    assert result["allocation"]["group"]["total_capacity"] == 600


def test_another_writer_is_a_warning(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, Fault(interloper=INTERLOPER))
    result = koodrive.run(GROUP)
    assert result["changed"] and result["verified"]
    assert len(result["warnings"]) == 1 and "department -30 GB, individual +30 GB" in result["warnings"][0]


def test_another_writer_that_takes_the_capacity_is_a_failure(koodrive: KooDriveForTests) -> None:
    taken = {"originType": 2, "target": [{"type": 1, "expandCapacity": 60}]}
    result = koodrive.failure(GROUP, **quick(koodrive, OK, Fault(interloper=taken)))
    assert result["error"]["kind"] == "not_verified" and "group lacks 60 GB" in result["msg"]


def test_a_write_after_a_rate_limit_is_sent_again(koodrive: KooDriveForTests) -> None:
    limited = Fault(apply="no", reply="status", status=429)
    koodrive.script(OK, limited, OK, limited)
    result = koodrive.run(*BOTH, retries=2)
    assert koodrive.methods() == ["GET", "POST", "GET", "POST", "GET", "POST", "GET"]
    assert result["changed"] and result["warnings"] == []
    assert koodrive.totals() == {"department": 1893, "individual": 1007, "group": 600}


def test_a_write_is_sent_again_only_as_often_as_retries_says(koodrive: KooDriveForTests) -> None:
    limited = Fault(apply="no", reply="status", status=429, code="APIGW.0308")
    koodrive.script(OK, limited, OK, limited, OK, limited)
    result = koodrive.failure(GROUP, retries=1)
    assert koodrive.methods() == ["GET", "POST", "GET", "POST", "GET"]
    assert result["error"]["kind"] == "rate_limited" and "Wait a minute" in result["msg"]


def test_retry_after_is_used_up_to_a_limit(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, Fault(apply="no", reply="status", status=429, retry_after="1"))
    start = time.monotonic()
    koodrive.run(GROUP, retries=1)
    assert 1 <= time.monotonic() - start < 4
    koodrive.script(OK, Fault(apply="no", reply="status", status=429, retry_after="3600"))
    start = time.monotonic()
    koodrive.run({"type": "group", "expand_capacity": 1}, retries=1, timeout=0.4)
    assert 0.4 <= time.monotonic() - start < 4


def test_retry_after_is_used_between_looks_for_a_transfer(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, OK, Fault(apply="no", reply="status", status=429, retry_after="1"))
    start = time.monotonic()
    assert koodrive.run(GROUP, verify_timeout=5)["verified"]
    assert 1 <= time.monotonic() - start < 4 and koodrive.methods() == ["GET", "POST", "GET", "GET"]


@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("targets", [[GROUP], BOTH], ids=["desired", "with expand"])
def test_a_rate_limit_after_a_done_transfer_does_not_make_it_twice(koodrive: KooDriveForTests, targets: list[dict[str, Any]], retries: int) -> None:
    koodrive.script(OK, Fault(apply="yes", reply="status", status=429))
    result = koodrive.run(*targets, retries=retries)
    assert writes(koodrive) == 1 and koodrive.totals()["group"] == 600
    assert result["changed"] and result["verified"] and "did not send it again" in result["warnings"][0]


@pytest.mark.parametrize("retries", [0, 3])
def test_after_a_rate_limit_nothing_is_added_to_pools_that_changed(koodrive: KooDriveForTests, retries: int) -> None:
    koodrive.script(OK, Fault(apply="yes", reply="status", status=429, interloper=INTERLOPER))
    result = koodrive.failure(*BOTH, retries=retries)
    assert writes(koodrive) == 1 and result["error"]["kind"] == "rate_limited"
    assert "the pools have changed since" in result["msg"] and "adds again" in result["msg"] and "moved nothing" not in result["msg"]
    assert result["changed"]


@pytest.mark.parametrize("retries", [0, 3])
def test_a_key_stays_used_after_a_rate_limit_and_another_change(koodrive: KooDriveForTests, retries: int) -> None:
    koodrive.script(OK, Fault(apply="yes", reply="status", status=429, interloper=INTERLOPER))
    addition = {"type": "group", "expand_capacity": 100}
    result = koodrive.failure(addition, retries=retries, idempotency_key="order-1")
    assert result["error"]["kind"] == "rate_limited" and "use another idempotency_key" in result["msg"]
    assert koodrive.failure(addition, idempotency_key="order-1")["error"]["kind"] == "outcome_unknown"
    assert writes(koodrive) == 1


def test_the_last_rate_limit_leaves_a_desired_state_that_lacks_capacity_to_the_next_run(koodrive: KooDriveForTests) -> None:
    taken = {"originType": 2, "target": [{"type": 1, "expandCapacity": 20}]}
    koodrive.script(OK, Fault(apply="yes", reply="status", status=429, interloper=taken))
    result = koodrive.failure(GROUP)
    assert result["error"]["kind"] == "rate_limited" and result["changed"]
    assert "the pools have changed since" in result["msg"] and "moved nothing" not in result["msg"] and "Wait a minute and run again." in result["msg"]
    assert koodrive.run(GROUP)["transfers"] == [{"type": "group", "expand_capacity": 20}]


@pytest.mark.parametrize("retries", [0, 1])
def test_an_addition_stays_open_after_a_rate_limit_if_the_pools_cannot_be_read(koodrive: KooDriveForTests, retries: int) -> None:
    koodrive.script(OK, Fault(apply="yes", reply="status", status=429, retry_after="0"), *4 * [Fault(reply="status", status=429, retry_after="0")])
    addition = {"type": "group", "expand_capacity": 100}
    result = koodrive.failure(addition, retries=retries, idempotency_key="order-1")
    assert result["error"]["kind"] == "rate_limited" and "the pools could not be read after it" in result["msg"]
    assert "moved nothing" not in result["msg"] and "sends nothing while this transfer is open" in result["msg"]
    koodrive.script()
    again = koodrive.run(addition, idempotency_key="order-1")
    assert not again["changed"] and again["earlier"] is not None and writes(koodrive) == 1


def test_the_last_rate_limit_counts_even_if_the_pools_cannot_be_read(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, Fault(apply="no", reply="status", status=429), Fault(reply="reset"))
    result = koodrive.failure(GROUP)
    assert result["error"]["kind"] == "rate_limited" and "This task moved nothing. Wait a minute" in result["msg"]
    assert koodrive.run(GROUP)["changed"]


def test_after_a_rate_limit_a_desired_state_is_planned_again(koodrive: KooDriveForTests) -> None:
    given = {"originType": 0, "target": [{"type": 2, "expandCapacity": 40}]}
    koodrive.script(OK, Fault(apply="no", reply="status", status=429, interloper=given))
    result = koodrive.run(GROUP, retries=1)
    assert result["transfers"] == [{"type": "group", "expand_capacity": 60}] and result["changed"]
    assert koodrive.totals() == MOVED


@pytest.mark.parametrize("retries", [0, 1])
def test_after_a_rate_limit_the_pools_may_need_no_transfer(koodrive: KooDriveForTests, retries: int) -> None:
    given = {"originType": 0, "target": [{"type": 2, "expandCapacity": 140}]}
    koodrive.script(OK, Fault(apply="no", reply="status", status=429, interloper=given))
    result = koodrive.run(GROUP, retries=retries)
    assert not result["changed"] and result["transfers"] == [] and result["verified"]
    assert result["warnings"] == ["KooDrive answered a transfer with HTTP 429, and the pools have changed since."]


def test_a_write_without_a_connection_is_sent_again(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, Fault(reply="refuse", seconds=0.05), OK, OK)
    result = koodrive.run({"type": "group", "expand_capacity": 5}, retries=20, timeout=0.4)
    assert result["changed"] and result["warnings"] == []
    assert writes(koodrive) == 1 and koodrive.totals()["group"] == 505


def test_a_write_without_a_connection_is_not_sent_again_without_retries(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, Fault(reply="refuse", seconds=0.3))
    result = koodrive.failure(GROUP)
    assert result["error"]["kind"] == "unreachable" and writes(koodrive) == 0
    assert "This task moved nothing" in result["msg"] and result["allocation"]["group"]["total_capacity"] == 500


def test_the_message_says_if_the_pools_show_a_refused_transfer(koodrive: KooDriveForTests) -> None:
    koodrive.script(OK, Fault(apply="yes", reply="status", status=400, code=13000102))
    result = koodrive.failure(GROUP, retries=3)
    assert writes(koodrive) == 1 and result["error"]["kind"] == "rejected" and result["changed"]
    assert "But the pools show exactly this transfer" in result["msg"] and "moved nothing" not in result["msg"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"reply": "refuse", "seconds": 0.01},
        {"reply": "reset"},
        {"reply": "hang"},
        {"reply": "drip"},
        {"reply": "drip-headers", "seconds": 0.01},
        {"reply": "short"},
        {"reply": "status", "status": 429},
        {"reply": "status", "status": 500},
        {"reply": "status", "status": 400, "code": 13000201},
        {"reply": "gateway", "status": 504, "code": "APIGW.0201"},
        {"reply": "status", "status": 503, "retry_after": "0"},
    ],
    ids=str,
)
def test_a_read_is_tried_again(koodrive: KooDriveForTests, trouble: dict[str, Any]) -> None:
    koodrive.script(Fault(**trouble), Fault(**trouble), OK)
    assert koodrive.run(GROUP, timeout=0.4, retries=5)["changed"]
    assert koodrive.totals() == MOVED


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ({"reply": "status", "status": 401}, "authentication"),
        ({"reply": "status", "status": 403}, "authentication"),
        ({"reply": "status", "status": 400, "code": "UNKNOWN"}, "authentication"),
        ({"reply": "status", "status": 400, "code": 13000412}, "rejected"),
        ({"reply": "status", "status": 404}, "rejected"),
        ({"reply": "not-json"}, "invalid_reply"),
        ({"reply": "truncated"}, "invalid_reply"),
        ({"reply": "empty"}, "invalid_reply"),
        ({"reply": "oversized"}, "invalid_reply"),
        ({"reply": "endless"}, "invalid_reply"),
        ({"reply": "redirect"}, "invalid_reply"),
        ({"reply": "redirect-page"}, "invalid_reply"),
        ({"reply": "redirect-endless"}, "invalid_reply"),
        ({"reply": "brotli"}, "invalid_reply"),
        ({"reply": "bomb"}, "invalid_reply"),
    ],
    ids=str,
)
def test_a_refused_read_and_an_invalid_reply_are_not_tried_again(koodrive: KooDriveForTests, trouble: dict[str, Any], kind: str) -> None:
    koodrive.script(Fault(**trouble))
    result = koodrive.failure(GROUP, retries=3)
    assert result["error"]["kind"] == kind and koodrive.methods() == ["GET"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("oversized", "the reply has more than 1048576 bytes and was not read"),
        ("redirect", "it is a redirect to 'http://127.0.0.1:"),
        ("redirect-page", "it is a redirect to 'https://login.example.org/elsewhere', which is not followed (HTTP 302, it is empty)"),
        ("redirect-endless", "it is a redirect to 'nowhere:://', which is not followed"),
        ("brotli", "it is compressed (br), which was not asked for, and cannot be read"),
        ("bomb", "it is compressed (gzip)"),
    ],
)
def test_the_message_shows_a_strange_reply(koodrive: KooDriveForTests, reply: str, words: str) -> None:
    koodrive.script(Fault(reply=reply))
    message = koodrive.failure(GROUP)["msg"]
    assert words in message and message.isprintable() and "\N{REPLACEMENT CHARACTER}" not in message
    koodrive.script(Fault(), Fault(apply="no", reply=reply))
    assert words in koodrive.failure(GROUP, verify_timeout=0)["msg"]


@pytest.mark.parametrize("reply", ["gzip", "chunked", "until-closed"])
def test_a_strange_reply_with_valid_content_is_valid(koodrive: KooDriveForTests, reply: str) -> None:
    koodrive.script(*[Fault(reply=reply)] * 3)
    result = koodrive.run(GROUP)
    assert result["changed"] and result["warnings"] == [] and koodrive.methods() == ["GET", "POST", "GET"]


@pytest.mark.parametrize("reply", ["redirect-endless", "endless", "oversized", "bomb"])
def test_no_reply_takes_more_memory_than_the_limit(koodrive: KooDriveForTests, reply: str) -> None:
    # One run before, so that imports do not count.
    for _time in range(2):
        koodrive.script(Fault(reply=reply))
        tracemalloc.start()
        koodrive.failure(GROUP)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 * MAX_REPLY


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ({"reply": "reset"}, "unreachable"),
        ({"reply": "short"}, "unreachable"),
        ({"reply": "status", "status": 429}, "rate_limited"),
        ({"reply": "status", "status": 503}, "server_error"),
        ({"reply": "status", "status": 400, "code": 13000201}, "server_error"),
    ],
    ids=str,
)
def test_retries_end(koodrive: KooDriveForTests, trouble: dict[str, Any], kind: str) -> None:
    koodrive.script(*[Fault(**trouble)] * 10)
    result = koodrive.failure(GROUP, retries=2)
    assert result["error"]["kind"] == kind and koodrive.methods() == ["GET"] * 3


@pytest.mark.parametrize("reply", ["hang", "drip", "drip-headers"])
def test_a_slow_server_does_not_exceed_the_timeout(koodrive: KooDriveForTests, reply: str) -> None:
    koodrive.script(*[Fault(reply=reply, seconds=0.1)] * 10)
    start = time.monotonic()
    result = koodrive.failure(GROUP, retries=1, timeout=0.5)
    assert 1 <= time.monotonic() - start < 4
    assert result["error"]["kind"] == "unreachable"
    if reply != "hang":
        assert "no complete reply within 0.5 seconds" in result["msg"]


@pytest.mark.parametrize(("offset", "words"), [(-60, "6[01] seconds ahead of"), (7200, "(7199|7200) seconds behind")])
def test_a_wrong_clock_is_corrected(koodrive: KooDriveForTests, offset: int, words: str) -> None:
    koodrive.state.credentials.clock_offset = offset
    result = koodrive.run(GROUP, tenant="ours", **koodrive.app)
    assert koodrive.methods() == ["GET", "GET", "POST", "GET"]
    assert result["changed"] and len(result["warnings"]) == 1
    assert re.search(words, result["warnings"][0])


@pytest.mark.parametrize("status", [400, 403])
def test_a_wrong_clock_is_corrected_after_each_refusal_that_it_can_cause(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    koodrive.state.credentials.clock_offset = -60
    real = koodrive.state.credentials.check

    def check(*args: Any) -> None:
        try:
            real(*args)
        except Refused as refused:
            raise Refused(status, refused.code, refused.message) from None

    monkeypatch.setattr(koodrive.state.credentials, "check", check)
    assert koodrive.run(GROUP, tenant="ours", **koodrive.app)["changed"]


def test_a_small_difference_of_clocks_needs_no_second_request(koodrive: KooDriveForTests) -> None:
    koodrive.state.credentials.clock_offset = 600
    assert koodrive.run(GROUP, **koodrive.app)["warnings"] == []
    result = koodrive.failure(GROUP, **{**koodrive.app, "app_secret": "wrong"})
    assert koodrive.methods() == ["GET", "POST", "GET", "GET"] and result["warnings"] == []


def test_a_wrong_clock_and_a_wrong_secret_end_after_one_more_request(koodrive: KooDriveForTests) -> None:
    koodrive.state.credentials.clock_offset = -60
    result = koodrive.failure(GROUP, tenant="ours", **{**koodrive.app, "app_secret": "wrong"})
    assert koodrive.methods() == ["GET", "GET"] and result["error"]["kind"] == "authentication"
    assert "clock" in result["warnings"][0]


def test_a_token_needs_no_clock(koodrive: KooDriveForTests) -> None:
    koodrive.state.credentials.clock_offset = -60
    assert koodrive.failure(GROUP, token="wrong")["warnings"] == []
    assert koodrive.methods() == ["GET"]


def test_a_signature_that_the_server_repeats_is_masked(koodrive: KooDriveForTests) -> None:
    koodrive.state.echo = True
    result = koodrive.failure(GROUP, **{**koodrive.app, "user_id": "another"})
    assert "Signature=********" in result["msg"] and "Signature=********" in result["error"]["message"]


def test_one_connection_serves_a_whole_run(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP)
    assert len({request["connection"] for request in koodrive.state.requests}) == 1


def test_a_length_of_thousands_of_digits_is_too_long(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(reply="raw", raw=b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}"))
    failure = koodrive.failure(GROUP)
    assert failure["error"]["kind"] == "invalid_reply" and f"more than {MAX_REPLY} bytes" in failure["msg"]
