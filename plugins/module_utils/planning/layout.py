# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which transfers make a layout of all pools. Pure: no I/O, no Ansible. All capacities are whole GB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import (
    SPACE_TYPES,
    Allocation,
    Move,
    Plan,
    Pool,
    Target,
    rounded_up,
)

#: What a pool can be asked to have at least.
MINIMUMS = ("total_capacity", "unallocated_capacity")

#: What to do if the pools cannot give enough.
MORE_ROOM = (
    "Ask for less, free capacity in a pool that can give, let another pool give, or have the tenant's capacity expanded. Set partial: true to move as much as"
    " the pools can give."
)


class Minimums(NamedTuple):
    """The minimums of the pool of ``type`` in GB. A minimum that the task does not give is None.

    ``receives``: the pool may get what it lacks from other pools. ``gives``: it may give them what it has above its
    minimums. ``takes_rest``: it gets all that the others have above their minimums.
    """

    type: str
    total_capacity: int | None
    unallocated_capacity: int | None
    receives: bool = True
    gives: bool = True
    takes_rest: bool = False

    def missing(self, pool: Pool) -> int:
        """Return how many GB ``pool`` lacks."""
        if not self.receives:
            return 0
        required = [Target(self.type, name, capacity).required_total(pool) for name, capacity in self._given().items()]
        return max([0, *(total - pool.total_capacity for total in required)])

    def can_give(self, pool: Pool) -> int:
        """Return how many GB ``pool`` can give and keep its minimums."""
        if not self.gives:
            return 0
        beyond = [pool.as_dict()[name] - capacity for name, capacity in self._given().items()]
        return max(0, min([pool.unallocated_capacity, *beyond]))

    def _given(self) -> dict[str, int]:
        return {name: capacity for name, capacity in self._asdict().items() if name in MINIMUMS and capacity is not None}


class Layout(NamedTuple):
    """The minimums of the pools, and how a run may reach them.

    A transfer brings each pool a multiple of ``step`` GB [Storage Settings]. With ``partial``, the pools give what they
    can if it is not enough. A pool that is not in ``pools`` neither gives nor receives. A pool that only gives may be
    unknown.
    """

    pools: tuple[Minimums, ...]
    step: int
    partial: bool
    #: A layout is a desired state, so it needs no key.
    adds: bool = False
    takes_several: bool = True
    idempotency_key: None = None

    @property
    def needed_pools(self) -> tuple[str, ...]:
        """Return the pools that a reading must have: those that may receive."""
        return tuple(minimums.type for minimums in self.pools if minimums.receives)

    def missing(self, seen: Allocation) -> dict[str, int]:
        """Return what the pools lack, in GB. A pool that lacks nothing is not in it."""
        return self._above_zero(Minimums.missing, seen)

    def to_give(self, seen: Allocation) -> dict[str, int]:
        """Return what the pools can give, in GB. A pool that can give nothing is not in it."""
        return self._above_zero(Minimums.can_give, seen)

    def _above_zero(self, measure: Callable[[Minimums, Pool], int], seen: Allocation) -> dict[str, int]:
        by_type = {minimums.type: measure(minimums, seen[minimums.type]) for minimums in self.pools if minimums.type in seen}
        return {name: by_type[name] for name in SPACE_TYPES if by_type.get(name)}

    def plan(self, before: Allocation) -> Plan:
        """Return the first of the fewest transfers that make this layout of the pools ``before``. It moves nothing if
        none is needed.

        The pool with most to give is the origin. Each amount is a multiple of the step: what a pool lacks is rounded
        up, and what a pool gives beyond that is rounded down. ``before`` must know all pools that may receive.
        """
        missing = self.missing(before)
        givers = self._gifts(before)
        if not givers:
            return Plan(self.pools[0].type, before, (), {})
        # Of equal pools, the first in the usual order gives.
        origin = max(givers, key=lambda name: givers[name])
        left = _rounded_down(givers[origin], self.step)
        moves = dict.fromkeys(SPACE_TYPES, 0)
        for name in _neediest_first(missing):
            moves[name] = min(rounded_up(missing[name], self.step), left)
            left -= moves[name]
        required = {name: before[name].total_capacity + min(missing[name], moves[name]) for name in missing}
        rest = self._rest
        if rest is not None and rest != origin and left:
            moves[rest] += left
            required[rest] = before[rest].total_capacity + moves[rest]
        sent = tuple(Move(name, moves[name]) for name in SPACE_TYPES if moves[name])
        return Plan(origin, before, sent, {move.type: required[move.type] for move in sent})

    @property
    def _rest(self) -> str | None:
        """Return the pool that takes the rest."""
        return next((minimums.type for minimums in self.pools if minimums.takes_rest), None)

    def _gifts(self, before: Allocation) -> dict[str, int]:
        """Return what each pool can give in GB. A pool that takes the rest only gives what the others cannot, so it
        never gives and gets.
        """
        givers = self.to_give(before)
        rest = self._rest
        if rest in givers:
            needed = sum(rounded_up(gigabytes, self.step) for gigabytes in self.missing(before).values())
            others = sum(_rounded_down(gigabytes, self.step) for name, gigabytes in givers.items() if name != rest)
            givers[rest] = max(0, min(givers[rest], needed - others))
        return {name: gigabytes for name, gigabytes in givers.items() if gigabytes}

    def ensure_sufficient(self, plan: Plan) -> None:
        """Raise KooDriveError ``insufficient_capacity`` if the pools before ``plan`` cannot give all that is missing,
        unless ``partial``.
        """
        before = plan.before
        missing, givers = self.missing(before), self.to_give(before)
        needed = sum(rounded_up(gigabytes, self.step) for gigabytes in missing.values())
        available = sum(_rounded_down(gigabytes, self.step) for gigabytes in givers.values())
        if self.partial or needed <= available:
            return
        rounding = f", in steps of {self.step} GB" if self.step > 1 else ""
        if sum(missing.values()) <= sum(givers.values()):
            rounding += "; it would suffice without capacity_step, to which each amount is rounded"
        unnamed = self._unnamed(before)
        listed = f"{_listed(missing, 'lacks')}; {_listed(givers, 'can give') or 'no pool named can give anything'}"
        if unnamed:
            listed += f". Not named: {', '.join(f'{name} ({gigabytes:,} GB unallocated)' for name, gigabytes in unnamed.items())}"
        raise KooDriveError(
            "insufficient_capacity",
            f"the pools named lack {needed:,} GB and can give {available:,} GB{rounding}: {listed}",
            action="Planning the transfers",
            advice=f"{_let_give(unnamed)}{MORE_ROOM}",
        )

    def _unnamed(self, seen: Allocation) -> dict[str, int]:
        """Return the unallocated capacity of each pool that is not named and has some."""
        named = {minimums.type for minimums in self.pools}
        return {name: seen[name].unallocated_capacity for name in SPACE_TYPES if name in seen and name not in named and seen[name].unallocated_capacity}


def _neediest_first(missing: Mapping[str, int]) -> Iterable[str]:
    return sorted(missing, key=lambda name: -missing[name])


def _rounded_down(gigabytes: int, step: int) -> int:
    return gigabytes // step * step


def _listed(capacities: Mapping[str, int], verb: str) -> str:
    return ", ".join(f"{name} {verb} {gigabytes:,} GB" for name, gigabytes in capacities.items())


def _let_give(unnamed: Mapping[str, int]) -> str:
    """Return how to let the pools give that are not named."""
    if not unnamed:
        return ""
    rows = " and ".join(f"{{type: {name}, unallocated_capacity: 0}}" for name in unnamed)
    return f"To let {' and '.join(unnamed)} give all unallocated capacity, add {rows} to pools. "
