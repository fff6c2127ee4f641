# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has read, planned and sent, and the one shape of its result or failure. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import (
    Allocation,
    Comparison,
    Plan,
    as_lines,
    as_result,
    as_rows,
    as_sentence,
)

#: What a failure of these kinds says of a run that has done nothing.
NOTHING = {
    "insufficient_capacity": "Nothing was moved.",
    "ledger_unavailable": "Nothing was sent.",
    "busy": "Nothing was sent.",
    "open_transfer": "Nothing was sent.",
}


class RunReport:
    """The report of every run: the endpoint, the ID in KooDrive's logs, and warnings for the user."""

    def __init__(self, endpoint: str, trace_id: str) -> None:
        self.endpoint = endpoint
        self.trace_id = trace_id
        self.warnings: list[str] = []

    def result(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a run. ``keys`` are what only this module returns."""
        return {"endpoint": self.endpoint, "trace_id": self.trace_id, "warnings": self.warnings, **keys}

    def failure(self, error: KooDriveError) -> dict[str, Any]:
        """Return the result of a run that failed with ``error``."""
        return {**error.as_result(trace_id=self.trace_id), **self.result({})}


class WritingReport(RunReport):
    """The report of a run that moves capacity, one transfer after another."""

    #: What to do after an error, by its kind.
    advice: Mapping[str, str] = ADVICE

    def __init__(self, endpoint: str, trace_id: str) -> None:
        super().__init__(endpoint, trace_id)
        #: The transfers that this run made, or would make in check mode.
        self.made: list[Plan] = []
        #: The transfer that was planned last.
        self._plan: Plan | None = None
        #: Whether that transfer was sent, and its outcome is unknown.
        self._sent = False
        #: The pools at the latest reading. None before the first reading, and after a transfer until the next reading.
        self.now: Allocation | None = None
        self._trouble: KooDriveError | None = None
        self._refused = False
        #: The addition that was made before with the task's idempotency key, as results show it.
        self.earlier: dict[str, Any] | None = None

    def saw(self, pools: Allocation) -> None:
        """Note a reading of the pools."""
        self.now, self._trouble = pools, None

    def could_not_see(self, trouble: KooDriveError) -> None:
        """Note that the latest reading of the pools failed."""
        self._trouble = trouble

    def planned(self, plan: Plan) -> None:
        """Note the transfer to send next. It replaces the one that was planned before."""
        self._plan, self._sent, self._refused = plan, False, False

    def sends(self) -> None:
        """Note that the planned transfer is sent. From now on, the pools are unknown."""
        self._sent, self.now = True, None

    def did_not_send(self) -> None:
        """Note that nothing was sent after all, so the pools are as before."""
        self.was_refused()
        if self._plan is not None:
            self.now = self._plan.before

    def was_refused(self) -> None:
        """Note that KooDrive did not make the transfer."""
        self._refused = True

    def has_made(self, plan: Plan) -> None:
        """Note that this transfer is done."""
        self.made.append(plan)
        self._sent = False

    def may_not_have_made(self) -> None:
        """Note that the latest transfer may be lost, although it seemed to be done."""
        self.made.pop()
        self._sent = True

    def success(self, after: Allocation, verified: bool) -> dict[str, Any]:
        """Return the result of a run that succeeds, in check mode or not. ``after`` are the pools at its end, real or
        predicted.
        """
        before = self._before() or after
        return self.result(
            {
                "changed": bool(self.made),
                **self.own_values(after),
                "transfers": self.rows(self.made),
                "allocation": as_result(after),
                "allocation_before": as_result(before),
                "verified": verified,
                "diff": {"before": as_lines(before), "after": as_lines(after)},
            }
        )

    def failure(self, error: KooDriveError) -> dict[str, Any]:
        """Return the result of a run that failed: with its transfers, and the pools before and now."""
        return {
            **error.as_result(*self._state_in_words(error), trace_id=self.trace_id, advice=self.advice),
            **self.result(self._values_of_failure()),
            "changed": bool(self.made) or self._may_have_changed(error),
        }

    def origins(self) -> set[str]:
        """Return the types of the pools that gave capacity in this run, or would give it next."""
        return {plan.origin_type for plan in (*self.made, *([self._plan] if self._plan else [])) if plan.moves}

    def rows(self, plans: Iterable[Plan]) -> list[dict[str, Any]]:
        """Return these transfers as the results of this module show them."""
        return [row for plan in plans for row in as_rows(plan.moves)]

    def own_values(self, now: Allocation | None) -> dict[str, Any]:
        """Return what only the results of this module have. ``now`` are the pools, if they are known."""
        return {}

    def _before(self) -> Allocation | None:
        """Return the pools before the first transfer, or before the planned one."""
        first = self.made[0] if self.made else self._plan
        return None if first is None else first.before

    def _values_of_failure(self) -> dict[str, Any]:
        known = self.own_values(self.now)
        if self.now is not None:
            known["allocation"] = as_result(self.now)
        before = self._before()
        if before is not None:
            known["allocation_before"] = as_result(before)
            # In a list with transfers that were made, a refused one would look like them.
            known["transfers"] = self.rows([*self.made, *([] if self.made and self._refused else self._in_doubt())])
        return known

    def _in_doubt(self) -> list[Plan]:
        return [self._plan] if self._sent and self._plan is not None else []

    def _may_have_changed(self, error: KooDriveError) -> bool:
        """Return whether the pools show a change that the transfer may have made, as also after HTTP 429."""
        if self.now is None or (self._refused and error.kind != "rate_limited"):
            return False
        return any(plan.compare(self.now) is not Comparison.BEFORE for plan in self._in_doubt())

    def _state_in_words(self, error: KooDriveError) -> list[str]:
        """Return sentences on earlier transfers, and on the pools if they matter for this error."""
        in_doubt = self._in_doubt()
        goes_on = error.kind != "open_transfer" and (self._refused or not in_doubt)
        done = f"Done before that: {' and '.join(plan.in_words() for plan in self.made)}" if self.made else ""
        done += ("; running again goes on from there." if goes_on else ".") if done else ""
        if in_doubt:
            now = "What they hold now is not known." if self.now is None else f"Now: {as_sentence(self.now)}."
            unread = "" if self._trouble is None else f"The latest reading failed: {self._trouble.what}."
            return [done, f"Before: {as_sentence(in_doubt[0].before)}.", now, unread]
        tells_pools = self.now is not None and (bool(self.made) or error.kind in ("open_transfer", "insufficient_capacity"))
        return [done or NOTHING.get(error.kind, ""), f"The pools hold: {as_sentence(self.now or {})}." if tells_pools else ""]
