# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.huaweicloud.koodrive.plugins.filter.given import given
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import CAPACITIES

DOCUMENTATION = r"""
name: transfer_targets
short_description: Which pools shall receive, by the answers of a survey
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Makes of the answers of a survey what O(huaweicloud.koodrive.koodrive_space_transfer#module:target) takes. A survey asks either for one
    pool and one capacity, or for all of them in one text.
  - An answer that is blank, as P(huaweicloud.koodrive.given#filter) means it, counts as not given.
positional: _input
options:
  _input:
    description:
      - The answers by their names. V(target_type) is one pool that receives, and V(total_capacity), V(unallocated_capacity) or
        V(expand_capacity) how much, as in O(huaweicloud.koodrive.koodrive_space_transfer#module:target). V(target) is the whole list, or
        its text in YAML or JSON.
      - Other answers may be among them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Move what was asked for, in one way or the other
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target: "{{ answers | huaweicloud.koodrive.transfer_targets }}"
  vars:
    answers:
      target_type: group
      total_capacity: "2000"
      expand_capacity: ""
      target: ""
"""

RETURN = r"""
_value:
  description:
    - The pools that receive.
    - Nothing where the answers name neither one pool with one capacity nor a list, or both.
  type: list
  elements: dict
  sample:
    - type: group
      total_capacity: "2000"
"""


def transfer_targets(answers: Any) -> list[Any]:
    """The targets that ``answers`` ask for, none where they do not ask in one way alone. Raises AnsibleFilterError for anything but a
    dictionary, and the error of YAML for a text that is none.
    """
    answered = given(answers, "transfer_targets")
    listed = parsed(answered.get("target")) or []
    capacities = {measure: answered[measure] for measure in CAPACITIES if measure in answered}
    if "target_type" in answered:
        return [{"type": answered["target_type"], **capacities}] if listed == [] and len(capacities) == 1 else []
    return listed if isinstance(listed, list) and not capacities else []


def parsed(answer: Any) -> Any:
    """The list that ``answer`` is, or is the text of. Raises the error of YAML for a text that is none."""
    # Ansible's texts are of a class of their own, which the parser does not take.
    return yaml_load(str(answer)) if isinstance(answer, str) else answer


class FilterModule:
    """What Ansible finds the filter by."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"transfer_targets": transfer_targets}
