# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant's part of the ledger during one run: which transfer is open, which addition was made before, and what this run sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.account import WritingAccount
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import Allocation, Plan, as_result, as_rows, in_words
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import (
    DONE,
    GIVEN_UP,
    NOT_DONE,
    OPEN,
    STATES,
    OpenTransfer,
    Record,
    Store,
    state_of,
    told_time,
)

#: More records than others can make while one run lasts.
MANY = 10000


class Book:
    """The records of ``tenant`` in ``store``, for a run by ``writer`` with ``trace_id``; with ``read_only``, nothing is written.

    What the user should know goes to ``account``. An open transfer is settled as the option settle_time says, in seconds.
    """

    def __init__(self, store: Store, tenant: str, writer: str, account: WritingAccount, settle_time: float, read_only: bool) -> None:
        self._store = store
        self._tenant = tenant
        self._writer = writer
        self._account = account
        self._settle_time = settle_time
        self._read_only = read_only
        self._own: Record | None = None
        #: Why what has become of a transfer of this run could not be written down, so that it is still open there.
        self._unwritten: KooDriveError | None = None
        #: The number of the newest record when the pools had not been read yet.
        self._newest = 0
        #: What this run has found out of records, also where it may not write that down.
        self._found: dict[int, str] = {}
        #: The transfer of the tenant that was open when the run began, as long as it is.
        self.open: Record | None = None

    @contextmanager
    def turn(self, wait: float) -> Iterator[None]:
        """Be alone with the tenant, if anything may be written. Raises KooDriveError ``busy`` when that takes longer than ``wait`` seconds."""
        if self._read_only:
            self.open = self._store.open_transfer(self._tenant)
            yield
            return
        with self._store.turn(self._tenant, f"{self._writer}, trace ID {self._account.trace_id}", wait):
            self._newest = self._newest_but(0)
            self.open = self._store.open_transfer(self._tenant)
            yield

    def now(self) -> float:
        """The time by which an open transfer is settled, in seconds since 1970; 0 where none is open, and the store need not be asked."""
        return 0.0 if self.open is None else self._store.now()

    def settle(self, pools: Allocation, source: str, began_at: float) -> None:
        """Find out what has become of the open transfer from ``pools``, read by ``source``.

        ``began_at`` is the time by :meth:`now` before that reading: what is done after it is not in it, however long the reading took.
        """
        if self.open is None:
            return
        state = state_of(self.open, pools, source, began_at, self._settle_time)
        if state == OPEN:
            return
        if state == GIVEN_UP:
            self._account.warnings.append(f"What became of {told(self.open)} was never found out: the pools changed otherwise, and it cannot be done any more.")
        self._found[self.open.number] = state
        if not self._read_only:
            self._store.end(self.open.number, state)
        self.open = None

    def earlier(self, key: str | None, plan: Plan) -> Record | None:
        """The addition that was made with ``key`` before, or is open; ``plan`` is what is to be sent now.

        Raises KooDriveError ``invalid_request`` where it was another addition, and ``outcome_unknown`` where it was given up.
        """
        record = self._store.with_key(self._tenant, key) if key is not None else None
        if record is None:
            return None
        record = record._replace(state=self._found.get(record.number, record.state))
        if record.state == NOT_DONE:
            return None
        if (record.origin_type, dict(record.moves)) != (plan.origin_type, dict(plan.moves)):
            raise invalid_request("idempotency_key", f"was used before for another addition, {told(record)}; take another key for this one")
        if record.state == GIVEN_UP:
            raise KooDriveError("outcome_unknown", f"what became of the addition with this idempotency_key, {told(record)}, was never found out")
        return record

    def begin(self, plan: Plan, source: str, key: str | None) -> None:
        """Write down what is about to be sent. Raises KooDriveError ``open_transfer`` where another one is open after all, or was made since
        this run began, and ``ledger_unavailable`` where it is this run's own that could not be ended there.
        """
        if self._unwritten is not None:
            raise self._unwritten
        record = Record(
            tenant=self._tenant,
            origin_type=plan.origin_type,
            moves=plan.moves,
            before=plan.before,
            source=source,
            writer=self._writer,
            trace_id=self._account.trace_id,
            idempotency_key=key,
        )
        try:
            self._own = self._store.begin(record)
        except OpenTransfer as error:
            self.open = self._store.open_transfer(self._tenant)
            raise self.blocked() from error
        # From here on nobody else can begin one, but without the turn somebody may have made one after the pools had been read.
        if self._newest_but(self._own.number) != self._newest:
            self.not_done()
            raise self.blocked()
        self._newest = self._own.number

    def _newest_but(self, own: int) -> int:
        """The number of the tenant's newest record beside ``own``; 0 where there is none."""
        return max((record.number for record in self._store.transfers(self._tenant, STATES, 0.0, 2) if record.number != own), default=0)

    def end(self, state: str) -> None:
        """Write down what has become of the transfer that this run sent. Where that fails, the next run finds it out."""
        if self._own is None:
            return
        try:
            self._store.end(self._own.number, state)
        except KooDriveError as error:
            self._unwritten = error
            self._account.warnings.append(f"What has become of the transfer could not be written down ({error.what}). The next run finds it out.")
        self._own = None

    def is_taken_for_lost(self) -> bool:
        """Whether another run has found what this one sent to be not done, or never to be found out, so that it may have sent it again."""
        if self._own is None:
            return False
        try:
            lost = self._store.transfers(self._tenant, (NOT_DONE, GIVEN_UP), self._own.begun_at, MANY)
        except KooDriveError:
            return False
        return self._own.number in [record.number for record in lost]

    def done(self) -> None:
        """The transfer that this run sent was done."""
        self.end(DONE)

    def not_done(self) -> None:
        """The transfer that this run sent, or was about to send, was not done."""
        self.end(NOT_DONE)

    def blocked(self) -> KooDriveError:
        """The error of something to send while another transfer is open."""
        if self.open is None:
            what = "another transfer of the tenant has been begun since this task's turn came; nothing was sent now"
            return KooDriveError("open_transfer", what, step="Looking for an open transfer")
        until = told_time(self.open.begun_at + self._settle_time)
        return KooDriveError(
            "open_transfer",
            f"{told(self.open)} may still be done, until {until}, and the pools do not show it yet; nothing was sent now",
            step="Looking for an open transfer",
        )


def told(record: Record) -> str:
    """A record in words: what was sent, when and by whom, and its trace ID."""
    moved = in_words(record.origin_type, record.moves)
    return f"the transfer of {moved}, sent {told_time(record.begun_at)} by {record.writer} (trace ID {record.trace_id})"


def as_earlier(record: Record | None) -> dict[str, Any] | None:
    """The addition that was made before, as results show it."""
    if record is None:
        return None
    return {"trace_id": record.trace_id, "time": told_time(record.begun_at), "transfers": as_rows(record.moves)}


def as_transfer(record: Record) -> dict[str, Any]:
    """A record as the module that lists them shows it; ``origin_type`` and ``target`` are spelled as a task spells them."""
    return {
        "state": record.state,
        "time": _in_iso_8601(record.begun_at),
        "ended": None if record.ended_at is None else _in_iso_8601(record.ended_at),
        "writer": record.writer,
        "origin_type": record.origin_type,
        "target": as_rows(record.moves),
        "allocation_before": as_result(record.before),
        "trace_id": record.trace_id,
        "idempotency_key": record.idempotency_key,
    }


def _in_iso_8601(moment: float) -> str:
    """A moment in seconds since 1970, for programs."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
