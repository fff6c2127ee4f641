# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's work to what a task returns, the same on both paths: in Ansible's own process, and as a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.arguments import in_plain_words, telling, unknown_options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: What a module does: of the options that are given and defaulted, and whether it is in check mode, a result or a failure.
#: It may raise KooDriveError for options that it refuses.
Work = Callable[[Mapping[str, Any], bool], "dict[str, Any]"]


def outcome_of(work: Work, options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """What the task returns: the result, or one with ``failed``; always with ``warnings``."""
    try:
        return work(options, check_mode)
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
