# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn KooDrive's replies into values or typed errors. Pure: no I/O, no Ansible."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import shortened
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import retry_after
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, Answer, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import MAX_CAPACITY, SPACE_TYPES, Allocation, Pool

#: In bytes. The replies of this API have a few hundred. A longer reply is not KooDrive's, compressed or not.
MAX_REPLY = 1024 * 1024
#: How many characters of a page are searched for its text.
MAX_PAGE = 20_000
#: The keys of KooDrive's replies and its gateway's. A reply with none of them comes from elsewhere.
OWN_KEYS = {"code", "msg", "data", "error_code", "error_msg"}
#: The parts of an HTML page that its reader does not see. The end of the text can cut the last one off.
INVISIBLE = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*(?:>|\Z)", re.DOTALL | re.IGNORECASE)
#: The compressions of zlib, and the setting with which it recognizes them.
COMPRESSIONS = ("gzip", "x-gzip", "deflate")
ANY_COMPRESSION = 32 + zlib.MAX_WBITS

#: In GB. A pool has many spaces, so it can be larger than the largest space. No pool is as large as this. A number of
#: bytes in place of GB is larger.
MAX_POOL = 10_000 * MAX_CAPACITY

#: KooDrive's refusals, and the kind of each [ErrorCode]. On a read, any other code with HTTP 400 is an authentication
#: failure.
BAD_PARAMETERS = "13000102"
NO_PERMISSION = "13000410"
NOT_ACTIVE = "13000412"
REFUSALS = {
    BAD_PARAMETERS: "rejected",
    "13000301": "rejected",
    "13000311": "insufficient_capacity",
    NO_PERMISSION: "rejected",
    NOT_ACTIVE: "rejected",
}
#: The kinds of error that another try of the same request cannot change.
REFUSED = {"authentication", *REFUSALS.values()}
#: A fault of the server, with every HTTP status [koodrive_05_0026, koodrive_05_0011].
INNER_INVOKE_FAILURE = "13000201"

#: Request Time-out, from KooDrive or a proxy. The request may have been processed all the same.
REQUEST_TIMEOUT = 408
#: The gateway limits the rate. It has not processed a request that it answers with this status.
TOO_MANY_REQUESTS = 429

#: The fields of each pool in the second read: total and allocated [GetQuotaUsed].
QUOTA_FIELDS = {
    "department": ("deptSpaceQuota", "deptSpaceQuotaUsed"),
    "individual": ("personalSpaceQuota", "personalSpaceQuotaUsed"),
    "group": ("groupSpaceQuota", "groupSpaceQuotaUsed"),
}

#: The fields of the second read for the data stored in each pool, in KB. The reference does not name the unit
#: [GetQuotaUsed].
STORED_FIELDS = {"department": "deptSpaceUsed", "individual": "personalSpaceUsed", "group": "groupSpaceUsed"}
KB_PER_GB = 1024 * 1024

DIGITS = re.compile(r"[0-9]{1,20}")
#: In seconds since 1970.
YEAR_9999 = 253370764800


#: What to do about an error 5xx that is not KooDrive's, on a read.
FOREIGN_ADVICE = "Run again later. If it fails again, check the endpoint, HTTPS_PROXY and NO_PROXY on the machine that runs the task."


class Call(NamedTuple):
    """The call that a reply answers.

    ``action`` is the work that errors name. ``redact`` masks secrets in the server's text. ``credentials_advice`` says
    what to do if KooDrive refuses the credentials; None means the general advice.
    """

    action: str
    is_write: bool
    redact: Callable[[str], str]
    credentials_advice: str | None = None

    def show(self, text: str) -> str:
        """Return a server's text as a message can show it."""
        return shortened(self.redact(text))


class Reply(NamedTuple):
    """The reply to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def value_of(reply: Reply, call: Call) -> dict[str, Any]:
    """Return the decoded body of a reply that reports success: ``code`` 0 as integer or string [ErrorCode].

    Raises KooDriveError:

    - ``authentication``, ``insufficient_capacity``, ``rejected`` or ``rate_limited`` if KooDrive refused the request
    - ``server_error`` for HTTP 5xx, HTTP 408, and the code of a fault of the server
    - ``invalid_reply`` for a reply that KooDrive does not send
    """
    body, fault = _decompressed_body(reply)
    value = _decoded(body)
    if 200 <= reply.status < 300 and _code(value) == "0":
        return value
    answer = _answer(reply, value, call)
    is_foreign = bool(reply.body) and not value.keys() & OWN_KEYS
    if reply.status >= 500 or reply.status == REQUEST_TIMEOUT or answer.code == INNER_INVOKE_FAILURE:
        raise _server_error(reply, answer, call, is_foreign)
    if reply.status == TOO_MANY_REQUESTS:
        raise _refusal(reply, answer, call, is_foreign)
    if 300 <= reply.status < 400:
        raise _invalid_reply(f"it is a redirect to {call.show(reply.headers.get('Location', 'nowhere'))!r}, which is not followed", reply, call)
    if is_foreign and (fault is None or reply.status >= 400):
        raise _invalid(_foreign(reply, call), reply, call)
    if call.is_write and answer.code in (None, "0") and reply.status >= 400:
        raise _invalid_reply("it has no code of an error, so it is not KooDrive's", reply, call)
    if reply.status >= 400 or (200 <= reply.status < 300 and answer.code is not None):
        raise _refusal(reply, answer, call)
    raise _invalid_reply(fault or "it has no code", reply, call)


def pools_of(reply: Reply, call: Call) -> Allocation:
    """Return the pools of a reply to the read [GetSpaceAllocation].

    ``data`` is an array or one object. Its numbers can be text.

    Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, call).get("data")
    names = {number: name for name, number in SPACE_TYPES.items()}
    pools: dict[str, Pool] = {}
    try:
        for row in [data] if isinstance(data, dict) else data if isinstance(data, list) else _fail("it has no data"):
            if not isinstance(row, dict):
                _fail("data has a row that is not an object")
            number = _whole_number(row, "type")
            if number not in names:
                continue  # The service has got this type later than the reference. No transfer has such a pool.
            if names[number] in pools:
                _fail(f"it has the type {number} twice")
            pools[names[number]] = Pool(_whole_number(row, "totalCapacity"), _whole_number(row, "allocateCapacity"))
    except ValueError as error:
        raise _invalid_reply(str(error), reply, call) from error
    return pools


def shows_one_pool(reply: Reply) -> bool:
    """Return whether a reply to the read has ``data`` as one object, like the reference's example.

    It cannot show all pools.
    """
    return isinstance(_decoded(_decompressed_body(reply)[0]).get("data"), dict)


def quota_pools_of(reply: Reply, call: Call) -> Allocation:
    """Return the pools of a reply to the second read [GetQuotaUsed]. A pool without both numbers is not in the result.

    Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, call).get("data")
    if not isinstance(data, dict):
        raise _invalid_reply("its data is not an object", reply, call)
    try:
        return {
            name: Pool(_whole_number(data, total), _whole_number(data, allocated))
            for name, (total, allocated) in QUOTA_FIELDS.items()
            if total in data and allocated in data
        }
    except ValueError as error:
        raise _invalid_reply(str(error), reply, call) from error


def stored_of(reply: Reply, call: Call) -> dict[str, float]:
    """Return how much is stored in each pool, in GB to three decimals, from a reply to the second read [GetQuotaUsed].

    A pool without its field is not in the result. Raises KooDriveError as :func:`value_of` does.
    """
    data = value_of(reply, call).get("data")
    if not isinstance(data, dict):
        raise _invalid_reply("its data is not an object", reply, call)
    try:
        kilobytes = {name: _whole_number(data, field, MAX_POOL * KB_PER_GB) for name, field in STORED_FIELDS.items() if field in data}
    except ValueError as error:
        raise _invalid_reply(str(error), reply, call) from error
    return {name: round(stored / KB_PER_GB, 3) for name, stored in kilobytes.items()}


def _decompressed_body(reply: Reply) -> tuple[bytes, str | None]:
    """Return the body without compression; or nothing, and why it cannot be read.

    The client asks for no compression.
    """
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
    """Return the JSON object in ``body``. Return an empty one for everything else, since it has no code either."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _fail(why: str) -> Any:
    raise ValueError(why)


def _whole_number(row: Mapping[str, Any], field: str, highest: int = MAX_POOL) -> int:
    """Return the field as an integer from 0 to ``highest``. Raises ValueError: a wrong value never counts as zero."""
    value = row.get(field)
    if isinstance(value, str) and DIGITS.fullmatch(value) or isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise ValueError(f"{field} is not a whole number" if field in row else f"a row of data has no {field}")
    if not 0 <= number <= highest:
        raise ValueError(f"{field} is out of range")
    return number


def _code(value: Mapping[str, Any]) -> str | None:
    """Return the code as text, KooDrive's or the gateway's; "0" for each spelling of zero."""
    code = next((value[name] for name in ("code", "error_code") if value.get(name) not in (None, "")), None)
    if isinstance(code, bool) or not isinstance(code, (int, str)):
        return None
    text = str(code).strip()
    return "0" if text and not text.strip("0") else text


def _answer(reply: Reply, value: Mapping[str, Any], call: Call) -> Answer:
    """Return code, message and request ID, by KooDrive's names or the gateway's [ErrorCode]. A code is always text."""
    said = (_code(value), value.get("msg", value.get("error_msg")), value.get("request_id"))
    code, *others = (call.show(text) if isinstance(text, str) and text else None for text in said)
    # A code of the reference decides what the reply means, so it stays readable even if a secret equals a part of it.
    return Answer(reply.status, said[0] if said[0] in {*REFUSALS, INNER_INVOKE_FAILURE} else code, *others)


def _server_error(reply: Reply, answer: Answer, call: Call, is_foreign: bool) -> KooDriveError:
    return KooDriveError(
        "server_error",
        _foreign(reply, call) if is_foreign else f"KooDrive could not handle the request{_details(answer)}",
        action=call.action,
        # After a write, the advice depends on what the pools show.
        advice=FOREIGN_ADVICE if is_foreign and not call.is_write else None,
        answer=answer,
        transient=True,
        retry_after=retry_after(reply.headers),
        may_have_moved=call.is_write,
    )


def _refusal(reply: Reply, answer: Answer, call: Call, is_foreign: bool = False) -> KooDriveError:
    kind, what = _kind_of_refusal(answer, call.is_write)
    # An empty reply does not show where it comes from.
    or_proxy = "" if reply.body or kind == "rate_limited" else ", or a proxy in front of it did"
    return KooDriveError(
        kind,
        _foreign(reply, call) if is_foreign else f"{what}{_details(answer)}{or_proxy}",
        action=call.action,
        advice=_advice(kind, answer, call),
        answer=answer,
        transient=kind == "rate_limited",
        retry_after=retry_after(reply.headers),
    )


def _kind_of_refusal(answer: Answer, is_write: bool) -> tuple[str, str]:
    if answer.http_status == TOO_MANY_REQUESTS:
        return "rate_limited", "KooDrive takes no more requests for now"
    if answer.http_status in (401, 403) or (answer.http_status == 400 and not is_write and answer.code not in REFUSALS):
        return "authentication", "KooDrive refused the credentials"
    kind = REFUSALS.get(answer.code or "", "rejected")
    return kind, "KooDrive has too little space for it" if kind == "insufficient_capacity" else "KooDrive refused the request"


def _advice(kind: str, answer: Answer, call: Call) -> str | None:
    """Return what to do about a refusal, or None for the advice of its kind."""
    if not call.is_write:
        return call.credentials_advice if kind == "authentication" else None
    if answer.code == NO_PERMISSION or answer.http_status in (401, 403):
        return (
            "KooDrive lets only a system administrator move capacity, and only for a tenant with yearly or monthly billing."
            f" Use the credentials of an administrator. If you did: {call.credentials_advice or ADVICE['authentication']}"
        )
    if answer.code == NOT_ACTIVE:
        return (
            "The space is not active: it was disabled, or the tenant is frozen, for example because its subscription ended."
            " Check the tenant's state in the KooDrive console."
        )
    return None


def _details(answer: Answer) -> str:
    parts = [f"HTTP {answer.http_status}"]
    if answer.code is not None:
        parts.append(f"code {answer.code}")
    if answer.message is not None:
        parts.append(f'"{answer.message}"')
    if answer.request_id is not None:
        parts.append(f"request ID {answer.request_id}")
    return f" ({', '.join(parts)})"


def _invalid_reply(why: str, reply: Reply, call: Call) -> KooDriveError:
    return _invalid(f"the reply is not valid: {call.show(why)} (HTTP {reply.status}, {_beginning(reply, call)})", reply, call)


def _invalid(what: str, reply: Reply, call: Call) -> KooDriveError:
    return KooDriveError("invalid_reply", what, action=call.action, answer=Answer(reply.status), may_have_moved=call.is_write)


def _foreign(reply: Reply, call: Call) -> str:
    """Return what a message says about a reply that is not KooDrive's."""
    whose = "the reply seems to come from a proxy, a gateway or a login page, not from KooDrive"
    return f"{whose} (HTTP {reply.status}, {_beginning(reply, call)})"


def _beginning(reply: Reply, call: Call) -> str:
    """Return how the body begins, so that people recognize the sender."""
    if not reply.body:
        return "it is empty"
    text = _decompressed_body(reply)[0].decode("utf-8-sig", "replace")[:MAX_PAGE]
    strange = sum(char == "\N{REPLACEMENT CHARACTER}" or not (char.isprintable() or char.isspace()) for char in text)
    if not text or strange > len(text) / 10:
        return f"its {len(reply.body)} bytes are not text"
    # Markup can hide a secret, and a secret can look like markup. So secrets are masked before and after it is removed.
    return f"its text begins with {call.show(_without_markup(call.redact(text)))!r}"


def _without_markup(text: str) -> str:
    """Return the text that a reader of an HTML or XML page sees, in one line.

    Return the whole page if it has no text.
    """
    seen = text
    if text.lstrip().startswith("<"):
        # Few runs need this module, and it takes time to load.
        import html

        seen = html.unescape(INVISIBLE.sub(" ", text))
    return " ".join(seen.split()) or text


def http_date(text: str) -> float | None:
    """Return an HTTP date in seconds since 1970, or None if ``text`` is not a date. One without a time zone is UTC.

    A date before 1970 or from 9999 on is none either: a record also has later times, whose year has four digits.
    """
    try:
        date = parsedate_to_datetime(text)
        seconds = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return seconds if 0 <= seconds < YEAR_9999 else None
