# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets out of messages and results.

A server's text in a message also loses its control characters, and is shortened.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

MASK = "********"
#: The characters that HTML escapes by name.
HTML_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
#: The most characters of a server's text that a message shows.
MAX_TEXT = 200
#: A shorter piece of a secret, or of its base64 form, is probably a harmless word.
MIN_PIECE = 6
#: What ends a part of a URL.
DELIMITER = re.compile("[/?#@:]")
#: A parameter of a URL, and the names of those with a secret, such as sslpassword and oauth_client_secret.
PARAMETER = re.compile(r"(?<=[?&])([^&=\s]+)=[^&\s]+")
SECRET_PARAMETER = re.compile(r"password|secret|_key$", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` in printable characters, with ``secrets`` masked: plain, and in URLs, JSON, HTML and base64.

    A secret that the end of ``text`` cuts off is masked too. So shorten a text after this, not before.
    """
    known = [secret for secret in secrets if secret]
    for secret in known:
        text = re.sub("|".join(_spellings(secret)), MASK, text, flags=re.IGNORECASE)
    for secret in known:
        text = _without_cut_off_secret(text, secret)
    return "".join(char if char.isprintable() else " " for char in text)


def shortened(text: str) -> str:
    """Return the beginning of ``text``, as long as a message can show it."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def passwords_in(url: str) -> set[str]:
    """Return the password in front of the host of ``url``. Without a colon there, all of it may be the password.

    A password may have characters that make the URL invalid. Libraries then show parts of it, so these parts are
    returned too.
    """
    user, colon, password = url.split("://", 1)[-1].rpartition("@")[0].partition(":")
    secret = password if colon else user
    parts = {part for part in DELIMITER.split(secret) if len(part) >= MIN_PIECE}
    return {spelling for part in {secret, *parts} for spelling in (part, unquote(part)) if spelling}


def passwords_in_place(url: str) -> set[str]:
    """Return the passwords of ``url`` with the signs around them.

    Only the URL itself shows them, so only the URL needs a mask. A password may equal a user name, or be a single
    letter.
    """
    address = url.partition("://")[2]
    userinfo, at, _host = address.rpartition("@")
    _user, colon, password = userinfo.partition(":")
    secret = {found[0] for found in PARAMETER.finditer(url) if SECRET_PARAMETER.search(unquote(found[1]))}
    if at:
        return secret | ({f":{password}@"} if colon and password else set())
    # If the host is left out, the password stands where the port would be.
    ports = {host.rpartition(":")[2] for host in re.split("[/?]", address)[0].split(",") if ":" in host}
    return secret | {f":{port}" for port in ports if port and "]" not in port and not port.isdigit()}


def proxies_in(environ: Mapping[str, str]) -> list[str]:
    """Return the URLs of all proxies in ``environ``, in capital or small letters."""
    return [value for name, value in environ.items() if name.lower().endswith("_proxy") and name.lower() != "no_proxy"]


def passwords_of_proxies(environ: Mapping[str, str]) -> set[str]:
    """Return the passwords of all proxies in ``environ``, in capital or small letters.

    A user name alone is not a secret.
    """
    return {password for url in proxies_in(environ) if ":" in url.split("://", 1)[-1].rpartition("@")[0] for password in passwords_in(url)}


def _spellings(secret: str) -> list[str]:
    """Return regular expressions that find ``secret`` in the encodings in which servers and proxies repeat headers."""
    raw = secret.encode("utf-8")
    spellings = ["".join(_character(char) for char in secret)]
    for offset in range(3):
        # The text before the secret is unknown, so this looks only for the groups of base64 that the secret fills
        # alone.
        encoded = base64.b64encode(b"\0" * offset + raw).decode("ascii")
        whole = encoded[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
        if len(whole) >= MIN_PIECE:
            spellings.append("".join(_character(char, base64_digit=True) for char in whole))
    return spellings


def _character(char: str, base64_digit: bool = False) -> str:
    """Return a regular expression for ``char`` as plain text, in JSON, in HTML, and in a URL, also in one within a URL."""
    if char.isalnum():
        return re.escape(char)
    number = ord(char)
    forms = [re.escape(char), re.escape(HTML_NAMES.get(char, char)), f"%(?:25)*{number:02x}", f"\\\\u{number:04x}", re.escape("\\" + char)]
    forms += [f"&#0*{number};", f"&#x0*{number:x};"]
    if char == "+":
        forms.append(" ")  # A server that reads it in a query takes it for a blank.
    if base64_digit:
        forms += {"+": ["-"], "/": ["_"]}.get(char, [])
    return f"(?:{'|'.join(forms)})"


def _without_cut_off_secret(text: str, secret: str) -> str:
    for length in range(len(secret) - 1, MIN_PIECE - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + MASK
    return text


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """Return the value with each of the secrets masked, the longest first, as Ansible masks the result of a module."""
    return _masked(value, sorted(secrets, key=len, reverse=True))


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item, secrets) for item in value]
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return value
    found = [secret for secret in secrets if secret in str(value)]
    if not found:
        return value
    if not isinstance(value, str) or value in found:
        return "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    for secret in found:
        value = value.replace(secret, MASK)
    return value
