# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authenticate a request with a token or an app signature.

Both are auth objects of requests, since a signature needs the request as it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Union
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from requests import PreparedRequest

ALGORITHM = "HMAC-SHA256"
#: How long KooDrive accepts an X-Date, in seconds [Authentication, app authentication].
X_DATE_LIFE = 15 * 60
X_DATE_FORMAT = "%Y%m%dT%H%M%SZ"


class TokenAuth:
    """Send an access token [koodrive_05_0010].

    A value copied from a header or a cookie may have its prefix already: ``Bearer``, or ``AT`` in the carrier edition.
    """

    PREFIX = re.compile("(Bearer|AT(?=[ +]))[ +]*")

    def __init__(self, token: str, advice: str | None = None) -> None:
        self.advice = advice
        self._value = token if self.PREFIX.match(token) else f"Bearer {token}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._value
        return request

    @property
    def identity(self) -> str:
        return self.PREFIX.sub("", self._value, count=1)

    def secrets(self) -> list[str]:
        return [self.identity]


class AppAuth:
    """Sign every request with AppId and AppSecret [koodrive_05_0029 to 0035].

    ``clock_offset`` is how many seconds the server's clock is ahead of this machine's clock; 0 if unknown. No X-Date
    of a write is later than ``latest``, in seconds since 1970.
    """

    def __init__(self, app_id: str, app_secret: str, user_id: str, advice: str | None = None) -> None:
        self.advice = advice
        self.identity = app_id
        self._app_secret = app_secret
        self._user_id = user_id
        self._signatures: list[str] = []
        self._signed_at = 0.0
        self.clock_offset = 0.0
        self.latest = math.inf

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        method, url = str(request.method), str(request.url)
        # Whole seconds, and never the next one: X-Date must not be later than the server's time.
        self._signed_at = math.floor(min(time.time() + self.clock_offset, self.latest if method == "POST" else math.inf))
        signed = {
            "host": host_header(url),
            "x-date": datetime.fromtimestamp(self._signed_at, timezone.utc).strftime(X_DATE_FORMAT),
            "x-user-id": self._user_id,
        }
        body = request.body or b""
        signature = sign(self._app_secret, method, url, signed, body if isinstance(body, bytes) else body.encode("utf-8"))
        self._signatures.append(signature)
        # The signature covers Host, so the request must send exactly this value.
        request.headers.update({"Host": signed["host"], "X-Date": signed["x-date"], "X-User-Id": signed["x-user-id"]})
        request.headers["Authorization"] = f"{ALGORITHM} AppId={self.identity},SignedHeaders={';'.join(sorted(signed))},Signature={signature}"
        return request

    def secrets(self) -> list[str]:
        return [self._app_secret, *self._signatures]

    def adopt_server_time(self, server_time: float) -> bool:
        """Use the server's clock if the server cannot accept the latest X-Date: later than its time, or too old.

        ``server_time`` is the Date of the latest reply, in seconds since 1970. Return whether the clocks were apart. If
        they were, the server may accept a request that is signed now.
        """
        if 0 <= server_time - self._signed_at < X_DATE_LIFE:
            return False
        # The reply has travelled since its Date, so the result is a little early. KooDrive accepts that, but not a late
        # X-Date.
        self.clock_offset = server_time - time.time()
        return True


#: ``advice`` says what to do if KooDrive refuses the credentials, ``identity`` tells them from others, and ``secrets``
#: returns what messages must not show.
Auth = Union[TokenAuth, AppAuth]


def host_header(url: str) -> str:
    """Return the Host header of a request to ``url``, with the port if it is not the scheme's default."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    default = {"https": 443, "http": 80}[parts.scheme]
    return host if parts.port in (None, default) else f"{host}:{parts.port}"


def sign(app_secret: str, method: str, url: str, headers: dict[str, str], body: bytes) -> str:
    """Return the signature of ``headers`` and ``body`` in lowercase hex [koodrive_05_0029 to 0035]."""
    canonical = canonical_request(method, url, headers, body)
    string_to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode('utf-8')).hexdigest()}"
    return hmac.new(app_secret.encode("utf-8"), string_to_sign.encode("utf-8"), hashlib.sha256).hexdigest()


def canonical_request(method: str, url: str, headers: dict[str, str], body: bytes) -> str:
    """Return the text that a signature covers; ``headers`` are the signed ones [koodrive_05_0029 to 0035].

    A query in ``url`` must be sorted and encoded already. No call of this collection has one.
    """
    parts = urlsplit(url)
    path = "/".join(quote(unquote(part), safe="-_.~") for part in parts.path.split("/"))
    canonical_headers = {name.lower(): value.strip() for name, value in headers.items()}
    return "\n".join(
        [
            method.upper(),
            path if path.endswith("/") else path + "/",
            parts.query,
            "".join(f"{name}:{value}\n" for name, value in sorted(canonical_headers.items())),
            ";".join(sorted(canonical_headers)),
            hashlib.sha256(body).hexdigest(),
        ]
    )
