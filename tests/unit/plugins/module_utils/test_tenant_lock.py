# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns: between threads and between processes, real locks in a folder of the test's own."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import tenant_lock
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.tenant_lock import turn
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

GROUP = {"type": "group", "total_capacity": 600}


@pytest.fixture(autouse=True, name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tenant_lock, "FOLDER", str(tmp_path))
    return tmp_path / f"huaweicloud.koodrive-{os.geteuid()}"


def refusal(wait: float = 0) -> KooDriveError:
    with pytest.raises(KooDriveError) as caught:
        with turn("tenant", wait):
            pass
    return caught.value


def test_the_lock_is_private_and_holds_nothing(folder: Path) -> None:
    with turn("https://example.org s3cret", 0):
        (lock,) = folder.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700 and lock.stat().st_mode & 0o777 == 0o600
        assert lock.read_bytes() == b"" and "s3cret" not in lock.name


def test_one_at_a_time_and_the_wait_has_an_end() -> None:
    with turn("tenant", 0):
        start = time.monotonic()
        error = refusal(0.3)
        assert 0.3 <= time.monotonic() - start < 1
        assert error.kind == "rate_limited"
        assert error.as_result()["msg"].startswith("Waiting for this task's turn failed: for 0.3 seconds, other tasks")
    with turn("tenant", 0):
        pass


def test_an_error_ends_the_turn() -> None:
    with pytest.raises(ZeroDivisionError):
        with turn("tenant", 0):
            raise ZeroDivisionError
    with turn("tenant", 0):
        pass


def test_tenants_do_not_wait_for_each_other() -> None:
    with turn("tenant", 0), turn("another tenant", 0):
        pass


def test_the_next_one_gets_its_turn() -> None:
    order = []

    def second() -> None:
        with turn("tenant", 5):
            order.append("second")

    with turn("tenant", 0):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_killed_process_leaves_no_lock(folder: Path) -> None:
    program = (
        "import sys, time\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils import tenant_lock\n"
        f"tenant_lock.FOLDER = {str(folder.parent)!r}\n"
        "with tenant_lock.turn('tenant', 0):\n"
        "    print('mine', flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(tenant_lock.__file__).parents[5]
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    )
    with process:
        assert process.stdout and process.stdout.readline() == b"mine\n"
        assert refusal().kind == "rate_limited"
        process.kill()
    with turn("tenant", 0):
        pass


def test_a_lock_that_was_cleaned_up_is_not_relied_on(folder: Path) -> None:
    with turn("tenant", 0):
        (lock,) = folder.iterdir()
        lock.unlink()
        with turn("tenant", 0):
            assert refusal().kind == "rate_limited"


def test_a_lock_that_is_cleaned_up_while_it_is_waited_for_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = tenant_lock.fcntl.flock

    def clean_up_first(lock: int, how: int) -> None:
        monkeypatch.undo()
        monkeypatch.setattr(tenant_lock, "FOLDER", str(folder.parent))
        next(folder.iterdir()).unlink()
        flock(lock, how)

    monkeypatch.setattr(tenant_lock.fcntl, "flock", clean_up_first)
    with turn("tenant", 0):
        assert refusal().kind == "rate_limited"


def test_a_symlink_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    error = refusal()
    assert error.kind == "invalid_request" and "Remove what is there" in error.advice
    assert list((tmp_path / "elsewhere").iterdir()) == []
    folder.unlink()
    with turn("tenant", 0):
        (lock,) = folder.iterdir()
    lock.unlink()
    victim = tmp_path / "victim"
    lock.symlink_to(victim)
    assert refusal().kind == "invalid_request"
    assert not victim.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_use_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    error = refusal()
    assert error.kind == "invalid_request" and str(folder) in error.what


def test_the_folder_of_another_user_is_refused_and_let_go_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    another = os.geteuid() + 1
    folder.rename(folder.with_name(f"huaweicloud.koodrive-{another}"))
    # Also where this user is root, who could use it.
    monkeypatch.setattr(tenant_lock.os, "geteuid", lambda: another)
    before = os.listdir("/dev/fd")
    error = refusal()
    assert error.kind == "invalid_request" and "others can write or read there" in error.what
    assert len(os.listdir("/dev/fd")) == len(before)


def test_something_else_in_its_place_is_refused(folder: Path) -> None:
    folder.write_text("")
    assert refusal().kind == "invalid_request"


def test_a_place_that_cannot_be_written_to_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_lock, "FOLDER", "/sys")
    told = refusal().as_result()["msg"]
    assert f"the lock /sys/huaweicloud.koodrive-{os.geteuid()} by which" in told
    assert "Let this user write to /sys, in a container by mounting a tmpfs there, and run again." in told


def test_a_lock_that_cannot_be_written_is_named_with_its_whole_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with turn("tenant", 0):
        (lock,) = folder.iterdir()
    lock.unlink()
    real = os.open

    def read_only(path: str, flags: int, *mode: int, **more: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *mode, **more)

    monkeypatch.setattr(tenant_lock.os, "open", read_only)
    told = refusal().as_result()["msg"]
    assert f"the lock {lock} by which tasks take turns cannot be used: Read-only file system." in told
    assert f"Let this user write to {folder.parent}" in told


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


def test_check_mode_takes_no_turn(koodrive: KooDriveForTests) -> None:
    with turn(f"{koodrive.endpoint} {TOKEN}", 0):
        assert koodrive.run(GROUP, check_mode=True)["changed"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"user_id": "user-9"}, "user-9"),
        ({}, TOKEN),
        (KooDriveForTests.app, "app-1"),
    ],
)
def test_how_a_tenant_is_known(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], name: str
) -> None:
    asked_for = []
    monkeypatch.setattr(tenant_lock, "_locked", lambda _folder, _path, file, _deadline: asked_for.append(file))
    result = koodrive.failure(GROUP, **options)
    assert result["error"]["kind"] == "rate_limited" and koodrive.methods() == []
    assert asked_for == [tenant_lock.hashlib.sha256(f"{koodrive.endpoint} {name}".encode()).hexdigest()]
