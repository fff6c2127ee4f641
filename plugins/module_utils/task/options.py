# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every module has -> a connection; and those of the ledger."""

from __future__ import annotations

import ipaddress
import os
import pwd
import re
import secrets
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import AppAuth, Auth, TokenAuth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import Connection
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import passwords_in, passwords_in_place, proxies_in
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import is_blank

DEFAULT_ENDPOINT = "https://intl.myhuaweicloud-koodrive.com"
DEFAULT_LANGUAGE = "en-US"
#: Seconds; a shorter one would only make a healthy service look like an unreachable one.
SHORTEST_TIMEOUT = 1.0
#: X-Traceid has exactly so many characters [headers].
TRACE_ID_LENGTH = 58
TRACE_ID = re.compile("[A-Za-z0-9_]+")

#: The argument spec; the documentation fragment says the same in words. What an environment variable can give has no
#: default and no fallback here: an empty text counts as not set, and what a task says wins over the environment.
CONNECTION_SPEC: dict[str, Any] = {
    "endpoint": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "app_id": {"type": "str"},
    "app_secret": {"type": "str", "no_log": True},
    "user_id": {"type": "str"},
    "language": {"type": "str"},
    "trace_id": {"type": "str"},
    "timeout": {"type": "int", "default": 30},
    "retries": {"type": "int", "default": 3},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}
#: The options of what looks into the ledger.
LEDGER_SPEC: dict[str, Any] = {
    # Its password alone is a secret.
    "ledger": {"type": "str", "no_log": False},
    "tenant": {"type": "str"},
}
#: The variables that AWX and Automation Controller set for a job: its number, and their own address.
JOB_ID, JOB_HOST = "JOB_ID", "AWX_HOST"
#: The files by which Docker and Podman mark a container.
CONTAINER_MARKERS = ("/.dockerenv", "/run/.containerenv")
DEFAULT_PORTS = {"https": 443, "http": 80}
#: What can stand in a header or a URL without being encoded.
VISIBLE = re.compile(r"[\x21-\x7e]+")
TOKEN = re.compile(f"(Bearer |AT )?{VISIBLE.pattern}")
LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*\.?")
ENVIRONMENT = {name: f"KOODRIVE_{name.upper()}" for name in ("endpoint", "token", "app_id", "app_secret", "user_id", "language", "ledger", "tenant")}


class LedgerChoice(NamedTuple):
    """Where a run keeps its records, and what it is called in them.

    ``path`` is the option ledger as given. ``is_temporary``: none is given, and the default one ends with this container. ``tenant`` is the name that
    the task or the environment gives. ``writer`` names this run for people.
    """

    path: str | None
    is_temporary: bool
    tenant: str | None
    writer: str


def connection_from(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Connection:
    """Return the connection that a task's ``options`` and the environment describe.

    Raises KooDriveError ``invalid_request``, naming the option, before anything is sent.
    """
    values = _Values(options, environ)
    return Connection(
        endpoint=_endpoint(values.get("endpoint") or DEFAULT_ENDPOINT),
        auth=_auth(values),
        user_id=values.header("user_id"),
        language=values.header("language") or DEFAULT_LANGUAGE,
        trace_id=_trace_id(values),
        timeout=in_range(options, "timeout", SHORTEST_TIMEOUT, 3600),
        retries=in_range(options, "retries", 0, 20),
        trust=_trust(values, options["validate_certs"]),
    )


def ledger_from(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> LedgerChoice:
    """Return the ledger that a task's ``options`` and the environment name. Raises KooDriveError ``invalid_request``, naming the option."""
    values = _Values(options, environ)
    path = values.stripped("ledger")
    return LedgerChoice(path, path is None and _is_in_container(values.environ), _tenant(values), _writer(values.environ))


def secrets_of(argument_spec: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str]) -> set[str]:
    """What Ansible has to mask: the secret options, and passwords in the URLs of endpoint and proxies, of the task and the environment."""
    names = [name for name, option in argument_spec.items() if option.get("no_log")]
    values = [options.get(name) for name in names] + [environ.get(ENVIRONMENT.get(name, "")) for name in names]
    secret = {str(value) for value in values if not is_blank(value)}
    for url in (options.get("endpoint"), environ.get(ENVIRONMENT["endpoint"])):
        secret |= passwords_in(str(url or ""))
    for url in (options.get("ledger"), environ.get(ENVIRONMENT["ledger"]), *proxies_in(environ)):
        secret |= passwords_in_place(str(url or ""))
    return secret


def in_range(options: Mapping[str, Any], name: str, lowest: float, highest: int, where: str = "", what: str = "a whole number") -> int:
    """Return the number that ``options`` has for ``name``. Raises KooDriveError ``invalid_request`` if it is out of range."""
    value = options[name]
    # Ansible takes a boolean for an integer.
    if isinstance(value, bool) or not lowest <= value <= highest:
        raise invalid_request(f"{name}{where}", f"must be {what} from {lowest:g} to {highest}, not {value}")
    return value


def capacity_in_range(options: Mapping[str, Any], name: str, lowest: int, highest: int, where: str = "") -> int:
    """Return the capacity in GB that ``options`` has for ``name``. Raises KooDriveError ``invalid_request`` if it is none."""
    return in_range(options, name, lowest, highest, where, "whole GB")


class _Values:
    """The options of the task, and the environment where the task does not have them. A blank value counts as not given."""

    def __init__(self, options: Mapping[str, Any], environ: Mapping[str, str] | None) -> None:
        self._options = options
        self.environ = os.environ if environ is None else environ

    def in_task(self, name: str) -> str | None:
        value = self._options.get(name)
        return None if is_blank(value) else value

    def get(self, name: str) -> str | None:
        in_environment = self.environ.get(ENVIRONMENT.get(name, ""))
        return self.in_task(name) or (None if is_blank(in_environment) else in_environment)

    def stripped(self, name: str) -> str | None:
        """The value without blanks and line breaks around it, which are easily copied with it."""
        value = self.get(name)
        return None if value is None else value.strip()

    def header(self, name: str) -> str | None:
        """The value, if it can stand in an HTTP header; the error does not show it, for it may be a secret."""
        value = self.get(name)
        if value is not None and not (TOKEN if name == "token" else VISIBLE).fullmatch(value):
            raise invalid_request(name, "has a space, a line break or another character that its HTTP header cannot have")
        return value


def _auth(values: _Values) -> Auth:
    """The one way to authenticate that is left when the task's own words go before the environment's."""
    app_options = ("app_id", "app_secret")
    token_in_task = values.in_task("token") is not None
    app_in_task = any(values.in_task(name) for name in app_options)
    token = None if app_in_task and not token_in_task else values.header("token")
    app = {} if token_in_task and not app_in_task else {name: values.header(name) for name in (*app_options, "user_id")}
    has_app = any(app.get(name) for name in app_options)
    if token and has_app:
        raise invalid_request("token", "and app_id (or app_secret) are both given: give a token or an app")
    if token:
        return TokenAuth(token)
    if not has_app:
        raise invalid_request("token", "is missing, and so is app_id: one of them must be given, in the task or in the environment")
    missing = [name for name, value in app.items() if not value]
    if missing:
        raise invalid_request(" and ".join(missing), "must be given too: an app needs app_id, app_secret and user_id")
    return AppAuth(**{name: str(value) for name, value in app.items()})


def _endpoint(value: str) -> str:
    """Scheme and host of KooDrive, and its port if it is not the scheme's own. The errors do not show the value, for it may have a password in it."""
    if not VISIBLE.fullmatch(value):  # Line breaks in a URL are dropped by some Pythons.
        raise invalid_request("endpoint", "is no URL")
    try:
        parts = urlsplit(value if "://" in value else f"https://{value}")
        port = parts.port
    except ValueError as error:
        raise invalid_request("endpoint", "is no URL") from error
    if "@" in parts.netloc or parts.path not in ("", "/") or "?" in value or "#" in value:
        raise invalid_request("endpoint", "must be a host, with a port if need be: no user, path, query or fragment")
    if port == 0 or parts.netloc.endswith(":") or not _is_host(parts):
        raise invalid_request("endpoint", "is no URL")
    host = _host(parts)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise invalid_request("endpoint", "must be https; plain http goes to a loopback address only")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{parts.scheme}://{shown}:{port}"


def _host(parts: SplitResult) -> str:
    """The host in the one spelling by which a tenant is known: small letters, no dot at the end, an address in its shortest form."""
    host = str(parts.hostname).rstrip(".")
    return ipaddress.ip_address(host).compressed if parts.netloc.startswith("[") else host


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        try:
            return ipaddress.ip_address(host).version == 6
        except ValueError:
            return False
    return len(host) <= 253 and HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trace_id(values: _Values) -> str:
    trace_id = values.header("trace_id")
    if trace_id is None:
        return secrets.token_hex(TRACE_ID_LENGTH // 2)
    if len(trace_id) != TRACE_ID_LENGTH:
        raise invalid_request("trace_id", f"must have exactly {TRACE_ID_LENGTH} characters, not {len(trace_id)}")
    if not TRACE_ID.fullmatch(trace_id):
        raise invalid_request("trace_id", "must have letters, digits and underscores only")
    return trace_id


def _tenant(values: _Values) -> str | None:
    tenant = values.stripped("tenant")
    if tenant is not None and (len(tenant) > 255 or not tenant.isprintable()):
        raise invalid_request("tenant", "must be a name of at most 255 characters, all of them printable")
    return tenant


def _is_in_container(environ: Mapping[str, str]) -> bool:
    """Return whether this process is a job of AWX, or runs in a container, so that its files end with it."""
    return not is_blank(environ.get(JOB_ID)) or any(map(os.path.exists, CONTAINER_MARKERS))


def _writer(environ: Mapping[str, str]) -> str:
    """Return the name of this run for people: the job of AWX, or user and host."""
    if not is_blank(environ.get(JOB_ID)):
        return f"AWX job {environ[JOB_ID]}" + (f" of {environ[JOB_HOST]}" if not is_blank(environ.get(JOB_HOST)) else "")
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # A user ID without a name, as in a container.
        user = str(os.geteuid())
    # Names of the operating system need not be text that can be stored.
    return f"{user}@{socket.gethostname()}".encode("utf-8", "replace").decode("utf-8")


def _trust(values: _Values, validate_certs: bool) -> bool | str:
    """Whose certificates are accepted, as requests wants to have it said."""
    ca_path = values.get("ca_path")
    if ca_path is not None and not os.path.exists(ca_path):
        raise invalid_request("ca_path", f"does not exist: {ca_path}")
    return (ca_path or True) if validate_certs else False
