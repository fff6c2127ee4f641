# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has seen, planned and sent so far, and the one shape of the results and failures that are made of it. Pure."""

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
NOTHING = {"insufficient_capacity": "Nothing was moved.", "ledger_unavailable": "Nothing was sent."}


class RunReport:
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


class WritingReport(RunReport):
    """What a run that moves capacity can tell, as far as it has come. Its transfers are made one after the other."""

    #: What to do after an error, by its kind.
    advice: Mapping[str, str] = ADVICE

    def __init__(self, endpoint: str, trace_id: str) -> None:
        super().__init__(endpoint, trace_id)
        #: The transfers that this run has made, or in check mode would have.
        self.made: list[Plan] = []
        #: The one that was decided last.
        self._plan: Plan | None = None
        #: Whether that one has been sent, and is not known to be made.
        self._sent = False
        #: The pools at the latest reading; None before the first one, and from a transfer on until the next.
        self.now: Allocation | None = None
        self._trouble: KooDriveError | None = None
        self._refused = False
        #: The addition that was made before with the task's idempotency key, as results show it.
        self.earlier: dict[str, Any] | None = None

    def saw(self, pools: Allocation) -> None:
        """The pools were read."""
        self.now, self._trouble = pools, None

    def could_not_see(self, trouble: KooDriveError) -> None:
        """The latest reading of the pools failed."""
        self._trouble = trouble

    def planned(self, plan: Plan) -> None:
        """This is to be sent, and nothing that was planned before."""
        self._plan, self._sent, self._refused = plan, False, False

    def sends(self) -> None:
        """What was planned is sent, and from now on nobody knows what the pools hold."""
        self._sent, self.now = True, None

    def did_not_send(self) -> None:
        """Nothing has left this machine after all, so the pools are as they were."""
        self.was_refused()
        if self._plan is not None:
            self.now = self._plan.before

    def was_refused(self) -> None:
        """What was sent is known not to be done."""
        self._refused = True

    def has_made(self, plan: Plan) -> None:
        """This transfer is done, and what was sent is accounted for."""
        self.made.append(plan)
        self._sent = False

    def success(self, after: Allocation, verified: bool) -> dict[str, Any]:
        """The result in check mode, when nothing was to do, and when capacity moved: ``after`` is what the pools hold or would hold."""
        before = self._before() or after
        return self.result(
            {
                "changed": bool(self.made),
                **self.of_its_own(after),
                "transfers": self.rows(self.made),
                "allocation": as_result(after),
                "allocation_before": as_result(before),
                "verified": verified,
                "diff": {"before": as_lines(before), "after": as_lines(after)},
            }
        )

    def failure(self, error: KooDriveError) -> dict[str, Any]:
        """The failure, with what was done and sent, and what the pools held and hold."""
        return {
            **error.as_result(*self._state_in_words(error), trace_id=self.trace_id, advice=self.advice),
            **self.result(self._values_of_failure()),
            "changed": bool(self.made) or self._has_changed(),
        }

    def origins(self) -> set[str]:
        """The pools that have given in this run, or are about to."""
        return {plan.origin_type for plan in (*self.made, *([self._plan] if self._plan else [])) if plan.moves}

    def rows(self, plans: Iterable[Plan]) -> list[dict[str, Any]]:
        """These transfers as the results of this module show them."""
        return [row for plan in plans for row in as_rows(plan.moves)]

    def of_its_own(self, now: Allocation | None) -> dict[str, Any]:
        """What the results of this module have beyond those of the others; ``now`` are the pools, where they are known."""
        return {}

    def _before(self) -> Allocation | None:
        """The pools before the first transfer, or before the one that was planned."""
        first = self.made[0] if self.made else self._plan
        return None if first is None else first.before

    def _values_of_failure(self) -> dict[str, Any]:
        known = self.of_its_own(self.now)
        if self.now is not None:
            known["allocation"] = as_result(self.now)
        before = self._before()
        if before is not None:
            known["allocation_before"] = as_result(before)
            # Beside transfers that were made, one that was refused would look like them.
            known["transfers"] = self.rows([*self.made, *([] if self.made and self._refused else self._in_doubt())])
        return known

    def _in_doubt(self) -> list[Plan]:
        return [self._plan] if self._sent and self._plan is not None else []

    def _has_changed(self) -> bool:
        return any(self.now is not None and plan.compare(self.now) is not Comparison.BEFORE for plan in self._in_doubt())

    def _state_in_words(self, error: KooDriveError) -> list[str]:
        """What was done before, and what the pools held and hold where something has been sent, or they decide what is to be done next."""
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
