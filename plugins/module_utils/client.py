# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two calls of KooDrive's space allocation API, as functions that return values or raise KooDriveError."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import SPACE_TYPES, Allocation, Transfer
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.auth import AppAuth, Auth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.failures import Failure, explain
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.redaction import passwords_of_proxies, redact
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.replies import MAX_REPLY, Reply, http_date, pools_of, value_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.wire import Wire, session

if TYPE_CHECKING:
    from requests import Response

READ = "/koodrive/ose/v1/space/allocation/get"
WRITE = "/koodrive/ose/v1/space/allocation/transfer"

#: Bytes that are read at a time.
CHUNK = 64 * 1024
#: Plain HTTP is allowed to this machine alone, so no proxy of the environment may carry it anywhere.
DIRECT = {"http": ""}
#: Seconds before the second try of a read; each further wait is twice as long.
FIRST_WAIT = 0.5


class KooDrive:
    """A session with KooDrive.

    ``endpoint`` is scheme, host and port; ``headers`` go with every request; ``timeout`` limits each request as a whole,
    in seconds; ``retries`` is how often a read is tried again; ``verify`` is as in requests: whether to verify
    certificates, or the CA bundle to do it with. ``warnings`` collects what the user should know.
    """

    def __init__(
        self, endpoint: str, auth: Auth, headers: Mapping[str, str], timeout: float, retries: int, verify: bool | str
    ) -> None:
        self.retries = retries
        self.warnings: list[str] = []
        self._endpoint = endpoint
        self._auth = auth
        self._timeout = timeout
        self._verify = verify
        self._wire = Wire()
        self._session = session(self._wire, validate_certs=verify is not False)
        # What is read is bounded in bytes, and a compressed reply has no such bound.
        self._session.headers.update({**headers, "Accept-Encoding": "identity", "User-Agent": "huaweicloud.koodrive"})

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
        self._wire.close()

    def read_allocation(self, step: str, retries: int | None = None) -> Allocation:
        """The tenant's pools [GetSpaceAllocation].

        A failure that may pass is tried again, ``retries`` times, or as often as the session allows. ``step`` is named
        in the error that is raised in the end.
        """
        left = self.retries if retries is None else retries
        wait = FIRST_WAIT
        while True:
            try:
                return pools_of(self._right_in_time(), self._show)
            except KooDriveError as error:
                error.step = step
                if not error.passing or left <= 0:
                    raise
                self.pause(error, wait)
                left -= 1
                wait *= 2

    def transfer(self, origin_type: str, transfers: Iterable[Transfer], step: str) -> None:
        """Move capacity [TransferUnallocatedSpace]: one request, never repeated here.

        The error that is raised says in ``may_have_moved`` whether KooDrive can have processed the request all the same.
        """
        body = {
            "originType": SPACE_TYPES[origin_type],
            "target": [
                {"type": SPACE_TYPES[transfer.type], "expandCapacity": transfer.expand_capacity} for transfer in transfers
            ],
        }
        try:
            reply = self._exchange("POST", WRITE, json.dumps(body, separators=(",", ":")).encode("ascii"))
            value_of(reply, is_write=True, show=self._show)
        except KooDriveError as error:
            error.step = step
            raise

    def pause(self, error: KooDriveError, seconds: float) -> None:
        """Wait before a further try: as long as KooDrive asked for in ``error``, else about ``seconds``, at most ``timeout``."""
        wait = seconds * random.uniform(0.5, 1.0) if error.retry_after is None else error.retry_after
        time.sleep(min(wait, self._timeout))

    def _right_in_time(self) -> Reply:
        """The reply to the read; where an app is refused because the clocks are apart, signed once more with the server's time.

        KooDrive refuses an X-Date that is later than its own time or older than 15 minutes [api-koodrive-carrier pages].
        """
        reply = self._exchange("GET", READ, None)
        if reply.status not in (400, 401, 403) or not isinstance(self._auth, AppAuth) or self._auth.clock_offset:
            return reply
        server_time = http_date(reply.headers.get("Date", ""))
        if server_time is None or not self._auth.adopt_server_time(server_time):
            return reply
        offset = round(self._auth.clock_offset)
        self.warnings.append(
            f"This machine's clock is {abs(offset)} seconds {'behind' if offset > 0 else 'ahead of'} KooDrive's, which refused a"
            " request for it. The requests of this run are signed with KooDrive's time. Set the clock right."
        )
        return self._exchange("GET", READ, None)

    def _exchange(self, method: str, path: str, body: bytes | None) -> Reply:
        """One request and its reply, whatever that says."""
        try:
            with self._wire.limit(self._timeout):
                response = self._session.request(
                    method,
                    self._endpoint + path,
                    data=body,
                    headers={"Content-Type": "application/json"} if body else None,
                    auth=self._auth,
                    timeout=self._timeout,
                    # Not set on the session: there, REQUESTS_CA_BUNDLE would win over it.
                    verify=self._verify,
                    proxies=DIRECT if self._endpoint.startswith("http:") else None,
                    allow_redirects=False,
                    stream=True,
                )
                reply = Reply(response.status_code, response.headers, _body_of(response))
            if self._wire.overdue:  # The cut can look like the end of the headers.
                raise TimeoutError
            return reply
        except Exception as error:  # requests lets errors of urllib3, http.client, ssl and idna through.
            raise self._failure(error, is_write=method == "POST") from error

    def _failure(self, error: Exception, is_write: bool) -> KooDriveError:
        """What the failed exchange means."""
        may_have_moved = is_write and self._wire.established
        if isinstance(error, OversizedReply):
            return KooDriveError("invalid_reply", str(error), may_have_moved=may_have_moved)
        failure = explain(error)
        if self._wire.overdue:
            failure = Failure(f"no complete reply within {self._timeout} seconds", transient=True)
        reached = "did not answer in full" if self._wire.established else "could not be reached"
        return KooDriveError(
            "unreachable",
            f"{self._endpoint} {reached} ({self._show(failure.why)})",
            passing=failure.transient,
            may_have_moved=may_have_moved,
        )

    def _show(self, text: str) -> str:
        return redact(text, [*self._auth.secrets(), *passwords_of_proxies(os.environ)])


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
