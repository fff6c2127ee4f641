# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add to requests what this client needs.

- a time limit for a request as a whole
- whether a part of a request was sent
- a share of the time for each address of a name
- a CA bundle that is loaded once for many processes
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.util.ssl_ import create_urllib3_context
except Exception:  # A broken installation, or an unusable SSLKEYLOGFILE, raises other errors than ImportError.
    #: The traceback of the failed import; None if requests can be used.
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
    PROXY_FAULTS: tuple[type[Exception], ...] = ()
    PROXY_UNREACHED: tuple[type[Exception], ...] = ()
    REPLY_FAULTS: tuple[type[Exception], ...] = ()
else:
    REQUESTS_IMPORT_ERROR = None
    #: What requests, urllib3 and http.client raise for a proxy's URL that they cannot use.
    PROXY_FAULTS = (
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        urllib3.exceptions.LocationValueError,
        urllib3.exceptions.ProxySchemeUnknown,
        urllib3.exceptions.ProxySchemeUnsupported,
        http.client.InvalidURL,
        UnicodeError,
    )
    #: What they raise if the proxy cannot be reached.
    PROXY_UNREACHED = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
    #: What they raise for a reply with two different lengths.
    REPLY_FAULTS = (urllib3.exceptions.InvalidHeader,)


def without_requests(missing: str) -> str:
    """Return why requests cannot be used: ``missing`` if it is not installed, else the error of its import."""
    error = str(REQUESTS_IMPORT_ERROR).strip().splitlines()[-1]
    return missing if error.startswith(("ModuleNotFoundError", "ImportError")) else f"Python cannot import requests: {error}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a reply's Retry-After, which is a number or a date; None if there is no valid one."""
    try:
        return float(urllib3.util.Retry().parse_retry_after(headers["Retry-After"]))
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return None


class Bundle(NamedTuple):
    """A loaded CA bundle: the TLS context that has it, and the identity of its file."""

    context: ssl.SSLContext
    file: tuple[int, ...]


#: The loaded bundles by their paths. To load the default bundle takes longer than a whole request.
_bundles: dict[str, Bundle] = {}
#: The thread that loads the default bundle, if there is one.
_loading: list[threading.Thread] = []


class _WithBundle(ssl.SSLContext):
    """A TLS context that has its bundle. Without this class, urllib3 would load it again for each connection."""

    def load_verify_locations(self, *_args: Any, **_kwargs: Any) -> None:
        pass


def bundle_of(trust: bool | str) -> bool | str:
    """Return ``trust``, the ``verify`` of requests.

    Replace true by the path of the CA bundle, by the rules of requests. A blank variable counts as not set.
    """
    if trust is not True:
        return trust
    named = (path for path in map(os.environ.get, ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")) if path and path.strip())
    return next(named, requests.utils.DEFAULT_CA_BUNDLE_PATH)


def load_bundle() -> None:
    """Load the default CA bundle in a background thread.

    OpenSSL releases the GIL, and forked processes inherit the result.
    """
    if REQUESTS_IMPORT_ERROR:
        return
    # Not a daemon thread: Python must not clean up OpenSSL while the thread uses it.
    thread = threading.Thread(target=_load_bundle)
    try:
        thread.start()
    except RuntimeError:
        return  # The system allows no more threads. The first request loads the bundle.
    _loading.append(thread)
    # A forked process does not have this thread, so the bundle must be loaded before the fork.
    os.register_at_fork(before=thread.join)


def _load_bundle() -> None:
    # The first request reports what is wrong with the bundle. A folder is not loaded in advance. If another library
    # replaces Python's TLS, this fails too.
    with suppress(Exception):
        path = str(bundle_of(True))
        context = _context(ssl.CERT_REQUIRED)
        file = _file(path)
        context.load_verify_locations(path)
        context.__class__ = _WithBundle
        _bundles[path] = Bundle(context, file)


def _file(path: str) -> tuple[int, ...]:
    status = os.stat(path)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _context(cert_reqs: ssl.VerifyMode) -> ssl.SSLContext:
    try:
        context = create_urllib3_context(cert_reqs=cert_reqs)
    except OSError as error:
        what = f"the file that SSLKEYLOGFILE names cannot be used ({error.strerror})"
        raise KooDriveError("unreachable", what, advice="Make it writable, or unset SSLKEYLOGFILE.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _context_for(trust: bool | str) -> ssl.SSLContext:
    """Return a TLS context for ``trust``.

    If no current bundle is loaded for it, urllib3 loads the bundle into the context.
    """
    if trust is False:
        return _context(ssl.CERT_NONE)
    if trust == bundle_of(True):
        for thread in _loading:
            thread.join()
    bundle = _bundles.get(str(trust))
    try:
        if bundle and bundle.file == _file(str(trust)):
            return bundle.context
    except OSError:
        pass  # The file is missing, so the request fails.
    return _context(ssl.CERT_REQUIRED)


class Wire:
    """Watch and limit the single connection of a client.

    A time-out of requests starts again with every byte that arrives. :meth:`limit` cuts the connection instead, in
    every phase of a request: the TLS handshake, the proxy's answer, the headers or the body of the reply.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._end = 0.0
        #: Whether the time of the current request is over.
        self.overdue = False
        #: Whether a part of the current request was sent, so that KooDrive may have received it.
        self.sent = False
        self._before_first_byte: Callable[[], None] | None = None

    @contextmanager
    def limit(self, seconds: float, before_first_byte: Callable[[], None] | None = None) -> Iterator[None]:
        """Cut the connection if the context takes longer than ``seconds``.

        ``before_first_byte`` is called once the connection is open. Its exception stops the request before the first
        byte.
        """
        self.overdue = self.sent = False
        self._before_first_byte = before_first_byte
        self._end = time.monotonic() + seconds
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def sends(self) -> None:
        """Note that a part of the request is about to be sent."""
        if not self.sent and self._before_first_byte is not None:
            self._before_first_byte()
        self.sent = True

    def time_left(self) -> float:
        """Return the seconds until the current request is cut. Never return 0, which would mean not to wait."""
        return max(0.01, self._end - time.monotonic())

    def opened(self, connection: socket.socket) -> None:
        """Note a new connection. Raises TimeoutError if the request's time is over already."""
        self.close()
        with self._lock:
            # TLS takes the descriptor out of the socket object. A duplicate can still shut the connection down.
            self._socket = connection.dup()
        if self.overdue:
            connection.close()
            raise TimeoutError("connected too late")

    def close(self) -> None:
        """End the connection. After a failure, urllib3 can hold it until Python's garbage collector runs."""
        with self._lock:
            self._shut_down()
            if self._socket:
                self._socket.close()
                self._socket = None

    def _cut(self) -> None:
        with self._lock:
            self.overdue = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # The server has closed it.


class Http:
    """Send requests to ``endpoint`` with an adapter of requests: TLS 1.2 or newer over one connection, which ``wire``
    watches.

    An adapter follows no redirect and keeps no cookie. It reads neither the environment, so no bundle named there wins
    over ``trust``, nor ~/.netrc, so nothing there wins over the token. ``trust`` is the ``verify`` of requests.
    """

    def __init__(self, wire: Wire, endpoint: str, trust: bool | str) -> None:
        if trust is False:
            # The user has chosen this, and urllib3 would warn on stderr with each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._trust = trust
        self._adapter = _adapter(wire, _context_for(trust))
        # Plain HTTP goes to this machine only, so without a proxy.
        proxies = {} if endpoint.startswith("http:") else requests.utils.get_environ_proxies(endpoint)
        self._proxies = {scheme: proxy for scheme, proxy in proxies.items() if proxy.strip()}

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        auth: Callable[[requests.PreparedRequest], requests.PreparedRequest],
        timeout: float,
    ) -> requests.Response:
        """Return the reply. Its body is not read yet. ``timeout`` is that of requests.

        Raises errors of requests, urllib3, http.client, ssl and idna.
        """
        request = requests.Request(method, url, headers=headers, data=body, auth=auth).prepare()
        return self._adapter.send(request, stream=True, timeout=timeout, verify=self._trust, proxies=self._proxies)

    def close(self) -> None:
        self._adapter.close()


def _adapter(wire: Wire, context: ssl.SSLContext) -> HTTPAdapter:
    class Adapter(HTTPAdapter):
        """Give watched connections to requests, with and without a proxy."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **kwargs)
            _watch(self.poolmanager, wire)

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            return _watch(super().proxy_manager_for(proxy, ssl_context=context, **kwargs), wire)

    return Adapter()


def _watch(manager: Any, wire: Wire) -> Any:
    """Return the urllib3 pool manager, with connections that report to ``wire``."""
    pools = {"http": urllib3.HTTPConnectionPool, "https": urllib3.HTTPSConnectionPool}
    # A manager for SOCKS has other pools. There, the proxy resolves the endpoint's name.
    connection_of = _addressed if manager.pool_classes_by_scheme.items() <= pools.items() else _watched
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": connection_of(pool.ConnectionCls, wire)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


def _watched(connection_class: Any, wire: Wire) -> Any:
    """Return a subclass of the urllib3 connection class that reports to ``wire``."""

    class Watched(connection_class):
        is_connecting = False

        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            wire.opened(connection)
            return connection

        def connect(self) -> None:
            # Bytes sent while it connects are for a proxy.
            self.is_connecting = True
            try:
                super().connect()
            finally:
                self.is_connecting = False

        def send(self, data: Any) -> None:
            if not self.is_connecting:
                if self.sock is None:
                    self.connect()
                wire.sends()
            super().send(data)

    return Watched


def _addressed(connection_class: Any, wire: Wire) -> Any:
    """Return a watched connection class that divides the time among the addresses of a name."""
    is_plain = connection_class is urllib3.HTTPConnectionPool.ConnectionCls
    watched: Any = _watched(connection_class, wire)

    class Addressed(watched):
        host: str

        def _new_conn(self) -> socket.socket:
            name = self.host
            failures = []
            addresses = _addresses(name, self.port, loopback_only=is_plain)
            try:
                for others, address in zip(reversed(range(len(addresses))), addresses):
                    self.host = address
                    self.timeout = wire.time_left() / (others + 1)
                    try:
                        return super()._new_conn()
                    except (OSError, urllib3.exceptions.HTTPError) as error:
                        failures.append(error)
            finally:
                self.host = name
            # The resolver returns the best address first.
            raise failures[0]

    return Addressed


def _addresses(name: str, port: int, loopback_only: bool) -> list[str]:
    """Return the addresses of ``name``, the best one first.

    Raises OSError if it has none, or if one of them is not a loopback address although ``loopback_only`` is true.
    """
    found = socket.getaddrinfo(name.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_more, address in found))
    if loopback_only and not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise OSError(f"{name} is not this machine, and plain http must not leave this machine")
    return addresses
