# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant's records during one run: which tenant, the newest record, an earlier addition, and the run's own
record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import seconds_since_boot
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import (
    GIVEN_UP,
    NOT_DONE,
    OPEN,
    Record,
    state_of,
    time_in_words,
    unnamed_tenant,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Allocation, Plan
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import LedgerChoice

#: How many seconds may pass between a record and the first byte of its transfer, in addition to verify_timeout. The
#: request takes up to timeout more, and all of that together is busy_until.
SLACK = 10.0
#: What to do about a key whose addition is given up.
NEW_KEY = "If the pools lack the addition, use another idempotency_key."


def tenant_of(ledger: LedgerChoice, credential: str, koodrive: KooDrive, store: Store) -> str | None:
    """Return the tenant: the name in the options, or KooDrive's tenant ID. None if KooDrive does not report it.

    The ledger keeps KooDrive's answer for each credential, as a hash, since a token must not be in the ledger.
    """
    if ledger.tenant is not None:
        return ledger.tenant
    hashed = hashlib.sha256(credential.encode("utf-8")).hexdigest()
    tenant = store.tenant_of(hashed)
    if tenant is None:
        tenant = _reported_tenant(koodrive)
        if tenant is not None:
            # If this fails, as in a store that is only read, the next run asks again.
            with suppress(KooDriveError):
                store.remember(hashed, tenant)
    return tenant


def _reported_tenant(koodrive: KooDrive) -> str | None:
    """Return KooDrive's tenant ID. If this call alone fails, an error says how to do without it."""
    try:
        return koodrive.tenant_id("Asking for the tenant")
    except KooDriveError as error:
        if error.transient and error.answer.http_status is not None:
            error.advice = f"{error.advice_from(ADVICE)} If only this call fails, set tenant (KOODRIVE_TENANT). The module then does not make it."
        raise


class Writer(NamedTuple):
    """The run that writes: its name for people, its trace ID, and three of its options, in seconds."""

    name: str
    trace_id: str
    timeout: float
    verify_timeout: float
    settle_time: float


class TenantLedger:
    """The records of ``tenant`` in ``store``, for the run of ``writer``; with ``read_only``, it writes nothing.

    ``clock`` is KooDrive's, in seconds since 1970. ``warnings`` are for the user. The tenant is None if neither the
    task nor KooDrive names it.
    """

    def __init__(self, store: Store, tenant: str | None, writer: Writer, clock: Callable[[], float], warnings: list[str], read_only: bool) -> None:
        self._store = store
        self._tenant = tenant
        self._writer = writer
        self.clock = clock
        self._warnings = warnings
        self._read_only = read_only
        self._newest: Record | None = None
        #: Why this run could not write down the outcome of the newest record.
        self._unwritten: KooDriveError | None = None
        #: The record of this run's transfer, and when it was appended, by the clock that counts suspended time.
        self._own: Record | None = None
        self._own_since = 0.0
        #: The state of that record, if it is known but not written yet.
        self._state_of_own: str | None = None

    # Before a transfer

    def look(self) -> None:
        """Read the newest record. It decides which record this run can append, so it comes before the pools and the
        key.
        """
        self._newest = None if self._tenant is None else self._store.newest(self._tenant)
        self._unwritten = None

    @property
    def open(self) -> Record | None:
        """Return the transfer of another run whose outcome is unknown."""
        return self._newest if self._newest is not None and self._newest.state == OPEN else None

    def is_busy(self) -> bool:
        """Return whether the writer of the open transfer may still send."""
        return self.open is not None and self.open.is_busy(self.clock(), self._writer.settle_time)

    def resolve(self, pools: Allocation, read_call: str, read_at: float) -> bool:
        """Find out from ``pools``, read by ``read_call`` at ``read_at``, whether the open transfer was applied.

        Return False if another run has ended it differently, so that this run must look again. An outcome that cannot
        be written down is a warning, and keeps this run from sending anything.
        """
        record = self.open
        state = OPEN if record is None else state_of(record, pools, read_call, read_at, self._writer.settle_time)
        if record is None or state == OPEN:
            return True
        if not self._read_only:
            try:
                if self._store.end(record, state, self.clock()) != state:
                    return False
            except KooDriveError as error:
                self._unwritten = error
                self._warnings.append(f"The outcome of an earlier transfer ({state}) could not be written down: {error.what}.")
        if state == GIVEN_UP:
            why = "KooDrive accepted it, and the pools do not show it" if record.accepted else "the pools have changed in another way"
            self._warnings.append(f"The outcome of {record.in_words()} stays unknown: {why}.")
        self._newest = record._replace(state=state)
        return True

    def need_tenant(self) -> str:
        """Return the tenant. Raises KooDriveError ``invalid_request`` if it is unknown."""
        if self._tenant is None:
            raise unnamed_tenant()
        return self._tenant

    def earlier(self, key: str, plan: Plan) -> Record | None:
        """Return the addition that was made with ``key`` before, or is open; ``plan`` is what would be sent now.

        Raises KooDriveError ``invalid_request`` if the key belongs to another addition, and ``outcome_unknown`` if
        its outcome stays unknown.
        """
        record = self._store.with_key(self.need_tenant(), key)
        if record is not None and self._newest is not None and record.sequence == self._newest.sequence:
            record = record._replace(state=self._newest.state)
        if record is None or record.state == NOT_DONE:
            return None
        if (record.origin_type, dict(record.moves)) != (plan.origin_type, dict(plan.moves)):
            what = f"idempotency_key was used before for another addition, {record.in_words()}"
            raise KooDriveError("invalid_request", what, advice="No transfer was sent. Use another key for this addition.")
        if record.state == GIVEN_UP:
            what = f"the outcome of the addition with this idempotency_key is unknown: {record.in_words()}"
            raise KooDriveError("outcome_unknown", what, advice=f"Check the pools. {NEW_KEY}")
        return record

    # A transfer

    def append(self, plan: Plan, read_call: str, key: str | None) -> Record | None:
        """Append the record of what this run sends next, and return it. Return None if another run has appended a
        record since :meth:`look`.
        """
        if self._unwritten is not None:
            raise self._unwritten
        # In this order: a run that is suspended in between must count as too late, not as too early.
        since = seconds_since_boot()
        writer, begun_at = self._writer, self.clock()
        previous = self._own or self._newest
        record = Record(
            tenant=self.need_tenant(),
            sequence=1 if previous is None else previous.sequence + 1,
            origin_type=plan.origin_type,
            moves=plan.moves,
            before=plan.before,
            read_call=read_call,
            writer=writer.name,
            trace_id=writer.trace_id,
            begun_at=begun_at,
            busy_until=begun_at + SLACK + writer.timeout + writer.verify_timeout,
            settle_time=writer.settle_time,
            idempotency_key=key,
        )
        if not self._store.append(record, None if self._own is None else self._state_of_own):
            return None
        self._own, self._own_since, self._state_of_own = record, since, None
        return record

    def may_send(self) -> bool:
        """Return whether this run's record is still open, and a request now would end before ``busy_until``."""
        return self._own is not None and self._store.is_open(self._own) and seconds_since_boot() - self._own_since <= SLACK + self._writer.verify_timeout

    def will_be(self, state: str) -> None:
        """Note the outcome of this run's transfer. The next record, or :meth:`finish`, writes it down."""
        self._state_of_own = state

    def finish(self, accepted: bool = False) -> str:
        """Write down what is known of this run's transfer, and return the state that is stored.

        A transfer with an unknown outcome stays open, with a note whether KooDrive ``accepted`` it. If the ledger
        fails, the next run finds the outcome out.
        """
        own, state = self._own, self._state_of_own
        self._own = self._state_of_own = None
        if own is None:
            return OPEN
        try:
            if state is None:
                return self._store.release(own, accepted)
            return self._store.end(own, state, self.clock())
        except KooDriveError as error:
            how = "If the ledger still has its record, the next run finds it out."
            self._warnings.append(f"The outcome of the transfer could not be written down ({error.what}). {how}")
            return OPEN

    # Errors

    def busy(self, wait: float) -> KooDriveError:
        """Return the error of a run whose patience of ``wait`` seconds ends while others transfer."""
        what = f"for {wait:g} seconds, other tasks have been moving capacity of the same tenant"
        if self.open is not None:
            what += f". At work now: {self.open.in_words()}, which may be sent until {time_in_words(self.open.busy_until)}"
        return KooDriveError("busy", what, action="Waiting for other tasks")

    def blocked(self, record: Record) -> KooDriveError:
        """Return the error of a run that must not send, since the transfer of ``record`` is open."""
        until = time_in_words(record.resolvable_at(self._writer.settle_time))
        what = f"KooDrive may still apply {record.in_words()}, until {until}. The pools do not show it yet"
        # Such an addition is given up, since the pools cannot show whether KooDrive dropped it.
        advice = f"{ADVICE['open_transfer']} {NEW_KEY}" if record.accepted and record.idempotency_key is not None else None
        return KooDriveError("open_transfer", what, action="Looking for an open transfer", advice=advice)
