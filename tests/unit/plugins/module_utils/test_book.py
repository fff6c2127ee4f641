# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds across runs: the transfer as a function, with a ledger, over real HTTP."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import book, client, options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import DONE, GIVEN_UP, NOT_DONE, OPEN, STATES, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_local import LocalStore
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

GROUP = {"type": "group", "total_capacity": 700}
TEN = {"type": "group", "expand_capacity": 10}
TENANT = {"tenant": "ours"}
LATE = Fault(apply="late", reply="hang", seconds=2.0)
QUICK = {"timeout": 0.6, "verify_timeout": 0.2, **TENANT}
INTERLOPER = {"originType": 0, "target": [{"type": 1, "expandCapacity": 30}]}


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(options, "SHORTEST_TIMEOUT", 0.1)


def records(koodrive: KooDriveForTests) -> list[Record]:
    """What the ledger has of the tenant, newest first."""
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
    for words in ("200 GB to group from department", record.trace_id, record.writer, "nothing was sent now", "The pools hold: department 2,000 GB"):
        assert words in again["msg"]
    koodrive.settle()
    assert koodrive.totals()["group"] == 700 and writes(koodrive) == 1
    assert not koodrive.run(GROUP, **QUICK)["changed"] and states(koodrive) == [DONE]


def test_an_open_transfer_that_shows_meanwhile_is_waited_for(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), LATE)
    koodrive.failure(GROUP, **QUICK)
    result = koodrive.run(GROUP, **{**QUICK, "verify_timeout": 5})
    assert not result["changed"] and writes(koodrive) == 1 and states(koodrive) == [DONE]


def test_with_nothing_to_send_a_task_is_ok_whatever_is_open(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), LATE)
    koodrive.failure(GROUP, **QUICK)
    assert not koodrive.run({"type": "group", "total_capacity": 500}, **QUICK)["changed"]
    assert states(koodrive) == [OPEN]


def test_what_can_no_longer_be_done_is_settled_by_the_pools(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(GROUP, **QUICK)
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
    result = koodrive.run(GROUP, settle_time=0, **QUICK)
    assert result["changed"] and result["warnings"] == [] and states(koodrive) == [DONE, NOT_DONE]


def test_what_nobody_can_find_out_is_given_up_with_a_warning(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset", interloper=INTERLOPER))
    koodrive.failure(GROUP, **QUICK)
    assert koodrive.failure(GROUP, **QUICK)["error"]["kind"] == "open_transfer"
    result = koodrive.run(GROUP, settle_time=0, **QUICK)
    assert "was never found out" in result["warnings"][0] and states(koodrive) == [DONE, GIVEN_UP]


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
        (Fault(reply="refuse", seconds=0.3), NOT_DONE),
        (Fault(reply="reset", interloper=INTERLOPER), OPEN),
        (Fault(interloper=INTERLOPER), DONE),
    ],
    ids=str,
)
def test_what_becomes_of_a_transfer_is_written_down(koodrive: KooDriveForTests, fault: Fault, state: str) -> None:
    koodrive.script(Fault(), fault)
    koodrive.outcome(GROUP, **QUICK)
    koodrive.settle()
    assert states(koodrive) == [state]


@pytest.mark.parametrize("password", ["0", "2", "000", "13000201"])
def test_a_secret_that_is_in_a_code_settles_nothing(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    """With the code masked, a fault of the server would be a refusal, and the next run would move the capacity once more."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:{password}@127.0.0.1:9")
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


@pytest.mark.parametrize(("sent", "state"), [(True, OPEN), (False, NOT_DONE)])
def test_an_interrupt_leaves_open_what_may_have_been_sent(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, sent: bool, state: str) -> None:
    def transfer(self: client.KooDrive, *_args: Any) -> None:
        self._wire.established = sent
        raise KeyboardInterrupt

    monkeypatch.setattr(client.KooDrive, "transfer", transfer)
    with pytest.raises(KeyboardInterrupt):
        koodrive.run(GROUP, **TENANT)
    assert states(koodrive) == [state]


def test_an_outcome_that_cannot_be_written_down_is_a_warning_and_the_next_run_finds_it_out(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_self: LocalStore, _number: int, _state: str) -> None:
        raise book.KooDriveError("ledger_unavailable", "the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, "end", end)
        result = koodrive.run(GROUP, **TENANT)
    assert result["changed"] and "the disk is full" in result["warnings"][0] and states(koodrive) == [OPEN]
    assert not koodrive.run(GROUP, **TENANT)["changed"] and states(koodrive) == [DONE]


def test_a_ledger_that_cannot_be_used_stops_the_run_before_anything_is_sent(koodrive: KooDriveForTests) -> None:
    result = koodrive.failure(GROUP, ledger="/sys/koodrive", **TENANT)
    assert result["error"]["kind"] == "ledger_unavailable" and result["msg"].count("Nothing was sent.") == 1
    assert koodrive.methods() == []


def test_a_second_open_transfer_cannot_begin_even_where_the_turn_was_lost(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoTurn:
        def __enter__(self) -> None:
            """Not alone."""

        def __exit__(self, *_exc: object) -> None:
            """Never was."""

    monkeypatch.setattr(LocalStore, "turn", lambda *_args: NoTurn())
    koodrive.state.delay = 0.05
    results: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: results.append(koodrive.outcome(GROUP, **{**QUICK, "timeout": 5}))) for _run in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert koodrive.totals()["group"] == 700 and writes(koodrive) == 1
    assert {result.get("error", {}).get("kind") for result in results} <= {None, "open_transfer"}


def test_waiting_too_long_for_a_turn_says_who_has_it(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book.Book, "turn", lambda self, _wait, real=book.Book.turn: real(self, 0.1))
    other = LocalStore(koodrive.ledger)
    with other.turn("ours", "root@elsewhere", 1):
        result = koodrive.failure(GROUP, **TENANT)
        assert koodrive.run(GROUP, check_mode=True, **TENANT)["changed"], "check mode takes no turn"
    other.close()
    assert result["error"]["kind"] == "busy" and "root@elsewhere" in result["msg"] and ADVICE["busy"] in result["msg"]


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


def test_an_addition_that_came_to_nothing_is_made(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    for check_mode in (True, False):
        assert koodrive.run(TEN, idempotency_key="A-1071", settle_time=0, check_mode=check_mode, **QUICK)["changed"]
    assert koodrive.totals()["group"] == 510


def test_an_addition_that_was_given_up_is_not_made_again_by_itself(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset", interloper={**INTERLOPER, "target": [{"type": 2, "expandCapacity": 3}]}))
    koodrive.failure(TEN, idempotency_key="A-1071", **QUICK)
    for _run in range(2):
        result = koodrive.failure(TEN, idempotency_key="A-1071", settle_time=0, **QUICK)
        assert result["error"]["kind"] == "outcome_unknown" and "never found out" in result["msg"]
    assert writes(koodrive) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"idempotency_key": "a b"}, "idempotency_key must have 1 to 255 visible characters"),
        ({"idempotency_key": "x" * 256}, "idempotency_key must have"),
        ({"idempotency_key": "A-1", "target": [GROUP]}, "idempotency_key is for tasks whose targets are all expand_capacity"),
        ({"idempotency_key": "A-1", "target": [TEN, {"type": "individual", "total_capacity": 1}]}, "idempotency_key is for"),
        ({"settle_time": -1}, "settle_time must be"),
        ({"tenant": "x" * 256}, "tenant must be"),
    ],
)
def test_bad_options_are_refused_by_name(koodrive: KooDriveForTests, given: dict[str, Any], told: str) -> None:
    result = koodrive.failure(TEN, **given)
    assert result["error"]["kind"] == "invalid_request" and result["msg"].startswith(told) and koodrive.methods() == []


def test_no_secret_is_in_the_ledger(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant_id = None
    koodrive.run(GROUP)
    koodrive.run(TEN, **koodrive.app)
    with open(f"{koodrive.ledger}/ledger.sqlite3", "rb") as file:
        content = file.read()
    assert koodrive.options["token"].encode() not in content and koodrive.app["app_secret"].encode() not in content


def test_the_cost_of_the_ledger_in_requests_is_none_once_it_knows_the_tenant(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP)
    koodrive.run(GROUP)
    assert koodrive.methods() == ["GET", "POST", "GET", "GET"] and koodrive.state.asked_for_tenant == 1


def test_it_takes_little_time(koodrive: KooDriveForTests) -> None:
    koodrive.run(GROUP, **TENANT)
    start = time.perf_counter()
    for _run in range(20):
        store = LocalStore(koodrive.ledger)
        with store.turn("ours", "x", 1):
            store.open_transfer("ours")
        store.close()
    assert (time.perf_counter() - start) / 20 < 0.05
