# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test real TLS, real proxies and netrc."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import certifi
import pytest
import requests
import trustme
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import wire
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import Http, Wire
from ansible_collections.huaweicloud.koodrive.tests.simulator.certificates import server_context
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import python

GROUP = {"type": "group", "total_capacity": 600}


@pytest.fixture(name="ca")
def fixture_ca(tmp_path: Path) -> str:
    return str(tmp_path / "ca.pem")


@pytest.fixture(name="koodrive")
def fixture_koodrive(ca: str) -> Iterator[KooDriveForTests]:
    with KooDriveForTests(new_state(TOKEN), tls=server_context(Path(ca))) as simulator:
        yield simulator


@pytest.mark.parametrize("bundle", [None, certifi.where()])
def test_the_options_take_precedence_over_a_bundle_of_the_environment(
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


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "all_proxy"])
def test_a_blank_variable_counts_as_not_set(koodrive: KooDriveForTests, ca: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("CURL_CA_BUNDLE", ca)
    monkeypatch.setenv(name, "  ")
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
    adapter = Http(Wire(), "https://example.org", validate_certs)._adapter
    contexts = [adapter.poolmanager.connection_pool_kw["ssl_context"]]
    contexts.append(adapter.proxy_manager_for("http://127.0.0.1:1").connection_pool_kw["ssl_context"])
    assert [context.minimum_version for context in contexts] == [ssl.TLSVersion.TLSv1_2] * 2


@pytest.fixture(name="loaded")
def fixture_loaded(ca: str, koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Load the simulator's bundle as the default one. Return the bundles that are loaded after that."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    monkeypatch.setattr(wire, "_bundles", {})
    wire._load_bundle()
    assert list(wire._bundles) == [ca]
    loads: list[str] = []
    real = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: Any = None, *more: Any, **others: Any) -> None:
        loads.append(cafile)
        real(self, cafile, *more, **others)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    return loads


def test_the_default_bundle_is_loaded_once(koodrive: KooDriveForTests, loaded: list[str]) -> None:
    assert koodrive.run(GROUP)["changed"] and not koodrive.run(GROUP)["changed"]
    assert loaded == []


def test_a_process_that_is_forked_during_the_load_has_the_bundle(ca: str, koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    printed = subprocess.run(
        **python(
            "import os, time\n"
            "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import wire\n"
            "wire._bundles.clear()\n"
            "load = wire._load_bundle\n"
            "wire._load_bundle = lambda: (time.sleep(0.5), load())\n"
            "wire.load_bundle()\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    print(list(wire._bundles), flush=True)\n"
            "    os._exit(0)\n"
            "os.waitpid(child, 0)\n"
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == str([ca]), printed


def test_a_request_waits_for_the_bundle_that_is_being_loaded(koodrive: KooDriveForTests, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    monkeypatch.setattr(wire, "_bundles", {})
    monkeypatch.setattr(wire, "_loading", [])
    real = wire._load_bundle
    monkeypatch.setattr(wire, "_load_bundle", lambda: (time.sleep(0.5), real()))
    wire.load_bundle()
    assert wire._bundles == {}
    assert isinstance(wire._context_for(ca), wire._WithBundle)
    assert koodrive.run(GROUP)["changed"]


def test_a_request_with_another_bundle_does_not_wait_for_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_loading", [SimpleNamespace(join=lambda: pytest.fail("it waited"))])
    wire._context_for("/task.pem")
    wire._context_for(False)


def test_another_bundle_is_loaded_by_the_request(koodrive: KooDriveForTests, loaded: list[str], ca: str, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    shutil.copy(ca, other)
    koodrive.run(GROUP, ca_path=str(other))
    assert set(loaded) == {str(other)}
    assert "certificate verify failed" in koodrive.failure(GROUP, ca_path=certifi.where())["msg"], "what was loaded before is not trusted here"


def test_without_verification_no_bundle_is_loaded(koodrive: KooDriveForTests, loaded: list[str]) -> None:
    assert koodrive.run(GROUP, validate_certs=False)["changed"] and loaded == []


@pytest.mark.parametrize("how", ["rewritten", "replaced"])
def test_a_bundle_whose_file_was_replaced_is_loaded_again(koodrive: KooDriveForTests, loaded: list[str], ca: str, how: str) -> None:
    new = trustme.CA().cert_pem.bytes()
    if how == "rewritten":
        Path(ca).write_bytes(new)
    else:
        Path(f"{ca}.new").write_bytes(new)
        Path(f"{ca}.new").replace(ca)
    assert "certificate verify failed" in koodrive.failure(GROUP)["msg"]
    assert loaded


def test_the_error_names_a_missing_bundle(koodrive: KooDriveForTests, loaded: list[str], ca: str) -> None:
    Path(ca).unlink()
    result = koodrive.failure(GROUP)
    assert result["error"]["kind"] == "unreachable" and "invalid path" in result["msg"] and not loaded


@pytest.mark.parametrize("what", ["missing", "folder", "not a bundle"])
def test_a_bundle_that_cannot_be_loaded_in_advance_is_loaded_by_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    bundle = tmp_path / what
    if what == "folder":
        bundle.mkdir()
    if what == "not a bundle":
        bundle.write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setattr(wire, "_bundles", {})
    wire._load_bundle()
    assert wire._bundles == {}


def test_without_a_load_in_advance_the_request_loads_the_bundle(koodrive: KooDriveForTests, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This happens if another library replaces Python's TLS, or if no thread can start."""

    def refuse(*_arguments: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    monkeypatch.setattr(wire, "_bundles", {})
    monkeypatch.setattr(wire, "_loading", [])
    with monkeypatch.context() as patched:
        patched.setattr(wire, "_WithBundle", int)
        wire._load_bundle()
        patched.setattr(threading.Thread, "start", refuse)
        wire.load_bundle()
    assert wire._bundles == {} and wire._loading == []
    assert koodrive.run(GROUP)["changed"]


def test_the_default_bundle_follows_the_rules_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    session = requests.Session()
    for requests_bundle, curl_bundle in (("", ""), ("", "/curl.pem"), ("/requests.pem", "/curl.pem")):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests_bundle)
        monkeypatch.setenv("CURL_CA_BUNDLE", curl_bundle)
        verify = session.merge_environment_settings("https://example.org", {}, None, True, None)["verify"]
        # With an empty variable, requests 2.25 would verify nothing.
        assert wire.bundle_of(True) == (requests.utils.DEFAULT_CA_BUNDLE_PATH if verify in (True, "") else verify)
    assert wire.bundle_of(False) is False and wire.bundle_of("/task.pem") == "/task.pem"


@pytest.mark.parametrize("reply", ["reset", "hang", "drip", "drip-headers", "short", "endless"])
def test_faults_over_tls_have_the_same_messages(koodrive: KooDriveForTests, ca: str, reply: str) -> None:
    koodrive.script(Fault(), Fault(reply=reply, seconds=0.1))
    result = koodrive.run(GROUP, ca_path=ca, timeout=1)
    assert result["changed"] and "exactly this transfer" in result["warnings"][0]
    assert koodrive.methods().count("POST") == 1


def test_one_connection_and_handshake(koodrive: KooDriveForTests, ca: str) -> None:
    koodrive.run(GROUP, ca_path=ca)
    assert koodrive.methods() == ["GET", "POST", "GET"]
    assert len({request["connection"] for request in koodrive.state.requests}) == 1


def test_netrc_is_not_consulted(koodrive: KooDriveForTests, ca: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login user password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    koodrive.run(GROUP, ca_path=ca)
    assert {request["authorization"] for request in koodrive.state.requests} == {"Bearer"}


@pytest.fixture(name="proxy")
def fixture_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the requests to a proxy that refuses them all."""
    asked_for = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked_for.append(str(self.headers) + self.requestline)
            self.send_error(503)

        def log_message(self, *args: object) -> None:
            """Write no log."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://user:pr0xy-password@127.0.0.1:{server.server_address[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield asked_for
        server.shutdown()


def test_a_proxy_of_the_environment_is_used_and_gets_no_credentials(koodrive: KooDriveForTests, proxy: list[str]) -> None:
    result = koodrive.failure(GROUP)
    assert len(proxy) == 1 and "CONNECT 127.0.0.1" in proxy[0]
    assert TOKEN not in proxy[0] and "X-Traceid" not in proxy[0]
    assert result["error"]["kind"] == "unreachable" and "503" in result["msg"]
    assert "pr0xy-password" not in str(result) and koodrive.methods() == []
