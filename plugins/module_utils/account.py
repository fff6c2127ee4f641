# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has seen, planned and sent so far, and the one shape of the results and failures that are made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import (
    Allocation,
    Plan,
    Shows,
    as_lines,
    as_result,
    as_rows,
    as_sentence,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError


class Account:
    """What every run can tell: at which endpoint it was, its ID in KooDrive's logs, and what the user should know."""

    def __init__(self, endpoint: str, trace_id: str) -> None:
        self.endpoint = endpoint
        self.trace_id = trace_id
        self.warnings: list[str] = []

    def result(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a run, of which ``keys`` are its own."""
        return {"endpoint": self.endpoint, "trace_id": self.trace_id, "warnings": self.warnings, **keys}

    def failure(self, error: KooDriveError) -> dict[str, Any]:
        """The result of a run that ``error`` has ended."""
        return {**error.as_result(trace_id=self.trace_id), **self.result({})}


class TransferAccount(Account):
    """What the run of a transfer can tell, as far as it has come."""

    def __init__(self, endpoint: str, trace_id: str, origin_type: str) -> None:
        super().__init__(endpoint, trace_id)
        self._origin_type = origin_type
        self._plan: Plan | None = None
        self._sent = False
        #: The pools at the latest reading; None before the first one, and from a transfer on until the next.
        self._now: Allocation | None = None
        self._trouble: KooDriveError | None = None
        #: The addition that was made before with the task's idempotency key, as results show it.
        self.earlier: dict[str, Any] | None = None

    def saw(self, pools: Allocation) -> None:
        """The pools were read."""
        self._now, self._trouble = pools, None

    def could_not_see(self, trouble: KooDriveError) -> None:
        """The latest reading of the pools failed."""
        self._trouble = trouble

    def planned(self, plan: Plan) -> None:
        """This is to be sent, and nothing that was planned before."""
        self._plan, self._sent = plan, False

    def sends(self) -> None:
        """What was planned is sent, and from now on nobody knows what the pools hold."""
        self._sent, self._now = True, None

    def did_not_send(self) -> None:
        """Nothing has left this machine after all, so the pools are as they were."""
        if self._plan is not None:
            self._now = self._plan.before

    def success(self, plan: Plan, after: Allocation, verified: bool) -> dict[str, Any]:
        """The result in check mode, when nothing was to do, and when capacity moved: ``after`` is what the pools hold or would hold."""
        return self.result(
            {
                "changed": bool(plan.moves),
                "origin_type": plan.origin_type,
                "earlier": self.earlier,
                "transfers": as_rows(plan.moves),
                "allocation": as_result(after),
                "allocation_before": as_result(plan.before),
                "verified": verified,
                "diff": {"before": as_lines(plan.before), "after": as_lines(after)},
            }
        )

    def failure(self, error: KooDriveError) -> dict[str, Any]:
        """The failure, with what was sent, and what the pools held and hold."""
        return {
            **error.as_result(*self._sentences(error), trace_id=self.trace_id),
            **self.result(self._known()),
            "changed": self._has_changed(),
        }

    def _known(self) -> dict[str, Any]:
        known: dict[str, Any] = {"origin_type": self._origin_type, "earlier": self.earlier}
        if self._now is not None:
            known["allocation"] = as_result(self._now)
        if self._plan is not None:
            known["allocation_before"] = as_result(self._plan.before)
            known["transfers"] = as_rows(self._plan.moves) if self._sent else []
        return known

    def _has_changed(self) -> bool:
        return self._sent and self._plan is not None and self._now is not None and self._plan.compare(self._now) is not Shows.BEFORE

    def _sentences(self, error: KooDriveError) -> list[str]:
        """What the pools held and hold, once something has been sent, by this run or by another one that is not settled yet."""
        if error.kind == "open_transfer" and self._now is not None:
            return [f"The pools hold: {as_sentence(self._now)}."]
        if not self._sent or self._plan is None:
            return []
        now = "What they hold now is not known." if self._now is None else f"Now: {as_sentence(self._now)}."
        unread = "" if self._trouble is None else f"The latest reading failed: {self._trouble.what}."
        return [f"Before: {as_sentence(self._plan.before)}.", now, unread]
