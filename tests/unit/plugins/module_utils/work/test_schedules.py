# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try each schedule of two or three controllers: each order of steps, each fate of each POST, a kill at each step.

The code is the real one, in a world in memory. KOODRIVE_SCHEDULES=all tries more stories. Then a test breaks each
rule of the code or of a store, and a schedule must break a promise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, OPEN, Record, state_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Comparison, Plan
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work import moving, tenant_ledger
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.tenant_ledger import TenantLedger
from ansible_collections.huaweicloud.koodrive.tests.unit.schedules import SENT_TWICE, Rules, Schedules, Task

ALL = os.environ.get("KOODRIVE_SCHEDULES") == "all"

STATE = Task(at_least=(("group", 300),))
HIGHER_STATE = Task(at_least=(("group", 400),))
OTHER_STATE = Task(at_least=(("individual", 300),))
BOTH_STATES = Task(at_least=(("group", 300), ("individual", 100)))
KEY = Task(more=(("group", 200),), key="order-1")
OTHER_KEY = Task(more=(("group", 200),), key="order-2")
SAME_KEY_MORE = Task(more=(("group", 300),), key="order-1")
SAME_KEY_ELSEWHERE = Task(more=(("individual", 200),), key="order-1")

#: From two pools, by two transfers.
LAYOUT = Task(at_least=(("individual", 950), ("department", 100), ("group", 50)), layout=True)
ONE_TRANSFER = Task(at_least=(("individual", 300), ("department", 100), ("group", 50)), layout=True)

#: Some outcomes of a POST. All of them take too long.
LOST = ("done", "late", "never")
FEW = ("done", "rate limited", "late", "never", "accepted and late")
UNSEEN = ("accepted and late", "accepted and never", "reply lost", "rate limited")

QUICK = Rules(kills=0, leases=0, long_times=0)
FEW_QUICK = QUICK._replace(fates=FEW)
SLOW = Rules(kills=0, leases=0, fates=LOST)
KILLED = Rules(leases=0, fates=LOST)
STOPPED = Rules(kills=0, long_times=0, fates=LOST)
THREE_AT_ONCE = QUICK._replace(at_once=3, fates=LOST)
#: A user who sets settle_time to 0 knows that nothing comes late.
KNOWN = STOPPED._replace(fates=("done", "never"))
OUTSIDER = QUICK._replace(outsider=True, fates=UNSEEN)
UNTRUE_LIMIT = QUICK._replace(outsider=True, fates=("done", "rate limited", SENT_TWICE))


class Story(NamedTuple):
    """List the tasks in the order of their runs. The last ``after`` runs start after all late transfers."""

    name: str
    tasks: Sequence[Task]
    after: int = 1


ONE_STATE = Story("a desired state", [STATE] * 4)
ONE_KEY = Story("an addition with a key", [KEY] * 4)
A_STATE = Story("a desired state, in short", [STATE] * 3)
A_KEY = Story("an addition with a key, in short", [KEY] * 3)
SAME_KEY = Story("one key for two additions", [KEY, SAME_KEY_MORE] * 2, after=2)
TWO_KEYS = Story("two keys", [KEY, OTHER_KEY] * 2, after=2)
ONE_LAYOUT = Story("a layout that takes two transfers", [LAYOUT] * 3)
FOR_LOST = Story("a desired state, and a run whose user knows that the transfer is lost", [STATE, STATE._replace(settle_time=0), STATE])
CHECKED = Story("a desired state, and check mode", [STATE, STATE._replace(check_mode=True), STATE])
OTHERS = [
    Story("two layouts", [LAYOUT, ONE_TRANSFER] * 2, after=2),
    Story("a layout and a desired state", [ONE_TRANSFER, OTHER_STATE] * 2, after=2),
    Story("two pools", [BOTH_STATES] * 4),
    Story("two desired states of two pools", [STATE, OTHER_STATE] * 2, after=2),
    Story("two desired states of one pool", [STATE, HIGHER_STATE] * 2, after=2),
    Story("a key and a desired state", [KEY, STATE] * 2, after=2),
    Story("one key for two pools", [KEY, SAME_KEY_ELSEWHERE] * 2, after=2),
    TWO_KEYS,
]

CHOSEN = [(A_STATE, rules) for rules in (QUICK, SLOW, KILLED, STOPPED, OUTSIDER)]
CHOSEN += [(A_KEY, QUICK), (FOR_LOST, KNOWN), (CHECKED, KILLED), (SAME_KEY, QUICK)]
CHOSEN += [(ONE_STATE, THREE_AT_ONCE), (ONE_KEY, THREE_AT_ONCE)]
CHOSEN += [(A_STATE, UNTRUE_LIMIT), (A_KEY, UNTRUE_LIMIT)]
if ALL:
    CHOSEN += [(story, QUICK) for story in (ONE_STATE, ONE_KEY, *OTHERS)] + [(ONE_LAYOUT, FEW_QUICK)]
    CHOSEN += [
        (A_KEY, SLOW),
        (A_KEY, KILLED),
        (A_KEY, OUTSIDER),
        (TWO_KEYS, SLOW),
        (A_KEY, STOPPED),
        (ONE_KEY, THREE_AT_ONCE._replace(fates=("done", "reply lost", "rate limited"))),
        (A_STATE, KILLED._replace(leases=1)),
        (A_STATE, KILLED._replace(kills=2, long_times=2)),
    ]


def _named(value: Story | Rules) -> str:
    if isinstance(value, Story):
        return value.name
    more = f"{', an outsider' if value.outsider else ''}, {len(value.fates)} fates"
    return f"{value.at_once} at once, kills {value.kills}, leases {value.leases}, long times {value.long_times}{more}"


@pytest.mark.parametrize(("story", "rules"), CHOSEN, ids=_named)
def test_every_promise_is_kept_in_every_schedule(story: Story, rules: Rules) -> None:
    schedules = Schedules(story.tasks, story.after, rules)
    count = schedules.count()
    print(f"{count:,} schedules, through {schedules.states:,} states: {story.name}; {_named(rules)}")
    assert count > 10_000
    assert not schedules.broken, schedules.shortest_to_broken()


# Rules that a test breaks


def _end_not_recorded(self: TenantLedger, _accepted: bool = False) -> str:
    state, self._own, self._state_of_own = self._state_of_own, None, None
    return state or OPEN


def _key_not_compared(self: TenantLedger, key: str, plan: Any) -> Any:
    record = self._store.with_key(self._tenant, key)
    return EARLIER(self, key, plan if record is None else record.plan())


def _overtaken_is_sent_anyway(self: TenantLedger, *given: Any) -> Record:
    while (record := APPEND(self, *given)) is None:
        self.look()
    return record


def _resolved_by_the_time_after_the_reading(self: TenantLedger, pools: Any, read_call: str, _read_at: float) -> bool:
    return RESOLVE(self, pools, read_call, self.clock())


def _end_is_not_looked_at(self: TenantLedger, pools: Any, read_call: str, read_at: float) -> bool:
    RESOLVE(self, pools, read_call, read_at)
    return True


def _key_before_newest(self: TenantLedger) -> None:
    if self._newest is None:
        LOOK(self)


def _never_busy(record: Record, pools: Any, read_call: str, now: float, settle_time: float) -> str:
    return state_of(record._replace(busy_until=0.0), pools, read_call, now, settle_time)


EARLIER, APPEND, RESOLVE, LOOK = TenantLedger.earlier, TenantLedger.append, TenantLedger.resolve, TenantLedger.look
Change = tuple[Any, str, Callable[..., Any]]
TOO_EARLY: Change = (tenant_ledger, "state_of", lambda record, pools, read_call, now, _time: state_of(record, pools, read_call, now, 0))
ON_ANYTHING: Change = (tenant_ledger, "state_of", lambda *_args: DONE)
NO_CLOCK: Change = (TenantLedger, "may_send", lambda self: self._store.is_open(self._own))
NO_LOOK: Change = (TenantLedger, "may_send", lambda self: True)

BROKEN = {
    "a record is lost with its process": (A_STATE, KILLED._replace(durable=False), []),
    "two records with one number": (A_STATE, QUICK._replace(one_number=False), []),
    "two records with one key, and one number": (A_KEY, QUICK._replace(one_key=False, one_number=False), []),
    "an outcome is changed by a second one": (TWO_KEYS, SLOW._replace(ends_once=False), []),
    "an overtaken run sends what it has planned": (A_STATE, QUICK, [(TenantLedger, "append", _overtaken_is_sent_anyway)]),
    "an open transfer is not waited for": (A_STATE, QUICK, [(TenantLedger, "open", None)]),
    "resolved too early, desired state": (A_STATE, KILLED, [TOO_EARLY]),
    "resolved too early, key": (A_KEY, KILLED, [TOO_EARLY]),
    "resolved on anything, key": (A_KEY, KILLED, [ON_ANYTHING]),
    "resolved by the time after the reading": (A_STATE, SLOW, [(TenantLedger, "resolve", _resolved_by_the_time_after_the_reading)]),
    "resolved while the writer is busy": (FOR_LOST, KNOWN, [(tenant_ledger, "state_of", _never_busy), (Record, "is_busy", lambda *_args: False)]),
    "no look at the clock and the record before the first byte": (A_STATE, SLOW, [NO_LOOK]),
    "no look for the key, and no index": (A_KEY, QUICK._replace(one_key=False), [(TenantLedger, "earlier", lambda *_args: None)]),
    "key not compared": (SAME_KEY, QUICK, [(TenantLedger, "earlier", _key_not_compared)]),
    "outcome not recorded": (A_KEY, QUICK, [(TenantLedger, "finish", _end_not_recorded)]),
    "called lost by another run, and not noticed": (TWO_KEYS, SLOW, [(moving, "_ensure_still_ours", lambda *_args: None)]),
    "an addition is done when there is enough": (A_KEY, OUTSIDER, [(Plan, "compare", lambda plan, seen: Comparison.EXACTLY)]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_breaks_a_promise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story, rules, changes = BROKEN[name]
    for place, attribute, broken in changes:
        monkeypatch.setattr(place, attribute, broken)
    found = Schedules(story.tasks, story.after, rules).shortest_to_broken()
    assert found is not None
    promise, events = found
    print(f"{name}: {promise}", *events, sep="\n    ")
