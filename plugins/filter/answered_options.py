# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

DOCUMENTATION = r"""
name: answered_options
short_description: Which options of a role a survey has answered
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - Leaves of the options in a role's argument spec those that were given, for C(ansible.builtin.validate_argument_spec) to check.
    That module would refuse a blank answer as being of a wrong type.
positional: _input, given
options:
  _input:
    description:
      - The options of an entry point, as C(meta/argument_specs.yml) has them.
    type: dict
    required: true
  given:
    description:
      - The answers that are given, by the names of the options without O(prefix); see P(huaweicloud.koodrive.given#filter).
    type: dict
    required: true
  prefix:
    description:
      - What all names of the role's options begin with.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Check the answers of a survey
  ansible.builtin.validate_argument_spec:
    argument_spec: "{{ options | huaweicloud.koodrive.answered_options(answers | huaweicloud.koodrive.given, 'rooms_') }}"
  vars:
    rooms_count: "50"
    rooms_each: ""
    answers:
      count: "{{ rooms_count }}"
      each: "{{ rooms_each }}"
    options:
      rooms_count:
        type: int
      rooms_each:
        type: int
"""

RETURN = r"""
_value:
  description: The options that were answered, by their names.
  type: dict
  sample:
    rooms_count:
      type: int
"""


def answered_options(options: Mapping[str, Any], given: Collection[str], prefix: str = "") -> dict[str, Any]:
    """Of ``options``, those whose names without ``prefix`` are in ``given``."""
    return {name: option for name, option in options.items() if name in {f"{prefix}{answer}" for answer in given}}


class FilterModule:
    """What Ansible finds the filter by."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"answered_options": answered_options}
