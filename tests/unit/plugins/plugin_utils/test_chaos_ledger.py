# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rerun at any moment, by any of several controllers that share a ledger, each of which may be killed anywhere:
what must hold.

A schedule is some runs of one task, one after the other or at once, before anything has settled; their faults; and
where each of them is killed. KOODRIVE_CHAOS says how many there are at least, for each store.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import OPEN, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work import moving, tenant_ledger
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import RANDOM_REPLIES, Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import SPACE_TYPES, Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

SCHEDULES = int(os.environ.get("KOODRIVE_CHAOS", "40"))
NAMES = list(SPACE_TYPES)
#: Where a run may be killed: between these steps, or nowhere.
KILLS = (
    *(None, None, None),
    *("before the record", "after the record", "before the first byte", "after the transfer", "before the outcome"),
)
LIMITS = {"timeout": 0.05, "verify_timeout": 0.06, "retries": 1}


class Killed(BaseException):
    """As SIGKILL does it: the run writes and sends nothing more."""


class Life:
    """What kills the run of one thread, and whether it has."""

    def __init__(self, kill: str | None) -> None:
        self.kill = kill
        self.is_over = False

    def come_to(self, step: str) -> None:
        if step == self.kill:
            self.is_over = True
            raise Killed


LIVES = threading.local()


@pytest.fixture(autouse=True)
def fixture_killable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask each thread's life at the steps where a run meets the world. Its record is busy for a short time only."""
    append, end, release, transfer = Store.append, Store.end, Store.release, KooDrive.transfer

    def killable_append(store: Store, record: Record, ends: str | None = None) -> bool:
        LIVES.mine.come_to("before the record")
        is_appended = append(store, record, ends)
        LIVES.mine.come_to("after the record")
        return is_appended

    def killable_transfer(
        koodrive: KooDrive, origin_type: str, moves: Iterable[Move], action: str, begun_at: float, before_first_byte: Callable[[], None]
    ) -> None:
        def killable_before_first_byte() -> None:
            before_first_byte()
            LIVES.mine.come_to("before the first byte")

        try:
            transfer(koodrive, origin_type, moves, action, begun_at, killable_before_first_byte)
        finally:
            LIVES.mine.come_to("after the transfer")

    def killable_end(store: Store, record: Record, state: str, now: float) -> str:
        LIVES.mine.come_to("before the outcome")
        return state if LIVES.mine.is_over else end(store, record, state, now)

    def killable_release(store: Store, record: Record, accepted: bool) -> str:
        LIVES.mine.come_to("before the outcome")
        return OPEN if LIVES.mine.is_over else release(store, record, accepted)

    monkeypatch.setattr(Store, "append", killable_append)
    monkeypatch.setattr(Store, "end", killable_end)
    monkeypatch.setattr(Store, "release", killable_release)
    monkeypatch.setattr(KooDrive, "transfer", killable_transfer)
    monkeypatch.setattr(tenant_ledger, "SLACK", 0.05)
    monkeypatch.setattr(moving, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(options, "SHORTEST_TIMEOUT", 0.01)
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(moving, "FIRST_LOOK_AGAIN", 0.01)


pool = st.fixed_dictionaries({"total": st.integers(500, 2000), "allocated": st.integers(0, 450)})
pools = st.fixed_dictionaries(dict.fromkeys(NAMES, pool))


@st.composite
def tasks(draw: st.DrawFn) -> dict[str, Any]:
    origin, *others = draw(st.permutations(NAMES))
    others = others[: draw(st.integers(1, 2))]
    if draw(st.booleans()):
        rows = [{"type": name, "expand_capacity": draw(st.integers(1, 100))} for name in others]
        return {"origin_type": origin, "target": rows, "idempotency_key": "A-1071"}
    measures = st.sampled_from(["total_capacity", "unallocated_capacity"])
    # What exceeds the smallest pool, so that there is mostly something to do, and mostly enough to do it.
    rows = [{"type": name, draw(measures): draw(st.integers(400, 1500))} for name in others]
    return {"origin_type": origin, "target": rows}


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    reply = draw(st.sampled_from(["ok", "ok", "hang", "reset", "status", *RANDOM_REPLIES]))
    status = draw(st.sampled_from([400, 401, 403, 404, 408, 429, 429, 500, 502, 503, 504]))
    code = draw(st.sampled_from([None, 13000102, 13000201, 13000311, "APIGW.0308"]))
    refuses = Fault(reply=reply, status=status, code=code).refuses
    return Fault(
        apply="no" if refuses else draw(st.sampled_from(["yes", "yes", "no", "late", "late"])),
        reply=reply,
        seconds=draw(st.sampled_from([0.01, 0.1, 0.25])),
        status=status,
        code=code,
        retry_after="0",
        lag=draw(st.sampled_from([0, 0, 0, 1, 2])),
        close=draw(st.booleans()),
    )


#: The first call is a read, the second mostly the write.
scripts = st.lists(faults(), min_size=1, max_size=4).map(lambda later: [Fault(), *later]) | st.just([])
runs = st.fixed_dictionaries(
    {"script": scripts, "kills": st.lists(st.sampled_from(KILLS), min_size=1, max_size=3), "settle": st.sampled_from([False, False, True])}
)
schedules = st.fixed_dictionaries({"pools": pools, "task": tasks(), "runs": st.lists(runs, min_size=1, max_size=4)})


class Tally(Counter[str]):
    """How much of what has been met."""

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in sorted(self.items()))


def run(koodrive: KooDriveForTests, task: dict[str, Any], kill: str | None, **more: Any) -> dict[str, Any] | None:
    """The result of one run; None for one that was killed."""
    LIVES.mine = Life(kill)
    given_options = {**LIMITS, **task, **more}
    try:
        return koodrive.outcome(*given_options.pop("target"), **given_options)
    except Killed:
        return None


def at_once(koodrive: KooDriveForTests, task: dict[str, Any], kills: list[str | None]) -> list[dict[str, Any] | None]:
    results: list[dict[str, Any] | None] = []
    threads = [threading.Thread(target=lambda kill=kill: results.append(run(koodrive, task, kill))) for kill in kills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(threads)
    return results


def meet(koodrive: KooDriveForTests, schedule: dict[str, Any], tally: Tally) -> None:
    """Run the schedule, and see that every promise is kept."""
    state, task = koodrive.state, {**schedule["task"], "tenant": str(uuid.uuid4())}
    state.tenant, state.requests, state.applied = Tenant(schedule["pools"]), [], []
    total = sum(koodrive.totals().values())
    results = []
    for step in schedule["runs"]:
        koodrive.script(*step["script"])
        results += at_once(koodrive, task, step["kills"])
        if step["settle"]:
            koodrive.settle()
    koodrive.settle()
    state.script, state.lag = [], 0
    tally.update(schedules=1, runs=len(results), killed=results.count(None), writes=koodrive.methods().count("POST"))
    check(koodrive, task, schedule["pools"], total)
    for result in filter(None, results):
        if "failed" in result:
            assert result["error"]["kind"] in ADVICE and result["error"]["kind"] != "invalid_request", result["msg"]
            tally[result["error"]["kind"]] += 1
        elif result["changed"]:
            assert state.applied.count(result["trace_id"]) == 1
    get_through(koodrive, task, schedule["pools"], total)


def check(koodrive: KooDriveForTests, task: dict[str, Any], before: dict[str, Any], total: int) -> None:
    """Check that no target has too much, that an addition was made at most once, and that the sum is the same."""
    assert sum(koodrive.totals().values()) == total
    if "idempotency_key" in task:
        assert len(koodrive.state.applied) <= 1
    for row in task["target"]:
        assert koodrive.totals()[row["type"]] <= wanted(row, before)


def wanted(row: dict[str, Any], before: dict[str, Any]) -> int:
    pool = before[row["type"]]
    if "expand_capacity" in row:
        return int(pool["total"] + row["expand_capacity"])
    return int(max(pool["total"], row.get("total_capacity", pool["allocated"] + row.get("unallocated_capacity", 0))))


def get_through(koodrive: KooDriveForTests, task: dict[str, Any], before: dict[str, Any], total: int) -> None:
    """Check that after all late transfers a run waits only for a killed run, and the next run has nothing to send."""
    # On a machine that has too much to do, a reply may be late without a fault.
    patient = {"timeout": 20, "verify_timeout": 20}
    last = run(koodrive, task, None, settle_time=0, **patient)
    assert last is not None
    if "failed" in last and "idempotency_key" in task and last["error"]["kind"] == "outcome_unknown":
        # KooDrive accepted the addition and dropped it. The pools look the same after one that was moved back.
        assert "the outcome of the addition with this idempotency_key is unknown" in last["msg"]
    elif "failed" in last:
        assert last["error"]["kind"] == "insufficient_capacity", last["msg"]
    else:
        assert [koodrive.totals()[row["type"]] for row in task["target"]] == [wanted(row, before) for row in task["target"]]
        again = run(koodrive, task, None, **patient)
        assert again is not None and not again["changed"]
    check(koodrive, task, before, total)


def test_a_rerun_at_any_moment(ledger: str) -> None:
    tally = Tally()

    @settings(max_examples=SCHEDULES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(schedules)
    def meet_all(schedule: dict[str, Any]) -> None:
        try:
            meet(koodrive, schedule, tally)
        except BaseException:
            again = json.dumps(schedule, default=lambda fault: {name: part for name, part in vars(fault).items() if name != "raw"})
            met = f"Requests: {json.dumps(koodrive.state.requests)}\nApplied: {koodrive.state.applied}\n"
            sys.stderr.write(f"{traceback.format_exc()}\nSchedule: {again}\n{met}")
            raise

    with KooDriveForTests(new_state(TOKEN)) as koodrive:
        koodrive.ledger = ledger
        meet_all()
    sys.stdout.write(f"{tally}, no promise broken ({ledger.partition(':')[0]})\n")
