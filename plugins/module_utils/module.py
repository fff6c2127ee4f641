# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the main() of every module does: validate, do the work, hand on its result or its error."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.arguments import readable, telling
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import secrets_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.wire import REQUESTS_IMPORT_ERROR


class KooDriveModule(AnsibleModule):
    """An AnsibleModule that gives an ``error`` to what Ansible itself finds wrong with the options, too, and no secret away."""

    def _load_params(self) -> None:
        """Take the options in before Ansible checks them, logs them, or shows them in a failure."""
        super()._load_params()
        self.no_log_values.update(secrets_of(self.argument_spec, self.params, os.environ))
        self.params = readable(self.argument_spec, self.params)

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        faults = self.validation_result.error_messages
        if faults and msg == faults[0]:
            msg = telling(faults, self.argument_spec)
        kwargs.setdefault("error", KooDriveError("invalid_request", msg).as_result()["error"])
        super().fail_json(msg, **kwargs)


def _end_with_the_task() -> None:
    """End this process as soon as nobody reads its output: a task that has run into its keyword ``timeout`` has failed, and Ansible
    leaves its module alone.
    """
    output = select.poll()
    # Nothing to wait for but the end of the other side, which is always told.
    output.register(sys.stdout.fileno(), 0)

    def wait_for_the_end() -> None:
        if any(event & (select.POLLERR | select.POLLHUP) for _output, event in output.poll()):
            os._exit(1)

    threading.Thread(target=wait_for_the_end, daemon=True).start()


def run_module(argument_spec: Mapping[str, Any], work: Callable[[Mapping[str, Any], bool], dict[str, Any]]) -> None:
    """Run ``work`` on the task's options, and whether it is in check mode, as a module does; ``work`` may raise KooDriveError."""
    _end_with_the_task()
    module = KooDriveModule(argument_spec=dict(argument_spec), supports_check_mode=True)
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    try:
        result, end = work(module.params, module.check_mode), module.exit_json
    except KooDriveError as error:
        result, end = error.as_result(), module.fail_json
    for warning in result.pop("warnings"):
        module.warn(warning)
    end(**result)
