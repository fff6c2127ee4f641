# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test that every reply ends in a right result or in a typed error."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import APP, TOKEN, KooDriveForTests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

texts = st.text(max_size=20) | st.sampled_from([TOKEN, "Bearer " + TOKEN, APP.secret, "\x1b[2J", "0", "13000311", "\ud800"])
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | texts
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
numbers = st.integers(-1, 5000) | st.integers(0, 5000).map(str) | scalars
rows = st.fixed_dictionaries({}, optional={"type": st.integers(0, 3) | numbers, "totalCapacity": numbers, "allocateCapacity": numbers})
replies = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from([0, "0", 13000311, "13000102", "APIGW.0301"]) | anything,
        "msg": texts | anything,
        "data": st.lists(rows, max_size=4) | rows | anything,
    },
)
bodies = st.one_of(replies.map(lambda value: json.dumps(value).encode()), anything.map(lambda value: json.dumps(value).encode()), st.binary())
headers = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 5",
            b"Content-Length: -1",
            b"Content-Length: 99999999999999999999",
            "Content-Length: \u0665".encode(),
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip",
            b"Retry-After: soon",
            b"Retry-After: 0",
            b"Retry-After: Fri, 99 Foo 99999 99:99:99 GMT",
            b"Date: Thu, 01 Jan 1970 00:00:00 GMT",
            b"Date: Fri, 31 Dec 9999 23:59:59 -2359",
            b"Date: \xff",
            b"Location: https://elsewhere.example.org",
            b"Set-Cookie: a=b",
            b"no header at all",
            b"X: " + b"y" * 70000,
        ]
    ),
    max_size=3,
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 304, 400, 401, 403, 404, 408, 429, 500, 502, 503]) | st.integers(100, 999)


@st.composite
def http(draw: st.DrawFn) -> bytes:
    head = f"HTTP/1.1 {draw(statuses)} Status".encode()
    return b"\r\n".join([head, *draw(headers), b"", draw(bodies)])


whole = bodies.map(lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
raws = st.one_of(http(), whole, st.binary())
thousand = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
kinds = set(ADVICE) - {"invalid_request"}


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)


def outcome(koodrive: KooDriveForTests, app: bool, **options: Any) -> dict[str, Any]:
    """Return the result of a run, after checks that it has no secrets and can be shown."""
    koodrive.state.requests, koodrive.state.applied, koodrive.state.lag = [], [], 0
    koodrive.state.tenant = Tenant({name: {"total": 2000, "allocated": 500} for name in ("department", "individual", "group")})
    task = {"tenant": str(uuid.uuid4()), **(koodrive.app if app else {}), **options}
    result = koodrive.outcome({"type": "group", "total_capacity": 2100}, **task)
    if "failed" in result:
        assert result["error"]["kind"] in kinds
    shown = json.dumps(result, ensure_ascii=False)
    shown.encode("utf-8")
    assert (APP.secret if app else TOKEN) not in shown and "\x1b" not in shown
    return result


@pytest.mark.parametrize("app", [False, True])
@thousand
@given(raw=raws)
def test_any_reply_to_the_read(koodrive: KooDriveForTests, app: bool, raw: bytes) -> None:
    koodrive.script(*[Fault(reply="raw", raw=raw)] * 4)
    result = outcome(koodrive, app, check_mode=True)
    assert koodrive.state.applied == [] and "POST" not in koodrive.methods()
    if "error" not in result:
        reply = json.loads(raw[raw.index(b"\r\n\r\n") + 4 :].split(b"\r\n")[-1]) if b"chunked" not in raw else {}
        totals = {str(row["type"]): int(row["totalCapacity"]) for row in reply.get("data", [])}
        assert result["allocation_before"]["group"]["total_capacity"] == totals["2"]


@thousand
@given(raw=raws, done=st.booleans())
def test_any_reply_to_the_write(koodrive: KooDriveForTests, raw: bytes, done: bool) -> None:
    koodrive.script(Fault(), Fault(apply="yes" if done else "no", reply="raw", raw=raw))
    result = outcome(koodrive, app=False, verify_timeout=0, retries=1)
    moved = koodrive.totals()["group"] == 2100
    assert len(koodrive.state.applied) == moved
    # After a 429 it may be sent again, and then meets no fault.
    assert koodrive.methods().count("POST") == 1 or b" 429 " in raw
    if "error" in result:
        assert result["changed"] == moved
        if moved:
            assert result["error"]["kind"] in ("authentication", "insufficient_capacity", "rejected")
    else:
        assert moved and result["changed"] and result["allocation"]["group"]["total_capacity"] == 2100
