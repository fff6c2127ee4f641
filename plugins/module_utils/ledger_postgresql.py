# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in a PostgreSQL database that many machines share.

The turn is an advisory lock that ends with its transaction, which one connection holds open. A run that finds nothing to do reads the records
there, and needs no other; what is written is committed on a second one. No statement needs a session, so that a pooler which hands out
connections by the transaction does no harm. Who waits for a turn has one connection alone, and lets go of it again and again: else those who
wait could take all that a server or a pooler has, and the one who has the turn could not go on.
"""

from __future__ import annotations

import hashlib
import math
import os
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import SCHEMA, Holder, busy, unavailable
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_sql import Duplicate, SqlRecords

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError:
    #: The traceback of the failed import, for missing_required_lib; None where psycopg is there.
    PSYCOPG_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    PSYCOPG_IMPORT_ERROR = None

#: What holds unless the URL says otherwise: seconds until a connection is there, and until the other end is known to be dead.
DEFAULTS = {"connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "4", "tcp_user_timeout": "30000"}
#: Seconds that a statement may take, so that a run has an end whatever the server does.
LONGEST_STATEMENT = 30.0
#: Seconds of waiting for a turn with a connection, and without one after that.
PATIENCE = 0.5
#: Seconds between two tries to connect while the server has as many connections as it takes; and how it says so.
CONNECT_AGAIN = 0.2
FULL = ("too many clients", "too many connections", "remaining connection slots", "no more connections allowed")

#: The advisory lock under which tables are made; no tenant has it but by a chance of one in 2^64.
SCHEMA_LOCK = 7205759403792794

#: Bytes of a name that PostgreSQL shows of a connection.
LONGEST_NAME = 63
#: What is read while the turn lasts must be what others have committed, also before the turn came, whatever is usual in the database.
BEGIN_A_TURN = "BEGIN ISOLATION LEVEL READ COMMITTED"
#: Those who wait too long see whose turn it is. A machine that is gone must be missed soon, and not when the system gives up, after two hours. No
#: limit of the administrator's for other work may end a turn or the waiting for it. Older servers do not know the last two.
SETTINGS_OF_A_TURN = """
SELECT set_config('application_name', %s, true),
    set_config('lock_timeout', %s, true),
    set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    set_config('tcp_keepalives_idle', '10', true),
    set_config('tcp_keepalives_interval', '5', true),
    set_config('tcp_keepalives_count', '4', true),
    CASE WHEN current_setting('tcp_user_timeout', true) IS NOT NULL THEN set_config('tcp_user_timeout', '30000', true) END,
    CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN set_config('transaction_timeout', '0', true) END
"""
#: How long others are waited for is limited while the turn is, and not what is read in it.
TAKE_THE_TURN = "SELECT pg_advisory_xact_lock(%s), set_config('lock_timeout', '0', true)"
#: A reading that keeps no lock on a table: whoever alters it would wait for the turn to end, and the records would wait for that.
READ_IN_A_TURN = "SAVEPOINT reading; {}; ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading"
#: The name of the connection that has an advisory lock, and when its transaction began, if this user may know.
HOLDER = """
SELECT application_name, extract(epoch FROM xact_start)::double precision
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint << 32 | objid::bigint = ? AND datname = current_database()
"""
#: A record must survive a crash of the server, also where other work there need not.
DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"

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
CREATE TABLE IF NOT EXISTS koodrive_schema (version integer PRIMARY KEY);
INSERT INTO koodrive_schema (version) VALUES (1) ON CONFLICT (version) DO NOTHING;
"""


class PostgresqlStore(SqlRecords):
    """The store in the database at ``url``; with ``read_only``, nothing is made or written, and tables that are not there hold nothing.

    Raises KooDriveError ``ledger_unavailable`` where its library is missing, and at the first use ``invalid_request`` for a URL that cannot be read.
    """

    NOW = "extract(epoch FROM clock_timestamp())::double precision"

    def __init__(self, url: str, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        #: What has the turn, while there is one; and what the records are written on.
        self._turn: psycopg.Connection[Any] | None = None
        self._database: psycopg.Connection[Any] | None = None
        self._is_empty = False
        #: Where the database is, in words without a secret, as far as that is known.
        self._where = "in PostgreSQL"
        if PSYCOPG_IMPORT_ERROR is not None:
            raise unavailable(self._where, "the Python library psycopg (3) is missing", "Install psycopg[binary] where the task runs.")

    def close(self) -> None:
        """Let go of the connection that the records are written on."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def now(self) -> float:
        return float(self._read(f"SELECT {self.NOW}")[0][0])

    @contextmanager
    def turn(self, tenant: str, holder: str, wait: float) -> Iterator[None]:
        number = int.from_bytes(hashlib.sha256(tenant.encode("utf-8")).digest()[:8], "big", signed=True)
        deadline = time.monotonic() + wait
        name = holder.encode("ascii", "replace").decode("ascii")
        name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."
        connection = self._with_lock(number, name, min(wait, PATIENCE), deadline)
        while connection is None:
            if time.monotonic() >= deadline:
                raise busy(wait, self._holder(number))
            time.sleep(max(0.0, min(PATIENCE, deadline - time.monotonic())))
            connection = self._with_lock(number, name, min(PATIENCE, deadline - time.monotonic()), deadline)
        self._turn = connection
        try:
            yield
        finally:
            self._turn = None
            # This ends the transaction, and the turn with it, whatever has become of the connection.
            connection.close()

    def _with_lock(self, number: int, name: str, wait: float, deadline: float) -> psycopg.Connection[Any] | None:
        """A connection of this name with a transaction that has the turn; None where that cannot be had in so many seconds."""
        known, self._database = self._database, None
        connection = known or self._prepared(deadline)
        try:
            if self._locks(connection, number, name, wait):
                return connection
        except KooDriveError:
            was_lost = connection.closed
            connection.close()
            if known is None or not was_lost:
                raise
            # While it waited for KooDrive's reply, it may have been cut off.
            return self._with_lock(number, name, wait, deadline)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def _locks(self, connection: psycopg.Connection[Any], number: int, name: str, wait: float) -> bool:
        """Begin a transaction that has the turn; False where that cannot be had in so many seconds."""
        try:
            with self._limited(connection, LONGEST_STATEMENT + wait):
                connection.execute(BEGIN_A_TURN)
                # A lock_timeout of 0 would be none at all.
                connection.execute(SETTINGS_OF_A_TURN, (name, str(max(1, math.ceil(wait * 1000)))))
                connection.execute(TAKE_THE_TURN, (number,))
            return True
        except psycopg.errors.LockNotAvailable:
            return False
        except psycopg.Error as error:
            raise self._unusable(error) from error

    def _holder(self, number: int) -> Holder | None:
        try:
            rows = self._read(HOLDER, number)
        except KooDriveError:  # Some administrators let nobody see who else is there.
            return None
        return Holder(*rows[0]) if rows else None

    def _read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        if self._turn is None or self._database is not None:
            return self._run(statement, *values)
        # Where this connection is lost, the turn is, and nothing is sent after that.
        try:
            with self._limited(self._turn):
                # Several statements in one round trip, which takes a cursor that fills in the values itself.
                cursor = psycopg.ClientCursor(self._turn).execute(READ_IN_A_TURN.format(statement.replace("?", "%s")), values)
                cursor.nextset()
                return cursor.fetchall()
        except psycopg.Error as error:
            raise self._unusable(error) from error

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        was_connected = self._database is not None
        try:
            return self._rows(statement, values)
        except KooDriveError:
            if self._database is not None or not was_connected:
                raise
        # The connection was lost since it was last used, as when the server was started anew.
        return self._rows(statement, values)

    def _run_once(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._rows(statement, values, DURABLE)

    def _rows(self, statement: str, values: tuple[Any, ...], first: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement, in a transaction with what comes ``first``, if anything does."""
        try:
            if self._database is None:
                self._database = self._prepared(time.monotonic() + LONGEST_STATEMENT)
            if self._is_empty and "koodrive_" in statement:
                return []
            with self._limited(self._database):
                if first is None:
                    return _fetched(self._database, statement, values)
                with self._database.transaction():
                    self._database.execute(first)
                    return _fetched(self._database, statement, values)
        except psycopg.errors.UniqueViolation as error:
            raise Duplicate from error
        except psycopg.Error as error:
            raise self._unusable(error) from error
        finally:
            if self._database is not None and self._database.closed:
                self.close()

    def _prepared(self, deadline: float) -> psycopg.Connection[Any]:
        """A connection to a database with the tables, which are made where they are not there."""
        database = self._connected(deadline)
        try:
            with self._limited(database):
                self._prepare(database)
        except psycopg.Error as error:
            database.close()
            raise self._unusable(error) from error
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: psycopg.Connection[Any]) -> None:
        try:
            ((version, is_standby),) = database.execute("SELECT max(version), pg_is_in_recovery() FROM koodrive_schema").fetchall()
        except psycopg.errors.UndefinedTable:
            version, is_standby = None, False
        if version is not None and version > SCHEMA:
            raise unavailable(self._where, "its tables were made by a later release of this collection", "Use that release.")
        if is_standby and not self._read_only:
            # It has turns of its own, and need not know yet what has been written.
            raise unavailable(
                self._where, "it is a standby, which takes no records", "Name the primary server, or add target_session_attrs=read-write to the URL."
            )
        self._is_empty = version is None and self._read_only
        if version is None and not self._read_only:
            self._make_tables(database)

    def _make_tables(self, database: psycopg.Connection[Any]) -> None:
        try:
            # Two that begin at the same time would get into each other's way.
            with database.transaction():
                database.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
                database.execute(SCHEMA_SQL)
        except psycopg.errors.InsufficientPrivilege as error:
            why = f"it has no tables yet, and its user may not make them: {_first_line(error)}"
            raise unavailable(self._where, why, "Have an administrator run the SQL that the documentation of the ledger has.") from error

    def _connected(self, deadline: float) -> psycopg.Connection[Any]:
        """A connection; while the server has too many, it is tried again until ``deadline``."""
        parameters = self._parameters()
        while True:
            try:
                # No prepared statements: they belong to a session, which a pooler may hand to somebody else.
                return psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
            except (psycopg.Error, UnicodeError, OSError) as error:
                if time.monotonic() >= deadline or not any(words in str(error) for words in FULL):
                    raise self._unusable(error) from error
            time.sleep(CONNECT_AGAIN)

    def _parameters(self) -> dict[str, Any]:
        """What the URL says, and the defaults. Raises KooDriveError ``invalid_request``."""
        try:
            given = conninfo_to_dict(self._url)
        except (psycopg.Error, UnicodeError) as error:
            # It may have been read wrong because of the password in it, so no part of it is shown.
            raise _unreadable() from error
        host, name, ports = (str(given.get(key) or "") for key in ("host", "dbname", "port"))
        if "@" in host + name or not ports.replace(",", "").isdigit() and ports:
            raise _unreadable()
        self._where = f"at {'this machine' if host.startswith('/') or not host else host}/{name}"
        return {**DEFAULTS, **given, "client_encoding": "utf8"}

    @contextmanager
    def _limited(self, connection: psycopg.Connection[Any], seconds: float | None = None) -> Iterator[None]:
        """Cut the connection off where what is done with it takes longer than LONGEST_STATEMENT, or so many seconds."""
        longest = LONGEST_STATEMENT if seconds is None else seconds
        is_late = threading.Event()

        def cut_off() -> None:
            is_late.set()
            with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(longest, cut_off)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError as error:
            raise unavailable(self._where, "no thread can be started that watches over it") from error
        try:
            yield
        except psycopg.OperationalError as error:
            if is_late.is_set():
                raise unavailable(self._where, f"it did not answer within {longest:g} seconds") from error
            raise
        finally:
            timer.cancel()

    def _unusable(self, error: Exception) -> KooDriveError:
        return unavailable(self._where, _first_line(error), "Check the database, and the rights of its user.")


def _fetched(database: psycopg.Connection[Any], statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    cursor = database.execute(statement.replace("?", "%s"), values)
    return cursor.fetchall() if cursor.description else []


def _first_line(error: Exception) -> str:
    """What an error says; the lines after the first one may quote a statement with its values."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def _unreadable() -> KooDriveError:
    return invalid_request(
        "ledger",
        "is no URL that can be read; it is postgresql://USER:PASSWORD@HOST:PORT/DATABASE, where a character of user or password that is no"
        " letter and no digit is written as % and its number (/ is %2F, @ is %40)",
    )
