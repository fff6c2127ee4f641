# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records in SQL, the same for every store that speaks it. Knows no database: a store brings ``_run``."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import Allocation, Move, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import NOT_DONE, OPEN, OpenTransfer, Record

COLUMNS = "number, tenant, state, begun_at, ended_at, writer, origin_type, moves, pools_before, source, trace_id, idempotency_key"


class SqlRecords(ABC):
    """What a store does with tables."""

    #: The store's time in its own SQL, in seconds since 1970.
    NOW = ""

    @abstractmethod
    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement with "?" for each of the values, durable when it returns. Raises KooDriveError, or Duplicate."""

    def _read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The same for a statement that writes nothing."""
        return self._run(statement, *values)

    def _run_once(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The same for a statement that must not be tried again where nobody knows what became of it."""
        return self._run(statement, *values)

    @abstractmethod
    def now(self) -> float:
        """The store's time, in seconds since 1970."""

    def tenant_of(self, credential: str) -> str | None:
        rows = self._read("SELECT tenant FROM koodrive_tenants WHERE credential = ?", credential)
        return rows[0][0] if rows else None

    def remember(self, credential: str, tenant: str) -> None:
        self._run("INSERT INTO koodrive_tenants (credential, tenant) VALUES (?, ?) ON CONFLICT (credential) DO NOTHING", credential, tenant)

    def open_transfer(self, tenant: str) -> Record | None:
        return self._one("tenant = ? AND state = ?", tenant, OPEN)

    def with_key(self, tenant: str, key: str) -> Record | None:
        return self._one("tenant = ? AND idempotency_key = ? AND state <> ?", tenant, key, NOT_DONE)

    def begin(self, record: Record) -> Record:
        values = (
            record.tenant,
            OPEN,
            record.writer,
            record.origin_type,
            json.dumps(record.moves),
            json.dumps({name: tuple(pool) for name, pool in record.before.items()}),
            record.source,
            record.trace_id,
            record.idempotency_key,
        )
        try:
            self._run_once(
                "INSERT INTO koodrive_transfers (tenant, state, begun_at, writer, origin_type, moves, pools_before, source, trace_id,"
                f" idempotency_key) VALUES (?, ?, {self.NOW}, ?, ?, ?, ?, ?, ?, ?)",
                *values,
            )
        except Duplicate as error:
            raise OpenTransfer from error
        # There is one at the most; older releases of SQLite cannot return what they insert.
        begun = self.open_transfer(record.tenant)
        if begun is None or begun.trace_id != record.trace_id:
            # Where turns are lost, somebody else may already have settled it, and must not find it sent after that.
            raise OpenTransfer
        return begun

    def end(self, number: int, state: str) -> None:
        self._run(f"UPDATE koodrive_transfers SET state = ?, ended_at = {self.NOW} WHERE number = ? AND state = ?", state, number, OPEN)

    def transfers(self, tenant: str, states: Sequence[str], since: float, limit: int) -> list[Record]:
        marks = ", ".join("?" for _state in states)
        return self._records(f"tenant = ? AND begun_at >= ? AND state IN ({marks}) ORDER BY number DESC LIMIT ?", tenant, since, *states, limit)

    def _one(self, condition: str, *values: Any) -> Record | None:
        found = self._records(f"{condition} ORDER BY number DESC LIMIT 1", *values)
        return found[0] if found else None

    def _records(self, condition: str, *values: Any) -> list[Record]:
        return [_record(row) for row in self._read(f"SELECT {COLUMNS} FROM koodrive_transfers WHERE {condition}", *values)]


class Duplicate(Exception):
    """A row that the unique indexes do not allow."""


def _record(row: Sequence[Any]) -> Record:
    number, tenant, state, begun_at, ended_at, writer, origin_type, moves, before, source, trace_id, key = row
    pools: Allocation = {name: Pool(*pool) for name, pool in json.loads(before).items()}
    return Record(
        tenant=tenant,
        origin_type=origin_type,
        moves=tuple(Move(*move) for move in json.loads(moves)),
        before=pools,
        source=source,
        writer=writer,
        trace_id=trace_id,
        idempotency_key=key,
        number=number,
        state=state,
        begun_at=float(begun_at),
        ended_at=None if ended_at is None else float(ended_at),
    )
