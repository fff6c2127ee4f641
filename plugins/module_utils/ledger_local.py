# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger on this machine: records in SQLite, turns by locks of the operating system, in a folder of the user's own.

A lock (flock) ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import SCHEMA, Holder, busy, unavailable
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_sql import Duplicate, SqlRecords

try:
    import sqlite3
except ImportError:
    #: Some builds of Python come without it.
    HAS_SQLITE = False
else:
    HAS_SQLITE = True

#: Every process of a user must come to the same folder, whatever its environment says of HOME or TMPDIR; and it outlives a reboot.
FOLDER = "/var/tmp/huaweicloud.koodrive-{}"
RECORDS = "ledger.sqlite3"
#: Seconds between two looks whether it is one's turn, and for which SQLite waits while others write.
LOOK = 0.05
BUSY_TIMEOUT = 30.0

SCHEMA_SQL = """
CREATE TABLE koodrive_transfers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    begun_at REAL NOT NULL,
    ended_at REAL,
    writer TEXT NOT NULL,
    origin_type TEXT NOT NULL,
    moves TEXT NOT NULL,
    pools_before TEXT NOT NULL,
    source TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    idempotency_key TEXT
);
CREATE UNIQUE INDEX koodrive_one_open_transfer ON koodrive_transfers (tenant) WHERE state = 'open';
CREATE UNIQUE INDEX koodrive_one_transfer_by_key ON koodrive_transfers (tenant, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND state <> 'not_done';
CREATE INDEX koodrive_transfers_of_a_tenant ON koodrive_transfers (tenant, number);
CREATE TABLE koodrive_tenants (credential TEXT PRIMARY KEY, tenant TEXT NOT NULL);
"""


class LocalStore(SqlRecords):
    """The store in the folder ``path``; with ``read_only``, nothing is made or written, and what is not there holds nothing."""

    NOW = "(julianday('now') - 2440587.5) * 86400.0"

    def __init__(self, path: str | None, read_only: bool = False) -> None:
        self._path = path or FOLDER.format(os.geteuid())
        self._read_only = read_only
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def now(self) -> float:
        return time.time()

    @contextmanager
    def turn(self, tenant: str, holder: str, wait: float) -> Iterator[None]:
        name = hashlib.sha256(tenant.encode("utf-8")).hexdigest()
        folder = self._folder()
        try:
            lock = self._locked(folder, f"turn-{name}", time.monotonic() + wait)
        finally:
            os.close(folder)
        if lock is None:
            raise busy(wait, self._holder(f"turn-{name}"))
        try:
            # For those who wait too long, and for those who clean up by age, since it is written anew. Nothing depends on it, so it need not be
            # durable, and a disk may be full.
            told = json.dumps([holder, self.now()]).encode("utf-8")
            with suppress(OSError):
                os.pwrite(lock, told, 0)
                os.truncate(lock, len(told))
            yield
        finally:
            os.close(lock)

    def _holder(self, name: str) -> Holder | None:
        """Who has the lock ``name``, as far as its file tells."""
        try:
            with open(os.path.join(self._path, name), encoding="utf-8") as lock:
                return Holder(*json.load(lock))
        except (OSError, ValueError, TypeError):
            return None

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            database = self._opened()
            if database is None:
                return []
            return database.execute(statement, values).fetchall()
        except sqlite3.IntegrityError as error:
            raise Duplicate from error
        except sqlite3.Error as error:
            raise self._unusable(f"{error}") from error

    def _opened(self) -> sqlite3.Connection | None:
        """The database, which is made where it is not there; None where it is not there and nothing is to be written."""
        if self._database is not None:
            return self._database
        if not HAS_SQLITE:
            raise self._unusable("this Python has no SQLite (module sqlite3)", "Take a Python that has it, or a PostgreSQL ledger.")
        path = os.path.join(self._path, RECORDS)
        if self._read_only and not self._is_there(path):
            return None
        os.close(self._folder())
        if os.path.islink(path):
            raise self._unusable(f"{path} is a symbolic link", "Remove it, and run again.")
        mode = "ro" if self._read_only else "rwc"
        database = sqlite3.connect(
            f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT, isolation_level=None
        )
        try:
            self._prepare(database, path)
        except BaseException:
            database.close()
            raise
        self._database = database
        return database

    def _is_there(self, path: str) -> bool:
        """Whether there is anything at ``path``. Raises ``ledger_unavailable`` where that cannot be seen: unknown is not nothing."""
        try:
            os.lstat(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._not_to_be_had(self._path, error) from error
        return True

    def _prepare(self, database: sqlite3.Connection, path: str) -> None:
        """Make the tables where there are none. Raises ``ledger_unavailable`` where there are those of a later release."""
        # A record must be on the disk before the first byte of its transfer is sent.
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA journal_mode = TRUNCATE")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise self._unusable(f"{path} was made by a later release of this collection", "Use that release.")
        if version == 0 and not self._read_only:
            database.execute("BEGIN IMMEDIATE")
            if database.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in SCHEMA_SQL.split(";")[:-1]:
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {SCHEMA}")
            database.execute("COMMIT")

    def _folder(self) -> int:
        """A descriptor of the folder, which is this user's alone; it is made where it is not there."""
        try:
            if not self._read_only:
                try:
                    os.mkdir(self._path, 0o700)
                except FileExistsError:
                    pass
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise self._not_to_be_had(self._path, error) from error
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            os.close(folder)
            raise self._unusable("others can write or read there", "It must belong to this user alone (mode 0700).")
        return folder

    def _locked(self, folder: int, name: str, deadline: float) -> int | None:
        """A descriptor of the file ``name``, locked; None where that cannot be had before ``deadline``."""
        while True:
            try:
                lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
            except OSError as error:
                raise self._not_to_be_had(os.path.join(self._path, name), error) from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                if time.monotonic() >= deadline:
                    return None
                time.sleep(LOOK)
                continue
            if _is_still_there(folder, name, lock):
                return lock
            os.close(lock)

    def _not_to_be_had(self, path: str, error: OSError) -> KooDriveError:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            return self._unusable(f"{path}: {error.strerror}", "Remove what is there, if it is not this user's, and run again.")
        return self._unusable(f"{path}: {error.strerror}", "Name a folder that this user can write to in the option ledger or in KOODRIVE_LEDGER.")

    def _unusable(self, why: str, advice: str = "Name another folder in the option ledger or in KOODRIVE_LEDGER.") -> KooDriveError:
        return unavailable(f"in {self._path}", why, advice)


def _is_still_there(folder: int, name: str, lock: int) -> bool:
    """Whether the locked file is the one that others will find: it may have been cleaned up before it was locked."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return False
