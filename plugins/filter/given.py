# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import is_blank_answer

DOCUMENTATION = r"""
name: given
short_description: The answers of a survey that were given
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Leaves out of a dictionary of answers those that are blank. It is what the roles and playbooks of this collection mean by blank.
  - A value is blank that is none, or a text with nothing but white space in it. The text V(None) counts as none, since older releases of
    ansible-core make it of none.
  - Every other value stays as it is, V(0), V(false) and what is empty but no text among them.
positional: _input
options:
  _input:
    description:
      - The answers by their names.
    type: dict
    required: true
"""

EXAMPLES = r"""
# A survey hands on the text that somebody typed, and an empty one where nobody did.

- name: Hand on what was answered, and leave the rest to the module
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    origin_reserve: "{{ answers.reserve | default(omit) }}"
    target:
      - type: group
        total_capacity: "{{ answers.total | default(2000) }}"
  vars:
    answers: "{{ {'reserve': reserve | default(''), 'total': total | default('')} | huaweicloud.koodrive.given }}"
"""

RETURN = r"""
_value:
  description: The answers that are not blank, by their names.
  type: dict
  sample:
    origin_type: department
    total_capacity: "600"
"""


def given(answers: Any, to: str = "given") -> dict[str, Any]:
    """Of ``answers`` by their names, those that are not blank. Raises AnsibleFilterError for anything but a dictionary, in the name of the
    filter that they are given ``to``.
    """
    if not isinstance(answers, Mapping):
        raise AnsibleFilterError(f"huaweicloud.koodrive.{to} takes a dictionary of answers, not {type(answers).__name__}")
    return {name: value for name, value in answers.items() if not is_blank_answer(value)}


class FilterModule:
    """What Ansible finds the filter by."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"given": given}
