# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test connections: names with several addresses, working and broken proxies, and missing CA bundles."""

from __future__ import annotations

import http.server
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options
from ansible_collections.huaweicloud.koodrive.tests.simulator.certificates import server_context
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}
PROXY_VARIABLES = [spelling for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for spelling in (name, name.upper())]


@pytest.fixture(autouse=True)
def fixture_no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(options, "SHORTEST_TIMEOUT", 0.1)


@pytest.fixture(name="over_tls")
def fixture_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KooDriveForTests]:
    """Return a simulator with TLS whose certificate the environment trusts."""
    ca = tmp_path / "ca.pem"
    with KooDriveForTests(new_state(TOKEN), tls=server_context(ca)) as simulator:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
        yield simulator


@pytest.fixture(name="silent_address")
def fixture_silent_address(koodrive: KooDriveForTests) -> Iterator[str]:
    """Return an address where connections are neither accepted nor refused, on the simulator's port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.9", koodrive.port))
        listener.listen(0)
        waiting = [socket.socket() for _number in range(3)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
        yield "127.0.0.9"
        for connection in waiting:
            connection.close()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Resolve the name localhost to these addresses."""
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host == "localhost":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_slow_first_address_leaves_time_for_the_second(koodrive: KooDriveForTests, silent_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, silent_address, "127.0.0.1")
    start = time.monotonic()
    assert koodrive.run(GROUP, endpoint=f"http://localhost:{koodrive.port}", timeout=2)["changed"]
    assert 1 <= time.monotonic() - start < 2.5, "half the time for the first, and one connection for all requests"


def test_a_name_with_silent_addresses_takes_the_time_of_one_request(koodrive: KooDriveForTests, silent_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, silent_address)
    start = time.monotonic()
    result = koodrive.failure(GROUP, endpoint=f"http://localhost:{koodrive.port}", timeout=2)
    assert time.monotonic() - start < 3.9 and result["error"]["kind"] == "unreachable"


def test_the_error_is_that_at_the_best_address(over_tls: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.8", "255.255.255.255")
    assert "Connection refused" in over_tls.failure(GROUP, endpoint=f"https://localhost:{over_tls.port}")["msg"]


def test_a_name_does_not_lead_plain_http_off_the_machine(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "192.0.2.1", "127.0.0.1")
    result = koodrive.failure(GROUP, endpoint=f"http://localhost:{koodrive.port}", retries=3)
    assert "localhost is not this machine" in result["msg"] and koodrive.methods() == []


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that refuses all requests and records them."""

    asked_for: list[str] = []

    def do_CONNECT(self) -> None:
        self.asked_for.append(f"{self.requestline}\n{self.headers}")
        self.send_error(int(self.headers.get("X-Status", 407)))

    do_GET = do_POST = do_CONNECT

    def log_message(self, *args: object) -> None:
        """Write no log."""


@pytest.fixture(name="proxy")
def fixture_proxy() -> Iterator[str]:
    Proxy.asked_for = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_no_proxy_carries_plain_http_off_the_machine(koodrive: KooDriveForTests, proxy: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, f"http://{proxy}")
    assert koodrive.run(GROUP)["changed"]
    assert Proxy.asked_for == []


def test_the_error_names_a_refusal_of_the_proxy_and_there_is_no_other_try(over_tls: KooDriveForTests, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:SEKRIT@{proxy}")
    result = over_tls.failure(GROUP, retries=3)
    assert "could not be reached (the proxy of the environment: it refused the connection with HTTP 407)" in result["msg"]
    assert len(Proxy.asked_for) == 1 and "Authorization: Bearer" not in Proxy.asked_for[0]
    assert "SEKRIT" not in str(result)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:SEKRIT#pw@127.0.0.1:3128",
        "http://user:SEKRIT/pw@127.0.0.1:3128",
        "http://user:SEKRIT?pw@127.0.0.1:3128",
        "http://user:SEKRIT@127.0.0.1:99999",
        "http://user:SEKRIT@127.0.0.1:port",
        "http://user:SEKRIT@",
        "http://user:SEKRIT@host name:3128",
        "http://user:SEKRIT@[::1:3128",
        "http://user:SEKRIT\u4e2d@127.0.0.1:1",
        "ftp://user:SEKRIT@127.0.0.1:3128",
        "user:SEKRIT#pw@127.0.0.1:3128",
        "://user:SEKRIT@127.0.0.1",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_error_names_a_broken_proxy_once_without_its_password(
    over_tls: KooDriveForTests, url: str, name: str, pauses: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)
    result = over_tls.failure(GROUP, retries=3)
    assert pauses == [], "it was tried again"
    assert result["error"]["kind"] == "unreachable" and "the proxy of the environment" in result["msg"]
    assert "SEKRIT" not in str(result) and over_tls.methods() == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_error_names_a_missing_bundle_once(over_tls: KooDriveForTests, name: str, pauses: list[float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv(name, "/nowhere/ca.pem")
    result = over_tls.failure(GROUP, retries=3)
    assert pauses == [], "it was tried again"
    assert result["error"]["kind"] == "unreachable" and "/nowhere/ca.pem" in result["msg"]


def test_an_invalid_bundle_is_not_tried_again(over_tls: KooDriveForTests, tmp_path: Path, pauses: list[float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none.pem").write_text("nothing\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    assert over_tls.failure(GROUP, retries=3)["error"]["kind"] == "unreachable"
    assert pauses == [], "it was tried again"


class Socks(socketserver.BaseRequestHandler):
    """The part of SOCKS 5 that connects to a named host of this machine."""

    names: list[bytes] = []

    def handle(self) -> None:
        self.request.recv(2 + self.request.recv(2)[1] - 2)
        self.request.sendall(b"\5\0")
        length = self.request.recv(5)[4]
        self.names.append(self.request.recv(length))
        port = int.from_bytes(self.request.recv(2), "big")
        with socket.create_connection(("127.0.0.1", port)) as onward:
            self.request.sendall(b"\5\0\0\1" + b"\0" * 6)
            back = threading.Thread(target=self._carry, args=(onward, self.request))
            back.start()
            self._carry(self.request, onward)
            back.join()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class RefusingSocks(socketserver.BaseRequestHandler):
    """A SOCKS 5 proxy that accepts no way to log in."""

    def handle(self) -> None:
        self.request.recv(16)
        self.request.sendall(b"\5\xff")


def test_a_socks_proxy_that_refuses_is_called_so(over_tls: KooDriveForTests, pauses: list[float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), RefusingSocks) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ALL_PROXY", f"socks5h://user:SEKRIT@127.0.0.1:{server.server_address[1]}")
        message = over_tls.failure(GROUP, endpoint=f"https://localhost:{over_tls.port}", retries=1, timeout=3)["msg"]
        server.shutdown()
    assert "the SOCKS proxy of the environment did not connect" in message and "SEKRIT" not in message and len(pauses) == 1


def test_a_socks_proxy_resolves_the_name(over_tls: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    Socks.names = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{server.server_address[1]}")
        assert over_tls.run(GROUP, endpoint=f"https://localhost:{over_tls.port}", timeout=3)["changed"]
        server.shutdown()
    assert Socks.names == [b"localhost"]
