# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger on this machine: turns, records, and a folder that nobody else can use."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import ledger_local
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import Move, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import DONE, NOT_DONE, OPEN, STATES, OpenTransfer, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_local import RECORDS, LocalStore
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}
RECORD = Record(
    tenant="t",
    origin_type="department",
    moves=(Move("group", 100), Move("individual", 7)),
    before={"department": Pool(2000, 400), "group": Pool(500, 500), "individual": Pool(10, 20)},
    source="allocation",
    writer="somebody@somewhere",
    trace_id="t" * 58,
    idempotency_key="A-1071",
)


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture(name="store")
def fixture_store(folder: Path) -> Iterator[LocalStore]:
    store = LocalStore(str(folder))
    yield store
    store.close()


def turn_refused(folder: Path, wait: float = 0) -> KooDriveError:
    store = LocalStore(str(folder))
    with pytest.raises(KooDriveError) as caught, store.turn("t", "the second", wait):
        pass
    store.close()
    return caught.value


def test_a_record_comes_back_as_it_was_written(store: LocalStore) -> None:
    before = time.time()
    begun = store.begin(RECORD)
    assert begun._replace(number=0, begun_at=0) == RECORD and begun.number == 1
    assert before - 0.1 <= begun.begun_at <= time.time() + 0.1
    assert store.open_transfer("t") == store.with_key("t", "A-1071") == begun
    store.end(begun.number, DONE)
    assert store.open_transfer("t") is None
    (ended,) = store.transfers("t", STATES, 0, 10)
    assert ended.state == DONE and ended.ended_at is not None and ended.ended_at >= begun.begun_at


def test_a_record_is_there_for_others_as_soon_as_it_is_begun(store: LocalStore, folder: Path) -> None:
    store.begin(RECORD)
    program = (
        "import sys\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_local import LocalStore\n"
        f"print(LocalStore({str(folder)!r}).open_transfer('t').trace_id)"
    )
    root = Path(ledger_local.__file__).parents[5]
    printed = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == RECORD.trace_id


def test_there_is_one_open_transfer_per_tenant(store: LocalStore) -> None:
    begun = store.begin(RECORD)
    with pytest.raises(OpenTransfer):
        store.begin(RECORD._replace(idempotency_key=None))
    store.begin(RECORD._replace(tenant="another"))
    store.end(begun.number, NOT_DONE)
    assert store.begin(RECORD).number == 3


def test_a_key_is_used_once_unless_nothing_came_of_it(store: LocalStore) -> None:
    first = store.begin(RECORD)
    store.end(first.number, NOT_DONE)
    assert store.with_key("t", "A-1071") is None
    second = store.begin(RECORD)
    store.end(second.number, DONE)
    with pytest.raises(OpenTransfer):
        store.begin(RECORD)
    found = store.with_key("t", "A-1071")
    assert found is not None and found.state == DONE


def test_what_has_ended_does_not_end_again(store: LocalStore) -> None:
    begun = store.begin(RECORD)
    store.end(begun.number, DONE)
    store.end(begun.number, NOT_DONE)
    assert store.transfers("t", (DONE,), 0, 1)[0].number == begun.number


def test_transfers_are_listed_newest_first_as_asked_for(store: LocalStore) -> None:
    for number, state in enumerate((DONE, NOT_DONE, DONE, OPEN), 1):
        store.begin(RECORD._replace(idempotency_key=None, trace_id=str(number)))
        if state != OPEN:
            store.end(number, state)
    store.begin(RECORD._replace(tenant="another"))
    assert [record.trace_id for record in store.transfers("t", STATES, 0, 3)] == ["4", "3", "2"]
    assert [record.trace_id for record in store.transfers("t", (DONE,), 0, 9)] == ["3", "1"]
    assert store.transfers("t", STATES, time.time() + 60, 9) == []


def test_a_credential_is_remembered_once(store: LocalStore) -> None:
    assert store.tenant_of("c") is None
    store.remember("c", "t")
    store.remember("c", "another")
    assert store.tenant_of("c") == "t"


def test_the_folder_and_its_files_are_private(store: LocalStore, folder: Path) -> None:
    with store.turn("t", "somebody", 0):
        store.begin(RECORD)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.name for path in folder.iterdir()} >= {RECORDS}


def test_one_at_a_time_and_the_wait_has_an_end_that_says_who_has_the_turn(store: LocalStore, folder: Path) -> None:
    with store.turn("t", "root@here, trace ID x", 0):
        start = time.monotonic()
        error = turn_refused(folder, 0.3)
        assert 0.3 <= time.monotonic() - start < 2
        assert error.kind == "busy" and "it is the turn of root@here, trace ID x since 20" in error.what
    with store.turn("t", "again", 0), LocalStore(str(folder)).turn("another", "somebody", 0):
        pass


def test_an_error_ends_the_turn(store: LocalStore) -> None:
    with pytest.raises(ZeroDivisionError), store.turn("t", "", 0):
        raise ZeroDivisionError
    with store.turn("t", "", 0):
        pass


def test_the_next_one_gets_its_turn(store: LocalStore, folder: Path) -> None:
    order = []

    def second() -> None:
        other = LocalStore(str(folder))
        with other.turn("t", "second", 5):
            order.append("second")
        other.close()

    with store.turn("t", "first", 0):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_killed_process_leaves_no_turn(store: LocalStore, folder: Path) -> None:
    program = (
        "import time\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_local import LocalStore\n"
        f"with LocalStore({str(folder)!r}).turn('t', 'killed', 0):\n"
        "    print('mine', flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(ledger_local.__file__).parents[5]
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)})
    with process:
        assert process.stdout and process.stdout.readline() == b"mine\n"
        assert turn_refused(folder).kind == "busy"
        process.kill()
    with store.turn("t", "", 0):
        pass


def test_a_lock_that_was_cleaned_up_is_not_relied_on(store: LocalStore, folder: Path) -> None:
    with store.turn("t", "", 0):
        (lock,) = folder.glob("turn-*")
        lock.unlink()
        with store.turn("t", "", 0):
            assert turn_refused(folder).kind == "busy"


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


def test_tasks_take_turns_from_reading_to_verification(koodrive: KooDriveForTests) -> None:
    koodrive.state.delay = 0.02
    results = []
    threads = [threading.Thread(target=lambda: results.append(koodrive.run(GROUP))) for _thread in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result["changed"] for result in results) == [False] * 4 + [True]
    assert koodrive.methods() == ["GET", "POST", "GET"] + ["GET"] * 4
    assert koodrive.totals()["group"] == 600


def test_the_turn_lasts_until_a_lost_reply_is_cleared_up(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="late", reply="reset", seconds=0.4))
    first = threading.Thread(target=koodrive.run, args=(GROUP,), kwargs={"verify_timeout": 5})
    first.start()
    time.sleep(0.1)
    assert not koodrive.run(GROUP)["changed"]
    first.join()
    assert koodrive.totals()["group"] == 600
