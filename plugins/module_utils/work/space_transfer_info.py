# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List a tenant's transfers in the ledger: from a task's options to its result. Does not know AnsibleModule."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import Connection, KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import REFUSED
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import STATES, Record, unnamed_tenant
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import as_result, as_rows
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import (
    CONNECTION_SPEC,
    LEDGER_SPEC,
    LedgerChoice,
    connection_from,
    in_range,
    ledger_from,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.run_report import RunReport
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.tenant_ledger import tenant_of

TRANSFER_INFO_SPEC: dict[str, Any] = {
    "state": {"type": "list", "elements": "str", "choices": list(STATES), "default": list(STATES)},
    "since": {"type": "str"},
    "limit": {"type": "int", "default": 50},
    **LEDGER_SPEC,
    **CONNECTION_SPEC,
}
MAX_LIMIT = 10000
#: A date, or a time in ISO 8601 as programs and people write it; YAML and Python put a blank between date and time.
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,]\d+)?(?: ?(Z|UTC|[+-]\d\d(?::?\d\d)?))?)?", re.ASCII | re.IGNORECASE)


class Query(NamedTuple):
    """Which records a task asks for, checked. ``since`` is in seconds since 1970."""

    states: tuple[str, ...]
    since: float
    limit: int


def transfer_info(options: Mapping[str, Any], _check_mode: bool, environ: Mapping[str, str] | None = None, caller: Caller = NOBODY) -> dict[str, Any]:
    """List the transfers that ``options`` ask for, and return the result of the task, also if it fails.

    The module's documentation describes options and result. Raises KooDriveError ``invalid_request`` before anything is
    sent.
    """
    query = query_from(options)
    connection, ledger = connection_from(options, environ), ledger_from(options, environ)
    report = RunReport(connection.endpoint, connection.trace_id)
    try:
        with KooDrive(connection, report.warnings, caller) as koodrive, store_of(ledger.path, read_only=True) as store:
            tenant = _tenant(connection, ledger, koodrive, store)
            records = store.transfers(tenant, *query)
            total, latest = store.count(tenant), store.newest(tenant)
    except KooDriveError as error:
        return report.failure(error)
    return report.result(
        {
            "changed": False,
            "tenant": tenant,
            "transfers": [as_transfer(record) for record in records],
            "total": total,
            "latest": as_transfer(latest) if latest is not None else None,
        }
    )


def query_from(options: Mapping[str, Any]) -> Query:
    """Return which records the task asks for. Raises KooDriveError ``invalid_request``, naming the option."""
    return Query(
        # An empty list is no filter.
        states=tuple(options["state"]) or STATES,
        since=0.0 if options["since"] is None else _moment(options["since"]),
        limit=in_range(options, "limit", 1, MAX_LIMIT),
    )


def _moment(text: str) -> float:
    """Return the moment ``text`` in seconds since 1970. A date means its first second. The default zone is UTC."""
    refusal = invalid_request("since", "must be a date or a time in ISO 8601, such as 2026-11-25, 2026-11-25T14:00:00Z or 2026-11-25T15:00:00+01:00")
    found = MOMENT.fullmatch(text.strip())
    if found is None:
        raise refusal
    day, minute, second, zone = found.groups()
    offset = "+0000" if zone is None or zone.isalpha() else zone.replace(":", "").ljust(5, "0")
    try:
        return datetime.strptime(f"{day} {minute or '00:00'}{second or ':00'} {offset}", "%Y-%m-%d %H:%M:%S %z").timestamp()
    except ValueError as error:
        raise refusal from error


def _tenant(connection: Connection, ledger: LedgerChoice, koodrive: KooDrive, store: Store) -> str:
    """Return the tenant. Raises KooDriveError if it is unknown, since the ledger would then seem to be empty."""
    tenant = tenant_of(ledger, connection.credential, koodrive, store)
    if tenant is not None:
        return tenant
    refusal = koodrive.tenant_refusal
    # With "rejected" or 403, these credentials may lack the right to this call alone.
    if refusal is not None and refusal.kind in REFUSED - {"rejected"} and refusal.answer.http_status != 403:
        raise refusal
    raise unnamed_tenant()


def as_transfer(record: Record) -> dict[str, Any]:
    """Return a record as the result shows it; ``origin_type`` and ``target`` are spelled as a task spells them."""
    return {
        "state": record.state,
        "time": _in_iso_8601(record.begun_at),
        "ended": None if record.ended_at is None else _in_iso_8601(record.ended_at),
        "writer": record.writer,
        "origin_type": record.origin_type,
        "target": as_rows(record.moves),
        "allocation_before": as_result(record.before),
        "trace_id": record.trace_id,
        "idempotency_key": record.idempotency_key,
    }


def _in_iso_8601(moment: float) -> str:
    """Return a moment in seconds since 1970, for programs."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
