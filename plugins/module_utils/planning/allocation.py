# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools and the arithmetic of a transfer between them. Pure: no I/O, no Ansible. All capacities are whole GB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

#: KooDrive's numbers of the space types [TransferUnallocatedSpace, originType].
SPACE_TYPES = {"department": 0, "individual": 1, "group": 2}
#: The largest capacity that a single space can have [UpdateSpace].
MAX_CAPACITY = 104857600
#: The default of capacity_step, in GB.
DEFAULT_STEP = 1
#: The ways to say how much a target gets: two desired states, and the API's own relative field.
CAPACITIES = ("total_capacity", "unallocated_capacity", "expand_capacity")


class Pool(NamedTuple):
    """The capacity that a tenant has for one space type [GetSpaceAllocation]."""

    total_capacity: int
    allocated_capacity: int

    @property
    def unallocated_capacity(self) -> int:
        """Return what a transfer can take, in GB: total minus allocated, or 0 if more is allocated than the total."""
        return max(0, self.total_capacity - self.allocated_capacity)

    def as_dict(self) -> dict[str, int]:
        """Return the pool as results show it."""
        return {
            "total_capacity": self.total_capacity,
            "allocated_capacity": self.allocated_capacity,
            "unallocated_capacity": self.unallocated_capacity,
        }


#: The pools of a tenant by the names of their types; a pool that KooDrive did not report is not in it.
Allocation = Mapping[str, Pool]


def in_order(allocation: Allocation) -> dict[str, Pool]:
    """Return the known pools in the one order in which everything shows them."""
    return {name: allocation[name] for name in SPACE_TYPES if name in allocation}


def as_result(allocation: Allocation) -> dict[str, dict[str, int]]:
    """Return the pools as results show them."""
    return {name: pool.as_dict() for name, pool in in_order(allocation).items()}


def sums(allocation: Allocation) -> dict[str, int]:
    """Return the capacities of all known pools together, in GB.

    A pool that has allocated more than its total does not lower the sum of unallocated capacity.
    """
    pools = [pool.as_dict() for pool in allocation.values()]
    return {name: sum(pool[name] for pool in pools) for name in Pool(0, 0).as_dict()}


def as_sentence(allocation: Allocation) -> str:
    """Return the pools in one line, for a message."""
    return "; ".join(f"{name} {_as_words(pool)}" for name, pool in in_order(allocation).items())


def as_lines(allocation: Allocation) -> str:
    """Return the pools as ``--diff`` shows them, one line for each pool."""
    return "".join(f"{name}: {_as_words(pool)}\n" for name, pool in in_order(allocation).items())


def _as_words(pool: Pool) -> str:
    return f"{pool.total_capacity:,} GB total, {pool.unallocated_capacity:,} GB unallocated"


class Target(NamedTuple):
    """A pool that receives, and how much: ``capacity`` GB, measured as one of CAPACITIES says."""

    type: str
    measure: str
    capacity: int

    def required_total(self, pool: Pool) -> int:
        """Return the total in GB that ``pool``, as it was before the transfer, must have after it."""
        if self.measure == "total_capacity":
            return self.capacity
        if self.measure == "expand_capacity":
            return pool.total_capacity + self.capacity
        # A pool that needs 0 lacks nothing, also if more is allocated than its total.
        return pool.allocated_capacity + self.capacity if self.capacity else min(pool.allocated_capacity, pool.total_capacity)


class Move(NamedTuple):
    """What a transfer sends for one target [TransferUnallocatedSpace, target]."""

    type: str
    expand_capacity: int


def as_rows(moves: Sequence[Move]) -> list[dict[str, Any]]:
    """Return the moves as results show them."""
    return [move._asdict() for move in moves]


class Comparison(Enum):
    """What a reading of the pools shows of a transfer."""

    BEFORE = "the pools are as they were before"
    EXACTLY = "the pools changed by exactly this transfer"
    OTHERWISE = "the pools changed in another way"


class Plan(NamedTuple):
    """A transfer as it was decided on one reading of the pools: what is sent, and what the pools must show after it."""

    origin_type: str
    before: Allocation
    moves: tuple[Move, ...]
    required_totals: Mapping[str, int]

    @property
    def needed(self) -> int:
        """Return how many GB the origin gives."""
        return sum(move.expand_capacity for move in self.moves)

    def in_words(self) -> str:
        """Return the transfer in words."""
        return f"{' and '.join(f'{move.expand_capacity:,} GB to {move.type}' for move in self.moves)} from {self.origin_type}"

    @property
    def missing_before(self) -> int:
        """Return how many GB the targets lack together; less than :attr:`needed` where the transfer rounds up."""
        return sum(self.missing(self.before).values())

    def nothing(self) -> Plan:
        """Return a plan on the same reading that moves nothing."""
        return self._replace(moves=(), required_totals={})

    def after(self) -> dict[str, Pool]:
        """Return the pools after the transfer, if nothing else changes."""
        change = {**dict(self.moves), self.origin_type: -self.needed}
        return {name: pool._replace(total_capacity=pool.total_capacity + change.get(name, 0)) for name, pool in self.before.items()}

    def compare(self, seen: Allocation) -> Comparison:
        """Compare the pools that the transfer touches with ``seen``, a later reading."""
        if self._totals(seen) == self._totals(self.before):
            return Comparison.BEFORE
        if self._totals(seen) == self._totals(self.after()):
            return Comparison.EXACTLY
        return Comparison.OTHERWISE

    def is_consistent_with(self, seen: Allocation) -> bool:
        """Return whether the origin gave at least this transfer, and each target has at least that much more."""
        after = self.after()
        gained = all(seen[move.type].total_capacity >= after[move.type].total_capacity for move in self.moves)
        return gained and seen[self.origin_type].total_capacity <= after[self.origin_type].total_capacity

    def missing(self, seen: Allocation) -> dict[str, int]:
        """Return how many GB each target still lacks in ``seen``; empty if all have what the task asked for."""
        return {name: total - seen[name].total_capacity for name, total in self.required_totals.items() if seen[name].total_capacity < total}

    def other_changes(self, seen: Allocation) -> dict[str, int]:
        """Return by how many GB the totals in ``seen`` differ from those that this transfer alone would have made."""
        return {
            name: seen[name].total_capacity - pool.total_capacity
            for name, pool in in_order(self.after()).items()
            if name in seen and seen[name].total_capacity != pool.total_capacity
        }

    def _totals(self, allocation: Allocation) -> list[int]:
        return [allocation[name].total_capacity for name in (self.origin_type, *dict(self.moves))]


def rounded_up(gigabytes: int, step: int) -> int:
    """Return ``gigabytes``, rounded up to a multiple of ``step`` GB."""
    return -(-gigabytes // step) * step
