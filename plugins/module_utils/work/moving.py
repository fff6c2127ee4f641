# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move capacity until a goal is reached: the order that all writing modules share. Does not know AnsibleModule.

Newest record, open transfer, read, plan, append the record, one POST, verify, outcome. The functions stand in this
order.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import Connection, KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import BAD_PARAMETERS, REFUSED
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller, Pauses, seconds_since_boot
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import NO_ANSWER, KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, GIVEN_UP, NOT_DONE, Record, time_in_words
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import (
    DEFAULT_STEP,
    MAX_CAPACITY,
    SPACE_TYPES,
    Allocation,
    Comparison,
    Plan,
    as_rows,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import CONNECTION_SPEC, LEDGER_SPEC, LedgerChoice, in_range
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.run_report import WritingReport
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.tenant_ledger import NEW_KEY, TenantLedger, Writer, tenant_of

#: The options of every module that writes.
MOVING_SPEC: dict[str, Any] = {
    "capacity_step": {"type": "int", "default": DEFAULT_STEP},
    "verify": {"type": "bool", "default": True},
    "verify_timeout": {"type": "int", "default": 30},
    "settle_time": {"type": "int", "default": 900},
    **LEDGER_SPEC,
    **CONNECTION_SPEC,
}

#: Seconds between the first two looks at pools that do not show a transfer yet, and between the last ones.
FIRST_LOOK_AGAIN = 0.2
LONGEST_LOOK_AGAIN = 2.0
#: Seconds between the first two looks into the ledger while another run is at work, and between the last ones.
FIRST_WAIT = 0.05
LONGEST_WAIT = 1.0
#: A run waits for other runs this many times as long as one of them may take.
PATIENCE = 10
#: The console accepts only multiples of this, in GB. Whether the service insists is unclear [Storage Settings].
CONSOLE_STEP = 10
#: A run needs one transfer less than there are pools. It makes one more if other writers undo what it did.
MOST_TRANSFERS = len(SPACE_TYPES)


class Goal(Protocol):
    """What a task asks for, and which transfers reach it."""

    @property
    def needed_pools(self) -> Sequence[str]:
        """Return the pools that a reading must have."""

    @property
    def adds(self) -> bool:
        """Return whether it is a relative change. Then the pools do not show whether it was made."""

    @property
    def takes_several(self) -> bool:
        """Return whether it may take more than one transfer."""

    @property
    def idempotency_key(self) -> str | None:
        """Return the name of the addition."""

    def plan(self, before: Allocation) -> Plan:
        """Return the next transfer for the pools ``before``; one without moves if nothing is missing."""

    def ensure_sufficient(self, plan: Plan) -> None:
        """Raise KooDriveError ``insufficient_capacity`` if ``plan``, or a plan that must follow, needs more than the
        pools can give.
        """


class Care(NamedTuple):
    """How a task verifies its transfers, and how long they stay open. Times are in seconds."""

    verify: bool
    verify_timeout: float
    settle_time: float


class Run:
    """One run of a task, in check mode or not: the goal, KooDrive, the ledger, and the report for the result."""

    def __init__(self, goal: Goal, care: Care, koodrive: KooDrive, report: WritingReport, ledger: TenantLedger, check_mode: bool) -> None:
        self.goal = goal
        self.care = care
        self.koodrive = koodrive
        self.report = report
        self.ledger = ledger
        self.check_mode = check_mode
        #: How often the run may still try the transfer. Each transfer has its own tries. Other runs do not reset them.
        self.tries_left = koodrive.retries + 1
        self.patience = PATIENCE * (koodrive.timeout + care.verify_timeout)
        self.deadline = time.monotonic() + self.patience

    def record_done(self, plan: Plan) -> str:
        """Note that the transfer was made, and return its state in the ledger.

        If another transfer follows, its record writes down this outcome. If not, this method does.
        """
        self.report.has_made(plan)
        self.ledger.will_be(DONE)
        return DONE if self.next_plan(self.report.now or plan.after()).moves else self.ledger.finish()

    def note_not_done(self) -> None:
        """Note that KooDrive did not make the transfer. The next record, or the end of the run, writes it down."""
        self.report.was_refused()
        self.ledger.will_be(NOT_DONE)

    def next_plan(self, after: Allocation) -> Plan:
        """Return what follows a transfer that was made, if anything does."""
        plan = self.goal.plan(after)
        return plan if self.goal.takes_several else plan.nothing()


def care_from(options: Mapping[str, Any]) -> Care:
    """Return how the task verifies its transfers. Raises KooDriveError ``invalid_request``, naming the option."""
    return Care(options["verify"], in_range(options, "verify_timeout", 0, 3600), in_range(options, "settle_time", 0, 86400))


def step_from(options: Mapping[str, Any]) -> int:
    """Return the step in GB: each transfer sends a multiple of it. Raises KooDriveError ``invalid_request``, naming
    the option.
    """
    return in_range(options, "capacity_step", 1, MAX_CAPACITY)


def pool_types(rows: Sequence[Mapping[str, Any]], option: str) -> list[str]:
    """Return the types of the pools in the rows of ``option``. Raises KooDriveError ``invalid_request`` for no row,
    or a type twice.
    """
    types = [row["type"] for row in rows]
    if not types:
        raise invalid_request(option, "must not be empty")
    for name in types:
        if types.count(name) > 1:
            raise invalid_request(option, f"must not have a type twice: {name}")
    return types


def move_capacity(
    goal: Goal,
    care: Care,
    connection: Connection,
    choice: LedgerChoice,
    report: WritingReport,
    check_mode: bool,
    caller: Caller = NOBODY,
) -> dict[str, Any]:
    """Reach ``goal``, and return the result of the task, also if it fails.

    In check mode, the run only reads, and returns the predicted result. Once ``caller`` no longer waits, the run
    sends no transfer.
    """
    try:
        if choice.is_temporary and goal.idempotency_key is not None:
            raise _forgets_keys()
        with KooDrive(connection, report.warnings, caller) as koodrive, store_of(choice.path, check_mode) as store:
            writer = Writer(choice.writer, connection.trace_id, connection.timeout, care.verify_timeout, care.settle_time)
            tenant = tenant_of(choice, connection.credential, koodrive, store)
            ledger = TenantLedger(store, tenant, writer, lambda: _now(koodrive, store), report.warnings, check_mode)
            try:
                result = _fulfil(Run(goal, care, koodrive, report, ledger, check_mode))
            finally:
                ledger.finish()
    except KooDriveError as error:
        result = report.failure(error)
    if choice.is_temporary and report.origins():
        report.warnings.append(
            "No ledger is named, and this task runs in a container, so the record of its transfers ends with the container. Set ledger"
            " (KOODRIVE_LEDGER) to a PostgreSQL database or to a folder that lasts."
        )
    return result


def _forgets_keys() -> KooDriveError:
    return invalid_request(
        "idempotency_key",
        "needs a ledger that outlives this run. None is named, and this task runs in a container, whose ledger ends with it. Set ledger"
        " (KOODRIVE_LEDGER) to a PostgreSQL database or to a folder that lasts",
    )


def _now(koodrive: KooDrive, store: Store) -> float:
    """Return the time by KooDrive's clock, or by the store's if KooDrive's replies have no Date."""
    now = koodrive.now()
    return store.now() if now is None else now


def _fulfil(run: Run) -> dict[str, Any]:
    """Return the result of the run once the goal is reached, or in check mode would be."""
    pools, plan = _look(run)
    verified = True
    pauses = Pauses(FIRST_LOOK_AGAIN, LONGEST_LOOK_AGAIN)
    while plan.moves:
        if len(run.report.made) == MOST_TRANSFERS:
            raise _lacking_again(run, plan)
        made = _predict(run, plan) if run.check_mode else _transfer(run, plan)
        if made is None:
            run.ledger.finish()
            _wait_after_conflict(run, pauses)
            pools, plan = _look(run)
        else:
            pools, verified = made
            run.tries_left = run.koodrive.retries + 1
            plan = run.next_plan(pools)
            run.report.planned(plan)
            run.goal.ensure_sufficient(plan)
    if verified and run.report.made and not run.goal.adds:
        _warn_of_missing(run, run.goal.plan(pools))
    return run.report.success(pools, verified)


def _warn_of_missing(run: Run, missing: Plan) -> None:
    """Warn if ``missing`` moves capacity. Then capacity of a target was allocated during the transfer."""
    if missing.moves:
        run.report.warnings.append(f"The transfer was made, but capacity was allocated meanwhile. The next run moves {missing.in_words()}.")


def _wait_after_conflict(run: Run, pauses: Pauses) -> None:
    """Wait before this run looks again, since another one has written to the ledger first.

    Raises KooDriveError ``busy`` when patience ends.
    """
    if time.monotonic() >= run.deadline:
        raise run.ledger.busy(run.patience)
    run.koodrive.wait(pauses, run.deadline - time.monotonic(), "Another task came first. Reading the pools again.")


class Made(NamedTuple):
    """The pools after a transfer, and whether they were read and show it."""

    pools: Allocation
    verified: bool


def _look(run: Run) -> tuple[Allocation, Plan]:
    """Return the pools and what to send, once no other transfer is open."""
    pauses = Pauses(FIRST_LOOK_AGAIN, LONGEST_LOOK_AGAIN)
    show_by: float | None = None
    while True:
        run.ledger.look()
        since = seconds_since_boot()
        pools = _read(run, "Reading the pools")
        _ensure_earlier_transfer_shows(run, pools)
        if not run.ledger.resolve(pools, run.koodrive.read_call, _read_at(run, since)):
            _wait_after_conflict(run, pauses)
            continue
        plan = _plan(run, pools)
        if run.ledger.open is None:
            run.goal.ensure_sufficient(plan)
            return pools, plan
        if not plan.moves and not _lacks_capacity(run, plan):
            return pools, plan
        if run.ledger.is_busy():
            _wait_for_writer(run)
            continue
        show_by = time.monotonic() + run.care.verify_timeout if show_by is None else show_by
        if time.monotonic() >= show_by:
            raise run.ledger.blocked(run.ledger.open)
        why = f"The pools do not show {run.ledger.open.in_words()} yet. Reading them again for up to {run.care.verify_timeout:g} seconds."
        run.koodrive.wait(pauses, show_by - time.monotonic(), why)


def _read_at(run: Run, since: float) -> float:
    """Return a lower bound of KooDrive's time at the latest reading, which began ``since`` seconds after this machine
    started.
    """
    return run.ledger.clock() - (seconds_since_boot() - since) if run.koodrive.read_at is None else run.koodrive.read_at


def _wait_for_writer(run: Run) -> None:
    """Wait until no writer can send any more: look into the ledger, not at the pools.

    Raises KooDriveError ``busy`` when patience ends.
    """
    pauses = Pauses(FIRST_WAIT, LONGEST_WAIT)
    while run.ledger.open is not None and run.ledger.is_busy():
        if time.monotonic() >= run.deadline:
            raise run.ledger.busy(run.patience)
        run.koodrive.wait(pauses, run.deadline - time.monotonic(), f"Waiting for another task: {run.ledger.open.in_words()}.")
        run.ledger.look()


def _read(run: Run, action: str, retries: int | None = None) -> Allocation:
    """Return the pools now, with each pool that the task needs."""
    pools = run.koodrive.read_pools(action, {*run.goal.needed_pools, *run.report.origins()}, retries)
    run.report.saw(pools)
    return pools


def _lacks_capacity(run: Run, plan: Plan) -> bool:
    """Return whether the pools cannot give what the task needs. A plan without moves can lack it, too."""
    try:
        run.goal.ensure_sufficient(plan)
    except KooDriveError:
        return True
    return False


def _plan(run: Run, before: Allocation) -> Plan:
    """Return what to send; nothing if the addition was made before. The pools may be unable to give it."""
    plan = run.goal.plan(before)
    key = run.goal.idempotency_key
    earlier = None if key is None else run.ledger.earlier(key, plan)
    if earlier is not None and earlier.state == DONE:
        run.report.earlier = as_earlier(earlier)
        plan = plan.nothing()
    if plan.moves:
        run.ledger.need_tenant()
    run.report.planned(plan)
    return plan


def as_earlier(record: Record) -> dict[str, Any]:
    """Return an addition that was made before, as results show it."""
    return {"trace_id": record.trace_id, "time": time_in_words(record.begun_at), "transfers": as_rows(record.moves)}


def _predict(run: Run, plan: Plan) -> Made:
    run.report.has_made(plan)
    return Made(plan.after(), verified=False)


def _transfer(run: Run, plan: Plan) -> Made | None:
    """Send ``plan``, or a newer plan if the pools change between tries.

    Return None if another run appended a record first, or if this run was suspended for so long that another may
    have. Then nothing was sent, and the run plans again.
    """
    pauses = run.koodrive.pauses()
    while True:
        run.koodrive.ensure_wanted()
        record = run.ledger.append(plan, run.koodrive.read_call, run.goal.idempotency_key)
        if record is None:
            return None
        failure = _post(run, plan, record.begun_at)
        if failure is not None and failure.kind == SUSPENDED:
            return None if time.monotonic() < run.deadline else _find_outcome(run, plan, failure)
        run.tries_left -= 1
        is_last = not run.tries_left
        if failure is None or failure.may_have_moved or not failure.transient or (is_last and failure.answer.http_status is None):
            return _find_outcome(run, plan, failure)
        pools = _pools_after_refusal(run, plan, failure, pauses)
        _ensure_earlier_transfer_shows(run, pools)
        if _is_done_after_rate_limit(run, plan, failure, pools):
            return Made(pools, verified=True)
        if is_last and run.goal.plan(pools).moves:
            raise _refusal(run, plan, failure, pools) from failure
        run.note_not_done()
        plan = _plan(run, pools)
        run.goal.ensure_sufficient(plan)
        if not plan.moves:
            return Made(pools, verified=True)


#: The kind of the error that stops a request before its first byte. The run then plans again, until its patience ends.
SUSPENDED = "busy"


def _post(run: Run, plan: Plan, begun_at: float) -> KooDriveError | None:
    """Send the transfer once, and return why that failed, if it did."""

    def before_first_byte() -> None:
        if not run.ledger.may_send():
            what = "this run was suspended, or waited for its ledger, for so long that another run may have come first"
            raise KooDriveError(SUSPENDED, what, action=_action(plan), advice="Run again.")
        run.koodrive.ensure_wanted()

    run.report.sends()
    try:
        run.koodrive.transfer(plan.origin_type, plan.moves, _action(plan), begun_at, before_first_byte)
    except KooDriveError as failure:
        if failure.answer.http_status is None and not failure.may_have_moved:
            run.report.did_not_send()
            run.ledger.will_be(NOT_DONE)
        return failure
    except BaseException:  # An interrupt.
        if not run.koodrive.may_have_sent:
            run.ledger.will_be(NOT_DONE)
        raise
    return None


def _action(plan: Plan) -> str:
    return f"Transferring {plan.in_words()}"


def _pools_after_refusal(run: Run, plan: Plan, refusal: KooDriveError, pauses: Pauses) -> Allocation:
    """Return the pools after a transfer that KooDrive did not process. Before another try, this waits.

    If they cannot be read, it was not made. But the outcome of an addition that was refused for its rate then stays
    open: only the pools show whether a proxy sent it twice.
    """
    try:
        if run.tries_left:
            run.koodrive.wait_after(pauses, refusal)
        return _read(run, "Reading the pools again")
    except KooDriveError as trouble:
        if refusal.kind == "rate_limited" and run.goal.adds:
            what = f"{refusal.what}, and the pools could not be read after it"
            advice = run.report.advice["outcome_unknown"]
            raise KooDriveError(refusal.kind, what, action=refusal.action, advice=advice, answer=refusal.answer) from trouble
        if not run.tries_left:
            raise _refusal(run, plan, refusal, None) from refusal
        run.note_not_done()
        raise


def _ensure_earlier_transfer_shows(run: Run, pools: Allocation) -> None:
    """Raise KooDriveError ``not_verified`` if the pools no longer show a transfer of this run. A new plan would make
    it once more.
    """
    if run.report.made and run.report.made[-1].compare(pools) is Comparison.BEFORE:
        run.note_not_done()
        what = f"the pools show again what they held before {run.report.made[-1].in_words()}, which they had shown"
        raise KooDriveError("not_verified", what, action="Reading the pools again", advice="Find what else moves capacity, and run again.")


def _is_done_after_rate_limit(run: Run, plan: Plan, refusal: KooDriveError, pools: Allocation) -> bool:
    """Return whether the pools show a transfer that KooDrive refused for its rate, as after a proxy sent it twice.

    Raises ``rate_limited`` if the pools changed in another way and the task adds to them, since the pools do not show
    whether to add again. The key then stays used. A desired state is planned again.
    """
    shows = plan.compare(pools)
    if refusal.kind != "rate_limited" or shows is Comparison.BEFORE:
        return False
    if shows is Comparison.EXACTLY:
        state = run.record_done(plan)
        if not (run.goal.adds and state in (NOT_DONE, GIVEN_UP)):
            run.report.warnings.append(
                f"KooDrive answered the transfer with HTTP {refusal.answer.http_status}, but the pools show exactly this transfer. It counts as"
                " done, and the module did not send it again."
            )
            return True
        run.report.may_not_have_made()  # Another run has recorded it as lost.
    if run.goal.adds:
        run.note_not_done()
        advice = "Check the pools before you run again: they may show this addition, and the next run adds again."
        if run.goal.idempotency_key is not None:
            run.ledger.will_be(GIVEN_UP)
            advice = f"Check the pools: they may show this addition. {NEW_KEY}"
        raise _changed_since(plan, refusal, advice)
    run.report.warnings.append(f"KooDrive answered a transfer with HTTP {refusal.answer.http_status}, and the pools have changed since.")
    return False


def _changed_since(plan: Plan, refusal: KooDriveError, advice: str) -> KooDriveError:
    """Return the error of a transfer that KooDrive refused for its rate, although the pools have changed since."""
    what = f"{refusal.what}, and the pools have changed since"
    return KooDriveError("rate_limited", what, action=_action(plan), advice=advice, answer=refusal.answer)


def _find_outcome(run: Run, plan: Plan, failure: KooDriveError | None) -> Made:
    """Return the pools after the last request for ``plan``, which succeeded or failed with ``failure``.

    Raises KooDriveError if KooDrive refused it, or if the pools do not show it in time.
    """
    if failure is not None and not failure.may_have_moved:
        raise _refusal_after_reading(run, plan, failure) from failure
    if failure is None and not _must_verify(run, plan):
        state = run.record_done(plan)
        _ensure_still_ours(run, plan, None, state)
        return Made(plan.after(), verified=False)
    verification = _look_until_done(run, plan, accepted=failure is None)
    if verification.is_done and verification.pools is not None:
        state = run.record_done(plan)
        _ensure_still_ours(run, plan, failure, state)
        _warn_of_changes(run, plan, failure, verification.pools, is_done=True)
        return Made(verification.pools, verified=True)
    if run.ledger.finish(accepted=failure is None) == DONE:
        return _seen_by_another_run(run, plan, failure)
    if verification.pools is None or run.goal.adds or plan.missing(verification.pools) or run.next_plan(verification.pools).moves:
        raise _not_shown(run, plan, verification) if failure is None else _unknown_outcome(run, plan, failure, verification)
    _warn_of_changes(run, plan, failure, verification.pools, is_done=False)
    run.report.has_made(plan)
    return Made(verification.pools, verified=True)


def _must_verify(run: Run, plan: Plan) -> bool:
    """Return whether to read the pools after the transfer: as the task says, and always before another transfer."""
    return run.care.verify or bool(run.next_plan(plan.after()).moves)


def _seen_by_another_run(run: Run, plan: Plan, lost: KooDriveError | None) -> Made:
    """Return the pools after a transfer that another run has seen in them, and that this run has not.

    Raises KooDriveError ``not_verified`` if capacity has moved away since, and this run makes no other transfer.
    """
    run.report.has_made(plan)
    pools = _read(run, "Reading the pools after the transfer")
    if plan.missing(pools) and not run.goal.adds and not run.next_plan(pools).moves:
        why = f"another task has seen it in the pools, but now {_lacks(plan, pools)} again"
        raise KooDriveError("not_verified", why, action=_action(plan), advice="Find what else moves capacity, and run again.")
    if lost is not None:
        run.report.warnings.append(f"The reply to the transfer was lost ({lost.what}). Another task has seen the transfer in the pools.")
    _warn_of_other_changes(run, plan, pools)
    return Made(pools, verified=True)


def _ensure_still_ours(run: Run, plan: Plan, lost: KooDriveError | None, state: str) -> None:
    """Raise KooDriveError ``outcome_unknown`` if another run recorded the addition as lost. Another task may have
    repeated it.
    """
    if state not in (NOT_DONE, GIVEN_UP) or not run.goal.adds or (lost is None and run.goal.idempotency_key is None):
        return
    run.report.may_not_have_made()
    what = "another task has recorded it as lost since, so the pools may show the other task's transfer"
    happened = "KooDrive accepted it, but" if lost is None else f"{lost.what}, and"
    answer = NO_ANSWER if lost is None else lost.answer
    raise KooDriveError("outcome_unknown", f"{happened} {what}", action=_action(plan), advice="Check the pools before you run again.", answer=answer)


def _refusal_after_reading(run: Run, plan: Plan, refusal: KooDriveError) -> KooDriveError:
    """Return the error of a transfer that KooDrive refused or never got, after reading the pools."""
    pools: Allocation | None = plan.before
    if refusal.answer.http_status is not None:
        try:
            pools = _read(run, "Reading the pools after the refusal")
        except KooDriveError:
            pools = None
    return _refusal(run, plan, refusal, pools)


def _refusal(run: Run, plan: Plan, refusal: KooDriveError, pools: Allocation | None) -> KooDriveError:
    """Return the error of a transfer that KooDrive refused or never got. The pools are None if they are not known."""
    shows = None if pools is None else plan.compare(pools)
    if shows is Comparison.EXACTLY:
        advice = f"But the pools show exactly this transfer. Another writer made it, or a proxy sent the request twice. {run.report.advice['outcome_unknown']}"
    else:
        run.note_not_done()
        if refusal.kind == "rate_limited" and shows is Comparison.OTHERWISE:
            return _changed_since(plan, refusal, refusal.advice_from(run.report.advice))
        advice = f"This {'transfer' if run.report.made else 'task'} moved nothing. {_advice_on_steps(plan, refusal) or refusal.advice_from(run.report.advice)}"
    return KooDriveError(refusal.kind, refusal.what, action=refusal.action, advice=advice, answer=refusal.answer)


def _advice_on_steps(plan: Plan, refusal: KooDriveError) -> str | None:
    if refusal.answer.code != BAD_PARAMETERS or all(move.expand_capacity % CONSOLE_STEP == 0 for move in plan.moves):
        return None
    return (
        f"KooDrive's console accepts only multiples of {CONSOLE_STEP} GB, and the service may insist on that. Set capacity_step to {CONSOLE_STEP},"
        " and run again."
    )


class Verification(NamedTuple):
    """The latest reading of the pools after a transfer, whether it shows the transfer, and why the last read failed.

    The pools are None if no read succeeded, and ``trouble`` is None if the last one did.
    """

    pools: Allocation | None
    is_done: bool
    trouble: KooDriveError | None


def _look_until_done(run: Run, plan: Plan, accepted: bool) -> Verification:
    """Read until the pools show the transfer, or the verify_timeout is over.

    If KooDrive ``accepted`` the transfer, pools that are consistent with it show it. After a lost reply, only pools
    that changed by exactly this transfer do. The first read comes at once. Only the last read is repeated when it
    fails.
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
            run.report.could_not_see(error)
        is_done = pools is not None and (plan.is_consistent_with(pools) if accepted else plan.compare(pools) is Comparison.EXACTLY)
        if is_last or is_done or (trouble is not None and trouble.kind in REFUSED):
            return Verification(pools, is_done, trouble)
        # A server that asks to be left alone for 0 seconds gets the usual pause.
        asked_for = trouble.retry_after if trouble is not None else None
        why = f"The pools do not show the transfer yet. Reading them again for up to {run.care.verify_timeout:g} seconds."
        run.koodrive.wait(pauses, deadline - time.monotonic(), why, asked_for or None)


def _not_shown(run: Run, plan: Plan, verification: Verification) -> KooDriveError:
    """Return the error of a transfer that KooDrive accepted and that the pools do not show."""
    if verification.pools is None:
        why = "the pools could not be read after it"
    else:
        lacks = _lacks(plan, verification.pools)
        shown = f"do not show it: {lacks}" if lacks else "show another change than this transfer"
        why = f"{_when_last_read(run, verification)} the pools {shown}"
    return KooDriveError("not_verified", f"KooDrive accepted it, but {why}", action=_action(plan))


def _unknown_outcome(run: Run, plan: Plan, lost: KooDriveError, verification: Verification) -> KooDriveError:
    """Return the error of a transfer whose reply was ``lost`` and that the pools do not show."""
    kind = "outcome_unknown"
    if verification.pools is None:
        why = "and the pools could not be read after it"
    elif plan.compare(verification.pools) is Comparison.BEFORE:
        why = f"and {_when_last_read(run, verification)} the pools show no change. The capacity may still move"
        kind = "server_error" if lost.kind == "server_error" else kind
    elif not plan.missing(verification.pools):
        why = "and the targets have enough, but not by this transfer alone"
    else:
        why = f"and {_when_last_read(run, verification)} the pools show another change than this transfer"
    return KooDriveError(kind, f"{lost.what}, {why}", action=_action(plan), advice=run.report.advice["outcome_unknown"], answer=lost.answer)


def _when_last_read(run: Run, verification: Verification) -> str:
    """Return when the pools were read last. If the last read failed, an earlier one counts, at an unknown time."""
    return f"after {run.care.verify_timeout} seconds" if verification.trouble is None else "when they were last read,"


def _warn_of_changes(run: Run, plan: Plan, lost: KooDriveError | None, pools: Allocation, is_done: bool) -> None:
    """Warn of a lost reply, of a transfer that stays open, and of changes by other writers."""
    if lost is not None:
        shown = "exactly this transfer" if is_done else "enough in every target, but not by this transfer alone. The transfer stays open in the ledger"
        run.report.warnings.append(f"The reply to the transfer was lost ({lost.what}). The pools show {shown}.")
    elif not is_done:
        run.report.warnings.append("KooDrive accepted the transfer, and every target has enough, but not by this transfer. It stays open in the ledger.")
    _warn_of_other_changes(run, plan, pools)


def _warn_of_other_changes(run: Run, plan: Plan, pools: Allocation) -> None:
    changes = ", ".join(f"{name} {gigabytes:+d} GB" for name, gigabytes in plan.other_changes(pools).items())
    if changes:
        run.report.warnings.append(f"Other changes came during the transfer, from another task or another program: {changes}.")


def _lacks(plan: Plan, pools: Allocation) -> str:
    return " and ".join(f"{name} lacks {gigabytes} GB" for name, gigabytes in plan.missing(pools).items())


def _lacking_again(run: Run, plan: Plan) -> KooDriveError:
    """Return the error of pools that lack capacity again after the last transfer that a run may make."""
    return KooDriveError(
        "not_verified",
        f"after {len(run.report.made)} transfers {_lacks(plan, plan.before)} again",
        action="Moving capacity",
        advice=f"Is there another writer? {run.report.advice['not_verified']}",
    )
