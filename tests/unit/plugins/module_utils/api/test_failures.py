# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test what messages say about exceptions of the network, and which requests are tried again."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl

import pytest
import requests
import urllib3
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.failures import explain


@pytest.fixture(autouse=True)
def fixture_no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def wrapped(inside: BaseException, outside: BaseException) -> BaseException:
    """Return ``outside`` as if it were raised while ``inside`` is handled."""
    outside.__context__ = inside
    return outside


def system_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def tls_error(reason: str) -> ssl.SSLError:
    """Return the error that OpenSSL raises for ``reason``."""
    error = ssl.SSLError(1, f"[SSL: {reason}] some words of OpenSSL")
    error.reason = reason
    return error


def a_lost_connection() -> BaseException:
    """Return what urllib3 1.26 raises for a lost connection: it does so while it handles a TypeError."""
    try:
        try:
            raise TypeError("getresponse() got an unexpected keyword argument 'buffering'")
        except TypeError:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer") from None
    except ConnectionResetError as error:
        return error


@pytest.mark.parametrize(
    ("error", "why", "transient"),
    [
        (socket.timeout("timed out"), "there was no answer in time", True),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "Connection timed out", True),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known", True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused", True),
        (system_error(errno.EHOSTUNREACH), "No route to host", True),
        (urllib3.exceptions.InvalidHeader("Content-Length contained multiple unmatching values (10, 11)"), "the reply is not HTTP", True),
        (system_error(errno.EACCES), "Permission denied", False),
        (system_error(errno.ENOENT), "No such file or directory", False),
        (OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"), "Could not find a suitable", False),
        (OSError("Tunnel connection failed: 407 Proxy Authentication Required"), "it refused the connection with HTTP 407", False),
        (OSError("Tunnel connection failed: 429 Slow down"), "it refused the connection with HTTP 429", True),
        (OSError("Tunnel connection failed: 500 Server Error"), "it refused the connection with HTTP 500", True),
        (OSError("Tunnel connection failed: 408 Request Timeout"), "it refused the connection with HTTP 408", True),
        (OSError("Tunnel connection failed: 503 Service Unavailable"), "it refused the connection with HTTP 503", True),
        (ssl.SSLCertVerificationError("certificate verify failed"), "certificate verify failed", False),
        (ssl.SSLError(1, "[SSL: UNEXPECTED_MESSAGE] unexpected message"), "unexpected message", False),
        (tls_error("WRONG_VERSION_NUMBER"), "the server does not speak TLS; it seems to speak plain HTTP", False),
        (tls_error("RECORD_LAYER_FAILURE"), "the server does not speak TLS; it seems to speak plain HTTP", False),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "EOF occurred in violation of protocol", True),
        (http.client.RemoteDisconnected("Remote end closed"), "the connection was closed without a reply", True),
        (http.client.IncompleteRead(b"secret"), "the connection was closed in the middle of the reply", True),
        (EOFError("5 bytes were announced, 3 arrived"), "the connection was closed in the middle of the reply", True),
        (http.client.BadStatusLine("<html>"), "the reply is not HTTP", True),
        (a_lost_connection(), "Connection reset by peer", True),
    ],
    ids=repr,
)
def test_a_message_has_the_words_of_a_network_error(error: Exception, why: str, transient: bool) -> None:
    layers = [
        error,
        urllib3.exceptions.ProtocolError("Connection aborted.", error),
        urllib3.exceptions.MaxRetryError(None, "/koodrive", error),
        requests.exceptions.ConnectionError(error),
        wrapped(error, requests.exceptions.ConnectionError("<urllib3.connection.HTTPSConnection object at 0x7f>")),
        wrapped(wrapped(error, KeyError("x")), urllib3.exceptions.NewConnectionError(None, "failed")),
    ]
    for layer in layers:
        assert why in explain(layer).why and explain(layer).transient is transient


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TypeError("sequence item 1: expected str instance, bytes found"), "TypeError"),
        (AttributeError("'NoneType' object has no attribute 'groups'"), "AttributeError"),
        (requests.exceptions.ConnectionError("<urllib3.connection.HTTPSConnection object at 0x7f>"), "ConnectionError"),
        (wrapped(AttributeError("no 'groups'"), urllib3.exceptions.LocationParseError("http://user:SEKRIT")), "HTTPS_PROXY"),
        (requests.exceptions.InvalidProxyURL("http://user:SEKRIT@"), "HTTPS_PROXY"),
        (http.client.InvalidURL("nonnumeric port: 'SEKRIT'"), "HTTPS_PROXY"),
        (UnicodeEncodeError("latin-1", "SEKRIT\u4e2d", 6, 7, "ordinal not in range(256)"), "HTTPS_PROXY"),
        (requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."), "PySocks"),
    ],
    ids=repr,
)
def test_an_error_outside_the_network_is_not_quoted_and_not_tried_again(error: Exception, why: str) -> None:
    failure = explain(error)
    assert why in failure.why and not failure.transient
    for word in ("object", "SEKRIT", "sequence item"):
        assert word not in failure.why


def test_an_unexpected_error_with_a_proxy_points_at_the_url_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:SEKRIT@")
    failure = explain(TypeError("sequence item 1: expected str instance, NoneType found"))
    assert "HTTPS_PROXY" in failure.why and not failure.transient


def test_a_failure_to_reach_the_proxy_names_the_proxy() -> None:
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    error = requests.exceptions.ProxyError(urllib3.exceptions.ProxyError("Cannot connect to proxy.", refused))
    assert explain(error).why == "the proxy of the environment: Connection refused"


def test_advice_about_plain_http_is_for_the_endpoint_and_not_for_a_proxy() -> None:
    assert "http://127.0.0.1:8480" in str(explain(tls_error("WRONG_VERSION_NUMBER")).advice)
    error = requests.exceptions.ProxyError(urllib3.exceptions.ProxyError("Cannot connect to proxy.", tls_error("WRONG_VERSION_NUMBER")))
    assert explain(error).advice is None and "does not speak TLS" in explain(error).why


def test_a_loop_of_causes_ends() -> None:
    first, second, third = KeyError("a"), KeyError("b"), KeyError("c")
    first.__cause__, second.__cause__, third.__cause__ = second, third, second
    assert explain(first).why == "the request could not be made: KeyError"
