# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check tokens and signed requests by the reference, without the code of the collection."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from .tenant import Refused

#: How old an X-Date may be, in seconds.
X_DATE_LIFE = 15 * 60
SCHEME = re.compile(r"HMAC-SHA256 AppId=([^,]+),SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})")


@dataclass(frozen=True)
class App:
    """An app, and the only user for whom it may call."""

    app_id: str
    secret: str
    user_id: str


@dataclass
class Credentials:
    """The credentials that the simulator accepts.

    ``clock_offset`` is how many seconds its clock is ahead of this machine's.
    """

    tokens: list[str] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    clock_offset: float = 0.0

    def now(self) -> float:
        """Return the server's time."""
        return time.time() + self.clock_offset

    def check(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raise Refused unless the request has valid credentials."""
        value = headers.get("Authorization", "")
        bearer = re.fullmatch(r"(?:Bearer|AT)[ +](.+)", value)
        if bearer and bearer[1] in self.tokens:
            return
        signed = SCHEME.fullmatch(value)
        if not signed:
            raise Refused(401, "APIGW.0301", "Incorrect IAM authentication information: token expired or unknown")
        self._check_signature(signed, method, path, query, headers, body)

    def _check_signature(self, signed: re.Match[str], method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> None:
        app_id, signed_headers, signature = signed.groups()
        refused = Refused(401, "APIGW.0303", "Incorrect app authentication information")
        app = next((app for app in self.apps if app.app_id == app_id), None)
        names = signed_headers.split(";")
        if app is None or names != sorted(names) or not {"x-date", "x-user-id"} <= set(names):
            raise refused
        if headers.get("X-User-Id") != app.user_id:
            raise refused
        self._check_date(headers.get("X-Date", ""))
        text = method + "\n"
        text += "".join("/" + quote(part, safe="-_.~") for part in path.split("/") if part) + "/\n"
        text += query + "\n"
        for name in names:
            text += name + ":" + headers.get(name, "").strip() + "\n"
        text += "\n" + signed_headers + "\n" + hashlib.sha256(body).hexdigest()
        to_sign = "HMAC-SHA256\n" + hashlib.sha256(text.encode()).hexdigest()
        if not hmac.compare_digest(hmac.digest(app.secret.encode(), to_sign.encode(), "sha256").hex(), signature):
            raise refused

    def _check_date(self, text: str) -> None:
        if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text):
            raise Refused(401, "APIGW.0303", "Incorrect app authentication information: X-Date")
        age = self.now() - calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ"))
        if not 0 <= age <= X_DATE_LIFE:
            raise Refused(401, "APIGW.0303", "Incorrect app authentication information: X-Date out of range")
