# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the simulated KooDrive over HTTP: the API, and control calls below /_simulator for tests and demonstrations."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .credentials import App, Credentials
from .faults import Fault, reply, script
from .server_thread import ServerThread
from .tenant import Refused, Tenant, bad_parameters, quota_of

QUOTA = "/koodrive/ose/v1/service/quotaUsed"
SERVICE = "/koodrive/ose/v1/service"
READ = "/koodrive/ose/v1/space/allocation/get"
WRITE = "/koodrive/ose/v1/space/allocation/transfer"

TRACE_ID = re.compile("[A-Za-z0-9_]{58}")

DEFAULT_POOLS = {
    "department": {"total": 2000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 900},
    "group": {"total": 500, "allocated": 500},
}


@dataclass
class Shape:
    """What the reference leaves open.

    - ``data``: the data of the read is an array or one object
    - ``numbers`` and ``code``: numbers or text
    - ``quota``: the second read has the whole pools, a part of them, or does not exist
    - ``step``: transfers must be a multiple of this, in GB
    - ``gateway``: the gateway's errors have its own keys or KooDrive's
    """

    data: str = "array"
    numbers: str = "number"
    code: str = "number"
    quota: str = "whole"
    step: int = 1
    gateway: str = "own"

    def read(self, rows: list[dict[str, int]]) -> dict[str, Any]:
        shown = [self._numbers(row) for row in rows]
        # One object can show only one pool. Which one the service chooses is unknown.
        return self.answer("Operation successful.", data=shown if self.data == "array" else shown[0])

    def read_quota(self, rows: list[dict[str, int]], stored: dict[int, int]) -> dict[str, Any]:
        if self.quota == "none":
            raise Refused(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
        shown = quota_of(rows, stored)
        if self.quota == "partly":
            del shown["groupSpaceQuota"], shown["groupSpaceUsed"]
        return self.answer("Operation successful.", data=self._numbers(shown))

    def refuse(self, refused: Refused, more: str) -> dict[str, Any]:
        if self.gateway == "own" and str(refused.code).startswith("APIG"):
            return {"error_code": refused.code, "error_msg": refused.message + more, "request_id": "c0ffee"}
        return self.answer(refused.message + more, refused.code)

    def _numbers(self, row: dict[str, int]) -> dict[str, Any]:
        return {key: str(value) for key, value in row.items()} if self.numbers == "text" else dict(row)

    def answer(self, message: str, code: int | str = 0, **more: Any) -> dict[str, Any]:
        return {**more, "code": str(code) if self.code == "text" else code, "msg": message}


@dataclass
class State:
    """All that a test can set, and the requests since then."""

    tenant: Tenant = field(default_factory=lambda: Tenant(DEFAULT_POOLS))
    credentials: Credentials = field(default_factory=Credentials)
    shape: Shape = field(default_factory=Shape)
    delay: float = 0.0
    echo: bool = False
    #: The faults of the next calls, in order.
    script: list[Fault] = field(default_factory=list)
    #: How many of the next reads show older pools, and these pools.
    lag: int = 0
    stale: list[dict[str, int]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    #: KooDrive's ID of the tenant, if it reports one, and whether the tenant is frozen.
    tenant_id: str | None = "tenant-1"
    frozen: bool = False
    #: How often a client asked for the tenant's ID.
    asked_for_tenant: int = 0
    #: The trace IDs of the transfers that were done, in order. An interloper has an empty one.
    applied: list[str] = field(default_factory=list)


class Simulator(ServerThread):
    """A simulated KooDrive in a thread. Use it as a context manager. ``state`` can be replaced at any time."""

    def __init__(self, state: State, port: int = 0, tls: ssl.SSLContext | None = None, log: bool = False) -> None:
        application = web.Application()
        application.router.add_route("GET", "/_simulator/state", self._show_state)
        application.router.add_route("PUT", "/_simulator/state", self._set_state)
        # For clients that can send only a GET.
        application.router.add_route("GET", "/_simulator/set", self._set_state)
        application.router.add_route("*", "/{path:.*}", self._serve)
        super().__init__(application, port, tls)
        self.state = state
        self._log = log
        self._started = time.monotonic()
        #: The number of requests in progress, and of transfers that will be done later.
        self._serving = 0
        self._late = 0

    def wait(self, seconds: float | None = None) -> None:
        """Serve for this time, or until the process ends. An interrupt ends it too."""
        # Not a join of the thread, since an interrupt would mark the thread as ended.
        threading.Event().wait(seconds)

    @property
    def is_refusing(self) -> bool:
        """Return whether connections are refused at the moment."""
        return self._site is None

    def connections(self) -> int:
        """Return how many connections are open now."""
        return len(self._runner.server.connections) if self._runner.server else 0

    def _states(self) -> str:
        """Describe the open connections: the client's address, whether it is closing, and the bytes not sent yet."""
        transports = [handler.transport for handler in self._runner.server.connections] if self._runner.server else []
        return ", ".join(
            "closed" if one is None else f"{one.get_extra_info('peername')} {one.is_closing()} {one.get_write_buffer_size()}" for one in transports
        )

    def settle(self, patience: float = 30.0) -> None:
        """Wait until all requests are served and all late transfers are done, also those of clients that have gone.

        Raises TimeoutError if that takes longer than ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        knocked = False
        while self.is_refusing or self._serving or self._late or self.connections() or not knocked:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._serving} requests, {self._late} transfers, {self.connections()} connections are left: {self._states()}")
            if not self.is_refusing and not knocked:
                # Connections are accepted in order. So after this one, all earlier ones are known. The simulator may
                # begin to refuse them at this moment.
                with suppress(ConnectionRefusedError, ConnectionResetError):
                    socket.create_connection(("127.0.0.1", self.port), timeout=patience).close()
                    knocked = True
            time.sleep(0.002)

    def script(self, *faults: Fault) -> None:
        """Set the faults of the next calls."""
        self.state.script = list(faults)
        asyncio.run_coroutine_threadsafe(self._refuse_if_scripted(), self._loop).result()

    async def _refuse_if_scripted(self) -> bool:
        """Refuse connections for a while if the next fault is "refuse". Meanwhile, no other process gets the port."""
        if not (self.state.script and self.state.script[0].reply == "refuse" and self._site):
            return False
        seconds = 0.0
        while self.state.script and self.state.script[0].reply == "refuse":
            seconds += self.state.script.pop(0).seconds
        site, self._site = self._site, None
        await site.stop()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._loop.call_later(seconds, lambda: self._loop.create_task(self._listen()))
        return True

    async def _show_state(self, request: web.Request) -> web.Response:
        """Return the requests and transfers since the state was set, and the pools."""
        return web.json_response(
            {
                "pools": self.state.tenant.by_name(),
                "requests": self.state.requests,
                "applied": self.state.applied,
                "asked_for_tenant": self.state.asked_for_tenant,
            }
        )

    async def _set_state(self, request: web.Request) -> web.Response:
        """Reset the state, and set the fields of the body, or of "to" in the query."""
        body = json.loads(request.query.get("to", "null")) or await request.json()
        state = self.state
        state.tenant = Tenant(body.get("pools", DEFAULT_POOLS))
        state.tenant.refusal = body.get("refusal")
        state.shape = Shape(**body.get("shape", {}))
        state.tenant.step = state.shape.step
        state.delay = body.get("delay", 0.0)
        state.echo = body.get("echo", False)
        state.credentials.clock_offset = body.get("clock_offset", 0.0)
        state.script = script(body.get("script", []))
        state.lag, state.requests, state.applied, state.asked_for_tenant = 0, [], [], 0
        state.tenant_id, state.frozen = body.get("tenant_id", state.tenant_id), body.get("frozen", False)
        response = web.json_response({"pools": state.tenant.by_name()})
        if await self._refuse_if_scripted():
            response.force_close()
        return response

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self._serving += 1
        try:
            return await self._served(request)
        finally:
            self._serving -= 1

    async def _served(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path == SERVICE:
            return self._serve_tenant(request, body)
        await asyncio.sleep(self.state.delay)
        fault = self.state.script.pop(0) if self.state.script else Fault()
        status, answer = self._answer(request, body, fault)
        self._note(request, body, status, fault)
        headers = {"Date": formatdate(self.state.credentials.now(), usegmt=True)}
        response = await reply(request, fault, status, json.dumps(answer).encode(), headers)
        if await self._refuse_if_scripted() or fault.close:
            response.force_close()
        return response

    def _serve_tenant(self, request: web.Request, body: bytes) -> web.Response:
        """Return the tenant's ID. The request is not in the list of requests."""
        state = self.state
        state.asked_for_tenant += 1
        headers = {"Date": formatdate(state.credentials.now(), usegmt=True)}
        try:
            self._check(request, body)
        except Refused as refused:
            return web.json_response(state.shape.refuse(refused, ""), status=refused.status, headers=headers)
        data = {"tenantName": "Simulated", "status": 1 if state.frozen else 0}
        known = {} if state.tenant_id is None else {"tenantId": state.tenant_id}
        return web.json_response(state.shape.answer("Operation successful.", data={**data, **known}), headers=headers)

    def _answer(self, request: web.Request, body: bytes, fault: Fault) -> tuple[int, dict[str, Any]]:
        state = self.state
        try:
            self._check(request, body)
            if request.method == "GET":
                rows = state.stale if state.lag else state.tenant.rows()
                state.lag = max(0, state.lag - 1)
                return 200, state.shape.read_quota(rows, state.tenant.stored()) if request.path == QUOTA else state.shape.read(rows)
            if fault.lag:
                state.lag, state.stale = fault.lag, state.tenant.rows()
            self._apply(request, _json(request, body), fault)
            return 200, state.shape.answer("Successful")
        except Refused as refused:
            echo = f" You sent: {request.headers.get('Authorization')}" if state.echo else ""
            return refused.status, state.shape.refuse(refused, echo)

    def _apply(self, request: web.Request, body: Any, fault: Fault) -> None:
        """Do the transfer as ``fault`` says. Raises Refused if KooDrive would refuse it."""
        trace_id = request.headers.get("X-Traceid", "")
        if fault.apply == "late":
            self.state.tenant.check(body)
            self._late += 1
            self._loop.call_later(fault.seconds, self._transfer_late, body, trace_id)
        elif fault.apply == "no":
            self.state.tenant.check(body)
        else:
            done = {**body, "target": body["target"][:1]} if fault.apply == "partly" else body
            self.state.tenant.transfer(done)
            self.state.applied.append(trace_id)
        if fault.interloper:
            self._transfer(fault.interloper, "")

    def _transfer_late(self, body: Any, trace_id: str) -> None:
        self._transfer(body, trace_id)
        self._late -= 1

    def _transfer(self, body: Any, trace_id: str) -> None:
        """Do a transfer without a reply. If it is refused, nothing happens."""
        try:
            self.state.tenant.transfer(body)
        except Refused:
            return
        self.state.applied.append(trace_id)

    def _check(self, request: web.Request, body: bytes) -> None:
        if (request.method, request.path) not in (("GET", READ), ("GET", QUOTA), ("GET", SERVICE), ("POST", WRITE)):
            raise Refused(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
        self.state.credentials.check(request.method, request.path, request.query_string, request.headers, body)
        if not TRACE_ID.fullmatch(request.headers.get("X-Traceid", "x" * 58)):
            raise bad_parameters()

    def _note(self, request: web.Request, body: bytes, status: int, fault: Fault) -> None:
        self.state.requests.append(
            {
                # Seconds since the simulator was started.
                "at": round(time.monotonic() - self._started, 4),
                "method": request.method,
                "path": request.path,
                "status": status,
                # Whether the client cannot know that the request was not processed.
                "open": status == 200 and not fault.refuses,
                "connection": request.transport and request.transport.get_extra_info("peername")[1],
                "fault": f"{fault.apply}/{fault.reply}",
                # Only the scheme: tests do not need the secret.
                "authorization": request.headers.get("Authorization", "").split(" ")[0].split("+")[0],
                "user_id": request.headers.get("X-User-Id"),
                "trace_id": request.headers.get("X-Traceid"),
                "language": request.headers.get("language"),
                "accept_encoding": request.headers.get("Accept-Encoding"),
                "body": body.decode("utf-8", "replace"),
            }
        )
        if self._log:
            sys.stderr.write(f"{request.method} {request.path} {body.decode('utf-8', 'replace')} -> HTTP {status} {fault.reply}\n")


def _json(request: web.Request, body: bytes) -> Any:
    if request.content_type != "application/json":
        raise bad_parameters()
    try:
        return json.loads(body)
    except ValueError as error:
        raise bad_parameters() from error


def new_state(token: str | None = None, app: App | None = None) -> State:
    """Return a state with the default pools that accepts ``token`` and ``app``."""
    return State(credentials=Credentials([token] if token else [], [app] if app else []))
