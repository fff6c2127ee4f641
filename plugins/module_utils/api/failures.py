# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an exception of a failed exchange means: a sentence about the network, and whether it may pass.

The layers of requests wrap what happened in exceptions of their own, and now and then in an accident of handling it. Only kinds of
exceptions that are known to speak of the network are shown; what others say may have an object's address or a proxy's password in it.
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

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import PROXY_FAULTS, PROXY_UNREACHED

#: Errors of the operating system that another try cannot change.
PERMANENT_ERRNOS = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EAFNOSUPPORT}
#: A connection that ended within TLS, as another ends without.
ENDS_OF_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
#: How http.client says that a proxy does not open a way to the endpoint.
PROXY_REFUSAL = re.compile(r"Tunnel connection failed: (\d+)")


class Failure(NamedTuple):
    """What went wrong, as part of a sentence, and whether the same request may succeed if it is sent again."""

    why: str
    transient: bool


def explain(error: BaseException) -> Failure:
    """What the failed exchange that ended with ``error`` means. The text may have words of a server in it: redact them."""
    causes = list(_causes(error))
    failure = next(filter(None, map(_explained, reversed(causes))), None)
    if failure is None:
        return _accident(error)
    if any(isinstance(cause, PROXY_UNREACHED) for cause in causes):
        return failure._replace(why=f"the proxy of the environment: {failure.why}")
    return failure


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that it wraps, from the outside in, each once."""
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
    """What the exception says of the network; None for one that says nothing of it."""
    if isinstance(cause, PROXY_FAULTS):
        return _proxy_failure(cause)
    if isinstance(cause, (http.client.HTTPException, EOFError)):
        return Failure(_broken_reply(cause), transient=True)
    if isinstance(cause, OSError):
        return _system_failure(cause)
    return None


def _accident(error: BaseException) -> Failure:
    """What an exception means that nobody foresaw. With a proxy in the environment, its URL is what nobody looked at before."""
    if getproxies_environment().keys() - {"no"}:
        return _proxy_failure(error)
    return Failure(f"the request could not be made: {type(error).__name__}", transient=False)


def _proxy_failure(cause: BaseException) -> Failure:
    # The endpoint was looked at before, and the text of the exception has all of the proxy's URL in it.
    if "SOCKS" in str(cause):
        return Failure("the proxy of the environment speaks SOCKS, for which the Python library PySocks is missing", transient=False)
    return Failure("the proxy of the environment cannot be used: see what is wrong with the URL in HTTPS_PROXY or ALL_PROXY", transient=False)


def _broken_reply(cause: Exception) -> str:
    if isinstance(cause, http.client.RemoteDisconnected):
        return "the connection was closed without a reply"
    if isinstance(cause, (http.client.IncompleteRead, EOFError)):
        return "the connection was closed in the middle of the reply"
    return "what came back is not HTTP"


def _system_failure(cause: OSError) -> Failure | None:
    """What an error of the operating system or of OpenSSL says. The exceptions of requests are none, although they look like one."""
    if isinstance(cause, ssl.SSLError):
        return Failure(str(cause), transient=isinstance(cause, ENDS_OF_TLS))
    if isinstance(cause, socket.timeout) and cause.errno is None:
        return Failure("no answer came in time", transient=True)
    if cause.strerror:
        return Failure(cause.strerror, transient=isinstance(cause, socket.gaierror) or cause.errno not in PERMANENT_ERRNOS)
    if cause.__class__ is not OSError:
        return None
    refusal = PROXY_REFUSAL.match(str(cause))
    if refusal:
        return Failure(f"it refused the way with HTTP {refusal[1]}", transient=refusal[1] in ("408", "429") or refusal[1] >= "500")
    return Failure(str(cause), transient=False)
