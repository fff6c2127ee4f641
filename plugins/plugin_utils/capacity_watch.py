# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which readings of the pools are events, and what an event says. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import MAX_CAPACITY, SPACE_TYPES, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import is_blank

#: The name of all pools together.
ALL = "all"
#: The names that can have a threshold, in the order of events.
WATCHED = (*SPACE_TYPES, ALL)
#: The keys of a reading for all pools together. The stored data may be missing.
STORED = "stored_capacity"
SUMS = tuple(Pool(0, 0).as_dict())
THRESHOLD = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*(%?)", re.ASCII)


class Threshold(NamedTuple):
    """The minimum unallocated capacity, in GB or in percent of the total."""

    amount: Decimal
    is_percent: bool

    def is_above(self, pool: Mapping[str, int]) -> bool:
        """Return whether ``pool`` of a result has less unallocated capacity.

        A pool without capacity has no percentage.
        """
        unallocated = pool["unallocated_capacity"]
        return unallocated * 100 < self.amount * pool["total_capacity"] if self.is_percent else unallocated < self.amount


def thresholds_from(given: Mapping[str, Any] | None) -> dict[str, Threshold]:
    """Return the thresholds of the option ``thresholds`` by name. A blank threshold counts as not given.

    Raises KooDriveError ``invalid_request``, naming the threshold, for an unknown name and for a value that is neither
    whole GB nor a percentage.
    """
    for name in given or {}:
        if name not in WATCHED:
            raise invalid_request(f"thresholds.{name}", f"is not one of {', '.join(WATCHED)}")
    return {name: _threshold(name, value) for name, value in (given or {}).items() if not is_blank(value)}


def _threshold(name: str, value: Any) -> Threshold:
    found = THRESHOLD.fullmatch("" if isinstance(value, bool) else str(value).strip())
    threshold = Threshold(Decimal(found[1]), bool(found[2])) if found else None
    if threshold is None or threshold.amount > (100 if threshold.is_percent else MAX_CAPACITY) or not _is_whole(threshold):
        raise invalid_request(f"thresholds.{name}", f"must be whole GB from 0 to {MAX_CAPACITY}, or from 0% to 100% of the total, not {value}")
    return threshold


def _is_whole(threshold: Threshold) -> bool:
    return threshold.is_percent or threshold.amount == threshold.amount.to_integral_value()


class CapacityWatch:
    """Compare the readings of one tenant's pools.

    A reading is the result of ``koodrive_space_allocation_info``, or its failure.
    """

    def __init__(self, thresholds: Mapping[str, Threshold]) -> None:
        self._thresholds = thresholds
        #: The pools of the latest successful reading; None before the first one.
        self._allocation: Any = None
        #: The pools that KooDrive has reported at least once.
        self._reported: set[str] = set()
        #: The names that were below their threshold when KooDrive last reported them.
        self._below: set[str] = set()
        #: The error kind of the latest reading; None if it succeeded.
        self._failure: str | None = None

    def event_of(self, reading: Mapping[str, Any], heartbeat: bool) -> dict[str, Any] | None:
        """Return the event of ``reading``, with its ``reasons``; None if it has none.

        With ``heartbeat``, it always has one.
        """
        event = {name: reading.get(name) for name in ("endpoint", "trace_id")}
        event.update(self._failed(reading) if "error" in reading else self._succeeded(reading))
        if heartbeat and not event["reasons"]:
            event["reasons"] = ["heartbeat"]
        return {"koodrive": event} if event["reasons"] else None

    def _failed(self, reading: Mapping[str, Any]) -> dict[str, Any]:
        kind = reading["error"]["kind"]
        is_new, self._failure = kind != self._failure, kind
        return {"error": reading["error"], "msg": reading["msg"], "reasons": ["failed"] if is_new else []}

    def _succeeded(self, reading: Mapping[str, Any]) -> dict[str, Any]:
        # The stored data changes all the time, so its change is not a reason for an event.
        allocation = {name: {key: value for key, value in pool.items() if key != STORED} for name, pool in reading["allocation"].items()}
        self._reported |= set(allocation)
        # While a pool is missing that was there before, the sums are too low.
        sums = {ALL: {name: reading[name] for name in SUMS}} if allocation and set(allocation) == self._reported else {}
        known = {**allocation, **sums}
        below = {name for name, threshold in self._thresholds.items() if name in known and threshold.is_above(known[name])}
        # A pool that is not reported is neither below its threshold nor back above it.
        came_below, came_back = below - self._below, (self._below - below) & set(known)
        reasons = {
            "first": self._allocation is None,
            "recovered": self._failure is not None,
            "changed": self._allocation not in (None, allocation),
            "below": bool(came_below),
            "back": bool(came_back),
        }
        self._allocation, self._failure, self._below = allocation, None, (self._below | below) - came_back
        return {
            "allocation": reading["allocation"],
            **{name: reading[name] for name in (*SUMS, STORED) if name in reading},
            "below": _in_order(below),
            "came_below": _in_order(came_below),
            "came_back": _in_order(came_back),
            "warnings": reading["warnings"],
            "reasons": [reason for reason, holds in reasons.items() if holds],
        }


def _in_order(names: set[str]) -> list[str]:
    return [name for name in WATCHED if name in names]
