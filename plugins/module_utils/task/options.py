# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the connection options, which every module has, into a connection, and the ledger options into a ledger."""

from __future__ import annotations

import ipaddress
import os
import pwd
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import AppAuth, Auth, TokenAuth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import Connection
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import MIN_PIECE, passwords_in, passwords_in_place, proxies_in
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import is_blank

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # ansible-core < 2.22

    def register_secrets(values: Iterable[str], /) -> None:
        """Do nothing: this release masks results only."""


DEFAULT_ENDPOINT = "https://intl.myhuaweicloud-koodrive.com"
DEFAULT_LANGUAGE = "en-US"
#: In seconds. A shorter timeout makes a healthy service look unreachable.
SHORTEST_TIMEOUT = 1.0
#: X-Traceid has exactly this many characters [headers].
TRACE_ID_LENGTH = 58
TRACE_ID = re.compile("[A-Za-z0-9_]+")

#: The argument spec. The documentation fragment describes the same options. An option with an environment variable has
#: no default and no fallback here, since a blank value counts as not set.
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
#: The options of the modules that read or write the ledger.
LEDGER_SPEC: dict[str, Any] = {
    # Only the password in its URL is a secret.
    "ledger": {"type": "str", "no_log": False},
    "tenant": {"type": "str"},
}
#: The variables that AWX and Automation Controller set for a job: its number, and their own address.
JOB_ID, JOB_HOST = "JOB_ID", "AWX_HOST"
#: The files by which Docker and Podman mark a container, and the variable that each pod of Kubernetes has.
CONTAINER_MARKERS = ("/.dockerenv", "/run/.containerenv")
POD = "KUBERNETES_SERVICE_HOST"
DEFAULT_PORTS = {"https": 443, "http": 80}
#: The characters that a header or a URL can have without encoding.
VISIBLE = re.compile(r"[\x21-\x7e]+")
TOKEN = re.compile(f"(Bearer |AT )?{VISIBLE.pattern}")
LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*\.?")
#: A URL that names nothing but a scheme, as a template with an empty variable makes it.
SCHEME_ALONE = re.compile(r"\w*:?/*")
#: The beginning of a PostgreSQL URL.
POSTGRESQL = ("postgresql://", "postgres://")
APP_OPTIONS = ("app_id", "app_secret", "user_id")
#: The environment variable of each option that has one.
ENVIRONMENT = {name: f"KOODRIVE_{name.upper()}" for name in ("endpoint", "token", "app_id", "app_secret", "user_id", "language", "ledger", "tenant")}


class LedgerChoice(NamedTuple):
    """The ledger of a run, and the names that its records have.

    ``path`` is the path or the URL of the ledger, or None for the default ledger. ``is_temporary`` is true if the
    default ledger is lost when this container ends. ``tenant`` is the tenant's name from the task or the environment.
    ``writer`` names this run for people.
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
        endpoint=_endpoint(values.get("endpoint") or DEFAULT_ENDPOINT, values.named("endpoint")),
        auth=_auth(values),
        user_id=values.header("user_id"),
        language=values.header("language") or DEFAULT_LANGUAGE,
        trace_id=_trace_id(values),
        timeout=in_range(options, "timeout", SHORTEST_TIMEOUT, 3600),
        retries=in_range(options, "retries", 0, 20),
        trust=_trust(values, options["validate_certs"]),
    )


def ledger_from(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> LedgerChoice:
    """Return the ledger that a task's ``options`` and the environment name.

    Raises KooDriveError ``invalid_request``, naming the option.
    """
    values = _Values(options, environ)
    path = _ledger(values)
    return LedgerChoice(path, path is None and _is_in_container(values.environ), _tenant(values), _writer(values.environ))


def secrets_of(argument_spec: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str]) -> set[str]:
    """Return what Ansible must mask, from the task and the environment.

    These are the secret options, the passwords in the URLs of the ledger and the proxies, and an endpoint or a ledger
    that is refused.
    """
    names = [name for name, option in argument_spec.items() if option.get("no_log")]
    values = [options.get(name) for name in names] + [environ.get(ENVIRONMENT.get(name, "")) for name in names]
    secret = {str(value) for value in values if not is_blank(value)}
    for url in (options.get("endpoint"), environ.get(ENVIRONMENT["endpoint"])):
        secret |= passwords_in(str(url or "")) | _refused_endpoint(str(url or ""))
    for url in (options.get("ledger"), environ.get(ENVIRONMENT["ledger"])):
        secret |= passwords_in_place(str(url or "")) | _refused_ledger(str(url or ""))
    for url in proxies_in(environ):
        secret |= passwords_in_place(url)
    return secret


def registered_secrets(argument_spec: Mapping[str, Any], options: Mapping[str, Any]) -> set[str]:
    """Return the secrets of the task and of the environment.

    From now on, Ansible masks them too, if its release can.
    """
    found = secrets_of(argument_spec, options, os.environ)
    register_secrets(found)
    return found


def in_range(options: Mapping[str, Any], name: str, lowest: float, highest: int, where: str = "", what: str = "a whole number") -> int:
    """Return the number that ``options`` has for ``name``.

    Raises KooDriveError ``invalid_request`` if it is out of range.
    """
    value = options[name]
    # Python counts a boolean as an integer, and so does Ansible.
    if isinstance(value, bool) or not lowest <= value <= highest:
        raise invalid_request(f"{name}{where}", f"must be {what} from {lowest:g} to {highest}, not {value}")
    return value


def capacity_in_range(options: Mapping[str, Any], name: str, lowest: int, highest: int, where: str = "") -> int:
    """Return the capacity in GB that ``options`` has for ``name``.

    Raises KooDriveError ``invalid_request`` if it is out of range.
    """
    return in_range(options, name, lowest, highest, where, "whole GB")


class _Values:
    """The options of the task, completed from the environment. A blank value counts as not given."""

    def __init__(self, options: Mapping[str, Any], environ: Mapping[str, str] | None) -> None:
        self._options = options
        self.environ = os.environ if environ is None else environ

    def in_task(self, name: str) -> str | None:
        """Return the value that the task gives."""
        value = self._options.get(name)
        return None if is_blank(value) else value

    def get(self, name: str) -> str | None:
        """Return the value that the task gives, or else the environment."""
        in_task, in_environment = self.in_task(name), self.environ.get(ENVIRONMENT.get(name, ""))
        return (None if is_blank(in_environment) else in_environment) if in_task is None else in_task

    def named(self, name: str) -> str:
        """Return the option's name for messages, with its variable if the value comes from the environment."""
        return with_variable(name) if self.in_task(name) is None and self.get(name) is not None else name

    def stripped(self, name: str) -> str | None:
        """Return the value without the blanks and line breaks that are easily copied with it."""
        value = self.get(name)
        return None if value is None else value.strip()

    def header(self, name: str) -> str | None:
        """Return the value of an HTTP header. The error does not show a wrong value, since it may be a secret."""
        value = self.get(name)
        if value is not None and not (TOKEN if name == "token" else VISIBLE).fullmatch(value):
            why = "has a space, a line break or another character that its HTTP header cannot have"
            raise invalid_request(self.named(name), why)
        return value


def with_variable(name: str) -> str:
    """Return the option's name with its environment variable, for messages."""
    return f"{name} ({ENVIRONMENT[name]})"


def _auth(values: _Values) -> Auth:
    """Return the token or the app that authenticates the requests.

    If the task gives only one of them, the other one in the environment does not count.
    """
    token_in_task = values.in_task("token") is not None
    app_in_task = values.in_task("app_id") is not None or values.in_task("app_secret") is not None
    token = values.get("token") if token_in_task or not app_in_task else None
    app = [name for name in ("app_id", "app_secret") if values.get(name)] if app_in_task or not token_in_task else []
    if token and app:
        raise invalid_request(values.named("token"), f"and {values.named(app[0])} are both given: give a token or an app")
    if token:
        where = "" if token_in_task else f" for {ENVIRONMENT['token']}"
        return TokenAuth(str(values.header("token")), f"A token lives 20 minutes: get a new one{where}.")
    if app:
        return _app(values)
    variables = f"{ENVIRONMENT['token']} or {ENVIRONMENT['app_id']}"
    raise invalid_request("token", f"is missing, and so is app_id: give one of them in the task, or {variables} in the environment")


def _app(values: _Values) -> AppAuth:
    """Return the app. Raises KooDriveError ``invalid_request`` if a part of it is missing."""
    app = {name: values.header(name) for name in APP_OPTIONS}
    missing = [name for name, value in app.items() if value is None]
    if missing:
        is_in_task = any(values.in_task(name) for name in APP_OPTIONS)
        names = missing if is_in_task else map(with_variable, missing)
        raise invalid_request(" and ".join(names), "must be given too: an app needs app_id, app_secret and user_id")
    first, second, third = map(values.named, APP_OPTIONS)
    advice = f"Check {first}, {second} and {third}, that they belong to this endpoint's site, and that this machine's clock is right."
    return AppAuth(**{name: str(value) for name, value in app.items()}, advice=advice)


def _ledger(values: _Values) -> str | None:
    """Return the path or the URL of the ledger, or None for the default one."""
    ledger = values.stripped("ledger")
    if ledger is not None and not _names_ledger(ledger):
        raise invalid_request(values.named("ledger"), "must be an absolute path, or the URL of a PostgreSQL database (postgresql://...)")
    return ledger


def _names_ledger(value: str) -> bool:
    return "\0" not in value and (os.path.isabs(value) or value.startswith(POSTGRESQL))


def _refused_ledger(value: str) -> set[str]:
    """Return ``value`` if it is refused as a ledger and may have a password, like ``password=...`` or ``user:...@host``."""
    ledger = value.strip()
    return {ledger} if re.search("[@=]", ledger) and not _names_ledger(ledger) else set()


def _endpoint(value: str, name: str = "endpoint") -> str:
    """Return KooDrive's scheme and host, and its port if it is not the scheme's default.

    Raises KooDriveError ``invalid_request``, which calls the option ``name``. It does not show the value, since it may
    have a password or a token in it.
    """
    if not VISIBLE.fullmatch(value):  # Some releases of Python drop line breaks in a URL.
        raise invalid_request(name, "is not a URL")
    try:
        parts = urlsplit(value if "://" in value else f"https://{value}")
        port = parts.port
    except ValueError as error:
        raise invalid_request(name, "is not a URL") from error
    if "@" in parts.netloc or parts.path not in ("", "/") or "?" in value or "#" in value:
        raise invalid_request(name, "must be a host, with a port if it needs one: no user, path, query or fragment")
    if port == 0 or parts.netloc.endswith(":") or not _is_host(parts):
        raise invalid_request(name, "is not a URL")
    host = _host(parts)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise invalid_request(name, "must be https; plain http goes to a loopback address only")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{parts.scheme}://{shown}:{port}"


def _refused_endpoint(value: str) -> set[str]:
    """Return ``value`` if it is refused as an endpoint, since any part of it may be a secret.

    A value that is too short to have a secret is not returned, since its mask would hide harmless text.
    """
    if len(value) < MIN_PIECE or SCHEME_ALONE.fullmatch(value):
        return set()
    try:
        _endpoint(value)
    except KooDriveError:
        return {value}
    return set()


def _host(parts: SplitResult) -> str:
    """Return the host in one spelling: small letters, no final dot, the shortest form of an address."""
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
        raise invalid_request(values.named("tenant"), "must be a name of at most 255 characters, all of them printable")
    return tenant


def _is_in_container(environ: Mapping[str, str]) -> bool:
    """Return whether this process is a job of AWX or runs in a container. Its files are lost when it ends."""
    return any(not is_blank(environ.get(name)) for name in (JOB_ID, POD)) or any(map(os.path.exists, CONTAINER_MARKERS))


def _writer(environ: Mapping[str, str]) -> str:
    """Return the name of this run for people: the job of AWX, or user and host."""
    if not is_blank(environ.get(JOB_ID)):
        return f"AWX job {environ[JOB_ID]}" + (f" of {environ[JOB_HOST]}" if not is_blank(environ.get(JOB_HOST)) else "")
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # A user ID without a name, as in a container.
        user = str(os.geteuid())
    # The operating system may have names that cannot be stored as text.
    return f"{user}@{socket.gethostname()}".encode("utf-8", "replace").decode("utf-8")


def _trust(values: _Values, validate_certs: bool) -> bool | str:
    """Return which certificates are accepted, as the ``verify`` of requests."""
    ca_path = values.get("ca_path")
    if ca_path is not None and not os.path.exists(ca_path):
        raise invalid_request("ca_path", f"does not exist: {ca_path}")
    return (ca_path or True) if validate_certs else False
