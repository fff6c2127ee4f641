# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record of a transfer is, how an open one is settled, and what a store of records must do. Pure: no I/O, no Ansible."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import Allocation, Move, Plan, Shows
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: The states of a record. An open transfer may still be done; of one that was given up, nobody will ever know.
OPEN, DONE, NOT_DONE, GIVEN_UP = STATES = ("open", "done", "not_done", "given_up")
#: The version of what a store holds; a store with a higher one belongs to a later release of this collection.
SCHEMA = 1


class Record(NamedTuple):
    """A transfer that was about to be sent, and what has become of it.

    Times are seconds since 1970 by the store's clock. ``before`` is what the pools held at the reading by ``source``, one of the two
    reads. ``number`` is the store's own, 0 until it has one.
    """

    tenant: str
    origin_type: str
    moves: tuple[Move, ...]
    before: Allocation
    source: str
    writer: str
    trace_id: str
    idempotency_key: str | None = None
    number: int = 0
    state: str = OPEN
    begun_at: float = 0.0
    ended_at: float | None = None

    def plan(self) -> Plan:
        """The transfer as it was decided, for a comparison with a later reading."""
        required = {move.type: self.before[move.type].total_capacity + move.expand_capacity for move in self.moves}
        return Plan(self.origin_type, self.before, self.moves, required)


def state_of(record: Record, pools: Allocation, source: str, now: float, settle_time: float) -> str:
    """What an open ``record`` is when ``source`` shows these ``pools`` at the time ``now``.

    Done where they show exactly its outcome. Else it may still be done until it is ``settle_time`` seconds old, for KooDrive accepts a
    signed request for 15 minutes [app authentication]: then not done where they show the state before, and given up otherwise.
    """
    shows = record.plan().compare(pools) if source == record.source and _has_pools_of(record, pools) else Shows.OTHERWISE
    if shows is Shows.EXACTLY:
        return DONE
    if now < record.begun_at + settle_time:
        return OPEN
    return NOT_DONE if shows is Shows.BEFORE else GIVEN_UP


def _has_pools_of(record: Record, pools: Allocation) -> bool:
    return all(name in pools for name in (record.origin_type, *dict(record.moves)))


class OpenTransfer(Exception):
    """A record cannot be begun, because another one of the tenant is open."""


class Holder(NamedTuple):
    """Who has a turn, and since when, by the store's clock, if that is known."""

    name: str
    since: float | None


class Store(Protocol):
    """Where records are. Each call that fails raises KooDriveError ``ledger_unavailable``; what it has written is durable when it returns."""

    def turn(self, tenant: str, holder: str, wait: float) -> AbstractContextManager[None]:
        """Be alone with ``tenant``, as ``holder``. Raises KooDriveError ``busy`` when that takes longer than ``wait`` seconds."""

    def now(self) -> float:
        """The store's time, in seconds since 1970."""

    def tenant_of(self, credential: str) -> str | None:
        """The tenant that was remembered for the hash of a credential."""

    def remember(self, credential: str, tenant: str) -> None:
        """Remember the tenant of a credential."""

    def open_transfer(self, tenant: str) -> Record | None:
        """The open transfer of the tenant; there is never more than one."""

    def with_key(self, tenant: str, key: str) -> Record | None:
        """The record with this idempotency key that was not found to be not done."""

    def begin(self, record: Record) -> Record:
        """Write an open record down; with its number and time. Raises OpenTransfer where the tenant has one already."""

    def end(self, number: int, state: str) -> None:
        """Write down what has become of an open record."""

    def transfers(self, tenant: str, states: Sequence[str], since: float, limit: int) -> list[Record]:
        """The records of the tenant, newest first."""


def unavailable(where: str, why: str, advice: str = "") -> KooDriveError:
    """The error of a store that cannot be used; ``where`` has no secret in it."""
    return KooDriveError("ledger_unavailable", f"the ledger {where} cannot be used: {why}", step="Looking into the ledger", advice=advice)


def told_time(moment: float) -> str:
    """A moment in seconds since 1970, in words."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def busy(wait: float, holder: Holder | None) -> KooDriveError:
    """The error of waiting too long for a turn, with who has it as far as anybody knows."""
    since = f" since {told_time(holder.since)}" if holder and holder.since is not None else ""
    who = f"; it is the turn of {holder.name}{since}" if holder else ""
    return KooDriveError("busy", f"for {wait:g} seconds, other tasks have been moving capacity of the same tenant{who}", step="Waiting for this task's turn")
