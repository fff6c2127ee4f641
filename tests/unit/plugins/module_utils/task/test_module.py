# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test a module as a process, started as Ansible starts it, but without the packaging."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import module
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import CALLER
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import APP, TOKEN, KooDriveForTests

COLLECTIONS = Path(module.__file__).parents[6]
MODULES = Path(module.__file__).parents[2] / "modules"
GROUP = [{"type": "group", "total_capacity": 600}]


def test_a_worker_must_run_and_have_its_playbook_as_parent() -> None:
    assert module._caller(os.getpid(), os.getppid(), None).is_waiting()
    assert not module._caller(os.getpid(), os.getpid(), None).is_waiting() and not module._caller(2**30, os.getpid(), None).is_waiting()


def test_a_task_with_a_time_limit_waits_until_then() -> None:
    now = time.monotonic()
    assert [module._caller(os.getpid(), os.getppid(), now + left).is_waiting() for left in (60, -1)] == [True, False]


def test_a_worker_that_is_hidden_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_parent_of", lambda _process: None)
    assert module._caller(os.getpid(), os.getppid(), None).is_waiting()


def test_a_module_of_a_playbook_that_has_ended_sends_nothing(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    result = run(koodrive, tmp_path, {"token": TOKEN, "tenant": "ours", CALLER: (os.getpid(), os.getpid(), None)})
    assert "the playbook that started this task has ended" in result["msg"] and "POST" not in koodrive.methods()


def started(koodrive: KooDriveForTests, tmp_path: Path, name: str, arguments: dict[str, Any], **environment: str) -> subprocess.Popen[str]:
    """Start the module ``name`` with its options in a file, as developers do."""
    path = tmp_path / "arguments.json"
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"endpoint": koodrive.endpoint, "timeout": 5, **arguments}}), encoding="utf-8")
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join([str(COLLECTIONS), *sys.path]), "KOODRIVE_LEDGER": koodrive.ledger, **environment}
    command = [sys.executable, str(MODULES / f"{name}.py"), str(path)]
    return subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(koodrive: KooDriveForTests, tmp_path: Path, arguments: dict[str, Any], **environment: str) -> dict[str, Any]:
    """Return what the transfer module prints, with its exit status."""
    process = started(koodrive, tmp_path, "koodrive_space_transfer", {"origin_type": "department", "target": GROUP, **arguments}, **environment)
    printed, errors = process.communicate(timeout=60)
    assert errors == "", errors
    result = {**json.loads(printed), "rc": process.returncode}
    # ansible-core 2.22 masks the secrets only when it shows the result.
    result.pop("_ansible_new_secrets", None)
    return result


def test_a_module_does_its_work_and_prints_the_result(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    result = run(koodrive, tmp_path, {"token": TOKEN})
    assert result["rc"] == 0 and result["changed"] is True and "failed" not in result and "warnings" not in result
    assert koodrive.methods() == ["GET", "POST", "GET"] and TOKEN not in json.dumps(result)


def test_the_secrets_of_the_environment_are_registered(tmp_path: Path) -> None:
    (tmp_path / "arguments.json").write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"app_secret": "the-s3cret"}}), encoding="utf-8")
    program = (
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import module, options\n"
        "registered = set()\n"
        "options.register_secrets = registered.update\n"
        "module.KooDriveModule(argument_spec=options.CONNECTION_SPEC)\n"
        "print(*sorted(registered))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(COLLECTIONS), *sys.path]), "KOODRIVE_TOKEN": TOKEN}
    command = [sys.executable, "-c", program, str(tmp_path / "arguments.json")]
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    assert printed == f"{TOKEN} the-s3cret\n"


def test_check_mode_reaches_the_work(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    result = run(koodrive, tmp_path, {"token": TOKEN, "_ansible_check_mode": True})
    assert result["changed"] is True and koodrive.methods() == ["GET"]


def test_a_failure_has_its_warnings(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    koodrive.state.credentials.clock_offset = -60
    app = {"app_id": APP.app_id, "app_secret": "wr0ng-secret", "user_id": APP.user_id}
    result = run(koodrive, tmp_path, app)
    assert result["rc"] == 1 and result["failed"] is True and result["error"]["kind"] == "authentication"
    assert "clock" in str(result["warnings"]) and "wr0ng-secret" not in json.dumps(result)


def test_the_module_that_reads_the_pools(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    process = started(koodrive, tmp_path, "koodrive_space_allocation_info", {}, KOODRIVE_TOKEN=TOKEN)
    printed, _errors = process.communicate(timeout=60)
    assert json.loads(printed)["unallocated_capacity"] == 1700 and process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"origin_type": "team"}, "value of origin_type must be one of"),
        ({"target": "no list"}, "An entry of the argument 'target'"),
        ({"target": [{"type": "group", "total_capacity": None}]}, "one of the following is required: total_capacity"),
        ({"colour": "red"}, "Unsupported parameters for"),
        ({"verify_timeout": "soon"}, "argument 'verify_timeout'"),
        ({"verify_timeout": -1}, "verify_timeout must be a whole number"),
    ],
)
def test_an_error_in_the_options_has_a_kind(koodrive: KooDriveForTests, tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    result = run(koodrive, tmp_path, {"token": TOKEN, **arguments})
    assert result["rc"] == 1 and result["error"]["kind"] == "invalid_request" and result["msg"].startswith(message)
    assert koodrive.methods() == []


def test_a_key_file_that_cannot_be_written_has_a_kind(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    result = run(koodrive, tmp_path, {"token": TOKEN, "validate_certs": False}, SSLKEYLOGFILE=str(tmp_path / "missing" / "keys"))
    assert result["rc"] == 1 and result["error"]["kind"] == "unreachable"
    assert "the file that SSLKEYLOGFILE names cannot be used (No such file or directory)" in result["msg"] and koodrive.methods() == []


def test_the_words_of_the_server_come_through(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    reply = json.dumps({"code": 13000301, "msg": "<class 'java.lang.Long'> is odd"})
    koodrive.script(Fault(reply="raw", raw=f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(reply)}\r\n\r\n{reply}".encode()))
    assert "<class 'java.lang.Long'> is odd" in run(koodrive, tmp_path, {"token": TOKEN})["msg"]


@pytest.mark.parametrize("wrong", [{}, {"origin_type": "team"}])
def test_a_password_in_the_endpoint_is_not_shown(koodrive: KooDriveForTests, tmp_path: Path, wrong: dict[str, str]) -> None:
    result = run(koodrive, tmp_path, {"token": "t0ken", "endpoint": "https://usr:SEKRIT@example.org", **wrong})
    assert result["error"]["kind"] == "invalid_request" and "SEKRIT" not in json.dumps(result)


def test_without_requests_the_module_says_what_is_missing(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    (tmp_path / "requests.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    surroundings = os.pathsep.join([str(tmp_path), str(COLLECTIONS), *sys.path])
    process = started(koodrive, tmp_path, "koodrive_space_allocation_info", {"token": TOKEN}, PYTHONPATH=surroundings)
    printed, _errors = process.communicate(timeout=60)
    result = json.loads(printed)
    assert result["failed"] is True and "requests" in result["msg"] and result["error"]["kind"] == "invalid_request"


def test_a_module_ends_when_its_output_is_closed(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    koodrive.state.delay = 1
    process = started(koodrive, tmp_path, "koodrive_space_transfer", {"token": TOKEN, "origin_type": "department", "target": GROUP})
    while koodrive.connections() == 0:
        time.sleep(0.01)
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.wait(timeout=10) == 1
    process.stderr.close()
    koodrive.state.delay = 0
    time.sleep(1.2)
    assert "POST" not in koodrive.methods()


def test_a_module_whose_output_goes_to_a_file_does_its_work(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    koodrive.script(Fault())
    path = tmp_path / "arguments.json"
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"endpoint": koodrive.endpoint, "token": TOKEN}}), encoding="utf-8")
    with open(tmp_path / "printed", "w", encoding="utf-8") as output:
        subprocess.run(
            [sys.executable, str(MODULES / "koodrive_space_allocation_info.py"), str(path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(COLLECTIONS), *sys.path])},
            stdout=output,
            check=True,
        )
    assert json.loads((tmp_path / "printed").read_text(encoding="utf-8"))["changed"] is False
