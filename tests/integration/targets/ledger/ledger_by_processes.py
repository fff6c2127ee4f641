# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger with real ansible-playbook processes, on both paths, with both stores."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import ansible_runner
import psutil
import pytest
from aiohttp import web
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import STATES, Record
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import RECORDS
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of
from ansible_collections.huaweicloud.koodrive.tests.simulator.credentials import App, Credentials
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Simulator, State
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import fixture_ledger
from ansible_collections.huaweicloud.koodrive.tests.unit.postgresql_for_tests import (
    PASSWORD,
    Postgresql,
    fixture_database,
    fixture_postgresql,
    short_folder,
)

__all__ = ["fixture_database", "fixture_ledger", "fixture_postgresql"]

PLAYBOOKS = Path(__file__).parent / "playbooks"
GROUP = {"target": [{"type": "group", "total_capacity": 600}]}
ADDITION = {"target": [{"type": "group", "expand_capacity": 100}]}
FIRST, SECOND = ({"KOODRIVE_TOKEN": token} for token in ("t0ken-1-that-must-not-show", "t0ken-2-that-must-not-show"))
APP = App("app-1", "s3cret-that-must-not-show", "user-1")
BY_APP = {"KOODRIVE_APP_ID": APP.app_id, "KOODRIVE_APP_SECRET": APP.secret, "KOODRIVE_USER_ID": APP.user_id}
#: Seconds until a transfer with a lost reply is made. It takes longer than a second launch of a job.
LATE = 12
#: What AWX sets for a job.
JOB = {"JOB_ID": "1071", "AWX_HOST": "https://awx.example.org"}
in_process_only = pytest.mark.parametrize("in_process", [True], indirect=True)
local_only = pytest.mark.parametrize("ledger", ["local"], indirect=True)
postgresql_only = pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)


class KooDrive(Simulator):
    """A simulator that does what a test says when a request of a method arrives."""

    def __init__(self) -> None:
        super().__init__(State(credentials=Credentials([*FIRST.values(), *SECOND.values()], [APP])))
        self.upon: dict[str, Callable[[], object]] = {}

    def _answer(self, request: web.Request, body: bytes, fault: Fault) -> tuple[int, dict[str, Any]]:
        self.upon.pop(request.method, lambda: None)()
        return super()._answer(request, body, fault)

    def transfers(self) -> int:
        """Return how many transfers were sent."""
        return [request["method"] for request in self.state.requests].count("POST")

    def wait_for_transfer(self) -> None:
        deadline = time.monotonic() + 60
        while not self.transfers():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def is_moved_once(self) -> bool:
        """Return whether one transfer was sent, and made once."""
        return self.transfers() == len(self.state.applied) == 1 and self.state.tenant.by_name()["group"]["total"] == 600


class Job:
    """A running ansible-playbook."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = ""

    def results(self) -> list[dict[str, Any]]:
        """Return what the task returned on each host, after the end of the job."""
        self.output += self._process.communicate(timeout=120)[0]
        assert self._process.returncode == 0, self.output
        return [json.loads(base64.b64decode(found)) for found in re.findall("RESULT=([A-Za-z0-9+/]+=*)=", self.output)]

    def result(self) -> dict[str, Any]:
        (result,) = self.results()
        return result

    def kill_playbook_alone(self) -> list[psutil.Process]:
        """Kill ansible-playbook, and return its workers and their children."""
        orphans = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait(timeout=60)
        return orphans

    def kill(self) -> None:
        """Kill the whole tree: Ansible's workers are sessions of their own."""
        job = psutil.Process(self._process.pid)
        for process in [job, *job.children(recursive=True)]:
            # A module ends when its parent is gone.
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=60)


class Controller:
    """Launches jobs with the playbook of this test and the given ``ledger``."""

    def __init__(self, koodrive: KooDrive, ledger: str, in_process: bool, folder: Path) -> None:
        self._koodrive = koodrive
        self._ledger = ledger
        self._in_process = in_process
        self._folder = folder
        self._jobs = 0

    def environment(self, credentials: dict[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KOODRIVE_") and name not in JOB}
        return {**inherited, "KOODRIVE_ENDPOINT": self._koodrive.endpoint, "KOODRIVE_LEDGER": self._ledger, **credentials}

    def launch(self, *options: str, playbook: str = "transfer", hosts: str = "host,", credentials: dict[str, str] = FIRST, **variables: Any) -> Job:
        self._jobs += 1
        file = self._folder / f"variables-{self._jobs}.json"
        file.write_text(json.dumps({"koodrive_in_process": self._in_process, **variables}))
        command = ["ansible-playbook", "-i", hosts, "-e", f"@{file}", *options, str(PLAYBOOKS / f"{playbook}.yml")]
        return Job(command, self.environment(credentials))

    def run(self, *options: str, credentials: dict[str, str] = FIRST, **variables: Any) -> dict[str, Any]:
        return self.launch(*options, credentials=credentials, **variables).result()

    def records(self, tenant: str = "tenant-1") -> list[Record]:
        """Return all records of the tenant."""
        with store_of(self._ledger, read_only=True) as store:
            return store.transfers(tenant, STATES, 0, 99)


@pytest.fixture(name="koodrive")
def fixture_koodrive() -> Iterator[KooDrive]:
    with KooDrive() as simulator:
        yield simulator


@pytest.fixture(name="in_process", params=[True, False], ids=["in_process", "module"])
def fixture_in_process(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(name="controller")
def fixture_controller(koodrive: KooDrive, ledger: str, in_process: bool, tmp_path: Path) -> Controller:
    return Controller(koodrive, ledger, in_process, tmp_path)


@pytest.fixture(name="own_server")
def fixture_own_server() -> Iterator[Postgresql]:
    """A server that a test may stop."""
    with Postgresql(short_folder()) as server:
        yield server


@pytest.fixture(name="on_own_server")
def fixture_on_own_server(koodrive: KooDrive, own_server: Postgresql, in_process: bool, tmp_path: Path) -> Controller:
    """A controller with a ledger on that server."""
    database = own_server.new_database()
    controller = Controller(koodrive, own_server.url(database, database), in_process, tmp_path)
    assert not controller.run(target=[{"type": "group", "total_capacity": 1}])["changed"]
    return controller


def kind_of(result: dict[str, Any]) -> str:
    return str(result.get("error", {}).get("kind", "ok"))


def launched_again(koodrive: KooDrive, controller: Controller) -> None:
    """Launch the job again while its transfer is open, and later.

    The first launch sends nothing, and the later one succeeds.
    """
    again = controller.run(**GROUP)
    assert kind_of(again) in ("busy", "open_transfer", "ok") and not again["changed"], again
    assert koodrive.transfers() == 1
    koodrive.settle()
    assert koodrive.is_moved_once()
    later = controller.run(**GROUP)
    assert kind_of(later) == "ok" and not later["changed"], later
    assert koodrive.is_moved_once()
    (record,) = controller.records()
    assert record.state == "done"


@pytest.mark.parametrize("ledger, reply", [("local", "hang"), ("postgresql", "reset")], indirect=["ledger"])
def test_a_job_is_launched_again_while_its_transfer_is_open(koodrive: KooDrive, controller: Controller, reply: str) -> None:
    koodrive.script(Fault(), Fault(apply="late", reply=reply, seconds=LATE))
    first = controller.run(**GROUP)
    assert kind_of(first) == "outcome_unknown", first
    launched_again(koodrive, controller)


def test_a_job_is_killed_while_it_waits_for_the_reply_and_launched_again(koodrive: KooDrive, controller: Controller) -> None:
    koodrive.script(Fault(), Fault(apply="late", reply="hang", seconds=LATE))
    job = controller.launch(timeout=5, **GROUP)
    koodrive.wait_for_transfer()
    job.kill()
    launched_again(koodrive, controller)


def test_two_jobs_with_different_tokens_move_once(koodrive: KooDrive, controller: Controller) -> None:
    koodrive.state.delay = 0.2
    jobs = [controller.launch(credentials=credentials, **GROUP) for credentials in (FIRST, SECOND)]
    results = [job.result() for job in jobs]
    assert [kind_of(result) for result in results] == ["ok", "ok"], results
    assert sorted(result["changed"] for result in results) == [False, True]
    assert koodrive.is_moved_once()


def test_credentials_of_one_tenant_know_each_other(koodrive: KooDrive, controller: Controller) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    lost = controller.run(credentials=FIRST, **GROUP)
    assert kind_of(lost) == "outcome_unknown"
    for credentials in (SECOND, BY_APP, SECOND):
        blocked = controller.run(credentials=credentials, **GROUP)
        assert kind_of(blocked) == "open_transfer" and lost["trace_id"] in blocked["msg"], blocked
    assert koodrive.state.asked_for_tenant == 3 and koodrive.transfers() == 1
    koodrive.state.tenant_id = "another"
    assert controller.run(credentials=BY_APP, settle_time=0, **GROUP)["changed"]
    assert koodrive.state.asked_for_tenant == 3
    assert [record.state for record in controller.records()] == ["done", "not_done"]


def test_an_addition_with_a_key_is_made_once(koodrive: KooDrive, controller: Controller) -> None:
    koodrive.state.delay = 0.2
    jobs = [controller.launch(idempotency_key="A-1071", credentials=credentials, **ADDITION) for credentials in (FIRST, SECOND)]
    made, repeated = sorted((job.result() for job in jobs), key=lambda result: not result["changed"])
    assert made["changed"] and made["earlier"] is None
    for later in (repeated, controller.run(idempotency_key="A-1071", **ADDITION)):
        assert kind_of(later) == "ok" and not later["changed"], later
        assert later["earlier"]["trace_id"] == made["trace_id"] and later["earlier"]["transfers"] == made["transfers"]
    other = controller.run(idempotency_key="A-1071", target=[{"type": "group", "expand_capacity": 101}])
    assert kind_of(other) == "invalid_request" and made["trace_id"] in other["msg"]
    assert koodrive.is_moved_once()


@postgresql_only
def test_many_hosts_of_many_jobs_move_once(koodrive: KooDrive, controller: Controller, in_process: bool) -> None:
    count = 20 if in_process else 5
    hosts = ",".join(f"host{number}" for number in range(count))
    jobs = [controller.launch(f"-f{count}", hosts=hosts, timeout=30, verify_timeout=30, **GROUP) for _job in range(4)]
    results = [result for job in jobs for result in job.results()]
    assert len(results) == 4 * count and {kind_of(result) for result in results} == {"ok"}, results
    assert [result["changed"] for result in results].count(True) == 1
    assert koodrive.is_moved_once()


@in_process_only
def test_check_mode_reads_the_ledger_and_writes_nothing(koodrive: KooDrive, controller: Controller) -> None:
    assert controller.run("--check", **GROUP)["changed"]
    assert controller.records() == []
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    controller.run(**GROUP)
    written = controller.records()
    assert [record.state for record in written] == ["open"]
    assert kind_of(controller.run("--check", **GROUP)) == "open_transfer"
    assert controller.run("--check", settle_time=0, **GROUP)["changed"]
    assert controller.records() == written and koodrive.transfers() == 1


def test_without_the_database_before_the_write_nothing_is_sent(koodrive: KooDrive, own_server: Postgresql, on_own_server: Controller) -> None:
    koodrive.upon["GET"] = own_server.stop
    for _run in ("gone after the read", "gone before the run"):
        result = on_own_server.run(**GROUP)
        assert kind_of(result) == "ledger_unavailable" and "Nothing was sent" in result["msg"], result
        assert not koodrive.transfers() and not result["changed"]
    own_server.start()
    assert on_own_server.run(**GROUP)["changed"]


def test_a_run_succeeds_without_the_database_after_the_write(koodrive: KooDrive, own_server: Postgresql, on_own_server: Controller) -> None:
    koodrive.upon["POST"] = own_server.stop
    result = on_own_server.run(**GROUP)
    assert kind_of(result) == "ok" and result["changed"], result
    assert "could not be written down" in result["warnings"][0] and PASSWORD not in str(result)
    own_server.start()
    assert [record.state for record in on_own_server.records()] == ["open"]
    assert not on_own_server.run(**GROUP)["changed"]
    assert [record.state for record in on_own_server.records()] == ["done"] and koodrive.is_moved_once()


@postgresql_only
def test_a_run_survives_a_lost_connection_to_the_database(koodrive: KooDrive, controller: Controller, postgresql: Postgresql, database: str) -> None:
    terminate = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    terminated: list[int] = []
    koodrive.script(Fault(), Fault(apply="late", seconds=3))
    koodrive.upon["POST"] = lambda: terminated.append(len(postgresql.execute(terminate)))
    first = controller.launch(verify_timeout=60, **GROUP)
    koodrive.wait_for_transfer()
    second = controller.run(**GROUP)
    made = first.result()
    assert terminated and terminated[0] > 0
    assert (kind_of(made), made["changed"], made.get("warnings", [])) == ("ok", True, []), made
    assert (kind_of(second), second["changed"]) == ("ok", False), second
    assert koodrive.is_moved_once()
    assert [record.state for record in controller.records()] == ["done"]


@pytest.mark.parametrize("playbook", ["transfer", "loop"])
def test_nothing_is_sent_for_a_playbook_that_was_killed(koodrive: KooDrive, controller: Controller, playbook: str) -> None:
    """Kill ansible-playbook alone, as the system does when memory runs out. Its workers go on, also with a loop."""
    orphans: list[psutil.Process] = []
    koodrive.upon["GET"] = lambda: orphans.extend(job.kill_playbook_alone())
    job = controller.launch(playbook=playbook, timeout=30, **GROUP)
    deadline = time.monotonic() + 60
    while not koodrive.state.requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert orphans
    _gone, alive = psutil.wait_procs(orphans, timeout=60)
    assert not alive
    assert [request["method"] for request in koodrive.state.requests] == ["GET"]
    assert {record.state for record in controller.records()} <= {"not_done"}
    assert controller.run(**GROUP)["changed"] and koodrive.is_moved_once()


@local_only
@pytest.mark.parametrize(
    "names_ledger, key, kind, warns",
    [(False, "A-1071", "invalid_request", False), (False, None, "ok", True), (True, "A-1071", "ok", False), (True, None, "ok", False)],
)
def test_a_job_of_awx_needs_a_ledger_that_outlives_it(
    koodrive: KooDrive, controller: Controller, ledger: str, names_ledger: bool, key: str | None, kind: str, warns: bool
) -> None:
    # The default ledger of this user may have other tenants.
    koodrive.state.tenant_id = tenant = str(uuid.uuid4())
    environment = {**FIRST, **JOB, "KOODRIVE_LEDGER": ledger if names_ledger else ""}
    result = controller.run(credentials=environment, **({"idempotency_key": key} if key else {}), **ADDITION)
    assert kind_of(result) == kind, result
    assert result["changed"] == koodrive.is_moved_once() == (kind == "ok")
    warnings = result.get("warnings", [])
    assert len(warnings) == warns and all("KOODRIVE_LEDGER" in warning for warning in warnings), result
    if kind != "ok":
        assert "KOODRIVE_LEDGER" in result["msg"] and koodrive.state.requests == []
    if names_ledger:
        assert [record.writer for record in controller.records(tenant)] == ["AWX job 1071 of https://awx.example.org"]


@local_only
def test_in_a_folder_of_another_user_nothing_is_sent(koodrive: KooDrive, controller: Controller, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("symlink", "linked", "damaged", "foreign", "shared")}
    for name, place in places.items():
        if name != "symlink":
            place.mkdir(mode=0o700)
    places["shared"].chmod(0o755)
    places["symlink"].symlink_to(places["linked"])
    (places["damaged"] / RECORDS).write_bytes(b"no database at all" * 1000)
    if os.geteuid() == 0:
        os.chown(places["foreign"], 1, 1)
    else:
        places["foreign"] = Path("/etc")
    # Root cannot write there, either.
    places["read_only"] = Path("/sys/koodrive")
    ledgers = {name: str(place) for name, place in places.items() if name != "linked"}
    job = controller.launch(hosts=",".join(ledgers), ledgers=ledgers, **GROUP)
    results = job.results()
    assert [kind_of(result) for result in results] == ["ledger_unavailable"] * len(ledgers), results
    assert koodrive.state.requests == [] and list(places["linked"].iterdir()) == []


def test_a_task_shows_its_ledger_without_the_password(koodrive: KooDrive, controller: Controller, ledger: str) -> None:
    job = controller.launch("-vvv", "-e", "ansible_inject_invocation=true", ledgers={"host": ledger}, **GROUP)
    assert job.result()["changed"] and koodrive.is_moved_once()
    shown = set(re.findall('"ledger": "([^"]+)"', job.output))
    assert shown == {ledger.replace(f":{PASSWORD}@", "********")}, job.output
    assert PASSWORD not in job.output


@postgresql_only
def test_the_password_of_the_database_never_shows(koodrive: KooDrive, controller: Controller, ledger: str) -> None:
    ledgers = {
        "good": ledger,
        "wrong": ledger.replace(PASSWORD, f"{PASSWORD}-2"),
        "unreadable": ledger.replace(PASSWORD, f"a/{PASSWORD}"),
        "nowhere": f"postgresql://user:{PASSWORD}@nowhere.invalid/db",
        "in_query": f"postgresql://127.0.0.1:1/db?user=u&password={PASSWORD}",
    }
    kinds: list[str] = []
    for variables in ({}, {"hosts": ",".join(ledgers), "ledgers": ledgers}):
        job = controller.launch("-vvv", **GROUP, **variables)
        kinds += [kind_of(result) for result in job.results()]
        assert "koodrive_space_transfer" in job.output and PASSWORD not in job.output
    assert sorted(kinds) == ["invalid_request", *["ledger_unavailable"] * 3, "ok", "ok"]
    assert koodrive.is_moved_once()


@in_process_only
@postgresql_only
def test_the_password_is_in_no_artifact_of_a_job(koodrive: KooDrive, controller: Controller, in_process: bool, tmp_path: Path) -> None:
    """As AWX runs jobs, with the ledger in the environment."""
    (tmp_path / "runner").mkdir()
    for environment in (controller.environment(FIRST), {**controller.environment(FIRST), "KOODRIVE_LEDGER": f"postgresql://u:{PASSWORD}@127.0.0.1:1/db"}):
        run = ansible_runner.run(
            private_data_dir=str(tmp_path / "runner"),
            playbook=str(PLAYBOOKS / "transfer.yml"),
            inventory="host,",
            envvars=environment,
            extravars={"koodrive_in_process": in_process, **GROUP},
            verbosity=3,
            suppress_env_files=True,
            quiet=True,
        )
        assert run.rc == 0
    # The runner writes its whole environment with all credentials into the file "command".
    files = [file for file in (tmp_path / "runner" / "artifacts").rglob("*") if file.is_file() and file.name != "command"]
    artifacts = [file.read_text() for file in files]
    assert any("koodrive_space_transfer" in text for text in artifacts)
    assert not any(PASSWORD in text for text in artifacts)
    assert koodrive.is_moved_once()
