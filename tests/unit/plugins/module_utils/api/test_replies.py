# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the values and errors that replies turn into."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import redact
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import (
    MAX_POOL,
    Call,
    Reply,
    http_date,
    pools_of,
    quota_pools_of,
    shows_one_pool,
    value_of,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Pool

ROWS = [
    {"type": 0, "allocateCapacity": 400, "totalCapacity": 2000},
    {"type": 1, "allocateCapacity": 900, "totalCapacity": 1000},
    {"type": 2, "allocateCapacity": 500, "totalCapacity": 500},
]
POOLS = {"department": Pool(2000, 400), "individual": Pool(1000, 900), "group": Pool(500, 500)}


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def call(is_write: bool = False, redacted: Callable[[str], str] = str) -> Call:
    return Call("Asking", is_write, redacted)


def read(data: Any) -> Any:
    return pools_of(reply({"code": 0, "msg": "ok", "data": data}), call())


def as_text(row: dict[str, int]) -> dict[str, str]:
    return {key: str(value) for key, value in row.items()}


@pytest.mark.parametrize(
    ("data", "pools"),
    [
        (ROWS, POOLS),
        ([as_text(row) for row in ROWS], POOLS),
        ([{**row, "totalCapacity": float(row["totalCapacity"])} for row in ROWS], POOLS),
        (ROWS[0], {"department": POOLS["department"]}),
        (as_text(ROWS[2]), {"group": POOLS["group"]}),
        (ROWS[1:], {name: POOLS[name] for name in ("individual", "group")}),
        ([], {}),
        ([*ROWS, {"type": 7, "allocateCapacity": 1, "totalCapacity": 1}], POOLS),
        ([*ROWS, {"type": 7, "allocateCapacity": None, "totalCapacity": -1}, {"type": 7}], POOLS),
        ([{"type": 2, "allocateCapacity": 501, "totalCapacity": 500}], {"group": Pool(500, 501)}),
        ([{"type": 2, "allocateCapacity": 0, "totalCapacity": MAX_POOL}], {"group": Pool(MAX_POOL, 0)}),
    ],
)
def test_every_shape_in_the_reference_is_accepted(data: Any, pools: Any) -> None:
    assert read(data) == pools


@pytest.mark.parametrize("code", [0, "0"])
def test_success_as_number_or_text(code: Any) -> None:
    assert value_of(reply({"code": code, "msg": "Successful"}), call(True))["msg"] == "Successful"


def test_a_masked_code_still_decides_what_the_reply_means() -> None:
    hide = call(True, lambda _text: "********")
    assert value_of(reply({"code": 0, "msg": "ok"}), hide)["code"] == 0
    # After a fault of the server, the write may have been processed.
    expected = {13000201: ("server_error", "13000201", True), 13000311: ("insufficient_capacity", "13000311", False), "new": ("rejected", "********", False)}
    for code, meaning in expected.items():
        with pytest.raises(KooDriveError) as caught:
            value_of(reply({"code": code, "msg": "no"}, 400), hide)
        assert (caught.value.kind, caught.value.answer.code, caught.value.may_have_moved) == meaning
        assert caught.value.answer.message == "********"


def row(**change: Any) -> list[dict[str, Any]]:
    return [{**ROWS[0], **change}]


def test_the_error_says_whether_a_field_is_missing_or_wrong() -> None:
    for data, words in ((row(totalCapacity=None), "totalCapacity is not a whole number"), ([{"type": 0}], "a row of data has no totalCapacity")):
        with pytest.raises(KooDriveError, match=words):
            read(data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        "text",
        5,
        [None],
        [[]],
        ["row"],
        [ROWS[0], ROWS[0]],
        [ROWS[0], as_text(ROWS[0])],
        [{"type": 0, "totalCapacity": 5}],
        [{"totalCapacity": 5, "allocateCapacity": 1}],
        row(type=None),
        row(type="department"),
        row(totalCapacity=-1),
        row(totalCapacity="-1"),
        row(allocateCapacity=-1),
        row(totalCapacity=True),
        row(totalCapacity=None),
        row(totalCapacity=""),
        row(totalCapacity="1e3"),
        row(totalCapacity="1_000"),
        row(totalCapacity=" 1"),
        row(totalCapacity="١"),
        row(totalCapacity="12.0"),
        row(totalCapacity=1.5),
        row(totalCapacity=float("nan")),
        row(totalCapacity=float("inf")),
        row(totalCapacity=[1]),
        row(totalCapacity=MAX_POOL + 1),
        row(totalCapacity=10**30),
        row(totalCapacity="9" * 5000),
    ],
)
def test_an_invalid_read_never_counts_as_a_number(data: Any) -> None:
    with pytest.raises(KooDriveError) as caught:
        read(data)
    assert caught.value.kind == "invalid_reply"
    assert not caught.value.transient


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>login</html>",
        b"\xff\xfe",
        b"[" * 100000,
        {"data": ROWS},
        {"code": None},
        {"code": False},
        {"code": 0.0},
        {"code": [0]},
        {"code": ""},
    ],
)
def test_a_reply_without_a_code_is_not_valid(body: Any) -> None:
    for is_write in (False, True):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(body), call(is_write))
        assert (caught.value.kind, caught.value.may_have_moved) == ("invalid_reply", is_write)


PAGE = b"""\xef\xbb\xbf<!DOCTYPE html>
<html><head><title>Blocked &amp; logged</title><style>p { color: red }</style>
<!-- <p>built 2026</p> --><script>if (1 < 2) { go("elsewhere") }</script></head>
<body><p>Access&nbsp;denied by   <b>policy</b> 17"""


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 407, 408, 418, 429, 500, 502, 503])
@pytest.mark.parametrize("is_write", [False, True])
def test_a_page_is_not_a_reply_of_koodrive(status: int, is_write: bool) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(PAGE, status), call(is_write))
    error = caught.value
    kind = "server_error" if status >= 500 or status == 408 else "rate_limited" if status == 429 else "invalid_reply"
    assert (error.kind, error.transient) == (kind, kind != "invalid_reply")
    assert error.may_have_moved is (is_write and status != 429)
    assert error.answer == (status, None, None, None)
    text = "Blocked & logged Access denied by policy 17"
    whose = "the reply seems to come from a proxy, a gateway or a login page, not from KooDrive"
    assert error.what == f"{whose} (HTTP {status}, its text begins with {text!r})"
    assert ("HTTPS_PROXY and NO_PROXY" in error.advice_from(ADVICE)) is (kind == "server_error" and not is_write)


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        (b"Access\n  denied.\n", "its text begins with 'Access denied.'"),
        (b'{"message": "no Route matched"}', 'its text begins with \'{"message": "no Route matched"}\''),
        (b"[]", "its text begins with '[]'"),
        (b"1 < 2 and 3 > 2", "its text begins with '1 < 2 and 3 > 2'"),
        (b"<html><body></body></html>", "its text begins with '<html><body></body></html>'"),
        (b"<p>Wait<script>endless(", "its text begins with 'Wait'"),
        (b"<p>Wait<!-- endless", "its text begins with 'Wait'"),
        (b"<p>" + b"x" * 1000, f"its text begins with '{'x' * 199}…'"),
        # One byte in another encoding: one of ten is accepted as text, one of nine is not.
        (b"Ferm\xe9 2 h.", "its text begins with 'Ferm\N{REPLACEMENT CHARACTER} 2 h.'"),
        (b"Ferm\xe9 2 h", "its 9 bytes are not text"),
        (b"\xff\xfe\x00\x01", "its 4 bytes are not text"),
    ],
)
def test_a_foreign_reply_is_shown_by_its_text(body: bytes, begins: str) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(body, 403), call())
    assert "not from KooDrive" in caught.value.what and begins in caught.value.what


SECRET = "c69b<d>e&f-1234567890"


@pytest.mark.parametrize(
    "page",
    [
        f"<html>You sent {SECRET}.</html>",
        f"<html>You sent {html.escape(SECRET)}.</html>",
        f"<html>You sent {html.escape(html.escape(SECRET))}.</html>",
        f"<a href='?token={quote(SECRET)}'>{quote(SECRET)}</a>",
        f"<p>{'x' * 190} {html.escape(SECRET)}",
        f"{'x' * 190} {SECRET}",
    ],
)
def test_a_page_shows_no_secret(page: str) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(page.encode(), 403), call(redacted=lambda text: redact(text, [SECRET])))
    assert "c69b" not in caught.value.what


def test_an_empty_refusal_may_be_that_of_a_proxy() -> None:
    for status, kind in ((401, "authentication"), (403, "authentication"), (404, "rejected")):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(b"", status), call())
        assert caught.value.kind == kind and caught.value.what.endswith(f"(HTTP {status}), or a proxy in front of it did")


def test_no_other_refusal_names_a_proxy() -> None:
    for status, body in ((429, b""), (400, json.dumps({"code": 13000102}).encode())):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(body, status), call(is_write=True))
        assert "proxy" not in caught.value.what


def test_refused_credentials_have_the_advice_of_the_credentials() -> None:
    for is_write in (False, True):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply({"code": "APIGW.0301"}, 401), Call("Asking", is_write, str, "Get a new one."))
        assert caught.value.advice_from(ADVICE).endswith("Get a new one.")


@pytest.mark.parametrize(
    ("status", "code", "is_write", "kind"),
    [
        (400, 13000102, False, "rejected"),
        (400, 13000102, True, "rejected"),
        (400, "13000301", True, "rejected"),
        (400, 13000311, True, "insufficient_capacity"),
        (200, "13000311", True, "insufficient_capacity"),
        (400, 13000410, True, "rejected"),
        (400, 13000412, False, "rejected"),
        (200, 13000410, True, "rejected"),
        (400, None, False, "authentication"),
        (401, "APIGW.0301", False, "authentication"),
        (401, "APIGW.0301", True, "authentication"),
        (403, "APIGW.0302", True, "authentication"),
        (404, "APIGW.0101", False, "rejected"),
        (429, "APIGW.0308", False, "rate_limited"),
        (429, None, True, "rate_limited"),
    ],
)
def test_a_refusal_says_that_nothing_was_processed(status: int, code: Any, is_write: bool, kind: str) -> None:
    body = {"msg": "Its words."} if code is None else {"code": code, "msg": "Its words."}
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(body, status), call(is_write))
    error = caught.value
    assert error.kind == kind
    assert error.as_result()["error"] == {
        "kind": kind,
        "http_status": status,
        "code": None if code is None else str(code),
        "message": "Its words.",
        "request_id": None,
    }
    assert error.action == "Asking"
    assert "Its words." in error.as_result()["msg"] and f"HTTP {status}" in error.as_result()["msg"]
    assert not error.may_have_moved
    assert error.transient == (status == 429)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408])
@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", {"code": 13000311, "msg": "Insufficient space."}])
def test_after_a_server_error_a_write_may_have_been_processed(status: int, body: Any) -> None:
    for is_write in (False, True):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(body, status), call(is_write))
        assert (caught.value.kind, caught.value.transient, caught.value.may_have_moved) == ("server_error", True, is_write)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("code", [13000201, "13000201"])
@pytest.mark.parametrize("names", [("code", "msg"), ("error_code", "error_msg")])
def test_a_fault_of_the_server_is_recognized_with_every_status(status: int, code: Any, names: tuple[str, str]) -> None:
    body = dict(zip(names, (code, "inner server invoke failure")))
    for is_write in (False, True):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(body, status), call(is_write))
        assert (caught.value.kind, caught.value.transient, caught.value.may_have_moved) == ("server_error", True, is_write)
        assert caught.value.answer.code == "13000201" and "inner server invoke failure" in caught.value.what


@pytest.mark.parametrize("code", [0, "0", " 0 ", "00000000"])
def test_each_spelling_of_zero_is_a_success(code: Any) -> None:
    assert value_of(reply({"code": code}), call(is_write=True)) == {"code": code}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
@pytest.mark.parametrize("body", [{"code": 0}, {"code": "000"}, {"code": "0", "msg": "Successful"}, {"code": None}, {"msg": "Blocked"}])
def test_a_4xx_without_the_code_of_an_error_refuses_no_transfer(status: int, body: Any) -> None:
    with pytest.raises(KooDriveError, match="it has no code of an error, so it is not KooDrive's") as caught:
        value_of(reply(body, status), call(is_write=True))
    assert (caught.value.kind, caught.value.may_have_moved) == ("invalid_reply", True)


GATEWAY = {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information", "request_id": "c0ffee"}


@pytest.mark.parametrize(
    ("status", "is_write", "kind", "open_after"),
    [
        (401, False, "authentication", False),
        (401, True, "authentication", False),
        (404, True, "rejected", False),
        (429, True, "rate_limited", False),
        (502, False, "server_error", False),
        (502, True, "server_error", True),
        (200, True, "rejected", False),
    ],
)
def test_the_gateways_body_is_read_like_koodrives_body(status: int, is_write: bool, kind: str, open_after: bool) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(GATEWAY, status), call(is_write))
    error = caught.value
    assert (error.kind, error.may_have_moved) == (kind, open_after)
    assert error.answer == (status, "APIGW.0301", GATEWAY["error_msg"], "c0ffee")
    assert f'(HTTP {status}, code APIGW.0301, "{GATEWAY["error_msg"]}", request ID c0ffee)' in error.what


@pytest.mark.parametrize("code", [None, ""])
def test_an_empty_code_of_koodrive_leaves_the_gateways_code(code: str | None) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply({**GATEWAY, "code": code}, 401), call(True))
    assert caught.value.answer.code == "APIGW.0301" and not caught.value.may_have_moved


def test_koodrives_code_takes_precedence_over_the_gateways_code() -> None:
    assert value_of(reply({"code": 0, "error_code": "APIGW.0301"}), call())
    with pytest.raises(KooDriveError) as caught:
        value_of(reply({**GATEWAY, "code": 13000410, "msg": "Own words.", "request_id": 7}, 400), call())
    assert caught.value.answer == (400, "13000410", "Own words.", None)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, 13000410, "only a system administrator"),
        (401, "APIGW.0301", "only a system administrator"),
        (403, "APIGW.0301", "yearly or monthly billing"),
        (400, 13000412, "frozen"),
    ],
)
def test_a_refused_write_says_what_its_code_means(status: int, code: Any, words: str) -> None:
    for is_write in (True, False):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply({"code": code}, status), call(is_write))
        assert (words in caught.value.advice_from(ADVICE)) is is_write


QUOTA = {
    "spaceCapacity": 10240,
    "deptSpaceQuota": 6144,
    "personalSpaceQuota": 2048,
    "groupSpaceQuota": 2048,
    "reservedSpaceQuota": 0,
    "deptSpaceQuotaUsed": 42,
    "personalSpaceQuotaUsed": 35,
    "groupSpaceQuotaUsed": 250,
    "spaceQuotaUsed": 327,
    "deptSpaceUsed": 1975057,
    "personalSpaceUsed": 3933426,
    "groupSpaceUsed": 1844815,
    "spaceUsed": 7753298,
    "userCount": 20,
    "userMaxCount": 100,
}


@pytest.mark.parametrize("data", [QUOTA, as_text(QUOTA)])
def test_the_second_read_has_all_pools(data: Any) -> None:
    pools = quota_pools_of(reply({"code": "0", "data": data}), call())
    assert pools == {"department": Pool(6144, 42), "individual": Pool(2048, 35), "group": Pool(2048, 250)}


def test_a_pool_missing_from_the_second_read_is_unknown() -> None:
    half = {name: value for name, value in QUOTA.items() if name not in ("deptSpaceQuota", "groupSpaceQuotaUsed")}
    assert quota_pools_of(reply({"code": 0, "data": half}), call()) == {"individual": Pool(2048, 35)}


@pytest.mark.parametrize("data", [None, [], [QUOTA], "text", {**QUOTA, "deptSpaceQuota": None}, {**QUOTA, "groupSpaceQuota": -1}])
def test_an_invalid_second_read_never_counts_as_a_number(data: Any) -> None:
    with pytest.raises(KooDriveError) as caught:
        quota_pools_of(reply({"code": 0, "data": data}), call())
    assert caught.value.kind == "invalid_reply"


def test_one_object_shows_one_pool() -> None:
    assert shows_one_pool(reply({"code": 0, "data": ROWS[0]})) and not shows_one_pool(reply({"code": 0, "data": ROWS[:1]}))


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
def test_a_redirect_is_not_a_valid_reply(status: int) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply({"code": 0}, status, Location="https://elsewhere.example.org"), call(True))
    assert (caught.value.kind, caught.value.may_have_moved) == ("invalid_reply", True)
    assert "redirect" in caught.value.what


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("", None), ("-5", None), ("soon", None), ("1" * 5000, None), (" 7 ", 7.0), ("1.5", None), (formatdate(0, usegmt=True), 0.0)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(b"", 429, **{"Retry-After": text}), call())
    assert caught.value.retry_after == seconds


def test_a_date_that_no_record_can_have_is_none() -> None:
    assert http_date("Fri, 01 Jan 9999 00:00:00 GMT") is None
    assert http_date("Wed, 31 Dec 1969 23:59:59 GMT") is None
    assert http_date("Thu, 31 Dec 9998 23:59:59 GMT") == 253370764799


@pytest.mark.parametrize("zone", ["GMT", "", "-0000", "+0000", "UTC"])
def test_a_date_is_in_utc_wherever_the_task_runs(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert http_date(f"Thu, 01 Jan 1970 00:01:00 {zone}") == 60
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("status", [400, 404])
def test_a_reply_that_is_not_koodrives_is_named_so_even_if_it_cannot_be_read(status: int) -> None:
    with pytest.raises(KooDriveError, match="seems to come from a proxy"):
        value_of(reply(b"\x00 no gzip", status, **{"Content-Encoding": "gzip"}), call(True))


def test_code_and_message_are_redacted() -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply({"code": "c0de", "msg": "secret"}, 401), call(False, lambda text: text.upper()))
    assert (caught.value.answer.code, caught.value.answer.message) == ("C0DE", "SECRET")
    assert "secret" not in caught.value.what and "c0de" not in caught.value.what
