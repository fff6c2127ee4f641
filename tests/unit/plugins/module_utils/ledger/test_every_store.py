# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store of the ledger does."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, GIVEN_UP, NOT_DONE, OPEN, STATES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Statement, Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD, by_hand, in_threads, numbered, python

NOW = RECORD.begun_at + 20
NewStore = Callable[[], Store]


@pytest.fixture(name="new_store")
def fixture_new_store(ledger: str) -> Iterator[NewStore]:
    with ExitStack() as opened:
        yield lambda: opened.enter_context(store_of(ledger, read_only=False))


@pytest.fixture(name="store")
def fixture_store(new_store: NewStore) -> Store:
    return new_store()


def stored(store: Store) -> list[tuple[int, str]]:
    """Return the number and the state of all records, newest first."""
    return [(record.sequence, record.state) for record in store.transfers("t", STATES, 0, 99)]


def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    assert store.newest("t") is None
    assert store.append(RECORD)
    assert store.newest("t") == store.with_key("t", "A-1071") == RECORD
    assert store.transfers("t", STATES, 0, 10) == [RECORD] and store.is_open(RECORD)


def test_a_write_says_whether_it_changed_a_row(store: Store) -> None:
    assert store.append(RECORD)
    ending = Statement("UPDATE {}koodrive_transfers SET state = 'done' WHERE tenant = ? AND state = 'open'", (RECORD.tenant,))
    assert store._write(ending) is True and store._write(ending) is False


def test_text_of_any_kind_comes_back(store: Store) -> None:
    odd = RECORD._replace(tenant="Zürich '; -- %s ? {} 漢字 😀", writer="ü\\\"'?%@h{}", idempotency_key="%s?'\"\\{}")
    assert store.append(odd)
    assert store.newest(odd.tenant) == store.with_key(odd.tenant, "%s?'\"\\{}") == odd
    assert store.end(odd, DONE, NOW) == DONE
    store.remember(odd.writer, odd.tenant)
    assert store.tenant_of(odd.writer) == odd.tenant


def test_a_record_is_there_for_others_as_soon_as_it_is_appended(store: Store, ledger: str) -> None:
    store.append(RECORD)
    program = (
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of\n"
        f"with store_of({ledger!r}, True) as store: print(store.newest('t').trace_id)"
    )
    printed = subprocess.run(**python(program), capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == RECORD.trace_id


def test_a_record_outlives_the_killed_process_that_appended_it(store: Store, ledger: str) -> None:
    program = (
        "import os, signal\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of\n"
        "from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD\n"
        f"with store_of({ledger!r}, False) as store:\n"
        "    assert store.append(RECORD)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run(**python(program), check=False).returncode == -9
    assert store.newest("t") == RECORD


def test_each_number_is_given_once(store: Store, new_store: NewStore) -> None:
    assert store.append(numbered(1))
    store.end(numbered(1), NOT_DONE, NOW)
    for other in (store, new_store()):
        assert not other.append(numbered(1, trace_id="another"))
    assert store.append(numbered(2))
    assert store.append(numbered(1, tenant="another"))
    assert store.newest("t") == numbered(2)


def test_of_many_that_append_at_once_one_does(ledger: str, store: Store) -> None:
    # One of them makes the tables, too.
    def append(number: int) -> str:
        with store_of(ledger, read_only=False) as one:
            return str(number) if one.append(RECORD._replace(trace_id=str(number), idempotency_key=f"{number}")) else ""

    (winner,) = filter(None, in_threads(8, append))
    assert [record.trace_id for record in store.transfers("t", STATES, 0, 9)] == [winner]


def test_many_append_one_after_the_other_without_a_gap(ledger: str, store: Store) -> None:
    def append(number: int) -> None:
        with store_of(ledger, read_only=False) as one:
            while True:
                newest = one.newest("t")
                if newest is not None and newest.state == OPEN:
                    time.sleep(0.005)
                    continue
                mine = numbered(1 if newest is None else newest.sequence + 1, trace_id=f"of {number}")
                if one.append(mine):
                    assert one.end(mine, DONE, NOW) == DONE
                    return

    in_threads(6, append)
    assert stored(store) == [(number, DONE) for number in range(6, 0, -1)]


def test_the_end_of_one_record_and_the_next_are_one_transaction(store: Store) -> None:
    store.append(numbered(1))
    assert store.append(numbered(2), ends=NOT_DONE)
    first = store.transfers("t", (NOT_DONE,), 0, 1)[0]
    assert first == numbered(1, state=NOT_DONE, ended_at=numbered(2).begun_at)
    assert store.newest("t") == numbered(2)


def test_nothing_is_written_if_the_record_before_is_no_longer_open(store: Store, new_store: NewStore) -> None:
    store.append(numbered(1))
    new_store().end(numbered(1), DONE, NOW)
    assert not store.append(numbered(2), ends=NOT_DONE)
    assert stored(store) == [(1, DONE)]


def test_the_record_before_stays_open_if_the_next_cannot_be_appended(store: Store) -> None:
    store.append(RECORD)
    store.end(RECORD, DONE, NOW)
    store.append(numbered(2))
    # Its key is used.
    assert not store.append(RECORD._replace(sequence=3), ends=DONE)
    assert stored(store) == [(2, OPEN), (1, DONE)]


@pytest.mark.parametrize("state", [OPEN, DONE, GIVEN_UP])
def test_a_key_is_used_once_unless_nothing_came_of_it(store: Store, state: str) -> None:
    store.append(RECORD)
    assert store.end(RECORD, NOT_DONE, NOW) == NOT_DONE
    assert store.with_key("t", "A-1071") is None
    second = RECORD._replace(sequence=2)
    assert store.append(second)
    if state != OPEN:
        store.end(second, state, NOW)
    assert not store.append(RECORD._replace(sequence=3))
    found = store.with_key("t", "A-1071")
    assert found is not None and (found.sequence, found.state) == (2, state)
    assert store.with_key("another", "A-1071") is store.with_key("t", "a-1071") is None
    assert store.append(RECORD._replace(tenant="another"))


def test_a_record_ends_once_and_a_late_writer_gets_the_stored_state(store: Store, new_store: NewStore) -> None:
    store.append(RECORD)
    assert new_store().end(RECORD, DONE, NOW) == DONE
    assert not store.is_open(RECORD)
    assert store.end(RECORD, NOT_DONE, NOW + 1) == DONE
    assert store.release(RECORD, True) == DONE
    assert store.newest("t") == RECORD._replace(state=DONE, ended_at=NOW)


def test_of_many_that_end_a_record_one_decides(ledger: str, store: Store) -> None:
    store.append(RECORD)

    def end(number: int) -> str:
        with store_of(ledger, read_only=False) as one:
            return one.end(RECORD, (DONE, NOT_DONE, GIVEN_UP)[number % 3], NOW)

    newest = (in_threads(6, end), store.newest("t"))
    assert newest[1] is not None and set(newest[0]) == {newest[1].state}


@pytest.mark.parametrize("accepted", [True, False])
def test_a_writer_gives_the_rest_of_its_time_back(store: Store, accepted: bool) -> None:
    store.append(RECORD)
    assert store.release(RECORD, accepted) == OPEN
    assert store.newest("t") == RECORD._replace(busy_until=0.0, accepted=accepted)


def test_a_deleted_record_is_given_up(store: Store, ledger: str) -> None:
    store.append(RECORD)
    by_hand(ledger, "DELETE FROM {}koodrive_transfers")
    assert not store.is_open(RECORD)
    assert store.end(RECORD, DONE, NOW) == store.release(RECORD, False) == GIVEN_UP
    assert not store.append(numbered(2), ends=DONE)


def test_transfers_are_listed_newest_first_as_asked_for(store: Store) -> None:
    for number, state in enumerate((DONE, NOT_DONE, DONE, OPEN), 1):
        store.append(numbered(number, begun_at=100.0 * number))
        if state != OPEN:
            store.end(numbered(number), state, NOW)
    store.append(numbered(1, tenant="another"))
    assert [record.sequence for record in store.transfers("t", STATES, 0, 3)] == [4, 3, 2]
    assert [record.sequence for record in store.transfers("t", (DONE,), 0, 9)] == [3, 1]
    assert [record.sequence for record in store.transfers("t", STATES, 300, 9)] == [4, 3]
    assert store.transfers("t", STATES, 401, 9) == []


def test_a_credential_is_remembered_once(store: Store) -> None:
    assert store.tenant_of("c") is None
    store.remember("c", "t")
    store.remember("c", "another")
    assert store.tenant_of("c") == "t"


def test_check_mode_writes_nothing_and_sees_what_others_write(ledger: str, store: Store) -> None:
    with store_of(ledger, read_only=True) as reader:
        assert reader.newest("t") is reader.tenant_of("c") is reader.with_key("t", "k") is None
        assert reader.transfers("t", STATES, 0, 9) == [] and abs(reader.now() - time.time()) < 60
        # Nothing was made, but another run makes the tables.
        store.append(RECORD)
        assert reader.newest("t") == RECORD
        writes: list[Callable[[], object]] = [
            lambda: reader.append(numbered(2)),
            lambda: reader.end(RECORD, DONE, NOW),
            lambda: reader.release(RECORD, accepted=False),
            lambda: reader.remember("c", "t"),
        ]
        for write in writes:
            with pytest.raises(KooDriveError, match="this run must not write to it"):
                write()
    assert store.transfers("t", STATES, 0, 9) == [RECORD] and store.tenant_of("c") is None


def test_a_field_of_pools_that_a_later_release_has_added_is_left_out(store: Store, ledger: str) -> None:
    store.append(RECORD)
    pools = json.dumps({name: {**pool._asdict(), "of_a_later_release": 7} for name, pool in RECORD.before.items()})
    by_hand(ledger, f"UPDATE {{}}koodrive_transfers SET pools_before = '{pools.replace('{', '{{').replace('}', '}}')}'")
    assert store.newest("t") == RECORD


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("moves", value) for value in ("", "{{", "null", "7", '[["group"]]', '[["group", "x"]]', '[["group", Infinity]]', '[["elsewhere", 7]]')),
        *(
            ("pools_before", value)
            for value in (
                "",
                '{{"group": [5',
                "[]",
                "{{}}",
                '{{"department": 7}}',
                '{{"department": {{"total_capacity": 1}}}}',
                '{{"department": {{"other": 1}}}}',
                "[" * 100_000,
            )
        ),
        ("state", "odd"),
        *((column, "253402300800") for column in ("begun_at", "busy_until", "settle_time", "ended_at")),
    ],
)
def test_a_damaged_record_is_named(store: Store, ledger: str, column: str, value: str, read_only: bool) -> None:
    store.append(RECORD)
    by_hand(ledger, f"UPDATE {{}}koodrive_transfers SET {column} = '{value}'")
    with store_of(ledger, read_only) as reader:
        reads: list[Callable[[], object]] = [lambda: reader.newest("t"), lambda: reader.transfers("t", (*STATES, "odd"), 0, 9)]
        for read in reads:
            with pytest.raises(KooDriveError) as caught:
                read()
            assert caught.value.kind == "ledger_unavailable"
            assert caught.value.what.endswith("cannot be used: the record 1 of the tenant t is damaged"), caught.value.what
            assert "from a backup" in caught.value.advice


def test_a_rule_of_an_administrator_is_no_conflict(store: Store, ledger: str) -> None:
    store.append(numbered(1))
    store.end(numbered(1), DONE, NOW)
    by_hand(ledger, "CREATE UNIQUE INDEX one_writer ON {}koodrive_transfers (writer)")
    with pytest.raises(KooDriveError) as caught:
        store.append(numbered(2))
    assert caught.value.kind == "ledger_unavailable" and "unique constraint" in caught.value.what.lower()
    assert stored(store) == [(1, DONE)]
