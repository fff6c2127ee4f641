# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated KooDrive as an HTTP server: the API, and control calls below /_simulator for tests and demonstrations."""

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
    """The readings of the reference that it leaves open: data an array or one object, numbers as such or as text; and whether there is
    the second read, with all pools, with less, or not at all; whether transfers must be multiples of some GB; whether what goes wrong
    at the gateway is said in its words.
    """

    data: str = "array"
    numbers: str = "number"
    code: str = "number"
    quota: str = "whole"
    step: int = 1
    gateway: str = "own"

    def read(self, rows: list[dict[str, int]]) -> dict[str, Any]:
        shown = [self._numbers(row) for row in rows]
        # One object can only show one pool; which one the service would choose is not known.
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
    """Everything that a test can set, and the requests since then."""

    tenant: Tenant = field(default_factory=lambda: Tenant(DEFAULT_POOLS))
    credentials: Credentials = field(default_factory=Credentials)
    shape: Shape = field(default_factory=Shape)
    delay: float = 0.0
    echo: bool = False
    #: What becomes of the calls to come, one after the other.
    script: list[Fault] = field(default_factory=list)
    #: How many reads to come show older pools, and which.
    lag: int = 0
    stale: list[dict[str, int]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    #: What KooDrive calls the tenant, if it does, and whether that is frozen.
    tenant_id: str | None = "tenant-1"
    frozen: bool = False
    #: How often somebody asked for that.
    asked_for_tenant: int = 0
    #: The trace IDs of the transfers that were done, in their order; those of interlopers are empty.
    applied: list[str] = field(default_factory=list)


class Simulator(ServerThread):
    """An HTTP server of its own thread. Use it as a context manager; ``state`` may be replaced at any time."""

    def __init__(self, state: State, port: int = 0, tls: ssl.SSLContext | None = None, log: bool = False) -> None:
        application = web.Application()
        application.router.add_route("GET", "/_simulator/state", self._show_state)
        application.router.add_route("PUT", "/_simulator/state", self._set_state)
        # A GET, for those who cannot send anything else.
        application.router.add_route("GET", "/_simulator/set", self._set_state)
        application.router.add_route("*", "/{path:.*}", self._serve)
        super().__init__(application, port, tls)
        self.state = state
        self._log = log
        self._started = time.monotonic()
        #: Requests that are being served, and transfers that are still to be done.
        self._serving = 0
        self._to_come = 0

    def wait(self, seconds: float | None = None) -> None:
        """Serve for so long, or until the process is ended. An interrupt ends it, too."""
        # Not a join of the thread: after an interrupt, that would be taken for ended.
        threading.Event().wait(seconds)

    @property
    def deaf(self) -> bool:
        """Whether nobody listens for the time being."""
        return self._site is None

    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._runner.server.connections) if self._runner.server else 0

    def settle(self, patience: float = 30.0) -> None:
        """Wait until everything that was sent has been served, also to those who wait no longer, and nothing can happen by itself any
        more. Raises TimeoutError where that takes longer than ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        knocked = False
        while self.deaf or self._serving or self._to_come or self.connections() or not knocked:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._serving} requests, {self._to_come} transfers, {self.connections()} connections are left")
            if not self.deaf and not knocked:
                # Connections are taken in their order: after this one, none is left that nobody has looked at. It may stop listening just now.
                with suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", self.port), timeout=patience).close()
                    knocked = True
            time.sleep(0.002)

    def script(self, *faults: Fault) -> None:
        """Set what becomes of the calls to come."""
        self.state.script = list(faults)
        asyncio.run_coroutine_threadsafe(self._refuse_if_scripted(), self._loop).result()

    async def _refuse_if_scripted(self) -> bool:
        """Stop listening for a while if that is what the script has for the next call."""
        if not (self.state.script and self.state.script[0].reply == "refuse" and self._site):
            return False
        seconds = 0.0
        while self.state.script and self.state.script[0].reply == "refuse":
            seconds += self.state.script.pop(0).seconds
        site, self._site = self._site, None
        await site.stop()
        self._socket.close()
        self._loop.call_later(seconds, lambda: self._loop.create_task(self._listen_again()))
        return True

    async def _listen_again(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self.port))
        await self._listen()

    async def _show_state(self, request: web.Request) -> web.Response:
        """What was sent and done since the state was set, and the pools now."""
        return web.json_response(
            {
                "pools": self.state.tenant.by_name(),
                "requests": self.state.requests,
                "applied": self.state.applied,
                "asked_for_tenant": self.state.asked_for_tenant,
            }
        )

    async def _set_state(self, request: web.Request) -> web.Response:
        """Forget the requests, and set what the body, or the query's "to", names; the rest is as at the start."""
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
        """Who the tenant is. It is asked for once per credential, and is not among the requests that a test expects."""
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
        """Do the transfer as far as ``fault`` lets it be done. Raises Refused where KooDrive would refuse it."""
        trace_id = request.headers.get("X-Traceid", "")
        if fault.apply == "late":
            self.state.tenant.check(body)
            self._to_come += 1
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
        self._to_come -= 1

    def _transfer(self, body: Any, trace_id: str) -> None:
        """A transfer that nobody waits for: it is done, or it is not."""
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
                # What is secret in it is of no use to a test.
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
    """A state with the default pools that accepts ``token`` and ``app``."""
    return State(credentials=Credentials([token] if token else [], [app] if app else []))
