# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in PostgreSQL: rights, failures and poolers; test_ledger_stores.py has what it does."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import postgresql as postgresql_store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.postgresql import SCHEMA_SQL, PostgresqlStore
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, NOT_DONE, OPEN, SCHEMA, STATES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import COLUMNS
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD, in_threads, numbered, python
from ansible_collections.huaweicloud.koodrive.tests.unit.pooler_for_tests import Pooler
from ansible_collections.huaweicloud.koodrive.tests.unit.postgresql_for_tests import PASSWORD, Postgresql, short_folder

#: The least that suffices once an administrator has run SCHEMA_SQL; the documentation has it, too.
LEAST_RIGHTS = """
GRANT USAGE ON SCHEMA koodrive TO {0};
GRANT SELECT ON koodrive.koodrive_schema TO {0};
GRANT SELECT, INSERT ON koodrive.koodrive_tenants TO {0};
GRANT SELECT, INSERT, UPDATE ON koodrive.koodrive_transfers TO {0};
"""
NOW = RECORD.begun_at + 20
NewStore = Callable[..., PostgresqlStore]


@pytest.fixture(name="new_store")
def fixture_new_store(postgresql: Postgresql, database: str) -> Iterator[NewStore]:
    """A store in the database, by its owner or by another user."""
    with ExitStack() as opened:

        def new_store(user: str = database, read_only: bool = False) -> PostgresqlStore:
            return opened.enter_context(closing(PostgresqlStore(postgresql.url(database, user), read_only)))

        yield new_store


@pytest.fixture(name="store")
def fixture_store(new_store: NewStore) -> PostgresqlStore:
    return new_store()


@pytest.fixture(name="own_server")
def fixture_own_server() -> Iterator[Postgresql]:
    """A server that may be stopped."""
    with Postgresql(short_folder()) as server:
        yield server


@contextmanager
def refused(kind: str = "ledger_unavailable", words: str = "") -> Iterator[None]:
    """What is done here is refused soon, and the message has no password in it."""
    start = time.monotonic()
    with pytest.raises(KooDriveError) as caught:
        yield
    assert time.monotonic() - start < 8
    told = f"{caught.value.what} {caught.value.advice}"
    assert caught.value.kind == kind and words in told, told
    assert "pa55" not in told and "nobody-may-see" not in told, told


def everything(store: PostgresqlStore) -> None:
    """Call all that a store can."""
    tenant = f"tenant {uuid.uuid4()}"
    assert store.tenant_of(tenant) is None
    store.remember(tenant, tenant)
    assert store.tenant_of(tenant) == tenant
    first, second = RECORD._replace(tenant=tenant), numbered(2, tenant=tenant)
    assert store.append(first) and store.is_open(first)
    assert not store.append(first._replace(trace_id="another"))
    assert store.newest(tenant) == store.with_key(tenant, "A-1071") == first
    assert store.append(second, ends=NOT_DONE)
    assert store.release(second, accepted=True) == OPEN
    assert store.end(second, DONE, NOW) == DONE
    assert [record.state for record in store.transfers(tenant, STATES, 0, 9)] == [DONE, NOT_DONE]
    assert store.now() > 0


def connections(server: Postgresql, database: str, what: str = "count(*)") -> list[tuple[object, ...]]:
    return server.execute(f"SELECT {what} FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()")


def cut_off(server: Postgresql, database: str) -> None:
    """End all connections to the database, and wait until they are gone."""
    assert connections(server, database, "pg_terminate_backend(pid, 5000)")


def test_a_closed_store_has_no_connection_and_no_thread(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    before = set(threading.enumerate())
    store.newest("t")
    (watch,) = set(threading.enumerate()) - before
    connection = store._database  # Otherwise the garbage collector closes it.
    assert connections(postgresql, database) == [(1,)] and connection is not None
    store.close()
    assert connection.closed
    watch.join(10)
    assert not watch.is_alive()


def test_a_database_that_cannot_be_used_keeps_no_connection(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.newest("t")
    store.close()
    postgresql.execute("UPDATE koodrive.koodrive_schema SET version = 99", database)
    with pytest.raises(KooDriveError, match="another release") as kept:
        store.newest("t")
    # The traceback holds the connection, so the garbage collector does not close it.
    assert connections(postgresql, database) == [(0,)] and kept.tb is not None


# Tables and rights


def test_several_make_the_tables_at_once(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    in_threads(8, lambda _number: everything(new_store()))
    assert postgresql.execute("SELECT count(*) FROM koodrive.koodrive_transfers", database) == [(16,)]


def test_roles_with_schemas_of_their_own_share_one_ledger(new_store: NewStore, store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.append(RECORD)
    other = postgresql.new_user()
    for user in (database, other):
        postgresql.execute(f"CREATE SCHEMA {user} AUTHORIZATION {user}", database)
    postgresql.execute(LEAST_RIGHTS.format(other), database)
    for user in (database, other):
        again = new_store(user)
        assert again.newest("t") == RECORD and not again.append(RECORD._replace(trace_id="another"))
    found = postgresql.execute("SELECT schemaname, count(*) FROM pg_tables WHERE tablename LIKE 'koodrive%' GROUP BY schemaname", database)
    assert found == [("koodrive", 3)]


def test_a_search_path_changes_nothing(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    postgresql.execute(f"CREATE SCHEMA first AUTHORIZATION {database}; ALTER ROLE {database} SET search_path = first, public", database)
    everything(new_store())
    assert postgresql.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'koodrive_transfers'", database) == [("koodrive",)]


def test_times_are_exact_with_each_number_of_digits(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    postgresql.execute(f"ALTER ROLE {database} SET extra_float_digits = -15", database)
    store = new_store()
    store.append(RECORD)
    assert store.newest("t") == RECORD and abs(store.now() - time.time()) < 60


def test_the_least_rights_suffice_and_each_is_needed(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    user = postgresql.new_user()
    postgresql.execute(SCHEMA_SQL, database)
    for read_only in (False, True):
        with refused(words="permission denied for schema koodrive"):
            new_store(user, read_only).newest("t")
    postgresql.execute(LEAST_RIGHTS.format(user), database)
    everything(new_store(user))
    for right, table in re.findall(r"(SELECT|INSERT|UPDATE)(?=.* ON koodrive\.(koodrive_[a-z]+))", LEAST_RIGHTS):
        postgresql.execute(f"REVOKE {right} ON koodrive.{table} FROM {user}", database)
        with refused(words=table):
            everything(new_store(user))
        postgresql.execute(LEAST_RIGHTS.format(user), database)


@pytest.mark.parametrize("right", ["INSERT", "UPDATE"])
def test_a_lacking_right_is_found_before_a_record_is_written(new_store: NewStore, postgresql: Postgresql, database: str, right: str) -> None:
    user = postgresql.new_user()
    postgresql.execute(SCHEMA_SQL + LEAST_RIGHTS.format(user) + f"REVOKE {right} ON koodrive.koodrive_transfers FROM {user}", database)
    poor = new_store(user)
    # The write is the first use of this store.
    with refused(words=f"its user lacks the right to {right} on the table koodrive.koodrive_transfers Have an administrator grant it"):
        poor.append(RECORD)
    assert poor.newest("t") is None
    reader = new_store(user, read_only=True)
    assert reader.newest("t") is None and reader.transfers("t", STATES, 0, 9) == []


def test_a_user_without_the_right_to_create_tables_gets_advice(new_store: NewStore, postgresql: Postgresql) -> None:
    user = postgresql.new_user()
    with refused(words="its user may not make them: permission denied for database"):
        new_store(user).newest("t")
    assert new_store(user, read_only=True).newest("t") is None


@pytest.mark.parametrize("version", [SCHEMA - 1, SCHEMA + 1])
def test_what_another_release_has_made_is_left_alone(store: PostgresqlStore, new_store: NewStore, postgresql: Postgresql, database: str, version: int) -> None:
    store.append(RECORD)
    postgresql.execute(f"UPDATE koodrive.koodrive_schema SET version = {version}", database)
    for read_only in (False, True):
        with refused(words="another release"):
            new_store(read_only=read_only).newest("t")


@pytest.mark.parametrize("lost", ["transfers", "schema", "tenants", "transfers, koodrive.koodrive_schema"])
def test_a_ledger_without_some_of_its_tables_has_lost_records(
    store: PostgresqlStore, new_store: NewStore, postgresql: Postgresql, database: str, lost: str
) -> None:
    store.append(RECORD)
    postgresql.execute(f"DROP TABLE koodrive.koodrive_{lost}", database)
    for read_only in (False, True):
        with refused(words="tables of the schema koodrive are missing"):
            reader = new_store(read_only=read_only)
            reader.tenant_of("credential")
            reader.newest("t")
    assert len(postgresql.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'koodrive'", database)) == 3 - len(lost.split(","))


def test_tables_without_their_release_are_no_empty_ledger(store: PostgresqlStore, new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    store.append(RECORD)
    postgresql.execute("DELETE FROM koodrive.koodrive_schema", database)
    for read_only in (False, True):
        with refused(words="koodrive_schema has lost its row"):
            new_store(read_only=read_only).newest("t")


def test_a_read_only_database_without_tables_is_named(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    postgresql.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on", database)
    with refused(words="is a standby or read-only Name the primary server"):
        new_store().newest("t")
    assert new_store(read_only=True).newest("t") is None


def test_check_mode_makes_no_tables(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    reader = new_store(read_only=True)
    assert reader.newest("t") is None and reader.now() > 0
    assert postgresql.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'koodrive'", database) == [(0,)]


@pytest.mark.parametrize(
    "rule",
    [
        "ALTER TABLE koodrive.koodrive_transfers ADD CONSTRAINT no_writer CHECK (writer <> 'somebody@somewhere')",
        "CREATE UNIQUE INDEX one_writer ON koodrive.koodrive_transfers (writer)",
        "CREATE TABLE audit (writer text PRIMARY KEY); INSERT INTO audit VALUES ('somebody@somewhere');"
        " CREATE FUNCTION note() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO public.audit VALUES (NEW.writer); RETURN NEW; END';"
        " CREATE TRIGGER note AFTER INSERT ON koodrive.koodrive_transfers FOR EACH ROW EXECUTE FUNCTION note()",
    ],
    ids=["check", "unique index", "trigger"],
)
def test_a_rule_of_an_administrator_is_no_conflict(store: PostgresqlStore, postgresql: Postgresql, database: str, rule: str) -> None:
    store.append(numbered(1, writer="another"))
    if rule.startswith("CREATE UNIQUE"):
        store.append(RECORD._replace(tenant="another"))
    store.end(numbered(1), DONE, NOW)
    postgresql.execute(rule, database)
    with refused(words="violates"):
        store.append(numbered(2))
    assert [record.sequence for record in store.transfers("t", STATES, 0, 9)] == [1]


# The URL


@pytest.mark.parametrize(
    "url, kind, words",
    [
        ("postgresql://u:pa55@nowhere.invalid/db", "ledger_unavailable", "the ledger at nowhere.invalid/db cannot be used: failed to resolve host"),
        ("postgresql://u:pa55@127.0.0.1:1/db", "ledger_unavailable", "the ledger at 127.0.0.1/db cannot be used"),
        ("postgresql://u:pa55@127.0.0.1:1/db", "ledger_unavailable", "Connection refused"),
        ("postgresql://u:pa55@127.0.0.1:1,127.0.0.1:2/db", "ledger_unavailable", "127.0.0.1,127.0.0.1/db"),
        ("postgresql://u:pa55@/db?hostaddr=127.0.0.1&port=1", "ledger_unavailable", "the ledger at 127.0.0.1/db"),
        ("postgresql:///db?host=/nowhere&password=pa55", "ledger_unavailable", "the ledger at this machine/db"),
        ("postgresql://u:pa55@/?service=nowhere", "ledger_unavailable", "the ledger of the service nowhere cannot be used"),
        (f"postgresql://u:pa55@{'a' * 70}/db", "ledger_unavailable", "label too long"),
        ("postgresql://u:pa55@a..b/db", "ledger_unavailable", "label empty"),
        ("postgresql://u:pa55@h\udcff/db", "invalid_request", "ledger is not a URL that PostgreSQL understands"),
        ("postgresql://[", "invalid_request", "ledger is not a URL that PostgreSQL understands"),
        ("postgresql://pa55%zz@host/db", "invalid_request", "ledger is not a URL that PostgreSQL understands"),
        ("postgresql://host/db?pa55", "invalid_request", "ledger is not a URL that PostgreSQL understands"),
        ("postgresql://host/db?pool_size=3", "invalid_request", "does not know: pool_size"),
        ("postgresql://u:pa55@host/db?sslmod=require", "invalid_request", "does not know: sslmod"),
        ("postgresql://u:nobody/x?pa55=x@host/db", "invalid_request", "ledger is not a URL that PostgreSQL understands"),
        ("postgresql://u:pa55/nobody-may-see@host/db", "invalid_request", "%2F"),
        ("postgresql://u:1/pa55@host/db", "invalid_request", "%2F"),
        ("postgresql://u:x@pa55@host/db", "invalid_request", "%40"),
        ("postgresql://u:pa55@127.0.0.1:1/db?sslmode=nonsense", "ledger_unavailable", "nonsense"),
        ("postgresql://u:pa55@127.0.0.1:1/db?sslmode=verify-full&sslrootcert=/nowhere", "ledger_unavailable", ""),
        ("postgresql://u:pa55@127.0.0.1:99999/db", "ledger_unavailable", "99999"),
        ("postgresql://u:pa55@127.0.0.1:1/db?connect_timeout=x", "ledger_unavailable", ""),
    ],
)
def test_a_url_that_leads_nowhere_is_an_error_without_its_password(url: str, kind: str, words: str) -> None:
    for read_only in (False, True):
        with refused(kind, words):
            PostgresqlStore(url, read_only).newest("t")
    with refused(kind, words):
        PostgresqlStore(url).append(RECORD)


def test_a_server_that_refuses_all_users_is_named_without_the_password(postgresql: Postgresql, database: str) -> None:
    for url, words in (
        (postgresql.url(database, database, PASSWORD.upper()), f'password authentication failed for user "{database}"'),
        (postgresql.url(database, "nobody"), 'password authentication failed for user "nobody"'),
        (postgresql.url("nothing", database), 'database "nothing" does not exist'),
        (postgresql.url(database, database) + "?sslmode=require", "server does not support SSL"),
    ):
        with refused(words=words):
            PostgresqlStore(url).newest("t")


def test_a_service_is_found_and_named(postgresql: Postgresql, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = tmp_path / "services"
    services.write_text(f"[ours]\nhost=127.0.0.1\nport={postgresql.port}\ndbname={database}\nuser={database}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with closing(PostgresqlStore("postgresql:///?service=ours")) as store:
        everything(store)
    monkeypatch.setenv("PGPASSWORD", "x")
    with refused(words="the ledger of the service ours cannot be used"):
        PostgresqlStore("postgresql:///?service=ours").newest("t")
    monkeypatch.setenv("PGSERVICE", "ours")
    with refused(words="the ledger of the service ours cannot be used"):
        PostgresqlStore("postgresql://").newest("t")
    with refused(words="the ledger at 127.0.0.2/nowhere cannot be used"):
        PostgresqlStore("postgresql://127.0.0.2:1/nowhere").newest("t")


def test_the_oldest_release_of_the_library_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg, "__version__", postgresql_store.OLDEST_PSYCOPG)
    PostgresqlStore("postgresql://127.0.0.1:1/db")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("sys.modules['psycopg'] = None", f"the Python library psycopg {postgresql_store.OLDEST_PSYCOPG} or newer is missing"),
        ("import psycopg; psycopg.__version__ = '3.0.18'", f"psycopg 3.0.18 is too old: it needs {postgresql_store.OLDEST_PSYCOPG} or newer"),
        ("sys.path.insert(0, {folder!r})", "Python cannot import psycopg (AttributeError: of mixed versions)"),
    ],
)
def test_a_library_that_cannot_be_used_is_named_with_the_way_out(tmp_path: Path, before: str, words: str) -> None:
    (tmp_path / "psycopg.py").write_text("raise AttributeError('of mixed versions')\n")
    program = (
        f"import sys\n{before.format(folder=str(tmp_path))}\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of\n"
        "try:\n"
        "    with store_of('postgresql://u:pa55@127.0.0.1:1/db', read_only=False) as store:\n"
        "        store.newest('t')\n"
        "except KooDriveError as error:\n"
        "    print(error.kind, error.what, error.advice)\n"
    )
    printed = subprocess.run(**python(program), capture_output=True, text=True, check=True).stdout
    assert printed.startswith("ledger_unavailable") and f"{words} Install psycopg[binary]" in printed


# Failures


def test_a_server_that_stops_is_unavailable_and_one_that_is_back_is_used_again(own_server: Postgresql) -> None:
    database = own_server.new_database()
    # What the administrator allows others must not cost a record.
    own_server.execute("ALTER SYSTEM SET synchronous_commit = off")
    own_server.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    own_server.execute("SELECT pg_reload_conf()")
    with closing(PostgresqlStore(own_server.url(database, database))) as store:
        assert store.newest("t") is None
        assert store.append(numbered(1))
        own_server.stop()
        for use in (lambda: store.end(numbered(1), DONE, NOW), lambda: store.append(numbered(2)), lambda: store.newest("t")):
            with refused(words="Connection refused"):
                use()
        own_server.start()
        assert store.newest("t") == numbered(1)
        # The same for two statements in one transaction.
        assert store.append(numbered(2), ends=NOT_DONE)
        own_server.stop()
        own_server.start()
        # The store finds the connection dead at its first use, which is not lost.
        assert store.end(numbered(2), DONE, NOW) == DONE
        own_server.stop()
        own_server.start()
        assert store.append(numbered(3))
        assert [(record.sequence, record.state) for record in store.transfers("t", STATES, 0, 9)] == [(3, OPEN), (2, DONE), (1, NOT_DONE)]


@pytest.mark.parametrize("ends", [None, NOT_DONE])
@pytest.mark.parametrize("committed", [True, False])
def test_an_append_whose_answer_is_lost_is_looked_up(
    store: PostgresqlStore, postgresql: Postgresql, database: str, ends: str | None, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(numbered(1))
    if ends is None:
        store.end(numbered(1), NOT_DONE, NOW)
    run = postgresql_store._transacted

    def lost(*arguments: object) -> object:
        monkeypatch.undo()
        if committed:
            run(*arguments)
        cut_off(postgresql, database)
        return run(*arguments)

    monkeypatch.setattr(postgresql_store, "_transacted", lost)
    assert store.append(numbered(2), ends=ends)
    assert [(record.sequence, record.state) for record in store.transfers("t", STATES, 0, 9)] == [(2, OPEN), (1, NOT_DONE)]


def test_an_append_is_not_taken_for_the_one_of_another_run(
    store: PostgresqlStore, new_store: NewStore, postgresql: Postgresql, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(numbered(1))
    run = postgresql_store._transacted

    def overtaken(*arguments: object) -> object:
        monkeypatch.undo()
        new_store().append(numbered(2, trace_id="another"), ends=DONE)
        cut_off(postgresql, database)
        return run(*arguments)

    monkeypatch.setattr(postgresql_store, "_transacted", overtaken)
    assert not store.append(numbered(2), ends=NOT_DONE)
    assert [record.trace_id for record in store.transfers("t", STATES, 0, 9)] == ["another", "1"]


def test_a_connection_that_dies_in_an_append_leaves_all_or_nothing(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    """Another transaction holds the append up in the middle, and an administrator ends it there."""
    store.append(numbered(1))
    with psycopg.connect(postgresql.url(database)) as blocker:
        second = COLUMNS.replace("sequence", "2").replace("trace_id", "'blocker'")
        blocker.execute(f"INSERT INTO koodrive.koodrive_transfers ({COLUMNS}) SELECT {second} FROM koodrive.koodrive_transfers")
        appended: list[bool] = []
        thread = threading.Thread(target=lambda: appended.append(store.append(numbered(2), ends=NOT_DONE)))
        thread.start()
        waiting = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 5
        while not postgresql.execute(waiting):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        blocker.rollback()
        thread.join()
    assert appended == [True]
    assert [(record.trace_id, record.state) for record in store.transfers("t", STATES, 0, 9)] == [("2", OPEN), ("1", NOT_DONE)]


def test_a_server_that_does_not_answer_is_given_up(own_server: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_store, "LONGEST_STATEMENT", 0.5)
    database = own_server.new_database()
    with closing(PostgresqlStore(own_server.url(database, database) + "?connect_timeout=2")) as store:
        store.append(numbered(1))
        for use in (lambda: store.newest("t"), lambda: store.append(numbered(2)), lambda: store.append(numbered(2), ends=DONE)):
            assert store.newest("t") == numbered(1)
            with stopped(own_server, database), refused(words="did not answer within 0.5 seconds"):
                use()
            # The outcome of the write is unknown here: the ledger must end with one record or none.
            cut_off_if_any(own_server, database)
            own_server.execute("DELETE FROM koodrive.koodrive_transfers WHERE sequence = 2; UPDATE koodrive.koodrive_transfers SET state = 'open'", database)
            own_server.execute("UPDATE koodrive.koodrive_transfers SET ended_at = NULL", database)


@contextmanager
def stopped(server: Postgresql, database: str) -> Iterator[None]:
    """Have what serves the database's one connection stand still."""
    ((pid,),) = connections(server, database, "pid")
    backend = psutil.Process(int(str(pid)))
    backend.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        backend.send_signal(signal.SIGCONT)


def cut_off_if_any(server: Postgresql, database: str) -> None:
    connections(server, database, "pg_terminate_backend(pid, 5000)")


def test_a_lock_on_the_table_is_waited_for_no_longer_than_a_statement_may_take(
    store: PostgresqlStore, postgresql: Postgresql, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_store, "LONGEST_STATEMENT", 0.5)
    store.append(numbered(1))
    with psycopg.connect(postgresql.url(database)) as blocker:
        blocker.execute("LOCK TABLE koodrive.koodrive_transfers")
        with refused(words="did not answer within 0.5 seconds"):
            store.end(numbered(1), DONE, NOW)
    cut_off_if_any(postgresql, database)
    assert store.newest("t") is not None


def test_a_connection_without_a_statement_is_not_cut_off(store: PostgresqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_store, "LONGEST_STATEMENT", 0.5)
    monkeypatch.setattr(postgresql_store, "WATCH_INTERVAL", 0.05)
    store.append(RECORD)
    connection = store._database
    time.sleep(0.8)
    assert store.newest("t") == RECORD and store._database is connection


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_stricter_isolation_changes_nothing(new_store: NewStore, postgresql: Postgresql, database: str, level: str) -> None:
    postgresql.execute(f"ALTER ROLE {database} SET default_transaction_isolation = '{level}'")

    def append(number: int) -> None:
        store = new_store()
        while True:
            newest = store.newest("t")
            mine = numbered(1 if newest is None else newest.sequence + 1, trace_id=f"{number}")
            if (newest is None or newest.state != OPEN) and store.append(mine):
                assert store.append(numbered(mine.sequence + 1, trace_id=f"{number}"), ends=NOT_DONE)
                assert store.end(numbered(mine.sequence + 1), DONE, NOW) == DONE
                return
            time.sleep(0.005)

    in_threads(6, append)
    records = new_store().transfers("t", STATES, 0, 99)
    assert [record.sequence for record in records] == list(range(12, 0, -1))
    first = numbered(13)
    new_store().append(first)
    states = in_threads(6, lambda number: new_store().end(first, (DONE, NOT_DONE)[number % 2], NOW))
    assert len(set(states)) == 1


@pytest.mark.parametrize("fast", [True, False])
def test_a_record_is_durable_even_if_other_work_is_not(store: PostgresqlStore, postgresql: Postgresql, database: str, fast: bool) -> None:
    """The server notes, in the transaction itself, how the commit is made."""
    postgresql.execute(f"ALTER ROLE {database} SET synchronous_commit = {'off' if fast else 'on'}")
    store.append(numbered(1))
    postgresql.execute(
        "CREATE TABLE noted (setting text); GRANT INSERT ON noted TO public; CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO public.noted VALUES (current_setting(''synchronous_commit'')); RETURN NEW; END';"
        " CREATE TRIGGER note AFTER INSERT OR UPDATE ON koodrive.koodrive_transfers FOR EACH ROW EXECUTE FUNCTION note()",
        database,
    )
    store.append(numbered(2), ends=DONE)
    store.release(numbered(2), accepted=True)
    store.end(numbered(2), DONE, NOW)
    store.append(numbered(3))
    assert postgresql.execute("SELECT setting, count(*) FROM noted GROUP BY setting", database) == [("on", 5)]


def test_without_another_thread_nothing_is_asked(store: PostgresqlStore, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more)
    with refused(words=f"{database} cannot be used: Python can start no thread to watch over it Check this machine's limits"):
        store.newest("t")


def test_a_standby_takes_no_records(own_server: Postgresql) -> None:
    database = own_server.new_database()
    store = PostgresqlStore(own_server.url(database, database))
    store.append(RECORD)
    own_server.stop()
    (Path(own_server.socket_folder) / "standby.signal").touch()
    own_server.start()
    for use in (lambda: store.newest("t"), lambda: store.end(RECORD, DONE, NOW)):
        store.close()
        with refused(words="it is a standby, which takes no records"):
            use()
    with closing(PostgresqlStore(own_server.url(database, database), read_only=True)) as reader:
        assert reader.newest("t") == RECORD


def test_a_machine_that_is_gone_is_missed_soon_unless_the_url_says_otherwise(postgresql: Postgresql, database: str) -> None:
    with closing(PostgresqlStore(postgresql.url(database, database) + "?keepalives_count=9")) as store:
        used = store._opened().info.get_parameters()
    assert (used["keepalives_idle"], used["keepalives_interval"], used["keepalives_count"]) == ("10", "5", "9")


# A server that is full or starting


class Refusing:
    """A server that refuses the first connections with an ErrorResponse, and hands the later ones to a real server."""

    def __init__(self, port: int, sqlstate: str, words: str, at_most: float, times: int = 1000) -> None:
        self._port = port
        self._times = times
        fields = {"S": "ФАТАЛЬНО", "V": "FATAL", "C": sqlstate, "M": words}
        body = b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0"
        self._error = b"E" + struct.pack("!i", len(body) + 4) + body
        self._until = time.monotonic() + at_most
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.refused = 0

    def __enter__(self) -> Refusing:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if time.monotonic() < self._until and self.refused < self._times:
                self.refused += 1
                # libpq asks for encryption first.
                if client.recv(8, socket.MSG_WAITALL)[4:] in (struct.pack("!i", 80877103), struct.pack("!i", 80877104)):
                    client.sendall(b"N")
                client.recv(4096)
                client.sendall(self._error)
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                thread = threading.Thread(target=_relay, args=(server, client), daemon=True)
                thread.start()
                _relay(client, server)


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("sqlstate", ["53300", "57P03"])
def test_a_run_waits_for_a_full_or_starting_server_with_any_message(postgresql: Postgresql, database: str, sqlstate: str) -> None:
    with Refusing(postgresql.port, sqlstate, "слишком много", at_most=0.9) as refusing:
        url = postgresql.url(database, database).replace(f":{postgresql.port}/", f":{refusing.port}/")
        with closing(PostgresqlStore(url)) as store:
            start = time.monotonic()
            assert store.append(RECORD)
            assert time.monotonic() - start > 0.6 and refusing.refused >= 4


def test_a_server_that_was_full_a_moment_ago_is_tried_once_more(postgresql: Postgresql, database: str) -> None:
    with Refusing(postgresql.port, "53300", "слишком много", at_most=60, times=1) as refusing:
        url = postgresql.url(database, database).replace(f":{postgresql.port}/", f":{refusing.port}/")
        with closing(PostgresqlStore(url)) as store:
            assert store.append(RECORD) and refusing.refused == 1


def test_any_other_refusal_fails_at_once(postgresql: Postgresql, database: str) -> None:
    with Refusing(postgresql.port, "28000", "слишком много", at_most=60) as refusing:
        url = postgresql.url(database, database).replace(f":{postgresql.port}/", f":{refusing.port}/")
        with refused(words="слишком много"):
            PostgresqlStore(url).newest("t")


def test_the_wait_for_a_full_server_has_an_end(postgresql: Postgresql, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_store, "LONGEST_STATEMENT", 0.7)
    with Refusing(postgresql.port, "53300", "voll", at_most=60) as refusing:
        url = postgresql.url(database, database).replace(f":{postgresql.port}/", f":{refusing.port}/")
        start = time.monotonic()
        with refused(words="voll"):
            PostgresqlStore(url).newest("t")
        assert 0.7 <= time.monotonic() - start < 4


def test_a_server_that_hangs_up_and_then_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_store, "CONNECT_AGAIN", 0.02)
    folder = short_folder()
    with closing(socket.socket(socket.AF_UNIX)) as silent:

        def hang_up() -> None:
            silent.accept()[0].close()

        silent.bind(f"{folder}/.s.PGSQL.5432")
        silent.listen()
        threading.Thread(target=hang_up, daemon=True).start()
        threading.Timer(4, silent.close).start()
        start = time.monotonic()
        with refused(words="closed the connection"):
            PostgresqlStore(f"postgresql://somebody@/d?host={folder}").newest("t")
        assert time.monotonic() - start < 3
    shutil.rmtree(folder)


def connected_to(server: Postgresql) -> psycopg.Connection[Any]:
    """Return a connection of the administrator. The server may still be ending earlier ones."""
    end = time.monotonic() + 10
    while True:
        try:
            return psycopg.connect(f"host={server.socket_folder} port={server.port} user=postgres dbname=postgres")
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def test_a_full_server_is_waited_for_over_its_socket_too(own_server: Postgresql) -> None:
    database = own_server.new_database()
    own_server.execute("ALTER SYSTEM SET max_connections = 4")
    own_server.execute("ALTER SYSTEM SET superuser_reserved_connections = 0")
    own_server.stop()
    own_server.start()
    for url in (own_server.url(database, database), f"postgresql://{database}@/{database}?host={own_server.socket_folder}&port={own_server.port}"):
        with ExitStack() as others:
            for _number in range(4):
                others.enter_context(connected_to(own_server))
            threading.Timer(0.8, others.pop_all().close).start()
        start = time.monotonic()
        with closing(PostgresqlStore(url)) as store:
            everything(store)
        assert time.monotonic() - start > 0.5


def test_the_limit_of_a_role_is_waited_for(new_store: NewStore, store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.newest("t")
    postgresql.execute(f"ALTER ROLE {database} CONNECTION LIMIT 3")

    def work(_number: int) -> None:
        other = new_store()
        everything(other)
        time.sleep(0.1)
        other.close()

    in_threads(8, work)


# Sessions


def test_a_run_takes_one_connection(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    everything(store)
    assert connections(postgresql, database) == [(1,)]
    assert connections(postgresql, database, "state") == [("idle",)], "nothing is held between two calls"


def test_an_administrator_may_alter_a_table_while_a_transfer_is_open(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.append(RECORD)
    postgresql.execute("SET lock_timeout = '1s'; ALTER TABLE koodrive.koodrive_transfers ALTER COLUMN read_call SET DEFAULT 'x'", database)
    assert store.end(RECORD, DONE, NOW) == DONE


@pytest.mark.parametrize("size", [1, 3])
def test_a_pooler_may_hand_out_connections_by_the_transaction(postgresql: Postgresql, database: str, size: int) -> None:
    with Pooler(postgresql.socket_folder, postgresql.port, database, size) as pooler:

        def work(_number: int) -> None:
            with closing(PostgresqlStore(pooler.url)) as store:
                for _time in range(3):
                    everything(store)

        in_threads(4, work)
    assert postgresql.execute("SELECT state, count(*) FROM koodrive.koodrive_transfers GROUP BY state ORDER BY state", database) == [
        (DONE, 12),
        (NOT_DONE, 12),
    ]


def test_nothing_is_prepared_or_kept_in_a_session(store: PostgresqlStore) -> None:
    for _time in range(6):
        everything(store)
    database = store._opened()
    # Each transaction sets its isolation level, independent of the transaction before it.
    settings = "pg_settings WHERE source = 'session' AND name <> 'transaction_isolation'"
    kinds = ("pg_prepared_statements", "pg_cursors", "pg_listening_channels()", settings, "pg_locks WHERE locktype = 'advisory'")
    for kept in kinds:
        assert database.execute(f"SELECT count(*) FROM {kept}", prepare=False).fetchall() == [(0,)], kept
