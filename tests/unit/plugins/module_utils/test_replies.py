# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies -> values or typed errors."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.replies import MAX_POOL, Reply, pools_of, value_of

ROWS = [
    {"type": 0, "allocateCapacity": 400, "totalCapacity": 2000},
    {"type": 1, "allocateCapacity": 900, "totalCapacity": 1000},
    {"type": 2, "allocateCapacity": 500, "totalCapacity": 500},
]
POOLS = {"department": Pool(2000, 400), "individual": Pool(1000, 900), "group": Pool(500, 500)}


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def show(text: str) -> str:
    return text


def read(data: Any) -> Any:
    return pools_of(reply({"code": 0, "msg": "ok", "data": data}), show)


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
        ([{"type": 2, "allocateCapacity": 501, "totalCapacity": 500}], {"group": Pool(500, 501)}),
        ([{"type": 2, "allocateCapacity": 0, "totalCapacity": MAX_POOL}], {"group": Pool(MAX_POOL, 0)}),
    ],
)
def test_every_reading_of_the_reference_is_accepted(data: Any, pools: Any) -> None:
    assert read(data) == pools


@pytest.mark.parametrize("code", [0, "0"])
def test_success_as_number_or_text(code: Any) -> None:
    assert value_of(reply({"code": code, "msg": "Successful"}), True, show)["msg"] == "Successful"


def row(**change: Any) -> list[dict[str, Any]]:
    return [{**ROWS[0], **change}]


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
def test_a_read_that_makes_no_sense_is_never_taken_for_a_number(data: Any) -> None:
    with pytest.raises(KooDriveError) as caught:
        read(data)
    assert caught.value.kind == "invalid_reply"
    assert not caught.value.passing


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"<html>login</html>", b"\xff\xfe", b"[" * 100000, {"data": ROWS}, {"code": None}, {"code": False},
     {"code": 0.0}, {"code": [0]}, {"code": ""}],
)
def test_a_reply_without_a_code_is_no_reply_of_koodrive(body: Any) -> None:
    for is_write in (False, True):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(body), is_write, show)
        assert (caught.value.kind, caught.value.may_have_moved) == ("invalid_reply", is_write)


def test_a_reply_that_makes_no_sense_is_quoted_as_shown() -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(b"<html>secret</html>"), False, lambda text: text.replace("secret", "***"))
    assert "it begins with '<html>***</html>'" in caught.value.what


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
        (400, 13000201, False, "authentication"),
        (400, 13000201, True, "rejected"),
        (400, None, False, "authentication"),
        (401, "APIGW.0301", False, "authentication"),
        (401, None, True, "authentication"),
        (403, "APIGW.0302", True, "authentication"),
        (404, "APIGW.0101", False, "rejected"),
        (429, "APIGW.0308", False, "rate_limited"),
        (429, None, True, "rate_limited"),
    ],
)
def test_a_refusal_says_that_nothing_was_processed(status: int, code: Any, is_write: bool, kind: str) -> None:
    body = {"msg": "Its words."} if code is None else {"code": code, "msg": "Its words."}
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(body, status), is_write, show)
    error = caught.value
    assert error.kind == kind
    assert error.as_result()["error"] == {
        "kind": kind,
        "http_status": status,
        "code": None if code is None else str(code),
        "message": "Its words.",
    }
    assert "Its words." in error.as_result()["msg"] and f"HTTP {status}" in error.as_result()["msg"]
    assert not error.may_have_moved
    assert error.passing == (status == 429)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408])
@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", {"code": 13000311, "msg": "Insufficient space."}])
def test_a_server_error_leaves_open_whether_a_write_was_processed(status: int, body: Any) -> None:
    for is_write in (False, True):
        with pytest.raises(KooDriveError) as caught:
            value_of(reply(body, status), is_write, show)
        assert (caught.value.kind, caught.value.passing, caught.value.may_have_moved) == ("server_error", True, is_write)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_no_answer(status: int) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply({"code": 0}, status, Location="https://elsewhere.example.org"), True, show)
    assert (caught.value.kind, caught.value.may_have_moved) == ("invalid_reply", True)
    assert "redirect" in caught.value.what


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("", None), ("-5", None), ("soon", None), ("1" * 50, None), (formatdate(0, usegmt=True), 0.0)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply(b"", 429, **{"Retry-After": text}), False, show)
    assert caught.value.retry_after == seconds


def test_what_koodrive_says_is_shown_only_as_fit() -> None:
    with pytest.raises(KooDriveError) as caught:
        value_of(reply({"code": "c0de", "msg": "secret"}, 401), False, lambda text: text.upper())
    assert (caught.value.code, caught.value.message) == ("C0DE", "SECRET")
    assert "secret" not in caught.value.what and "c0de" not in caught.value.what
