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
short_description: Summarise a result in one line
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - For a task that moves capacity, the line says what moved, from which pool to which, and what is unallocated in each
    pool after that. In check mode, it says what would move. If an addition was made before, it says when. If capacity
    is still missing, it says how much.
  - For a task that reads the pools, the line says what is unallocated in each pool, and how much is stored if the
    result has that.
positional: _input
options:
  _input:
    description:
      - The registered result of one task, without a loop. The module is
        M(huaweicloud.koodrive.koodrive_space_transfer), M(huaweicloud.koodrive.koodrive_space_allocation) or
        M(huaweicloud.koodrive.koodrive_space_allocation_info).
      - The task must have succeeded.
    type: dict
    required: true
  check_mode:
    description:
      - Whether the task ran in check mode. Pass C(ansible_check_mode).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Keep 500 GB for new people
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: individual
        unallocated_capacity: 500
  register: moved

- name: Say what moved
  ansible.builtin.debug:
    msg: "{{ moved | huaweicloud.koodrive.summary(ansible_check_mode) }}"

- name: Read the pools and how much is stored in them
  huaweicloud.koodrive.koodrive_space_allocation_info:
    usage: true
  register: used

- name: Say what is unallocated and stored
  ansible.builtin.debug:
    msg: "{{ used | huaweicloud.koodrive.summary }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
  sample: "Moved 400 GB to individual from department. Unallocated now: department 1,200 GB, individual 500 GB."
"""


def summary(result: Any, check_mode: bool = False) -> str:
    """Return ``result`` as a line.

    Raise AnsibleFilterError if it is no result of one successful task that moves or reads capacity.
    """
    if not isinstance(result, Mapping) or "error" in result or not isinstance(result.get("allocation"), Mapping):
        raise AnsibleFilterError(
            "huaweicloud.koodrive.summary needs the registered result of one successful task that moves capacity or reads the pools, without a loop"
        )
    if "transfers" not in result:
        return _pools(result, "now") if result["allocation"] else "KooDrive reported no pool."
    return f"{_moved(result, check_mode)}{_earlier(result.get('earlier'))}. {_missing(result.get('missing'), check_mode)}" + _pools(
        result, "then" if check_mode and result["transfers"] else "now"
    )


def _moved(result: Mapping[str, Any], check_mode: bool) -> str:
    if not result["transfers"]:
        return "Nothing could be moved" if result.get("missing") else "Nothing was to be moved"
    # If a result has several origins, each row names its own.
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
    """Return a capacity with separators. In older releases of ansible-core, a number in a variable is text."""
    number = float(capacity)
    return f"{int(number):,}" if number.is_integer() else f"{number:,}"


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"summary": summary}
