# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store of the ledger does: records, turns, and runs that keep to them."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import DONE, GIVEN_UP, NOT_DONE, OPEN, STATES, OpenTransfer, Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.stores import store_of
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD, in_threads, python

GROUP = {"type": "group", "total_capacity": 600}
NewStore = Callable[[], Store]


@pytest.fixture(name="ledger", params=["local", "postgresql"])
def fixture_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The option ledger, for each of the stores."""
    if request.param == "local":
        return str(tmp_path / "ledger")
    server, database = request.getfixturevalue("postgresql"), request.getfixturevalue("database")
    url: str = server.url(database, database)
    return url


@pytest.fixture(name="new_store")
def fixture_new_store(ledger: str) -> Iterator[NewStore]:
    with ExitStack() as opened:
        yield lambda: opened.enter_context(store_of(ledger, read_only=False))


@pytest.fixture(name="store")
def fixture_store(new_store: NewStore) -> Store:
    return new_store()


def turn_refused(store: Store, wait: float = 0) -> KooDriveError:
    with pytest.raises(KooDriveError) as caught, store.turn("t", "the second", wait):
        pass
    return caught.value


def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    before = time.time()
    begun = store.begin(RECORD)
    assert begun._replace(number=0, begun_at=0) == RECORD and begun.number == 1
    assert before - 0.1 <= begun.begun_at <= store.now() <= time.time() + 0.1
    assert store.open_transfer("t") == store.with_key("t", "A-1071") == begun
    store.end(begun.number, DONE)
    assert store.open_transfer("t") is None
    (ended,) = store.transfers("t", STATES, 0, 10)
    assert ended.state == DONE and ended.ended_at is not None and ended.ended_at >= begun.begun_at


def test_text_of_any_kind_comes_back(store: Store) -> None:
    odd = RECORD._replace(tenant="Zürich '; -- %s ? 漢字 😀", writer="ü\\\"'?%@h", idempotency_key="%s?'\"\\")
    begun = store.begin(odd)
    assert store.open_transfer(odd.tenant) == store.with_key(odd.tenant, "%s?'\"\\") == begun
    assert begun._replace(number=0, begun_at=0) == odd
    with store.turn(odd.tenant, odd.writer, 0):
        store.remember(odd.writer, odd.tenant)
    assert store.tenant_of(odd.writer) == odd.tenant


def test_a_record_is_there_for_others_as_soon_as_it_is_begun(store: Store, ledger: str) -> None:
    store.begin(RECORD)
    printed = subprocess.run(
        **python(
            "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.stores import store_of\n"
            f"with store_of({ledger!r}, True) as store: print(store.open_transfer('t').trace_id)"
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == RECORD.trace_id


def test_there_is_one_open_transfer_per_tenant(store: Store, new_store: NewStore) -> None:
    begun = store.begin(RECORD)
    for other in (store, new_store()):
        with pytest.raises(OpenTransfer):
            other.begin(RECORD._replace(idempotency_key=None))
    store.begin(RECORD._replace(tenant="another"))
    store.end(begun.number, NOT_DONE)
    assert store.begin(RECORD).number > begun.number


def test_of_many_that_begin_at_once_one_does(ledger: str, store: Store) -> None:
    # The tables, too, are made by one of them.
    def begin(number: int) -> str:
        with store_of(ledger, read_only=False) as one:
            try:
                return one.begin(RECORD._replace(trace_id=f"{number}")).trace_id
            except OpenTransfer:
                return ""

    begun = in_threads(8, begin)
    (first,) = [trace_id for trace_id in begun if trace_id]
    assert store.open_transfer("t").trace_id == first


def test_a_record_that_others_have_settled_already_is_not_begun(store: Store, new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    # As where turns were lost: between what begin() writes and what it reads, others settle that and begin their own.
    read = store.open_transfer

    def overtaken(tenant: str) -> object:
        monkeypatch.undo()
        other = new_store()
        other.end(read(tenant).number, NOT_DONE)
        other.begin(RECORD._replace(trace_id="other", idempotency_key=None))
        return read(tenant)

    monkeypatch.setattr(store, "open_transfer", overtaken)
    with pytest.raises(OpenTransfer):
        store.begin(RECORD)
    assert read("t").trace_id == "other"


@pytest.mark.parametrize("state", [DONE, GIVEN_UP])
def test_a_key_is_used_once_unless_nothing_came_of_it(store: Store, state: str) -> None:
    first = store.begin(RECORD)
    store.end(first.number, NOT_DONE)
    assert store.with_key("t", "A-1071") is None
    second = store.begin(RECORD)
    store.end(second.number, state)
    with pytest.raises(OpenTransfer):
        store.begin(RECORD)
    assert store.with_key("t", "A-1071").state == state
    assert store.with_key("another", "A-1071") is store.with_key("t", "a-1071") is None


def test_what_has_ended_does_not_end_again(store: Store) -> None:
    begun = store.begin(RECORD)
    store.end(begun.number, DONE)
    store.end(begun.number, NOT_DONE)
    assert store.transfers("t", (DONE,), 0, 1)[0].number == begun.number


def test_transfers_are_listed_newest_first_as_asked_for(store: Store) -> None:
    for number, state in enumerate((DONE, NOT_DONE, DONE, OPEN), 1):
        begun = store.begin(RECORD._replace(idempotency_key=None, trace_id=str(number)))
        if state != OPEN:
            store.end(begun.number, state)
    store.begin(RECORD._replace(tenant="another"))
    assert [record.trace_id for record in store.transfers("t", STATES, 0, 3)] == ["4", "3", "2"]
    assert [record.trace_id for record in store.transfers("t", (DONE,), 0, 9)] == ["3", "1"]
    assert store.transfers("t", STATES, time.time() + 60, 9) == []


def test_a_credential_is_remembered_once(store: Store) -> None:
    assert store.tenant_of("c") is None
    store.remember("c", "t")
    store.remember("c", "another")
    assert store.tenant_of("c") == "t"


def test_check_mode_makes_and_writes_nothing(ledger: str, store: Store) -> None:
    with store_of(ledger, read_only=True) as reader:
        assert reader.open_transfer("t") is reader.tenant_of("c") is None and reader.transfers("t", STATES, 0, 9) == []
        assert abs(reader.now() - time.time()) < 60
        store.begin(RECORD)
    with store_of(ledger, read_only=True) as reader:
        assert reader.open_transfer("t") is not None


def test_one_at_a_time_and_the_wait_has_an_end_that_says_who_has_the_turn(store: Store, new_store: NewStore) -> None:
    with store.turn("t", "somebody-with-a-longer-name@here, trace ID x", 0):
        pass
    with store.turn("t", "root@here, trace ID x", 0):
        start = time.monotonic()
        error = turn_refused(new_store(), 0.3)
        assert 0.3 <= time.monotonic() - start < 2
        assert error.kind == "busy" and "it is the turn of root@here, trace ID x since 20" in error.what
    with store.turn("t", "again", 0):
        pass


def test_a_full_disk_takes_no_turn_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with store_of(str(tmp_path / "ledger"), read_only=False) as store, store_of(str(tmp_path / "ledger"), read_only=False) as other:
        for function in ("pwrite", "truncate"):
            with monkeypatch.context() as patched:
                patched.setattr(os, function, full)
                with store.turn("t", "the first", 0):
                    assert turn_refused(other).kind == "busy"


def test_tenants_do_not_wait_for_each_other(store: Store, new_store: NewStore) -> None:
    with store.turn("t", "one", 0), new_store().turn("another", "two", 0):
        assert turn_refused(new_store()).kind == "busy"


def test_an_error_ends_the_turn(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.turn("t", "", 0):
        raise ZeroDivisionError
    with store.turn("t", "", 0):
        pass


def test_the_next_one_gets_its_turn(store: Store, ledger: str) -> None:
    order = []

    def second() -> None:
        with store_of(ledger, read_only=False) as other, other.turn("t", "second", 5):
            order.append("second")

    with store.turn("t", "first", 0):
        thread = threading.Thread(target=second)
        thread.start()
        # Longer than those who wait at a database keep a connection.
        time.sleep(1.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_many_take_turns(ledger: str) -> None:
    inside = []

    def take(number: int) -> int:
        with store_of(ledger, read_only=False) as store, store.turn("t", f"{number}", 20):
            inside.append(number)
            time.sleep(0.02)
            assert inside.pop() == number and not inside
        return number

    assert sorted(in_threads(10, take)) == list(range(10))


def test_a_killed_process_leaves_no_turn(store: Store, ledger: str) -> None:
    process = subprocess.Popen(
        **python(
            "import time\n"
            "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.stores import store_of\n"
            f"with store_of({ledger!r}, False) as store, store.turn('t', 'killed', 0):\n"
            "    print('mine', flush=True)\n"
            "    time.sleep(60)\n"
        ),
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"mine\n"
        assert turn_refused(store).kind == "busy"
        process.kill()
    with store.turn("t", "", 5):
        pass


def test_tasks_take_turns_from_reading_to_verification(koodrive: KooDriveForTests, ledger: str) -> None:
    koodrive.state.delay = 0.02
    results = in_threads(5, lambda _number: koodrive.run(GROUP, ledger=ledger))
    assert sorted(result["changed"] for result in results) == [False] * 4 + [True]
    assert koodrive.methods() == ["GET", "POST", "GET"] + ["GET"] * 4
    assert koodrive.totals()["group"] == 600


def test_the_turn_lasts_until_a_lost_reply_is_cleared_up(koodrive: KooDriveForTests, ledger: str) -> None:
    koodrive.script(Fault(), Fault(apply="late", reply="reset", seconds=0.4))
    first = threading.Thread(target=koodrive.run, args=(GROUP,), kwargs={"verify_timeout": 5, "ledger": ledger})
    first.start()
    while "POST" not in koodrive.methods():
        time.sleep(0.01)
    assert not koodrive.run(GROUP, ledger=ledger)["changed"]
    first.join()
    assert koodrive.totals()["group"] == 600
