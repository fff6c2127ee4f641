# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every schedule of the real work of the modules that move capacity, run by several controllers in a world in memory.

A run is a function of the world's answers at each step at which it meets the world (ledger, read, POST, clock,
sleep). With the same answers, it asks the same next, since the tests take chance from its pauses. So a run that waits
for an answer is kept as the answers so far. To go on, the real code runs once more with one answer added (Story). A
schedule is a path through the states of the whole: what the world holds, and how far each run has come. What can
happen next depends on the state alone, and so does whether a promise breaks from there on. So each state is visited
once, and the paths through it are counted without being walked (Schedules). That leaves out nothing but repetition.
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
#: Somebody without the ledger moves this much from individual to group, and back.
OUTSIDE = 200
TENANT = "tenant"
SETTLE_TIME = 900
TIMEOUT, VERIFY_TIMEOUT = 30, 30
#: How long a writer may send after its record.
LEASE = tenant_ledger.SLACK + TIMEOUT + VERIFY_TIMEOUT
#: What can become of a POST. Lost, late and never look the same to the run: there is no reply.
HEALTHY = ("done",)
FATES = ("done", "refused", "rate limited", "not sent", "reply lost", "late", "never", "accepted and late", "accepted and never")


class Row(NamedTuple):
    """A record as the store holds it; ``before`` are the totals of all pools."""

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
        """The record as the collection knows it."""
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
    """The pools with these totals, nothing of them allocated."""
    return {name: Pool(total, 0) for name, total in zip(NAMES, totals)}


class Unanswered(BaseException):
    """A run has come to a step that nobody has answered yet. It is never let go on: for it, the world has ended."""


class Run:
    """The world as one run meets it: connection, KooDrive, store and clock at once. Each step takes the next of
    ``answers``.
    """

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
        # The time is that before the reading.
        time, totals = self._step("read")
        self.read_at = time
        return allocation(totals)

    def now(self) -> float:
        return self._step("time")

    def ensure_wanted(self) -> None:
        """Somebody always waits for it."""

    def transfer(self, origin_type: str, moves: tuple[Move, ...], action: str, _begun_at: float, before_first_byte: Any) -> None:
        before_first_byte()
        fate = self._step("POST", origin_type, moves)
        if fate in ("done", "accepted and late", "accepted and never"):
            return
        if fate == "refused":
            raise KooDriveError("rejected", "KooDrive refused it", action=action, answer=Answer(400))
        if fate == "rate limited":
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


class Hall:
    """Where the real code meets one run after the other, and nothing else."""

    run: Run

    @contextmanager
    def open(self) -> Iterator[None]:
        """A pause lasts until the end of the time, so there are two looks: at once, and at the end."""
        clock = types.SimpleNamespace(monotonic=self._monotonic, sleep=self._sleep)
        names: dict[str, Any] = {
            "KooDrive": lambda run, *_options: run.client(),
            "store_of": self._store,
            "time": clock,
            "FIRST_LOOK_AGAIN": VERIFY_TIMEOUT,
            "LONGEST_LOOK_AGAIN": VERIFY_TIMEOUT,
            # Patience ends after the first pause, or goes on as long as time does.
            "FIRST_WAIT": 10 * (TIMEOUT + VERIFY_TIMEOUT),
            "LONGEST_WAIT": 10 * (TIMEOUT + VERIFY_TIMEOUT),
            "seconds_since_boot": lambda: 0.0,
        }
        no_chance = types.SimpleNamespace(uniform=lambda _low, high: high)
        choice = LedgerChoice(None, False, TENANT, "user@host")
        connection = {"connection_from": lambda *_options: self.run, "ledger_from": lambda *_options: choice}
        with (
            mock.patch.multiple(space_transfer, **connection),
            mock.patch.multiple(space_allocation, **connection),
            mock.patch.multiple(moving, **names),
            mock.patch.multiple(tenant_ledger, seconds_since_boot=self._now),
            mock.patch.multiple(waiting, time=clock, random=no_chance),
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


HALL = Hall()


class Place:
    """How far one run has come: what it was answered, and what it asks, or its result."""

    __slots__ = ("answers", "asked", "result", "next", "may_send")

    def __init__(self, answers: tuple[Any, ...], asked: tuple[Any, ...] | None, result: dict[str, Any] | None) -> None:
        self.answers = answers
        self.asked = asked
        self.result = result
        self.next: dict[Any, Place] = {}
        #: Whether it has looked at the clock for the last time before its POST.
        self.may_send = False


class Story:
    """All that one run can come to, found out as it is needed."""

    def __init__(self, task: Task, trace_id: str) -> None:
        given = {"verify_timeout": VERIFY_TIMEOUT, "settle_time": task.settle_time, **task.options()}
        spec, self._work = (ALLOCATION_SPEC, allocate_capacity) if task.layout else (TRANSFER_SPEC, transfer_capacity)
        self._options = {**{name: option.get("default") for name, option in spec.items()}, **given}
        self._trace_id = trace_id
        self._check_mode = task.check_mode
        self.start = self._place(())

    def go_on(self, place: Place, answer: Any) -> Place:
        """Where a run at ``place`` comes to when it is told ``answer``."""
        if answer not in place.next:
            assert place.asked is not None
            after = self._place((*place.answers, answer))
            # After the clock, the POST: nothing else stands between them.
            after.may_send = place.asked[0] == "time" and after.asked is not None and after.asked[0] == "POST"
            place.next[answer] = after
        return place.next[answer]

    def _place(self, answers: tuple[Any, ...]) -> Place:
        run = Run(self._trace_id, answers)
        HALL.run = run
        result = None
        try:
            result = self._work(self._options, self._check_mode, environ={})
        except Unanswered:
            pass
        return Place(answers, run.asked, result)


class Rules(NamedTuple):
    """What holds in the world. Those of the stores can be broken on purpose."""

    one_number: bool = True
    one_key: bool = True
    ends_once: bool = True
    durable: bool = True
    #: How many runs begin at once.
    at_once: int = 2
    #: How many of the runs may be killed, and how often a lease, and settle_time, may pass while runs go on.
    kills: int = 1
    leases: int = 1
    long_times: int = 1
    #: Whether somebody moves capacity without the ledger.
    outsider: bool = False
    #: What can become of a POST.
    fates: Sequence[str] = FATES

    @property
    def totals(self) -> tuple[int, ...]:
        """The pools at the start."""
        return (*TOTALS[:2], OUTSIDE) if self.outsider else TOTALS


class World(NamedTuple):
    """What there is outside of the runs: KooDrive's pools, what it still does, who has moved how often, the ledger,
    the time.
    """

    totals: tuple[int, ...] = TOTALS
    late: tuple[tuple[int, str, tuple[Move, ...]], ...] = ()
    moved: tuple[int, ...] = ()
    rows: tuple[Row, ...] = ()
    time: float = 0.0
    #: 1 once somebody has moved capacity without the ledger, 2 once that was moved back.
    outside: int = 0

    def applied(self, run: int, origin_type: str, moves: tuple[Move, ...]) -> World | None:
        """After a transfer; None where the origin cannot give so much."""
        change = {move.type: move.expand_capacity for move in moves}
        change[origin_type] = -sum(change.values())
        totals = tuple(total + change.get(name, 0) for name, total in zip(NAMES, self.totals))
        if min(totals) < 0:
            return None
        return self._replace(totals=totals, moved=tuple(count + (number == run) for number, count in enumerate(self.moved)))

    def moved_outside(self) -> World:
        """After the next step of somebody without the ledger."""
        change = -OUTSIDE if self.outside else OUTSIDE
        department, group, individual = self.totals
        return self._replace(totals=(department, group + change, individual - change), outside=self.outside + 1)

    def expected(self) -> World:
        """When all that is late has come."""
        world = self
        for sent in self.late:
            world = world.applied(*sent) or world
        return world._replace(late=())


#: A step and what it is about.
Asked = tuple[Any, ...]
#: What happens, the world after it, and what the run is told.
Event = tuple[str, World, Any]


class Stores:
    """What the world answers to each step of a run; to some, one of several things."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def events(self, world: World, run: int, asked: Asked, fates: Sequence[str]) -> list[Event]:
        """All that can happen at the step ``asked``."""
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
        """After SIGKILL: what is not committed is gone."""
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
        if fate in ("done", "reply lost"):
            return (f"POST {fate}", after, fate) if after is not None else ("POST refused", world, "refused")
        if fate in ("late", "accepted and late"):
            return (f"POST {fate}", world._replace(late=(*world.late, (run, origin_type, moves))), fate)
        return (f"POST {fate}", world, fate)


def _row(rows: tuple[Row, ...], number: int) -> Row | None:
    return next((row for row in rows[::-1] if row.number == number), None)


def _with_row(rows: tuple[Row, ...], changed: Row) -> tuple[Row, ...]:
    return tuple(changed if row.number == changed.number else row for row in rows)


class Task(NamedTuple):
    """What a run is asked for: at least so much in these pools, or so much more, once, by a key. As a layout, from
    whichever of them can give.
    """

    at_least: tuple[tuple[str, int], ...] = ()
    more: tuple[tuple[str, int], ...] = ()
    key: str | None = None
    layout: bool = False
    settle_time: int = SETTLE_TIME
    check_mode: bool = False

    def options(self) -> dict[str, Any]:
        """The options of the module."""
        if self.layout:
            return {"pools": [{"type": name, "total_capacity": total, "receives": True, "gives": True} for name, total in self.at_least]}
        target = [{"type": name, "total_capacity": total} for name, total in self.at_least]
        target += [{"type": name, "expand_capacity": more} for name, more in self.more]
        return {"origin_type": "department", "target": target, "idempotency_key": self.key}


class State(NamedTuple):
    """The world, where each run has come to (None: it has not begun, or is over), which run begins next, and what has
    happened.
    """

    world: World
    places: tuple[Place | None, ...]
    begun: int
    kills: int
    leases: int
    long_times: int


class Schedules:
    """All schedules of ``tasks``.

    The first runs begin at once, as many as ``rules`` say. Each other run comes alone. The last ``after`` runs come
    when all late transfers are applied, and KooDrive applies theirs at once.
    """

    def __init__(self, tasks: Sequence[Task], after: int, rules: Rules) -> None:
        self._tasks = tasks
        self._healthy_from = len(tasks) - after
        self._rules = rules
        self._stores = Stores(rules)
        with HALL.open():
            self._stories = [Story(task, f"run-{number}") for number, task in enumerate(tasks)]
        places = tuple(story.start if number < rules.at_once else None for number, story in enumerate(self._stories))
        self._worlds: dict[World, World] = {}
        self._judged: dict[World, str | None] = {}
        self._start = State(self._one(World(rules.totals, moved=(0,) * len(tasks))), places, rules.at_once, 0, 0, 0)
        #: How many ways lead from a state to the end, and whether a promise is broken on one of them.
        self._seen: dict[tuple[Any, ...], int] = {}
        self.broken: set[str] = set()

    @property
    def states(self) -> int:
        """How many different states there were."""
        return len(self._seen)

    def count(self) -> int:
        """How many schedules there are; ``broken`` has the promises that are broken in any."""
        with HALL.open():
            return self._count(self._start)

    def shortest_to_broken(self, promise: str | None = None) -> tuple[str, list[str]] | None:
        """The shortest schedule in which ``promise``, or any, is broken: which, and the events up to that; None where
        there is none.
        """
        with HALL.open():
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
        """All that can happen next, the state after it, and the promise that it breaks."""
        running = [number for number, place in enumerate(state.places) if place is not None]
        if not running:
            if state.begun < len(self._tasks):
                yield self._begin(state)
            return
        alone = next((run for run in running if self._meets_nothing(state, state.places[run])), None)
        if alone is not None:
            yield from self._go_on(state, alone)
            return
        for run in running:
            yield from self._go_on(state, run)
        for sent in state.world.late:
            yield self._late(state, sent)
        if self._rules.outsider and state.world.outside < 2 and state.begun <= self._healthy_from and min(state.world.moved_outside().totals) >= 0:
            yield "somebody else moves", state._replace(world=self._one(state.world.moved_outside())), None
        if self._has_leases(state) and not self._is_sending(state):
            world = state.world._replace(time=state.world.time + LEASE)
            yield "a lease passes", state._replace(world=self._one(world), leases=state.leases + 1), None
        if self._has_long_times(state) and not self._is_sending(state) and not state.world.late:
            world = state.world._replace(time=state.world.time + SETTLE_TIME)
            yield "settle_time passes", state._replace(world=self._one(world), long_times=state.long_times + 1), None

    def _has_leases(self, state: State) -> bool:
        return state.begun <= self._healthy_from and state.leases < self._rules.leases

    def _has_long_times(self, state: State) -> bool:
        """By settle_time, all that is late has come: that is what it is for."""
        return state.begun <= self._healthy_from and state.long_times < self._rules.long_times

    def _meets_nothing(self, state: State, place: Place | None) -> bool:
        """Whether the next step of a run neither sees nor changes what others see or change.

        It then makes no difference when it comes, so it comes at once, and schedules that differ in that alone are one.
        """
        assert place is not None and place.asked is not None
        return place.asked[0] == "sleep" or (place.asked[0] == "time" and not self._has_leases(state) and not self._has_long_times(state))

    def _is_sending(self, state: State) -> bool:
        """Whether a run has looked at the clock for the last time before its POST: a request is over before the lease
        is.
        """
        return any(place is not None and place.may_send for place in state.places)

    def _begin(self, state: State) -> tuple[str, State, str | None]:
        run = state.begun
        world = state.world
        if run == self._healthy_from:
            world = world.expected()._replace(time=world.time + SETTLE_TIME)
        places = tuple(story.start if number == run else None for number, story in enumerate(self._stories))
        event = f"run {run} begins" + (", everything has settled" if run == self._healthy_from else "")
        return event, state._replace(world=self._one(world), places=places, begun=run + 1), self._too_much(world)

    def _late(self, state: State, sent: tuple[int, str, tuple[Move, ...]]) -> tuple[str, State, str | None]:
        late = list(state.world.late)
        late.remove(sent)
        world = state.world.applied(*sent) or state.world
        world = world._replace(late=tuple(late))
        return f"KooDrive does what run {sent[0]} has sent", state._replace(world=self._one(world)), self._too_much(world)

    def _go_on(self, state: State, run: int) -> Iterator[tuple[str, State, str | None]]:
        place = state.places[run]
        assert place is not None and place.asked is not None
        is_healthy = run >= self._healthy_from
        for event, world, answer in self._stores.events(state.world, run, place.asked, HEALTHY if is_healthy else self._rules.fates):
            after = self._stories[run].go_on(place, answer)
            broken = self._writes_in_check_mode(run, place.asked) or self._too_much(world)
            if after.result is not None:
                broken = broken or self._claims(world, run, after.result)
            yield f"run {run}: {event}", self._at(state, run, None if after.result is not None else after, world), broken
        if not is_healthy and state.kills < self._rules.kills:
            world = self._stores.killed(state.world, f"run-{run}")
            yield f"run {run} is killed", self._at(state, run, None, world)._replace(kills=state.kills + 1), None

    def _at(self, state: State, run: int, place: Place | None, world: World) -> State:
        places = (*state.places[:run], place, *state.places[run + 1 :])
        return State(self._one(world), places, state.begun, state.kills, state.leases, state.long_times)

    def _one(self, world: World) -> World:
        """The one object for all worlds that are the same."""
        return self._worlds.setdefault(world, world)

    # The promises

    def _writes_in_check_mode(self, run: int, asked: Asked) -> str | None:
        if self._tasks[run].check_mode and asked[0] in ("record", "POST", "outcome", "release"):
            return f"writes in check mode: {asked[0]}"
        return None

    def _too_much(self, world: World) -> str | None:
        world = self._one(world)
        if world not in self._judged:
            self._judged[world] = self._judge(world)
        return self._judged[world]

    def _judge(self, world: World) -> str | None:
        if sum(world.totals) != sum(self._rules.totals):
            return "the sum is not conserved"
        outside = OUTSIDE if world.outside == 1 else 0
        for name, before, now in zip(NAMES, self._rules.totals, world.totals):
            states = [total for task in self._tasks for of, total in task.at_least if of == name]
            additions = {task.key: more for task in self._tasks for of, more in task.more if of == name}
            if name != "department" and now > max([before, *states]) + sum(additions.values()) + (outside if name == "group" else 0):
                return f"the pool {name} has got more than was asked for"
        if all(task.layout for task in self._tasks) and self._has_given_too_much(world):
            return "a pool has given what it was to keep"
        if any(self._moved(world, key) > 1 for key in {task.key for task in self._tasks if task.key}):
            return "the addition was made twice"
        return None

    def _has_given_too_much(self, world: World) -> bool:
        keeps = {name: max(total for task in self._tasks for of, total in task.at_least if of == name) for name in NAMES}
        return any(now < min(before, keeps[name]) for name, before, now in zip(NAMES, TOTALS, world.totals))

    def _moved(self, world: World, key: str) -> int:
        return sum(count for count, task in zip(world.moved, self._tasks) if task.key == key)

    def _claims(self, world: World, run: int, result: dict[str, Any]) -> str | None:
        """What is wrong of what the run says, or of what it leaves."""
        if not result.get("failed"):
            return self._claims_success(world, run, result)
        if self._tasks[run].check_mode:
            return None
        will = world.expected()
        says_nothing_moved = "task moved nothing" in result["msg"] or "othing was sent" in result["msg"] and "Done before that" not in result["msg"]
        if says_nothing_moved and will.moved[run]:
            return "says that it moved nothing, and has"
        if result["changed"] and world.totals == self._rules.totals and not world.outside:
            return "says that the pools have changed, and they have not"
        if says_nothing_moved and _is_open(world, run):
            return "leaves open what it knows not to be done"
        return self._blocked(world, run, result) if run >= self._healthy_from else None

    def _claims_success(self, world: World, run: int, result: dict[str, Any]) -> str | None:
        will = world.expected()
        task = self._tasks[run]
        if task.check_mode:
            return None
        if not self._rules.outsider and any(will.totals[NAMES.index(name)] < total for name, total in task.at_least):
            return "says that the pools are as asked for, and they are not"
        made = sum(count for count, other in zip(will.moved, self._tasks) if other == task)
        if task.key and made != 1:
            return "says that the addition is made, and it is not"
        if result["changed"] and not will.moved[run] and not result["warnings"]:
            return "says that it has changed the pools, and has not"
        if not result["changed"] and will.moved[run]:
            return "says that it has not changed the pools, and has"
        if result["changed"] and not result["warnings"] and _is_open(world, run):
            return "leaves open what it knows to be done"
        return None

    def _blocked(self, world: World, run: int, result: dict[str, Any]) -> str | None:
        """A failure after everything has settled, which only the record of the same key can bring about."""
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
        return f"is not let through after everything has settled: {kind}"

    def _moves(self, run: int) -> tuple[Move, ...]:
        return tuple(Move(*more) for more in self._tasks[run].more)


def _key(state: State) -> tuple[Any, ...]:
    """The state by the objects in it, of which there is one for each value: quicker than by the values."""
    return (id(state.world), *map(id, state.places), state.begun, state.kills, state.leases, state.long_times)


def _is_open(world: World, run: int) -> bool:
    return any(row.sender == f"run-{run}" and row.state == OPEN for row in world.rows)
