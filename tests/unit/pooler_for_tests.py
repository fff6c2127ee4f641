# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pooler for tests that hands out connections to PostgreSQL by the transaction, as PgBouncer does with
pool_mode=transaction.

After each transaction the connection forgets its session (DISCARD ALL), and the next one of the same client gets any
of them.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress
from queue import Queue
from types import TracebackType

ENCRYPTION = (80877103, 80877104)
HELLO = {"server_version": "18.0", "client_encoding": "UTF8", "standard_conforming_strings": "on", "integer_datetimes": "on"}
Message = tuple[bytes, bytes]


class Wire:
    """A connection that speaks in messages."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._input = connection.makefile("rb")

    def read(self, count: int) -> bytes:
        data = self._input.read(count)
        if len(data) < count:
            raise ConnectionError
        return data

    def message(self) -> Message:
        kind = self.read(1)
        return kind, self.read(struct.unpack("!I", self.read(4))[0] - 4)

    def send(self, kind: bytes, body: bytes) -> None:
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def close(self) -> None:
        self._input.close()
        self.socket.close()


class Pooler:
    """Listens on loopback, with so many connections to the server on ``port`` that trusts everybody at the ``host``
    of its socket.
    """

    def __init__(self, host: str, port: int, database: str, size: int) -> None:
        self._address = f"{host}/.s.PGSQL.{port}"
        self._database = database
        self._free: Queue[Wire] = Queue()
        for _number in range(size):
            self._free.put(self._connected())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"postgresql://user@127.0.0.1:{self._listener.getsockname()[1]}/{database}"

    def __enter__(self) -> Pooler:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while not self._free.empty():
            self._free.get().close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(Wire(self._listener.accept()[0]),), daemon=True).start()

    def _connected(self) -> Wire:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        wire = Wire(connection)
        wire.send(b"", struct.pack("!I", 196608) + f"user\0postgres\0database\0{self._database}\0client_encoding\0UTF8\0\0".encode())
        while wire.message()[0] != b"Z":
            pass
        return wire

    def _serve(self, client: Wire) -> None:
        server: Wire | None = None
        try:
            _greet(client)
            while True:
                kind, body = client.message()
                if kind == b"X":
                    break
                server = server or self._any()
                server.send(kind, body)
                if kind in (b"Q", b"S") and _relay_answer(server, client) == b"I":
                    server = self._release_server(server)
        except OSError:
            pass
        finally:
            client.close()
            if server is not None:  # The client is gone in the middle of a transaction, which ends with it.
                server.close()
                self._free.put(self._connected())

    def _any(self) -> Wire:
        free = [self._free.get()]
        while not self._free.empty():
            free.append(self._free.get())
        chosen = free.pop(random.randrange(len(free)))
        for wire in free:
            self._free.put(wire)
        return chosen

    def _release_server(self, server: Wire) -> None:
        server.send(b"Q", b"DISCARD ALL\0")
        while server.message()[0] != b"Z":
            pass
        self._free.put(server)


def _greet(client: Wire) -> None:
    """Accept every client, but refuse encryption."""
    length, protocol = struct.unpack("!II", client.read(8))
    while protocol in ENCRYPTION:
        client.socket.sendall(b"N")
        length, protocol = struct.unpack("!II", client.read(8))
    client.read(length - 8)
    client.send(b"R", struct.pack("!I", 0))
    for name, value in HELLO.items():
        client.send(b"S", f"{name}\0{value}\0".encode())
    client.send(b"Z", b"I")


def _relay_answer(server: Wire, client: Wire) -> bytes:
    """Pass on all that the server says until it is ready; whether a transaction is open then."""
    while True:
        kind, body = server.message()
        client.send(kind, body)
        if kind == b"Z":
            return body
