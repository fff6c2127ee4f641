# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring all pools to a layout: from a task's options to its result. Does not know AnsibleModule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import MAX_CAPACITY, SPACE_TYPES, Allocation, Plan, as_rows
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.layout import MINIMUMS, MORE_ROOM, Layout, Minimums
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import capacity_in_range, connection_from, ledger_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.moving import MOVING_SPEC, care_from, move_capacity, pool_types, step_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.run_report import WritingReport

ALLOCATION_SPEC: dict[str, Any] = {
    "pools": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "type": {"type": "str", "required": True, "choices": list(SPACE_TYPES)},
            **{name: {"type": "int"} for name in MINIMUMS},
            "receives": {"type": "bool", "default": True},
            "gives": {"type": "bool", "default": True},
            "takes_rest": {"type": "bool", "default": False},
        },
    },
    "partial": {"type": "bool", "default": False},
    **MOVING_SPEC,
}


class LayoutReport(WritingReport):
    """The report of a run that makes a layout."""

    advice = {**ADVICE, "insufficient_capacity": MORE_ROOM}

    def __init__(self, endpoint: str, trace_id: str, layout: Layout) -> None:
        super().__init__(endpoint, trace_id)
        self._layout = layout

    def rows(self, plans: Iterable[Plan]) -> list[dict[str, Any]]:
        return [{"origin_type": plan.origin_type, **row} for plan in plans for row in as_rows(plan.moves)]

    def own_values(self, now: Allocation | None) -> dict[str, Any]:
        return {} if now is None else {"missing": self._layout.missing(now)}


def allocate_capacity(options: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None, caller: Caller = NOBODY) -> dict[str, Any]:
    """Bring the pools to what ``options`` ask for, and return the result of the task, also if it fails.

    The module's documentation describes options and result. In check mode, the run only reads, and returns the
    predicted result. Raises KooDriveError ``invalid_request`` before anything is sent.
    """
    layout, care = layout_from(options), care_from(options)
    connection, ledger = connection_from(options, environ), ledger_from(options, environ)
    report = LayoutReport(connection.endpoint, connection.trace_id, layout)
    result = move_capacity(layout, care, connection, ledger, report, check_mode, caller)
    _warn_of_what_is_missing(result)
    return result


def _warn_of_what_is_missing(result: Mapping[str, Any]) -> None:
    """Warn when a partial move leaves a pool short."""
    if result.get("missing") and not result.get("failed"):
        lacks = " and ".join(f"{name} lacks {gigabytes:,} GB" for name, gigabytes in result["missing"].items())
        result["warnings"].append(f"Not all that is missing could be given: {lacks}.")


def layout_from(options: Mapping[str, Any]) -> Layout:
    """Return the layout that a task asks for. Raises KooDriveError ``invalid_request``, naming the option."""
    rows: Sequence[Mapping[str, Any]] = options["pools"]
    pool_types(rows, "pools")
    takers = [row["type"] for row in rows if row.get("takes_rest")]
    if len(takers) > 1:
        raise invalid_request("takes_rest", f"may be true for one pool only, not for {' and '.join(takers)}")
    return Layout(tuple(_minimums_from(row) for row in rows), step_from(options), options["partial"])


def _minimums_from(row: Mapping[str, Any]) -> Minimums:
    where = f" of the pool {row['type']}"
    given = {name: capacity_in_range(row, name, 0, MAX_CAPACITY, where) if row.get(name) is not None else None for name in MINIMUMS}
    takes_rest = bool(row.get("takes_rest"))
    if takes_rest and not row["receives"]:
        raise invalid_request(f"takes_rest{where}", "needs receives: true")
    if not takes_rest and not any(capacity is not None for capacity in given.values()):
        raise invalid_request("pools", f"must have total_capacity, unallocated_capacity or takes_rest for the pool {row['type']}")
    return Minimums(row["type"], receives=row["receives"], gives=row["gives"], takes_rest=takes_rest, **given)
