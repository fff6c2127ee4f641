# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, isfinite
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Pool, sums

DOCUMENTATION = r"""
name: capacity_figures
short_description: Compute the figures of a capacity report
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Computes all figures of a report from a result of this collection. A template only lays them out. The role
    C(huaweicloud.koodrive.capacity_report) draws these figures.
positional: _input
options:
  _input:
    description:
      - The result of a task that read the pools or moved capacity, also of a check run or a failure. It must have
        RV(huaweicloud.koodrive.koodrive_space_allocation_info#module:allocation). Numbers may be text.
      - If the pools have C(stored_capacity), the figures include the usage. The option
        O(huaweicloud.koodrive.koodrive_space_allocation_info#module:usage) adds it to the result.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the pools
  huaweicloud.koodrive.koodrive_space_allocation_info:
  register: reading

- name: Say how full they are
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.state }} {{ item.bar_text }}"
  loop: "{{ (reading | huaweicloud.koodrive.capacity_figures).pools }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
_value:
  description: The figures. Capacities are in GB.
  type: dict
  contains:
    headline:
      description: What the task did. Empty if it only read the pools.
      type: str
      sample: Moved
    moves:
      description: What moved or, in check mode, would move. Empty after a failure.
      type: list
      elements: dict
      contains:
        type:
          description: The type of the target.
          type: str
        origin_type:
          description: The type of the origin; V(null) if the result does not have it.
          type: str
        expand_capacity:
          description: How much moved, in GB.
          type: int
    pools:
      description: The pools, in the order of the result.
      type: list
      elements: dict
      contains:
        name:
          description: The type of the pool.
          type: str
        total_capacity:
          description: The total capacity of the pool.
          type: int
        allocated_capacity:
          description: How much of it is allocated.
          type: int
        unallocated_capacity:
          description: Total less allocated; 0 if more is allocated than the total.
          type: int
        over:
          description: How much more is allocated than the total.
          type: int
        stored_capacity:
          description: How much data is stored in it.
          returned: when the result has it for this pool
          type: float
        stored_state:
          description: How much of the allocated capacity is stored, in words.
          returned: when the result has RV(_value.pools[].stored_capacity)
          type: str
          sample: 41.7 % of it stored
        received:
          description: How much it received.
          type: int
        gave:
          description: How much it gave.
          type: int
        state:
          description: How full it is, in words. V(over-allocated) if RV(_value.pools[].over) is not 0.
          type: str
          sample: 87.5 % allocated
        scale:
          description: How many GB the whole length of its bar stands for.
          type: int
        bar:
          description: The parts of its bar.
          type: list
          elements: dict
          contains: &parts
            name:
              description:
                - What the part shows. One of V(allocated), V(stored), V(unallocated), V(over), V(total), V(received)
                  and V(gave).
                - V(stored) is within V(allocated).
              type: str
            start:
              description: Where the part starts, in percent of the bar's length.
              type: float
            length:
              description: How long the part is, in percent of the bar's length.
              type: float
        moved_bar:
          description: The parts of a second bar, for what the pool received or gave. Empty if nothing moved.
          type: list
          elements: dict
          contains: *parts
        bar_text:
          description: The bar as a text of 20 characters. C(#) is stored, within what is allocated.
          type: str
          sample: █████████████████░░░
    all:
      description: The sums over all pools.
      type: dict
      contains:
        total_capacity:
          description: The total capacity of all pools.
          type: int
        allocated_capacity:
          description: How much of it is allocated.
          type: int
        unallocated_capacity:
          description: The unallocated capacity of all pools.
          type: int
        over:
          description: How much more is allocated than the total.
          type: int
        state:
          description: How full the pools are together, in words.
          type: str
        stored_capacity:
          description: How much data is stored in it.
          returned: when the result has it for all pools
          type: float
        stored_state:
          description: How much of the allocated capacity is stored, in words.
          returned: when the result has RV(_value.all.stored_capacity)
          type: str
"""

#: How many characters a bar of text has.
CHARACTERS = 20


def capacity_figures(result: Any) -> dict[str, Any]:
    """Return the figures of ``result``, as RETURN describes them.

    Raise AnsibleFilterError if it has no pools, or a pool without numbers.
    """
    if not isinstance(result, Mapping) or not isinstance(result.get("allocation"), Mapping):
        raise AnsibleFilterError("huaweicloud.koodrive.capacity_figures needs the registered result of one task that has an allocation")
    allocation = {name: _pool(name, capacities) for name, capacities in result["allocation"].items()}
    stored = {name: _stored(name, capacities) for name, capacities in result["allocation"].items() if capacities.get("stored_capacity") is not None}
    moves = _moves(result)
    return {
        "headline": _headline(result, moves),
        "moves": moves,
        "pools": [_pool_figures(name, pool, stored.get(name), moves) for name, pool in allocation.items()],
        "all": _all_figures(allocation, stored),
    }


def _pool(name: str, capacities: Mapping[str, Any]) -> Pool:
    try:
        return Pool(*(_whole(capacities[field]) for field in Pool._fields))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise AnsibleFilterError(f"the pool {name} has no whole numbers as {' and '.join(Pool._fields)}: {error}") from error


def _stored(name: str, capacities: Mapping[str, Any]) -> float:
    try:
        stored = float(capacities["stored_capacity"])
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"the pool {name} has no number as stored_capacity: {error}") from error
    if not isfinite(stored) or stored < 0:
        raise AnsibleFilterError(f"the pool {name} has no possible number as stored_capacity: {stored}")
    return stored


def _whole(capacity: Any) -> int:
    return int(float(capacity))


def _moves(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "error" in result:
        return []
    return [
        {
            "type": row["type"],
            # If a result has several origins, each row names its own.
            "origin_type": row.get("origin_type", result.get("origin_type")),
            "expand_capacity": _whole(row["expand_capacity"]),
        }
        for row in result.get("transfers") or []
    ]


def _headline(result: Mapping[str, Any], moves: Sequence[Mapping[str, Any]]) -> str:
    if "error" in result:
        return "The task failed"
    if moves:
        return "Moved" if result.get("verified") else "Planned, or moved without verifying"
    return "Nothing was to be moved" if "transfers" in result else ""


def _all_figures(allocation: Mapping[str, Pool], stored: Mapping[str, float]) -> dict[str, Any]:
    together = sums(allocation)
    total, allocated, unallocated = (together[f"{part}_capacity"] for part in ("total", "allocated", "unallocated"))
    figures = {**together, "over": max(0, allocated - total), "state": _state(total, allocated, unallocated)}
    # A sum that lacks a pool would be too small.
    return {**figures, **_usage(round(sum(stored.values()), 3), allocated)} if stored and stored.keys() == allocation.keys() else figures


def _usage(stored: float | None, allocated: int) -> dict[str, Any]:
    if stored is None:
        return {}
    return {"stored_capacity": stored, "stored_state": f"{100 * stored / allocated:.1f} % of it stored" if allocated else "nothing allocated"}


def _pool_figures(name: str, pool: Pool, stored: float | None, moves: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    received = sum(move["expand_capacity"] for move in moves if move["type"] == name)
    gave = sum(move["expand_capacity"] for move in moves if move["origin_type"] == name)
    total, allocated = pool.total_capacity, pool.allocated_capacity
    over = max(0, allocated - total)
    scale = max(total + gave, allocated, 1)
    return {
        "name": name,
        **pool.as_dict(),
        "over": over,
        **_usage(stored, allocated),
        "received": received,
        "gave": gave,
        "state": _state(total, allocated, pool.unallocated_capacity),
        "scale": scale,
        "bar": _parts(
            scale,
            ("allocated", 0, min(allocated, total)),
            ("stored", 0, min(stored or 0, allocated)),
            ("unallocated", allocated, pool.unallocated_capacity),
            ("over", total, over),
            ("total", 0, total),
        ),
        "moved_bar": _parts(scale, ("received", total - received, received), ("gave", total, gave)),
        "bar_text": _bar_text(pool, over, stored or 0),
    }


def _state(total: int, allocated: int, unallocated: int) -> str:
    if allocated > total:
        return "over-allocated"
    if total == 0:
        return "empty"
    if unallocated == 0:
        return "full"
    # Do not round up to 100 %: the pool is not full.
    return f"{min(100 * allocated / total, 99.9):.1f} % allocated"


def _parts(scale: int, *parts: tuple[str, int, float]) -> list[dict[str, Any]]:
    """Return the parts that have a length, in percent of ``scale`` GB. Starts and lengths of ``parts`` are in GB."""
    return [{"name": name, "start": 100 * start / scale, "length": 100 * length / scale} for name, start, length in parts if length > 0]


def _bar_text(pool: Pool, over: int, stored: float) -> str:
    total, allocated = pool.total_capacity, pool.allocated_capacity
    scale = max(total, allocated, 1)
    # Any over-allocation gets at least one mark.
    marks = ceil(CHARACTERS * over / scale)
    used = min(round(CHARACTERS * min(total, allocated) / scale), CHARACTERS - marks)
    filled = min(round(CHARACTERS * stored / scale), used)
    return "#" * filled + "█" * (used - filled) + "!" * marks + "░" * (CHARACTERS - marks - used)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"capacity_figures": capacity_figures}
