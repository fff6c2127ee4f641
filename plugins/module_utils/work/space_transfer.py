# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer unallocated capacity from one pool: from a task's options to its result. Does not know AnsibleModule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, CHECK_FIRST, KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import (
    CAPACITIES,
    MAX_CAPACITY,
    SPACE_TYPES,
    Allocation,
    Move,
    Plan,
    Target,
    rounded_up,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import capacity_in_range, connection_from, ledger_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.moving import MOVING_SPEC, care_from, move_capacity, pool_types, step_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.run_report import WritingReport

TRANSFER_SPEC: dict[str, Any] = {
    "origin_type": {"type": "str", "required": True, "choices": list(SPACE_TYPES), "aliases": ["source_type"]},
    "target": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "aliases": ["targets"],
        "options": {
            "type": {"type": "str", "required": True, "choices": list(SPACE_TYPES)},
            **{name: {"type": "int"} for name in CAPACITIES},
        },
        "mutually_exclusive": [CAPACITIES],
        "required_one_of": [CAPACITIES],
    },
    "origin_reserve": {"type": "int", "default": 0},
    "idempotency_key": {"type": "str", "no_log": False},
    **MOVING_SPEC,
}

#: An order number and the like.
KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Task(NamedTuple):
    """What a task asks for, checked. One transfer reaches this goal."""

    origin_type: str
    targets: tuple[Target, ...]
    origin_reserve: int
    capacity_step: int
    idempotency_key: str | None
    takes_several: bool = False

    @property
    def needed_pools(self) -> tuple[str, ...]:
        return (self.origin_type, *(target.type for target in self.targets))

    @property
    def adds(self) -> bool:
        return any(target.measure == "expand_capacity" for target in self.targets)

    def plan(self, before: Allocation) -> Plan:
        """Return what to send on the reading ``before``: to each target a multiple of the step [Storage Settings].

        A target that has enough gets nothing, and no target ever gives. ``before`` must have the origin and every
        target.
        """
        required = {target.type: target.required_total(before[target.type]) for target in self.targets}
        lacking = {name: total - before[name].total_capacity for name, total in required.items()}
        moves = tuple(Move(name, rounded_up(gigabytes, self.capacity_step)) for name, gigabytes in lacking.items() if gigabytes > 0)
        return Plan(self.origin_type, before, moves, required)

    def ensure_sufficient(self, plan: Plan) -> None:
        """Raise KooDriveError ``insufficient_capacity`` if the origin cannot give what ``plan`` moves and keep its
        reserve.

        KooDrive does not know the reserve, and refuses with 13000311 if the unallocated capacity is too small.
        """
        unallocated = plan.before[plan.origin_type].unallocated_capacity
        to_give = unallocated - self.origin_reserve
        if not plan.moves or plan.needed <= to_give:
            return
        rounding = ""
        if plan.missing_before <= to_give:
            rounding = f". It has the {plan.missing_before:,} GB that are missing, but capacity_step rounds them up"
        reserve = f", of which {self.origin_reserve:,} GB must stay (origin_reserve)" if self.origin_reserve else ""
        lower = "lower origin_reserve, " if self.origin_reserve else ""
        raise KooDriveError(
            "insufficient_capacity",
            f"the {plan.origin_type} pool cannot give {plan.needed:,} GB: it has {unallocated:,} GB unallocated{reserve},"
            f" so it is {plan.needed - to_give:,} GB short{rounding}",
            action="Planning the transfer",
            advice=f"Move less, {lower}free capacity in the {plan.origin_type} pool, or have the tenant's capacity expanded.",
        )


class TransferReport(WritingReport):
    """The report of a run that makes one transfer."""

    def __init__(self, endpoint: str, trace_id: str, task: Task) -> None:
        super().__init__(endpoint, trace_id)
        self._origin_type = task.origin_type
        if task.adds and task.idempotency_key is None:
            self.advice = {**ADVICE, "not_verified": CHECK_FIRST, "outcome_unknown": CHECK_FIRST}

    def own_values(self, now: Allocation | None) -> dict[str, Any]:
        return {"origin_type": self._origin_type, "earlier": self.earlier}


def transfer_capacity(options: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None, caller: Caller = NOBODY) -> dict[str, Any]:
    """Bring the pools to what ``options`` ask for, and return the result of the task, also if it fails.

    The module's documentation describes options and result. In check mode, the run only reads, and returns the
    predicted result. Raises KooDriveError ``invalid_request`` before anything is sent.
    """
    task, care = task_from(options), care_from(options)
    connection, ledger = connection_from(options, environ), ledger_from(options, environ)
    report = TransferReport(connection.endpoint, connection.trace_id, task)
    return move_capacity(task, care, connection, ledger, report, check_mode, caller)


def task_from(options: Mapping[str, Any]) -> Task:
    """Return what the task asks for. Raises KooDriveError ``invalid_request``, naming the option."""
    for name, option in TRANSFER_SPEC.items():
        for alias in option.get("aliases", ()):
            if alias in options:  # Both have values: an alias alone has become the option.
                raise invalid_request(name, f"and its alias {alias} have different values: give one of them")
    origin_type = options["origin_type"]
    rows: Sequence[Mapping[str, Any]] = options["target"]
    if origin_type in pool_types(rows, "target"):
        raise invalid_request("target", f"must not have the origin among its types: {origin_type}")
    step = step_from(options)
    return Task(
        origin_type=origin_type,
        targets=tuple(_target_from(row, step) for row in rows),
        origin_reserve=capacity_in_range(options, "origin_reserve", 0, MAX_CAPACITY),
        capacity_step=step,
        idempotency_key=_key_from(options),
    )


def _key_from(options: Mapping[str, Any]) -> str | None:
    if options["idempotency_key"] is None:
        return None
    # A pasted order number often has white space around it.
    key: str = options["idempotency_key"].strip()
    if not KEY.fullmatch(key):
        raise invalid_request("idempotency_key", "must have 1 to 255 visible ASCII characters, without blanks")
    if any(row.get("expand_capacity") is None for row in options["target"]):
        raise invalid_request("idempotency_key", "is for tasks whose targets are all expand_capacity; desired states need none")
    return key


def _target_from(row: Mapping[str, Any], step: int) -> Target:
    measure = next(name for name in CAPACITIES if row.get(name) is not None)
    is_addition = measure == "expand_capacity"
    capacity = capacity_in_range(row, measure, 1 if is_addition else 0, MAX_CAPACITY, f" of the target {row['type']}")
    if is_addition and capacity % step:
        raise invalid_request(f"{measure} of the target {row['type']}", f"must be a multiple of capacity_step ({step}), not {capacity}")
    return Target(row["type"], measure, capacity)
