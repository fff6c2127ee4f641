# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the event source as a coroutine, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.huaweicloud.koodrive.extensions.eda.plugins.event_source import capacity
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import wire
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.capacity_watch import WATCHED
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Shape
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import APP, TOKEN, KooDriveForTests

#: An exception in a thread fails the test.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
#: In seconds. A test that waits longer fails.
PATIENCE = 20.0
LOW = {"department": {"total": 2000, "allocated": 400}, "individual": {"total": 1000, "allocated": 900}, "group": {"total": 500, "allocated": 470}}


class Source:
    """A running source, and its events."""

    def __init__(self, task: asyncio.Task[None], queue: asyncio.Queue[dict[str, Any]]) -> None:
        self.task = task
        self._queue = queue

    async def event(self) -> dict[str, Any]:
        """Return the next event."""
        async with asyncio.timeout(PATIENCE):
            return (await self._queue.get())["koodrive"]

    def is_silent(self) -> bool:
        return self._queue.empty() and not self.task.done()


@asynccontextmanager
async def started(koodrive: KooDriveForTests, **options: Any) -> AsyncIterator[Source]:
    """Run a source that watches ``koodrive``, until the end of the context."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(capacity.main(queue, {"endpoint": koodrive.endpoint, "token": TOKEN, "timeout": 5, "retries": 0, **options}))
    try:
        yield Source(task, queue)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def threads() -> int:
    return sum(thread.name == "koodrive capacity" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def fixture_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "TOKEN", "APP_ID", "APP_SECRET", "USER_ID"):
        monkeypatch.delenv(f"KOODRIVE_{name}", raising=False)


@pytest.fixture(name="asked")
def fixture_asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """Return the ranges from which the pauses were chosen. The pauses take no time."""
    made: list[tuple[float, float]] = []

    def uniform(least: float, most: float) -> float:
        made.append((least, most))
        return 0.0001

    monkeypatch.setattr(capacity.random, "uniform", uniform)
    return made


def test_a_change_and_a_pool_below_its_threshold_are_events(koodrive: KooDriveForTests, asked: list[Any]) -> None:
    koodrive.state.tenant = Tenant({**LOW, "group": {"total": 500, "allocated": 400}})

    async def watch() -> None:
        async with started(koodrive, thresholds={"group": "10%", "individual": ""}) as source:
            first = await source.event()
            assert (first["reasons"], first["below"], first["endpoint"]) == (["first"], [], koodrive.endpoint)
            seen = len(koodrive.methods())
            await until(lambda: len(koodrive.methods()) > seen + 3)
            assert source.is_silent()
            koodrive.state.tenant = Tenant(LOW)
            low = await source.event()
            assert (low["reasons"], low["below"], low["came_below"]) == (["changed", "below"], ["group"], ["group"])
            assert low["allocation"]["group"] == {"total_capacity": 500, "allocated_capacity": 470, "unallocated_capacity": 30}
            koodrive.state.tenant.transfer({"originType": 0, "target": [{"type": 2, "expandCapacity": 30}]})
            back = await source.event()
            assert (back["reasons"], back["below"], back["came_back"]) == (["changed", "back"], [], ["group"])

    asyncio.run(watch())
    assert set(koodrive.methods()) == {"GET"}


def test_a_failure_and_its_end_are_one_event_each(koodrive: KooDriveForTests, asked: list[Any]) -> None:
    async def watch() -> None:
        async with started(koodrive) as source:
            assert (await source.event())["reasons"] == ["first"]
            koodrive.state.credentials.tokens.remove(TOKEN)
            failed = await source.event()
            assert failed["reasons"] == ["failed"] and failed["error"]["kind"] == "authentication" and failed["error"]["http_status"] == 401
            assert failed["msg"].startswith("Reading the pools failed: ") and failed["trace_id"] in failed["msg"] and "allocation" not in failed
            seen = len(koodrive.methods())
            await until(lambda: len(koodrive.methods()) > seen + 3)
            assert source.is_silent()
            koodrive.state.tenant = Tenant(LOW)
            koodrive.state.credentials.tokens.append(TOKEN)
            assert (await source.event())["reasons"] == ["recovered", "changed"]

    asyncio.run(watch())


def test_an_unreachable_service_does_not_end_the_source(koodrive: KooDriveForTests, asked: list[Any]) -> None:
    koodrive.script(Fault(reply="refuse", seconds=0.5))

    async def watch() -> None:
        async with started(koodrive) as source:
            failed = await source.event()
            assert failed["error"]["kind"] == "unreachable" and failed["endpoint"] == koodrive.endpoint
            assert (await source.event())["reasons"] == ["first", "recovered"]

    asyncio.run(watch())


def test_a_transient_failure_is_tried_again_without_an_event(koodrive: KooDriveForTests, asked: list[Any]) -> None:
    koodrive.script(Fault(reply="status", status=503), Fault(reply="reset"))

    async def watch() -> None:
        async with started(koodrive, retries=2) as source:
            assert (await source.event())["reasons"] == ["first"]

    asyncio.run(watch())
    assert koodrive.methods()[:3] == ["GET"] * 3


def test_a_heartbeat_is_an_event_without_a_change(koodrive: KooDriveForTests, asked: list[Any]) -> None:
    async def watch() -> None:
        async with started(koodrive, heartbeat=1) as source:
            assert (await source.event())["reasons"] == ["first"]
            began = time.monotonic()
            assert (await source.event())["reasons"] == ["heartbeat"]
            assert time.monotonic() - began >= 0.9
            seen = len(koodrive.methods())
            await until(lambda: len(koodrive.methods()) > seen + 3)
            assert source.is_silent()

    asyncio.run(watch())


def test_the_pauses_differ_from_the_interval_by_up_to_a_tenth(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 200:
            raise asyncio.CancelledError

    async def watch() -> None:
        monkeypatch.setattr(capacity.asyncio, "sleep", sleep)
        await capacity.main(asyncio.Queue(), {"endpoint": koodrive.endpoint, "token": TOKEN, "interval": "100"})

    async def at_once(_options: Any) -> dict[str, Any]:
        return {"error": {"kind": "unreachable"}, "msg": "no"}

    monkeypatch.setattr(capacity, "_reading", at_once)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watch())
    assert 90 <= min(slept) < 95 and 105 < max(slept) <= 110


@pytest.mark.parametrize("reply", ["hang", "drip"])
def test_the_source_ends_at_once_while_a_reading_hangs(koodrive: KooDriveForTests, reply: str) -> None:
    koodrive.script(Fault(reply=reply, seconds=1), Fault(reply=reply, seconds=1))

    async def watch() -> None:
        async with started(koodrive, timeout=2, retries=5) as source:
            await until(lambda: koodrive.connections() == 1)
            began = time.monotonic()
            source.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await source.task
            assert time.monotonic() - began < 1
            assert threads() == 1
            await until(lambda: not threads())
            assert time.monotonic() - began < 4

    asyncio.run(watch())
    # There was no other try.
    assert koodrive.methods() == ["GET"]


def test_a_source_that_ends_in_the_pause_before_another_try_does_not_try_again(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(reply="status", status=429, retry_after="1"))

    async def watch() -> None:
        async with started(koodrive, timeout=60, retries=5) as source:
            await until(lambda: len(koodrive.methods()) == 1)
            source.task.cancel()
            await until(lambda: not threads())

    began = time.monotonic()
    asyncio.run(watch())
    assert time.monotonic() - began < 5 and koodrive.methods() == ["GET"]


def test_other_coroutines_run_while_a_reading_hangs(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(reply="hang"))

    async def watch() -> None:
        async with started(koodrive):
            await until(lambda: koodrive.connections() == 1)
            for _time in range(20):
                began = time.monotonic()
                await asyncio.sleep(0)
                assert time.monotonic() - began < 2

    asyncio.run(watch())


def test_the_process_ends_while_a_reading_hangs(koodrive: KooDriveForTests) -> None:
    koodrive.script(Fault(reply="hang"))
    code = (
        "import asyncio, runpy, sys\n"
        "source = runpy.run_path(sys.argv[1])['main']\n"
        "async def watch():\n"
        "    await asyncio.wait_for(source(asyncio.Queue(), {'endpoint': sys.argv[2], 'token': 'any', 'timeout': 50}), 1)\n"
        "try:\n"
        "    asyncio.run(watch())\n"
        "except asyncio.TimeoutError:\n"
        "    print('ended')\n"
    )
    began = time.monotonic()
    command = [sys.executable, "-c", code, str(capacity.__file__), koodrive.endpoint]
    ended = subprocess.run(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "ended\n")
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": 0}, "interval must be a whole number from 1 to 86400, not 0"),
        ({"interval": True}, "interval must be a whole number"),
        ({"interval": "often"}, "argument 'interval' is of type text, and must be a whole number"),
        ({"interval": "inf"}, "interval"),
        ({"heartbeat": -1}, "heartbeat must be a whole number from 0 to 604800, not -1"),
        ({"intervall": 5}, "Unsupported option of the event source huaweicloud.koodrive.capacity: intervall. Supported parameters include"),
        ({"intervall": 5, "retries": "many"}, "Unsupported option of the event source huaweicloud.koodrive.capacity: intervall. Supported"),
        ({"usage": "perhaps"}, "argument 'usage' is of type"),
        ({"thresholds": {"groups": 5}}, "thresholds.groups is not one of department, individual, group, all"),
        ({"thresholds": {"group": "a lot"}}, "thresholds.group must be whole GB"),
        ({"thresholds": 5}, "thresholds"),
        ({"thresholds": ["group"]}, "thresholds"),
        ({"timeout": 0}, "timeout must be"),
        ({"endpoint": "http://koodrive.example.org"}, "endpoint must be https"),
        ({"ca_path": "/nowhere"}, "ca_path does not exist"),
        ({"trace_id": "short"}, "trace_id must have exactly 58 characters"),
        ({"app_id": "app-1"}, "token and app_id"),
        ({"token": ""}, "token is missing"),
    ],
)
def test_a_wrong_option_ends_the_source_before_the_first_request(koodrive: KooDriveForTests, options: dict[str, Any], message: str) -> None:
    given = {"endpoint": koodrive.endpoint, "token": TOKEN, **options}
    with pytest.raises(ValueError) as raised:
        asyncio.run(asyncio.wait_for(capacity.main(asyncio.Queue(), given), PATIENCE))
    assert message in str(raised.value) and TOKEN not in str(raised.value)
    assert koodrive.methods() == []


@pytest.mark.parametrize("blank", ["", " \t", None])
def test_a_blank_option_is_not_given(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, blank: Any) -> None:
    monkeypatch.setenv("KOODRIVE_ENDPOINT", koodrive.endpoint)
    monkeypatch.setenv("KOODRIVE_TOKEN", TOKEN)

    async def watch() -> None:
        async with started(koodrive, **dict.fromkeys(["endpoint", "token", "interval", "heartbeat", "thresholds", "retries"], blank)) as source:
            assert (await source.event())["below"] == []

    asyncio.run(watch())


def test_thresholds_can_be_a_dictionary_in_json(koodrive: KooDriveForTests) -> None:
    async def watch() -> None:
        async with started(koodrive, thresholds='{"group": "10%", "all": 1700}') as source:
            assert (await source.event())["below"] == ["group"]

    asyncio.run(watch())


def test_an_app_with_a_wrong_clock_gets_a_warning(koodrive: KooDriveForTests) -> None:
    koodrive.state.credentials.clock_offset = 3600

    async def watch() -> None:
        async with started(koodrive, **koodrive.app) as source:
            event = await source.event()
            assert event["allocation"] and "behind KooDrive's" in event["warnings"][0]

    asyncio.run(watch())
    assert koodrive.state.requests[0]["authorization"] == "HMAC-SHA256"


@pytest.mark.parametrize("where", ["rulebook", "environment"])
def test_no_event_has_a_secret(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    koodrive.state.echo = True
    koodrive.state.credentials.apps.clear()
    given = {"token": None, "app_id": APP.app_id, "app_secret": f"{APP.secret}-{where}", "user_id": APP.user_id}
    if where == "environment":
        for name, value in given.items():
            monkeypatch.setenv(f"KOODRIVE_{name.upper()}", value or "")
        given = {"token": ""}

    async def watch() -> None:
        async with started(koodrive, **given) as source:
            event = await source.event()
            assert event["error"]["kind"] == "authentication" and "You sent: " in event["error"]["message"]
            assert f"{APP.secret}-{where}" not in json.dumps(event) and "********" in event["error"]["message"]

    asyncio.run(watch())


def test_a_secret_in_a_failure_is_masked(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leaking(_options: Any) -> dict[str, Any]:
        return {"error": {"kind": "rejected", "message": TOKEN}, "msg": f"<{TOKEN}>"}

    monkeypatch.setattr(capacity, "_reading", leaking)

    async def watch() -> None:
        async with started(koodrive) as source:
            assert TOKEN not in json.dumps(await source.event())

    asyncio.run(watch())


def test_without_requests_the_error_names_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, named in (
        ("ModuleNotFoundError: no", "Failed to import the required Python library .requests."),
        ("ValueError: odd", "cannot import requests: ValueError"),
    ):
        for module in (capacity, wire):
            monkeypatch.setattr(module, "REQUESTS_IMPORT_ERROR", error)
        with pytest.raises(ImportError, match=named):
            asyncio.run(capacity.main(asyncio.Queue(), {}))


def test_with_usage_events_have_the_stored_capacity(koodrive: KooDriveForTests, asked: list[Any]) -> None:
    async def watch(**options: Any) -> dict[str, Any]:
        async with started(koodrive, **options) as source:
            return await source.event()

    with_usage = asyncio.run(watch(usage="yes"))
    assert with_usage["stored_capacity"] == 1080.0 and with_usage["allocation"]["group"]["stored_capacity"] == 300.0
    assert "quotaUsed" in koodrive.paths()
    koodrive.state.requests.clear()
    koodrive.state.shape = Shape(quota="none")
    refused = asyncio.run(watch(usage=True))
    assert "stored_capacity" not in refused and "How much is stored is not known" in refused["warnings"][0]
    koodrive.state.requests.clear()
    assert "stored_capacity" not in asyncio.run(watch()) and "quotaUsed" not in koodrive.paths()


def test_without_a_thread_there_is_an_event_and_the_source_goes_on(koodrive: KooDriveForTests, asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    refused: list[str] = []

    def started_later(thread: threading.Thread) -> None:
        if thread.name == "koodrive capacity" and len(refused) < 3:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", started_later)

    async def watch() -> None:
        async with started(koodrive) as source:
            failed = await source.event()
            assert failed["reasons"] == ["failed"] and failed["error"]["kind"] == "unreachable" and failed["endpoint"] == koodrive.endpoint
            assert "could not start a thread for it (can't start new thread)" in failed["msg"]
            assert (await source.event())["reasons"] == ["first", "recovered"]

    asyncio.run(watch())
    assert len(refused) == 3


@pytest.mark.parametrize("name", ["", "missing/keys"])
def test_with_an_unusable_key_file_there_is_an_event_and_the_source_goes_on(
    koodrive: KooDriveForTests, asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / name))

    async def watch() -> None:
        # Without verification, since the TLS context of the default bundle exists already.
        async with started(koodrive, validate_certs=False) as source:
            failed = await source.event()
            assert failed["reasons"] == ["failed"] and failed["error"]["kind"] == "unreachable"
            assert "the file that SSLKEYLOGFILE names cannot be used (" in failed["msg"] and koodrive.methods() == []
            monkeypatch.delenv("SSLKEYLOGFILE")
            assert (await source.event())["reasons"] == ["first", "recovered"]

    asyncio.run(watch())


@pytest.mark.parametrize("folder", ["", "a/b/c/d/e/f/g/h"])
def test_a_copy_without_the_collection_says_what_is_missing(folder: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        copy = Path(temporary) / folder / "capacity.py"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(capacity.__file__), copy)
        # An empty environment, without the path that makes the collection importable in the tests.
        ended = subprocess.run([sys.executable, copy], env={}, cwd=temporary, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    message = f"ImportError: The event source {copy} needs the rest of the collection huaweicloud.koodrive, and this Python does not find it. Install"
    assert ended.returncode == 1 and message in ended.stdout and "IndexError" not in ended.stdout


def test_the_file_as_a_program_prints_events(koodrive: KooDriveForTests) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(capacity.__file__)],
        env={"KOODRIVE_ENDPOINT": koodrive.endpoint, "KOODRIVE_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout
        line = process.stdout.readline()
        process.terminate()
    assert line.startswith("{'koodrive': {") and koodrive.endpoint in line


def test_the_source_finds_the_collection_by_its_path() -> None:
    assert Path(capacity.__file__).parents[7].joinpath("ansible_collections/huaweicloud/koodrive/galaxy.yml").exists()


def test_the_documentation_matches_the_spec() -> None:
    documented = yaml.safe_load(capacity.DOCUMENTATION)["options"]
    keys = ("type", "default")
    assert {name: [option.get(key) for key in keys] for name, option in capacity.SOURCE_SPEC.items()} == {
        name: [option.get(key) for key in keys] for name, option in documented.items()
    }
    assert tuple(documented["thresholds"]["suboptions"]) == WATCHED


def test_the_examples_are_valid(koodrive: KooDriveForTests) -> None:
    examples = yaml.safe_load(capacity.EXAMPLES)
    assert len(examples) == 2
    for example in examples:
        (options,) = example.values()
        assert list(example) == ["huaweicloud.koodrive.capacity"]
        assert capacity._settings({**options, "token": TOKEN})
