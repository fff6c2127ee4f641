# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests does not offer: an end to the time of a request as a whole, and whether anything of it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    #: The traceback of the failed import, for missing_required_lib; None where requests is there.
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None


class Wire:
    """The one connection of a client, as far as requests does not show it.

    A time-out of requests starts anew with every byte that comes. :meth:`limit` cuts the connection instead, wherever the
    request is: in the TLS handshake, the proxy's answer, the headers or the body of the reply.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        #: Whether the present request's time is over.
        self.overdue = False
        #: Whether the present request found or got an open connection, so that KooDrive may have received it.
        self.established = False

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cut the connection when what is done in this context takes longer than ``seconds``."""
        self.overdue = self.established = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def opened(self, connection: socket.socket) -> None:
        """Take note of a new connection. Raises TimeoutError when the request's time was over before it stood."""
        with self._lock:
            if self._socket:
                self._socket.close()
            # TLS takes the descriptor out of its socket object; a duplicate can still shut the connection down.
            self._socket = connection.dup()
        if self.overdue:
            connection.close()
            raise TimeoutError("connected too late")

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._socket:
                self._socket.close()
                self._socket = None

    def _cut(self) -> None:
        with self._lock:
            self.overdue = True
            if self._socket:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # The other side was quicker.


def session(wire: Wire, validate_certs: bool) -> requests.Session:
    """A requests session that speaks TLS 1.2 or newer over one connection, which ``wire`` watches."""
    if not validate_certs:
        # The user has said so; urllib3 would say on stderr with every request that it is not a good idea.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    adapter = _adapter(wire, ssl.CERT_REQUIRED if validate_certs else ssl.CERT_NONE)
    new = requests.Session()
    new.mount("https://", adapter)
    new.mount("http://", adapter)
    return new


def _adapter(wire: Wire, cert_reqs: ssl.VerifyMode) -> HTTPAdapter:
    pools = {"http": _watched(urllib3.HTTPConnectionPool, wire), "https": _watched(urllib3.HTTPSConnectionPool, wire)}
    context = create_urllib3_context(cert_reqs=cert_reqs)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    class Adapter(HTTPAdapter):
        """Hands the watched connections to requests, with and without a proxy."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **kwargs)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(proxy, ssl_context=context, **kwargs)
            manager.pool_classes_by_scheme = pools
            return manager

    return Adapter(pool_connections=1, pool_maxsize=1)


def _watched(pool: Any, wire: Wire) -> Any:
    """A subclass of the urllib3 pool class ``pool`` whose connections tell ``wire`` what becomes of them."""

    class Connection(pool.ConnectionCls):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            wire.opened(connection)
            return connection

        def connect(self) -> None:
            super().connect()
            wire.established = True

        def request(self, *args: Any, **kwargs: Any) -> None:
            wire.established = wire.established or self.sock is not None
            super().request(*args, **kwargs)

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})
