# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KooDrive's replies -> values or typed errors. Pure: no I/O, no Ansible."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import retry_after
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import Answer, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import MAX_CAPACITY, SPACE_TYPES, Allocation, Pool

#: Bytes. The replies of this API have a few hundred; what is longer is not one of them, compressed or not.
MAX_REPLY = 1024 * 1024
#: Characters of a strange reply that are looked at.
MAX_QUOTE = 1000
#: What zlib can undo, and what it needs to be told to find out by itself which of them it has.
COMPRESSIONS = ("gzip", "x-gzip", "deflate")
ANY_COMPRESSION = 32 + zlib.MAX_WBITS

#: A pool can hold many spaces, so it may be larger than the largest of them. This is beyond every pool, and below a
#: terabyte counted in bytes.
MAX_POOL = 10_000 * MAX_CAPACITY

#: KooDrive's refusals [ErrorCode]. On the read, any other code with HTTP 400 is an authentication failure.
BAD_PARAMETERS = "13000102"
INSUFFICIENT_SPACE = "13000311"
NO_PERMISSION = "13000410"
NOT_ACTIVE = "13000412"
REFUSALS = {BAD_PARAMETERS, "13000301", INSUFFICIENT_SPACE, NO_PERMISSION, NOT_ACTIVE}
#: A fault of the server, whatever the HTTP status [koodrive_05_0026, koodrive_05_0011].
INNER_INVOKE_FAILURE = "13000201"

#: Request Time-out: whoever says it, KooDrive or a proxy, does not say that the request was not processed.
REQUEST_TIMEOUT = 408
#: The gateway takes no more requests for now; it has processed none that it answers so.
TOO_MANY_REQUESTS = 429

#: What the second read has of each pool: total and allocated [GetQuotaUsed].
QUOTA_FIELDS = {
    "department": ("deptSpaceQuota", "deptSpaceQuotaUsed"),
    "individual": ("personalSpaceQuota", "personalSpaceQuotaUsed"),
    "group": ("groupSpaceQuota", "groupSpaceQuotaUsed"),
}

#: What the second read says of the data stored in each pool, in KB: no page of the reference names the unit [GetQuotaUsed].
STORED_FIELDS = {"department": "deptSpaceUsed", "individual": "personalSpaceUsed", "group": "groupSpaceUsed"}
KB_PER_GB = 1024 * 1024

DIGITS = re.compile(r"[0-9]{1,20}")


class Call(NamedTuple):
    """The call that a reply is for: the ``action`` of the work that errors name, whether it is the write, and ``show``, which makes text of
    the server fit for a message (redaction.redact).
    """

    action: str
    is_write: bool
    show: Callable[[str], str]


class Reply(NamedTuple):
    """What came back for a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def value_of(reply: Reply, call: Call) -> dict[str, Any]:
    """The decoded body of a reply that reports success, ``code`` 0 as integer or string [ErrorCode].

    Raises KooDriveError: ``authentication``, ``insufficient_capacity``, ``rejected`` or ``rate_limited`` where KooDrive
    refused the request, ``server_error`` for HTTP 5xx and the code of a fault of the server, ``invalid_reply`` for everything that
    it should not send.
    """
    body, fault = _plain_body(reply)
    value = _decoded(body)
    if 200 <= reply.status < 300 and _code(value) == "0":
        return value
    answer = _answer(reply, value, call)
    if reply.status >= 500 or reply.status == REQUEST_TIMEOUT or answer.code == INNER_INVOKE_FAILURE:
        raise _server_error(reply, answer, call)
    if call.is_write and answer.code is None and reply.status >= 400 and reply.status != TOO_MANY_REQUESTS:
        raise _nonsense("it has neither code nor error_code, so it is not KooDrive's", reply, call)
    if reply.status >= 400 or (200 <= reply.status < 300 and answer.code is not None):
        raise _refusal(reply, answer, call)
    if 300 <= reply.status < 400:
        fault = f"it is a redirect to {call.show(reply.headers.get('Location', 'nowhere'))!r}, which is not followed"
    raise _nonsense(fault or "it is no KooDrive reply", reply, call)


def pools_of(reply: Reply, call: Call) -> Allocation:
    """The pools of a reply to the read [GetSpaceAllocation]: ``data`` as array or object, numbers as such or as text.

    Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, call).get("data")
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
        raise _nonsense(str(error), reply, call) from error
    return {name: pool for name, pool in pools.items() if name in SPACE_TYPES}


def shows_one_pool(reply: Reply) -> bool:
    """Whether a reply to the read has ``data`` as one object, as the reference's example has, which cannot show all pools."""
    return isinstance(_decoded(_plain_body(reply)[0]).get("data"), dict)


def quota_pools_of(reply: Reply, call: Call) -> Allocation:
    """The pools of a reply to the second read [GetQuotaUsed]. A pool without its two numbers is not in it.

    Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, call).get("data")
    if not isinstance(data, dict):
        raise _nonsense("its data is no object", reply, call)
    try:
        return {
            name: Pool(_whole_number(data, total), _whole_number(data, allocated))
            for name, (total, allocated) in QUOTA_FIELDS.items()
            if total in data and allocated in data
        }
    except ValueError as error:
        raise _nonsense(str(error), reply, call) from error


def stored_of(reply: Reply, call: Call) -> dict[str, float]:
    """Return how much is stored in each pool, in GB to three decimals, from a reply to the second read [GetQuotaUsed].

    A pool without its field is not in the result. Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, call).get("data")
    if not isinstance(data, dict):
        raise _nonsense("its data is no object", reply, call)
    try:
        kilobytes = {name: _whole_number(data, field, MAX_POOL * KB_PER_GB) for name, field in STORED_FIELDS.items() if field in data}
    except ValueError as error:
        raise _nonsense(str(error), reply, call) from error
    return {name: round(stored / KB_PER_GB, 3) for name, stored in kilobytes.items()}


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


def _decoded(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``, or an empty one: what is no object has no code either, and that is what matters."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _fail(why: str) -> Any:
    raise ValueError(why)


def _whole_number(row: Mapping[str, Any], field: str, highest: int = MAX_POOL) -> int:
    """The field as an int of 0 to ``highest``. Raises ValueError: nothing else is ever taken for a number, least for zero."""
    value = row.get(field)
    if isinstance(value, str) and DIGITS.fullmatch(value) or isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise ValueError(f"{field} is no whole number" if field in row else f"a row of data has no {field}")
    if not 0 <= number <= highest:
        raise ValueError(f"{field} is no possible number")
    return number


def _code(value: Mapping[str, Any]) -> str | None:
    code = value.get("code", value.get("error_code"))
    return str(code) if isinstance(code, (int, str)) and not isinstance(code, bool) else None


def _answer(reply: Reply, value: Mapping[str, Any], call: Call) -> Answer:
    """Code, message and request ID by KooDrive's own names, or else by the gateway's [ErrorCode]; a code is always text."""
    said = (_code(value), value.get("msg", value.get("error_msg")), value.get("request_id"))
    code, *others = (call.show(text) if isinstance(text, str) and text else None for text in said)
    # A code of the reference is no secret, and decides what the reply means, whatever secret has a digit of it.
    return Answer(reply.status, said[0] if said[0] in REFUSALS | {INNER_INVOKE_FAILURE} else code, *others)


def _server_error(reply: Reply, answer: Answer, call: Call) -> KooDriveError:
    return KooDriveError(
        "server_error",
        f"KooDrive could not handle the request{_in_its_words(answer)}",
        action=call.action,
        answer=answer,
        transient=True,
        retry_after=retry_after(reply.headers),
        may_have_moved=call.is_write,
    )


def _refusal(reply: Reply, answer: Answer, call: Call) -> KooDriveError:
    kind, what = _kind_of_refusal(answer, call.is_write)
    return KooDriveError(
        kind,
        f"{what}{_in_its_words(answer)}",
        action=call.action,
        advice=_advice(answer) if call.is_write else None,
        answer=answer,
        transient=kind == "rate_limited",
        retry_after=retry_after(reply.headers),
    )


def _kind_of_refusal(answer: Answer, is_write: bool) -> tuple[str, str]:
    if answer.http_status == TOO_MANY_REQUESTS:
        return "rate_limited", "KooDrive takes no more requests for now"
    if answer.http_status in (401, 403) or (answer.http_status == 400 and not is_write and answer.code not in REFUSALS):
        return "authentication", "KooDrive refused the credentials"
    if answer.code == INSUFFICIENT_SPACE:
        return "insufficient_capacity", "KooDrive has too little space for it"
    return "rejected", "KooDrive refused the request"


def _advice(answer: Answer) -> str | None:
    """What to do about a refused write, where its code or status says more than its kind."""
    if answer.code == NO_PERMISSION or answer.http_status in (401, 403):
        return (
            "KooDrive lets only a system administrator move capacity, and only of a tenant with yearly or monthly billing: use the"
            " credentials of one. If they are one's, get a new token, or check app_id, app_secret and user_id."
        )
    if answer.code == NOT_ACTIVE:
        return (
            "A space that is not active has been disabled, or belongs to a tenant that is frozen, as when its subscription has run out:"
            " look at the tenant's state in the KooDrive console."
        )
    return None


def _in_its_words(answer: Answer) -> str:
    parts = [f"HTTP {answer.http_status}"]
    if answer.code is not None:
        parts.append(f"code {answer.code}")
    if answer.message is not None:
        parts.append(f'"{answer.message}"')
    if answer.request_id is not None:
        parts.append(f"request ID {answer.request_id}")
    return f" ({', '.join(parts)})"


def _nonsense(why: str, reply: Reply, call: Call) -> KooDriveError:
    return KooDriveError(
        "invalid_reply",
        f"the reply makes no sense: {call.show(why)} (HTTP {reply.status}, {_looks(reply, call)})",
        action=call.action,
        answer=Answer(reply.status),
        may_have_moved=call.is_write,
    )


def _looks(reply: Reply, call: Call) -> str:
    """How the body looks, for those who know what else may have answered."""
    if not reply.body:
        return "it is empty"
    text = _plain_body(reply)[0].decode("utf-8", "replace")[:MAX_QUOTE]
    strange = sum(char == "\N{REPLACEMENT CHARACTER}" or not (char.isprintable() or char.isspace()) for char in text)
    if not text or strange > len(text) / 10:
        return f"its {len(reply.body)} bytes are no text"
    return f"it begins with {call.show(text)!r}"


def http_date(text: str) -> float | None:
    """An HTTP date in seconds since 1970; None where ``text`` is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
