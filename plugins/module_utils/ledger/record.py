# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record of the ledger, and how to resolve an open one. Pure: no I/O, no Ansible."""

from __future__ import annotations

import time
from typing import NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Allocation, Comparison, Move, Plan

#: The states of a record. The outcome of an open transfer is still unknown. That of a given-up transfer stays unknown.
OPEN, DONE, NOT_DONE, GIVEN_UP = STATES = ("open", "done", "not_done", "given_up")
#: The version of the tables and of what their rows hold. A store refuses those of another release.
SCHEMA = 4
#: A writer's record cannot begin this many seconds after the present. If it does, a clock was wrong.
WRONG_CLOCK = 60.0


class Record(NamedTuple):
    """A transfer and its outcome. A run appends the record before it sends the first byte.

    The first record of a tenant has the ``sequence`` 1; each new one has the next number. Times are seconds since
    1970 by KooDrive's clock. The writer may send until ``busy_until``, which is 0 once it says that it sends nothing
    more. ``settle_time`` is the writer's own, in seconds. ``before`` are the pools as the read ``read_call`` showed
    them. ``accepted``: KooDrive accepted the transfer, and the pools did not show it in time.
    """

    tenant: str
    sequence: int
    origin_type: str
    moves: tuple[Move, ...]
    before: Allocation
    read_call: str
    writer: str
    trace_id: str
    begun_at: float
    busy_until: float
    settle_time: float
    idempotency_key: str | None = None
    state: str = OPEN
    accepted: bool = False
    ended_at: float | None = None

    def plan(self) -> Plan:
        """Return the transfer, to compare it with a later reading. A record does not have what the task asked for."""
        return Plan(self.origin_type, self.before, self.moves, {})

    def is_busy(self, now: float, settle_time: float) -> bool:
        """Return whether the writer may still send. An explicit ``settle_time`` of 0 overrules a record from the
        future.
        """
        if settle_time == 0 and self.begun_at > now + WRONG_CLOCK:
            return False
        return now < self.busy_until

    def resolvable_at(self, settle_time: float) -> float:
        """Return from when on the pools decide, in seconds since 1970. An explicit ``settle_time`` of 0 overrules the
        writer's.
        """
        longest = 0.0 if settle_time == 0 else max(settle_time, self.settle_time)
        return max(self.busy_until, self.begun_at + longest)

    def in_words(self) -> str:
        """Return what was sent, when and by whom, with its trace ID."""
        return f"the transfer of {self.plan().in_words()}, begun {time_in_words(self.begun_at)} by {self.writer} (trace ID {self.trace_id})"


def state_of(record: Record, pools: Allocation, read_call: str, read_at: float, settle_time: float) -> str:
    """Return the state of an open ``record``, as ``pools`` show it.

    ``read_call`` reported the pools, and ``read_at`` is a time that was not later than this reading.

    The record is done if the pools show exactly its transfer, or if KooDrive accepted it and the pools are consistent
    with it. Otherwise it stays open, because KooDrive accepts a signed request for 15 minutes [app authentication].
    When that time is over, the pools decide.
    """
    plan = record.plan()
    comparable = read_call == record.read_call and all(name in pools for name in (record.origin_type, *dict(record.moves)))
    shows = plan.compare(pools) if comparable else Comparison.OTHERWISE
    if shows is Comparison.EXACTLY or (record.accepted and comparable and plan.is_consistent_with(pools)):
        return DONE
    if record.is_busy(read_at, settle_time) or (settle_time != 0 and read_at < record.resolvable_at(settle_time)):
        return OPEN
    if record.accepted and record.idempotency_key is not None:
        # KooDrive may have dropped it, or another writer may have moved it back. A repeated key must neither report
        # nor add it.
        return GIVEN_UP
    if shows is Comparison.BEFORE:
        return NOT_DONE
    return DONE if record.accepted else GIVEN_UP


def unavailable(where: str, why: str, advice: str = "") -> KooDriveError:
    """Return the error of a store that cannot be used. ``where`` must not have a secret."""
    return KooDriveError("ledger_unavailable", f"the ledger {where} cannot be used: {why}", action="Using the ledger", advice=advice)


def unnamed_tenant() -> KooDriveError:
    """Return the error of a tenant that neither the task nor KooDrive names."""
    return KooDriveError(
        "invalid_request",
        "tenant is missing, and KooDrive does not say which tenant these credentials belong to",
        advice="No transfer was sent. Set tenant (KOODRIVE_TENANT) to one name, the same in all playbooks for this tenant.",
    )


def time_in_words(moment: float) -> str:
    """Return a moment in seconds since 1970 in words."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
