# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pauses between tries, for everything that is tried again."""

from __future__ import annotations

import random
import time


class Pauses:
    """Each pause is twice as long as the one before, from ``first`` seconds up to ``longest``, and by chance shortened by up to half, so
    that many who were refused at the same time do not come back at the same time.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._next = first
        self._longest = longest

    def wait(self, at_most: float, asked_for: float | None = None) -> None:
        """Wait for the next pause, or as long as the other side has ``asked_for``; never longer than ``at_most`` seconds."""
        pause = self._next * random.uniform(0.5, 1.0) if asked_for is None else asked_for
        self._next = min(2 * self._next, self._longest)
        time.sleep(max(0.0, min(pause, at_most)))
