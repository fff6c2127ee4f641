# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers, each fate of each POST, a kill at each step: every schedule, by the real code. KOODRIVE_SCHEDULES=all takes more of them.

Then the code, or a store, is broken on purpose, and a schedule must be found in which a promise is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import book
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.book import Book
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import DONE, state_of
from ansible_collections.huaweicloud.koodrive.tests.unit.schedules import Rules, Schedules, Task

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

HELD = Rules()
LOST = Rules(turns_hold=False)
#: Known: a run that has lost its turn, read before another transfer of the very same size to the same pool, and is killed in the millisecond
#: between its record and its look back, leaves a record that is settled as done by that other transfer. Without another task, that is true.
LOST_TO_ANOTHER = LOST._replace(kills_before_look_back=False)
ALONE = Rules(kills=0, long_times=0)
QUIET = Rules(turns_hold=False, kills=0, long_times=0)


class Story(NamedTuple):
    """The tasks of two controllers at once and of those after them; so many of these come when everything has settled."""

    name: str
    tasks: Sequence[Task]
    after: int = 1


ONE_STATE = Story("a desired state", [STATE] * 4)
ONE_KEY = Story("an addition with a key", [KEY] * 4)
SAME_KEY = Story("one key for two additions", [KEY, SAME_KEY_MORE] * 2, after=2)
TWO_KEYS = Story("two keys", [KEY, OTHER_KEY] * 2, after=2)
ONE_LAYOUT = Story("a layout that takes two transfers", [LAYOUT] * 3)
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

CHOSEN = [(story, rules) for story in (ONE_STATE, ONE_KEY) for rules in (HELD, LOST)] + [(SAME_KEY, QUIET), (ONE_LAYOUT, ALONE)]
if ALL:
    CHOSEN += [(story, rules) for story in (*OTHERS, SAME_KEY) for rules in (HELD, LOST_TO_ANOTHER)]
    CHOSEN += [(ONE_LAYOUT, HELD)]
    CHOSEN += [(story, HELD._replace(kills=2, long_times=2)) for story in (ONE_STATE, ONE_KEY)]
    CHOSEN += [(story, LOST._replace(kills=2, long_times=2)) for story in (ONE_STATE, ONE_KEY)]


def _named(value: Story | Rules) -> str:
    if isinstance(value, Story):
        return value.name
    return f"turns {'held' if value.turns_hold else 'lost'}, kills {value.kills}, long times {value.long_times}"


@pytest.mark.parametrize(("story", "rules"), CHOSEN, ids=_named)
def test_every_promise_is_kept_in_every_schedule(story: Story, rules: Rules) -> None:
    schedules = Schedules(story.tasks, story.after, rules)
    count = schedules.count()
    print(f"{count:,} schedules, through {schedules.states:,} states: {story.name}; {_named(rules)}")
    assert count > 50_000
    assert not schedules.broken, schedules.shortest_to_broken()


# What is broken on purpose


@contextmanager
def _turn_not_taken(self: Book, _wait: float) -> Iterator[None]:
    self.open = self._store.open_transfer(self._tenant)
    yield


def _end_not_recorded(self: Book, _state: str) -> None:
    self._own = None


def _key_not_compared(self: Book, key: str | None, plan: Any) -> Any:
    record = self._store.with_key(self._tenant, key) if key is not None else None
    return _earlier(self, key, plan if record is None else record.plan())


def _settled_by_the_time_after_the_reading(self: Book, pools: Any, source: str, _began_at: float) -> None:
    _settle(self, pools, source, self.now())


_earlier, _settle = Book.earlier, Book.settle
Change = tuple[Any, str, Callable[..., Any]]
NO_RECORD: Change = (Book, "begin", lambda self, *_args: None)
NO_LOOK_BACK: Change = (Book, "_newest_but", lambda self, own: self._newest)
TOO_EARLY: Change = (book, "state_of", lambda record, pools, source, now, _time: state_of(record, pools, source, now, 0))
ON_ANYTHING: Change = (book, "state_of", lambda *_args: DONE)

BROKEN = {
    "no record before the POST, desired state": (ONE_STATE, HELD, [NO_RECORD]),
    "no record before the POST, key": (ONE_KEY, HELD, [NO_RECORD]),
    "a record is lost with its process, desired state": (ONE_STATE, HELD._replace(durable=False), []),
    "a record is lost with its process, key": (ONE_KEY, HELD._replace(durable=False), []),
    "several open, and several with one key": (ONE_KEY, LOST._replace(one_open=False), []),
    "no look back": (ONE_STATE, LOST, [NO_LOOK_BACK]),
    "settled too early, desired state": (ONE_STATE, HELD, [TOO_EARLY]),
    "settled too early, key": (ONE_KEY, HELD, [TOO_EARLY]),
    "settled on anything, key": (ONE_KEY, HELD, [ON_ANYTHING]),
    "settled on anything, desired state": (ONE_STATE, HELD, [ON_ANYTHING]),
    "settled by the time after the reading": (ONE_STATE, HELD, [(Book, "settle", _settled_by_the_time_after_the_reading)]),
    "no look for the key": (ONE_KEY, HELD, [(Book, "earlier", lambda *_args: None)]),
    "key not compared": (SAME_KEY, HELD, [(Book, "earlier", _key_not_compared)]),
    "turn not taken": (ONE_STATE, HELD, [(Book, "turn", _turn_not_taken)]),
    "outcome not recorded": (ONE_STATE, HELD, [(Book, "end", _end_not_recorded)]),
    "taken for lost, and not noticed": (TWO_KEYS, LOST, [(Book, "is_taken_for_lost", lambda self: False)]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_on_purpose_breaks_a_promise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story, rules, changes = BROKEN[name]
    for place, attribute, broken in changes:
        monkeypatch.setattr(place, attribute, broken)
    found = Schedules(story.tasks, story.after, rules).shortest_to_broken()
    assert found is not None
    promise, events = found
    print(f"{name}: {promise}", *events, sep="\n    ")
