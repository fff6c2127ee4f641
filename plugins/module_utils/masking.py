# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making secrets known to Ansible, for it to mask them wherever it shows something."""

from __future__ import annotations

from collections.abc import Iterable

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # ansible-core < 2.22

    def register_secrets(values: Iterable[str], /) -> None:
        """Nothing: what is not masked in a result is shown."""


__all__ = ["register_secrets"]
