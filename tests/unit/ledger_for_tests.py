# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the ledger's stores have in common: the stores, a record, and several that work at once."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import RECORDS
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move, Pool

T = TypeVar("T")
#: The first record of a tenant.
RECORD = Record(
    tenant="t",
    sequence=1,
    origin_type="department",
    moves=(Move("group", 100), Move("individual", 7)),
    before={"department": Pool(2000, 400), "group": Pool(500, 500), "individual": Pool(10, 20)},
    read_call="allocation",
    writer="somebody@somewhere",
    trace_id="t" * 58,
    begun_at=1_800_000_000.25,
    busy_until=1_800_000_075.5,
    settle_time=3600.0,
    idempotency_key="A-1071",
)


@pytest.fixture(name="ledger", params=["local", "postgresql"])
def fixture_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The option ledger, for an empty ledger in each of the stores."""
    if request.param == "local":
        return str(tmp_path / "ledger")
    server, database = request.getfixturevalue("postgresql"), request.getfixturevalue("database")
    url: str = server.url(database, database)
    return url


def by_hand(ledger: str, statement: str) -> None:
    """Run a statement on the tables as an administrator does, past the store. A table's name has ``{}`` before it."""
    if ledger.startswith("postgresql"):
        with psycopg.connect(ledger, autocommit=True) as database:
            database.execute(statement.format("koodrive.").encode())
    else:
        with closing(sqlite3.connect(f"{ledger}/{RECORDS}", isolation_level=None)) as file:
            file.execute(statement.format(""))


def numbered(sequence: int, **changes: Any) -> Record:
    """Return a record without a key that has this number, and these ``changes``."""
    return RECORD._replace(**{"sequence": sequence, "idempotency_key": None, "trace_id": str(sequence), **changes})


def in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """What ``work`` returns for each number, all of them at once."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))


def python(program: str) -> dict[str, Any]:
    """The arguments of subprocess.run for a program that finds this collection."""
    root = Path(record.__file__).parents[6]
    return {"args": [sys.executable, "-c", program], "env": {**os.environ, "PYTHONPATH": str(root)}}
