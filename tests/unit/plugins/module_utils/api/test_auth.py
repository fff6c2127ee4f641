# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test tokens and signatures. One test derives a signature step by step from the rules of the API reference."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from datetime import datetime, timezone

import pytest
import requests
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import auth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import AppAuth, TokenAuth

URL = "https://intl.myhuaweicloud-koodrive.com/koodrive/ose/v1/space/allocation/transfer"


def prepared(method: str, url: str, credentials: auth.Auth, body: bytes | None = None) -> requests.PreparedRequest:
    return requests.Request(method, url, data=body, auth=credentials).prepare()


@pytest.mark.parametrize(
    ("token", "sent"),
    [
        ("c69b", "Bearer c69b"),
        ("Bearer c69b", "Bearer c69b"),
        ("Bearer+c69b", "Bearer+c69b"),
        ("AT c69b", "AT c69b"),
        ("AT+c69b", "AT+c69b"),
    ],
)
def test_every_spelling_of_a_token_is_sent_right(token: str, sent: str) -> None:
    credentials = TokenAuth(token)
    assert prepared("GET", URL, credentials).headers["Authorization"] == sent
    assert credentials.secrets() == ["c69b"]


def test_a_token_that_only_begins_like_a_prefix_is_a_token() -> None:
    credentials = TokenAuth("ATc69b")
    assert prepared("GET", URL, credentials).headers["Authorization"] == "Bearer ATc69b" and credentials.secrets() == ["ATc69b"]


def test_a_signature_derived_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2025, 11, 3, 7, 1, 40, 900000, tzinfo=timezone.utc)
    monkeypatch.setattr(auth.time, "time", moment.timestamp)
    body = b'{"originType":0,"target":[{"type":2,"expandCapacity":1000}]}'

    # CanonicalRequest: method, URI with a "/" at its end, empty query, headers, their names, hash of the body.
    canonical = (
        "POST\n"
        "/koodrive/ose/v1/space/allocation/transfer/\n"
        "\n"
        "host:intl.myhuaweicloud-koodrive.com\n"
        "x-date:20251103T070140Z\n"
        "x-user-id:user-1\n"
        "\n"
        "host;x-date;x-user-id\n"
    ) + hashlib.sha256(body).hexdigest()
    to_sign = "HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(b"the secret", to_sign.encode(), hashlib.sha256).hexdigest()

    credentials = AppAuth("app-1", "the secret", "user-1")
    request = prepared("POST", URL, credentials, body)
    assert request.headers["Authorization"] == (f"HMAC-SHA256 AppId=app-1,SignedHeaders=host;x-date;x-user-id,Signature={signature}")
    assert request.headers["X-Date"] == "20251103T070140Z"
    assert request.headers["X-User-Id"] == "user-1"
    assert request.headers["Host"] == "intl.myhuaweicloud-koodrive.com"
    assert set(credentials.secrets()) == {"the secret", signature}


def test_the_signature_of_a_read_covers_the_hash_of_nothing() -> None:
    text = auth.canonical_request("get", "https://h/a", {"X-User-Id": " u ", "X-Date": "d"}, b"")
    assert text == ("GET\n/a/\n\nx-date:d\nx-user-id:u\n\nx-date;x-user-id\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_the_path_is_encoded() -> None:
    assert auth.canonical_request("GET", "https://h/a%20b/%7Ec/", {}, b"").split("\n")[1:3] == ["/a%20b/~c/", ""]


def test_the_published_building_block_of_a_signature() -> None:
    # Huawei Cloud's generic signing guide, which has the same canonical rules.
    url = "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0"
    headers = {"Content-Type": "application/json", "Host": "service.region.example.com", "X-Sdk-Date": "20191115T033655Z"}
    canonical = auth.canonical_request("GET", url, headers, b"")
    assert hashlib.sha256(canonical.encode()).hexdigest() == "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.org/x", "example.org"),
        ("https://example.org:443/x", "example.org"),
        ("https://example.org:8443/x", "example.org:8443"),
        ("http://127.0.0.1:80/x", "127.0.0.1"),
        ("http://127.0.0.1:443/x", "127.0.0.1:443"),
        ("https://[::1]:8443/x", "[::1]:8443"),
        ("https://[::1]/x", "[::1]"),
    ],
)
def test_the_host_that_is_signed(url: str, host: str) -> None:
    assert auth.host_header(url) == host


def test_x_date_is_never_later_than_now() -> None:
    credentials = AppAuth("app-1", "the secret", "user-1")
    sent = prepared("GET", URL, credentials).headers["X-Date"]
    assert re.fullmatch(r"\d{8}T\d{6}Z", sent)
    assert datetime.strptime(sent, auth.X_DATE_FORMAT).replace(tzinfo=timezone.utc).timestamp() <= time.time()


def test_only_a_write_has_a_latest_x_date() -> None:
    credentials = AppAuth("app-1", "the secret", "user-1")
    credentials.latest = 1000.5
    assert prepared("POST", URL, credentials).headers["X-Date"] == "19700101T001640Z"
    assert prepared("GET", URL, credentials).headers["X-Date"] > "2026"


@pytest.mark.parametrize(("ahead", "adopted"), [(-1, True), (0, False), (899, False), (900, True), (901, True)])
def test_the_servers_clock_is_used_if_the_server_cannot_accept_the_date(ahead: int, adopted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth.time, "time", lambda: 1_000_000.0)
    credentials = AppAuth("app-1", "the secret", "user-1")
    prepared("GET", URL, credentials)
    assert credentials.adopt_server_time(1_000_000.0 + ahead) is adopted
    assert credentials.clock_offset == (ahead if adopted else 0)
