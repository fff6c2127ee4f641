# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run an HTTP server of aiohttp in a thread."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from typing import TypeVar

from aiohttp import web

Self = TypeVar("Self", bound="ServerThread")


class ServerThread:
    """Serve ``application`` on a loopback port while used as a context manager. Port 0 takes a free port."""

    def __init__(self, application: web.Application, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._socket = _listening_at(port)
        self.port: int = self._socket.getsockname()[1]
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._site: web.SockSite | None = None
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    def __enter__(self: Self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._socket.close()

    async def _start(self) -> None:
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        # asyncio closes the socket that it serves. This one keeps the port.
        site = web.SockSite(self._runner, self._socket.dup(), ssl_context=self._tls)
        await site.start()
        self._site = site


def _listening_at(port: int) -> socket.socket:
    """Return a socket that keeps its port while it does not listen. Linux would free a port that it has chosen."""
    if port:
        return socket.create_server(("127.0.0.1", port))
    with socket.socket() as chosen:
        chosen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        chosen.bind(("127.0.0.1", 0))
        return socket.create_server(chosen.getsockname(), reuse_port=True)
