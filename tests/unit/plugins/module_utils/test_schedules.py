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

#: Some of what can become of a POST: to meet all of them takes long.
LOST = ("done", "late", "never")
FEW = ("done", "rate limited", "late", "never", "accepted and late")
UNSEEN = ("accepted and late", "accepted and never", "reply lost", "rate limited")

QUICK = Rules(kills=0, leases=0, long_times=0)
FEW_QUICK = QUICK._replace(fates=FEW)
SLOW = Rules(kills=0, leases=0, fates=LOST)
KILLED = Rules(leases=0, fates=LOST)
STOPPED = Rules(kills=0, long_times=0, fates=LOST)
OUTSIDER = QUICK._replace(outsider=True, fates=UNSEEN)


class Story(NamedTuple):
    """The tasks of two controllers at once and of those after them; so many of these come when everything has settled."""

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

CHOSEN = [(story, rules) for story in (A_STATE, A_KEY) for rules in (QUICK, SLOW, KILLED, OUTSIDER)]
CHOSEN += [(A_STATE, STOPPED), (CHECKED, KILLED), (SAME_KEY, QUICK), (TWO_KEYS, SLOW)]
if ALL:
    CHOSEN += [(story, QUICK) for story in (ONE_STATE, ONE_KEY, *OTHERS)] + [(ONE_LAYOUT, FEW_QUICK)]
    CHOSEN += [(A_KEY, STOPPED), (A_STATE, KILLED._replace(leases=1)), (A_STATE, KILLED._replace(kills=2, long_times=2))]


def _named(value: Story | Rules) -> str:
    if isinstance(value, Story):
        return value.name
    more = f"{', an outsider' if value.outsider else ''}, {len(value.fates)} fates"
    return f"kills {value.kills}, leases {value.leases}, long times {value.long_times}{more}"


@pytest.mark.parametrize(("story", "rules"), CHOSEN, ids=_named)
def test_every_promise_is_kept_in_every_schedule(story: Story, rules: Rules) -> None:
    schedules = Schedules(story.tasks, story.after, rules)
    count = schedules.count()
    print(f"{count:,} schedules, through {schedules.states:,} states: {story.name}; {_named(rules)}")
    assert count > 10_000
    assert not schedules.broken, schedules.shortest_to_broken()


