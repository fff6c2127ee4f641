# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One transfer of unallocated capacity, from a task's options to its result. Knows nothing of AnsibleModule."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.account import WritingAccount
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import (
    CAPACITIES,
    MAX_CAPACITY,
    SPACE_TYPES,
    Allocation,
    Plan,
    Target,
    ensure_sufficient,
    plan_transfer,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.moving import MOVING_SPEC, care_from, move_capacity, pool_types, step_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import capacity_in_range, connection_from

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
    """What a task asks for, valid: a goal that one transfer reaches."""

    origin_type: str
    targets: tuple[Target, ...]
    origin_reserve: int
    capacity_step: int
    idempotency_key: str | None
    takes_several: bool = False

    @property
    def pools(self) -> tuple[str, ...]:
        return (self.origin_type, *(target.type for target in self.targets))

    @property
    def adds(self) -> bool:
        return any(target.measure == "expand_capacity" for target in self.targets)

    def plan(self, before: Allocation) -> Plan:
        return plan_transfer(self.origin_type, self.targets, self.capacity_step, before)

    def ensure_sufficient(self, plan: Plan) -> None:
        ensure_sufficient(plan, self.origin_reserve)


class TransferAccount(WritingAccount):
    """What the run of one transfer can tell."""

    def __init__(self, endpoint: str, trace_id: str, origin_type: str) -> None:
        super().__init__(endpoint, trace_id)
        self._origin_type = origin_type

    def of_its_own(self, now: Allocation | None) -> dict[str, Any]:
        return {"origin_type": self._origin_type, "earlier": self.earlier}


def transfer_capacity(
    options: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None, is_wanted: Callable[[], bool] = lambda: True
) -> dict[str, Any]:
    """Make the pools what ``options`` ask for; the module's documentation describes options and result, also the one of a failure.

    In check mode nothing is sent but reads, nothing is written, and the result is the predicted one. Raises KooDriveError ``invalid_request``, before
    anything is sent.
    """
    task, care = task_from(options), care_from(options)
    connection = connection_from(options, environ)
    account = TransferAccount(connection.endpoint, connection.trace_id, task.origin_type)
    return move_capacity(task, care, connection, account, check_mode, is_wanted)


def task_from(options: Mapping[str, Any]) -> Task:
    """What the task asks for. Raises KooDriveError ``invalid_request``, naming the option."""
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
        raise invalid_request("idempotency_key", "must have 1 to 255 visible characters")
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
