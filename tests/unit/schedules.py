# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every schedule of the modules that move capacity: several controllers, the real code, a world in memory.

A run takes steps that touch the world: it uses the ledger, reads the pools, sends a POST, reads the clock or sleeps.
The world answers each step. With the same answers, a run takes the same next step, because the tests remove the
randomness from its pauses. So the answers so far describe a run that waits for an answer. To continue such a run,
Story starts the real code again with one more answer.

A schedule is a path through the states. A state is the content of the world and the position of each run. The state
alone decides what can happen next, and which promises can break after it. So Schedules visits each state once, and
counts the paths through it without walking them. This skips only repetitions.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import waiting
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import Answer, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import GIVEN_UP, NOT_DONE, OPEN, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import LedgerChoice
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work import moving, space_allocation, space_transfer, tenant_ledger
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC, allocate_capacity
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC, transfer_capacity

NAMES = ("department", "group", "individual")
TOTALS = (1000, 100, 0)
#: A program that does not use the ledger moves this many GB from individual to group, and back.
OUTSIDE = 200
TENANT = "tenant"
SETTLE_TIME = 900
TIMEOUT, VERIFY_TIMEOUT = 30, 30
#: How long a writer may send after it appended its record, in seconds.
LEASE = tenant_ledger.SLACK + TIMEOUT + VERIFY_TIMEOUT
#: The possible outcomes of a POST. "reply lost", "late" and "never" look the same to the run: it gets no reply.
HEALTHY = ("done",)
FATES = ("done", "refused", "rate limited", "not sent", "reply lost", "late", "never", "accepted and late", "accepted and never")
#: A proxy has sent the request twice, and returns the second reply.
SENT_TWICE = "done, but rate limited"


class Row(NamedTuple):
    """Represent a record in the store. ``before`` holds the totals of all pools before the transfer."""

    number: int
    state: str
    begun_at: float
    sender: str
    origin_type: str
    moves: tuple[Move, ...]
    before: tuple[int, ...]
    key: str | None
    busy_until: float
    settle_time: float
    accepted: bool = False

    def record(self) -> Record:
        """Return the record as the type that the collection uses."""
        return Record(
            tenant=TENANT,
            sequence=self.number,
            origin_type=self.origin_type,
            moves=self.moves,
            before=allocation(self.before),
            read_call="allocation",
            writer="user@host",
            trace_id=self.sender,
            begun_at=self.begun_at,
            busy_until=self.busy_until,
            settle_time=self.settle_time,
            idempotency_key=self.key,
            state=self.state,
            accepted=self.accepted,
        )


def allocation(totals: Sequence[int]) -> dict[str, Pool]:
    """Return pools with these totals and with nothing allocated."""
    return {name: Pool(total, 0) for name, total in zip(NAMES, totals)}


class Unanswered(BaseException):
    """Stop a run at a step that has no answer yet. This run never continues; Story starts another one instead."""


class Run:
    """Stand in for the connection, KooDrive, the store and the clock of one run. Each step takes the next answer."""

    endpoint, credential, timeout = "https://koodrive.example", "credential", TIMEOUT
    retries, read_call, may_have_sent, read_at = 1, "allocation", True, None

    def __init__(self, trace_id: str, answers: Sequence[Any]) -> None:
        self.trace_id = trace_id
        self._answers = iter(answers)
        self._slept = 0.0
        self.asked: tuple[Any, ...] | None = None

    def _step(self, *asked: Any) -> Any:
        if self.asked is None:
            for answer in self._answers:
                return answer
            self.asked = asked
        raise Unanswered

    @contextmanager
    def client(self) -> Iterator[Run]:
        yield self

    @contextmanager
    def store(self, _ledger: str | None, _read_only: bool) -> Iterator[Run]:
        yield self

    def monotonic(self) -> float:
        return self._slept

    def sleep(self, seconds: float) -> None:
        self._step("sleep")
        self._slept += seconds

    # KooDrive

    def read_pools(self, _step: str, _needed: Sequence[str] = (), _retries: int | None = None, **_given: Any) -> dict[str, Pool]:
        # The time from before the pools were read.
        time, totals = self._step("read")
        self.read_at = time
        return allocation(totals)

    def now(self) -> float:
        return self._step("time")

    def ensure_wanted(self) -> None:
        """Do nothing: the caller of the run always waits for it."""

    def transfer(self, origin_type: str, moves: tuple[Move, ...], action: str, _begun_at: float, before_first_byte: Any) -> None:
        before_first_byte()
        fate = self._step("POST", origin_type, moves)
        if fate in ("done", "accepted and late", "accepted and never"):
            return
        if fate == "refused":
            raise KooDriveError("rejected", "KooDrive refused it", action=action, answer=Answer(400))
        if fate in ("rate limited", SENT_TWICE):
            raise KooDriveError("rate_limited", "not now", action=action, answer=Answer(429), transient=True)
        raise KooDriveError("unreachable", "no reply", action=action, transient=True, may_have_moved=fate != "not sent")

    def pauses(self) -> waiting.Pauses:
        return waiting.Pauses(1, 1)

    def wait(self, pauses: waiting.Pauses, at_most: float, _why: str, _asked_for: float | None = None) -> None:
        pauses.wait(at_most)

    def wait_after(self, pauses: waiting.Pauses, _error: KooDriveError) -> None:
        pauses.wait(1)

    # The store

    def newest(self, _tenant: str) -> Record | None:
        return _record(self._step("newest"))

    def with_key(self, _tenant: str, key: str) -> Record | None:
        return _record(self._step("key", key))

    def append(self, record: Record, ends: str | None = None) -> bool:
        before = tuple(record.before[name].total_capacity for name in NAMES)
        row = Row(
            *(record.sequence, OPEN, record.begun_at, self.trace_id, record.origin_type, record.moves, before, record.idempotency_key),
            *(record.busy_until, record.settle_time),
        )
        return bool(self._step("record", row, ends))

    def is_open(self, record: Record) -> bool:
        return bool(self._step("is open", record.sequence))

    def end(self, record: Record, state: str, _now: float) -> str:
        return str(self._step("outcome", record.sequence, state))

    def release(self, record: Record, accepted: bool) -> str:
        return str(self._step("release", record.sequence, accepted))


def _record(row: Row | None) -> Record | None:
    return None if row is None else row.record()


class Harness:
    """Connect the real code to one run after the other, and to nothing else."""

    run: Run

    @contextmanager
    def open(self) -> Iterator[None]:
        """Patch the modules. A pause lasts for the whole timeout, so a run checks the pools twice: first and last."""
        clock = types.SimpleNamespace(monotonic=self._monotonic, sleep=self._sleep)
        names: dict[str, Any] = {
            "KooDrive": lambda run, *_options: run.client(),
            "store_of": self._store,
            "time": clock,
            "FIRST_LOOK_AGAIN": VERIFY_TIMEOUT,
            "LONGEST_LOOK_AGAIN": VERIFY_TIMEOUT,
            # A run stops waiting for another writer after the first pause, unless the clock does not advance.
            "FIRST_WAIT": 10 * (TIMEOUT + VERIFY_TIMEOUT),
            "LONGEST_WAIT": 10 * (TIMEOUT + VERIFY_TIMEOUT),
            "seconds_since_boot": lambda: 0.0,
        }
        no_randomness = types.SimpleNamespace(uniform=lambda _low, high: high)
        choice = LedgerChoice(path=None, is_temporary=False, tenant=TENANT, writer="user@host")
        connection = {"connection_from": lambda *_options: self.run, "ledger_from": lambda *_options: choice}
        with (
            mock.patch.multiple(space_transfer, **connection),
            mock.patch.multiple(space_allocation, **connection),
            mock.patch.multiple(moving, **names),
            mock.patch.multiple(tenant_ledger, seconds_since_boot=self._now),
            mock.patch.multiple(waiting, time=clock, random=no_randomness),
        ):
            yield

    def _monotonic(self) -> float:
        return self.run.monotonic()

    def _sleep(self, seconds: float) -> None:
        self.run.sleep(seconds)

    def _now(self) -> float:
        return self.run.now()

    def _store(self, *options: Any) -> Any:
        return self.run.store(*options)


HARNESS = Harness()


class Position:
    """Hold the position of one run: the answers so far, and the step that waits for an answer or the result."""

    __slots__ = ("answers", "asked", "result", "next", "may_send")

    def __init__(self, answers: tuple[Any, ...], asked: tuple[Any, ...] | None, result: dict[str, Any] | None) -> None:
        self.answers = answers
        self.asked = asked
        self.result = result
        self.next: dict[Any, Position] = {}
        #: Whether the run has read the clock for the last time before its POST.
        self.may_send = False


class Story:
    """Find the positions that one run can reach. Compute each of them when it is needed."""

    def __init__(self, task: Task, trace_id: str) -> None:
        given = {"verify_timeout": VERIFY_TIMEOUT, "settle_time": task.settle_time, **task.options()}
        spec, self._work = (ALLOCATION_SPEC, allocate_capacity) if task.layout else (TRANSFER_SPEC, transfer_capacity)
        self._options = {**{name: option.get("default") for name, option in spec.items()}, **given}
        self._trace_id = trace_id
        self._check_mode = task.check_mode
        self.start = self._position(())

    def continued(self, position: Position, answer: Any) -> Position:
        """Return the position that a run at ``position`` reaches with ``answer``."""
        if answer not in position.next:
            assert position.asked is not None
            after = self._position((*position.answers, answer))
            # The run reads the clock immediately before its POST.
            after.may_send = position.asked[0] == "time" and after.asked is not None and after.asked[0] == "POST"
            position.next[answer] = after
        return position.next[answer]

    def _position(self, answers: tuple[Any, ...]) -> Position:
        run = Run(self._trace_id, answers)
        HARNESS.run = run
        result = None
        try:
            result = self._work(self._options, self._check_mode, environ={})
        except Unanswered:
            pass
        return Position(answers, run.asked, result)


class Rules(NamedTuple):
    """Define the rules of the world. A test can break the rules of the stores."""

    one_number: bool = True
    one_key: bool = True
    ends_once: bool = True
    durable: bool = True
    #: How many runs start at the same time.
    at_once: int = 2
    #: How many runs may be killed, and how often a lease or settle_time may pass during the runs.
    kills: int = 1
    leases: int = 1
    long_times: int = 1
    #: Whether a program that does not use the ledger moves capacity.
    outsider: bool = False
    #: The possible outcomes of a POST.
    fates: Sequence[str] = FATES

    @property
    def totals(self) -> tuple[int, ...]:
        """Return the totals of the pools at the start."""
        return (*TOTALS[:2], OUTSIDE) if self.outsider else TOTALS


class World(NamedTuple):
    """Hold the state outside of the runs: pools, late transfers, transfers of each run, ledger and time."""

    totals: tuple[int, ...] = TOTALS
    late: tuple[tuple[int, str, tuple[Move, ...]], ...] = ()
    moved: tuple[int, ...] = ()
    rows: tuple[Row, ...] = ()
    time: float = 0.0
    #: 1 after a program without the ledger moved capacity, 2 after it moved the capacity back.
    outside: int = 0

    def applied(self, run: int, origin_type: str, moves: tuple[Move, ...]) -> World | None:
        """Return the world after a transfer, or None if the origin has too little capacity."""
        change = {move.type: move.expand_capacity for move in moves}
        change[origin_type] = -sum(change.values())
        totals = tuple(total + change.get(name, 0) for name, total in zip(NAMES, self.totals))
        if min(totals) < 0:
            return None
        return self._replace(totals=totals, moved=tuple(count + (number == run) for number, count in enumerate(self.moved)))

    def moved_outside(self) -> World:
        """Return the world after the next transfer of the program that does not use the ledger."""
        change = -OUTSIDE if self.outside else OUTSIDE
        department, group, individual = self.totals
        return self._replace(totals=(department, group + change, individual - change), outside=self.outside + 1)

    def expected(self) -> World:
        """Return the world after all late transfers."""
        world = self
        for sent in self.late:
            world = world.applied(*sent) or world
        return world._replace(late=())


#: A step and its arguments.
Asked = tuple[Any, ...]
#: The name of an event, the world after it, and the answer to the run.
Event = tuple[str, World, Any]


class Stores:
    """Answer the steps of the runs. Some steps have several possible answers."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def events(self, world: World, run: int, asked: Asked, fates: Sequence[str]) -> list[Event]:
        """Return all events that can happen at the step ``asked``."""
        step, *given = asked
        if step == "POST":
            return [self._posted(world, run, fate, *given) for fate in fates]
        if step == "record":
            return [self._recorded(world, *given)]
        if step == "outcome":
            return [self._ended(world, *given)]
        if step == "release":
            return [self._released(world, *given)]
        return [(step, world, self._looked(world, step, *given))]

    def killed(self, world: World, sender: str) -> World:
        """Return the world after SIGKILL: uncommitted records are lost."""
        rows = world.rows if self._rules.durable else tuple(row for row in world.rows if row.sender != sender)
        return world._replace(rows=rows)

    def _recorded(self, world: World, row: Row, ends: str | None) -> Event:
        rows = world.rows
        if ends is not None:
            before = _row(rows, row.number - 1)
            if before is None or before.state != OPEN:
                return ("record refused", world, False)
            rows = _with_row(rows, before._replace(state=ends))
        key_taken = row.key is not None and any(other.key == row.key and other.state != NOT_DONE for other in rows)
        number_taken = _row(rows, row.number) is not None
        if (number_taken and self._rules.one_number) or (key_taken and self._rules.one_key):
            return ("record refused", world, False)
        return ("record", world._replace(rows=(*rows, row)), True)

    def _ended(self, world: World, number: int, state: str) -> Event:
        row = _row(world.rows, number)
        if row is None:
            return (f"{number} is gone", world, GIVEN_UP)
        if row.state != OPEN and self._rules.ends_once:
            return (f"{number} is {row.state} already", world, row.state)
        return (f"outcome {state} of {number}", world._replace(rows=_with_row(world.rows, row._replace(state=state))), state)

    def _released(self, world: World, number: int, accepted: bool) -> Event:
        row = _row(world.rows, number)
        if row is None:
            return (f"{number} is gone", world, GIVEN_UP)
        if row.state != OPEN:
            return (f"{number} is {row.state} already", world, row.state)
        released = row._replace(busy_until=0, accepted=accepted)
        return (f"release of {number}", world._replace(rows=_with_row(world.rows, released)), OPEN)

    def _looked(self, world: World, step: str, *given: Any) -> Any:
        if step == "newest":
            return world.rows[-1] if world.rows else None
        if step == "key":
            return next((row for row in world.rows[::-1] if row.key == given[0] and row.state != NOT_DONE), None)
        if step == "is open":
            row = _row(world.rows, given[0])
            return row is not None and row.state == OPEN
        return {"read": (world.time, world.totals), "time": world.time, "sleep": None}[step]

    def _posted(self, world: World, run: int, fate: str, origin_type: str, moves: tuple[Move, ...]) -> Event:
        after = world.applied(run, origin_type, moves)
        if fate in ("done", "reply lost", SENT_TWICE):
            return (f"POST {fate}", after, fate) if after is not None else ("POST refused", world, "refused")
        if fate in ("late", "accepted and late"):
            return (f"POST {fate}", world._replace(late=(*world.late, (run, origin_type, moves))), fate)
        return (f"POST {fate}", world, fate)


def _row(rows: tuple[Row, ...], number: int) -> Row | None:
    return next((row for row in rows[::-1] if row.number == number), None)


def _with_row(rows: tuple[Row, ...], changed: Row) -> tuple[Row, ...]:
    return tuple(changed if row.number == changed.number else row for row in rows)


class Task(NamedTuple):
    """Describe the task of a run: minimum totals, or an addition with a key.

    With ``layout``, the pools themselves are the origins.
    """

    at_least: tuple[tuple[str, int], ...] = ()
    more: tuple[tuple[str, int], ...] = ()
    key: str | None = None
    layout: bool = False
    settle_time: int = SETTLE_TIME
    check_mode: bool = False

    def options(self) -> dict[str, Any]:
        """Return the options of the module."""
        if self.layout:
            return {"pools": [{"type": name, "total_capacity": total, "receives": True, "gives": True} for name, total in self.at_least]}
        target = [{"type": name, "total_capacity": total} for name, total in self.at_least]
        target += [{"type": name, "expand_capacity": more} for name, more in self.more]
        return {"origin_type": "department", "target": target, "idempotency_key": self.key}


class State(NamedTuple):
    """Hold the world, the position of each run, the number of the next run and the count of events.

    The position is None if the run has not started or has ended.
    """

    world: World
    positions: tuple[Position | None, ...]
    begun: int
    kills: int
    leases: int
    long_times: int


class Schedules:
    """Run all schedules of ``tasks``.

    The first runs start at the same time; ``rules.at_once`` is their number. Each later run is alone. The last
    ``after`` runs start after all late transfers are applied, and KooDrive applies their transfers immediately.
    """

    def __init__(self, tasks: Sequence[Task], after: int, rules: Rules) -> None:
        self._tasks = tasks
        self._healthy_from = len(tasks) - after
        self._rules = rules
        self._stores = Stores(rules)
        with HARNESS.open():
            self._stories = [Story(task, f"run-{number}") for number, task in enumerate(tasks)]
        positions = tuple(story.start if number < rules.at_once else None for number, story in enumerate(self._stories))
        self._worlds: dict[World, World] = {}
        self._judged: dict[World, str | None] = {}
        self._start = State(self._one(World(rules.totals, moved=(0,) * len(tasks))), positions, rules.at_once, 0, 0, 0)
        #: For each state, the number of paths to the end.
        self._seen: dict[tuple[Any, ...], int] = {}
        self.broken: set[str] = set()

    @property
    def states(self) -> int:
        """Return the number of different states."""
        return len(self._seen)

    def count(self) -> int:
        """Return the number of schedules. Collect the broken promises in ``broken``."""
        with HARNESS.open():
            return self._count(self._start)

    def shortest_to_broken(self, promise: str | None = None) -> tuple[str, list[str]] | None:
        """Return the shortest schedule that breaks ``promise``, or any promise if it is None.

        Return the broken promise and the events that lead to it, or None if no schedule breaks one.
        """
        with HARNESS.open():
            return self._shortest_to_broken(promise)

    def _shortest_to_broken(self, promise: str | None) -> tuple[str, list[str]] | None:
        came_from: dict[tuple[Any, ...], tuple[State, str] | None] = {_key(self._start): None}
        queue = deque([self._start])
        while queue:
            state = queue.popleft()
            for event, after, broken in self._next(state):
                if broken is not None and promise in (None, broken):
                    return broken, [*self._way(state, came_from), event]
                if _key(after) not in came_from:
                    came_from[_key(after)] = (state, event)
                    queue.append(after)
        return None

    def _way(self, state: State, came_from: Mapping[tuple[Any, ...], tuple[State, str] | None]) -> list[str]:
        events = []
        step = came_from[_key(state)]
        while step is not None:
            events.append(step[1])
            step = came_from[_key(step[0])]
        return events[::-1]

    def _count(self, state: State) -> int:
        key = _key(state)
        found = self._seen.get(key)
        if found is None:
            found = ends = 0
            for _event, after, broken in self._next(state):
                ends = 1
                if broken is not None:
                    self.broken.add(broken)
                    found += 1
                else:
                    found += self._count(after)
            found = self._seen[key] = found if ends else 1
        return found

    def _next(self, state: State) -> Iterator[tuple[str, State, str | None]]:
        """Yield each event that can happen next, the state after it, and the promise that it breaks."""
        running = [number for number, position in enumerate(state.positions) if position is not None]
        if not running:
            if state.begun < len(self._tasks):
                yield self._begin(state)
            return
        alone = next((run for run in running if self._is_independent(state, state.positions[run])), None)
        if alone is not None:
            yield from self._continue(state, alone)
            return
        for run in running:
            yield from self._continue(state, run)
        for sent in state.world.late:
            yield self._late(state, sent)
        if self._rules.outsider and state.world.outside < 2 and state.begun <= self._healthy_from and min(state.world.moved_outside().totals) >= 0:
            yield "another program moves capacity", state._replace(world=self._one(state.world.moved_outside())), None
        if self._has_leases(state) and not self._is_sending(state):
            world = state.world._replace(time=state.world.time + LEASE)
            yield "a lease passes", state._replace(world=self._one(world), leases=state.leases + 1), None
        if self._has_long_times(state) and not self._is_sending(state) and not state.world.late:
            world = state.world._replace(time=state.world.time + SETTLE_TIME)
            yield "settle_time passes", state._replace(world=self._one(world), long_times=state.long_times + 1), None

    def _has_leases(self, state: State) -> bool:
        return state.begun <= self._healthy_from and state.leases < self._rules.leases

    def _has_long_times(self, state: State) -> bool:
        """Return whether settle_time may pass again. It is the longest time that a transfer can be late."""
        return state.begun <= self._healthy_from and state.long_times < self._rules.long_times

    def _is_independent(self, state: State, position: Position | None) -> bool:
        """Return whether the next step of a run is independent of the other runs and of the world.

        The order of such a step makes no difference. So it always comes first, which saves schedules.
        """
        assert position is not None and position.asked is not None
        return position.asked[0] == "sleep" or (position.asked[0] == "time" and not self._has_leases(state) and not self._has_long_times(state))

    def _is_sending(self, state: State) -> bool:
        """Return whether a run has read the clock before its POST. A request ends before the lease."""
        return any(position is not None and position.may_send for position in state.positions)

    def _begin(self, state: State) -> tuple[str, State, str | None]:
        run = state.begun
        world = state.world
        if run == self._healthy_from:
            world = world.expected()._replace(time=world.time + SETTLE_TIME)
        positions = tuple(story.start if number == run else None for number, story in enumerate(self._stories))
        event = f"run {run} starts" + (", after all late transfers" if run == self._healthy_from else "")
        return event, state._replace(world=self._one(world), positions=positions, begun=run + 1), self._broken_by(world)

    def _late(self, state: State, sent: tuple[int, str, tuple[Move, ...]]) -> tuple[str, State, str | None]:
        late = list(state.world.late)
        late.remove(sent)
        world = state.world.applied(*sent) or state.world
        world = world._replace(late=tuple(late))
        return f"KooDrive applies the transfer of run {sent[0]} late", state._replace(world=self._one(world)), self._broken_by(world)

    def _continue(self, state: State, run: int) -> Iterator[tuple[str, State, str | None]]:
        position = state.positions[run]
        assert position is not None and position.asked is not None
        is_healthy = run >= self._healthy_from
        for event, world, answer in self._stores.events(state.world, run, position.asked, HEALTHY if is_healthy else self._rules.fates):
            after = self._stories[run].continued(position, answer)
            broken = self._writes_in_check_mode(run, position.asked) or self._broken_by(world)
            if after.result is not None:
                broken = broken or self._claims(world, run, after.result)
            yield f"run {run}: {event}", self._at(state, run, None if after.result is not None else after, world), broken
        if not is_healthy and state.kills < self._rules.kills:
            world = self._stores.killed(state.world, f"run-{run}")
            yield f"run {run} is killed", self._at(state, run, None, world)._replace(kills=state.kills + 1), None

    def _at(self, state: State, run: int, position: Position | None, world: World) -> State:
        positions = (*state.positions[:run], position, *state.positions[run + 1 :])
        return State(self._one(world), positions, state.begun, state.kills, state.leases, state.long_times)

    def _one(self, world: World) -> World:
        """Return one shared object for all equal worlds."""
        return self._worlds.setdefault(world, world)

    # The promises

    def _writes_in_check_mode(self, run: int, asked: Asked) -> str | None:
        if self._tasks[run].check_mode and asked[0] in ("record", "POST", "outcome", "release"):
            return f"writes in check mode: {asked[0]}"
        return None

    def _broken_by(self, world: World) -> str | None:
        world = self._one(world)
        if world not in self._judged:
            self._judged[world] = self._judge(world)
        return self._judged[world]

    def _judge(self, world: World) -> str | None:
        if sum(world.totals) != sum(self._rules.totals):
            return "the sum of the totals has changed"
        outside = OUTSIDE if world.outside == 1 else 0
        for name, before, now in zip(NAMES, self._rules.totals, world.totals):
            states = [total for task in self._tasks for of, total in task.at_least if of == name]
            additions = {task.key: more for task in self._tasks for of, more in task.more if of == name}
            if name != "department" and now > max([before, *states]) + sum(additions.values()) + (outside if name == "group" else 0):
                return f"the pool {name} has more capacity than the tasks ask for"
        if all(task.layout for task in self._tasks) and self._has_too_little_left(world):
            return "an origin has less than its minimum"
        if any(self._moved(world, key) > 1 for key in {task.key for task in self._tasks if task.key}):
            return "the addition was made twice"
        return None

    def _has_too_little_left(self, world: World) -> bool:
        keeps = {name: max(total for task in self._tasks for of, total in task.at_least if of == name) for name in NAMES}
        return any(now < min(before, keeps[name]) for name, before, now in zip(NAMES, TOTALS, world.totals))

    def _moved(self, world: World, key: str) -> int:
        return sum(count for count, task in zip(world.moved, self._tasks) if task.key == key)

    def _claims(self, world: World, run: int, result: dict[str, Any]) -> str | None:
        """Return what is wrong in the result of the run or in the ledger after it, or None."""
        if not result.get("failed"):
            return self._claims_success(world, run, result)
        if self._tasks[run].check_mode:
            return None
        will = world.expected()
        reports_nothing_moved = "task moved nothing" in result["msg"] or "othing was sent" in result["msg"] and "Done before that" not in result["msg"]
        if reports_nothing_moved and will.moved[run]:
            return "reports that it moved nothing, but it moved capacity"
        if result["changed"] and world.totals == self._rules.totals and not world.outside:
            return "reports that the pools have changed, but they have not"
        if reports_nothing_moved and _is_open(world, run):
            return "leaves a transfer open that it knows was not applied"
        return self._blocked(world, run, result) if run >= self._healthy_from else None

    def _claims_success(self, world: World, run: int, result: dict[str, Any]) -> str | None:
        will = world.expected()
        task = self._tasks[run]
        if task.check_mode:
            return None
        if not self._rules.outsider and any(will.totals[NAMES.index(name)] < total for name, total in task.at_least):
            return "reports that the pools have the desired state, but they have not"
        made = sum(count for count, other in zip(will.moved, self._tasks) if other == task)
        if task.key and made != 1:
            return "reports that the addition was made, but it was not"
        if result["changed"] and not will.moved[run] and not result["warnings"]:
            return "reports that it has changed the pools, but it has not"
        if not result["changed"] and will.moved[run] and not result["warnings"]:
            return "reports that it has not changed the pools, but it has"
        if result["changed"] and not result["warnings"] and _is_open(world, run):
            return "leaves a transfer open that it knows was applied"
        return None

    def _blocked(self, world: World, run: int, result: dict[str, Any]) -> str | None:
        """Return what is wrong in a failure after all late transfers, or None.

        Only a record with the same key may cause such a failure.
        """
        key = self._tasks[run].key
        of_key = [row for row in world.rows if key is not None and row.key == key and row.state != NOT_DONE]
        kind = result["error"]["kind"]
        if (
            kind == "outcome_unknown"
            and [row.state for row in of_key] == [GIVEN_UP]
            and "the outcome of the addition with this idempotency_key is unknown" in result["msg"]
        ):
            return None
        if kind == "invalid_request" and any(row.moves != self._moves(run) for row in of_key):
            return None
        return f"fails after all late transfers: {kind}"

    def _moves(self, run: int) -> tuple[Move, ...]:
        return tuple(Move(*more) for more in self._tasks[run].more)


def _key(state: State) -> tuple[Any, ...]:
    """Return the ids of the objects in ``state``. Equal values share one object, and ids compare faster than values."""
    return (id(state.world), *map(id, state.positions), state.begun, state.kills, state.leases, state.long_times)


def _is_open(world: World, run: int) -> bool:
    return any(row.sender == f"run-{run}" and row.state == OPEN for row in world.rows)
