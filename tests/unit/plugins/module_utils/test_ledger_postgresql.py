# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in PostgreSQL: rights, failures and poolers; test_ledger_stores.py has what it does."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import ledger_postgresql
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import DONE, NOT_DONE, STATES, OpenTransfer
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_postgresql import SCHEMA_SQL, PostgresqlStore
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD, in_threads, python
from ansible_collections.huaweicloud.koodrive.tests.unit.pooler_for_tests import Pooler
from ansible_collections.huaweicloud.koodrive.tests.unit.postgresql_for_tests import PASSWORD, Postgresql, short_folder

#: The least that suffices once an administrator has run SCHEMA_SQL; the documentation has it, too.
LEAST_RIGHTS = """
GRANT SELECT ON koodrive_schema TO {0};
GRANT SELECT, INSERT ON koodrive_tenants TO {0};
GRANT SELECT, INSERT, UPDATE ON koodrive_transfers TO {0};
"""
NewStore = Callable[..., PostgresqlStore]


@pytest.fixture(name="new_store")
def fixture_new_store(postgresql: Postgresql, database: str) -> Iterator[NewStore]:
    """A store in the database, by its owner or by another user."""
    with ExitStack() as opened:

        def new_store(user: str = database, read_only: bool = False) -> PostgresqlStore:
            store = PostgresqlStore(postgresql.url(database, user), read_only)
            opened.callback(store.close)
            return store

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
    """What is done here is refused, soon, and the message has no password in it."""
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
    with store.turn(tenant, "somebody", 20):
        begun = store.begin(RECORD._replace(tenant=tenant))
        with pytest.raises(OpenTransfer):
            store.begin(RECORD._replace(tenant=tenant, idempotency_key=None))
        assert store.open_transfer(tenant) == store.with_key(tenant, "A-1071") == begun
        store.end(begun.number, DONE)
    assert [record.state for record in store.transfers(tenant, STATES, store.now() - 60, 9)] == [DONE]
    store.close()


def test_tables_are_made_by_two_at_once(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    in_threads(8, lambda _number: everything(new_store()))
    assert postgresql.execute("SELECT count(*) FROM koodrive_transfers", database) == [(8,)]


def test_the_least_rights_suffice(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    user = postgresql.new_user()
    postgresql.execute(SCHEMA_SQL, database)
    with refused(words="permission denied for table koodrive_schema"):
        new_store(user).open_transfer("t")
    with refused(words="permission denied for table koodrive_schema"), new_store(user).turn("t", "", 0):
        pass
    postgresql.execute(LEAST_RIGHTS.format(user), database)
    everything(new_store(user))
    # Each of them is needed.
    for right, table in re.findall("(SELECT|INSERT|UPDATE)(?=.* ON .*(koodrive_[a-z]+))", LEAST_RIGHTS):
        postgresql.execute(f"REVOKE {right} ON {table} FROM {user}", database)
        with refused(words=f"permission denied for table {table}"):
            everything(new_store(user))
        postgresql.execute(LEAST_RIGHTS.format(user), database)


def test_who_may_not_make_tables_is_told_what_to_do(new_store: NewStore, postgresql: Postgresql) -> None:
    user = postgresql.new_user()
    with refused(words="its user may not make them: permission denied for schema public Have an administrator run the SQL"):
        new_store(user).open_transfer("t")
    assert new_store(user, read_only=True).open_transfer("t") is None


def test_what_a_later_release_has_made_is_left_alone(store: PostgresqlStore, new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    store.begin(RECORD)
    postgresql.execute("INSERT INTO koodrive_schema VALUES (2)", database)
    for read_only in (False, True):
        with refused(words="later release"):
            new_store(read_only=read_only).open_transfer("t")


def test_check_mode_makes_no_tables(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    assert new_store(read_only=True).open_transfer("t") is None
    assert postgresql.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'koodrive%'", database) == [(0,)]


def test_a_turn_that_was_lost_lets_no_second_transfer_begin(store: PostgresqlStore, new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    other = new_store()
    with store.turn("t", "the first", 0):
        store.begin(RECORD)
        assert postgresql.execute(
            f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = '{database}'"
        ) == [(1,)]
        with other.turn("t", "the second", 5):
            with pytest.raises(OpenTransfer):
                other.begin(RECORD._replace(idempotency_key=None))
            assert other.open_transfer("t").trace_id == RECORD.trace_id
        store.end(store.open_transfer("t").number, DONE)
    assert other.open_transfer("t") is None


@pytest.mark.parametrize(
    "url, kind, words",
    [
        ("postgresql://u:pa55@nowhere.invalid/db", "ledger_unavailable", "the ledger at nowhere.invalid/db cannot be used: failed to resolve host"),
        ("postgresql://u:pa55@127.0.0.1:1/db", "ledger_unavailable", "Connection refused"),
        ("postgresql://u:pa55@127.0.0.1:1,127.0.0.1:2/db", "ledger_unavailable", "127.0.0.1,127.0.0.1/db"),
        ("postgresql:///db?host=/nowhere&password=pa55", "ledger_unavailable", "the ledger at this machine/db"),
        (f"postgresql://u:pa55@{'a' * 70}/db", "ledger_unavailable", "label too long"),
        ("postgresql://u:pa55@a..b/db", "ledger_unavailable", "label empty"),
        ("postgresql://u:pa55@h\udcff/db", "invalid_request", "ledger is no URL"),
        ("postgresql://[", "invalid_request", "ledger is no URL"),
        ("postgresql://pa55%zz@host/db", "invalid_request", "ledger is no URL"),
        ("postgresql://host/db?pa55", "invalid_request", "ledger is no URL"),
        ("postgresql://u:pa55/nobody-may-see@host/db", "invalid_request", "%2F"),
        ("postgresql://u:1/pa55@host/db", "invalid_request", "%2F"),
        ("postgresql://u:x@pa55@host/db", "invalid_request", "%40"),
        ("postgresql://u:pa55@127.0.0.1:1/db?sslmode=nonsense", "ledger_unavailable", ""),
        ("postgresql://u:pa55@127.0.0.1:1/db?sslmode=verify-full&sslrootcert=/nowhere", "ledger_unavailable", ""),
        ("postgresql://u:pa55@127.0.0.1:99999/db", "ledger_unavailable", ""),
        ("postgresql://u:pa55@127.0.0.1:1/db?connect_timeout=x", "ledger_unavailable", ""),
    ],
)
def test_a_url_that_leads_nowhere_is_an_error_without_its_password(url: str, kind: str, words: str) -> None:
    with refused(kind, words):
        PostgresqlStore(url).open_transfer("t")
    with refused(kind, words), PostgresqlStore(url).turn("t", "", 1):
        pass


def test_a_server_that_lets_nobody_in_is_named_without_the_password(postgresql: Postgresql, database: str) -> None:
    for url, words in (
        (postgresql.url(database, database, PASSWORD.upper()), f'password authentication failed for user "{database}"'),
        (postgresql.url(database, "nobody"), 'password authentication failed for user "nobody"'),
        (postgresql.url("nothing", database), 'database "nothing" does not exist'),
        (postgresql.url(database, database) + "?sslmode=require", "server does not support SSL"),
    ):
        with refused(words=words):
            PostgresqlStore(url).open_transfer("t")


def test_without_its_library_it_says_what_to_install() -> None:
    printed = subprocess.run(
        **python(
            "import sys\n"
            "sys.modules['psycopg'] = None\n"
            "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError\n"
            "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.stores import store_of\n"
            "try:\n"
            "    with store_of('postgresql://u:pa55@127.0.0.1:1/db', read_only=False) as store:\n"
            "        store.tenant_of('c')\n"
            "except KooDriveError as error:\n"
            "    print(error.kind, error.what, error.advice)\n"
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.startswith("ledger_unavailable") and "psycopg (3) is missing Install psycopg[binary]" in printed.stdout


def test_a_server_that_stops_is_unavailable_and_one_that_is_back_is_used_again(own_server: Postgresql) -> None:
    database = own_server.new_database()
    # What the administrator allows others must not cost a record.
    own_server.execute("ALTER SYSTEM SET synchronous_commit = off")
    own_server.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    own_server.execute("SELECT pg_reload_conf()")
    store = PostgresqlStore(own_server.url(database, database))
    store.open_transfer("t")
    with store.turn("t", "somebody", 0):
        begun = store.begin(RECORD)
        own_server.stop()
        with refused(words="Connection refused"):
            store.end(begun.number, DONE)
    with refused(words="Connection refused"), store.turn("t", "somebody", 1):
        pass
    own_server.start()
    assert store.open_transfer("t") == begun
    own_server.execute("ALTER SYSTEM RESET ALL")
    own_server.stop()
    own_server.start()
    # Found dead at the first use, which is not lost.
    store.end(begun.number, NOT_DONE)
    own_server.stop()
    own_server.start()
    with refused():
        store.begin(RECORD)
    store.begin(RECORD)
    store.close()


def test_a_server_that_does_not_answer_is_given_up(own_server: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgresql, "LONGEST_STATEMENT", 0.5)
    database = own_server.new_database()
    store = PostgresqlStore(own_server.url(database, database) + "?connect_timeout=2")
    # A turn that cannot be asked whether it lasts is none, and nothing was written in it.
    with store.turn("t", "somebody", 0), stopped(own_server, database), refused(words="did not answer within 0.5 seconds"):
        store.open_transfer("t")
    with store.turn("t", "somebody", 0):
        store.end(store.begin(RECORD._replace(idempotency_key=None)).number, DONE)
        with stopped(own_server, database, "idle"), refused(words="did not answer within 0.5 seconds"):
            store.begin(RECORD)
        assert store.open_transfer("t") is None
    store.close()


@contextmanager
def stopped(server: Postgresql, database: str, state: str = "idle in transaction") -> Iterator[None]:
    """Have what serves the database's one connection in this state stand still."""
    (row,) = server.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND state = '{state}'")
    backend = psutil.Process(row[0])
    backend.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        backend.send_signal(signal.SIGCONT)


def test_limits_for_other_work_end_no_turn(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    limits = ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "lock_timeout")
    # Older servers do not know all of them.
    for (limit,) in postgresql.execute(f"SELECT name FROM pg_settings WHERE name IN {limits}"):
        postgresql.execute(f"ALTER ROLE {database} SET {limit} = 400")
    first, second = new_store(), new_store()
    order = []

    def wait() -> None:
        with second.turn("t", "second", 10):
            order.append("second")

    first.open_transfer("t")
    with first.turn("t", "first", 0):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(1.5)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_run_that_writes_nothing_takes_one_connection(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.remember("c", "t")
    with store.turn("t", "somebody", 0):
        assert store.tenant_of("c") == "t" and store.now() > 0
        assert store.open_transfer("t") is store.with_key("t", "A-1071") is None and store.transfers("t", STATES, 0, 9) == []
        assert postgresql.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'") == [(1,)]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_turn_sees_what_was_written_while_it_was_waited_for(new_store: NewStore, postgresql: Postgresql, database: str, level: str) -> None:
    postgresql.execute(f"ALTER ROLE {database} SET default_transaction_isolation = '{level}'")
    seen = []

    def wait() -> None:
        second = new_store()
        with second.turn("t", "second", 10):
            seen.extend(second.transfers("t", STATES, 0, 9))

    first = new_store()
    with first.turn("t", "first", 0):
        thread = threading.Thread(target=wait)
        thread.start()
        deadline = time.monotonic() + 5
        while postgresql.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != [(1,)]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        begun = first.begin(RECORD)
    thread.join()
    assert seen == [begun]


def test_what_was_written_is_read_where_it_was_written(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    """Where the turn is lost, or had on another server, the records tell it, and not what the turn can see."""
    with store.turn("t", "somebody", 0):
        begun = store.begin(RECORD)
        postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = '{database}'")
        assert store.open_transfer("t") == begun
    with store.turn("t", "somebody", 0):
        postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = '{database}'")
        with refused(words="terminating connection"):
            store.transfers("t", STATES, 0, 9)


def test_who_alters_a_table_waits_for_no_turn(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    """And so the records do not wait for it either: it would stand between the turn and them."""
    store.remember("c", "t")
    with store.turn("t", "somebody", 0):
        assert store.transfers("t", STATES, 0, 9) == [] and store.tenant_of("c") == "t"
        begun = time.monotonic()
        postgresql.execute(
            "SET lock_timeout = '3s'; ALTER TABLE koodrive_transfers ALTER COLUMN source SET DEFAULT 'x'; ALTER TABLE koodrive_tenants SET (fillfactor = 90)",
            database,
        )
        store.end(store.begin(RECORD).number, DONE)
        assert time.monotonic() - begun < 5


def test_the_limit_to_waiting_for_a_turn_is_none_to_reading_in_it(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.remember("c", "t")
    with store.turn("t", "somebody", 0):
        lock = "BEGIN; LOCK TABLE koodrive_transfers IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT"
        thread = threading.Thread(target=postgresql.execute, args=(lock, database))
        thread.start()
        while postgresql.execute("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND locktype = 'relation'", database) == [(0,)]:
            time.sleep(0.01)
        assert store.open_transfer("t") is None
        thread.join()


def test_text_of_any_kind_can_be_looked_for_in_a_turn(store: PostgresqlStore) -> None:
    odd = RECORD._replace(tenant="Zürich '; -- %s ? 漢字 😀", idempotency_key="%s?'\"\\")
    store.end(store.begin(odd).number, DONE)
    store.close()
    with store.turn(odd.tenant, "jörg@here", 0):
        assert store.with_key(odd.tenant, odd.idempotency_key).tenant == odd.tenant
        assert len(store.transfers(odd.tenant, STATES, 0, 9)) == 1


def test_a_machine_that_is_gone_is_missed_soon(store: PostgresqlStore) -> None:
    with store.turn("t", "somebody", 0):
        for setting, seconds in (("idle", "10"), ("interval", "5"), ("count", "4")):
            assert store._read(f"SELECT current_setting('tcp_keepalives_{setting}')") == [(seconds,)]


def test_a_connection_that_was_lost_before_the_turn_is_made_anew(store: PostgresqlStore, postgresql: Postgresql, database: str) -> None:
    store.remember("c", "t")
    postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    with store.turn("t", "somebody", 0):
        assert store.open_transfer("t") is None


def test_without_another_thread_nothing_is_asked(store: PostgresqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", no_more)
    with refused(words="no thread can be started"), store.turn("t", "somebody", 0):
        pass


def test_those_who_wait_are_told_whose_turn_it_is(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    user = postgresql.new_user()
    new_store().remember("c", "t")
    postgresql.execute(LEAST_RIGHTS.format(user), database)
    long = f"somebody@host, trace ID {'a1' * 29}"
    told = f"it is the turn of {long[:60]}..."
    with new_store().turn("another tenant", "somebody else", 0), new_store().turn("t", long, 0):
        with refused("busy", f"{told} since 20"), new_store().turn("t", "", 0):
            pass
        # When it began is shown to the same user alone.
        with refused("busy", told), new_store(user).turn("t", "", 0):
            pass
        postgresql.execute("REVOKE SELECT ON pg_locks FROM public", database)
        with refused("busy", "of the same tenant"), new_store(user).turn("t", "", 0):
            pass


def test_a_standby_gives_no_turn(own_server: Postgresql) -> None:
    database = own_server.new_database()
    store = PostgresqlStore(own_server.url(database, database))
    store.begin(RECORD)
    own_server.stop()
    (Path(own_server.socket_folder) / "standby.signal").touch()
    own_server.start()
    for use in (lambda: store.turn("t", "", 0).__enter__(), lambda: store.end(1, DONE)):
        store.close()
        with refused(words="it is a standby, which takes no records"):
            use()
    reader = PostgresqlStore(own_server.url(database, database), read_only=True)
    assert reader.open_transfer("t") is not None
    reader.close()


def test_waiting_takes_one_connection_and_a_full_server_is_waited_for(new_store: NewStore, postgresql: Postgresql, database: str) -> None:
    new_store().open_transfer("t")
    # Two for the one who has the turn, and one for each who waits.
    postgresql.execute(f"ALTER ROLE {database} CONNECTION LIMIT 8")

    def take(_number: int) -> None:
        store = new_store()
        store.open_transfer("t")
        with store.turn("t", "", 30):
            store.end(store.begin(RECORD._replace(idempotency_key=None)).number, DONE)
            time.sleep(0.1)
        store.close()

    in_threads(12, take)


@pytest.mark.parametrize("size", [2, 4])
def test_no_statement_needs_a_session(postgresql: Postgresql, database: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two connections, one is left when somebody has the turn: for those who wait for it, and for the records."""
    monkeypatch.setattr(ledger_postgresql, "PATIENCE", 0.05)
    with Pooler(postgresql.socket_folder, postgresql.port, database, size) as pooler:
        inside = []

        def work(number: int) -> None:
            store = PostgresqlStore(pooler.url)
            with store.turn("t", f"{number}", 60):
                inside.append(number)
                for _time in range(2):
                    begun = store.begin(RECORD._replace(idempotency_key=None, trace_id=f"{number}"))
                    store.end(begun.number, DONE)
                assert inside == [number]
                inside.clear()
            store.close()

        everything(PostgresqlStore(pooler.url))
        in_threads(4, work)
    assert postgresql.execute("SELECT count(*) FROM koodrive_transfers WHERE state = 'done'", database) == [(9,)]


def test_nothing_is_prepared_or_kept_in_a_session(store: PostgresqlStore) -> None:
    everything(store)
    with store.turn("t", "", 0):
        store.begin(RECORD)
        for _time in range(10):
            store.open_transfer("t")
        for kept in ("pg_prepared_statements", "pg_cursors", "pg_listening_channels()"):
            assert store._run(f"SELECT count(*) FROM {kept}") == [(0,)]
        assert store._run("SELECT count(*) FROM pg_settings WHERE source = 'session'") == [(0,)]
        assert store._run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(0,)]
