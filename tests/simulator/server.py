# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated KooDrive as an HTTP server: the API, and control calls below /_simulator for tests and demonstrations."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .credentials import App, Credentials
from .tenant import Refused, Tenant, bad_parameters

READ = "/koodrive/ose/v1/space/allocation/get"
WRITE = "/koodrive/ose/v1/space/allocation/transfer"

DEFAULT_POOLS = {
    "department": {"total": 2000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 900},
    "group": {"total": 500, "allocated": 500},
}


@dataclass
class Shape:
    """The readings of the reference that it leaves open: data an array or one object, numbers as such or as text."""

    data: str = "array"
    numbers: str = "number"
    code: str = "number"

    def read(self, rows: list[dict[str, int]]) -> dict[str, Any]:
        shown: list[dict[str, Any]] = [
            {key: str(value) for key, value in row.items()} if self.numbers == "text" else dict(row) for row in rows
        ]
        # One object can only show one pool; which one the service would choose is not known.
        return self.answer("Operation successful.", data=shown if self.data == "array" else shown[0])

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
    requests: list[dict[str, Any]] = field(default_factory=list)


class Simulator:
    """An HTTP server of its own thread. Use it as a context manager; ``state`` may be replaced at any time."""

    def __init__(self, state: State, port: int = 0, tls: ssl.SSLContext | None = None, log: bool = False) -> None:
        self.state = state
        self._tls = tls
        self._log = log
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        application = web.Application()
        application.router.add_route("GET", "/_simulator/state", self._show_state)
        application.router.add_route("PUT", "/_simulator/state", self._set_state)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    def __enter__(self) -> Simulator:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def wait(self, seconds: float | None = None) -> None:
        """Serve for so long, or until the process is ended."""
        self._thread.join(seconds)

    async def _start(self) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, ssl_context=self._tls).start()

    async def _show_state(self, request: web.Request) -> web.Response:
        return web.json_response({"pools": self.state.tenant.by_name(), "requests": self.state.requests})

    async def _set_state(self, request: web.Request) -> web.Response:
        """Forget the requests, and set what the body names: pools, refusal, shape, delay, echo, clock_offset; the rest is as at the start."""
        body = await request.json()
        self.state.tenant = Tenant(body.get("pools", DEFAULT_POOLS))
        self.state.tenant.refusal = body.get("refusal")
        self.state.shape = Shape(**body.get("shape", {}))
        self.state.delay = body.get("delay", 0.0)
        self.state.echo = body.get("echo", False)
        self.state.credentials.clock_offset = body.get("clock_offset", 0.0)
        self.state.requests = []
        return web.json_response({"pools": self.state.tenant.by_name()})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        await asyncio.sleep(self.state.delay)
        status, answer = self._answer(request, body)
        self._note(request, body, status)
        return web.json_response(
            answer, status=status, headers={"Date": formatdate(self.state.credentials.now(), usegmt=True)}
        )

    def _answer(self, request: web.Request, body: bytes) -> tuple[int, dict[str, Any]]:
        shape = self.state.shape
        try:
            self._check(request, body)
            if request.method == "GET":
                return 200, shape.read(self.state.tenant.rows())
            self.state.tenant.transfer(_json(request, body))
            return 200, shape.answer("Successful")
        except Refused as refused:
            echo = f" You sent: {request.headers.get('Authorization')}" if self.state.echo else ""
            return refused.status, shape.answer(refused.message + echo, refused.code)

    def _check(self, request: web.Request, body: bytes) -> None:
        if (request.method, request.path) not in (("GET", READ), ("POST", WRITE)):
            raise Refused(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
        self.state.credentials.check(request.method, request.path, request.query_string, request.headers, body)
        if len(request.headers.get("X-Traceid", "x" * 58)) != 58:
            raise bad_parameters()

    def _note(self, request: web.Request, body: bytes, status: int) -> None:
        self.state.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "status": status,
                # What is secret in it is of no use to a test.
                "authorization": request.headers.get("Authorization", "").split(" ")[0].split("+")[0],
                "user_id": request.headers.get("X-User-Id"),
                "trace_id": request.headers.get("X-Traceid"),
                "language": request.headers.get("language"),
                "body": body.decode("utf-8", "replace"),
            }
        )
        if self._log:
            sys.stderr.write(f"{request.method} {request.path} {body.decode('utf-8', 'replace')} -> HTTP {status}\n")


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
