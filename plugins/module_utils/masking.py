# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: made known to Ansible, for it to mask them wherever it shows something, and masked by us where it does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # ansible-core < 2.22

    def register_secrets(values: Iterable[str], /) -> None:
        """Nothing: what is not masked in a result is shown."""


__all__ = ["masked", "register_secrets"]


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """The value with each of the secrets masked, the longest first, as Ansible itself masks them in the result of a module."""
    return _masked(value, sorted(secrets, key=len, reverse=True))


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item, secrets) for item in value]
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return value
    found = [secret for secret in secrets if secret in str(value)]
    if not found:
        return value
    if not isinstance(value, str) or value in found:
        return "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    for secret in found:
        value = value.replace(secret, "********")
    return value
