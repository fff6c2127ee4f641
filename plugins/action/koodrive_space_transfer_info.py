# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of this name in Ansible's own process, if possible."""

from __future__ import annotations

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer_info import TRANSFER_INFO_SPEC, transfer_info
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    argument_spec = TRANSFER_INFO_SPEC
    work = staticmethod(transfer_info)


def main() -> None:
    """Run the module, for tools that look for its options in this file, as ansible-lint does."""
    from ansible_collections.huaweicloud.koodrive.plugins.modules.koodrive_space_transfer_info import main as module_main

    module_main()
