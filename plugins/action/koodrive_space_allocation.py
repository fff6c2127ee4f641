# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of this name in Ansible's own process, if possible."""

from __future__ import annotations

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC, allocate_capacity
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    argument_spec = ALLOCATION_SPEC
    work = staticmethod(allocate_capacity)


def main() -> None:
    """Run the module, for tools that look for its options in this file, as ansible-lint does."""
    from ansible_collections.huaweicloud.koodrive.plugins.modules.koodrive_space_allocation import main as module_main

    module_main()
