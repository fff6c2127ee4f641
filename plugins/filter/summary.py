# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: summary
short_description: What came of moving or reading capacity, in words
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Says in a line what a task of this collection has moved, from which pool to which, or when this addition was made before, and what
    is unallocated in each pool after it. In check mode it says what would move.
  - Where a result tells what is still missing, the line tells it, too.
  - Of a reading of the pools it says what is unallocated in each pool, and how much is stored, where the result has that.
positional: _input
options:
  _input:
    description:
      - The registered result of one task that moves capacity, without a loop, such as M(huaweicloud.koodrive.koodrive_space_transfer), or that
        reads the pools, M(huaweicloud.koodrive.koodrive_space_allocation_info). The task must have succeeded.
    type: dict
    required: true
  check_mode:
    description:
      - Whether the task ran in check mode; C(ansible_check_mode) says so.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Keep room for 50 new people
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: individual
        unallocated_capacity: 500
  register: room

- name: Say what came of it
  ansible.builtin.debug:
    msg: "{{ room | huaweicloud.koodrive.summary(ansible_check_mode) }}"

- name: Read the pools and how much is stored in them
  huaweicloud.koodrive.koodrive_space_allocation_info:
    usage: true
  register: used

- name: Say what they hold
  ansible.builtin.debug:
    msg: "{{ used | huaweicloud.koodrive.summary }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
  sample: "Moved 400 GB to individual from department. Unallocated now: department 1,200 GB, individual 500 GB, group 0 GB."
"""


def summary(result: Any, check_mode: bool = False) -> str:
    """What ``result`` says in words. Raises AnsibleFilterError where it is not that of one task that moves or reads capacity, or of a failure."""
    if not isinstance(result, Mapping) or result.get("failed") or not isinstance(result.get("allocation"), Mapping):
        raise AnsibleFilterError(
            "huaweicloud.koodrive.summary takes the registered result of one task that moves capacity or reads the pools, without a loop, and that did not fail"
        )
    if "transfers" not in result:
        return _pools(result, "now") if result["allocation"] else "KooDrive reported no pool."
    return f"{_moved(result, check_mode)}{_earlier(result.get('earlier'))}. {_missing(result.get('missing'), check_mode)}" + _pools(
        result, "then" if check_mode and result["transfers"] else "now"
    )


def _moved(result: Mapping[str, Any], check_mode: bool) -> str:
    if not result["transfers"]:
        return "Nothing could be moved" if result.get("missing") else "Nothing was to be moved"
    # A row has an origin of its own where one result has several.
    by_origin = groupby(result["transfers"], key=lambda row: row.get("origin_type", result.get("origin_type")))
    return ("Would move " if check_mode else "Moved ") + ", and ".join(f"{_amounts(rows)} from {origin}" for origin, rows in by_origin)


def _amounts(rows: Iterable[Mapping[str, Any]]) -> str:
    return " and ".join(f"{_gigabytes(row['expand_capacity'])} GB to {row['type']}" for row in rows)


def _earlier(addition: Mapping[str, Any] | None) -> str:
    return f": this addition was made before, {addition['time']} (trace ID {addition['trace_id']})" if addition else ""


def _missing(missing: Mapping[str, int] | None, check_mode: bool) -> str:
    if not missing:
        return ""
    amounts = " and ".join(f"{_gigabytes(capacity)} GB in {name}" for name, capacity in missing.items())
    return f"{'Would still be missing' if check_mode else 'Still missing'}: {amounts}. "


def _pools(result: Mapping[str, Any], when: str) -> str:
    pools = result["allocation"]
    unallocated = ", ".join(f"{name} {_gigabytes(pool['unallocated_capacity'])} GB" for name, pool in pools.items())
    known = {name: pool for name, pool in pools.items() if "stored_capacity" in pool}
    stored = ", ".join(f"{name} {_gigabytes(pool['stored_capacity'])} of {_gigabytes(pool['allocated_capacity'])} GB" for name, pool in known.items())
    return f"Unallocated {when}: {unallocated}." + (f" Stored of what is allocated: {stored}." if stored else "")


def _gigabytes(capacity: Any) -> str:
    """Return a capacity with separators. Older releases of ansible-core make text of a number in a variable."""
    number = float(capacity)
    return f"{int(number):,}" if number.is_integer() else f"{number:,}"


class FilterModule:
    """What Ansible finds the filter by."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"summary": summary}
