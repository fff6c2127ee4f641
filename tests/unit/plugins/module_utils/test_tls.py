# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS, proxies and netrc: real ones."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
import trustme
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.wire import Wire, http_session
from ansible_collections.huaweicloud.koodrive.tests.simulator.certificates import server_context
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}


@pytest.fixture(name="ca")
def fixture_ca(tmp_path: Path) -> str:
    return str(tmp_path / "ca.pem")


@pytest.fixture(name="koodrive")
def fixture_koodrive(ca: str) -> Iterator[KooDriveForTests]:
    with KooDriveForTests(new_state(TOKEN), tls=server_context(Path(ca))) as simulator:
        yield simulator


@pytest.mark.parametrize("bundle", [None, certifi.where()])
def test_own_ca_and_no_verification_whatever_the_environment_has(
    koodrive: KooDriveForTests, ca: str, bundle: str | None, pauses: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        if bundle:
            monkeypatch.setenv(name, bundle)
    assert koodrive.run(GROUP, ca_path=ca)["changed"]
    assert not koodrive.run(GROUP, validate_certs=False)["changed"]
    koodrive.state.requests = []
    result = koodrive.failure(GROUP, retries=3)
    assert pauses == [], "it was tried again"
    assert result["error"]["kind"] == "unreachable" and "certificate verify failed" in result["msg"]
    assert koodrive.methods() == []


def test_a_bundle_in_the_environment(koodrive: KooDriveForTests, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    assert koodrive.run(GROUP)["changed"]


def test_the_certificate_must_be_for_the_host(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca = tmp_path / "other.pem"
    authority.cert_pem.write_to_path(str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("koodrive.example.org").configure_cert(context)
    with KooDriveForTests(new_state(TOKEN), tls=context) as koodrive:
        result = koodrive.failure(GROUP, ca_path=str(ca))
        assert result["error"]["kind"] == "unreachable" and koodrive.methods() == []


def test_a_plain_server_where_tls_is_expected(ca: str) -> None:
    with KooDriveForTests(new_state(TOKEN)) as plain:
        plain.endpoint = plain.endpoint.replace("http:", "https:")
        assert plain.failure(GROUP, validate_certs=False)["error"]["kind"] == "unreachable"


@pytest.mark.parametrize("validate_certs", [True, False])
def test_nothing_older_than_tls_1_2_is_spoken(validate_certs: bool) -> None:
    adapter = http_session(Wire(), validate_certs).get_adapter("https://example.org")
    contexts = [adapter.poolmanager.connection_pool_kw["ssl_context"]]
    contexts.append(adapter.proxy_manager_for("http://127.0.0.1:1").connection_pool_kw["ssl_context"])
    assert [context.minimum_version for context in contexts] == [ssl.TLSVersion.TLSv1_2] * 2


@pytest.mark.parametrize("reply", ["reset", "hang", "drip", "drip-headers", "short", "endless"])
def test_faults_over_tls_are_told_like_others(koodrive: KooDriveForTests, ca: str, reply: str) -> None:
    koodrive.script(Fault(), Fault(reply=reply, seconds=0.1))
    result = koodrive.run(GROUP, ca_path=ca, timeout=1)
    assert result["changed"] and "exactly this transfer" in result["warnings"][0]
    assert koodrive.methods().count("POST") == 1


def test_one_connection_and_handshake(koodrive: KooDriveForTests, ca: str) -> None:
    koodrive.run(GROUP, ca_path=ca)
    assert koodrive.methods() == ["GET", "POST", "GET"]
    assert len({request["connection"] for request in koodrive.state.requests}) == 1


def test_netrc_is_not_consulted(koodrive: KooDriveForTests, ca: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    koodrive.run(GROUP, ca_path=ca)
    assert {request["authorization"] for request in koodrive.state.requests} == {"Bearer"}


@pytest.fixture(name="proxy")
def fixture_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A proxy that refuses; what it was asked for."""
    asked_for = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked_for.append(str(self.headers) + self.requestline)
            self.send_error(503)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://user:pr0xy-password@127.0.0.1:{server.server_address[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield asked_for
        server.shutdown()


def test_a_proxy_of_the_environment_is_used_and_gets_no_credentials(
    koodrive: KooDriveForTests, proxy: list[str]
) -> None:
    result = koodrive.failure(GROUP)
    assert len(proxy) == 1 and "CONNECT 127.0.0.1" in proxy[0]
    assert TOKEN not in proxy[0] and "X-Traceid" not in proxy[0]
    assert result["error"]["kind"] == "unreachable" and "503" in result["msg"]
    assert "pr0xy-password" not in str(result) and koodrive.methods() == []
