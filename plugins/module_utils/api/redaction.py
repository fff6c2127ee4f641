# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets out of what people see: out of a server's text in a message, and out of a task's result.

A text of a server also loses its control characters, and what is too long for a message.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # ansible-core < 2.22

    def register_secrets(values: Iterable[str], /) -> None:
        """Do nothing: this release masks results only."""


__all__ = ["MASK", "masked", "passwords_in", "passwords_in_place", "passwords_of_proxies", "proxies_in", "redact", "register_secrets"]

MASK = "********"
#: The names that HTML has for what is escaped in a text.
HTML_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
#: Characters of a server's text that a message shows at most.
MAX_TEXT = 200
#: A shorter piece of a secret, or of its base64 form, is too likely to be an innocent word.
MIN_PIECE = 6


def redact(text: str, secrets: Iterable[str], limit: int = MAX_TEXT) -> str:
    """``text`` without ``secrets`` in plain, URL-, JSON-, HTML- or base64-encoded form, printable, at most ``limit`` long.

    A secret that the end of ``text`` cuts off is masked too.
    """
    known = [secret for secret in secrets if secret]
    for secret in known:
        text = re.sub("|".join(_spellings(secret)), MASK, text, flags=re.IGNORECASE)
    for secret in known:
        text = _without_cut_off_secret(text, secret)
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def passwords_in(url: str) -> set[str]:
    """The password that ``url`` has in front of its host, or all that it has there where no colon says which part is the password.

    It is found even where the password has characters in it that make the URL unreadable; then its parts are secrets, too, for
    whoever takes such a URL apart shows them.
    """
    user, colon, password = url.split("://", 1)[-1].rpartition("@")[0].partition(":")
    secret = password if colon else user
    parts = {part for part in re.split("[/?#@:]", secret) if len(part) >= MIN_PIECE}
    return {spelling for part in {secret, *parts} for spelling in (part, unquote(part)) if spelling}


def passwords_in_place(url: str) -> set[str]:
    """Return the passwords of ``url`` with the signs around them.

    Nothing but the URL itself shows them, so nothing else needs a mask: a password may also be the name of a user, or a letter.
    """
    userinfo, at, _host = url.split("://", 1)[-1].rpartition("@") if "://" in url else ("", "", "")
    _user, colon, password = userinfo.partition(":")
    return ({f":{password}@"} if at and colon and password else set()) | set(re.findall(r"\w*password=[^&\s]+", url))


def proxies_in(environ: Mapping[str, str]) -> list[str]:
    """Return the URLs of all proxies in ``environ``, in capital or small letters."""
    return [value for name, value in environ.items() if name.lower().endswith("_proxy") and name.lower() != "no_proxy"]


def passwords_of_proxies(environ: Mapping[str, str]) -> set[str]:
    """The passwords of all proxies in ``environ``, in capital or small letters. A proxy's user alone is no secret."""
    return {password for url in proxies_in(environ) if ":" in url.split("://", 1)[-1].rpartition("@")[0] for password in passwords_in(url)}


def _spellings(secret: str) -> list[str]:
    """Regular expressions that find ``secret`` in the encodings that servers and proxies echo headers in."""
    raw = secret.encode("utf-8")
    spellings = ["".join(_character(char) for char in secret)]
    for offset in range(3):
        # What precedes the secret in the encoded text is not known, so only the groups that it fills alone are looked for.
        encoded = base64.b64encode(b"\0" * offset + raw).decode("ascii")
        whole = encoded[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
        if len(whole) >= MIN_PIECE:
            spellings.append("".join(_character(char, base64_digit=True) for char in whole))
    return spellings


def _character(char: str, base64_digit: bool = False) -> str:
    """A regular expression for ``char`` in the spellings that it has in a URL, in JSON and in HTML."""
    if char.isalnum():
        return re.escape(char)
    number = ord(char)
    forms = [re.escape(char), re.escape(HTML_NAMES.get(char, char)), f"%{number:02x}", f"\\\\u{number:04x}", re.escape("\\" + char)]
    forms += [f"&#0*{number};", f"&#x0*{number:x};"]
    if base64_digit:
        forms += {"+": ["-"], "/": ["_"]}.get(char, [])
    return f"(?:{'|'.join(forms)})"


def _without_cut_off_secret(text: str, secret: str) -> str:
    for length in range(len(secret) - 1, MIN_PIECE - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + MASK
    return text


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """The value with each of the secrets masked, the longest first, as Ansible itself masks them in the result of a module."""
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
        value = value.replace(secret, "********")
    return value
