# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error of this collection, with its kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_RUN_AGAIN = "Run again. The next run starts from the pools that it then reads, and sends nothing while this transfer is open."
#: What to do instead after an addition without a key.
CHECK_FIRST = "Check the pools before you run again, because expand_capacity adds again. With an idempotency_key, it does not."
#: What to do next, by kind: the last sentences of a message unless the place that raises knows better.
ADVICE = {
    "invalid_request": "Correct the option and run again. No request was sent.",
    "authentication": "A token lives 20 minutes: get a new one. With an app, check app_id, app_secret and user_id, that they"
    " belong to this endpoint's site, and that this machine's clock is right.",
    "insufficient_capacity": "Move less, keep less in reserve, or have the tenant's capacity expanded.",
    "rejected": "Look up KooDrive's code in its API reference. Without a change, KooDrive will most likely refuse it again.",
    "rate_limited": "Wait a minute and run again.",
    "server_error": "Run again later. If it fails again, give the trace ID to the KooDrive support.",
    "unreachable": "Check the endpoint, the name resolution, the proxy and the certificates from the machine that runs the task.",
    "invalid_reply": "Check that the endpoint is KooDrive itself and not a proxy or a login page.",
    "not_verified": _RUN_AGAIN,
    "outcome_unknown": _RUN_AGAIN,
    "open_transfer": "Run again after that time, or once the pools show the transfer. Runs with nothing to send are not blocked. If you know that"
    " the transfer was lost, run once with settle_time=0.",
    "busy": "Run again when the other tasks have ended. If one of them hangs, end it.",
    "ledger_unavailable": "Repair the ledger, and run again.",
}


class Answer(NamedTuple):
    """What KooDrive, or the gateway in front of it, says of a failure [ErrorCode]. None means that it does not say
    it.
    """

    http_status: int | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None


NO_ANSWER = Answer()


class KooDriveError(Exception):
    """The failure of a task, in words for people and in values for playbooks.

    ``kind`` is one of the keys of :data:`ADVICE`. ``what`` says in one clause what happened, and ``action`` what the
    module was doing. ``advice`` is what to do next, or None for the advice of the kind.

    ``transient``: the same request may succeed if it is tried again; ``retry_after`` is how many seconds KooDrive
    asked to wait before that. ``may_have_moved``: the request was a write and nothing shows that KooDrive did not
    process it.
    """

    def __init__(
        self,
        kind: str,
        what: str,
        *,
        action: str = "",
        advice: str | None = None,
        answer: Answer = NO_ANSWER,
        transient: bool = False,
        retry_after: float | None = None,
        may_have_moved: bool = False,
    ) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.action = action
        self.advice = advice
        self.answer = answer
        self.transient = transient
        self.retry_after = retry_after
        self.may_have_moved = may_have_moved

    def advice_from(self, advice: Mapping[str, str]) -> str:
        """Return what to do next: the error's own advice, or that of its kind in ``advice``."""
        return advice[self.kind] if self.advice is None else self.advice

    def as_result(self, *more: str, trace_id: str = "", advice: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the failed task's result: ``msg`` for people, ``error`` for playbooks.

        ``more`` are sentences between what happened and what to do. ``trace_id`` is the run's, if it has one.
        ``advice`` says what to do, by kind.
        """
        happened = f"{self.action} failed: {self.what}." if self.action else f"{self.what}."
        sentences = [happened, *more, self.advice_from(advice or ADVICE), f"Trace ID: {trace_id}." if trace_id else ""]
        return {
            "failed": True,
            "changed": False,
            "msg": " ".join(sentence for sentence in sentences if sentence),
            "error": {"kind": self.kind, **self.answer._asdict()},
            "warnings": [],
        }


def invalid_request(option: str, why: str) -> KooDriveError:
    """Return the error of an option that is refused before any request. ``why`` completes the sentence that
    ``option`` begins.
    """
    return KooDriveError("invalid_request", f"{option} {why}")
