# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pauses between tries, for everything that is tried again."""

from __future__ import annotations

import random
import threading
import time


class Pauses:
    """Each pause is twice as long as the one before, from ``first`` seconds up to ``longest``, and by chance shortened by up to half, so
    that many who were refused at the same time do not come back at the same time. None goes on once ``called_off`` is set.
    """

    def __init__(self, first: float, longest: float, called_off: threading.Event | None = None) -> None:
        self._next = first
        self._longest = longest
        self._called_off = called_off

    def wait(self, at_most: float, asked_for: float | None = None) -> None:
        """Wait for the next pause, or as long as the other side has ``asked_for``; never longer than ``at_most`` seconds."""
        pause = self._next * random.uniform(0.5, 1.0) if asked_for is None else asked_for
        self._next = min(2 * self._next, self._longest)
        seconds = max(0.0, min(pause, at_most))
        if self._called_off is None:
            time.sleep(seconds)
        else:
            self._called_off.wait(seconds)
