# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module: validate the options, do the work, return its result or its error."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import REQUESTS_IMPORT_ERROR, load_bundle, without_requests
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import prepared
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import registered_secrets
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import CALLER, Work, outcome_of, refusal_of

# A module imports this file first. The CA bundle loads while Python compiles the other files.
load_bundle()


class KooDriveModule(AnsibleModule):
    """An AnsibleModule whose validation errors have an ``error`` too, and whose output has no secrets."""

    params: dict[str, Any]
    caller: tuple[int, int, float | None] | None

    def _load_params(self) -> None:
        """Prepare the options and register their secrets, before Ansible checks, logs or shows them."""
        super()._load_params()
        self.caller = self.params.pop(CALLER, None)
        self.no_log_values.update(registered_secrets(self.argument_spec, self.params))
        self.params = prepared(self.argument_spec, self.params)

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        faults = self.validation_result.error_messages
        refusal = {"msg": msg} if "error" in kwargs else refusal_of(faults if msg in faults else [msg], self.argument_spec)
        super().fail_json(**{**refusal, **kwargs})


def _end_with_the_task() -> None:
    """End this process when Ansible no longer reads its output.

    When a task exceeds its keyword ``timeout``, the task fails, but Ansible does not stop the module.
    """
    output = select.poll()
    try:
        # No event is requested, since poll always reports the end of the other side.
        output.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError, ValueError):
        return  # The output is not a file, for example with Mitogen.

    def wait_for_the_end() -> None:
        if any(event & (select.POLLERR | select.POLLHUP) for _output, event in output.poll()):
            os._exit(1)

    threading.Thread(target=wait_for_the_end, daemon=True).start()


def _parent_of(process: int) -> int | None:
    """Return the ID of the parent. None if there is no such process, or if this user cannot see it."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _caller(worker: int, playbook: int, end: float | None) -> Caller:
    """Return the caller of this module. It waits while ``worker`` is the child of ``playbook``, until ``end``, by the
    monotonic clock.

    If a playbook is killed, its workers get another parent, and end later. A system may hide the processes of other
    users, the first one among them. There, a module whose worker is hidden cannot watch it.
    """
    is_hidden = _parent_of(worker) is None and _parent_of(1) is None
    return Caller(lambda: (is_hidden or _parent_of(worker) == playbook) and (end is None or time.monotonic() < end))


def run_module(argument_spec: Mapping[str, Any], work: Work) -> None:
    """Do ``work`` with the task's options, and end the process with its result."""
    module = KooDriveModule(argument_spec=dict(argument_spec), supports_check_mode=True)
    _end_with_the_task()
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(without_requests(missing_required_lib("requests")), exception=REQUESTS_IMPORT_ERROR)
    caller = NOBODY if module.caller is None else _caller(*module.caller)
    outcome = outcome_of(work, module.params, module.check_mode, caller)
    for warning in outcome.pop("warnings"):
        module.warn(warning)
    end = module.fail_json if outcome.get("failed") else module.exit_json
    end(**outcome)
