# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test when a record is resolved, to the moment, and to which state."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, GIVEN_UP, NOT_DONE, OPEN, WRONG_CLOCK, Record, state_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Allocation, Pool
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import RECORD

EXACTLY: Allocation = {"department": Pool(1893, 400), "group": Pool(600, 500), "individual": Pool(17, 20)}
#: Consistent with the transfer: the origin gave at least as much, and each target has at least that much more.
MORE: Allocation = {"department": Pool(1800, 400), "group": Pool(693, 500), "individual": Pool(17, 20)}
OTHERWISE: Allocation = {"department": Pool(2000, 400), "group": Pool(600, 500), "individual": Pool(10, 20)}
NO_KEY = RECORD._replace(idempotency_key=None)
#: The end of the settle_time.
END = RECORD.begun_at + RECORD.settle_time


def test_a_record_in_words_has_its_time_in_utc() -> None:
    record = RECORD._replace(begun_at=60.0, writer="root@here")
    assert record.in_words().endswith(f", begun 1970-01-01 00:01:00 UTC by root@here (trace ID {RECORD.trace_id})")


def test_a_writer_is_busy_up_to_the_moment() -> None:
    assert RECORD.is_busy(RECORD.busy_until - 0.001, 900)
    assert not RECORD.is_busy(RECORD.busy_until, 900)


def test_a_settle_time_of_0_overrules_a_record_from_the_future_only() -> None:
    future = RECORD.begun_at - WRONG_CLOCK
    assert RECORD.is_busy(future, 0) and not RECORD.is_busy(future - 0.001, 0)
    assert RECORD.is_busy(future - 0.001, 900)


@pytest.mark.parametrize(
    ("settle_time", "busy_for", "resolvable_after"), [(900, 75, 3600), (7200, 75, 7200), (0, 75, 75), (0, -1, 0), (900, 5000, 5000)], ids=str
)
def test_the_longest_time_counts_unless_it_is_0(settle_time: int, busy_for: int, resolvable_after: int) -> None:
    record = RECORD._replace(busy_until=RECORD.begun_at + busy_for)
    assert record.resolvable_at(settle_time) == RECORD.begun_at + resolvable_after


@pytest.mark.parametrize("record", [RECORD, NO_KEY], ids=["key", "no key"])
@pytest.mark.parametrize(
    ("pools", "accepted", "early", "late"),
    [
        (EXACTLY, False, DONE, DONE),
        (EXACTLY, True, DONE, DONE),
        (MORE, False, OPEN, GIVEN_UP),
        (MORE, True, DONE, DONE),
        (RECORD.before, False, OPEN, NOT_DONE),
        (OTHERWISE, False, OPEN, GIVEN_UP),
    ],
)
def test_the_pools_decide(record: Record, pools: Allocation, accepted: bool, early: str, late: str) -> None:
    record = record._replace(accepted=accepted)
    assert state_of(record, pools, "allocation", END - 0.001, 900) == early
    assert state_of(record, pools, "allocation", END, 900) == late


@pytest.mark.parametrize(("pools", "without_key"), [(RECORD.before, NOT_DONE), (OTHERWISE, DONE)])
def test_an_accepted_transfer_that_does_not_show_is_never_repeated_by_its_key(pools: Allocation, without_key: str) -> None:
    for record, state in ((RECORD, GIVEN_UP), (NO_KEY, without_key)):
        assert state_of(record._replace(accepted=True), pools, "allocation", END - 0.001, 900) == OPEN
        assert state_of(record._replace(accepted=True), pools, "allocation", END, 900) == state


def test_pools_of_another_read_call_show_nothing() -> None:
    for pools, read_call in ((EXACTLY, "quota"), ({"group": EXACTLY["group"]}, "allocation")):
        assert state_of(RECORD, pools, read_call, END - 0.001, 900) == OPEN
        assert state_of(RECORD, pools, read_call, END, 900) == GIVEN_UP


def test_a_settle_time_of_0_waits_for_a_busy_writer_only() -> None:
    assert state_of(RECORD, RECORD.before, "allocation", RECORD.busy_until - 0.001, 0) == OPEN
    assert state_of(RECORD, RECORD.before, "allocation", RECORD.busy_until, 0) == NOT_DONE
