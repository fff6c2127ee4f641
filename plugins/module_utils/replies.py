# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KooDrive's replies -> values or typed errors. Pure: no I/O, no Ansible.

Everything here takes ``show``, which makes text of the server fit for a message: see redaction.redact.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import MAX_CAPACITY, SPACE_TYPES, Allocation, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: A pool can hold many spaces, so it may be larger than the largest of them. This is beyond every pool, and below a
#: terabyte counted in bytes.
MAX_POOL = 10_000 * MAX_CAPACITY

#: Bytes. The replies of this API have a few hundred; what is longer is not one of them, compressed or not.
MAX_REPLY = 1024 * 1024
#: Characters of a strange reply that are looked at.
MAX_QUOTE = 1000
#: What zlib can undo, and what it needs to be told to find out by itself which of them it has.
COMPRESSIONS = ("gzip", "x-gzip", "deflate")
ANY_COMPRESSION = 32 + zlib.MAX_WBITS

#: KooDrive's refusals [ErrorCode]. On the read, any other code with HTTP 400 is an authentication failure.
INSUFFICIENT_SPACE = "13000311"
REFUSALS = {"13000102", "13000301", INSUFFICIENT_SPACE, "13000410", "13000412"}

#: Request Time-out: whoever says it, KooDrive or a proxy, does not say that the request was not processed.
REQUEST_TIMEOUT = 408

DIGITS = re.compile(r"[0-9]{1,20}")

Show = Callable[[str], str]


class Reply(NamedTuple):
    """What came back for a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def value_of(reply: Reply, is_write: bool, show: Show) -> dict[str, Any]:
    """The decoded body of a reply that reports success, ``code`` 0 as integer or string [ErrorCode].

    Raises KooDriveError: ``authentication``, ``insufficient_capacity``, ``rejected`` or ``rate_limited`` where KooDrive
    refused the request, ``server_error`` for HTTP 5xx, ``invalid_reply`` for everything that it should not send.
    """
    body, fault = _plain_body(reply)
    value = _decoded(body)
    code, message = _code_and_message(value, show)
    refused = 400 <= reply.status < 500 and reply.status != REQUEST_TIMEOUT
    if 200 <= reply.status < 300 and code is not None:
        if code == "0":
            return value
        refused = True
    if refused:
        raise _refusal(reply, code, message, is_write)
    if reply.status >= 500 or reply.status == REQUEST_TIMEOUT:
        raise KooDriveError(
            "server_error",
            f"KooDrive could not handle the request{_in_its_words(reply.status, code, message)}",
            http_status=reply.status,
            code=code,
            message=message,
            passing=True,
            retry_after=_retry_after(reply),
            may_have_moved=is_write,
        )
    if 300 <= reply.status < 400:
        fault = f"it is a redirect to {show(reply.headers.get('Location', 'nowhere'))!r}, which is not followed"
    raise _nonsense(fault or "it is no KooDrive reply", reply, show, may_have_moved=is_write)


def _plain_body(reply: Reply) -> tuple[bytes, str | None]:
    """The body without its compression, which nobody asked for; or nothing, and why there is no more."""
    encoding = reply.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return reply.body, None
    decoder = zlib.decompressobj(ANY_COMPRESSION)
    try:
        body = decoder.decompress(reply.body, MAX_REPLY) if encoding in COMPRESSIONS else b""
    except zlib.error:
        body = b""
    return (body, None) if decoder.eof else (b"", f"it is compressed ({encoding}), which was not asked for, and cannot be read")


def pools_of(reply: Reply, show: Show) -> Allocation:
    """The pools of a reply to the read [GetSpaceAllocation]: ``data`` as array or object, numbers as such or as text.

    Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, is_write=False, show=show).get("data")
    names = {number: name for name, number in SPACE_TYPES.items()}
    pools: dict[str, Pool] = {}
    try:
        for row in [data] if isinstance(data, dict) else data if isinstance(data, list) else _fail("it has no data"):
            if not isinstance(row, dict):
                _fail("data has something else than objects")
            number = _whole_number(row, "type")
            pool = Pool(_whole_number(row, "totalCapacity"), _whole_number(row, "allocateCapacity"))
            # A type that is not in the reference is a later addition to the service, and no pool of a transfer.
            name = names.get(number, str(number))
            if name in pools:
                _fail(f"it has the type {number} twice")
            pools[name] = pool
    except ValueError as error:
        raise _nonsense(str(error), reply, show) from error
    return {name: pool for name, pool in pools.items() if name in SPACE_TYPES}


def _fail(why: str) -> Any:
    raise ValueError(why)


def _whole_number(row: Mapping[str, Any], field: str) -> int:
    """The field as an int of 0 to MAX_POOL. Raises ValueError: nothing else is ever taken for a number, least for zero."""
    value = row.get(field)
    if isinstance(value, str) and DIGITS.fullmatch(value):
        number = int(value)
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise ValueError(f"{field} is no whole number" if field in row else f"a row of data has no {field}")
    if not 0 <= number <= MAX_POOL:
        raise ValueError(f"{field} is no possible number")
    return number


def _decoded(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``, or an empty one: what is no object has no code either, and that is what matters."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _code_and_message(value: Mapping[str, Any], show: Show) -> tuple[str | None, str | None]:
    """KooDrive's own code, always as text, and its message; None for what is not there."""
    code, message = value.get("code"), value.get("msg")
    known = isinstance(code, (int, str)) and not isinstance(code, bool) and code != ""
    return show(str(code)) if known else None, show(message) if isinstance(message, str) and message else None


def _refusal(reply: Reply, code: str | None, message: str | None, is_write: bool) -> KooDriveError:
    words = _in_its_words(reply.status, code, message)
    passing = False
    if reply.status == 429:
        kind, what, passing = "rate_limited", "KooDrive takes no more requests for now", True
    elif reply.status in (401, 403) or (reply.status == 400 and not is_write and code not in REFUSALS):
        kind, what = "authentication", "KooDrive refused the credentials"
    elif code == INSUFFICIENT_SPACE:
        kind, what = "insufficient_capacity", "KooDrive has too little space for it"
    else:
        kind, what = "rejected", "KooDrive refused the request"
    return KooDriveError(
        kind,
        f"{what}{words}",
        http_status=reply.status,
        code=code,
        message=message,
        passing=passing,
        retry_after=_retry_after(reply),
    )


def _in_its_words(status: int, code: str | None, message: str | None) -> str:
    parts = [f"HTTP {status}"]
    if code is not None:
        parts.append(f"code {code}")
    if message is not None:
        parts.append(f'"{message}"')
    return f" ({', '.join(parts)})"


def _nonsense(why: str, reply: Reply, show: Show, may_have_moved: bool = False) -> KooDriveError:
    return KooDriveError(
        "invalid_reply",
        f"the reply makes no sense: {show(why)} (HTTP {reply.status}, {_looks(reply, show)})",
        http_status=reply.status,
        may_have_moved=may_have_moved,
    )


def _looks(reply: Reply, show: Show) -> str:
    """How the body looks, for those who know what else may have answered."""
    if not reply.body:
        return "it is empty"
    text = _plain_body(reply)[0].decode("utf-8", "replace")[:MAX_QUOTE]
    strange = sum(char == "\N{REPLACEMENT CHARACTER}" or not (char.isprintable() or char.isspace()) for char in text)
    if not text or strange > len(text) / 10:
        return f"its {len(reply.body)} bytes are no text"
    return f"it begins with {show(text)!r}"


def _retry_after(reply: Reply) -> float | None:
    """The seconds that the reply's Retry-After asks to wait, given as a number or a date; None without one."""
    text = reply.headers.get("Retry-After", "").strip()
    if DIGITS.fullmatch(text):
        return float(text)
    moment = http_date(text)
    return None if moment is None else max(0.0, moment - time.time())


def http_date(text: str) -> float | None:
    """An HTTP date in seconds since 1970; None where ``text`` is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
