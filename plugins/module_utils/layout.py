# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which transfers make a layout of all pools. Pure: no I/O, no Ansible. All capacities are whole GB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import (
    SPACE_TYPES,
    Allocation,
    Move,
    Plan,
    Pool,
    Target,
    rounded_up,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: What a pool can be asked to have at least.
MINIMUMS = ("total_capacity", "unallocated_capacity")

#: What to do where there is too little.
MORE_ROOM = (
    "Ask for less, free capacity in a pool that can give, let another pool give, or have the tenant's capacity expanded. With partial, the module moves what"
    " there is."
)


class Minimums(NamedTuple):
    """What the pool of ``type`` shall have at least, in GB, as far as it is given; whether it may get what is missing from others, and
    whether it may give them what it has beyond."""

    type: str
    total_capacity: int | None
    unallocated_capacity: int | None
    receives: bool = True
    gives: bool = True

    def missing(self, pool: Pool) -> int:
        """What ``pool`` must get to have all that it shall have."""
        if not self.receives:
            return 0
        required = [Target(self.type, name, capacity).required_total(pool) for name, capacity in self._given().items()]
        return max(0, *(total - pool.total_capacity for total in required))

    def can_give(self, pool: Pool) -> int:
        """What ``pool`` has beyond all that it shall have, and may give."""
        if not self.gives:
            return 0
        beyond = [pool.as_dict()[name] - capacity for name, capacity in self._given().items()]
        return max(0, min(pool.unallocated_capacity, *beyond))

    def _given(self) -> dict[str, int]:
        return {name: capacity for name, capacity in self._asdict().items() if name in MINIMUMS and capacity is not None}


class Layout(NamedTuple):
    """What the pools named shall have, and how it may be reached.

    A transfer brings each pool a multiple of ``step`` GB [Storage Settings]. With ``partial``, what can be given is given where it does
    not suffice. A pool that is not named neither gives nor receives, and one that only gives may be unknown.
    """

    pools: tuple[Minimums, ...]
    step: int
    partial: bool

    def missing(self, seen: Allocation) -> dict[str, int]:
        """What each pool lacks that lacks something."""
        return self._above_zero(Minimums.missing, seen)

    def to_give(self, seen: Allocation) -> dict[str, int]:
        """What each pool can give that can give something."""
        return self._above_zero(Minimums.can_give, seen)

    def _above_zero(self, measure: Callable[[Minimums, Pool], int], seen: Allocation) -> dict[str, int]:
        by_type = {minimums.type: measure(minimums, seen[minimums.type]) for minimums in self.pools if minimums.type in seen}
        return {name: by_type[name] for name in SPACE_TYPES if by_type.get(name)}

    def next_transfer(self, before: Allocation) -> Plan:
        """The first of the fewest transfers that make this layout of the pools ``before``; one that moves nothing where there is none.

        It comes from the pool that has most to give. As each is a multiple of the step, what the transfers bring a pool together is
        what it lacks, rounded up. ``before`` must know all pools that may receive.
        """
        givers = self.to_give(before)
        if not givers:
            return Plan(self.pools[0].type, before, (), {})
        # Of equal ones the first, as everywhere.
        origin = max(givers, key=lambda name: givers[name])
        left = _rounded_down(givers[origin], self.step)
        missing = self.missing(before)
        moves = {}
        for name in _neediest_first(missing):
            moves[name] = min(rounded_up(missing[name], self.step), left)
            left -= moves[name]
        sent = tuple(Move(name, moves[name]) for name in missing if moves[name])
        required = {move.type: before[move.type].total_capacity + min(missing[move.type], move.expand_capacity) for move in sent}
        return Plan(origin, before, sent, required)

    def ensure_sufficient(self, before: Allocation) -> None:
        """Raises KooDriveError ``insufficient_capacity`` when what the pools can give does not suffice for what is missing, unless ``partial``."""
        missing, givers = self.missing(before), self.to_give(before)
        needed = sum(rounded_up(gigabytes, self.step) for gigabytes in missing.values())
        available = sum(_rounded_down(gigabytes, self.step) for gigabytes in givers.values())
        if self.partial or needed <= available:
            return
        rounding = f", in steps of {self.step} GB" if self.step > 1 else ""
        if sum(missing.values()) <= sum(givers.values()):
            rounding += "; it would suffice but for capacity_step, to which each is rounded"
        raise KooDriveError(
            "insufficient_capacity",
            f"the pools named lack {needed} GB and can give {available} GB{rounding}: {_told(missing, 'lacks')}; {_told(givers, 'can give')}",
            step="Planning the transfers",
            advice=MORE_ROOM,
        )


def _neediest_first(missing: Mapping[str, int]) -> Iterable[str]:
    return sorted(missing, key=lambda name: -missing[name])


def _rounded_down(gigabytes: int, step: int) -> int:
    return gigabytes // step * step


def _told(capacities: Mapping[str, int], verb: str) -> str:
    return ", ".join(f"{name} {verb} {gigabytes} GB" for name, gigabytes in capacities.items()) or "none can give anything"
