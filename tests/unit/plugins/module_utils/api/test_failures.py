# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exceptions of the network are told as, and which of them are tried again."""

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
    """``outside`` as it is raised while ``inside`` is handled."""
    outside.__context__ = inside
    return outside


def system_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def an_accident() -> BaseException:
    """As urllib3 1.26 raises a lost connection: out of the handling of a TypeError that is of no interest."""
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
        (socket.timeout("timed out"), "no answer came in time", True),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "Connection timed out", True),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known", True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused", True),
        (system_error(errno.EHOSTUNREACH), "No route to host", True),
        (system_error(errno.EACCES), "Permission denied", False),
        (system_error(errno.ENOENT), "No such file or directory", False),
        (OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"), "Could not find a suitable", False),
        (OSError("Tunnel connection failed: 407 Proxy Authentication Required"), "it refused the way with HTTP 407", False),
        (OSError("Tunnel connection failed: 429 Slow down"), "it refused the way with HTTP 429", True),
        (OSError("Tunnel connection failed: 503 Service Unavailable"), "it refused the way with HTTP 503", True),
        (ssl.SSLCertVerificationError("certificate verify failed"), "certificate verify failed", False),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "wrong version number", False),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "EOF occurred in violation of protocol", True),
        (http.client.RemoteDisconnected("Remote end closed"), "the connection was closed without a reply", True),
        (http.client.IncompleteRead(b"secret"), "the connection was closed in the middle of the reply", True),
        (EOFError("5 bytes were announced, 3 came"), "the connection was closed in the middle of the reply", True),
        (http.client.BadStatusLine("<html>"), "what came back is not HTTP", True),
        (an_accident(), "Connection reset by peer", True),
    ],
    ids=repr,
)
def test_an_error_of_the_network_is_told_in_its_words(error: Exception, why: str, transient: bool) -> None:
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
def test_what_is_no_error_of_the_network_is_not_quoted_and_not_tried_again(error: Exception, why: str) -> None:
    failure = explain(error)
    assert why in failure.why and not failure.transient
    for word in ("object", "SEKRIT", "sequence item"):
        assert word not in failure.why


def test_an_accident_where_there_is_a_proxy_points_at_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:SEKRIT@")
    failure = explain(TypeError("sequence item 1: expected str instance, NoneType found"))
    assert "HTTPS_PROXY" in failure.why and not failure.transient


def test_a_failure_on_the_way_to_the_proxy_is_told_so() -> None:
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    error = requests.exceptions.ProxyError(urllib3.exceptions.ProxyError("Cannot connect to proxy.", refused))
    assert explain(error).why == "the proxy of the environment: Connection refused"


def test_causes_that_loop_come_to_an_end() -> None:
    first, second, third = KeyError("a"), KeyError("b"), KeyError("c")
    first.__cause__, second.__cause__, third.__cause__ = second, third, second
    assert explain(first).why == "the request could not be made: KeyError"
