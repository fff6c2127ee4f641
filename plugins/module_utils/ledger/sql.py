# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store does, in SQL that is the same for every store. A store runs the statements."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import GIVEN_UP, NOT_DONE, OPEN, STATES, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Allocation, Move, Pool

COLUMNS = (
    "tenant, sequence, state, accepted, begun_at, busy_until, settle_time, ended_at, writer, origin_type, moves, pools_before, read_call, trace_id,"
    " idempotency_key"
)
#: In seconds since 1970. Years have four digits before it.
YEAR_10000 = 253402300800
THIS_IF_OPEN = "WHERE tenant = ? AND sequence = ? AND state = 'open'"


class Statement(NamedTuple):
    """An SQL statement with "?" for each of its values; ``{}`` stands before the name of each table."""

    text: str
    values: Sequence[Any]


class Duplicate(Exception):
    """A row that a unique index of the ledger does not allow."""


class Store(ABC):
    """A place for records, in tables.

    Each call that fails raises KooDriveError ``ledger_unavailable``. What a call has written is durable when it
    returns. The calls that end a record change open ones only, and return the state that is then stored.
    """

    @abstractmethod
    def close(self) -> None:
        """Close files and connections."""

    @abstractmethod
    def now(self) -> float:
        """Return the store's time, in seconds since 1970."""

    @abstractmethod
    def _rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Return what a statement reads. Raises KooDriveError."""

    @abstractmethod
    def _write(self, *statements: Statement) -> bool:
        """Run the statements in one transaction; it is durable when this returns. Return False, and write nothing, if
        one changes no row.

        Raises Duplicate, and KooDriveError.
        """

    @abstractmethod
    def _damaged(self, record: str) -> KooDriveError:
        """Return the error of a record that cannot be read."""

    def tenant_of(self, credential: str) -> str | None:
        """Return the tenant that KooDrive named for the hash of a credential, if it did."""
        rows = self._rows(Statement("SELECT tenant FROM {}koodrive_tenants WHERE credential = ?", (credential,)))
        return rows[0][0] if rows else None

    def remember(self, credential: str, tenant: str) -> None:
        """Keep the tenant that KooDrive named for the hash of a credential."""
        self._write(Statement("INSERT INTO {}koodrive_tenants (credential, tenant) VALUES (?, ?) ON CONFLICT (credential) DO NOTHING", (credential, tenant)))

    def newest(self, tenant: str) -> Record | None:
        """Return the tenant's newest record."""
        return self._one("tenant = ?", tenant)

    def with_key(self, tenant: str, key: str) -> Record | None:
        """Return the record with this idempotency key, unless its transfer was not done."""
        return self._one("tenant = ? AND idempotency_key = ? AND state <> ?", tenant, key, NOT_DONE)

    def append(self, record: Record, ends: str | None = None) -> bool:
        """Add ``record``; with ``ends``, the open record before it gets this state in the same transaction.

        Return False if nothing was written: a record with this number or key exists, or the one before is no longer
        open.
        """
        marks = ", ".join("?" for _column in COLUMNS.split(","))
        statements = [Statement(f"INSERT INTO {{}}koodrive_transfers ({COLUMNS}) VALUES ({marks})", _row(record))]
        if ends is not None:
            statements.insert(0, _ending(record._replace(sequence=record.sequence - 1), ends, record.begun_at))
        with suppress(Duplicate):
            if self._write(*statements):
                return True
        # A connection that was lost may have written it all the same.
        return self._one("tenant = ? AND sequence = ?", record.tenant, record.sequence) == record

    def is_open(self, record: Record) -> bool:
        """Return whether the record is still open."""
        return self._state(record) == OPEN

    def end(self, record: Record, state: str, now: float) -> str:
        """Give an open record its final state."""
        return state if self._write(_ending(record, state, now)) else self._state(record)

    def release(self, record: Record, accepted: bool) -> str:
        """Note that the writer of an open record sends nothing more, and whether KooDrive ``accepted`` the transfer."""
        values = (accepted, record.tenant, record.sequence)
        released = self._write(Statement(f"UPDATE {{}}koodrive_transfers SET busy_until = 0, accepted = ? {THIS_IF_OPEN}", values))
        return OPEN if released else self._state(record)

    def transfers(self, tenant: str, states: Sequence[str], since: float, limit: int) -> list[Record]:
        """Return the tenant's records, newest first."""
        marks = ", ".join("?" for _state in states)
        return self._records(f"tenant = ? AND begun_at >= ? AND state IN ({marks}) ORDER BY sequence DESC LIMIT ?", tenant, since, *states, limit)

    def count(self, tenant: str) -> int:
        """Return how many records the tenant has."""
        rows = self._rows(Statement("SELECT count(*) FROM {}koodrive_transfers WHERE tenant = ?", (tenant,)))
        return int(rows[0][0]) if rows else 0

    def _state(self, record: Record) -> str:
        """Return the stored state. A deleted record is given up."""
        rows = self._rows(Statement("SELECT state FROM {}koodrive_transfers WHERE tenant = ? AND sequence = ?", (record.tenant, record.sequence)))
        return rows[0][0] if rows else GIVEN_UP

    def _one(self, condition: str, *values: Any) -> Record | None:
        found = self._records(f"{condition} ORDER BY sequence DESC LIMIT 1", *values)
        return found[0] if found else None

    def _records(self, condition: str, *values: Any) -> list[Record]:
        return [self._record(row) for row in self._rows(Statement(f"SELECT {COLUMNS} FROM {{}}koodrive_transfers WHERE {condition}", values))]

    def _record(self, row: Sequence[Any]) -> Record:
        try:
            return _record_of(row)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            raise self._damaged(f"{row[1]} of the tenant {row[0]}") from error


def _ending(record: Record, state: str, now: float) -> Statement:
    return Statement(f"UPDATE {{}}koodrive_transfers SET state = ?, ended_at = ? {THIS_IF_OPEN}", (state, now, record.tenant, record.sequence))


def _row(record: Record) -> tuple[Any, ...]:
    before = json.dumps({name: pool._asdict() for name, pool in record.before.items()})
    return (
        *(record.tenant, record.sequence, record.state, record.accepted, record.begun_at, record.busy_until, record.settle_time, record.ended_at),
        *(record.writer, record.origin_type, json.dumps(record.moves), before, record.read_call, record.trace_id, record.idempotency_key),
    )


def _record_of(row: Sequence[Any]) -> Record:
    tenant, sequence, state, accepted, begun_at, busy_until, settle_time, ended_at, writer, origin_type, moves, before, read_call, trace_id, key = row
    if state not in STATES:
        raise ValueError(state)
    # A later release may have added a field.
    pools: Allocation = {
        name: Pool(**{field: int(value) for field, value in pool.items() if field in Pool._fields}) for name, pool in json.loads(before).items()
    }
    record = Record(
        tenant=tenant,
        sequence=int(sequence),
        origin_type=origin_type,
        moves=tuple(Move(name, int(gigabytes)) for name, gigabytes in json.loads(moves)),
        before=pools,
        read_call=read_call,
        writer=writer,
        trace_id=trace_id,
        begun_at=float(begun_at),
        busy_until=float(busy_until),
        settle_time=float(settle_time),
        idempotency_key=key,
        state=state,
        accepted=bool(accepted),
        ended_at=None if ended_at is None else float(ended_at),
    )
    record.plan().compare(pools)  # Fails where a pool of the transfer is missing.
    if not all(0 <= moment < YEAR_10000 for moment in (record.busy_until, record.begun_at + record.settle_time, record.ended_at or 0)):
        raise ValueError("a moment that no message can show")
    return record
