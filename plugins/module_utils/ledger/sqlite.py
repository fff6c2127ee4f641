# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger of one machine: SQLite in a folder that only this user may use."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import SCHEMA, unavailable
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Duplicate, Statement, Store

try:
    import sqlite3
except ImportError:
    #: Some builds of Python lack it.
    HAS_SQLITE = False
else:
    HAS_SQLITE = True

#: The default folder. It depends on the user only, not on HOME or TMPDIR, and outlives a reboot.
FOLDER = "/var/tmp/huaweicloud.koodrive-{}"
RECORDS = "ledger.sqlite3"
#: How long, in seconds, SQLite waits while another process writes.
BUSY_TIMEOUT = 30.0

SCHEMA_SQL = f"""
CREATE TABLE koodrive_transfers (
    tenant TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL,
    accepted BOOLEAN NOT NULL,
    begun_at REAL NOT NULL,
    busy_until REAL NOT NULL,
    settle_time REAL NOT NULL,
    ended_at REAL,
    writer TEXT NOT NULL,
    origin_type TEXT NOT NULL,
    moves TEXT NOT NULL,
    pools_before TEXT NOT NULL,
    read_call TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    idempotency_key TEXT,
    PRIMARY KEY (tenant, sequence)
);
CREATE UNIQUE INDEX koodrive_one_transfer_by_key ON koodrive_transfers (tenant, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND state <> 'not_done';
CREATE TABLE koodrive_tenants (credential TEXT PRIMARY KEY, tenant TEXT NOT NULL);
PRAGMA user_version = {SCHEMA};
"""

#: What SQLite says of two runs that are in conflict. A violation of any other constraint is not one.
CONFLICTS = tuple(f"UNIQUE constraint failed: koodrive_transfers.tenant, koodrive_transfers.{column}" for column in ("sequence", "idempotency_key"))
#: What to do about a file that is damaged.
RESTORE = "Restore it from a backup. Without one, wait an hour, check the pools, and remove it."
#: What to do about an error of SQLite, by words of its message.
ADVICE = {
    "locked": "Another program has locked it, such as a backup or an open sqlite3. End that program, and run again.",
    "full": "Free space on its disk, and run again.",
    "malformed": RESTORE,
    "no such": RESTORE,
    "not decode": RESTORE,
    "not a database": RESTORE,
}
CHECK_RIGHTS = "Check that this user may write to the folder and to each file in it. Its file system must be writable and have hard links."
#: Errors of a path that is not made of folders.
NO_FOLDER = (errno.ELOOP, errno.ENOTDIR)


class LocalStore(Store):
    """The store in the folder ``path``. With ``read_only``, it makes and writes nothing, and a folder that is missing
    holds no records.
    """

    def __init__(self, path: str | None, read_only: bool = False) -> None:
        # Without a slash at the end, which would follow a symbolic link.
        self._path = str(PurePath(path or FOLDER.format(os.geteuid())))
        self._file = os.path.join(self._path, RECORDS)
        self._read_only = read_only
        self._database: sqlite3.Connection | None = None
        if not HAS_SQLITE:
            raise self._unusable("this Python has no SQLite (module sqlite3)", "Use a Python that has it, or a PostgreSQL ledger.")

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def now(self) -> float:
        return time.time()

    def _rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        try:
            database = self._opened()
            return [] if database is None else database.execute(statement.text.format(""), statement.values).fetchall()
        except sqlite3.Error as error:
            raise self._unusable_for(error) from error

    def _write(self, *statements: Statement) -> bool:
        try:
            database = self._opened()
            if database is None or self._read_only:
                raise self._unusable("this run must not write to it")
            database.execute("BEGIN IMMEDIATE")
            try:
                for statement in statements:
                    if not database.execute(statement.text.format(""), statement.values).rowcount:
                        database.execute("ROLLBACK")
                        return False
                database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError as error:
            if str(error) in CONFLICTS:
                raise Duplicate from error
            raise self._unusable_for(error) from error
        except sqlite3.Error as error:
            raise self._unusable_for(error) from error
        return True

    def _opened(self) -> sqlite3.Connection | None:
        """Return the database; make it if it is missing, or return None if this run must not write."""
        if self._database is not None:
            return self._database
        self._check_folder()
        if not self._has_file():
            if self._read_only:
                return None
            self._make_file()
        # A run that only reads opens it for writing, too: it may have to roll back what a killed process left.
        database = sqlite3.connect(f"file://{quote(os.fsencode(self._file))}?mode=rw", uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)
        try:
            # A record must be on the disk before the first byte of its transfer is sent.
            database.execute("PRAGMA synchronous = FULL")
            self._check_version(database)
            if not self._read_only:
                # To truncate the journal is quicker than to delete it.
                database.execute("PRAGMA journal_mode = TRUNCATE")
        except BaseException:
            database.close()
            raise
        self._database = database
        return database

    def _check_version(self, database: sqlite3.Connection) -> None:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            raise self._unusable(f"{self._file} has no tables of this collection", RESTORE)
        if version != SCHEMA:
            raise self._unusable(f"another release of this collection made {self._file}", "Use that release, or name an empty folder.")

    def _check_folder(self) -> None:
        """Make the folder if it is missing and this run may write.

        Raises ``ledger_unavailable`` if it is not this user's alone, or if a run that writes could not make it.
        """
        try:
            if not self._read_only:
                with suppress(FileExistsError):
                    os.mkdir(self._path, 0o700)
            found = os.lstat(self._path)
        except FileNotFoundError as error:
            if self._read_only and os.access(os.path.dirname(os.path.abspath(self._path)), os.W_OK):
                return
            raise self._no_folder(error) from error
        except OSError as error:
            raise self._no_folder(error) from error
        if stat.S_ISLNK(found.st_mode):
            raise self._unusable(f"{self._path} is a symbolic link", "Name the folder that it points to.")
        if not stat.S_ISDIR(found.st_mode):
            raise self._unusable(f"{self._path} is not a folder", "Name a folder.")
        if found.st_uid != os.geteuid():
            raise self._unusable("the folder belongs to another user", "Run as that user, or use a PostgreSQL ledger for several users.")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise self._unusable("other users may use the folder", "Give it the mode 0700.")

    def _has_file(self) -> bool:
        """Return whether the file exists. Raises ``ledger_unavailable`` if it cannot be a whole ledger, or if that is
        unclear.
        """
        try:
            found = os.lstat(self._file)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(f"{self._file}: {error.strerror}", CHECK_RIGHTS) from error
        if stat.S_ISLNK(found.st_mode):
            raise self._unusable(f"{self._file} is a symbolic link", "Put the file itself there.")
        if not stat.S_ISREG(found.st_mode):
            raise self._unusable(f"{self._file} is not a file", "Remove it.")
        if found.st_uid != os.geteuid():
            raise self._unusable(f"{self._file} belongs to another user", "Give the file to this user.")
        if found.st_size == 0:
            raise self._unusable(f"{self._file} is empty, so its records are lost", RESTORE)
        return True

    def _make_file(self) -> None:
        """Make the file with its tables under another name first. Other runs never see half of it."""
        try:
            with tempfile.TemporaryDirectory(dir=self._path, prefix="new-") as folder:
                new = os.path.join(folder, RECORDS)
                database = sqlite3.connect(new, isolation_level=None)
                try:
                    database.executescript(f"BEGIN;{SCHEMA_SQL}COMMIT;")
                finally:
                    database.close()
                with suppress(FileExistsError):
                    os.link(new, self._file)
            handle = os.open(self._path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise self._unusable(f"{self._file}: {error.strerror}", CHECK_RIGHTS) from error

    def _damaged(self, record: str) -> KooDriveError:
        return self._unusable(f"the record {record} is damaged", RESTORE)

    def _no_folder(self, error: OSError) -> KooDriveError:
        if error.errno in NO_FOLDER:
            return self._unusable(f"{self._path}: {error.strerror}", "Name an absolute path whose parts are folders.")
        return self._unusable(f"{self._path}: {error.strerror}", "The folder cannot be made there: make it for this user, with the mode 0700.")

    def _unusable_for(self, error: sqlite3.Error) -> KooDriveError:
        text = str(error)
        return self._unusable(text, next((advice for words, advice in ADVICE.items() if words in text), CHECK_RIGHTS))

    def _unusable(self, why: str, advice: str = "") -> KooDriveError:
        return unavailable(f"in {self._path}", why, advice)
