# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a module's work into the result of a task. Both paths use this: Ansible's own process, and a module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: The argument that the action plugin adds for a module on this machine: the process IDs of Ansible's worker and of
#: ansible-playbook, and when the task ends.
CALLER = "_koodrive_caller"


class Work(Protocol):
    """The work of a module, from options with defaults to a result or a failure.

    It raises KooDriveError for options that it refuses.
    """

    def __call__(self, options: Mapping[str, Any], check_mode: bool, /, *, caller: Caller) -> dict[str, Any]:
        """Return the result. If ``caller`` no longer waits, send no transfer."""


def outcome_of(work: Work, options: Mapping[str, Any], check_mode: bool, caller: Caller = NOBODY) -> dict[str, Any]:
    """Return the result of the task, with ``failed`` if it failed, and always with ``warnings``."""
    try:
        return work(options, check_mode, caller=caller)
    except KooDriveError as error:
        return error.as_result()


def refusal_of(faults: Sequence[str], spec: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the result of a task whose options have these ``faults``, by Ansible's own checks of ``spec``.

    ``prefix`` goes before the message.
    """
    from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.validation import message_of

    message = message_of(faults, spec, prefix)
    return {"failed": True, "msg": message, "error": KooDriveError("invalid_request", message).as_result()["error"]}
