# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant's pools hold, from a task's options to its result. Knows nothing of AnsibleModule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import as_result, sums
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import connection_from


def allocation_info(options: Mapping[str, Any], _check_mode: bool, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read the pools [GetSpaceAllocation]; the module's documentation describes options and result.

    Check mode makes no difference. Raises KooDriveError, of every kind that a reading can end with.
    """
    connection = connection_from(options, environ)
    with connection.session() as (koodrive, known):
        allocation = koodrive.read_allocation("Reading the pools")
        return {**known, "changed": False, "allocation": as_result(allocation), **sums(allocation)}
