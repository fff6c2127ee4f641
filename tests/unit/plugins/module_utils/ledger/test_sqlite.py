# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger of one machine: its folder and its file; test_ledger_stores.py has what it does."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import sqlite
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, STATES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import RECORDS, LocalStore
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD, in_threads, numbered, python

#: Ends itself in the middle of a commit: the journal is whole, and a part of the new pages is in the file.
KILLED_IN_A_COMMIT = """
import os, signal, sqlite3
database = sqlite3.connect({file!r}, isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE koodrive_transfers SET state = 'done', writer = writer || hex(zeroblob(50))")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture(name="store")
def fixture_store(folder: Path) -> Iterator[LocalStore]:
    store = LocalStore(str(folder))
    yield store
    store.close()


def test_no_file_stays_open(folder: Path) -> None:
    gc.disable()
    try:
        before = psutil.Process().num_fds()
        store = LocalStore(str(folder))
        assert store.append(RECORD)
        assert (folder / f"{RECORDS}-journal").stat().st_size == 0
        store.close()
        assert psutil.Process().num_fds() == before
        with sqlite3.connect(folder / RECORDS) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
        kept = refused(lambda: LocalStore(str(folder)).newest("t"))
        assert psutil.Process().num_fds() == before and "another release" in kept.what
    finally:
        gc.enable()


def refused(use: Callable[[], object]) -> KooDriveError:
    with pytest.raises(KooDriveError) as caught:
        use()
    assert caught.value.kind == "ledger_unavailable"
    assert caught.value.advice and "another folder" not in caught.value.advice.lower()
    return caught.value


def unavailable(folder: Path) -> KooDriveError:
    """Return the error of a folder that cannot be used. It is the same in check mode."""
    error, in_check_mode = (refused(lambda mode=mode: LocalStore(str(folder), read_only=mode).newest("t")) for mode in (False, True))
    assert (error.what, error.advice) == (in_check_mode.what, in_check_mode.advice)
    assert str(folder) in error.what
    return error


def test_the_folder_and_its_file_are_private_and_nothing_else_stays(store: LocalStore, folder: Path) -> None:
    store.append(RECORD)
    store.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} <= {RECORDS, f"{RECORDS}-journal"}


def test_check_mode_makes_nothing(folder: Path) -> None:
    store = LocalStore(str(folder), read_only=True)
    assert store.newest("t") is store.tenant_of("c") is None and store.transfers("t", STATES, 0, 9) == []
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    assert store.newest("t") is None and list(folder.iterdir()) == []


def test_a_folder_that_is_a_symlink_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link" in unavailable(folder).what
    for end in ("/", "//", "/.", "/./"):
        assert "is a symbolic link" in refused(lambda end=end: LocalStore(f"{folder}{end}").newest("t")).what
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("is_there", [False, True])
def test_a_file_that_is_a_symlink_is_not_followed(folder: Path, tmp_path: Path, is_there: bool) -> None:
    victim = tmp_path / "victim"
    if is_there:
        other = LocalStore(str(tmp_path / "other"))
        other.append(RECORD)
        other.close()
        shutil.copy(tmp_path / "other" / RECORDS, victim)
    folder.mkdir(mode=0o700)
    (folder / RECORDS).symlink_to(victim)
    assert f"{RECORDS} is a symbolic link" in unavailable(folder).what
    assert victim.exists() is is_there


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_use_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    error = unavailable(folder)
    assert "other users may use the folder" in error.what and "0700" in error.advice


def test_the_folder_or_file_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    another, lstat = os.geteuid() + 1, os.lstat

    def foreign(path: str, **more: Any) -> os.stat_result:
        found = lstat(path, **more)
        return os.stat_result((*found[:4], another, *found[5:])) if path == str(foreign_path) else found

    # Also where this user is root, who could use it.
    monkeypatch.setattr(sqlite.os, "lstat", foreign)
    foreign_path = folder
    assert "the folder belongs to another user" in unavailable(folder).what
    foreign_path = folder / RECORDS
    LocalStore(str(folder)).append(RECORD)
    assert f"{RECORDS} belongs to another user" in unavailable(folder).what


def test_a_place_that_is_no_folder_or_file_is_named(folder: Path) -> None:
    folder.write_text("")
    assert f"{folder} is not a folder" in unavailable(folder).what
    assert "Not a directory" in unavailable(folder / "below").what
    folder.unlink()
    (folder / RECORDS).mkdir(parents=True)
    folder.chmod(0o700)
    assert f"{RECORDS} is not a file" in unavailable(folder).what


def test_a_run_that_only_reads_sees_that_the_folder_cannot_be_made(folder: Path) -> None:
    assert LocalStore(f"{folder}/", read_only=True).newest("t") is None
    for read_only in (True, False):
        with pytest.raises(KooDriveError, match="No such file or directory") as failed:
            LocalStore(str(folder / "below"), read_only).newest("t")
        assert failed.value.kind == "ledger_unavailable" and "The folder cannot be made there" in failed.value.advice


def test_a_file_without_content_has_lost_its_records(store: LocalStore, folder: Path) -> None:
    store.append(RECORD)
    store.close()
    os.truncate(folder / RECORDS, 0)
    error = unavailable(folder)
    assert "is empty, so its records are lost" in error.what and "Restore it from a backup" in error.advice
    assert (folder / RECORDS).stat().st_size == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no database at all" * 1000, "file is not a database"), (b"SQLite format 3\0" + b"x" * 9000, ""), (b"x", "")],
)
def test_a_file_that_is_no_database_is_refused(folder: Path, content: bytes, words: str) -> None:
    folder.mkdir(mode=0o700)
    (folder / RECORDS).write_bytes(content)
    error = unavailable(folder)
    assert words in error.what and "Restore it from a backup" in error.advice
    assert (folder / RECORDS).read_bytes() == content


def changed_by_hand(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / RECORDS, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 0",
        "DROP TABLE koodrive_transfers",
        "ALTER TABLE koodrive_transfers RENAME read_call TO origin",
        "UPDATE koodrive_transfers SET writer = CAST(X'FF' AS TEXT)",
    ],
)
def test_a_database_without_the_tables_fails_with_advice_to_restore_it(store: LocalStore, folder: Path, statement: str) -> None:
    store.append(RECORD)
    store.close()
    changed_by_hand(folder, statement)
    assert "Restore it from a backup" in unavailable(folder).advice


def test_the_file_of_another_release_is_left_alone(store: LocalStore, folder: Path) -> None:
    store.append(RECORD)
    store.close()
    for version in (sqlite.SCHEMA - 1, sqlite.SCHEMA + 1):
        changed_by_hand(folder, f"PRAGMA user_version = {version}")
        before = (folder / RECORDS).read_bytes()
        assert "another release" in unavailable(folder).what
        assert (folder / RECORDS).read_bytes() == before


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%41b", "a b  c", "ü漢", "a?mode=memory", "b\udcff", "a&b;'\"", "new\nline"])
def test_a_path_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    with closing(LocalStore(str(tmp_path / name))) as store:
        store.append(RECORD)
    assert os.listdir(tmp_path) == [name] and (tmp_path / name / RECORDS).stat().st_size > 0
    with closing(LocalStore(str(tmp_path / name), read_only=True)) as store:
        assert store.newest("t") == RECORD


def test_a_path_with_two_slashes_is_a_path_like_any_other(folder: Path) -> None:
    for path in (f"/{folder}", f"//{folder}", f"{folder}/", str(folder)):
        with closing(LocalStore(path)) as store:
            newest = store.newest("t")
            assert store.append(numbered(1 if newest is None else newest.sequence + 1))
            store.end(store.transfers("t", STATES, 0, 1)[0], DONE, 0)
    assert newest is not None and newest.sequence == 3


@pytest.mark.parametrize("read_only", [True, False])
def test_what_a_process_left_that_was_killed_in_a_commit_is_rolled_back(store: LocalStore, folder: Path, read_only: bool) -> None:
    for number in range(1, 200):
        store.append(numbered(number))
    store.close()
    before = (folder / RECORDS).read_bytes()
    killed = KILLED_IN_A_COMMIT.format(file=str(folder / RECORDS))
    assert subprocess.run(**python(killed), check=False).returncode == -9
    assert (folder / RECORDS).read_bytes() != before and (folder / f"{RECORDS}-journal").stat().st_size > 0
    with closing(LocalStore(str(folder), read_only)) as reader:
        assert reader.newest("t") == numbered(199)
        assert len(reader.transfers("t", ("open",), 0, 999)) == 199
    assert (folder / RECORDS).read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_locked_file_is_waited_for_and_then_named(store: LocalStore, folder: Path, read_only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.3)
    store.append(RECORD)
    store.close()
    with closing(sqlite3.connect(folder / RECORDS, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        start = time.monotonic()
        error = refused(lambda: LocalStore(str(folder), read_only).newest("t"))
        assert 0.3 <= time.monotonic() - start < 5
        assert "database is locked" in error.what and "Another program has locked it" in error.advice
        other.execute("ROLLBACK")
        other.execute("BEGIN IMMEDIATE")
        # A program that only prepares to write does not block readers.
        with closing(LocalStore(str(folder), read_only)) as reader:
            assert reader.newest("t") == RECORD
            if not read_only:
                assert "has locked it" in refused(lambda: reader.end(RECORD, DONE, 0)).advice


def test_a_full_disk_is_named_and_nothing_is_written(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append(numbered(1))
    database = store._opened()
    assert database is not None
    database.execute(f"PRAGMA max_page_count = {database.execute('PRAGMA page_count').fetchone()[0]}")
    long = numbered(2, writer="w" * 99_999)
    error = refused(lambda: store.append(long, ends=DONE))
    assert "disk is full" in error.what and "Free space" in error.advice
    assert store.transfers("t", STATES, 0, 9) == [numbered(1)]
    database.execute("PRAGMA max_page_count = 99999")
    assert store.append(long, ends=DONE)


def test_processes_that_make_the_file_at_once_share_one(folder: Path) -> None:
    program = (
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import LocalStore\n"
        "from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD\n"
        "trace_id = input()\n"
        f"print(LocalStore({str(folder)!r}).append(RECORD._replace(trace_id=trace_id)))\n"
    )
    processes = [subprocess.Popen(**python(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _number in range(4)]
    printed = in_threads(4, lambda number: processes[number].communicate(f"{number}\n", timeout=60)[0].strip())
    assert sorted(printed) == ["False", "False", "False", "True"]
    assert {path.name for path in folder.iterdir()} <= {RECORDS, f"{RECORDS}-journal"}


def test_a_file_that_another_process_makes_meanwhile_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def overtaken(new: str, file: str) -> None:
        monkeypatch.undo()
        with closing(LocalStore(str(folder))) as other:
            other.append(RECORD)
        link(new, file)

    monkeypatch.setattr(sqlite.os, "link", overtaken)
    with closing(LocalStore(str(folder))) as store:
        assert store.newest("t") == RECORD


def test_a_place_that_cannot_be_written_to_is_named_with_the_way_out() -> None:
    error = refused(lambda: LocalStore("/sys/koodrive").newest("t"))
    assert "/sys/koodrive" in error.what and "make it for this user" in error.advice
    assert LocalStore("/sys/koodrive", read_only=True).newest("t") is None


def test_a_python_without_sqlite_is_named() -> None:
    program = (
        "import sys\n"
        "sys.modules['sqlite3'] = None\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of\n"
        "try:\n"
        "    with store_of('/nowhere', read_only=True) as store:\n"
        "        store.newest('t')\n"
        "except KooDriveError as error:\n"
        "    print(error.kind, error.what)\n"
    )
    printed = subprocess.run(**python(program), capture_output=True, text=True, check=True).stdout
    assert printed.startswith("ledger_unavailable") and "this Python has no SQLite" in printed
