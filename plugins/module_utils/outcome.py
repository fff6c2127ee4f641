# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's work to what a task returns, the same on both paths: in Ansible's own process, and as a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.arguments import in_plain_words, telling, unknown_options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: What the action plugin adds to a module's arguments on this machine: the process IDs of Ansible's worker and of ansible-playbook.
PARENTS = "_koodrive_parents"
#: Says whether anybody still waits for the task.
IsWanted = Callable[[], bool]


class Work(Protocol):
    """The work of a module: from options, with defaults, to a result or a failure. It may raise KooDriveError for options that it refuses."""

    def __call__(self, options: Mapping[str, Any], check_mode: bool, /, *, is_wanted: IsWanted) -> dict[str, Any]:
        """Return the result. Once ``is_wanted`` returns False, no transfer is sent."""


def outcome_of(work: Work, options: Mapping[str, Any], check_mode: bool, is_wanted: IsWanted = lambda: True) -> dict[str, Any]:
    """What the task returns: the result, or one with ``failed``; always with ``warnings``."""
    try:
        return work(options, check_mode, is_wanted=is_wanted)
    except KooDriveError as error:
        return error.as_result()


def refusal_of(faults: Sequence[str], spec: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return what the task returns if Ansible's own checks by ``spec`` found these ``faults``; ``prefix`` goes before the message."""
    unknown = unknown_options(faults, spec)
    # Ansible has this beginning only on one of the two paths, and only if no other error comes first.
    if unknown and not prefix and not unknown.startswith("Unsupported"):
        prefix = "Unsupported parameters: "
    message = prefix + (unknown or in_plain_words(telling(faults, spec)))
    return {"failed": True, "msg": message, "error": KooDriveError("invalid_request", message).as_result()["error"]}
