# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of KooDrive's space allocation API, as functions that return values or raise KooDriveError."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import SPACE_TYPES, Allocation, Move
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.auth import AppAuth, Auth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.failures import Failure, explain
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.redaction import passwords_of_proxies, redact
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.replies import (
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.waiting import Pauses, seconds_since_boot
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.wire import Wire, bundle_of, http_session

if TYPE_CHECKING:
    from requests import Response

READ = "/koodrive/ose/v1/space/allocation/get"
QUOTA = "/koodrive/ose/v1/service/quotaUsed"
SERVICE = "/koodrive/ose/v1/service"
WRITE = "/koodrive/ose/v1/space/allocation/transfer"

#: Bytes that are read at a time.
CHUNK = 64 * 1024
#: Plain HTTP is allowed to this machine alone, so no proxy of the environment may carry it anywhere.
DIRECT = {"http": ""}
#: The status of a tenant that may not do anything [GetService].
FROZEN = "1"
T = TypeVar("T")
#: Seconds before the second try of a request.
FIRST_PAUSE = 0.5


class KooDrive:
    """A client of KooDrive for one run, over one connection.

    ``endpoint`` is scheme, host and port; ``headers`` go with every request; ``timeout`` limits each request as a whole,
    in seconds; ``retries`` is how often a request is tried again; ``trust`` says whose certificates are accepted, as ``verify`` does
    in requests: those of the CA bundle of this path, of the usual ones, or any. ``warnings`` collects what the user should know.
    Once ``called_off`` is set, by whichever thread, no request is sent any more. ``is_wanted`` says whether anybody waits for the task.
    """

    def __init__(
        self,
        endpoint: str,
        auth: Auth,
        headers: Mapping[str, str],
        timeout: float,
        retries: int,
        trust: bool | str,
        warnings: list[str],
        called_off: threading.Event | None = None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.retries = retries
        self.timeout = timeout
        self._is_wanted = is_wanted
        self._called_off = called_off
        self._warnings = warnings
        self._endpoint = endpoint
        self._auth = auth
        self._trust = bundle_of(trust)
        self._wire = Wire()
        self._http = http_session(self._wire, self._trust)
        # What is read is bounded in bytes, and a compressed reply has no such bound.
        self._http.headers.update({**headers, "Accept-Encoding": "identity", "User-Agent": "huaweicloud.koodrive"})
        self._read: Callable[[str], Allocation] | None = None
        #: The latest reply of the second read.
        self._quota: Reply | None = None
        #: Why KooDrive did not say who the tenant is, where it refused to.
        self.untold: KooDriveError | None = None
        #: The Date of the latest reply, in seconds since 1970, and when it came; a time that was not later than the latest reply's content.
        self._date: tuple[float, float] | None = None
        self.read_at: float | None = None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
        self._wire.close()

    def read_pools(self, step: str, needed: Collection[str] = (), retries: int | None = None) -> Allocation:
        """The tenant's pools [GetSpaceAllocation]; or, where that read shows one pool only or lacks a ``needed`` one, those of the
        read that has all of them [GetQuotaUsed].

        Which of them serves is decided by the first reading that succeeds, for the two are never compared with each other. A failure
        that may pass is tried again, ``retries`` times, or as often as the client allows. Errors name ``step``. Raises
        ``invalid_reply`` where a needed pool is in neither: unknown is not zero.
        """
        pools = self._patiently(self._read or (lambda step: self._first_read(step, needed)), step, retries)
        lacking = [name for name in needed if name not in pools]
        if lacking:
            raise KooDriveError("invalid_reply", f"KooDrive did not report the {lacking[0]} pool", step=step)
        return pools

    def stored(self, step: str) -> dict[str, float]:
        """Return how much is stored in each pool, in GB [GetQuotaUsed]. Where that call was made for the pools, its reply serves for both.

        Raises KooDriveError as the read of the pools does.
        """
        call = Call(step, False, self._show)
        if self._quota is None:
            return self._patiently(lambda step: stored_of(self._reply_by_the_right_clock(call, QUOTA), call), step, None)
        return stored_of(self._quota, call)

    @property
    def source(self) -> str:
        """Which read serves: the readings of one are not compared with those of the other."""
        return "quota" if self._read == self._read_quota else "allocation"

    @property
    def may_have_sent(self) -> bool:
        """Whether anything of the present request was sent, so that KooDrive may have received it."""
        return self._wire.sent

    def now(self) -> float | None:
        """Return the time by KooDrive's clock, at least and up to a second less, in seconds since 1970; None if its replies have no Date."""
        if self._date is None:
            return None
        date, came_at = self._date
        return date + seconds_since_boot() - came_at

    def ensure_wanted(self) -> None:
        """Raise KooDriveError ``unreachable`` if nobody waits for this task any more."""
        if not self._is_wanted():
            raise KooDriveError("unreachable", "the playbook that started this task has ended", advice="Nothing more was sent.")

    def tenant_id(self, step: str) -> str | None:
        """What KooDrive calls the tenant [GetService]; None where it does not say.

        Raises KooDriveError, of the kinds of a read that may pass, and ``rejected`` for a tenant that is frozen.
        """
        call = Call(step, False, self._show)

        def read(_step: str) -> dict[str, Any]:
            return value_of(self._reply_by_the_right_clock(call, SERVICE), call)

        try:
            data = self._patiently(read, step, None).get("data")
        except KooDriveError as error:
            # Nothing that KooDrive itself says of this call keeps the others from being made.
            if error.transient or error.answer.http_status is None:
                raise
            self.untold = error
            return None
        if not isinstance(data, dict):
            return None
        if str(data.get("status")) == FROZEN:
            raise KooDriveError("rejected", "the tenant is frozen", step=step, advice="See to its subscription in the KooDrive console. Nothing was sent.")
        tenant = data.get("tenantId")
        is_name = isinstance(tenant, (str, int)) and not isinstance(tenant, bool) and tenant != "" and str(tenant).isprintable()
        return str(tenant) if is_name else None

    def transfer(self, origin_type: str, moves: Iterable[Move], step: str, begun_at: float, before_first_byte: Callable[[], None]) -> None:
        """Move capacity [TransferUnallocatedSpace]: one request, never repeated here.

        ``before_first_byte`` is called when the connection is there. If it raises KooDriveError, nothing is sent. A signed request has no X-Date
        after ``begun_at``, so KooDrive refuses it once it is 15 minutes old. The error says in ``may_have_moved`` whether KooDrive can have
        processed the request all the same.
        """
        if isinstance(self._auth, AppAuth):
            self._auth.latest = begun_at
        body = {
            "originType": SPACE_TYPES[origin_type],
            "target": [{"type": SPACE_TYPES[move.type], "expandCapacity": move.expand_capacity} for move in moves],
        }
        call = Call(step, True, self._show)
        value_of(self._exchange(call, "POST", WRITE, json.dumps(body, separators=(",", ":")).encode("ascii"), before_first_byte), call)

    def pauses(self) -> Pauses:
        """The pauses between tries of one request."""
        return Pauses(FIRST_PAUSE, self.timeout, self._called_off)

    def wait(self, pauses: Pauses, at_most: float, asked_for: float | None = None) -> None:
        """Wait for the next of ``pauses``, or for as many seconds as KooDrive ``asked_for``. Raises KooDriveError if nobody waits for the task."""
        pauses.wait(at_most, asked_for)
        self.ensure_wanted()

    def wait_after(self, pauses: Pauses, error: KooDriveError) -> None:
        """Wait before a request that failed with ``error`` is tried again, at most as long as a request may take."""
        self.wait(pauses, self.timeout, error.retry_after)

    def _patiently(self, read: Callable[[str], T], step: str, retries: int | None) -> T:
        pauses = self.pauses()
        for _failed in range(self.retries if retries is None else retries):
            try:
                return read(step)
            except KooDriveError as error:
                if not error.transient:
                    raise
                self.wait_after(pauses, error)
        return read(step)

    def _first_read(self, step: str, needed: Collection[str]) -> Allocation:
        """The pools by the read that has what is needed, which serves from now on."""
        call = Call(step, False, self._show)
        reply = self._reply_by_the_right_clock(call, READ)
        pools = pools_of(reply, call)
        lacking = [name for name in needed if name not in pools]
        if lacking or shows_one_pool(reply):
            try:
                pools = self._read_quota(step)
            except KooDriveError as error:
                if error.transient:
                    raise
                if lacking:
                    what = f"KooDrive did not report the {lacking[0]} pool, and the read that has all pools failed: {error.what}"
                    raise KooDriveError("invalid_reply", what, step=step) from error
                # A tenant whose KooDrive has no second read, or whose user may not have it, is left with what the first one shows.
            else:
                self._read = self._read_quota
                return pools
        self._read = self._read_allocation
        return pools

    def _read_allocation(self, step: str) -> Allocation:
        call = Call(step, False, self._show)
        return pools_of(self._reply_by_the_right_clock(call, READ), call)

    def _read_quota(self, step: str) -> Allocation:
        call = Call(step, False, self._show)
        reply = self._reply_by_the_right_clock(call, QUOTA)
        pools = quota_pools_of(reply, call)
        self._quota = reply
        return pools

    def _reply_by_the_right_clock(self, call: Call, path: str) -> Reply:
        """The reply to a read; where an app is refused because the clocks are apart, signed once more with the server's time.

        KooDrive refuses an X-Date that is later than its own time or older than 15 minutes [api-koodrive-carrier pages].
        """
        reply = self._exchange(call, "GET", path, None)
        if reply.status not in (400, 401, 403) or not isinstance(self._auth, AppAuth) or self._auth.clock_offset:
            return reply
        server_time = http_date(reply.headers.get("Date", ""))
        if server_time is None or not self._auth.adopt_server_time(server_time):
            return reply
        offset = round(self._auth.clock_offset)
        self._warnings.append(
            f"This machine's clock is {abs(offset)} seconds {'behind' if offset > 0 else 'ahead of'} KooDrive's, which refused a"
            " request for it. The requests of this run are signed with KooDrive's time. Set the clock right."
        )
        return self._exchange(call, "GET", path, None)

    def _exchange(self, call: Call, method: str, path: str, body: bytes | None, before_first_byte: Callable[[], None] | None = None) -> Reply:
        """One request and its reply, whatever that says."""
        began_at = seconds_since_boot()
        if self._called_off is not None and self._called_off.is_set():
            raise KooDriveError("unreachable", "it was called off", step=call.step)
        try:
            with self._wire.limit(self.timeout, before_first_byte):
                response = self._http.request(
                    method,
                    self._endpoint + path,
                    data=body,
                    headers=_own_headers(path, body),
                    auth=self._auth,
                    timeout=self.timeout,
                    # Not set on the session: there, REQUESTS_CA_BUNDLE would win over it.
                    verify=self._trust,
                    proxies=DIRECT if self._endpoint.startswith("http:") else None,
                    allow_redirects=False,
                    stream=True,
                )
                reply = Reply(response.status_code, response.headers, _body_of(response))
            if self._wire.overdue:  # The cut can look like the end of the headers.
                raise TimeoutError
            self._note_time(reply, began_at)
            return reply
        except KooDriveError:  # By before_first_byte.
            raise
        except Exception as error:  # requests lets errors of urllib3, http.client, ssl and idna through.
            raise self._failure(error, call) from error

    def _note_time(self, reply: Reply, began_at: float) -> None:
        """Take over KooDrive's time. Its Date is in whole seconds and comes after the content, so the content may be that much older."""
        date = http_date(reply.headers.get("Date", ""))
        now = seconds_since_boot()
        self._date = self._date if date is None else (date, now)
        self.read_at = None if date is None else date - (now - began_at) - 1

    def _failure(self, error: Exception, call: Call) -> KooDriveError:
        """What the failed exchange means."""
        may_have_moved = call.is_write and self._wire.sent
        if isinstance(error, OversizedReply):
            return KooDriveError("invalid_reply", str(error), step=call.step, may_have_moved=may_have_moved)
        failure = explain(error)
        if self._wire.overdue:
            failure = Failure(f"no complete reply within {self.timeout} seconds", transient=True)
        reached = "did not answer in full" if self._wire.sent else "could not be reached"
        return KooDriveError(
            "unreachable",
            f"{self._endpoint} {reached} ({self._show(failure.why)})",
            step=call.step,
            transient=failure.transient,
            may_have_moved=may_have_moved,
        )

    def _show(self, text: str) -> str:
        return redact(text, [*self._auth.secrets(), *passwords_of_proxies(os.environ)])


def _own_headers(path: str, body: bytes | None) -> dict[str, str | None]:
    """What the request has beside, or instead of, what all have."""
    if body is not None:
        return {"Content-Type": "application/json"}
    # The second read has no language [GetQuotaUsed].
    return {"language": None} if path == QUOTA else {}


class OversizedReply(Exception):
    """A reply that is longer than any of this API."""

    def __init__(self) -> None:
        super().__init__(f"the reply has more than {MAX_REPLY} bytes and was not read")


def _body_of(response: Response) -> bytes:
    """The body as it came. Raises OversizedReply, or an error of urllib3, and EOFError where it is shorter than announced."""
    if 300 <= response.status_code < 400:
        # Nothing depends on what a redirect says, and it can take its time to say it.
        response.close()
        return b""
    announced = response.headers.get("Content-Length", "")
    length = int(announced) if announced.isdecimal() else None
    if length is not None and length > MAX_REPLY:
        raise OversizedReply
    body = b""
    while chunk := response.raw.read(CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_REPLY:
            raise OversizedReply
    if length is not None and len(body) < length:  # urllib3 1.26 does not look.
        raise EOFError(f"{length} bytes were announced, {len(body)} came")
    return body
