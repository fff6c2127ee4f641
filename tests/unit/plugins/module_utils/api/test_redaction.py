# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test what a message shows of a server's text."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import (
    MAX_TEXT,
    passwords_in,
    passwords_in_place,
    passwords_of_proxies,
    redact,
    shortened,
)
from hypothesis import example, given
from hypothesis import strategies as st

SECRET = "c69b+Zq/9_x-T==&<1\"'"


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote(SECRET),
        quote_plus(SECRET),
        unquote_plus(SECRET),
        quote(quote(SECRET, safe=""), safe=""),
        quote(quote(quote(SECRET))),
        quote("Bearer " + SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        json.dumps(SECRET)[1:-1].replace("+", "\\u002b").replace("<", "\\u003C"),
        html.escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(("Bearer " + SECRET).encode()).decode(),
        base64.b64encode(("Bearer  " + SECRET + "!").encode()).decode(),
        base64.urlsafe_b64encode(("Bearer+" + SECRET).encode()).decode(),
        quote(base64.b64encode(SECRET.encode()).decode(), safe=""),
    ],
)
def test_a_secret_is_masked_in_every_encoding(spelling: str) -> None:
    shown = redact(f"token {spelling} expired", [SECRET])
    assert "********" in shown
    for piece in (spelling[i : i + 9] for i in range(4, len(spelling) - 13)):
        assert piece not in shown
    assert shown.startswith("token ") and shown.endswith(" expired")


def test_a_secret_that_the_end_cuts_off_is_masked() -> None:
    assert redact("your token c69b+Zq/9", [SECRET]) == "your token ********"
    assert redact(f"your token {SECRET[:-1]}", [SECRET]) == "your token ********"
    assert redact("your token c69b+Z", [SECRET]) == "your token ********"
    assert redact("your token c69b+", [SECRET]) == "your token c69b+"


@pytest.mark.parametrize(("before", "shown"), [("", ""), ("a", "YU"), ("ab", "YWJ"), ("abc", "YWJj")])
def test_all_digits_of_base64_that_a_secret_fills_alone_are_masked(before: str, shown: str) -> None:
    encoded = base64.b64encode(f"{before}AAAAAAAAA".encode()).decode().rstrip("=")
    masked = redact(encoded, ["AAAAAAAAA"])
    assert masked.startswith(f"{shown}********") and len(masked) - len(f"{shown}********") <= 1


visible = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=8, max_size=100)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(visible, st.text(max_size=20), st.text(max_size=20))
@example("~~~~>>>>????~~~~>>>>", "", "")
@example("abcdefghijklmnopqrstuvwxyz0123456789" * 4, "Bearer ", "!")
def test_base64_with_other_text_around_a_secret_shows_no_piece_of_it(encode: Callable[[bytes], bytes], secret: str, before: str, after: str) -> None:
    encoded = encode(before.encode() + secret.encode() + after.encode()).decode()
    shown = redact(encoded, [secret])
    start, end = len(before.encode()) * 8 // 6 + 2, (len(before.encode()) + len(secret)) * 8 // 6 - 1
    pieces = {encoded[at : at + 9] for at in range(start, end - 8)}
    # What is around the secret may have such a piece, too.
    around = encode(before.encode()).decode() + encode(after.encode()).decode()
    assert not {piece for piece in pieces if piece in shown and piece not in around}


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("http://user:SEKRIT@proxy:3128", {"SEKRIT"}),
        ("user:SEKRIT@proxy", {"SEKRIT"}),
        ("http://user:SEKRIT#pw@127.0.0.1:3128", {"SEKRIT#pw", "SEKRIT"}),
        ("http://user:a:b/secret-part@proxy", {"a:b/secret-part", "secret-part"}),
        ("http://user:p@ss@proxy", {"p@ss"}),
        ("http://user:p%40ss@proxy", {"p%40ss", "p@ss"}),
        ("http://:SEKRIT@proxy", {"SEKRIT"}),
        ("http://user:@proxy", set()),
        ("http://proxy:3128", set()),
        ("", set()),
    ],
)
def test_every_spelling_of_a_proxys_password_is_known(url: str, passwords: set[str]) -> None:
    for name in ("HTTPS_PROXY", "http_proxy", "All_Proxy", "ftp_proxy"):
        assert passwords_of_proxies({name: url, "no_proxy": "user:other@host"}) == passwords


@pytest.mark.parametrize("name", ["password", "sslpassword", "PASSWORD", "pass%77ord", "oauth_client_secret", "scram_client_key", "scram_server_key"])
def test_a_secret_among_the_parameters_of_a_url_is_known(name: str) -> None:
    assert passwords_in_place(f"postgresql://host/db?sslmode=require&{name}=SEKRIT&sslkey=/a/path") == {f"{name}=SEKRIT"}
    assert passwords_in_place(f"postgresql://host/password=public?{name}=SEKRIT") == {f"{name}=SEKRIT"}


def test_a_user_without_a_password_is_a_secret_in_an_endpoint_but_not_in_a_proxy() -> None:
    assert passwords_of_proxies({"HTTPS_PROXY": "http://user@proxy"}) == set()
    assert passwords_in("https://user@host") == {"user"}


@given(st.text())
def test_a_shown_text_is_printable_and_short(text: str) -> None:
    shown = shortened(redact(text, []))
    assert shown.isprintable()
    assert len(shown) <= MAX_TEXT
    shown.encode("utf-8")


def test_terminal_sequences_and_direction_marks_are_removed() -> None:
    assert redact("a\x1b[31mb\r\nc\u202ed\x00e\ud800f", []) == "a [31mb  c d e f"


def test_a_long_text_is_cut() -> None:
    assert shortened("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert shortened("x" * (MAX_TEXT + 1)) == shortened("x" * 1000) == "x" * (MAX_TEXT - 1) + "…"
