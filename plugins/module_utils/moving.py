# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How capacity is moved, whatever it is moved for: the one story of all modules that write. Knows nothing of AnsibleModule.

Turn, open transfer, read, plan, record, write once, verify, outcome: the functions stand in the order in which a run comes to them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.account import WritingAccount
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import (
    COUNTS_AS_DONE,
    MAX_CAPACITY,
    SPACE_TYPES,
    Allocation,
    Plan,
    Shows,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.book import Book, as_earlier
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE, KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import DONE
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import CONNECTION_SPEC, LEDGER_SPEC, Connection, in_range
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.replies import BAD_PARAMETERS
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.stores import store_of, tenant_of, writer
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.waiting import Pauses

#: The options of every module that writes.
MOVING_SPEC: dict[str, Any] = {
    "capacity_step": {"type": "int", "default": 1},
    "verify": {"type": "bool", "default": True},
    "verify_timeout": {"type": "int", "default": 30},
    "settle_time": {"type": "int", "default": 900},
    **LEDGER_SPEC,
    **CONNECTION_SPEC,
}

#: Seconds between the first two looks at a transfer that does not show yet, and between the last ones.
FIRST_LOOK_AGAIN = 0.2
LONGEST_LOOK_AGAIN = 2.0
#: The console takes multiples of this alone, in GB; whether the service insists is not known [Storage Settings].
CONSOLE_STEP = 10
#: More transfers than a run has to make, unless others undo them.
MOST_TRANSFERS = len(SPACE_TYPES)


class Goal(Protocol):
    """What the pools shall be, and which transfers make them so."""

    @property
    def pools(self) -> Sequence[str]:
        """The pools that a reading must have."""

    @property
    def adds(self) -> bool:
        """Whether it is an addition, of which nobody can see whether it has been made."""

    @property
    def idempotency_key(self) -> str | None:
        """What the addition is known by."""

    def plan(self, before: Allocation) -> Plan:
        """The first transfer that is to be made of the pools ``before``; one that moves nothing where they are what they shall be."""

    def rest(self, after: Allocation) -> Plan:
        """The next one, when the pools are ``after`` once one was made."""

    def ensure_sufficient(self, plan: Plan) -> None:
        """Raises KooDriveError ``insufficient_capacity`` when ``plan``, or what must follow it, asks for more than the pools can give."""


class Care(NamedTuple):
    """With how much care a task moves, times in seconds."""

    verify: bool
    verify_timeout: float
    settle_time: float


class Run(NamedTuple):
    """One run of a task: what is asked, of whom, the account of it, and the tenant's part of the ledger."""

    goal: Goal
    care: Care
    koodrive: KooDrive
    account: WritingAccount
    book: Book


def care_from(options: Mapping[str, Any]) -> Care:
    """With how much care the task moves. Raises KooDriveError ``invalid_request``, naming the option."""
    return Care(options["verify"], in_range(options, "verify_timeout", 0, 3600), in_range(options, "settle_time", 0, 86400))


def step_from(options: Mapping[str, Any]) -> int:
    """Of how many GB all that is sent is a multiple. Raises KooDriveError ``invalid_request``, naming the option."""
    return in_range(options, "capacity_step", 1, MAX_CAPACITY)


def pool_types(rows: Sequence[Mapping[str, Any]], option: str) -> list[str]:
    """The types of the pools in the rows of ``option``. Raises KooDriveError ``invalid_request`` where there is none, or one twice."""
    types = [row["type"] for row in rows]
    if not types:
        raise invalid_request(option, "must not be empty")
    for name in types:
        if types.count(name) > 1:
            raise invalid_request(option, f"must not have a type twice: {name}")
    return types


def move_capacity(goal: Goal, care: Care, connection: Connection, account: WritingAccount, check_mode: bool) -> dict[str, Any]:
    """Make the pools what ``goal`` asks for, and give ``account`` of it: the result of the task, also of one that fails.

    In check mode nothing is sent but reads, nothing is written, and the result is the predicted one.
    """
    # Ten of the longest turns that others can take before it is this run's.
    wait = 10 * (connection.timeout + care.verify_timeout)
    try:
        with connection.client(account.warnings) as koodrive, store_of(connection.ledger, check_mode) as store:
            tenant = tenant_of(connection, koodrive, store, check_mode)
            book = Book(store, tenant, writer(), account, care.settle_time, check_mode)
            with book.turn(wait):
                return _fulfil(Run(goal, care, koodrive, account, book), check_mode)
    except KooDriveError as error:
        return account.failure(error)


def _fulfil(run: Run, check_mode: bool) -> dict[str, Any]:
    """The result of the run, once the pools are what the task asks for, or in check mode would be."""
    pools = _read_and_settle(run, "Reading the pools")
    plan = _plan(run, pools)
    if plan.moves and run.book.open is not None:
        pools = _look_until_settled(run, pools)
        plan = _plan(run, pools)
    if plan.moves and run.book.open is not None:
        raise run.book.blocked()
    verified = True
    while plan.moves:
        if len(run.account.made) == MOST_TRANSFERS:
            raise _undone(run, plan)
        pools, verified = _predict(run, plan) if check_mode else _make(run, plan)
        plan = _plan_rest(run, pools)
    return run.account.success(pools, verified)


class Made(NamedTuple):
    """The pools after a transfer, and whether they were read and show it."""

    pools: Allocation
    verified: bool


def _predict(run: Run, plan: Plan) -> Made:
    run.account.has_made(plan)
    return Made(plan.after(), verified=False)


def _make(run: Run, plan: Plan) -> Made:
    """Make the transfer; or another one, or none, where the pools have changed before it was accepted."""
    pauses = run.koodrive.pauses()
    for _try in range(run.koodrive.retries):
        failure = _send(run, plan)
        if failure is None or failure.may_have_moved or not failure.transient:
            return _conclude(run, plan, failure)
        run.koodrive.wait(pauses, failure)
        pools = _read_after_refusal(run)
        _ensure_still_made(run, pools)
        if _is_done_after_all(run, plan, failure, pools):
            run.book.done()
            run.account.has_made(plan)
            return Made(pools, verified=True)
        run.book.not_done()
        plan = _plan(run, pools)
        if not plan.moves:
            return Made(pools, verified=True)
    return _conclude(run, plan, _send(run, plan))


def _look_until_settled(run: Run, pools: Allocation) -> Allocation:
    """The pools once they show what has become of the open transfer, or the verify_timeout is over."""
    deadline = time.monotonic() + run.care.verify_timeout
    pauses = Pauses(FIRST_LOOK_AGAIN, LONGEST_LOOK_AGAIN)
    while run.book.open is not None and time.monotonic() < deadline:
        pauses.wait(deadline - time.monotonic())
        pools = _read_and_settle(run, "Reading the pools until an open transfer shows")
    return pools


def _read_and_settle(run: Run, step: str) -> Allocation:
    """The pools now, after they have told what has become of the open transfer."""
    began_at = run.book.now()
    pools = _read(run, step)
    run.book.settle(pools, run.koodrive.source, began_at)
    return pools


def _read(run: Run, step: str, retries: int | None = None) -> Allocation:
    """The pools now, all that the task needs among them."""
    pools = run.koodrive.read_pools(step, {*run.goal.pools, *run.account.origins()}, retries)
    run.account.saw(pools)
    return pools


def _read_after_refusal(run: Run) -> Allocation:
    """The pools after a write that was refused for its rate, which settles it even where they cannot be read."""
    try:
        return _read(run, "Reading the pools again")
    except KooDriveError:
        _was_not_done(run)
        raise


def _was_not_done(run: Run) -> None:
    """What was sent is known not to be done, so the ledger and the result must say so."""
    run.book.not_done()
    run.account.was_refused()


def _ensure_still_made(run: Run, pools: Allocation) -> None:
    """Raises KooDriveError ``not_verified`` where the pools show again what they held before a transfer that they have shown: a plan on that would
    make it once more."""
    if run.account.made and run.account.made[-1].compare(pools) is Shows.BEFORE:
        _was_not_done(run)
        what = f"the pools show again what they held before {run.account.made[-1].in_words()}, which they had shown"
        raise KooDriveError("not_verified", what, step="Reading the pools again")


def _plan(run: Run, before: Allocation) -> Plan:
    """What is to be sent, which the pools can give; nothing where the addition was made before."""
    plan = run.goal.plan(before)
    earlier = run.book.earlier(run.goal.idempotency_key, plan)
    if earlier is not None and earlier.state == DONE:
        run.account.earlier = as_earlier(earlier)
        plan = plan.nothing()
    return _planned(run, plan)


def _plan_rest(run: Run, after: Allocation) -> Plan:
    """What is to be sent once something was."""
    return _planned(run, run.goal.rest(after))


def _planned(run: Run, plan: Plan) -> Plan:
    run.account.planned(plan)
    run.goal.ensure_sufficient(plan)
    return plan


def _send(run: Run, plan: Plan) -> KooDriveError | None:
    """Send the transfer, once, after it has been written down; why it failed, if it did."""
    run.book.begin(plan, run.koodrive.source, run.goal.idempotency_key)
    run.account.sends()
    try:
        run.koodrive.transfer(plan.origin_type, plan.moves, _step(plan))
    except KooDriveError as failure:
        if failure.answer.http_status is None and not failure.may_have_moved:
            run.account.did_not_send()
            run.book.not_done()
        return failure
    except BaseException:  # An interrupt, which leaves a transfer open that may have been sent.
        if not run.koodrive.may_have_sent:
            run.book.not_done()
        raise
    return None


def _step(plan: Plan) -> str:
    return f"Transferring {plan.in_words()}"


def _is_done_after_all(run: Run, plan: Plan, refusal: KooDriveError, pools: Allocation) -> bool:
    """Whether a write that was refused for its rate shows in the pools nevertheless, as when a proxy had sent it twice.

    Raises ``rate_limited`` where the pools changed in another way and the task adds to them: what is a desired state
    is planned anew, but nobody could tell whether to add again.
    """
    shows = plan.compare(pools)
    if refusal.kind != "rate_limited" or shows is Shows.BEFORE:
        return False
    if shows is Shows.EXACTLY and not (run.goal.adds and run.book.is_taken_for_lost()):
        run.account.warnings.append(
            f"KooDrive answered the transfer with HTTP {refusal.answer.http_status}, but the pools show exactly this transfer: it is"
            " taken for done and was not sent again."
        )
        return True
    if run.goal.adds:
        _was_not_done(run)
        what = f"{refusal.what}, and the pools have changed since"
        raise KooDriveError("rate_limited", what, step=_step(plan), advice=ADVICE["outcome_unknown"], answer=refusal.answer)
    return False


def _conclude(run: Run, plan: Plan, failure: KooDriveError | None) -> Made:
    """What came of the last write for ``plan``, which failed with ``failure``, if it did."""
    if failure is not None and not failure.may_have_moved:
        raise _refused(run, plan, failure) from failure
    if failure is None and not _must_verify(run, plan):
        run.book.done()
        run.account.has_made(plan)
        return Made(plan.after(), verified=False)
    sight = _look_until_done(run, plan)
    if sight.pools is None or sight.shows not in COUNTS_AS_DONE:
        raise _not_seen(run, plan, sight) if failure is None else _not_known(run, plan, failure, sight)
    if failure is not None and _must_be_known(run, sight):
        raise _not_known(run, plan, failure, sight)
    if failure is not None:
        run.account.warnings.append(
            f"The reply to the transfer was lost ({failure.what}). The pools show "
            + ("exactly this transfer." if sight.shows is Shows.EXACTLY else "what was asked for, but not by this transfer alone.")
        )
    if failure is None or sight.shows is Shows.EXACTLY:
        run.book.done()
    _warn_of_other_changes(run, plan, sight.pools)
    run.account.has_made(plan)
    return Made(sight.pools, verified=True)


def _must_be_known(run: Run, sight: Sight) -> bool:
    """Whether what the pools show is not enough, since it may be others' doing: of an addition that another run takes for lost, and of a transfer
    that others follow, of which at most one may be open."""
    if run.goal.adds and run.book.is_taken_for_lost():
        return True
    return sight.shows is Shows.ENOUGH and sight.pools is not None and bool(run.goal.rest(sight.pools).moves)


def _must_verify(run: Run, plan: Plan) -> bool:
    """Whether the pools are read after the transfer: as the task says, and before another one, which is decided on what they show."""
    return run.care.verify or bool(run.goal.rest(plan.after()).moves)


def _refused(run: Run, plan: Plan, refusal: KooDriveError) -> KooDriveError:
    """The error for a write that KooDrive refused, or that never reached it, once the pools have been read."""
    pools: Allocation | None = plan.before
    if refusal.answer.http_status is not None:
        try:
            pools = _read(run, "Reading the pools after the refusal")
        except KooDriveError:
            pools = None
    if pools is not None and plan.compare(pools) is Shows.EXACTLY:
        advice = f"Yet the pools show exactly this transfer, by another writer or by a request sent twice on its way. {ADVICE['outcome_unknown']}"
    else:
        _was_not_done(run)
        advice = f"This {'transfer' if run.account.made else 'task'} moved nothing. {_advice_on_steps(plan, refusal) or refusal.advice}"
    return KooDriveError(refusal.kind, refusal.what, step=refusal.step, advice=advice, answer=refusal.answer)


def _advice_on_steps(plan: Plan, refusal: KooDriveError) -> str | None:
    if refusal.answer.code != BAD_PARAMETERS or all(move.expand_capacity % CONSOLE_STEP == 0 for move in plan.moves):
        return None
    return (
        f"KooDrive's console moves multiples of {CONSOLE_STEP} GB only, and the service may insist on that: set capacity_step to {CONSOLE_STEP}, and run again."
    )


class Sight(NamedTuple):
    """The pools when they were read last after a transfer, if they were, what they show of it, and why the latest reading failed, if it
    did."""

    pools: Allocation | None
    shows: Shows | None
    trouble: KooDriveError | None


def _look_until_done(run: Run, plan: Plan) -> Sight:
    """Read until the pools show that the transfer is done, or the verify_timeout is over.

    The first look comes at once. The last one comes when the time is over, and is as patient as any other read; those
    before it are one request each.
    """
    deadline = time.monotonic() + run.care.verify_timeout
    pauses = Pauses(FIRST_LOOK_AGAIN, LONGEST_LOOK_AGAIN)
    pools: Allocation | None = None
    while True:
        is_last = time.monotonic() >= deadline
        trouble = None
        try:
            pools = _read(run, "Reading the pools after the transfer", retries=None if is_last else 0)
        except KooDriveError as error:
            trouble = error
            run.account.could_not_see(error)
        shows = None if pools is None else plan.compare(pools)
        if is_last or shows in COUNTS_AS_DONE or (trouble is not None and trouble.kind in ("authentication", "rejected")):
            return Sight(pools, shows, trouble)
        # A server that is asked for nothing but its state, and says to come back at once, is not taken at its word.
        asked_for = trouble.retry_after if trouble is not None else None
        pauses.wait(deadline - time.monotonic(), asked_for or None)


def _not_seen(run: Run, plan: Plan, sight: Sight) -> KooDriveError:
    """The error for a transfer that KooDrive accepted and that the pools do not show."""
    if sight.pools is None:
        why = "the pools could not be read after it"
    else:
        lacks = " and ".join(f"{name} lacks {gigabytes} GB" for name, gigabytes in plan.missing(sight.pools).items())
        why = f"{_when_last_read(run, sight)} the pools do not show it: {lacks}"
    return KooDriveError("not_verified", f"KooDrive accepted it, but {why}", step=_step(plan))


def _not_known(run: Run, plan: Plan, lost: KooDriveError, sight: Sight) -> KooDriveError:
    """The error for a write whose reply was ``lost`` and that the pools do not show."""
    kind, advice = "outcome_unknown", ADVICE["outcome_unknown"]
    if sight.shows is None:
        why = "and the pools could not be read after it"
    elif sight.shows is Shows.BEFORE:
        why = f"and {_when_last_read(run, sight)} the pools show no change; the capacity may still move"
        kind = "server_error" if lost.kind == "server_error" else kind
    elif sight.shows is Shows.ENOUGH and not run.goal.adds:
        why = "and the pools show what it was to bring, but not by this transfer alone"
    elif sight.shows in COUNTS_AS_DONE:
        why = "and another task has taken it for lost since, so that what the pools show may be the other task's"
    else:
        why = f"and {_when_last_read(run, sight)} the pools show another change than this transfer"
    return KooDriveError(kind, f"{lost.what}, {why}", step=_step(plan), advice=advice, answer=lost.answer)


def _when_last_read(run: Run, sight: Sight) -> str:
    """When the pools were read last: with trouble after that, nobody knows what they show at the end of the time."""
    return f"after {run.care.verify_timeout} seconds" if sight.trouble is None else "when they were last read,"


def _warn_of_other_changes(run: Run, plan: Plan, pools: Allocation) -> None:
    changes = ", ".join(f"{name} {gigabytes:+d} GB" for name, gigabytes in plan.other_changes(pools).items())
    if changes:
        run.account.warnings.append(f"The pools changed otherwise, too, during the transfer: {changes}. Is there another writer?")


def _undone(run: Run, plan: Plan) -> KooDriveError:
    """The error for pools that lack something after more transfers than they can have needed."""
    lacks = " and ".join(f"{name} lacks {gigabytes} GB" for name, gigabytes in plan.missing(plan.before).items())
    return KooDriveError(
        "not_verified",
        f"after {len(run.account.made)} transfers {lacks} again",
        step="Making the pools what they shall be",
        advice=f"Is there another writer? {ADVICE['not_verified']}",
    )
