# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe what can go wrong with one call, as data: the fate of the transfer and the fate of the reply."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

#: The fates of a transfer: done, not done, done some time later, or done for its first target only.
APPLY = ("yes", "no", "late", "partly")
#: The fates of the reply. "refuse" is for a call whose connection is never established.
REPLIES = (
    "ok",
    "refuse",
    "reset",
    "hang",
    "status",
    "gateway",
    "redirect",
    "redirect-page",
    "redirect-endless",
    "early-hints",
    "chunked",
    "until-closed",
    "gzip",
    "brotli",
    "bomb",
    "not-json",
    "empty",
    "truncated",
    "short",
    "oversized",
    "endless",
    "drip",
    "drip-headers",
    "raw",
)
#: Those that a random schedule can draw.
RANDOM_REPLIES = tuple(name for name in REPLIES if name != "raw")
#: The code for a fault of the server. The request may have been processed.
INNER_INVOKE_FAILURE = "13000201"
#: In seconds. A reply that hangs or drips ends after this time, so that no test hangs for ever.
GIVE_UP = 60.0


@dataclass(frozen=True)
class Fault:
    """The fate of one call.

    - ``seconds``: for apply "late", until the transfer is done; for reply "refuse", how long no socket listens; for the
      dripping replies, the pause between two bytes
    - ``status``, ``code`` and ``retry_after``: for the reply "status", in KooDrive's words, and for the reply "gateway",
      in the gateway's words
    - ``lag``: how many later reads show the pools as they were before this call
    - ``interloper``: the body of another writer's transfer, done before the reply is sent
    - ``raw``: all bytes of the reply "raw"
    - ``close``: close the connection after the reply
    """

    apply: str = "yes"
    reply: str = "ok"
    seconds: float = 0.2
    status: int = 502
    code: int | str | None = None
    retry_after: str | None = None
    lag: int = 0
    interloper: dict[str, Any] | None = None
    raw: bytes = b""
    close: bool = False

    @property
    def refuses(self) -> bool:
        """Return whether the reply says that the transfer was not processed.

        A 4xx without a code can come from a firewall or a proxy, which does not know that. Only 429 needs no code.
        """
        is_answer = self.reply in ("status", "gateway") and str(self.code) != INNER_INVOKE_FAILURE
        return is_answer and 400 <= self.status < 500 and self.status != 408 and (self.code is not None or self.status == 429)

    def __post_init__(self) -> None:
        if self.apply not in APPLY or self.reply not in REPLIES:
            raise ValueError(f"no such fault: {self}")


def script(entries: Iterable[dict[str, Any] | None]) -> list[Fault]:
    """Return the faults of the next calls, in order. None is a call without a fault."""
    return [Fault(**(entry or {})) for entry in entries]


async def reply(request: web.Request, fault: Fault, status: int, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Send ``body`` with HTTP ``status``, changed by ``fault``."""
    if fault.reply in ("status", "gateway"):
        words = "" if fault.code is None else json.dumps(_words(fault))
        if fault.retry_after is not None:
            headers = {**headers, "Retry-After": fault.retry_after}
        return web.Response(status=fault.status, text=words, headers=headers)
    if fault.reply == "redirect":
        return web.Response(status=302, headers={**headers, "Location": f"{request.scheme}://{request.host}/elsewhere"})
    whole = {"not-json": b"<html>Sign in, please.</html>", "empty": b"", "truncated": body[: len(body) // 2], "ok": body}
    if fault.reply in whole:
        return web.Response(status=status, body=whole[fault.reply], content_type="application/json", headers=headers)
    await _break(request, fault, status, body)
    return web.Response()


def _words(fault: Fault) -> dict[str, Any]:
    message = f"The answer is {fault.status}."
    if fault.reply == "gateway":
        return {"error_code": fault.code, "error_msg": message, "request_id": "c0ffee"}
    return {"code": fault.code, "msg": message}


LOGIN = b"<p>Sign in, please"
#: A few kilobytes that expand to 64 MiB.
BOMB = gzip.compress(b" " * 64 * 1024 * 1024)


def _head(status: int, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Said", "Content-Type: application/json", *fields, "", ""]).encode()


def _in_one_piece(fault: Fault, status: int, body: bytes) -> bytes | None:
    """Return the bytes of a reply that is sent at once; None for other replies."""
    length = f"Content-Length: {len(body)}"
    elsewhere = "Location: https://login.example.org/elsewhere"
    packed = gzip.compress(body)
    return {
        "raw": fault.raw,
        "short": _head(status, f"Content-Length: 1{len(body)}") + body,
        "redirect-page": _head(302, elsewhere, f"Content-Length: {len(LOGIN)}", "Connection: close") + LOGIN,
        "early-hints": _head(103, "Link: </style.css>; rel=preload") + _head(102) + _head(status, length, "Connection: close") + body,
        "chunked": _head(status, "Transfer-Encoding: chunked", "Connection: close")
        + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:7], body[7:], b"")),
        "until-closed": _head(status, "Connection: close") + body,
        "gzip": _head(status, "Content-Encoding: gzip", f"Content-Length: {len(packed)}", "Connection: close") + packed,
        "brotli": _head(status, "Content-Encoding: br", length, "Connection: close") + (b"\x8b\x02\x80\xff" * len(body))[: len(body)],
        "bomb": _head(status, "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}") + BOMB,
    }.get(fault.reply)


def _in_pieces(fault: Fault, status: int, body: bytes) -> tuple[bytes, Iterable[bytes], float]:
    """Return the first bytes, the pieces after them, and the pause after each piece."""
    length = f"Content-Length: {len(body)}"
    endless = itertools.repeat(b" " * 65536, 256)
    pieces: dict[str, tuple[bytes, Iterable[bytes], float]] = {
        "hang": (b"", [], 0),
        "oversized": (_head(status, "Content-Length: 99999999") + body, [], 0),
        "endless": (_head(status, "Connection: close"), endless, 0.001),
        "redirect-endless": (_head(302, "Location: nowhere:://", "Connection: close"), endless, 0.001),
        "drip": (_head(status, length), _bytes_of(body), fault.seconds),
        "drip-headers": (b"", _bytes_of(_head(status, length) + body), fault.seconds),
    }
    return pieces[fault.reply]


def _bytes_of(data: bytes) -> Iterable[bytes]:
    return (bytes([byte]) for byte in data)


async def _break(request: web.Request, fault: Fault, status: int, body: bytes) -> None:
    """Send a reply that breaks the rules of HTTP, and close the connection."""
    transport = request.transport
    if transport is None:
        return
    whole = _in_one_piece(fault, status, body)
    # With several clients, the fault "refuse" of one call can meet another call that is already connected.
    if fault.reply in ("reset", "refuse"):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    elif whole is not None:
        transport.write(whole)
    else:
        head, pieces, pause = _in_pieces(fault, status, body)
        transport.write(head)
        await _until_gone(transport, pieces, pause)
    transport.close()


async def _until_gone(transport: asyncio.Transport, pieces: Iterable[bytes], pause: float) -> None:
    """Send the pieces, with a pause after each. Then wait until the client closes, or until ``GIVE_UP``."""
    loop = asyncio.get_running_loop()
    end = loop.time() + GIVE_UP
    for piece in pieces:
        if transport.is_closing():
            return
        transport.write(piece)
        await asyncio.sleep(pause)
    while not transport.is_closing() and loop.time() < end:
        await asyncio.sleep(0.01)
