# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger on this machine: its folder, which nobody else can use; test_ledger_stores.py has what it does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import ledger_local
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import STATES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_local import RECORDS, LocalStore
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture(name="store")
def fixture_store(folder: Path) -> Iterator[LocalStore]:
    store = LocalStore(str(folder))
    yield store
    store.close()


def test_the_folder_and_its_files_are_private(store: LocalStore, folder: Path) -> None:
    with store.turn("t", "somebody", 0):
        store.remember("c", "t")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.name for path in folder.iterdir()} >= {RECORDS}


def test_a_lock_that_was_cleaned_up_is_not_relied_on(store: LocalStore, folder: Path) -> None:
    with store.turn("t", "", 0):
        (lock,) = folder.glob("turn-*")
        lock.unlink()
        with store.turn("t", "", 0):
            third = LocalStore(str(folder))
            with pytest.raises(KooDriveError, match="for 0 seconds"), third.turn("t", "", 0):
                pass
            third.close()


def test_check_mode_makes_and_writes_nothing(folder: Path) -> None:
    store = LocalStore(str(folder), read_only=True)
    assert store.open_transfer("t") is store.tenant_of("c") is None and store.transfers("t", STATES, 0, 9) == []
    assert not folder.exists()
    LocalStore(str(folder)).begin(RECORD)
    assert store.open_transfer("t") is not None
    with pytest.raises(KooDriveError):
        store.remember("c", "t")
    store.close()


def unavailable(folder: Path) -> KooDriveError:
    with pytest.raises(KooDriveError) as caught:
        LocalStore(str(folder)).open_transfer("t")
    assert caught.value.kind == "ledger_unavailable"
    return caught.value


def test_a_symlink_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    unavailable(folder)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    folder.unlink()
    folder.mkdir(mode=0o700)
    (folder / RECORDS).symlink_to(tmp_path / "victim")
    unavailable(folder)
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_use_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    assert str(folder) in unavailable(folder).what


def test_the_folder_of_another_user_is_refused_and_let_go_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    another = os.geteuid() + 1
    # Also where this user is root, who could use it.
    monkeypatch.setattr(ledger_local.os, "geteuid", lambda: another)
    before = os.listdir("/dev/fd")
    assert "others can write or read there" in unavailable(folder).what
    assert len(os.listdir("/dev/fd")) == len(before)


def test_a_damaged_file_is_refused_by_its_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / RECORDS).write_bytes(b"no database at all" * 1000)
    assert "file is not a database" in unavailable(folder).what


def test_what_a_later_release_has_made_is_left_alone(store: LocalStore, folder: Path) -> None:
    store.begin(RECORD)
    with sqlite3.connect(folder / RECORDS) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    assert "later release" in unavailable(folder).what


def test_a_place_that_cannot_be_written_to_is_named_with_the_way_out() -> None:
    error = unavailable(Path("/sys/koodrive"))
    assert "/sys/koodrive" in error.what and "KOODRIVE_LEDGER" in error.advice
