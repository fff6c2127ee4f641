# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import CAPACITIES, SPACE_TYPES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.layout import MINIMUMS
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import CONNECTION_SPEC, ENVIRONMENT, LEDGER_SPEC

DOCUMENTATION = r"""
name: unknown_variables
short_description: Find misspelled variables of the playbooks and roles
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Finds variables that begin with C(koodrive_), C(onboarding_capacity_) or C(capacity_report_), but that no playbook,
    role or rulebook of this collection reads. Ansible ignores such a variable, and capacity moves in another way than
    you asked for.
  - Each playbook accepts the variables of all playbooks, because an inventory or a workflow may set them for several.
  - The filter ignores names with two underscores after the prefix. They are internal.
positional: _input
options:
  _input:
    description:
      - The names of variables, for example from the lookup C(ansible.builtin.varnames).
    type: list
    elements: str
    required: true
  connection:
    description:
      - Whether to accept the names of connection options, such as C(koodrive_token). The playbooks do not read them, so
        they refuse them. A play of your own may use them in C(module_defaults).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Refuse misspelled variables
  ansible.builtin.assert:
    that: "koodrive__fault == ''"
    fail_msg: "{{ koodrive__fault }}"
    quiet: true
  vars:
    koodrive__fault: "{{ q('ansible.builtin.varnames', '^koodrive_') | huaweicloud.koodrive.unknown_variables }}"
"""

RETURN = r"""
_value:
  description: Sentences about the unknown variables. Empty if there are none.
  type: str
  sample: "There is no variable onboarding_capacity_origin_resrve. Did you mean onboarding_capacity_origin_reserve?"
"""

PREFIXES = ("koodrive_", "onboarding_capacity_", "capacity_report_")
#: The variables of the playbooks transfer and balance. The roles and rulebooks use some of them.
OF_PLAYBOOKS = (
    "origin_type",
    "origin_reserve",
    "target",
    "target_type",
    *CAPACITIES,
    "idempotency_key",
    "additions_need_a_key",
    "pools",
    "takes_rest",
    "partial",
    "capacity_step",
    "settle_time",
    *(f"{name}_{measure}" for name in SPACE_TYPES for measure in MINIMUMS),
)
OF_RULEBOOKS = ("interval", "heartbeat", "job_template", "organization", *(f"{name}_threshold" for name in (*SPACE_TYPES, "all")))
#: Results that tasks register or pass on, and the switch that every task reads.
OTHERS = ("koodrive_result", "onboarding_capacity_result", "koodrive_in_process")
ROLES = Path(__file__).parent.parent.parent / "roles"
CONNECTION = {f"koodrive_{name}": ENVIRONMENT.get(name) for name in (*CONNECTION_SPEC, *LEDGER_SPEC)}


@lru_cache(maxsize=1)
def known_variables() -> frozenset[str]:
    """Return the names of all variables that users can set, and of the results."""
    of_roles = [
        name
        for role in ROLES.glob("*/meta/argument_specs.yml")
        for name in yaml.safe_load(role.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    ]
    return frozenset((*(f"koodrive_{name}" for name in (*OF_PLAYBOOKS, *OF_RULEBOOKS)), *of_roles, *OTHERS))


def unknown_variables(names: Iterable[Any], connection: bool = True) -> str:
    """Return sentences about those ``names`` that begin like a variable of the collection and are none."""
    known = known_variables() | (set(CONNECTION) if connection else set())
    unknown = sorted({str(name) for name in names if str(name).startswith(PREFIXES)} - known)
    return " ".join(_sentence(name, known) for name in unknown if not _is_internal(name))


def _is_internal(name: str) -> bool:
    return any(name.startswith(f"{prefix}_") for prefix in PREFIXES)


def _sentence(name: str, known: Iterable[str]) -> str:
    start = f"There is no variable {name}."
    if name in CONNECTION:
        variable = CONNECTION[name]
        return f"{start} {f'Set {variable} in the environment.' if variable else 'The playbooks use the default of this option.'}"
    meant = _meant(name, known)
    return f"{start} {f'Did you mean {meant}?' if meant else 'This beginning is reserved for variables of huaweicloud.koodrive. Rename the variable.'}"


def _meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``name`` most probably stands for. The words after the prefix decide."""
    prefix, word = _split(name)
    words = sorted((other != prefix, rest, other + rest) for other, rest in map(_split, known))
    exact = next((full for _differs, rest, full in words if rest == word), None)
    if exact:
        return exact
    for of_others in (False, True):
        close = get_close_matches(word, [rest for differs, rest, _full in words if differs == of_others], 1)
        if close:
            return next(full for differs, rest, full in words if rest == close[0] and differs == of_others)
    return next((full for _differs, rest, full in words if rest.endswith(f"_{word}")), None)


def _split(name: str) -> tuple[str, str]:
    prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
    return prefix, name[len(prefix) :]


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unknown_variables": unknown_variables}
