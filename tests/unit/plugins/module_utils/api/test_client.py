# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the client: its requests, its pauses, its messages and its connection."""

from __future__ import annotations

import gc
import itertools
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client, waiting, wire
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import Reply
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import Move
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import CONNECTION_SPEC, connection_from
from ansible_collections.huaweicloud.koodrive.tests.simulator.certificates import server_context
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests, options_of

GROUP = {"type": "group", "total_capacity": 600}


@pytest.fixture(name="clients")
def fixture_clients(monkeypatch: pytest.MonkeyPatch) -> list[wire.Http]:
    """Return the HTTP clients of all runs. The list holds them, so the garbage collector closes none."""
    made: list[wire.Http] = []

    class Http(wire.Http):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(client, "Http", Http)
    return made


ENDS = {
    "success": [],
    "a failed read": [Fault(reply="not-json")],
    "a refused write": [Fault(), Fault(reply="status", status=403)],
    "a lost reply": [Fault(), Fault(reply="reset")],
    "a reply that never arrives": [Fault(), Fault(reply="hang")],
    "a reply that is too long": [Fault(), Fault(reply="oversized")],
    "a reply without an end": [Fault(), Fault(reply="endless")],
    "a redirect": [Fault(), Fault(reply="redirect-endless")],
    "a reading without an end after the transfer": [Fault(), Fault(), *4 * [Fault(reply="endless")]],
}


@pytest.fixture(name="no_gc")
def fixture_no_gc() -> Iterator[None]:
    """Keep the garbage collector from closing what the code left open."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("faults", ENDS.values(), ids=ENDS)
def test_the_connection_is_closed_after_every_run(koodrive: KooDriveForTests, clients: list[wire.Http], faults: list[Fault]) -> None:
    koodrive.script(*faults)
    koodrive.outcome(GROUP, timeout=1)
    koodrive.settle(patience=5)
    assert len(clients) == 1 and koodrive.connections() == 0


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("reply", ["oversized", "endless", "redirect-endless", "hang", "not-json"])
def test_an_error_that_is_kept_holds_no_connection(koodrive: KooDriveForTests, reply: str) -> None:
    koodrive.script(Fault(reply=reply))
    connection = connection_from(options_of(CONNECTION_SPEC, endpoint=koodrive.endpoint, token=TOKEN, timeout=1, retries=0), {})
    # Count descriptors: the server cannot see a connection that this process shut down and did not close.
    before = psutil.Process().num_fds()
    with client.KooDrive(connection, []) as reader, pytest.raises(KooDriveError) as kept:
        reader.read_pools("Reading the pools")
    koodrive.settle(patience=5)
    end = time.monotonic() + 5
    while psutil.Process().num_fds() > before and time.monotonic() < end:  # The server closes its own a moment later.
        time.sleep(0.01)
    assert psutil.Process().num_fds() == before and kept.tb is not None


def test_disabled_checks_of_certificates_cause_no_warning(tmp_path: Path) -> None:
    with KooDriveForTests(new_state(TOKEN), tls=server_context(tmp_path / "ca.pem")) as koodrive, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", urllib3.exceptions.InsecureRequestWarning)
        assert koodrive.run(GROUP, validate_certs=False)["changed"]
    assert [warning for warning in seen if warning.category is urllib3.exceptions.InsecureRequestWarning] == []


def test_the_pauses_of_a_read_begin_with_the_first_one(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting.time.sleep", slept.append)
    koodrive.script(*[Fault(reply="status", status=503)] * 3)
    assert koodrive.run(GROUP, retries=3)["changed"]
    for pause, most in zip(slept, (0.5, 1, 2)):
        assert most / 2 <= pause <= most


def test_a_pause_that_koodrive_asks_for_is_no_longer_than_a_request_may_take(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting.time.sleep", slept.append)
    koodrive.script(*[Fault(reply="status", status=429, retry_after=seconds) for seconds in ("2", "3600")])
    assert koodrive.run(GROUP, retries=2, timeout=5)["changed"] and slept == [2, 5]


def test_not_one_byte_is_sent_of_a_request_that_is_stopped() -> None:
    def stop() -> None:
        raise KooDriveError("busy", "too late")

    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        connection = connection_from(options_of(CONNECTION_SPEC, endpoint=endpoint, token=TOKEN, timeout=5, retries=0), {})
        with client.KooDrive(connection, []) as writer, pytest.raises(KooDriveError, match="too late"):
            writer.transfer("department", [Move("group", 1)], "Transferring", 0.0, stop)
        assert not writer.may_have_sent
        received, _address = server.accept()
        with received:
            assert received.recv(1) == b""


def test_a_reading_is_older_than_its_date_by_the_length_of_the_exchange(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    three_seconds_each = itertools.count(0, 3)
    monkeypatch.setattr(client, "seconds_since_boot", lambda: next(three_seconds_each))
    monkeypatch.setattr(koodrive.state.credentials, "now", lambda: 1_000_000.0)
    connection = connection_from(options_of(CONNECTION_SPEC, endpoint=koodrive.endpoint, token=TOKEN), {})
    with client.KooDrive(connection, []) as reader:
        reader.read_pools("Reading the pools")
    # A Date has whole seconds, so it may be a second early, too.
    assert reader.read_at == 1_000_000 - 3 - 1


def test_a_reading_without_a_date_is_as_old_as_the_latest_date_says(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(client, "seconds_since_boot", lambda: now[0])
    connection = connection_from(options_of(CONNECTION_SPEC, endpoint=koodrive.endpoint, token=TOKEN), {})
    with client.KooDrive(connection, []) as reader:
        reader._note_time(Reply(200, {}, b""), 99)
        assert reader.read_at is reader.now() is None
        reader._note_time(Reply(200, {"Date": "Thu, 01 Jan 1970 00:10:00 GMT"}, b""), 99)
        assert reader.read_at == 600 - 1 - 1
        now[0] = 170
        reader._note_time(Reply(200, {}, b""), 160)
        assert (reader.read_at, reader.now()) == (660, 670)


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, _at_most: float, asked_for: float | None = None) -> None:
        """Let the time of a pause pass."""
        self.seconds += asked_for or 0.0


def read(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[list[str], str]:
    """Read the pools, and return what the client said meanwhile, with the error of the reading, if it failed."""
    said: list[str] = []
    clock = Clock()
    monkeypatch.setattr(client, "time", clock)
    monkeypatch.setattr(waiting.Pauses, "wait", lambda _pauses, *args: clock.wait(*args))
    connection = connection_from(options_of(CONNECTION_SPEC, endpoint=koodrive.endpoint, token=TOKEN, **options), {})
    with client.KooDrive(connection, [], waiting.Caller(say=said.append)) as reader:
        try:
            reader.read_pools("Reading the pools")
        except KooDriveError as error:
            return said, error.what
    return said, ""


@pytest.mark.parametrize(("seconds", "numbers"), [("3", [3, 5]), ("5", [2, 3, 4, 5])])
def test_a_read_that_waits_long_says_why_after_five_seconds_of_silence(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, seconds: str, numbers: list[int]
) -> None:
    koodrive.script(*[Fault(reply="status", status=503, retry_after=seconds)] * 6)
    said, error = read(koodrive, monkeypatch, retries=5)
    busy = "KooDrive could not handle the request (HTTP 503)"
    assert said == [f"Reading the pools failed (try {number} of 6): {busy}. Trying again." for number in numbers]
    assert error == f"{busy}, after 6 tries"


def test_a_read_that_waits_for_a_moment_says_nothing(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    koodrive.script(*[Fault(reply="status", status=503, retry_after="1")] * 5)
    assert read(koodrive, monkeypatch, retries=5) == ([], "")


def test_the_error_of_a_single_try_has_no_number(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    koodrive.script(Fault(reply="status", status=503))
    assert read(koodrive, monkeypatch, retries=0) == ([], "KooDrive could not handle the request (HTTP 503)")
    koodrive.script(Fault(reply="status", status=503), Fault(reply="status", status=401))
    assert "after" not in read(koodrive, monkeypatch, retries=1)[1]


def test_what_a_read_says_while_it_waits_has_no_secret(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    echo = b"HTTP/1.1 503 Busy\r\nRetry-After: 6\r\nConnection: close\r\nContent-Length: 23\r\n\r\nYou sent " + TOKEN[:14].encode()
    koodrive.script(*[Fault(reply="raw", raw=echo)] * 3)
    said, error = read(koodrive, monkeypatch, retries=2)
    for text in (*said, error):
        assert "You sent ********" in text and TOKEN[:14] not in text
    assert len(said) == 1


def test_the_reply_after_an_interim_reply_does_not_count_for_the_next_request() -> None:
    body = b'{"code": 0, "data": [{"type": 2, "totalCapacity": 600, "allocateCapacity": 500}]}'
    final = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def serve(server: socket.socket) -> None:
        for replies in ((b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"), (final,)):
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                for reply in replies:
                    connection.sendall(reply)
                    time.sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        connection = connection_from(options_of(CONNECTION_SPEC, endpoint=endpoint, token=TOKEN, timeout=5, retries=0))
        with client.KooDrive(connection, []) as reader:
            with pytest.raises(KooDriveError, match="HTTP 103"):
                reader.read_pools("Reading")
            assert reader.read_pools("Reading")["group"].total_capacity == 600


@pytest.mark.parametrize("needed", [["group", "department"], ["department", "group"]])
def test_of_several_missing_pools_an_error_names_the_same_one_each_time(koodrive: KooDriveForTests, needed: list[str]) -> None:
    body = b'{"code": 0, "data": [{"type": 1, "totalCapacity": 600, "allocateCapacity": 500}]}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    koodrive.script(Fault(reply="raw", raw=reply, close=True), Fault(reply="status", status=400))
    connection = connection_from(options_of(CONNECTION_SPEC, endpoint=koodrive.endpoint, token=TOKEN, retries=0))
    with client.KooDrive(connection, []) as reader, pytest.raises(KooDriveError, match="did not report the department pool"):
        reader.read_pools("Reading", needed)
