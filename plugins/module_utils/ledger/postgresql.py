# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in a PostgreSQL database that many machines share.

Each call is one statement or one short transaction. Nothing is held while the module speaks to KooDrive, and no
statement needs a session, so a pooler may hand out connections by the transaction.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import SCHEMA, unavailable
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Duplicate, Statement, Store

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except Exception:  # A broken installation raises other errors than ImportError.
    #: The traceback of the failed import; None if psycopg can be used.
    PSYCOPG_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    PSYCOPG_IMPORT_ERROR = None

#: The oldest release of psycopg that has all functions that this file calls.
OLDEST_PSYCOPG = "3.1"
#: Defaults for what the URL leaves open: seconds until a connection must be there, and until a dead peer is noticed.
DEFAULTS = {"connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "4"}
#: How long a statement may take, in seconds. A run ends even if the server hangs.
LONGEST_STATEMENT = 30.0
#: Seconds between two looks at how long a statement has taken.
WATCH_INTERVAL = 0.5
#: Seconds between two tries to connect while the server has no connection left or is starting.
CONNECT_AGAIN = 0.2
#: How often a statement runs that the server refuses because another transaction came in between.
MOST_TRIES = 5
#: The SQLSTATEs of a server that is full or starting up.
PASSING = ("53300", "57P03")
#: What PgBouncer says, which has no state for it, and PostgreSQL of limits that it checks after the password. libpq
#: does not tell their state.
FULL_IN_WORDS = ("no more connections allowed", "too many connections for", "remaining connection slots are reserved")
#: PostgreSQL's protocol, version 3.0.
PROTOCOL = 3 << 16
#: The advisory lock for making the tables.
SCHEMA_LOCK = 7205759403792794
#: The unique indexes of the ledger; a violation of any other constraint is not a conflict of two runs.
OWN_INDEXES = ("koodrive_transfers_pkey", "koodrive_one_transfer_by_key")
#: A record must survive a crash of the server, even if other work there need not.
DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
#: The releases of the tables, and whether this is a standby.
STATE_OF_DATABASE = "SELECT version, pg_is_in_recovery() FROM koodrive.koodrive_schema"
#: Whether this user may write to the table of transfers.
RIGHTS = "SELECT has_table_privilege('koodrive.koodrive_transfers', 'INSERT'), has_table_privilege('koodrive.koodrive_transfers', 'UPDATE')"
#: How many of the ledger's three tables there are.
TABLES_THERE = """
SELECT count(*) FROM pg_tables WHERE schemaname = 'koodrive' AND tablename IN ('koodrive_transfers', 'koodrive_tenants', 'koodrive_schema')
"""
#: What to do about records that are lost.
RESTORE = "Restore the table from a backup."
#: What to do about a server that takes no records.
NAME_PRIMARY = "Name the primary server, or add target_session_attrs=read-write to the URL."

#: An administrator may run this beforehand; the documentation has it, too.
SCHEMA_SQL = f"""
CREATE SCHEMA IF NOT EXISTS koodrive;
CREATE TABLE IF NOT EXISTS koodrive.koodrive_transfers (
    tenant text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL,
    accepted boolean NOT NULL,
    begun_at double precision NOT NULL,
    busy_until double precision NOT NULL,
    settle_time double precision NOT NULL,
    ended_at double precision,
    writer text NOT NULL,
    origin_type text NOT NULL,
    moves text NOT NULL,
    pools_before text NOT NULL,
    read_call text NOT NULL,
    trace_id text NOT NULL,
    idempotency_key text,
    PRIMARY KEY (tenant, sequence)
);
CREATE UNIQUE INDEX IF NOT EXISTS koodrive_one_transfer_by_key ON koodrive.koodrive_transfers (tenant, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND state <> 'not_done';
CREATE TABLE IF NOT EXISTS koodrive.koodrive_tenants (credential text PRIMARY KEY, tenant text NOT NULL);
CREATE TABLE IF NOT EXISTS koodrive.koodrive_schema (version integer PRIMARY KEY);
INSERT INTO koodrive.koodrive_schema (version) VALUES ({SCHEMA}) ON CONFLICT (version) DO NOTHING;
"""


class PostgresqlStore(Store):
    """The store in the database at ``url``. With ``read_only``, it makes and writes nothing, and tables that are
    missing hold no records.

    Raises KooDriveError ``ledger_unavailable`` if its library is missing, and at the first use ``invalid_request``
    for a URL that makes no sense.
    """

    def __init__(self, url: str, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        self._database: psycopg.Connection[Any] | None = None
        self._is_empty = False
        self._may_write = False
        #: The connection that a statement uses now, and when the statement has taken too long.
        self._at_work: tuple[psycopg.Connection[Any], float] | None = None
        self._ended = threading.Event()
        #: The database in words without a secret.
        self._where = "in PostgreSQL"
        self._check_library()

    def close(self) -> None:
        self._ended.set()
        if self._database is not None:
            self._database.close()
            self._database = None

    def now(self) -> float:
        return float(self._run(Statement("SELECT extract(epoch FROM clock_timestamp())::double precision", ()))[1][0][0])

    def _check_library(self) -> None:
        install = "Install psycopg[binary] where the task runs."
        if PSYCOPG_IMPORT_ERROR is None:
            release = str(psycopg.__version__)
            if _numbers(release) < _numbers(OLDEST_PSYCOPG):
                raise unavailable(self._where, f"psycopg {release} is too old: it needs {OLDEST_PSYCOPG} or newer", install)
        elif "ModuleNotFoundError: No module named 'psycopg'" in PSYCOPG_IMPORT_ERROR or "import of psycopg halted" in PSYCOPG_IMPORT_ERROR:
            raise unavailable(self._where, f"the Python library psycopg {OLDEST_PSYCOPG} or newer is missing", install)
        else:
            raise unavailable(self._where, f"Python cannot import psycopg ({PSYCOPG_IMPORT_ERROR.strip().splitlines()[-1]})", install)

    def _rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        self._opened()
        return [] if self._is_empty else self._run(statement)[1]

    def _write(self, *statements: Statement) -> bool:
        self._opened()
        if self._read_only:
            raise unavailable(self._where, "this run must not write to it")
        if not self._may_write:
            self._check_rights()
        return self._run(*statements, durable=True)[0]

    def _check_rights(self) -> None:
        """Raise KooDriveError unless this user may append a record and write down its outcome."""
        (rights,) = self._run(Statement(RIGHTS, ()))[1]
        missing = [right for right, is_there in zip(("INSERT", "UPDATE"), rights) if not is_there]
        if missing:
            why = f"its user lacks the right to {' and '.join(missing)} on the table koodrive.koodrive_transfers"
            raise unavailable(self._where, why, "Have an administrator grant it: the documentation of the ledger has the statements.")
        self._may_write = True

    def _run(self, *statements: Statement, durable: bool = False) -> tuple[bool, list[tuple[Any, ...]]]:
        """Return whether each statement changed or read a row, and the rows of the last one. All are one transaction.

        A lost connection is replaced once: repeating a statement of the ledger does no harm. Raises Duplicate, and
        KooDriveError.
        """
        for tries_left in reversed(range(MOST_TRIES)):
            was_fresh = self._database is None
            database = self._opened()
            try:
                with self._limited(database), self._checked_for_loss(database):
                    return _transacted(database, statements, durable)
            except psycopg.errors.UniqueViolation as error:
                if error.diag.constraint_name in OWN_INDEXES:
                    raise Duplicate from error
                raise self._unusable(error) from error
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
                if not tries_left:
                    raise self._unusable(error) from error
            except psycopg.Error as error:
                was_lost = database.closed
                if not was_lost or was_fresh or not tries_left:
                    raise self._unusable(error) from error
            finally:
                if database.closed:
                    self.close()
        raise AssertionError

    def _opened(self) -> psycopg.Connection[Any]:
        """Return a connection. Make the tables if they are missing and this run may write."""
        # If a read-only run found no tables, another run may have made them since.
        if self._database is None or self._is_empty:
            try:
                if self._database is None:
                    parameters = self._parameters()
                    self._start_watch()
                    self._database = self._connected(parameters, time.monotonic() + LONGEST_STATEMENT)
                with self._limited(self._database):
                    self._prepare(self._database)
            except BaseException as error:
                self.close()
                if isinstance(error, psycopg.Error):
                    raise self._unusable(error) from error
                raise
        return self._database

    def _prepare(self, database: psycopg.Connection[Any]) -> None:
        found: list[tuple[Any, ...]] | None = None
        with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName), self._checked_for_loss(database):
            found = database.execute(STATE_OF_DATABASE).fetchall()
        self._is_empty = found is None and self._read_only
        if found is not None:
            self._check_state(found)
        elif not self._read_only:
            self._make_tables(database)

    def _check_state(self, found: list[tuple[Any, ...]]) -> None:
        """Raise KooDriveError if what :data:`STATE_OF_DATABASE` found keeps this run from using the tables."""
        if not found:
            raise unavailable(self._where, "the table koodrive.koodrive_schema has lost its row, so other records may be lost", RESTORE)
        if any(version != SCHEMA for version, _standby in found):
            raise unavailable(self._where, "another release of this collection made its tables", "Use that release, or another database.")
        if not self._read_only and any(is_standby for _version, is_standby in found):
            raise unavailable(self._where, "it is a standby, which takes no records", NAME_PRIMARY)

    @contextmanager
    def _checked_for_loss(self, database: psycopg.Connection[Any]) -> Iterator[None]:
        """If what happens here lacks a table, raise KooDriveError if some of the ledger's tables are missing. One
        transaction makes them all.
        """
        try:
            yield
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            ((found,),) = database.execute(TABLES_THERE).fetchall()
            if found in (1, 2):
                raise unavailable(self._where, "tables of the schema koodrive are missing, so records are lost", RESTORE) from error
            raise

    def _make_tables(self, database: psycopg.Connection[Any]) -> None:
        try:
            with database.transaction():
                # Two runs that make the tables at once would fail. The second one must see the tables of the first one.
                database.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                database.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
                database.execute(SCHEMA_SQL)
        except psycopg.errors.ReadOnlySqlTransaction as error:
            raise unavailable(self._where, "it has no tables yet, and is a standby or read-only", NAME_PRIMARY) from error
        except psycopg.errors.InsufficientPrivilege as error:
            why = f"it has no tables yet, and its user may not make them: {_first_line(error)}"
            raise unavailable(self._where, why, "Have an administrator run the SQL that the documentation of the ledger has.") from error

    def _connected(self, parameters: dict[str, Any], deadline: float) -> psycopg.Connection[Any]:
        """Return a connection. While the server has none left or is starting, try again until ``deadline``."""
        was_passing = True
        while True:
            try:
                # No prepared statements: they belong to a session, which a pooler may hand to another client.
                return psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
            except (psycopg.Error, UnicodeError, OSError) as error:
                refusal = _refusal(error)
                is_passing = any(words in str(error) for words in FULL_IN_WORDS) or refusal in PASSING
                # A server that refuses nothing now may have been full a moment ago, which one more try shows.
                if time.monotonic() >= deadline or not (is_passing or (refusal == "" and was_passing)):
                    raise self._unusable(error) from error
                was_passing = is_passing
            time.sleep(CONNECT_AGAIN)

    def _parameters(self) -> dict[str, Any]:
        """Return what the URL says, with the defaults. Raises KooDriveError ``invalid_request``."""
        try:
            given = conninfo_to_dict(self._url)
        except (psycopg.Error, UnicodeError) as error:
            unknown = re.match(r'invalid URI query parameter: "(\w+)"$', str(error).strip())
            # The rest of the message, or all of it if the password has a "?", may be a part of the password.
            if unknown and "@" not in self._url.partition("?")[2]:
                raise invalid_request("ledger", f"has a parameter in its URL that PostgreSQL does not know: {unknown[1]}") from error
            raise _unreadable() from error
        host, name, ports = (str(given.get(key) or "") for key in ("host", "dbname", "port"))
        if "@" in host + name or not ports.replace(",", "").isdigit() and ports:
            raise _unreadable()
        self._where = _where(given, host, name)
        return {**DEFAULTS, **given, "client_encoding": "utf8"}

    def _start_watch(self) -> None:
        """Start the thread that cuts off a connection whose statement takes too long. It ends with :meth:`close`."""
        self._ended = threading.Event()
        try:
            threading.Thread(target=self._watch, args=(self._ended,), daemon=True).start()
        except RuntimeError as error:
            advice = "Check this machine's limits of processes, threads and memory."
            raise unavailable(self._where, "Python can start no thread to watch over it", advice) from error

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(WATCH_INTERVAL):
            connection, late_at = self._at_work or (None, 0.0)
            if connection is not None and time.monotonic() >= late_at:
                with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _limited(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """Have the connection cut off if what happens here takes longer than LONGEST_STATEMENT."""
        late_at = time.monotonic() + LONGEST_STATEMENT
        self._at_work = connection, late_at
        try:
            yield
        except psycopg.OperationalError as error:
            if time.monotonic() >= late_at:
                why = f"it did not answer within {LONGEST_STATEMENT:g} seconds"
                raise unavailable(self._where, why, "Check whether the server is overloaded or a table is locked, and run again.") from error
            raise
        finally:
            self._at_work = None

    def _damaged(self, record: str) -> KooDriveError:
        return unavailable(self._where, f"the record {record} is damaged", RESTORE)

    def _unusable(self, error: Exception) -> KooDriveError:
        return unavailable(self._where, _first_line(error), "Check the database, and the rights of its user.")


def _numbers(release: str) -> list[int]:
    """Return the two numbers at the beginning of a release."""
    return [int(number) for number in re.findall(r"\d+", release)[:2]]


def start_openssl() -> None:
    """Start the OpenSSL of psycopg once. Each process that is forked later saves 2 ms.

    Hashing a password starts it. That needs a connection, so this one has an address without a server.
    """
    if PSYCOPG_IMPORT_ERROR is None:
        with suppress(psycopg.Error):
            psycopg.pq.PGconn.connect_start(b"host=/ hostaddr='' user=- password=-").encrypt_password(b"-", b"-", b"md5")


def _refusal(error: Exception) -> str | None:
    """Return the SQLSTATE with which the server of a failed connection refuses another one; "" if it refuses nothing
    now, None if it is not reached.

    libpq does not report it, and the server's message may be in any language.
    """
    tried = getattr(error, "pgconn", None)
    if tried is None:
        return None
    state = None
    with suppress(OSError, psycopg.Error, ValueError, OverflowError):
        host, port = (tried.hostaddr or tried.host).decode(), int(tried.port)
        startup = b"user\0" + tried.user + b"\0\0"
        with _wire(host, port) as wire:
            wire.sendall(struct.pack("!ii", len(startup) + 8, PROTOCOL) + startup)
            found = re.match(rb"E.{4}(?:[^\0]+\0)*?C(\w{5})\0", wire.recv(4096), re.DOTALL)
            state = found[1].decode() if found else ""
    return state


def _wire(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), CONNECT_AGAIN * 10)
    wire = socket.socket(socket.AF_UNIX)
    try:
        wire.settimeout(CONNECT_AGAIN * 10)
        wire.connect(f"{host}/.s.PGSQL.{port}")
    except BaseException:
        wire.close()
        raise
    return wire


def _transacted(database: psycopg.Connection[Any], statements: tuple[Statement, ...], durable: bool) -> tuple[bool, list[tuple[Any, ...]]]:
    """Run the statements as one transaction. A single one goes to the server with what makes it durable, in one
    message.
    """
    if len(statements) > 1:
        changed = False
        with database.transaction() as transaction:
            database.execute(DURABLE)
            changed = all(database.execute(_text(statement), statement.values).rowcount for statement in statements)
            if not changed:
                raise psycopg.Rollback(transaction)
        return changed, []
    (statement,) = statements
    if not durable:
        # As text, a server rounds times if its setting extra_float_digits is negative.
        cursor = database.execute(_text(statement), statement.values, binary=True)
        return True, cursor.fetchall()
    cursor = psycopg.ClientCursor(database).execute(f"{DURABLE}; {_text(statement)}", statement.values)
    cursor.nextset()
    return bool(cursor.rowcount), []


def _text(statement: Statement) -> str:
    return statement.text.format("koodrive.").replace("?", "%s")


def _where(given: dict[str, Any], host: str, name: str) -> str:
    """Return the database in words: by service, address or host, as the URL or the environment names it."""
    # A host in the URL wins over a service in the environment.
    service = given.get("service") or (None if host or given.get("hostaddr") else os.environ.get("PGSERVICE"))
    if service:
        return f"of the service {service}"
    host = host or str(given.get("hostaddr") or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR") or "")
    return f"at {'this machine' if host.startswith('/') or not host else host}/{name or os.environ.get('PGDATABASE', '')}"


def _first_line(error: Exception) -> str:
    """Return the first line of an error. The lines after it may quote a statement with its values."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def _unreadable() -> KooDriveError:
    return invalid_request(
        "ledger",
        "is not a URL that PostgreSQL understands. Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE. In user and password, write each"
        " character that is neither a letter nor a digit as % and its number (/ is %2F, @ is %40)",
    )
