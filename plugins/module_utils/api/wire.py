# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests does not offer: an end to the time of a request as a whole, whether anything of it was sent, a way past a slow
address, replies that are only looked at here, and a CA bundle that is loaded once for many processes.
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
else:
    REQUESTS_IMPORT_ERROR = None
    #: What requests, urllib3 and http.client say of a proxy's URL that they cannot use.
    PROXY_FAULTS = (
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        urllib3.exceptions.LocationValueError,
        urllib3.exceptions.ProxySchemeUnknown,
        urllib3.exceptions.ProxySchemeUnsupported,
        http.client.InvalidURL,
        UnicodeError,
    )
    #: What they say when it is the proxy that is not reached.
    PROXY_UNREACHED = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)


def without_requests(missing: str) -> str:
    """Return why requests cannot be used: the message ``missing`` if it is not installed, else the error of its import."""
    error = str(REQUESTS_IMPORT_ERROR).strip().splitlines()[-1]
    return missing if error.startswith(("ModuleNotFoundError", "ImportError")) else f"Python cannot import requests: {error}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a reply's Retry-After asks to wait, given as a number or a date; None without one that can be understood."""
    try:
        return float(urllib3.util.Retry().parse_retry_after(headers["Retry-After"]))
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return None


class Bundle(NamedTuple):
    """A CA bundle that was loaded: a TLS context that has it, and which file it was."""

    context: ssl.SSLContext
    file: tuple[int, ...]


#: The bundles by their paths. To load one that all the world trusts takes longer than a whole request.
_bundles: dict[str, Bundle] = {}
#: What is loading the usual one at present, if it is not this thread.
_loading: list[threading.Thread] = []


class _WithBundle(ssl.SSLContext):
    """A TLS context that has its bundle, which urllib3 would load once more for every connection."""

    def load_verify_locations(self, *_args: Any, **_kwargs: Any) -> None:
        pass


def bundle_of(trust: bool | str) -> bool | str:
    """``trust``, the ``verify`` of requests, with the path of the CA bundle where it is the usual one: by the rules of requests."""
    if trust is not True:
        return trust
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or requests.utils.DEFAULT_CA_BUNDLE_PATH


def load_bundle() -> None:
    """Load the default CA bundle in a background thread. OpenSSL releases the GIL, and forked processes inherit the result."""
    if REQUESTS_IMPORT_ERROR:
        return
    # Python waits for this thread when it exits, since OpenSSL must not be cleaned up while it works.
    thread = threading.Thread(target=_load_bundle)
    try:
        thread.start()
    except RuntimeError:
        return  # No more threads may be started. The first request loads the bundle.
    _loading.append(thread)
    # A forked process has no such thread, so the bundle must be loaded before.
    os.register_at_fork(before=thread.join)


def _load_bundle() -> None:
    # Who needs it is told what is wrong with it. A folder has no need of this, and where another library has put itself in the place of Python's
    # TLS, this cannot be had.
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
    context = create_urllib3_context(cert_reqs=cert_reqs)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _context_for(trust: bool | str) -> ssl.SSLContext:
    """A TLS context that trusts what ``trust`` says, or will once urllib3 has loaded it: a bundle that is another file by now is no longer meant."""
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
        pass  # It is gone, and so the request will fail.
    return _context(ssl.CERT_REQUIRED)


class Wire:
    """The one connection of a client, as far as requests does not show it.

    A time-out of requests starts anew with every byte that comes. :meth:`limit` cuts the connection instead, wherever the
    request is: in the TLS handshake, the proxy's answer, the headers or the body of the reply.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._end = 0.0
        #: Whether the present request's time is over.
        self.overdue = False
        #: Whether anything of the present request was sent, so that KooDrive may have received it.
        self.sent = False
        self._before_first_byte: Callable[[], None] | None = None

    @contextmanager
    def limit(self, seconds: float, before_first_byte: Callable[[], None] | None = None) -> Iterator[None]:
        """Cut the connection when what is done in this context takes longer than ``seconds``.

        Before the first byte of the request, when the connection is there, ``before_first_byte`` may stop it by an exception.
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
        """Take note that the request itself is about to be sent, or go on being sent."""
        if not self.sent and self._before_first_byte is not None:
            self._before_first_byte()
        self.sent = True

    def time_left(self) -> float:
        """The seconds until the present request is cut; never nothing, which would mean not to wait at all."""
        return max(0.01, self._end - time.monotonic())

    def opened(self, connection: socket.socket) -> None:
        """Take note of a new connection. Raises TimeoutError when the request's time was over before it stood."""
        self.close()
        with self._lock:
            # TLS takes the descriptor out of its socket object; a duplicate can still shut the connection down.
            self._socket = connection.dup()
        if self.overdue:
            connection.close()
            raise TimeoutError("connected too late")

    def close(self) -> None:
        """End the connection, even if urllib3 still holds it: after a failure it does, until Python finds time to clean up."""
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
                pass  # The other side was quicker.


def http_session(wire: Wire, trust: bool | str) -> requests.Session:
    """A requests session that speaks TLS 1.2 or newer over one connection, which ``wire`` watches, and looks at no redirect.

    Its requests must have ``trust`` as their ``verify``, for the session does not pass it on where the environment names a bundle.
    """
    if trust is False:
        # The user has said so; urllib3 would say on stderr with every request that it is not a good idea.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:
            # Even with allow_redirects off, requests would look for the next request, and read and decode the body for it.
            return None

    adapter = _adapter(wire, _context_for(trust))
    new = Session()
    new.mount("https://", adapter)
    new.mount("http://", adapter)
    return new


def _adapter(wire: Wire, context: ssl.SSLContext) -> HTTPAdapter:
    class Adapter(HTTPAdapter):
        """Hands the watched connections to requests, with and without a proxy."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **kwargs)
            _watch(self.poolmanager, wire)

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            return _watch(super().proxy_manager_for(proxy, ssl_context=context, **kwargs), wire)

    return Adapter()


def _watch(manager: Any, wire: Wire) -> Any:
    """The urllib3 pool manager, with connections that tell ``wire`` what becomes of them."""
    pools = {"http": urllib3.HTTPConnectionPool, "https": urllib3.HTTPSConnectionPool}
    # A manager for SOCKS has pools of its own, whose proxy looks the endpoint's name up.
    connection_of = _addressed if manager.pool_classes_by_scheme.items() <= pools.items() else _watched
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": connection_of(pool.ConnectionCls, wire)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


def _watched(connection_class: Any, wire: Wire) -> Any:
    """A subclass of the urllib3 connection class that tells ``wire`` what becomes of its connections."""

    class Watched(connection_class):
        is_connecting = False

        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            wire.opened(connection)
            return connection

        def connect(self) -> None:
            # What is sent meanwhile is for a proxy.
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
    """A watched connection class that gives each address of a name its share of the time, so that a slow one leaves some to the next."""
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
            # The resolver puts first what it holds to be the best way.
            raise failures[0]

    return Addressed


def _addresses(name: str, port: int, loopback_only: bool) -> list[str]:
    """The addresses of ``name``, the best one first. Raises OSError where it has none, or one that plain HTTP must not go to."""
    found = socket.getaddrinfo(name.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_more, address in found))
    if loopback_only and not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise OSError(f"{name} is not this machine, and plain http must not leave it")
    return addresses
