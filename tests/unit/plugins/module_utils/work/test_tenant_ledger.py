# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test several runs with one ledger: the transfer as a function, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import AppAuth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import Caller, seconds_since_boot
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import sqlite
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, GIVEN_UP, NOT_DONE, OPEN, STATES, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import LocalStore
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import outcome_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work import moving, tenant_ledger
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import transfer_capacity
from ansible_collections.huaweicloud.koodrive.tests.simulator import credentials
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD, by_hand

GROUP = {"type": "group", "total_capacity": 700}
TEN = {"type": "group", "expand_capacity": 10}
TENANT = {"tenant": "ours"}
LATE = Fault(apply="late", reply="reset", seconds=2.0)
QUICK = {"timeout": 3, "verify_timeout": 0.2, **TENANT}
INTERLOPER = {"originType": 0, "target": [{"type": 1, "expandCapacity": 30}]}


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)


def records(koodrive: KooDriveForTests) -> list[Record]:
    """Return the tenant's records in the ledger, newest first."""
    store = LocalStore(koodrive.ledger)
    found = store.transfers("ours", STATES, 0, 100)
    store.close()
    return found


def states(koodrive: KooDriveForTests) -> list[str]:
    return [record.state for record in records(koodrive)]


def writes(koodrive: KooDriveForTests) -> int:
    return koodrive.methods().count("POST")


@pytest.mark.parametrize("path", ["module", "check"])
def test_a_relaunch_after_a_lost_reply_does_not_move_twice(koodrive: KooDriveForTests, path: str) -> None:
    koodrive.script(Fault(), LATE)
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "outcome_unknown"
    assert states(koodrive) == [OPEN]
    again = koodrive.failure(GROUP, check_mode=path == "check", **QUICK)
    assert again["error"]["kind"] == "open_transfer" and ADVICE["open_transfer"] in again["msg"]
    (record,) = records(koodrive)
    assert record.ended_at is None
    for words in ("200 GB to group from department", record.trace_id, record.writer, "Nothing was sent.", "The pools hold: department 2,000 GB"):
        assert words in again["msg"]
    koodrive.settle()
    assert koodrive.totals()["group"] == 700 and writes(koodrive) == 1
    assert not koodrive.run(GROUP, **QUICK)["changed"] and states(koodrive) == [DONE]


def test_an_open_transfer_that_shows_meanwhile_is_waited_for(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), LATE)
    koodrive.failure(GROUP, **QUICK)
    result = koodrive.run(GROUP, **{**QUICK, "verify_timeout": 5})
    assert not result["changed"] and writes(koodrive) == 1 and states(koodrive) == [DONE]


def test_a_task_with_nothing_to_send_is_ok_with_an_open_transfer(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), LATE)
    koodrive.failure(GROUP, **QUICK)
    assert not koodrive.run({"type": "group", "total_capacity": 500}, **QUICK)["changed"]
    assert states(koodrive) == [OPEN]


def test_after_settle_time_the_pools_resolve_an_open_transfer(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(GROUP, **QUICK)
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
    result = koodrive.run(GROUP, settle_time=0, **QUICK)
    assert result["changed"] and result["warnings"] == [] and states(koodrive) == [DONE, NOT_DONE]


def test_an_outcome_that_the_pools_do_not_show_is_given_up_with_a_warning(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset", interloper=INTERLOPER))
    koodrive.failure(GROUP, **QUICK)
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
    result = koodrive.run(GROUP, settle_time=0, **QUICK)
    assert "stays unknown: the pools have changed in another way" in result["warnings"][0] and states(koodrive) == [DONE, GIVEN_UP]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault(), DONE),
        (Fault(reply="reset"), DONE),
        (Fault(apply="no"), OPEN),
        (Fault(apply="no", reply="status", status=400, code=13000102), NOT_DONE),
        (Fault(apply="yes", reply="status", status=400, code=13000102), OPEN),
        (Fault(apply="no", reply="status", status=502), OPEN),
        (Fault(apply="no", reply="status", status=400, code=13000201), OPEN),
        (Fault(apply="no", reply="status", status=429), NOT_DONE),
        (Fault(apply="no", reply="status", status=429, interloper=INTERLOPER), NOT_DONE),
        (Fault(reply="refuse", seconds=0.3), NOT_DONE),
        (Fault(reply="reset", interloper=INTERLOPER), OPEN),
        (Fault(interloper=INTERLOPER), DONE),
    ],
    ids=str,
)
def test_the_outcome_of_a_transfer_is_recorded(koodrive: KooDriveForTests, fault: Fault, state: str) -> None:
    koodrive.script(Fault(), fault)
    koodrive.outcome(GROUP, **QUICK)
    koodrive.settle()
    assert states(koodrive) == [state]


@pytest.mark.parametrize(("key", "state"), [(None, NOT_DONE), ("order-1", GIVEN_UP)])
def test_an_addition_is_given_up_after_a_429_and_another_change_if_it_has_a_key(koodrive: KooDriveForTests, key: str | None, state: str) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="status", status=429, interloper=INTERLOPER))
    assert koodrive.failure(TEN, idempotency_key=key, **QUICK)["error"]["kind"] == "rate_limited"
    assert states(koodrive) == [state]


@pytest.mark.parametrize("password", ["0", "2", "000", "13000201"])
def test_a_secret_that_is_part_of_an_error_code_resolves_no_transfer(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    """If the code were masked, a server error would look like a refusal. The next run would move the capacity twice."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{password}@127.0.0.1:9")
    koodrive.script(Fault(), Fault(apply="late", reply="status", status=400, code=13000201, seconds=1.5))
    assert koodrive.failure(TEN, **QUICK)["error"]["kind"] == "server_error"
    assert states(koodrive) == [OPEN]
    assert koodrive.failure(TEN, **QUICK)["error"]["kind"] == "open_transfer"


def test_without_verification_accepted_is_done(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP, verify=False, **TENANT)
    assert states(koodrive) == [DONE]


def test_after_a_429_the_new_plan_begins_another_record(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="status", status=429, retry_after="0"))
    assert koodrive.run(GROUP, retries=1, **QUICK)["changed"]
    assert states(koodrive) == [DONE, NOT_DONE]


def test_the_record_is_there_before_the_first_byte_is_sent(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = client.KooDrive.transfer

    def transfer(self: client.KooDrive, *args: Any) -> None:
        seen.extend(states(koodrive))
        real(self, *args)

    monkeypatch.setattr(client.KooDrive, "transfer", transfer)
    koodrive.run(GROUP, **TENANT)
    assert seen == [OPEN]


def test_a_record_says_until_when_its_writer_may_send(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP, timeout=7, verify_timeout=20, settle_time=33, **TENANT)
    (record,) = records(koodrive)
    assert record.busy_until - record.begun_at == pytest.approx(10 + 7 + 20, abs=0.01) and record.settle_time == 33


@pytest.mark.parametrize(("sent", "state"), [(True, OPEN), (False, NOT_DONE)])
def test_an_interrupt_leaves_a_transfer_open_if_it_may_have_been_sent(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, sent: bool, state: str
) -> None:
    def transfer(self: client.KooDrive, *_args: Any) -> None:
        self._wire.sent = sent
        raise KeyboardInterrupt

    monkeypatch.setattr(client.KooDrive, "transfer", transfer)
    with pytest.raises(KeyboardInterrupt):
        koodrive.run(GROUP, **TENANT)
    assert states(koodrive) == [state] and not records(koodrive)[0].accepted


def test_an_outcome_that_cannot_be_recorded_is_a_warning_and_the_next_run_resolves_it(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_self: LocalStore, _record: Record, _state: str, _now: float) -> str:
        raise KooDriveError("ledger_unavailable", "the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, "end", end)
        result = koodrive.run(GROUP, **TENANT)
    assert result["changed"] and "the disk is full" in result["warnings"][0] and states(koodrive) == [OPEN]
    assert not koodrive.run(GROUP, **TENANT)["changed"] and states(koodrive) == [DONE]


def test_a_ledger_that_cannot_be_used_stops_the_run_before_anything_is_sent(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(GROUP, ledger="/sys/koodrive", **TENANT)
    assert result["error"]["kind"] == "ledger_unavailable" and result["msg"].count("Nothing was sent.") == 1
    assert koodrive.methods() == []


def test_an_addition_with_a_key_is_made_once(koodrive: KooDriveForTests) -> None:
    first = koodrive.run(TEN, idempotency_key="A-1071", **TENANT)
    assert first["changed"] and first["earlier"] is None
    for check_mode in (True, False):
        again = koodrive.run(TEN, idempotency_key="A-1071", check_mode=check_mode, **TENANT)
        assert not again["changed"] and again["transfers"] == [] and set(again) == set(first)
        assert again["earlier"]["trace_id"] == first["trace_id"] and again["earlier"]["transfers"] == first["transfers"]
    assert koodrive.run(TEN, idempotency_key="A-1072", **TENANT)["changed"]
    assert koodrive.run(TEN, idempotency_key="A-1071", tenant="another")["changed"]
    assert koodrive.totals()["group"] == 530


@pytest.mark.parametrize(
    "change",
    [{"origin_type": "individual"}, {"target": [{"type": "group", "expand_capacity": 20}]}, {"target": [TEN, {"type": "individual", "expand_capacity": 10}]}],
)
def test_the_same_key_with_another_addition_is_refused(koodrive: KooDriveForTests, change: dict[str, Any]) -> None:
    koodrive.run(TEN, idempotency_key="A-1071", **TENANT)
    result = koodrive.failure(TEN, idempotency_key="A-1071", **TENANT, **change)
    assert result["error"]["kind"] == "invalid_request" and result["msg"].startswith("idempotency_key was used before")
    assert "No transfer was sent. Use another key" in result["msg"] and "No request" not in result["msg"]
    assert writes(koodrive) == 1


def test_an_addition_whose_reply_was_lost_is_not_made_again(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), LATE)
    koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    assert koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)["error"]["kind"] == "open_transfer"
    koodrive.settle()
    for check_mode in (True, False):
        result = koodrive.run(TEN, idempotency_key="A-1071", check_mode=check_mode, **QUICK)
        assert not result["changed"] and result["earlier"]["transfers"] == [{"type": "group", "expand_capacity": 10}]
    assert koodrive.totals()["group"] == 510 and states(koodrive) == [DONE]


def test_an_addition_that_was_not_applied_is_made_by_the_next_run(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    for check_mode in (True, False):
        assert koodrive.run(TEN, idempotency_key="A-1071", settle_time=0, check_mode=check_mode, **QUICK)["changed"]
    assert koodrive.totals()["group"] == 510


def test_an_addition_that_was_given_up_is_not_made_again(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset", interloper={**INTERLOPER, "target": [{"type": 2, "expandCapacity": 3}]}))
    koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    for _run in range(2):
        result = koodrive.failure(TEN, idempotency_key="A-1071", settle_time=0, **QUICK)
        assert result["error"]["kind"] == "outcome_unknown" and "the outcome of the addition with this idempotency_key is unknown" in result["msg"]
    assert writes(koodrive) == 1


def test_the_messages_on_an_accepted_addition_that_never_shows_name_a_new_key(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no"))
    koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    blocked = koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    assert blocked["error"]["kind"] == "open_transfer" and f"settle_time=0. {tenant_ledger.NEW_KEY}" in blocked["msg"]
    by_hand(koodrive.ledger, "UPDATE {}koodrive_transfers SET accepted = 0")
    assert tenant_ledger.NEW_KEY not in koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)["msg"]
    by_hand(koodrive.ledger, "UPDATE {}koodrive_transfers SET accepted = 1")
    for check_mode in (True, False):
        result = koodrive.failure(TEN, idempotency_key="A-1071", settle_time=0, check_mode=check_mode, **QUICK)
        assert "stays unknown: KooDrive accepted it, and the pools do not show it." in result["warnings"][0]
        assert result["error"]["kind"] == "outcome_unknown" and f"Check the pools. {tenant_ledger.NEW_KEY}" in result["msg"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"idempotency_key": "a b"}, "idempotency_key must have 1 to 255 visible ASCII characters"),
        ({"idempotency_key": "x" * 256}, "idempotency_key must have"),
        ({"idempotency_key": "A-1", "target": [GROUP]}, "idempotency_key is for tasks whose targets are all expand_capacity"),
        ({"idempotency_key": "A-1", "target": [TEN, {"type": "individual", "total_capacity": 1}]}, "idempotency_key is for"),
        ({"settle_time": -1}, "settle_time must be"),
        ({"tenant": "x" * 256}, "tenant must be"),
    ],
)
def test_bad_options_are_refused_by_name(koodrive: KooDriveForTests, given: dict[str, Any], message: str) -> None:
    result = koodrive.failure(TEN, **given)
    assert result["error"]["kind"] == "invalid_request" and result["msg"].startswith(message) and koodrive.methods() == []


def test_no_secret_is_in_the_ledger(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP)
    koodrive.run(TEN, **koodrive.app)
    with open(f"{koodrive.ledger}/{sqlite.RECORDS}", "rb") as file:
        content = file.read()
    assert koodrive.options["token"].encode() not in content and koodrive.app["app_secret"].encode() not in content


def test_the_ledger_needs_no_more_requests_once_it_knows_the_tenant(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP)
    koodrive.run(GROUP)
    assert koodrive.methods() == ["GET", "POST", "GET", "GET"] and koodrive.state.asked_for_tenant == 1


# The edges of exactly once


def threads_of(*works: Callable[[], Any]) -> list[Any]:
    """Run all works at the same time, and return their results."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


@contextmanager
def open_record(koodrive: KooDriveForTests, **changes: Any) -> Iterator[Record]:
    """Append the record of 200 GB to group that a killed run left open. Its writer may send for one more minute."""
    now = time.time()
    begun = {"begun_at": now - 1, "busy_until": now + 60, "writer": "root@elsewhere"}
    record = RECORD._replace(**{"tenant": "ours", "moves": (Move("group", 200),), "idempotency_key": None, **begun, **changes})
    store = LocalStore(koodrive.ledger)
    assert store.append(record)
    yield record
    store.close()


def test_simultaneous_runs_with_one_desired_state_make_one_transfer(koodrive: KooDriveForTests) -> None:
    koodrive.state.delay = 0.05
    results = threads_of(*[lambda: koodrive.run(GROUP, **TENANT)] * 6)
    assert [result["changed"] for result in results].count(True) == 1 and koodrive.totals()["group"] == 700
    assert writes(koodrive) == 1 and koodrive.methods().count("GET") <= 60


def test_simultaneous_additions_with_different_keys_all_succeed(koodrive: KooDriveForTests) -> None:
    works = [lambda key=key: koodrive.run(TEN, idempotency_key=key, **TENANT) for key in "abcde"]
    assert all(result["changed"] for result in threads_of(*works))
    assert koodrive.totals()["group"] == 550 and states(koodrive) == [DONE] * 5


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_run_that_stops_waiting_names_the_writer(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, check_mode: bool) -> None:
    monkeypatch.setattr(moving, "PATIENCE", 0.5)
    with open_record(koodrive) as record:
        for settle_time in (900, 0):
            result = koodrive.failure(GROUP, check_mode=check_mode, settle_time=settle_time, **QUICK)
            assert result["error"]["kind"] == "busy" and ADVICE["busy"] in result["msg"]
            assert record.writer in result["msg"] and record.trace_id in result["msg"]


#: How long a QUICK run waits for others, in seconds.
PATIENCE = 10 * (QUICK["timeout"] + QUICK["verify_timeout"])


@pytest.fixture(name="slept")
def fixture_slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause. Only pauses move the clock of a run."""
    seconds: list[float] = []
    monkeypatch.setattr("ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting.time.sleep", seconds.append)
    monkeypatch.setattr(moving, "time", SimpleNamespace(monotonic=lambda: sum(seconds)))
    return seconds


def test_a_run_that_is_overtaken_waits_no_longer_than_its_patience(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    monkeypatch.setattr(LocalStore, "append", lambda *_args: False)
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "busy"
    assert sum(slept) == pytest.approx(PATIENCE) and max(slept) <= moving.LONGEST_LOOK_AGAIN


def test_a_run_looks_for_an_open_transfer_no_longer_than_its_verify_timeout(koodrive: KooDriveForTests, slept: list[float]) -> None:
    with open_record(koodrive, busy_until=time.time() - 5):
        assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
    assert sum(slept) == pytest.approx(0.2)


def test_a_run_looks_for_its_own_transfer_no_longer_than_its_verify_timeout(koodrive: KooDriveForTests, slept: list[float]) -> None:
    koodrive.script(Fault(), Fault(apply="no"))
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "not_verified"
    assert sum(slept) == pytest.approx(0.2)


def test_a_run_waits_for_a_writer_only_while_it_may_send(koodrive: KooDriveForTests) -> None:
    with open_record(koodrive, busy_until=time.time() + 1):
        # By KooDrive's clock, a reading may be a second older than it is.
        assert koodrive.run(GROUP, settle_time=0, **{**QUICK, "verify_timeout": 5})["changed"]
    assert states(koodrive) == [DONE, NOT_DONE]


def test_without_a_date_a_reading_is_as_old_as_it_is_by_the_stores_clock(tmp_path: Path) -> None:
    store, koodrive = LocalStore(str(tmp_path)), SimpleNamespace(read_at=5.0, now=lambda: None)
    run: Any = SimpleNamespace(koodrive=koodrive, ledger=SimpleNamespace(clock=partial(moving._now, koodrive, store)))
    assert moving._read_at(run, since=0) == 5
    koodrive.read_at = None
    assert moving._read_at(run, seconds_since_boot() - 60) == pytest.approx(time.time() - 60, abs=1)


def test_a_run_waits_ten_times_as_long_as_another_may_take(koodrive: KooDriveForTests, slept: list[float]) -> None:
    with open_record(koodrive):
        assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "busy"
    assert sum(slept) == pytest.approx(PATIENCE)
    for pause, most in zip(slept, (0.05, 0.1, 0.2, 0.4, 0.8, 1, 1)):
        assert most / 2 <= pause <= most


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_open_transfer_comes_before_too_little_capacity(koodrive: KooDriveForTests, check_mode: bool) -> None:
    too_much = {"type": "group", "expand_capacity": 1700}
    with open_record(koodrive, busy_until=time.time() - 5) as record:
        result = koodrive.outcome(too_much, check_mode=check_mode, **QUICK)
        assert result["error"]["kind"] == "open_transfer" and record.trace_id in result["msg"]
        result = koodrive.outcome(too_much, check_mode=check_mode, settle_time=0, **QUICK)
    assert result["error"]["kind"] == "insufficient_capacity"


def test_a_layout_that_no_pool_can_give_to_looks_at_the_open_transfer_first(koodrive: KooDriveForTests) -> None:
    with open_record(koodrive, busy_until=time.time() - 5):
        result = koodrive.layout({"type": "group", "total_capacity": 700}, tenant="ours", verify_timeout=0.2)
        assert result["error"]["kind"] == "open_transfer"


def test_a_run_waits_for_a_transfer_that_brings_what_it_needs(koodrive: KooDriveForTests) -> None:
    empty = {"total": 0, "allocated": 0}
    koodrive.state.tenant = Tenant({"department": empty, "individual": {"total": 300, "allocated": 0}, "group": empty})
    with open_record(koodrive, origin_type="individual", moves=(Move("department", 200),)) as record:

        def end() -> None:
            time.sleep(0.3)
            koodrive.state.tenant = Tenant({"department": {"total": 200, "allocated": 0}, "individual": {"total": 100, "allocated": 0}, "group": empty})
            store = LocalStore(koodrive.ledger)
            store.end(record, DONE, time.time())
            store.close()

        result, _ended = threads_of(lambda: koodrive.run({"type": "group", "total_capacity": 150}, **QUICK), end)
    assert result["changed"] and koodrive.totals() == {"department": 50, "individual": 100, "group": 150}


def test_a_waiting_run_goes_on_as_soon_as_the_writer_has_ended(koodrive: KooDriveForTests) -> None:
    with open_record(koodrive) as record:

        def end() -> None:
            time.sleep(0.3)
            store = LocalStore(koodrive.ledger)
            store.end(record, NOT_DONE, time.time())
            store.close()

        result, _ended = threads_of(lambda: koodrive.run(GROUP, **QUICK), end)
    assert result["changed"] and koodrive.methods() == ["GET", "GET", "POST", "GET"]


def test_a_run_that_others_overtake_each_time_gives_up(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "PATIENCE", 1)
    overtaken = iter([False] * 50)
    monkeypatch.setattr(LocalStore, "append", lambda *_args: next(overtaken))
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "busy"
    assert 2 <= len(koodrive.methods()) < 10


def test_a_run_whose_ledger_never_keeps_an_outcome_gives_up(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "PATIENCE", 1)
    kept = iter([OPEN] * 50)
    monkeypatch.setattr(LocalStore, "end", lambda *_args: next(kept))
    with open_record(koodrive, busy_until=0, begun_at=1):
        assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "busy"
    assert 2 <= len(koodrive.methods()) < 10


def test_settle_time_0_resolves_a_record_whose_writer_may_no_longer_send(koodrive: KooDriveForTests) -> None:
    with open_record(koodrive, busy_until=time.time() - 5):
        assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
        assert koodrive.run(GROUP, settle_time=0, **QUICK)["changed"]
    assert states(koodrive) == [DONE, NOT_DONE]


def test_settle_time_0_resolves_a_record_from_the_future(koodrive: KooDriveForTests) -> None:
    with open_record(koodrive, begun_at=time.time() + 1e7, busy_until=time.time() + 1e7):
        assert koodrive.run(GROUP, settle_time=0, **QUICK)["changed"]


def test_the_longer_settle_time_counts(koodrive: KooDriveForTests) -> None:
    with open_record(koodrive, begun_at=time.time() - 100, busy_until=time.time() - 50, settle_time=3600.0):
        assert koodrive.failure(GROUP, settle_time=1, **QUICK)["error"]["kind"] == "open_transfer"
    assert writes(koodrive) == 0


@pytest.mark.parametrize("offset", [-1200, 7200, 366 * 86400])
def test_the_clock_of_koodrive_decides(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, offset: float) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    with monkeypatch.context() as wrong:
        wrong.setattr(LocalStore, "now", lambda _store: time.time() + offset)
        koodrive.failure(GROUP, **QUICK)
    (record,) = records(koodrive)
    assert abs(record.begun_at - time.time()) < 5
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer" and writes(koodrive) == 1
    assert koodrive.run(GROUP, settle_time=0, **QUICK)["changed"]


def test_a_refused_request_for_the_tenant_asks_for_the_option(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant_id = None
    for check_mode in (False, True):
        result = koodrive.failure(GROUP, check_mode=check_mode)
        assert result["error"]["kind"] == "invalid_request" and "Set tenant (KOODRIVE_TENANT)" in result["msg"]
    keyed = koodrive.failure(TEN, idempotency_key="A-1")
    assert "Set tenant" in keyed["msg"] and writes(koodrive) == 0
    assert not koodrive.run({"type": "group", "total_capacity": 1})["changed"]
    assert koodrive.run(GROUP, **TENANT)["changed"]


def test_the_tenant_does_not_depend_on_the_name_of_the_endpoint(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(GROUP, verify_timeout=0)
    other = koodrive.endpoint.replace("127.0.0.1", "localhost")
    result = koodrive.failure(GROUP, endpoint=other, verify_timeout=0)
    assert result["error"]["kind"] == "open_transfer" and writes(koodrive) == 1


@pytest.mark.parametrize("name", ["ours ", "\tours", " ours\n"])
def test_blanks_around_tenant_and_ledger_are_ignored(koodrive: KooDriveForTests, name: str) -> None:
    koodrive.run(TEN, idempotency_key="A-1", **TENANT)
    again = koodrive.run(TEN, idempotency_key="A-1", tenant=name, ledger=name.replace("ours", koodrive.ledger))
    assert not again["changed"] and writes(koodrive) == 1


@pytest.mark.parametrize("apply", ["no", "late"])
def test_an_addition_is_not_done_because_another_program_moved_as_much(koodrive: KooDriveForTests, apply: str) -> None:
    outside = {"originType": 1, "target": [{"type": 2, "expandCapacity": 10}]}
    for reply, kind in (("reset", "outcome_unknown"), ("ok", "not_verified")):
        key = f"A-{reply}"
        koodrive.script(Fault(), Fault(apply=apply, reply=reply, seconds=1.0, interloper=outside))
        result = koodrive.failure(TEN, idempotency_key=key, **QUICK)
        assert result["error"]["kind"] == kind, result["msg"]
        assert states(koodrive)[0] == OPEN
        koodrive.settle()
        later = koodrive.outcome(TEN, idempotency_key=key, settle_time=0, **QUICK)
        assert later.get("failed", False) == (apply == "no" or reply == "reset"), later
        assert "changed" not in later or not later["changed"]


def test_an_accepted_transfer_stays_open_although_another_program_reached_the_state(koodrive: KooDriveForTests) -> None:
    outside = {"originType": 1, "target": [{"type": 2, "expandCapacity": 200}]}
    koodrive.state.tenant = Tenant({name: {"total": 2000, "allocated": 100} for name in ("department", "individual", "group")})
    koodrive.script(Fault(), Fault(apply="late", seconds=1.5, interloper=outside))
    desired = {"type": "group", "total_capacity": 2200}
    first = koodrive.run(desired, **QUICK)
    assert first["changed"] and "stays open" in " ".join(first["warnings"])
    (record,) = records(koodrive)
    assert record.state == OPEN and record.accepted
    assert koodrive.failure({"type": "group", "total_capacity": 2300}, **QUICK)["error"]["kind"] == "open_transfer"
    koodrive.settle()
    assert not koodrive.run({"type": "group", "total_capacity": 2300}, **QUICK)["changed"] and states(koodrive) == [DONE]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418])
def test_a_page_of_a_firewall_is_no_refusal(koodrive: KooDriveForTests, status: int) -> None:
    koodrive.script(Fault(), Fault(apply="late", reply="status", status=status, seconds=1.0))
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "outcome_unknown"
    assert states(koodrive) == [OPEN]
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
    koodrive.settle()
    assert not koodrive.run(GROUP, **QUICK)["changed"] and writes(koodrive) == 1


def unwanted_after(count: int) -> Caller:
    """Return a caller that still waits when it is asked the first ``count`` times."""
    asked: list[None] = []

    def is_waiting() -> bool:
        asked.append(None)
        return len(asked) <= count

    return Caller(is_waiting)


@pytest.mark.parametrize(("count", "state"), [(0, []), (1, [NOT_DONE])])
def test_nothing_is_sent_for_a_dead_playbook(koodrive: KooDriveForTests, count: int, state: list[str]) -> None:
    options = {**koodrive.options, "endpoint": koodrive.endpoint, "ledger": koodrive.ledger, "target": [GROUP], **TENANT}
    result = transfer_capacity(options, False, environ={}, caller=unwanted_after(count))
    assert result["failed"] and writes(koodrive) == 0 and states(koodrive) == state


def test_nothing_is_sent_for_a_playbook_that_died_while_the_ledger_was_slow(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    is_open, died = LocalStore.is_open, []

    def slow(store: LocalStore, record: Record) -> bool:
        died.append(True)
        return is_open(store, record)

    monkeypatch.setattr(LocalStore, "is_open", slow)
    options = {**koodrive.options, "endpoint": koodrive.endpoint, "ledger": koodrive.ledger, "target": [GROUP], **TENANT}
    result = transfer_capacity(options, False, environ={}, caller=Caller(lambda: not died))
    assert result["failed"] and "the playbook that started this task has ended" in result["msg"]
    assert writes(koodrive) == 0 and states(koodrive) == [NOT_DONE]


@pytest.mark.parametrize(("target", "state"), [(GROUP, NOT_DONE), (TEN, OPEN)], ids=["desired state", "addition"])
def test_a_playbook_that_ends_in_the_pause_after_a_refusal(koodrive: KooDriveForTests, target: dict[str, Any], state: str) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="status", status=429))
    options = {**koodrive.options, "endpoint": koodrive.endpoint, "ledger": koodrive.ledger, "target": [target], "retries": 1, **TENANT}
    result = transfer_capacity(options, False, environ={}, caller=unwanted_after(2))
    assert result["failed"] and koodrive.methods() == ["GET", "POST"] and states(koodrive) == [state]


def test_a_read_is_not_tried_again_for_a_dead_playbook(koodrive: KooDriveForTests) -> None:
    koodrive.script(*4 * [Fault(reply="status", status=503, retry_after="0")])
    options = {**koodrive.options, "endpoint": koodrive.endpoint, "ledger": koodrive.ledger, "target": [GROUP], "retries": 3, **TENANT}
    result = transfer_capacity(options, False, environ={}, caller=unwanted_after(0))
    assert result["failed"] and "the playbook that started this task has ended" in result["msg"] and koodrive.methods() == ["GET"]


def test_a_run_that_was_suspended_after_its_record_sends_nothing(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a machine that is suspended between its record and the first byte of its request."""
    clock, suspended = tenant_ledger.seconds_since_boot, [0.0]
    append = LocalStore.append

    def slow(store: LocalStore, *args: Any) -> bool:
        appended = append(store, *args)
        suspended[0] = 300.0
        return appended

    monkeypatch.setattr(LocalStore, "append", slow)
    monkeypatch.setattr(tenant_ledger, "seconds_since_boot", lambda: clock() + (suspended[0] if states(koodrive) == [OPEN] else 0))
    assert koodrive.run(GROUP, **TENANT)["changed"]
    assert states(koodrive) == [DONE, NOT_DONE] and writes(koodrive) == 1


def test_a_run_whose_ledger_is_always_slow_says_so_in_the_end(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_ledger.TenantLedger, "may_send", lambda _ledger: False)
    monkeypatch.setattr(moving, "PATIENCE", 0)
    result = koodrive.failure(GROUP, **QUICK)
    assert result["error"]["kind"] == "busy" and "this run was suspended, or waited for its ledger" in result["msg"] and "Nothing was sent" not in result["msg"]
    assert writes(koodrive) == 0 and states(koodrive) == [NOT_DONE]


def end_elsewhere(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, ending: str, *then: dict[str, Any]) -> None:
    """Let another run end the record of each POST with ``ending``, and once ``then`` make transfers of its own."""
    bodies = list(then)

    def transfer_and_end(self: client.KooDrive, *args: Any) -> None:
        try:
            transfer(self, *args)
        finally:
            store = LocalStore(koodrive.ledger)
            store.end(records(koodrive)[0], ending, time.time())
            store.close()
            while bodies:
                koodrive.state.tenant.transfer(bodies.pop())

    transfer = client.KooDrive.transfer
    monkeypatch.setattr(client.KooDrive, "transfer", transfer_and_end)


@pytest.mark.parametrize(
    ("answer", "kind_if_lost"),
    [(Fault(), "outcome_unknown"), (Fault(reply="reset"), "outcome_unknown"), (Fault(reply="status", status=429), "rate_limited")],
)
@pytest.mark.parametrize("ending", [NOT_DONE, GIVEN_UP, DONE])
@pytest.mark.parametrize("key", ["A-1", None])
def test_a_writer_whose_record_another_run_has_ended(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, key: str | None, ending: str, answer: Fault, kind_if_lost: str
) -> None:
    end_elsewhere(koodrive, monkeypatch, ending)
    koodrive.script(Fault(), answer)
    # Without a key, an accepted addition is the run's own: nothing repeats it.
    kind = None if ending == DONE or (key is None and answer == Fault()) else kind_if_lost
    result = koodrive.outcome(TEN, idempotency_key=key, **QUICK, retries=1)
    assert result.get("error", {}).get("kind") == kind
    assert result["transfers"] == [{"type": "group", "expand_capacity": 10}] and result["changed"]
    if kind:
        assert "Before: department 2,000 GB" in result["msg"] and "Now: department 1,990 GB" in result["msg"]
        assert "Done before that" not in result["msg"]
    assert koodrive.run(GROUP, **QUICK)["changed"], "a run with a desired state must reach it after another run has ended the record"


def test_an_addition_that_is_not_verified_and_called_lost_is_unknown(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    end_elsewhere(koodrive, monkeypatch, NOT_DONE)
    result = koodrive.failure(TEN, idempotency_key="A-1", verify=False, **QUICK)
    assert result["error"]["kind"] == "outcome_unknown" and "another task has recorded it as lost" in result["msg"]


@pytest.mark.parametrize("answer", [Fault(), Fault(reply="reset")], ids=["accepted", "lost"])
def test_a_state_that_another_run_has_undone_is_no_success(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, answer: Fault) -> None:
    end_elsewhere(koodrive, monkeypatch, DONE, {"originType": 2, "target": [{"type": 0, "expandCapacity": 150}]})
    koodrive.script(Fault(), answer)
    result = koodrive.failure(GROUP, **QUICK)
    assert result["error"]["kind"] == "not_verified" and result["changed"]
    assert "now group lacks 150 GB again" in result["msg"] and "Done before that: 200 GB to group from department" in result["msg"]
    assert writes(koodrive) == 1


def test_a_layout_that_another_run_has_undone_is_made_again(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    end_elsewhere(koodrive, monkeypatch, DONE, {"originType": 2, "target": [{"type": 0, "expandCapacity": 150}]})
    others = [{"type": name, "unallocated_capacity": 0} for name in ("department", "individual")]
    result = koodrive.layout(GROUP, *others, tenant="ours", verify_timeout=0)
    assert [row["expand_capacity"] for row in result["transfers"]] == [200, 150] and koodrive.totals()["group"] == 700


def test_a_stale_reading_after_a_transfer_that_was_not_sent_repeats_none(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a run that is suspended before its second transfer, and then reads the pools as they were at first."""
    readings: list[Any] = []
    asked: list[None] = []
    read, may_send = client.KooDrive.read_pools, tenant_ledger.TenantLedger.may_send

    def stale(self: client.KooDrive, *args: Any) -> Any:
        readings.append(read(self, *args))
        return readings[0] if len(readings) == 3 else readings[-1]

    def suspended_once(self: tenant_ledger.TenantLedger) -> bool:
        asked.append(None)
        return len(asked) != 2 and may_send(self)

    monkeypatch.setattr(client.KooDrive, "read_pools", stale)
    monkeypatch.setattr(tenant_ledger.TenantLedger, "may_send", suspended_once)
    pools = [GROUP, {"type": "department", "unallocated_capacity": 1450}, {"type": "individual", "unallocated_capacity": 0}]
    result = koodrive.layout(*pools, **TENANT)
    assert result["error"]["kind"] == "not_verified" and "the pools show again what they held before 150 GB" in result["msg"]
    assert writes(koodrive) == 1 and states(koodrive) == [NOT_DONE, DONE]


@pytest.mark.parametrize("answer", [Fault(), Fault(reply="reset")], ids=["accepted", "lost"])
@pytest.mark.parametrize("options", [{}, {"idempotency_key": "A-1"}], ids=["no key", "key"])
def test_an_addition_that_another_run_has_seen_has_the_pools_of_a_reading(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, answer: Fault, options: dict[str, Any]
) -> None:
    end_elsewhere(koodrive, monkeypatch, DONE, {"originType": 2, "target": [{"type": 0, "expandCapacity": 3}]})
    koodrive.script(Fault(), answer)
    result = koodrive.run(TEN, **options, **QUICK)
    assert result["changed"] and result["verified"] and result["allocation"]["group"]["total_capacity"] == 507
    *lost, others = result["warnings"]
    assert "from another task or another program: department +3 GB, group -3 GB" in others
    assert ["Another task has seen the transfer in the pools" in warning for warning in lost] == ([] if answer == Fault() else [True])


@pytest.mark.parametrize("job", [{"JOB_ID": "42", "AWX_HOST": "https://awx.example"}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}], ids=["AWX", "pod", "file"])
def test_a_ledger_that_ends_with_its_container_takes_no_key(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job: dict[str, str]
) -> None:
    monkeypatch.setattr(sqlite, "FOLDER", f"{tmp_path}/{{}}")
    marker = tmp_path / "marker"
    monkeypatch.setattr(options, "CONTAINER_MARKERS", (str(marker),))
    given = {**koodrive.options, "endpoint": koodrive.endpoint, "target": [TEN], **TENANT}

    def run(**more: Any) -> dict[str, Any]:
        return outcome_of(partial(transfer_capacity, environ=job), {**given, **more}, False)

    if not job:
        assert run()["warnings"] == []
        marker.touch()
    assert "KOODRIVE_LEDGER" in " ".join(run()["warnings"])
    refused = run(idempotency_key="A-1")
    assert refused["error"]["kind"] == "invalid_request" and "KOODRIVE_LEDGER" in refused["msg"]
    assert run(idempotency_key="A-1", ledger=koodrive.ledger)["warnings"] == []
    assert (records(koodrive)[0].writer == "AWX job 42 of https://awx.example") == ("JOB_ID" in job)


def test_an_open_transfer_that_cannot_be_ended_fails_no_run_with_nothing_to_send(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_args: Any) -> str:
        raise KooDriveError("ledger_unavailable", "the disk is full")

    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(GROUP, **QUICK)
    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, "end", end)
        result = koodrive.run({"type": "group", "total_capacity": 500}, settle_time=0, **QUICK)
        assert "the disk is full" in " ".join(result["warnings"])
        assert koodrive.failure(GROUP, settle_time=0, **QUICK)["error"]["kind"] == "ledger_unavailable"
    assert writes(koodrive) == 1


def test_no_date_of_a_signature_is_later_than_the_record(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    monkeypatch.setattr(AppAuth, "__call__", lambda self, request, real=AppAuth.__call__: seen.append(self.latest) or real(self, request))
    koodrive.run(GROUP, **koodrive.app, **TENANT)
    assert seen[1] == records(koodrive)[0].begun_at


def test_a_reading_after_a_transfer_is_signed_with_the_time_of_the_reading(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a KooDrive that shows the transfer only when the X-Date of the transfer is too old for a reading."""
    monkeypatch.setattr(credentials, "X_DATE_LIFE", 2)
    koodrive.script(Fault(), Fault(lag=7))
    result = koodrive.run(GROUP, **koodrive.app, **TENANT, verify_timeout=20)
    assert result["verified"] and result["warnings"] == []
