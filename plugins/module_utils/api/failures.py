# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the exception of a failed request into a sentence about the network, and decide whether to try again.

The layers of requests wrap the cause in their own exceptions, and sometimes in an error of their own. Messages show
only exceptions that are about the network. The text of others may have an object's address or a proxy's password in it.
Only a run with a failed request loads this file.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple
from urllib.request import getproxies_environment

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import PROXY_FAULTS, PROXY_UNREACHED, REPLY_FAULTS

#: Errors of the operating system that another try cannot change.
PERMANENT_ERRNOS = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EAFNOSUPPORT}
#: What OpenSSL raises if a connection ends within TLS.
ENDS_OF_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
#: What http.client says if a proxy does not connect to the endpoint.
PROXY_REFUSAL = re.compile(r"Tunnel connection failed: (\d+)")
#: OpenSSL's reasons for an answer that is not TLS; which one, depends on its release.
NOT_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
NOT_TLS_ADVICE = (
    "Check host and port of the endpoint. To use plain HTTP, write http:// in front of the host. This works for a loopback address only,"
    " such as http://127.0.0.1:8480."
)


class Failure(NamedTuple):
    """What failed, as part of a sentence, and whether the same request may succeed if it is sent again.

    ``advice`` says what to do; None means the general advice.
    """

    why: str
    transient: bool
    advice: str | None = None


def explain(error: BaseException) -> Failure:
    """Return the meaning of ``error``, which ended a request.

    The text may have words of a server in it: redact them.
    """
    causes = list(_causes(error))
    failure = next(filter(None, map(_explained, reversed(causes))), None)
    if failure is None:
        return _unexpected_failure(error)
    if any(isinstance(cause, PROXY_UNREACHED) for cause in causes):
        return failure._replace(why=f"the proxy of the environment: {failure.why}", advice=None)
    return failure


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and those that it wraps, from the outside in, each once."""
    seen: list[BaseException] = []
    while error is not None and not any(error is other for other in seen):
        seen.append(error)
        yield error
        error = _wrapped_by(error)


def _wrapped_by(error: BaseException) -> BaseException | None:
    inner = (getattr(error, "reason", None), error.__cause__, *error.args)
    context = None if error.__suppress_context__ else error.__context__
    return next((value for value in (*inner, context) if isinstance(value, BaseException)), None)


def _explained(cause: BaseException) -> Failure | None:
    """Return what the exception says about the network, or None if it is not about the network."""
    if isinstance(cause, PROXY_FAULTS):
        return _proxy_failure(cause)
    if isinstance(cause, (http.client.HTTPException, EOFError, *REPLY_FAULTS)):
        return Failure(_broken_reply(cause), transient=True)
    if isinstance(cause, OSError):
        return _system_failure(cause)
    return None


def _unexpected_failure(error: BaseException) -> Failure:
    """Return the meaning of an unexpected exception.

    If the environment has a proxy, its URL is the only unchecked value.
    """
    if getproxies_environment().keys() - {"no"}:
        return _proxy_failure(error)
    return Failure(f"the request could not be made: {type(error).__name__}", transient=False)


def _proxy_failure(cause: BaseException) -> Failure:
    # The endpoint was checked before. The text of the exception has the proxy's whole URL in it, so it is not shown.
    if "dependencies for SOCKS" in str(cause):
        return Failure("the proxy of the environment speaks SOCKS, and the Python library PySocks is missing", transient=False)
    if "SOCKS" in str(cause):
        return Failure("the SOCKS proxy of the environment did not connect: check its password, and whether it may reach the endpoint", transient=True)
    return Failure("the proxy of the environment cannot be used: check the URL in HTTPS_PROXY or ALL_PROXY", transient=False)


def _broken_reply(cause: BaseException) -> str:
    if isinstance(cause, http.client.RemoteDisconnected):
        return "the connection was closed without a reply"
    if isinstance(cause, (http.client.IncompleteRead, EOFError)):
        return "the connection was closed in the middle of the reply"
    return "the reply is not HTTP"


def _system_failure(cause: OSError) -> Failure | None:
    """Return what an error of the operating system or of OpenSSL says.

    Exceptions of requests look like one, but are not.
    """
    if isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None) in NOT_TLS:
        return Failure("the server does not speak TLS; it seems to speak plain HTTP", False, NOT_TLS_ADVICE)
    if isinstance(cause, ssl.SSLError):
        return Failure(str(cause), transient=isinstance(cause, ENDS_OF_TLS))
    if isinstance(cause, socket.timeout) and cause.errno is None:
        return Failure("there was no answer in time", transient=True)
    if cause.strerror:
        return Failure(cause.strerror, transient=isinstance(cause, socket.gaierror) or cause.errno not in PERMANENT_ERRNOS)
    if cause.__class__ is not OSError:
        return None
    refusal = PROXY_REFUSAL.match(str(cause))
    if refusal:
        return Failure(f"it refused the connection with HTTP {refusal[1]}", transient=refusal[1] in ("408", "429") or refusal[1] >= "500")
    return Failure(str(cause), transient=False)
