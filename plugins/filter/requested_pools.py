# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import CAPACITIES, DEFAULT_STEP, MAX_CAPACITY, SPACE_TYPES, rounded_up
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.layout import MINIMUMS
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import is_blank_answer, whole_number

DOCUMENTATION = r"""
name: requested_pools
short_description: Turn the variables of a playbook into the pools of a task
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Each playbook takes pools in several ways, for example as single answers or as one list. This filter makes the list
    that a module takes. It also makes the checks that need the names of the playbook's variables.
  - A blank variable counts as not given. Blank is nothing, a text of white space only, and the text V(None), which
    older releases of ansible-core make of nothing.
  - A list may be a text in YAML or JSON. In such a text, a number means its digits. The filter refuses V(01000), which
    YAML reads as 512.
positional: _input, playbook
options:
  _input:
    description:
      - The variables of the playbook by their names, without the prefix C(koodrive_) or C(onboarding_capacity_).
    type: dict
    required: true
  playbook:
    description:
      - The playbook that has these variables.
    type: str
    choices: [transfer, balance, onboard]
    required: true
"""

EXAMPLES = r"""
- name: Move what the answers ask for
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target: "{{ (answers | huaweicloud.koodrive.requested_pools('transfer')).pools }}"
  vars:
    answers:
      origin_type: department
      target_type: group
      total_capacity: "2000"
      expand_capacity: ""
      target: ""
"""

RETURN = r"""
_value:
  description: The pools, and what is wrong with the variables.
  type: dict
  contains:
    pools:
      description:
        - The list that O(huaweicloud.koodrive.koodrive_space_transfer#module:target) or
          O(huaweicloud.koodrive.koodrive_space_allocation#module:pools) takes. Empty if there is a RV(_value.fault).
      type: list
      elements: dict
    fault:
      description: What is wrong, in sentences. Empty if nothing is wrong.
      type: str
  sample:
    pools:
      - type: group
        total_capacity: "2000"
    fault: ""
"""

BATCH = ("type", "count", "each")


class Fault(Exception):
    """What is wrong with the variables, in sentences."""


class TextLoader(yaml.SafeLoader):
    """A YAML loader that keeps every value except null as text. So a number means the same as in a variable."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def requested_pools(answers: Any, playbook: str) -> dict[str, Any]:
    """Return the pools that ``answers`` ask for, and what is wrong with them.

    Raise AnsibleFilterError if they are no dictionary.
    """
    if playbook not in PLAYBOOKS:
        raise AnsibleFilterError(f"huaweicloud.koodrive.requested_pools knows the playbooks {', '.join(PLAYBOOKS)}, not {playbook}")
    if not isinstance(answers, Mapping):
        raise AnsibleFilterError(f"huaweicloud.koodrive.requested_pools needs a dictionary of answers, not {type(answers).__name__}")
    answered = {name: value for name, value in answers.items() if not is_blank_answer(value)}
    try:
        return {"pools": PLAYBOOKS[playbook](answered), "fault": ""}
    except Fault as fault:
        return {"pools": [], "fault": str(fault)}


def _targets(answers: Mapping[str, Any]) -> list[Any]:
    listed = _rows(answers, "target", "koodrive_target")
    capacities = {measure: answers[measure] for measure in CAPACITIES if measure in answers}
    ways = _names("koodrive_", CAPACITIES, "or")
    if "origin_type" not in answers:
        raise Fault("koodrive_origin_type is missing. Give the pool that the capacity comes from.")
    if listed is not None and ("target_type" in answers or capacities):
        single = _names("koodrive_", [name for name in ("target_type", *CAPACITIES) if name in answers], "and")
        raise Fault(f"koodrive_target and {single} are both given. Give either the list or the single answers.")
    if listed is None:
        if "target_type" not in answers and not capacities:
            raise Fault(f"No target is given. Give koodrive_target_type with {ways}, or give koodrive_target for several pools.")
        if "target_type" not in answers:
            raise Fault(f"koodrive_target_type is missing. Give the pool that {_names('koodrive_', capacities, 'and')} is for.")
        if not capacities:
            raise Fault(f"No capacity is given for koodrive_target_type. Give {ways}.")
        if len(capacities) > 1:
            raise Fault(f"{_names('koodrive_', capacities, 'and')} are given together. Give only one of them.")
        listed = [{"type": answers["target_type"], **capacities}]
    additions = [row for row in listed if isinstance(row, Mapping) and not is_blank_answer(row.get("expand_capacity"))]
    # People launch a job again without a look, and a survey cannot make one answer depend on another.
    if _is_on(answers, "additions_need_a_key") and additions and "idempotency_key" not in answers:
        raise Fault(
            "koodrive_expand_capacity needs koodrive_idempotency_key here. Give koodrive_idempotency_key, such as an order number. Then each"
            " launch of the job after the first adds nothing. Or give koodrive_total_capacity or koodrive_unallocated_capacity instead."
        )
    return listed


def _minimums(answers: Mapping[str, Any]) -> list[Any]:
    listed = _rows(answers, "pools", "koodrive_pools")
    rest = answers.get("takes_rest")
    if rest is not None and str(rest) not in SPACE_TYPES:
        raise Fault(f"koodrive_takes_rest must be one of {', '.join(SPACE_TYPES)}, not {rest}.")
    single = [f"{name}_{measure}" for name in SPACE_TYPES for measure in MINIMUMS if f"{name}_{measure}" in answers] + ["takes_rest"] * (rest is not None)
    if listed is not None:
        if single:
            raise Fault(f"koodrive_pools and {_names('koodrive_', single, 'and')} are both given. Give either the list or the single answers.")
        return listed
    rows = [
        {
            "type": name,
            **{measure: answers[f"{name}_{measure}"] for measure in MINIMUMS if f"{name}_{measure}" in answers},
            **({"takes_rest": True} if name == rest else {}),
        }
        for name in SPACE_TYPES
    ]
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        raise Fault(
            "No pool is given. Give koodrive_pools, or the minimums of single pools, such as koodrive_department_unallocated_capacity or"
            " koodrive_group_total_capacity."
        )
    return rows


def _joiners(answers: Mapping[str, Any]) -> list[Any]:
    prefix = "onboarding_capacity_"
    origin, reserve = answers.get("origin_type"), _whole(answers.get("origin_reserve", 0), f"{prefix}origin_reserve", 0)
    step = _whole(answers.get("capacity_step", DEFAULT_STEP), "koodrive_capacity_step", 1)
    if origin is not None and str(origin) not in SPACE_TYPES:
        raise Fault(f"{prefix}origin_type must be one of {', '.join(SPACE_TYPES)}, not {origin}.")
    room = dict.fromkeys(SPACE_TYPES, 0)
    for name, gigabytes in [*_single_batches(answers), *_listed_batches(answers)]:
        room[name] += gigabytes
    coming = {name: gigabytes for name, gigabytes in room.items() if gigabytes}
    if not coming:
        counts = _names(prefix, [f"{name}_count" for name in SPACE_TYPES], "and")
        raise Fault(f"There are no joiners: {counts} are all 0 or not given, and {prefix}batches is empty. Give a count.")
    if origin in coming:
        raise Fault(f"{prefix}origin_type is {origin}, and some joiners are of this type. A pool cannot give capacity to itself. Give another origin.")
    too_much = [name for name, gigabytes in coming.items() if gigabytes > MAX_CAPACITY]
    if too_much:
        raise Fault(f"The joiners of the type {too_much[0]} need {coming[too_much[0]]:,} GB. A pool can have at most {MAX_CAPACITY:,} GB.")
    if "reference" in answers:
        if origin is None:
            raise Fault(f"{prefix}reference needs {prefix}origin_type. Give the pool that the capacity comes from.")
        return [{"type": name, "expand_capacity": rounded_up(gigabytes, step)} for name, gigabytes in coming.items()]
    wanted: list[dict[str, Any]] = [{"type": name, "unallocated_capacity": gigabytes} for name, gigabytes in coming.items()]
    if origin is not None:
        return wanted
    # A pool that gets joiners keeps what it has. The other pools give down to the reserve.
    others = [{"type": name, "unallocated_capacity": reserve, "receives": False} for name in SPACE_TYPES if name not in coming]
    return [{**row, "gives": False} for row in wanted] + others


def _single_batches(answers: Mapping[str, Any]) -> list[tuple[str, int]]:
    batches = []
    for name in SPACE_TYPES:
        count, each = f"onboarding_capacity_{name}_count", f"onboarding_capacity_{name}_each"
        many = _whole(answers.get(f"{name}_count", 0), count, 0)
        if f"{name}_each" in answers:
            batches.append((name, many * _whole(answers[f"{name}_each"], each, 1 if many else 0)))
        elif many:
            raise Fault(f"{each} is not given, and {count} is {many}. Give whole GB, 1 or more.")
    return batches


def _listed_batches(answers: Mapping[str, Any]) -> list[tuple[str, int]]:
    variable = "onboarding_capacity_batches"
    batches = []
    for number, row in enumerate(_rows(answers, "batches", variable) or [], 1):
        entry = f"{variable}, entry {number}"
        if not isinstance(row, Mapping):
            raise Fault(f"{entry}, must have type, count and each, such as {{type: individual, count: 50, each: 10}}, not {_shown(row)}.")
        for name in row:
            if name not in BATCH:
                meant = get_close_matches(str(name), BATCH, 1)
                raise Fault(f"{entry}, has {name}, which is unknown.{f' Did you mean {meant[0]}?' if meant else ''} Give type, count and each.")
        missing = [name for name in BATCH if is_blank_answer(row.get(name))]
        if missing:
            raise Fault(f"{entry}, lacks {_names('', missing, 'and')}. Give type, count and each.")
        kind = str(row["type"]).strip()
        if kind not in SPACE_TYPES:
            raise Fault(f"The type of {entry}, must be one of {', '.join(SPACE_TYPES)}, not {kind}.")
        many = _whole(row["count"], f"The count of {entry},", 0)
        batches.append((kind, many * _whole(row["each"], f"each of {entry},", 1 if many else 0)))
    return batches


def _rows(answers: Mapping[str, Any], name: str, variable: str) -> list[Any] | None:
    """Return the list that an answer holds, as a list or as text; None if it is empty."""
    rows = answers.get(name)
    if isinstance(rows, str):
        try:
            # Ansible's texts are a subclass of str, which the parser does not accept.
            rows = yaml.load(str(rows), Loader=TextLoader)
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise Fault(f"{variable} is not valid YAML or JSON: {getattr(error, 'problem', None) or 'it cannot be read'}{where}. Correct it.") from None
    if rows is None or rows in ([], {}):
        return None
    if not isinstance(rows, list):
        shape = "It is one entry: write it in brackets, as a list." if isinstance(rows, Mapping) else f"It is {_shown(rows)}."
        raise Fault(f"{variable} must be a list, also for one entry. {shape}")
    return rows


def _whole(value: Any, variable: str, lowest: int) -> int:
    number = None if isinstance(value, bool) else whole_number(value)
    if number is None or number < lowest:
        raise Fault(f"{variable} must be a whole number, {lowest} or more, without unit or separator, not {_shown(value)}.")
    return number


def _is_on(answers: Mapping[str, Any], name: str) -> bool:
    """Return whether a switch is on. A switch without an answer is off."""
    try:
        return bool(boolean(answers.get(name, False)))
    except TypeError:
        raise Fault(f"koodrive_{name} must be true or false, not {_shown(answers[name])}.") from None


def _shown(value: Any) -> str:
    """Return the beginning of a wrong value, for a message."""
    return str(value)[:40]


def _names(prefix: str, names: Any, joint: str) -> str:
    *first, last = [prefix + name for name in names]
    return f"{', '.join(first)} {joint} {last}" if first else last


PLAYBOOKS: dict[str, Callable[[Mapping[str, Any]], list[Any]]] = {"transfer": _targets, "balance": _minimums, "onboard": _joiners}


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"requested_pools": requested_pools}
