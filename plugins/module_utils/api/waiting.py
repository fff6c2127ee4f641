# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pause between tries, talk to the caller of a task, and read a clock that counts suspended time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

#: macOS has no CLOCK_BOOTTIME. There, CLOCK_MONOTONIC counts suspended time.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_since_boot() -> float:
    """Return the seconds since the machine was started, with the time that it was suspended."""
    return time.clock_gettime(_CLOCK)


class Caller(NamedTuple):
    """What waits for a task.

    ``is_waiting`` returns whether it still does. ``say`` shows a message to people while the task runs.
    """

    is_waiting: Callable[[], bool] = lambda: True
    say: Callable[[str], None] = lambda _text: None


#: A caller that always waits and shows nothing.
NOBODY = Caller()


class Pauses:
    """Make each pause twice as long as the one before, from ``first`` seconds up to ``longest``.

    Each pause is shortened at random by up to half. Otherwise, runs that were refused at the same time would return at
    the same time.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._next = first
        self._longest = longest

    def wait(self, at_most: float, asked_for: float | None = None) -> None:
        """Wait for the next pause, or for the seconds that KooDrive ``asked_for``, but not longer than ``at_most``."""
        pause = self._next * random.uniform(0.5, 1.0) if asked_for is None else asked_for
        self._next = min(2 * self._next, self._longest)
        time.sleep(max(0.0, min(pause, at_most)))
