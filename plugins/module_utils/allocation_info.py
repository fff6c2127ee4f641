"""What a tenant's pools hold, from a task's options to its result. Knows nothing of AnsibleModule."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.account import Account
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import as_result, sums
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import connection_from


def allocation_info(
    options: Mapping[str, Any],
    _check_mode: bool,
    environ: Mapping[str, str] | None = None,
    called_off: threading.Event | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    """Read the pools [GetSpaceAllocation]; the module's documentation describes options and result, also the one of a failure.

    Check mode makes no difference. Once another thread sets ``called_off``, the request under way is the last one. Raises KooDriveError
    ``invalid_request``, before anything is sent.
    """
    connection = connection_from(options, environ)
    account = Account(connection.endpoint, connection.trace_id)
    try:
        with connection.client(account.warnings, called_off, is_wanted) as koodrive:
            pools = koodrive.read_pools("Reading the pools")
    except KooDriveError as error:
        return account.failure(error)
    return account.result({"changed": False, "allocation": as_result(pools), **sums(pools)})
