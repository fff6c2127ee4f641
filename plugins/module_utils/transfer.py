# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transfer of unallocated capacity, from a task's options to its result.

Read, plan, write at most once, verify. Knows nothing of AnsibleModule.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import (
    CAPACITIES,
    MAX_CAPACITY,
    SPACE_TYPES,
    Allocation,
    Plan,
    Target,
    as_result,
    as_sentence,
    in_order,
    plan_transfer,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.client import FIRST_WAIT, KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import CONNECTION_SPEC, connection_from, in_range
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.tenant_lock import turn

TRANSFER_SPEC: dict[str, Any] = {
    "origin_type": {"type": "str", "required": True, "choices": list(SPACE_TYPES), "aliases": ["source_type"]},
    "target": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "aliases": ["targets"],
        "options": {
            "type": {"type": "str", "required": True, "choices": list(SPACE_TYPES)},
            **{name: {"type": "int"} for name in CAPACITIES},
        },
        "mutually_exclusive": [CAPACITIES],
        "required_one_of": [CAPACITIES],
    },
    "origin_reserve": {"type": "int", "default": 0},
    "verify": {"type": "bool", "default": True},
    "verify_timeout": {"type": "int", "default": 30},
    **CONNECTION_SPEC,
}

#: Seconds between the first two looks at a transfer that does not show yet; each further pause is twice as long, up to the
#: longest.
FIRST_LOOK_AGAIN = 0.2
LONGEST_LOOK_AGAIN = 2.0


class Request(NamedTuple):
    """What a task asks for, valid."""

    origin_type: str
    targets: tuple[Target, ...]
    origin_reserve: int
    verify: bool
    verify_timeout: float


class Run(NamedTuple):
    """One run of a task: what is asked, over which session, and what is known so far."""

    request: Request
    koodrive: KooDrive
    known: dict[str, Any]


def transfer_capacity(options: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Make the pools what ``options`` ask for; the module's documentation describes options and result.

    In check mode nothing is sent but the read, and the result is the predicted one. Raises KooDriveError, of any kind.
    """
    request = request_from(options)
    connection = connection_from(options, environ)
    # Ten of the longest turns that others can take before it is this run's.
    wait = 10 * (connection.timeout + request.verify_timeout)
    with connection.session() as (koodrive, known), nullcontext() if check_mode else turn(connection.tenant, wait):
        known["origin_type"] = request.origin_type
        return {**known, **_transfer(Run(request, koodrive, known), check_mode)}


def request_from(options: Mapping[str, Any]) -> Request:
    """What the task asks for. Raises KooDriveError ``invalid_request``, naming the option."""
    origin_type = options["origin_type"]
    rows: Sequence[Mapping[str, Any]] = options["target"]
    types = [row["type"] for row in rows]
    if not types:
        raise invalid_request("target", "must not be empty")
    if origin_type in types:
        raise invalid_request("target", f"must not have the origin among its types: {origin_type}")
    for name in types:
        if types.count(name) > 1:
            raise invalid_request("target", f"must not have a type twice: {name}")
    return Request(
        origin_type=origin_type,
        targets=tuple(_target(row) for row in rows),
        origin_reserve=in_range(options, "origin_reserve", 0, MAX_CAPACITY),
        verify=options["verify"],
        verify_timeout=in_range(options, "verify_timeout", 0, 3600),
    )


def _target(row: Mapping[str, Any]) -> Target:
    measure = next(name for name in CAPACITIES if row.get(name) is not None)
    lowest = 1 if measure == "expand_capacity" else 0
    return Target(row["type"], measure, in_range(row, measure, lowest, MAX_CAPACITY, f" of the target {row['type']}"))


def _transfer(run: Run, check_mode: bool) -> dict[str, Any]:
    """The whole story of one run, from the first reading to the result."""
    plan = _plan(run, _read(run, "Reading the pools"))
    further_tries, wait = run.koodrive.retries, FIRST_WAIT
    while plan.transfers and not check_mode:
        failure = _write(run, plan)
        if failure is None:
            if not run.request.verify:
                return _result(plan, plan.after(), verified=False)
            return _result(plan, _verify(run, plan), verified=True)
        if failure.may_have_moved:
            return _result(plan, _decide(run, plan, failure), verified=True)
        if not failure.passing or further_tries <= 0:
            raise _not_processed(run, plan, failure) from failure
        run.koodrive.pause(failure, wait)
        further_tries, wait = further_tries - 1, wait * 2
        seen = _read(run, "Reading the pools again")
        if _shows_after_all(run, plan, failure, seen):
            return _result(plan, seen, verified=True)
        plan = _plan(run, seen)
    return _result(plan, plan.after(), verified=not plan.transfers)


def _read(run: Run, step: str, retries: int | None = None) -> Allocation:
    """The pools now. Raises ``invalid_reply`` when the reply lacks one that the task names: unknown is not zero."""
    seen = run.koodrive.read_allocation(step, retries)
    for name in (run.request.origin_type, *(target.type for target in run.request.targets)):
        if name not in seen:
            raise KooDriveError("invalid_reply", f"KooDrive did not report the {name} pool", step=step)
    run.known["allocation"] = as_result(seen)
    return seen


def _plan(run: Run, before: Allocation) -> Plan:
    run.known.update({"allocation_before": as_result(before), "transfers": []})
    request = run.request
    return plan_transfer(request.origin_type, request.targets, request.origin_reserve, before)


def _write(run: Run, plan: Plan) -> KooDriveError | None:
    """Send the transfer, once; why it failed, if it did."""
    run.known["transfers"] = _sent(plan)
    try:
        run.koodrive.transfer(plan.origin_type, plan.transfers, _step(plan))
    except KooDriveError as failure:
        return failure
    return None


def _step(plan: Plan) -> str:
    moves = " and ".join(f"{transfer.expand_capacity} GB to {transfer.type}" for transfer in plan.transfers)
    return f"Transferring {moves} from {plan.origin_type}"


def _sent(plan: Plan) -> list[dict[str, Any]]:
    return [{"type": transfer.type, "expand_capacity": transfer.expand_capacity} for transfer in plan.transfers]


def _shows_after_all(run: Run, plan: Plan, refusal: KooDriveError, seen: Allocation) -> bool:
    """Whether a write that was refused for its rate shows in the pools nevertheless, as when a proxy had sent it twice.

    Raises ``rate_limited`` where the pools changed in another way and the transfer adds to them: what is a desired state
    is planned anew, but nobody could tell whether to add again.
    """
    if refusal.kind != "rate_limited" or plan.unmoved(seen):
        return False
    if plan.moved_exactly(seen):
        run.koodrive.warnings.append(
            f"KooDrive answered the transfer with HTTP {refusal.http_status}, but the pools show exactly this transfer: it is"
            " taken for done and was not sent again."
        )
        return True
    if any(target.measure == "expand_capacity" for target in run.request.targets):
        refusal.what += ", and the pools have changed since"
        raise _failed(run, plan, seen, None, refusal, AGAIN)
    return False


def _look(run: Run, settled: Callable[[Allocation], bool]) -> tuple[Allocation | None, KooDriveError | None]:
    """Read until ``settled`` or the verify_timeout is over; the last reading, if any, and why the latest failed, if it did.

    The first look comes at once. The last one comes when the time is over, and is as patient as any other read; those
    before it are one request each.
    """
    deadline = time.monotonic() + run.request.verify_timeout
    pause = FIRST_LOOK_AGAIN
    seen: Allocation | None = None
    while True:
        is_last = time.monotonic() >= deadline
        trouble = None
        try:
            seen = _read(run, "Reading the pools after the transfer", retries=None if is_last else 0)
            if settled(seen):
                return seen, None
        except KooDriveError as error:
            trouble = error
        if is_last or (trouble is not None and trouble.kind in ("authentication", "rejected")):
            return seen, trouble
        asked_for = trouble.retry_after if trouble is not None else None
        time.sleep(max(0.0, min(max(pause, asked_for or 0.0), deadline - time.monotonic())))
        pause = min(2 * pause, LONGEST_LOOK_AGAIN)


def _last_look(run: Run, trouble: KooDriveError | None) -> str:
    """When the pools were read last: with ``trouble`` after that, nobody knows what they show at the end of the time."""
    return f"after {run.request.verify_timeout} seconds" if trouble is None else "when they were last read,"


def _verify(run: Run, plan: Plan) -> Allocation:
    """The pools as they show an accepted transfer. Raises ``not_verified`` when they do not in time."""
    seen, trouble = _look(run, lambda now: not plan.missing(now))
    if seen is not None and not plan.missing(seen):
        _warn_of_other_changes(run, plan, seen)
        return seen
    if seen is None:
        why = "the pools could not be read after it"
    else:
        lacks = " and ".join(f"{name} lacks {gigabytes} GB" for name, gigabytes in plan.missing(seen).items())
        why = f"{_last_look(run, trouble)} the pools do not show it: {lacks}"
    raise _failed(
        run, plan, seen, trouble, KooDriveError("not_verified", f"KooDrive accepted it, but {why}"), AGAIN
    )


def _decide(run: Run, plan: Plan, lost: KooDriveError) -> Allocation:
    """The pools after a write that KooDrive may or may not have processed, if they show that it is done.

    ``lost`` says why that is not known. Raises ``outcome_unknown``, or ``server_error`` when KooDrive answered with that
    and the pools have not changed.
    """
    seen, trouble = _look(run, lambda now: not plan.unmoved(now) and not plan.missing(now))
    if seen is not None and not plan.unmoved(seen) and not plan.missing(seen):
        run.koodrive.warnings.append(
            f"The reply to the transfer was lost ({lost.what}). The pools show "
            + ("exactly this transfer." if plan.moved_exactly(seen) else "what was asked for, but not by this transfer alone.")
        )
        _warn_of_other_changes(run, plan, seen)
        return seen
    kind = "outcome_unknown"
    if seen is None:
        why = "and the pools could not be read after it"
    elif plan.unmoved(seen):
        why = f"and {_last_look(run, trouble)} the pools show no change; the capacity may still move"
        kind = lost.kind if lost.kind == "server_error" else kind
    else:
        why = f"and {_last_look(run, trouble)} the pools show another change than this transfer"
    raise _failed(
        run,
        plan,
        seen,
        trouble,
        KooDriveError(
            kind, f"{lost.what}, {why}", http_status=lost.http_status, code=lost.code, message=lost.message
        ),
        AGAIN,
    )


def _not_processed(run: Run, plan: Plan, refusal: KooDriveError) -> KooDriveError:
    """The error for a write that KooDrive refused, or that never reached it, with what the pools hold now."""
    seen: Allocation | None = plan.before
    if refusal.http_status is not None:
        try:
            seen = _read(run, "Reading the pools after the refusal")
        except KooDriveError:
            seen = None
    if seen is not None and plan.moved_exactly(seen):
        advice = f"Yet the pools show exactly this transfer, by another writer or by a request sent twice on its way. {AGAIN}"
    else:
        advice = f"This task moved nothing. {refusal.advice}"
    return _failed(run, plan, seen, None, refusal, advice)


AGAIN = (
    "Look at the pools before running again: a run with total_capacity or unallocated_capacity starts from what it then"
    " reads, one with expand_capacity would add again."
)


def _failed(
    run: Run, plan: Plan, seen: Allocation | None, trouble: KooDriveError | None, error: KooDriveError, advice: str
) -> KooDriveError:
    """``error`` as the end of the write that ``plan`` describes: what the pools held and hold, and what to do."""
    error.step = _step(plan)
    before = f"Before: {as_sentence(plan.before)}."
    now = f"Now: {as_sentence(seen)}." if seen is not None else "What they hold now is not known."
    unread = f"The latest reading failed: {trouble.what}." if trouble is not None else ""
    error.advice = " ".join(sentence for sentence in (before, now, unread, advice) if sentence)
    error.known["changed"] = seen is not None and not plan.unmoved(seen)
    if seen is None:
        run.known.pop("allocation", None)
    return error


def _warn_of_other_changes(run: Run, plan: Plan, seen: Allocation) -> None:
    changes = ", ".join(f"{name} {gigabytes:+d} GB" for name, gigabytes in plan.other_changes(seen).items())
    if changes:
        run.koodrive.warnings.append(f"The pools changed otherwise, too, during the transfer: {changes}. Is there another writer?")


def _result(plan: Plan, after: Allocation, verified: bool) -> dict[str, Any]:
    """The one shape of a result: in check mode, when nothing was to do, and when capacity moved."""
    return {
        "changed": bool(plan.transfers),
        "transfers": _sent(plan),
        "allocation": as_result(after),
        "allocation_before": as_result(plan.before),
        "verified": verified,
        "diff": {"before": _lines(plan.before), "after": _lines(after)},
    }


def _lines(allocation: Allocation) -> str:
    """The pools as ``--diff`` shows them, a line each."""
    return "".join(
        f"{name}: {pool.total_capacity} GB total, {pool.unallocated_capacity} GB unallocated\n"
        for name, pool in in_order(allocation).items()
    )
