# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random pools, random tasks, random faults, and several at once: what must hold all the same.

A schedule is one set of faults, met by one run or by some at once. KOODRIVE_CHAOS says how many there are at least.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work import moving
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC, transfer_capacity
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.in_process import run_in_process
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import RANDOM_REPLIES, Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import State, new_state
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import SPACE_TYPES, Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

SCHEDULES = int(os.environ.get("KOODRIVE_CHAOS", "160"))
NAMES = list(SPACE_TYPES)
#: Seconds: what a run waits for a reply, and looks for its transfer; a late transfer is done within the latest.
#: What holds across runs that have not settled is the matter of the chaos with a ledger.
LIMITS = {"timeout": 0.05, "verify_timeout": 0.1, "retries": 1, "settle_time": 0}
LATEST = 0.15
#: Of a run that meets no fault: on a machine that has too much to do, a reply may be late without one.
PATIENT = {"timeout": 20, "verify_timeout": 20}

# Most pools have something to give, and most targets lack something: where nothing is sent, nothing can go wrong.
#: A server that takes longer than the run waits: the transfer is done after the run has given up and looked.
KNOWN = json.dumps(
    {
        "rule": "run_alone",
        "path": "by_function",
        "pools": {"department": {"total": 2000, "allocated": 0}, "individual": {"total": 5, "allocated": 0}, "group": {"total": 0, "allocated": 0}},
        "task": {"origin_type": "department", "targets": [{"type": "group", "total_capacity": 10}], "verify": True},
        "script": [{}, {"reply": "hang"}],
        "delay": 0.04,
    }
)

pool = st.fixed_dictionaries({"total": st.integers(0, 300) | st.integers(500, 2000), "allocated": st.integers(0, 400)})
#: A trace ID, so that two results can be equal.
ONE_RUN = "r" * 58
pools = st.fixed_dictionaries(dict.fromkeys(NAMES, pool))
amounts = {
    "total_capacity": st.integers(1, 2500),
    "unallocated_capacity": st.integers(1, 1500),
    "expand_capacity": st.integers(1, 200),
}


@st.composite
def transfers(draw: st.DrawFn) -> dict[str, Any]:
    origin, *others = draw(st.permutations(list(SPACE_TYPES.values())))
    return {"originType": origin, "target": [{"type": others[0], "expandCapacity": draw(st.integers(1, 50))}]}


@st.composite
def tasks(draw: st.DrawFn) -> dict[str, Any]:
    origin, *others = draw(st.permutations(NAMES))
    targets = []
    for name in others[: draw(st.integers(1, 2))]:
        measure = draw(st.sampled_from(list(amounts)))
        targets.append({"type": name, measure: draw(amounts[measure])})
    return {"origin_type": origin, "targets": targets, "verify": draw(st.booleans())}


@st.composite
def faults(draw: st.DrawFn, interlopers: bool = False) -> Fault:
    reply = draw(st.sampled_from(["ok", "ok", "status", *RANDOM_REPLIES]))
    status = draw(st.sampled_from([400, 401, 403, 404, 408, 429, 429, 500, 502, 503, 504]))
    code = draw(st.sampled_from([None, 13000102, 13000311, "APIGW.0308"]))
    refuses = Fault(reply=reply, status=status, code=code).refuses
    return Fault(
        # What KooDrive refuses, it has not processed: that is the contract.
        apply="no" if refuses else draw(st.sampled_from(["yes", "yes", "yes", "no", "late", "partly"])),
        reply=reply,
        seconds=draw(st.sampled_from([0.01, 0.06, LATEST])),
        status=status,
        code=code,
        retry_after=draw(st.sampled_from([None, "0", "3600"])),
        lag=draw(st.sampled_from([0, 0, 0, 1, 3])),
        close=draw(st.booleans()),
        interloper=draw(st.none() | transfers()) if interlopers else None,
    )


def scripts(interlopers: bool = False) -> st.SearchStrategy[list[Fault]]:
    """Faults of the calls of a run; mostly such as let it come to its write."""
    calls = st.lists(faults(interlopers) | st.just(Fault()), min_size=1, max_size=6)
    return st.one_of(calls.map(lambda later: [Fault(), *later]), calls.map(lambda later: [Fault(), *later]), calls)


#: Response times of the server: usually 0, sometimes longer than a run waits, as on an overloaded machine.
delays = st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.07])


def as_json(value: Any) -> Any:
    """A fault as JSON has it; what the reply "raw" sends is no text, and not used here."""
    return {name: part for name, part in vars(value).items() if name != "raw"}


def reported(step: Callable[..., None]) -> Callable[..., None]:
    """Print a failure and how to repeat it at once. Hypothesis replays it, but a failure may depend on time."""

    @functools.wraps(step)
    def wrapper(self: Chaos, **drawn: Any) -> None:
        start: dict[str, Any] = {"rule": step.__name__, "pools": self.state.tenant.by_name(), "path": type(self).path.__name__, **drawn}
        try:
            step(self, **drawn)
        except Exception:
            again = json.dumps(start, default=as_json)
            sys.stderr.write(
                f"{traceback.format_exc()}\nRequests: {json.dumps(self.state.requests)}\nApplied: {self.state.applied}\n"
                f"Pools now: {self.state.tenant.by_name()}\nTo run it again, 20 times: make chaos REPLAY={shlex.quote(again)}\n"
            )
            raise

    return wrapper


class Chaos(RuleBasedStateMachine):
    """A tenant to which everything happens."""

    koodrive: KooDriveForTests
    #: The transfer from options to result or error, by the path that is tested.
    path: Callable[[KooDriveForTests, dict[str, Any], bool], dict[str, Any]]
    count: Counter[str] = Counter()

    @initialize(start=pools)
    def begin(self, start: dict[str, dict[str, int]]) -> None:
        self.state.tenant = Tenant(start)

    @property
    def state(self) -> State:
        return self.koodrive.state

    @rule(task=tasks(), script=scripts(), delay=delays)
    @reported
    def run_alone(self, task: dict[str, Any], script: list[Fault], delay: float) -> None:
        before = self.koodrive.totals()
        self.state.delay = delay
        result = self._run(task, script)
        self._settle()
        mine = self.state.applied.count(result["trace_id"])
        if "error" in result:
            if result["error"]["kind"] == "insufficient_capacity" and result["error"]["http_status"] is None:
                assert mine == 0
        elif result["verified"]:
            assert result["changed"] == (mine == 1)
            assert not self._missing(task, before)
            after = {name: pool["total_capacity"] for name, pool in result["allocation"].items()}
            assert after == self.koodrive.totals()
        if all("expand_capacity" not in target for target in task["targets"]):
            self._rerun(task, before)

    def _rerun(self, task: dict[str, Any], before: dict[str, int]) -> None:
        """What a relaunch does once the first run has settled: all that is missing, and no more."""
        moved = self._one(task, **PATIENT)
        if "error" in moved:
            assert moved["error"]["kind"] == "insufficient_capacity"
            return
        now = self.state.tenant.by_name()
        for target in task["targets"]:
            pool, was = now[target["type"]], before[target["type"]]
            wanted = target.get("total_capacity", pool["allocated"] + target.get("unallocated_capacity", 0))
            assert pool["total"] == max(wanted, was)
        assert not self._one(task, **PATIENT)["changed"]

    @rule(task=tasks(), script=scripts(interlopers=True))
    @reported
    def run_with_interlopers(self, task: dict[str, Any], script: list[Fault]) -> None:
        result = self._run(task, script)
        if result["changed"] and result.get("verified", True):
            assert self.state.applied
        if "error" not in result and result["verified"]:
            for target in task["targets"]:
                if "total_capacity" in target:
                    assert result["allocation"][target["type"]]["total_capacity"] >= target["total_capacity"]
        self._settle()

    @rule(same=tasks(), others=st.lists(tasks(), max_size=1), script=scripts(), delay=delays)
    @reported
    def run_at_once(self, same: dict[str, Any], others: list[dict[str, Any]], script: list[Fault], delay: float) -> None:
        results: list[dict[str, Any]] = []
        self.state.delay = delay
        self._expect(script)
        threads = [threading.Thread(target=lambda task=task: results.append(self._one(task))) for task in [same, same, *others]]
        total = sum(self.koodrive.totals().values())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == len(threads)
        self._settle()
        self._check(results, total)
        for result in results:
            if "error" not in result and not result["changed"]:
                assert self.state.applied.count(result["trace_id"]) == 0
        if script == [Fault()] * len(script) and not others and "expand_capacity" not in str(same["targets"]):
            assert sum(result["changed"] for result in results) <= 1

    @rule(task=tasks())
    @reported
    def predict(self, task: dict[str, Any]) -> None:
        self._expect([])
        predicted = self._one(task, check_mode=True, trace_id=ONE_RUN, **PATIENT)
        assert self.state.applied == []
        real = self._one(task, trace_id=ONE_RUN, **PATIENT)
        for result in (predicted, real):
            for name in ("verified", "msg"):
                result.pop(name, None)
        assert predicted == real

    def _run(self, task: dict[str, Any], script: list[Fault]) -> dict[str, Any]:
        """The result of a task that meets the faults of ``script``, after what must hold for each."""
        total = sum(self.koodrive.totals().values())
        self._expect(script)
        result = self._one(task)
        self._check([result], total)
        return result

    def _expect(self, script: list[Fault]) -> None:
        self.state.requests, self.state.applied, self.state.lag = [], [], 0
        self.koodrive.script(*script)
        type(self).count.update(schedules=1, faults=sum(fault != Fault() for fault in script))

    def _check(self, results: list[dict[str, Any]], total: int) -> None:
        posts = [request for request in self.state.requests if request["method"] == "POST"]
        type(self).count.update(runs=len(results), writes=len(posts), failures=sum("error" in result for result in results))
        assert sum(self.koodrive.totals().values()) == total
        for result in results:
            mine = [request for request in posts if request["trace_id"] == result["trace_id"]]
            assert sum(request["open"] for request in mine) <= 1
            assert all(not request["open"] for request in mine[:-1])
            assert self.state.applied.count(result["trace_id"]) <= 1
            if "error" in result:
                assert result["error"]["kind"] in ADVICE and result["error"]["kind"] != "invalid_request"

    def _one(self, task: dict[str, Any], check_mode: bool = False, **limits: Any) -> dict[str, Any]:
        asked = {"origin_type": task["origin_type"], "target": task["targets"], "verify": task["verify"], **LIMITS, **limits}
        return type(self).path(self.koodrive, asked, check_mode)

    def _settle(self) -> None:
        """Wait until nothing can happen any more: by what the server has still to do, and not by the clock."""
        self.koodrive.settle()
        self.state.script, self.state.lag, self.state.delay = [], 0, 0.0

    def _missing(self, task: dict[str, Any], before: dict[str, int]) -> bool:
        now = self.state.tenant.by_name()
        for target in task["targets"]:
            pool = now[target["type"]]
            if pool["total"] < target.get("total_capacity", 0):
                return True
            if pool["total"] < before[target["type"]] + target.get("expand_capacity", 0):
                return True
            if max(0, pool["total"] - pool["allocated"]) < target.get("unallocated_capacity", 0):
                return True
        return False


def by_function(koodrive: KooDriveForTests, asked: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """As a module's main() does it."""
    result = koodrive.outcome(*asked["target"], check_mode=check_mode, **{name: asked[name] for name in asked if name != "target"})
    result.pop("failed", None)
    return result


def in_process(koodrive: KooDriveForTests, asked: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """As Ansible's own worker process does it."""
    given = {**asked, "endpoint": koodrive.endpoint, "token": TOKEN, "ledger": koodrive.ledger}
    # Times below a second, which a task cannot ask for.
    spec = {**TRANSFER_SPEC, **{name: {"type": "float"} for name in ("timeout", "verify_timeout")}}
    result = run_in_process("koodrive_space_transfer", given, spec, transfer_capacity, check_mode)
    result.pop("failed", None)
    result.pop("invocation")
    return result


@pytest.fixture(name="limits", autouse=True)
def fixture_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(options, "SHORTEST_TIMEOUT", 0.01)
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(moving, "FIRST_LOOK_AGAIN", 0.01)
    yield


@pytest.mark.parametrize("path", [by_function, in_process])
def test_chaos(path: Callable[..., dict[str, Any]]) -> None:
    with KooDriveForTests(new_state(TOKEN)) as koodrive:
        Chaos.koodrive = koodrive
        Chaos.path = staticmethod(path)
        Chaos.count = Counter()
        run_state_machine_as_test(
            Chaos,
            settings=settings(
                max_examples=max(1, SCHEDULES // 6),
                stateful_step_count=6,
                deadline=None,
                # What depends on time does not shrink: it only takes long to say so.
                phases=[Phase.reuse, Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    sys.stdout.write("".join(f"{number} {name}, " for name, number in sorted(Chaos.count.items())) + f"no promise broken ({path.__name__})\n")


def test_a_schedule_that_once_broke_does_not_break_now() -> None:
    replayed = json.loads(os.environ.get("KOODRIVE_CHAOS_REPLAY") or KNOWN)
    drawn = {name: value for name, value in replayed.items() if name not in ("rule", "pools", "path")}
    if "script" in drawn:
        drawn["script"] = [Fault(**fault) for fault in drawn["script"]]
    Chaos.path = staticmethod({"by_function": by_function, "in_process": in_process}[replayed["path"]])
    with KooDriveForTests(new_state(TOKEN)) as koodrive:
        Chaos.koodrive = koodrive
        for _time in range(20 if "KOODRIVE_CHAOS_REPLAY" in os.environ else 1):
            machine = Chaos()
            machine.begin(replayed["pools"])
            getattr(machine, replayed["rule"])(**drawn)
