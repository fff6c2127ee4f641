# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with one call, as data: what becomes of the transfer, and what becomes of the reply."""

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

#: What becomes of a transfer: done, not done, done some time later, or done for its first target only.
APPLY = ("yes", "no", "late", "partly")
#: What becomes of the reply; "refuse" is for a call whose connection is never established.
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
#: The code by which the server says that the fault is its own, and leaves open what became of the request.
INNER_INVOKE_FAILURE = "13000201"
#: A server that hangs or drips gives up after so many seconds, so that no test can leave it hanging for ever.
GIVE_UP = 60.0


@dataclass(frozen=True)
class Fault:
    """The fate of one call.

    ``seconds``: for apply "late", until the transfer is done; for reply "refuse", how long nobody listens; for the
    dripping replies, the pause between two bytes. ``status``, ``code`` and ``retry_after`` belong to the replies "status", in KooDrive's
    own words, and "gateway", in those of the gateway in front of it.
    ``lag``: so many later reads show the pools as they were before this call. ``interloper``: the body of a transfer by
    somebody else, done before the reply goes out. ``raw``: all that the reply "raw" sends.
    ``close``: the connection is closed after the reply.
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
        """Whether the reply says that the transfer was not processed.

        A 4xx without a code can come from a firewall or a proxy, which does not know. Only 429 needs no code.
        """
        is_answer = self.reply in ("status", "gateway") and str(self.code) != INNER_INVOKE_FAILURE
        return is_answer and 400 <= self.status < 500 and self.status != 408 and (self.code is not None or self.status == 429)

    def __post_init__(self) -> None:
        if self.apply not in APPLY or self.reply not in REPLIES:
            raise ValueError(f"no such fault: {self}")


def script(entries: Iterable[dict[str, Any] | None]) -> list[Fault]:
    """Faults of the calls to come, in their order; None is a call without one."""
    return [Fault(**(entry or {})) for entry in entries]


async def reply(request: web.Request, fault: Fault, status: int, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Send ``body`` as HTTP ``status``, or what ``fault`` makes of it."""
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
#: A few kilobytes that become 64 MiB.
BOMB = gzip.compress(b" " * 64 * 1024 * 1024)


def _head(status: int, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Said", "Content-Type: application/json", *fields, "", ""]).encode()


def _in_one_piece(fault: Fault, status: int, body: bytes) -> bytes | None:
    """What goes over the wire for the replies that come at once, wrong as they are."""
    length = f"Content-Length: {len(body)}"
    elsewhere = "Location: https://login.example.org/elsewhere"
    packed = gzip.compress(body)
    return {
        "raw": fault.raw,
        "short": _head(status, f"Content-Length: 1{len(body)}") + body,
        "redirect-page": _head(302, elsewhere, f"Content-Length: {len(LOGIN)}") + LOGIN,
        "early-hints": _head(103, "Link: </style.css>; rel=preload") + _head(102) + _head(status, length, "Connection: close") + body,
        "chunked": _head(status, "Transfer-Encoding: chunked", "Connection: close")
        + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:7], body[7:], b"")),
        "until-closed": _head(status, "Connection: close") + body,
        "gzip": _head(status, "Content-Encoding: gzip", f"Content-Length: {len(packed)}", "Connection: close") + packed,
        "brotli": _head(status, "Content-Encoding: br", length) + (b"\x8b\x02\x80\xff" * len(body))[: len(body)],
        "bomb": _head(status, "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}") + BOMB,
    }.get(fault.reply)


def _in_pieces(fault: Fault, status: int, body: bytes) -> tuple[bytes, Iterable[bytes], float]:
    """What goes over the wire at once, piece by piece after that, and the pause after each piece."""
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
    """Do to the connection what HTTP libraries are made to prevent, and close it."""
    transport = request.transport
    if transport is None:
        return
    whole = _in_one_piece(fault, status, body)
    if fault.reply == "reset":
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
    """Send the pieces, a pause after each, and then nothing, until the client is gone or the time to give up has come."""
    loop = asyncio.get_running_loop()
    end = loop.time() + GIVE_UP
    for piece in pieces:
        if transport.is_closing():
            return
        transport.write(piece)
        await asyncio.sleep(pause)
    while not transport.is_closing() and loop.time() < end:
        await asyncio.sleep(0.01)
