# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call KooDrive's space allocation API: each function returns values or raises KooDriveError."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import AppAuth, Auth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import passwords_of_proxies, redact
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import (
    MAX_REPLY,
    Call,
    Reply,
    http_date,
    pools_of,
    quota_pools_of,
    shows_one_pool,
    stored_of,
    value_of,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller, Pauses, seconds_since_boot
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import Http, Wire, bundle_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import SPACE_TYPES, Allocation, Move

if TYPE_CHECKING:
    from requests import Response

READ = "/koodrive/ose/v1/space/allocation/get"
QUOTA = "/koodrive/ose/v1/service/quotaUsed"
SERVICE = "/koodrive/ose/v1/service"
WRITE = "/koodrive/ose/v1/space/allocation/transfer"

#: In bytes: how much of a reply is read at a time.
CHUNK = 64 * 1024
#: The status of a frozen tenant [GetService].
FROZEN = "1"
#: The calls that report the pools: path, and how to read the reply.
READ_CALLS: dict[str, tuple[str, Callable[[Reply, Call], Allocation]]] = {"allocation": (READ, pools_of), "quota": (QUOTA, quota_pools_of)}
T = TypeVar("T")
#: In seconds: the pause before the second try of a request.
FIRST_PAUSE = 0.5
#: In seconds. A run that waits longer says why.
LONGEST_SILENCE = 5.0


class Connection(NamedTuple):
    """How to reach KooDrive.

    ``endpoint`` is scheme, host and port. ``trace_id`` names this run in KooDrive's logs. ``timeout`` limits each
    request as a whole, in seconds. ``retries`` is how often a request is tried again. ``trust`` is the ``verify`` of
    requests: the path of a CA bundle, true for the default one, or false to accept every certificate.
    """

    endpoint: str
    auth: Auth
    user_id: str | None
    language: str
    trace_id: str
    timeout: float
    retries: int
    trust: bool | str

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        headers = {"X-Traceid": self.trace_id, "language": self.language, "User-Agent": "huaweicloud.koodrive"}
        # The client limits the bytes that it reads. That does not limit the size of a compressed reply.
        return {**headers, "Accept-Encoding": "identity", **({"X-User-Id": self.user_id} if self.user_id else {})}

    @property
    def credential(self) -> str:
        """Return what identifies the credentials: the endpoint, the app ID or the token, and the user ID if there is one."""
        return f"{self.endpoint} {self.auth.identity} {self.user_id or ''}"


class KooDrive:
    """A client of KooDrive for one run of a task, over one connection. As a context manager, it closes the connection.

    ``warnings`` collects warnings for the user. ``caller`` waits for the task.
    """

    def __init__(self, connection: Connection, warnings: list[str], caller: Caller = NOBODY) -> None:
        self.retries = connection.retries
        self.timeout = connection.timeout
        self._caller = caller
        self._warnings = warnings
        self._endpoint = connection.endpoint
        self._auth = connection.auth
        self._wire = Wire()
        self._http = Http(self._wire, connection.endpoint, bundle_of(connection.trust))
        self._headers = connection.headers
        self._silent_since = time.monotonic()
        #: The name in READ_CALLS of the call that reads the pools; None before the first reading.
        self._read_call: str | None = None
        #: The latest reply of the call that also reports the stored data.
        self._quota: Reply | None = None
        #: KooDrive's refusal of the call for the tenant's ID.
        self.tenant_refusal: KooDriveError | None = None
        #: The Date of the latest reply, in seconds since 1970, and when it arrived, in seconds since boot.
        self._date: tuple[float, float] | None = None
        #: A time at or before the moment that the latest reply describes, in seconds since 1970.
        self.read_at: float | None = None

    def __enter__(self) -> KooDrive:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
        self._wire.close()

    def read_pools(self, action: str, needed: Collection[str] = (), retries: int | None = None) -> Allocation:
        """Return the tenant's pools [GetSpaceAllocation].

        If that call reports one pool only, or lacks a ``needed`` pool, return the pools of the other call
        [GetQuotaUsed]. The first successful reading decides which call this run uses, since readings of different calls
        are never compared.

        A transient failure is tried again, ``retries`` times, or as often as the connection allows. Errors name
        ``action``. Raises KooDriveError, with ``invalid_reply`` if both calls lack a needed pool: unknown is not zero.
        """
        pools = self._with_retries(lambda: self._read(action, needed), retries)
        lacking = _lacking(pools, needed)
        if lacking:
            raise KooDriveError("invalid_reply", f"KooDrive did not report the {lacking[0]} pool", action=action)
        return pools

    def stored(self, action: str) -> dict[str, float]:
        """Return how much is stored in each pool, in GB [GetQuotaUsed].

        If the pools were read with that call, use its reply.

        Raises KooDriveError like ``read_pools``.
        """
        call = self._call(action)
        if self._quota is None:
            return self._with_retries(lambda: stored_of(self._signed_read(call, QUOTA), call))
        return stored_of(self._quota, call)

    @property
    def read_call(self) -> str:
        """Return the name of the call that reads the pools. Readings of different calls are never compared."""
        return self._read_call or "allocation"

    @property
    def may_have_sent(self) -> bool:
        """Return whether a part of the current request was sent, so that KooDrive may have received it."""
        return self._wire.sent

    def now(self) -> float | None:
        """Return the time by KooDrive's clock, in seconds since 1970, up to a second early.

        None if its replies have no Date.
        """
        if self._date is None:
            return None
        date, arrived_at = self._date
        return date + seconds_since_boot() - arrived_at

    def ensure_wanted(self) -> None:
        """Raise KooDriveError ``unreachable`` if the playbook no longer waits for this task."""
        if not self._caller.is_waiting():
            raise KooDriveError("unreachable", "the playbook that started this task has ended", advice="Nothing more was sent.")

    def tenant_id(self, action: str) -> str | None:
        """Return KooDrive's ID of the tenant [GetService], or None if KooDrive does not report it.

        Raises KooDriveError after a failure without an answer, and ``rejected`` if the tenant is frozen.
        """
        call = self._call(action)
        try:
            data = self._with_retries(lambda: value_of(self._signed_read(call, SERVICE), call)).get("data")
        except KooDriveError as error:
            # The other calls can succeed even if KooDrive refuses this one.
            if error.transient or error.answer.http_status is None:
                raise
            self.tenant_refusal = error
            return None
        if not isinstance(data, dict):
            return None
        if str(data.get("status")) == FROZEN:
            raise KooDriveError("rejected", "the tenant is frozen", action=action, advice="Check its subscription in the KooDrive console. Nothing was sent.")
        tenant = data.get("tenantId")
        is_name = isinstance(tenant, (str, int)) and not isinstance(tenant, bool) and tenant != "" and str(tenant).isprintable()
        return str(tenant) if is_name else None

    def transfer(self, origin_type: str, moves: Iterable[Move], action: str, begun_at: float, before_first_byte: Callable[[], None]) -> None:
        """Move capacity [TransferUnallocatedSpace] with one request, which is never repeated here.

        Once the connection is open, ``before_first_byte`` is called. If it raises KooDriveError, nothing is sent. A
        signed request has no X-Date after ``begun_at``, so KooDrive refuses it once it is 15 minutes old. The error
        says in ``may_have_moved`` whether KooDrive may have processed the request all the same.
        """
        if isinstance(self._auth, AppAuth):
            self._auth.latest = begun_at
        body = {
            "originType": SPACE_TYPES[origin_type],
            "target": [{"type": SPACE_TYPES[move.type], "expandCapacity": move.expand_capacity} for move in moves],
        }
        call = self._call(action, is_write=True)
        value_of(self._exchange(call, "POST", WRITE, json.dumps(body, separators=(",", ":")).encode("ascii"), before_first_byte), call)

    def pauses(self) -> Pauses:
        """Return the pauses between tries of one request."""
        return Pauses(FIRST_PAUSE, self.timeout)

    def wait(self, pauses: Pauses, at_most: float, why: str, asked_for: float | None = None) -> None:
        """Wait for the next of ``pauses``, or for as many seconds as KooDrive ``asked_for``.

        If this run has been silent for ``LONGEST_SILENCE``, say ``why``. Raises KooDriveError ``unreachable`` if the
        caller no longer waits.
        """
        if time.monotonic() - self._silent_since >= LONGEST_SILENCE:
            self._caller.say(why)
            self._silent_since = time.monotonic()
        pauses.wait(at_most, asked_for)
        self.ensure_wanted()

    def wait_after(self, pauses: Pauses, error: KooDriveError, tries: str = "") -> None:
        """Wait before another try of a request that failed with ``error``, at most as long as a request may take.

        ``tries`` says which try it was, for people.
        """
        self.wait(pauses, self.timeout, f"{error.action} failed{tries}: {error.what}. Trying again.", error.retry_after)

    def _with_retries(self, read: Callable[[], T], retries: int | None = None) -> T:
        """Return what ``read`` returns, after up to ``retries`` more tries.

        The error of the last try names their number.
        """
        pauses = self.pauses()
        last = self.retries if retries is None else retries
        for failed in range(last + 1):
            try:
                return read()
            except KooDriveError as error:
                if not error.transient or failed == last:
                    error.what += f", after {failed + 1} tries" if failed and error.transient else ""
                    raise
                self.wait_after(pauses, error, f" (try {failed + 1} of {last + 1})")
        raise AssertionError("The last try returns or raises.")

    def _read(self, action: str, needed: Collection[str]) -> Allocation:
        """Return the pools.

        The first reading decides which call this run uses: the second call if the first one lacks a ``needed`` pool, or
        shows only one.
        """
        if self._read_call is not None:
            return self._pools(self._read_call, action)[0]
        pools, reply = self._pools("allocation", action)
        lacking = _lacking(pools, needed)
        read_call = "allocation"
        if lacking or shows_one_pool(reply):
            try:
                pools, read_call = self._pools("quota", action)[0], "quota"
            except KooDriveError as error:
                if error.transient:
                    raise
                if lacking:
                    what = f"KooDrive did not report the {lacking[0]} pool, and the call that has all pools failed: {error.what}"
                    raise KooDriveError("invalid_reply", what, action=action) from error
                # Some editions lack the second call, and some users may not use it. Then this run uses the first one.
        self._read_call = read_call
        return pools

    def _pools(self, read_call: str, action: str) -> tuple[Allocation, Reply]:
        """Return the pools as ``read_call`` reports them, with its reply."""
        path, pools_in = READ_CALLS[read_call]
        call = self._call(action)
        reply = self._signed_read(call, path)
        pools = pools_in(reply, call)
        if path == QUOTA:
            self._quota = reply
        return pools, reply

    def _signed_read(self, call: Call, path: str) -> Reply:
        """Return the reply to a read.

        If KooDrive refuses an app because the clocks are apart, sign again with the server's time.

        KooDrive refuses an X-Date that is later than its own time or older than 15 minutes [api-koodrive-carrier
        pages].
        """
        reply = self._exchange(call, "GET", path, None)
        if reply.status not in (400, 401, 403) or not isinstance(self._auth, AppAuth) or self._auth.clock_offset:
            return reply
        server_time = http_date(reply.headers.get("Date", ""))
        if server_time is None or not self._auth.adopt_server_time(server_time):
            return reply
        offset = round(self._auth.clock_offset)
        self._warnings.append(
            f"This machine's clock is {abs(offset)} seconds {'behind' if offset > 0 else 'ahead of'} KooDrive's clock, so KooDrive"
            " refused a request. This run signs its requests with KooDrive's time. Set this machine's clock right."
        )
        return self._exchange(call, "GET", path, None)

    def _exchange(self, call: Call, method: str, path: str, body: bytes | None, before_first_byte: Callable[[], None] | None = None) -> Reply:
        """Send one request and return its reply, also a refusal."""
        began_at = seconds_since_boot()
        try:
            with self._wire.limit(self.timeout, before_first_byte):
                response = self._http.send(method, self._endpoint + path, self._headers_of(path, body), body, self._auth, self.timeout)
                # If the reply is not read to its end, this closes the connection. Otherwise, the traceback of the error
                # would keep it open, and a server that is still sending would wait.
                with response:
                    reply = Reply(response.status_code, response.headers, _body_of(response))
            if reply.status < 200:
                self._wire.close()  # The final reply comes later. It must not count as the reply to the next request.
            if self._wire.overdue:  # A connection that was cut can look like the end of the headers.
                raise TimeoutError
            self._note_time(reply, began_at)
            return reply
        except KooDriveError:  # before_first_byte raised it.
            raise
        except Exception as error:  # requests does not catch all errors of urllib3, http.client, ssl and idna.
            raise self._failure(error, call) from error

    def _headers_of(self, path: str, body: bytes | None) -> dict[str, str]:
        headers = {**self._headers, **({} if body is None else {"Content-Type": "application/json"})}
        if path == QUOTA:
            del headers["language"]  # [GetQuotaUsed]
        return headers

    def _note_time(self, reply: Reply, began_at: float) -> None:
        """Note KooDrive's time. A reply without a Date describes a moment after the exchange began, by the latest Date.

        The content of a reply is older than its Date by up to the length of the exchange and a second.
        """
        date = http_date(reply.headers.get("Date", ""))
        if date is not None:
            now = seconds_since_boot()
            self._date = date, now
            self.read_at = date - (now - began_at) - 1
        elif self._date is not None:
            latest, arrived_at = self._date
            self.read_at = latest + (began_at - arrived_at)

    def _failure(self, error: Exception, call: Call) -> KooDriveError:
        """Return the error of a request that failed with ``error``."""
        from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.failures import Failure, explain

        may_have_moved = call.is_write and self._wire.sent
        if isinstance(error, OversizedReply):
            return KooDriveError("invalid_reply", str(error), action=call.action, may_have_moved=may_have_moved)
        failure = explain(error)
        if self._wire.overdue:
            failure = Failure(f"no complete reply within {self.timeout} seconds", transient=True)
        reached = "did not answer in full" if self._wire.sent else "could not be reached"
        return KooDriveError(
            "unreachable",
            f"{self._endpoint} {reached} ({call.show(failure.why)})",
            action=call.action,
            advice=failure.advice,
            transient=failure.transient,
            may_have_moved=may_have_moved,
        )

    def _call(self, action: str, is_write: bool = False) -> Call:
        def redacted(text: str) -> str:
            # The signature of a request is a secret, too, and it is made after this call.
            return redact(text, [*self._auth.secrets(), *passwords_of_proxies(os.environ)])

        return Call(action, is_write, redacted, self._auth.advice)


class OversizedReply(Exception):
    """A reply that is longer than every reply of this API."""

    def __init__(self) -> None:
        super().__init__(f"the reply has more than {MAX_REPLY} bytes and was not read")


def _lacking(pools: Allocation, needed: Collection[str]) -> list[str]:
    return [name for name in SPACE_TYPES if name in needed and name not in pools]


def _body_of(response: Response) -> bytes:
    """Return the body as it was sent.

    Raises OversizedReply, an error of urllib3, or EOFError if it is shorter than announced.
    """
    if 300 <= response.status_code < 400:
        return b""  # The client does not need the body of a redirect, and the body can take long.
    announced = response.headers.get("Content-Length", "")
    # Python reads no number of thousands of digits.
    length = int(announced[:20]) if announced.isdecimal() else None
    if length is not None and length > MAX_REPLY:
        raise OversizedReply
    body = b""
    while chunk := response.raw.read(CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_REPLY:
            raise OversizedReply
    if length is not None and len(body) < length:  # urllib3 1.26 does not check this.
        raise EOFError(f"{length} bytes were announced, {len(body)} arrived")
    return body
