# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.filter.given import given
from ansible_collections.huaweicloud.koodrive.plugins.filter.transfer_targets import parsed
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import SPACE_TYPES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.layout import MINIMUMS

DOCUMENTATION = r"""
name: layout_pools
short_description: What the pools shall have at least, by the answers of a survey
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Makes of the answers of a survey what O(huaweicloud.koodrive.koodrive_space_allocation#module:pools) takes. A survey asks either for the
    capacities of each pool, or for all of them in one text.
  - An answer that is blank, as P(huaweicloud.koodrive.given#filter) means it, counts as not given. A pool without an answer is not named.
positional: _input
options:
  _input:
    description:
      - The answers by their names. For each type of pool, V(department_total_capacity), V(department_unallocated_capacity) and so
        on are what it shall have at least, as in O(huaweicloud.koodrive.koodrive_space_allocation#module:pools). V(pools) is the whole list, or
        its text in YAML or JSON.
      - Other answers may be among them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Have the room that was asked for, in one way or the other
  huaweicloud.koodrive.koodrive_space_allocation:
    pools: "{{ answers | huaweicloud.koodrive.layout_pools }}"
  vars:
    answers:
      department_total_capacity: ""
      department_unallocated_capacity: "200"
      individual_unallocated_capacity: "500"
      pools: ""
"""

RETURN = r"""
_value:
  description:
    - What the pools shall have at least.
    - Nothing where the answers have neither the capacity of a pool nor a list, or both.
  type: list
  elements: dict
  sample:
    - type: department
      unallocated_capacity: "200"
    - type: individual
      unallocated_capacity: "500"
"""


def layout_pools(answers: Any) -> list[Any]:
    """The pools that ``answers`` ask for, none where they do not ask in one way alone. Raises AnsibleFilterError for anything but a
    dictionary, and the error of YAML for a text that is none.
    """
    answered = given(answers, "layout_pools")
    listed = parsed(answered.get("pools")) or []
    minimums = {name: {least: answered[f"{name}_{least}"] for least in MINIMUMS if f"{name}_{least}" in answered} for name in SPACE_TYPES}
    asked = [{"type": name, **capacities} for name, capacities in minimums.items() if capacities]
    if asked:
        return asked if listed == [] else []
    return listed if isinstance(listed, list) else []


class FilterModule:
    """What Ansible finds the filter by."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"layout_pools": layout_pools}
