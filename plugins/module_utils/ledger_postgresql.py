# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in a PostgreSQL database that many machines share.

The turn is an advisory lock that ends with its transaction, which one connection holds open; the records are committed on another. No
statement needs a session, so that a pooler which hands out connections by the transaction does no harm.
"""

from __future__ import annotations

import hashlib
import math
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import SCHEMA, Holder, busy, unavailable
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_sql import Duplicate, SqlRecords

try:
    import psycopg
except ImportError:
    #: The traceback of the failed import, for missing_required_lib; None where psycopg is there.
    PSYCOPG_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    PSYCOPG_IMPORT_ERROR = None

#: Seconds to wait for a connection.
CONNECT_TIMEOUT = 10

#: The advisory lock under which tables are made; no tenant has it but by a chance of one in 2^64.
SCHEMA_LOCK = 7205759403792794

#: What an administrator may run beforehand; the documentation has it, too.
SCHEMA_SQL = """
CREATE TABLE IF NOT EXISTS koodrive_transfers (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    state text NOT NULL,
    begun_at double precision NOT NULL,
    ended_at double precision,
    writer text NOT NULL,
    origin_type text NOT NULL,
    moves text NOT NULL,
    pools_before text NOT NULL,
    source text NOT NULL,
    trace_id text NOT NULL,
    idempotency_key text
);
CREATE UNIQUE INDEX IF NOT EXISTS koodrive_one_open_transfer ON koodrive_transfers (tenant) WHERE state = 'open';
CREATE UNIQUE INDEX IF NOT EXISTS koodrive_one_transfer_by_key ON koodrive_transfers (tenant, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND state <> 'not_done';
CREATE INDEX IF NOT EXISTS koodrive_transfers_of_a_tenant ON koodrive_transfers (tenant, number);
CREATE TABLE IF NOT EXISTS koodrive_tenants (credential text PRIMARY KEY, tenant text NOT NULL);
CREATE TABLE IF NOT EXISTS koodrive_turns (tenant text PRIMARY KEY, holder text NOT NULL, since double precision NOT NULL);
CREATE TABLE IF NOT EXISTS koodrive_schema (version integer PRIMARY KEY);
INSERT INTO koodrive_schema (version) VALUES (1) ON CONFLICT (version) DO NOTHING;
"""


class PostgresqlStore(SqlRecords):
    """The store in the database at ``url``; with ``read_only``, nothing is made or written, and tables that are not there hold nothing."""

    NOW = "extract(epoch FROM clock_timestamp())::double precision"

    def __init__(self, url: str, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        self._database: psycopg.Connection[Any] | None = None
        self._is_empty = False

    def close(self) -> None:
        """Let go of the connection."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def now(self) -> float:
        return float(self._run(f"SELECT {self.NOW}")[0][0])

    @contextmanager
    def turn(self, tenant: str, holder: str, wait: float) -> Iterator[None]:
        number = int.from_bytes(hashlib.sha256(tenant.encode("utf-8")).digest()[:8], "big", signed=True)
        connection = self._connected()
        try:
            self._lock(connection, number, tenant, wait)
            self._has_turn(tenant, holder)
            yield
        finally:
            # This ends the transaction, and the turn with it, whatever has become of the connection.
            connection.close()

    def _lock(self, connection: psycopg.Connection[Any], number: int, tenant: str, wait: float) -> None:
        """Begin a transaction that has the turn. Raises KooDriveError ``busy`` where that cannot be had in time."""
        try:
            connection.execute("BEGIN")
            connection.execute(f"SET LOCAL lock_timeout = {max(1, math.ceil(wait * 1000))}")
            # The transaction does nothing as long as the turn lasts.
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (number,))
        except psycopg.errors.LockNotAvailable as error:
            raise busy(wait, self._holder(tenant)) from error
        except psycopg.Error as error:
            raise self._unusable(error) from error

    def _holder(self, tenant: str) -> Holder | None:
        rows = self._run("SELECT holder, since FROM koodrive_turns WHERE tenant = ?", tenant)
        return Holder(rows[0][0], float(rows[0][1])) if rows else None

    def _has_turn(self, tenant: str, holder: str) -> None:
        """Write down who has the turn, for those who wait too long."""
        self._run(
            f"INSERT INTO koodrive_turns (tenant, holder, since) VALUES (?, ?, {self.NOW})"
            " ON CONFLICT (tenant) DO UPDATE SET holder = excluded.holder, since = excluded.since",
            tenant,
            holder,
        )

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            if self._database is None:
                self._database = self._prepared()
            if self._is_empty and "koodrive_" in statement:
                return []
            cursor = self._database.execute(statement.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.errors.UniqueViolation as error:
            raise Duplicate from error
        except psycopg.Error as error:
            raise self._unusable(error) from error

    def _prepared(self) -> psycopg.Connection[Any]:
        """A connection to a database with the tables, which are made where they are not there."""
        database = self._connected()
        try:
            version = database.execute("SELECT max(version) FROM koodrive_schema").fetchone()[0]
        except psycopg.errors.UndefinedTable:
            version = None
        if version is not None and version > SCHEMA:
            raise unavailable(self._where(), "its tables were made by a later release of this collection", "Use that release.")
        if version is None and self._read_only:
            self._is_empty = True
        elif version is None:
            self._make_tables(database)
        return database

    def _make_tables(self, database: psycopg.Connection[Any]) -> None:
        # Two that begin at the same time would get into each other's way.
        with database.transaction():
            database.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            database.execute(SCHEMA_SQL)

    def _connected(self) -> psycopg.Connection[Any]:
        if PSYCOPG_IMPORT_ERROR is not None:
            raise unavailable(self._where(), "the Python library psycopg (3) is missing", "Install psycopg[binary] where the task runs.")
        try:
            # No prepared statements: they belong to a session, which a pooler may hand to somebody else.
            return psycopg.connect(self._url, autocommit=True, prepare_threshold=None, connect_timeout=CONNECT_TIMEOUT)
        except psycopg.Error as error:
            raise self._unusable(error) from error

    def _where(self) -> str:
        parts = urlsplit(self._url)
        return f"at {parts.hostname or 'this machine'}{parts.path}"

    def _unusable(self, error: psycopg.Error) -> KooDriveError:
        # The first line is the message; those after it may quote a statement with its values.
        lines = str(error).splitlines() or [type(error).__name__]
        return unavailable(self._where(), lines[0].rstrip("."), "Check the database, and the rights of its user.")
