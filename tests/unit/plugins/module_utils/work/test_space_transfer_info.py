# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the list of the ledger's transfers as a function, with a real ledger and over real HTTP."""

from __future__ import annotations

import sqlite3
import time
from calendar import timegm
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import DONE, GIVEN_UP, NOT_DONE, OPEN, STATES, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import RECORDS, LocalStore
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move, Pool
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import outcome_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer_info import TRANSFER_INFO_SPEC, transfer_info
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Refused
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests, options_of

ADDITION = {"type": "group", "expand_capacity": 100}
RECORD = Record(
    tenant="t",
    origin_type="department",
    moves=(Move("group", 100),),
    before={"group": Pool(500, 500), "department": Pool(2000, 400)},
    read_call="allocation",
    writer="somebody@somewhere",
    trace_id="t" * 58,
    sequence=1,
    begun_at=0.0,
    busy_until=0.0,
    settle_time=900.0,
)


def info(koodrive: KooDriveForTests, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    given = {"endpoint": koodrive.endpoint, "token": TOKEN, "timeout": 5, "retries": 0, "ledger": koodrive.ledger, **options}
    return outcome_of(partial(transfer_info, environ={}), options_of(TRANSFER_INFO_SPEC, **given), check_mode)


def listed(koodrive: KooDriveForTests, **options: Any) -> list[str]:
    """Return the writers of the listed transfers."""
    return [transfer["writer"] for transfer in info(koodrive, **options)["transfers"]]


def write(koodrive: KooDriveForTests, *states: str, **fields: Any) -> None:
    """Append a transfer for each of ``states``, the open one last. The writer of each is named after its state."""
    with closing(LocalStore(koodrive.ledger)) as store:
        for state in states:
            record = RECORD._replace(writer=state, begun_at=time.time(), **fields)
            newest = store.newest(record.tenant)
            record = record._replace(sequence=1 if newest is None else newest.sequence + 1)
            assert store.append(record)
            if state != OPEN:
                store.end(record, state, time.time())


def test_the_total_and_the_latest_cover_all_transfers(koodrive: KooDriveForTests) -> None:
    assert [info(koodrive)[name] for name in ("total", "latest")] == [0, None]
    write(koodrive, DONE, NOT_DONE, GIVEN_UP, tenant="another")
    write(koodrive, DONE, NOT_DONE, OPEN)
    for options in ({}, {"limit": 1}, {"state": ["done"]}, {"since": "2100-01-01"}):
        listing = info(koodrive, tenant="t", **options)
        assert listing["total"] == 3 and listing["latest"] == info(koodrive, tenant="t", state=["open"])["transfers"][0]
    assert listing["transfers"] == []


def write_at(koodrive: KooDriveForTests, *moments: float) -> None:
    """Append a transfer for each of ``moments``, in seconds since 1970."""
    for moment in moments:
        write(koodrive, DONE)
        with closing(sqlite3.connect(Path(koodrive.ledger, RECORDS), isolation_level=None)) as database:
            database.execute("UPDATE koodrive_transfers SET begun_at = ?, writer = ? WHERE writer = ?", (moment, str(moment), DONE))


def test_transfers_are_listed_newest_first_with_all_fields(koodrive: KooDriveForTests) -> None:
    before = int(time.time())
    first = koodrive.run(ADDITION, idempotency_key="A-1071")
    second = koodrive.run({"type": "group", "total_capacity": 650}, {"type": "individual", "total_capacity": 1001})
    listing = info(koodrive, trace_id="i" * 58)
    (newest, oldest) = listing["transfers"]
    assert oldest == {
        "state": "done",
        "time": oldest["time"],
        "ended": oldest["ended"],
        "writer": oldest["writer"],
        "origin_type": "department",
        "target": [ADDITION],
        "allocation_before": first["allocation_before"],
        "trace_id": first["trace_id"],
        "idempotency_key": "A-1071",
    }
    began, ended = (timegm(time.strptime(oldest[name], "%Y-%m-%dT%H:%M:%SZ")) for name in ("time", "ended"))
    assert before <= began <= ended <= time.time() and "@" in oldest["writer"]
    assert newest["trace_id"] == second["trace_id"] and newest["target"] == second["transfers"] and newest["idempotency_key"] is None
    assert {name: listing[name] for name in ("changed", "endpoint", "trace_id", "tenant", "warnings")} == {
        "changed": False,
        "endpoint": koodrive.endpoint,
        "trace_id": "i" * 58,
        "tenant": "tenant-1",
        "warnings": [],
    }


def test_a_listed_transfer_can_be_the_input_of_a_task(koodrive: KooDriveForTests) -> None:
    koodrive.run(ADDITION)
    (transfer,) = info(koodrive)["transfers"]
    assert koodrive.run(*transfer["target"], origin_type=transfer["origin_type"])["transfers"] == [ADDITION]


def test_an_open_transfer_is_listed_as_open_however_old(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure(ADDITION, verify_timeout=0)
    with closing(sqlite3.connect(Path(koodrive.ledger, RECORDS), isolation_level=None)) as database:
        database.execute("UPDATE koodrive_transfers SET begun_at = 0")
    (transfer,) = info(koodrive)["transfers"]
    assert (transfer["state"], transfer["time"], transfer["ended"]) == ("open", "1970-01-01T00:00:00Z", None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [OPEN, GIVEN_UP, NOT_DONE, DONE]),
        ({"state": []}, [OPEN, GIVEN_UP, NOT_DONE, DONE]),
        ({"state": [OPEN]}, [OPEN]),
        ({"state": [DONE, NOT_DONE]}, [NOT_DONE, DONE]),
        ({"state": [GIVEN_UP, GIVEN_UP]}, [GIVEN_UP]),
        ({"limit": 2}, [OPEN, GIVEN_UP]),
        ({"state": [DONE, GIVEN_UP], "limit": 1}, [GIVEN_UP]),
        ({"limit": 10000, "since": "2000-01-01"}, [OPEN, GIVEN_UP, NOT_DONE, DONE]),
        ({"since": "2999-01-01"}, []),
    ],
)
def test_the_options_select_the_listed_transfers(koodrive: KooDriveForTests, options: dict[str, Any], expected: list[str]) -> None:
    write(koodrive, DONE, NOT_DONE, GIVEN_UP, OPEN)
    assert listed(koodrive, tenant="t", **options) == expected
    assert set(STATES) == set(listed(koodrive, tenant="t"))


def test_fifty_transfers_are_listed_by_default(koodrive: KooDriveForTests) -> None:
    write(koodrive, *([DONE] * 51))
    assert len(listed(koodrive, tenant="t")) == 50


#: 2026-11-25 14:00:00 UTC.
TWO = 1795615200.0


@pytest.mark.parametrize(
    ("since", "earliest"),
    [
        ("2026-11-25T14:00:00Z", TWO),
        ("2026-11-25T14:00:00", TWO),
        ("2026-11-25T14:00", TWO),
        ("2026-11-25 14:00:00", TWO),
        ("2026-11-25 14:00:00 UTC", TWO),
        ("2026-11-25 14:00:00+00:00", TWO),
        ("2026-11-25t14:00:00z", TWO),
        (" 2026-11-25T15:00:00+01:00\n", TWO),
        ("2026-11-25T15:00+0100", TWO),
        ("2026-11-25T15+01", None),
        ("2026-11-25T15:00+01", TWO),
        ("2026-11-25T03:30:00-10:30", TWO),
        ("2026-11-25T14:00:00.999999Z", TWO),
        ("2026-11-25T14:00:01Z", TWO + 1),
        ("2026-11-25", TWO - 14 * 3600),
        ("2026-11-26", TWO + 10 * 3600),
        ("0001-01-01T00:00:00+14:00", 0.0),
        ("9999-12-31T23:59:59-14:00", 1e11),
    ],
)
def test_since_is_a_date_or_a_time(koodrive: KooDriveForTests, since: str, earliest: float | None) -> None:
    moments = [0.0, TWO - 14 * 3600 - 0.1, TWO - 14 * 3600, TWO - 0.1, TWO, TWO + 0.5, TWO + 1, TWO + 10 * 3600]
    write_at(koodrive, *moments)
    outcome = info(koodrive, tenant="t", since=since)
    if earliest is None:
        assert outcome["error"]["kind"] == "invalid_request"
    else:
        assert [row["writer"] for row in outcome["transfers"]] == [str(moment) for moment in reversed(moments) if moment >= earliest]


def test_a_time_that_is_listed_can_be_asked_for(koodrive: KooDriveForTests) -> None:
    write_at(koodrive, TWO + 0.9)
    (transfer,) = info(koodrive, tenant="t")["transfers"]
    assert info(koodrive, tenant="t", since=transfer["time"])["transfers"] == [transfer]


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (
            "since",
            [
                *("yesterday", "25.11.2026", "2026-11", "2026-11-31", "2026-13-01", "20261125", "2026-W48-3", "1795615200", "-1", "2026-11-25Z"),
                *("2026-11-25T", "2026-11-25T24:00", "2026-11-25T14:60", "2026-11-25T14:00:60", "2026-11-25T14:00 CET", "2026-11-25T14:00+99:00"),
                *("2026-11-25T14:00+01:99", "0000-01-01", "٢٠٢٦-11-25", "2026-11-25\n2026-11-26", "2026-11-25; DROP TABLE koodrive_transfers"),
            ],
        ),
        ("limit", [0, -1, 10001, True]),
        ("ledger", ["ledger", "./ledger", "mysql://db/ledger"]),
        ("tenant", ["x" * 256, "a\nb"]),
    ],
)
def test_an_invalid_option_is_refused_by_name(koodrive: KooDriveForTests, option: str, values: list[Any]) -> None:
    for value in values:
        refused = info(koodrive, **{option: value})
        assert refused["failed"] is True and refused["error"]["kind"] == "invalid_request", value
        assert refused["msg"].startswith(f"{option} must be "), value
    assert koodrive.state.asked_for_tenant == 0 and koodrive.methods() == []


def test_the_only_request_asks_for_the_tenant(koodrive: KooDriveForTests) -> None:
    for _again in range(2):
        assert info(koodrive)["transfers"] == []
    # The ledger is unchanged: not even the tenant of the credentials is stored.
    assert koodrive.state.asked_for_tenant == 2 and koodrive.methods() == []
    assert list(Path(koodrive.ledger).iterdir()) == []
    assert info(koodrive, tenant="t")["tenant"] == "t" and koodrive.state.asked_for_tenant == 2


def test_a_remembered_tenant_is_not_asked_for(koodrive: KooDriveForTests) -> None:
    koodrive.run(ADDITION)
    requests = koodrive.methods()
    assert len(info(koodrive)["transfers"]) == 1
    assert koodrive.state.asked_for_tenant == 1 and koodrive.methods() == requests


@pytest.mark.parametrize("check_mode", [True, False])
def test_nothing_is_written(koodrive: KooDriveForTests, check_mode: bool) -> None:
    write(koodrive, DONE, OPEN)
    files = {path.name: path.read_bytes() for path in Path(koodrive.ledger).iterdir()}
    assert len(info(koodrive, check_mode, tenant="t")["transfers"]) == 2
    assert {path.name: path.read_bytes() for path in Path(koodrive.ledger).iterdir()} == files


def test_another_tenant_is_not_listed(koodrive: KooDriveForTests) -> None:
    write(koodrive, DONE, tenant="another")
    assert listed(koodrive, tenant="t") == [] and listed(koodrive, tenant="another") == [DONE]


def test_two_credentials_of_one_tenant_see_the_same(koodrive: KooDriveForTests) -> None:
    koodrive.run(ADDITION)
    assert info(koodrive, **koodrive.app)["transfers"] == info(koodrive)["transfers"] != []


def test_a_run_without_the_option_asks_for_the_tenant(koodrive: KooDriveForTests) -> None:
    koodrive.state.tenant_id = None
    failed = info(koodrive)
    assert failed["error"]["kind"] == "invalid_request" and "Set tenant" in failed["msg"]


def test_refused_credentials_do_not_make_the_ledger_look_empty(koodrive: KooDriveForTests) -> None:
    koodrive.run(ADDITION)
    refused = info(koodrive, token="expired")
    assert refused["error"]["kind"] == "authentication" and refused["msg"].startswith("Asking for the tenant failed")
    assert refused["endpoint"] == koodrive.endpoint and refused["trace_id"] in refused["msg"]


def test_credentials_without_the_right_to_this_call_need_the_option(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_request: object, _body: bytes) -> None:
        raise Refused(403, "APIGW.0301", "Not allowed")

    monkeypatch.setattr(koodrive, "_check", refuse)
    assert "Set tenant" in info(koodrive)["msg"]


def test_a_call_that_koodrive_does_not_know_leaves_the_credentials(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_request: object, _body: bytes) -> None:
        raise Refused(404, "APIGW.0101", "The API does not exist")

    monkeypatch.setattr(koodrive, "_check", refuse)
    assert "Set tenant" in info(koodrive)["msg"] and koodrive.state.asked_for_tenant == 1


def test_an_unreachable_koodrive_is_a_failure_of_the_usual_shape(koodrive: KooDriveForTests) -> None:
    failed = info(koodrive, endpoint="http://127.0.0.1:9")
    assert failed["error"]["kind"] == "unreachable" and failed["changed"] is False and failed["trace_id"] in failed["msg"]


def test_a_ledger_that_cannot_be_used_fails_before_any_request(koodrive: KooDriveForTests) -> None:
    Path(koodrive.ledger, RECORDS).write_bytes(b"no database at all" * 1000)
    failed = info(koodrive)
    assert failed["error"]["kind"] == "ledger_unavailable" and failed["endpoint"] == koodrive.endpoint and failed["trace_id"] in failed["msg"]
    assert koodrive.state.asked_for_tenant == 0


def test_a_ledger_that_cannot_be_seen_is_not_an_empty_one(koodrive: KooDriveForTests) -> None:
    file = Path(koodrive.ledger, "file")
    file.touch()
    loop = Path(koodrive.ledger, "loop")
    loop.symlink_to(loop)
    for place in (file, loop, Path(koodrive.ledger, "nowhere", "ledger")):
        failed = info(koodrive, ledger=str(place))
        assert failed["error"]["kind"] == "ledger_unavailable" and str(place) in failed["msg"]
    assert info(koodrive, ledger=str(Path(koodrive.ledger, "new")))["transfers"] == []
