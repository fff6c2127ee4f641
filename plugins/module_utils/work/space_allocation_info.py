"""Read a tenant's pools: from a task's options to its result. Does not know AnsibleModule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Allocation, as_result, sums
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import CONNECTION_SPEC, connection_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.run_report import RunReport

ALLOCATION_INFO_SPEC: dict[str, Any] = {
    "usage": {"type": "bool", "default": False},
    **CONNECTION_SPEC,
}


def allocation_info(options: Mapping[str, Any], _check_mode: bool, environ: Mapping[str, str] | None = None, caller: Caller = NOBODY) -> dict[str, Any]:
    """Read the pools [GetSpaceAllocation], and return the result of the task, also if it fails.

    The module's documentation describes options and result. Raises KooDriveError ``invalid_request`` before anything is
    sent.
    """
    connection = connection_from(options, environ)
    report = RunReport(connection.endpoint, connection.trace_id)
    try:
        with KooDrive(connection, report.warnings, caller) as koodrive:
            pools = koodrive.read_pools("Reading the pools")
            stored = _stored(koodrive, pools, report.warnings) if options["usage"] else {}
    except KooDriveError as error:
        return report.failure(error)
    allocation = {name: {**pool, **stored.get(name, {})} for name, pool in as_result(pools).items()}
    # Without one of the pools, the sum would be too small.
    whole = {"stored_capacity": round(sum(row["stored_capacity"] for row in stored.values()), 3)} if stored and stored.keys() == pools.keys() else {}
    return report.result({"changed": False, "allocation": allocation, **sums(pools), **whole})


def _stored(koodrive: KooDrive, pools: Allocation, warnings: list[str]) -> dict[str, dict[str, float]]:
    """Return the stored data of ``pools`` as results show it. Warn of what KooDrive does not report, and leave it
    out.
    """
    try:
        known = koodrive.stored("Reading the usage")
    except KooDriveError as error:
        warnings.append(f"How much is stored is not known: {error.what}. The result has no stored_capacity.")
        return {}
    missing = [name for name in pools if name not in known]
    if missing:
        warnings.append(f"KooDrive did not report how much is stored in: {', '.join(missing)}. The result has no stored_capacity for them, and no sum.")
    return {name: {"stored_capacity": known[name]} for name in pools if name in known}
