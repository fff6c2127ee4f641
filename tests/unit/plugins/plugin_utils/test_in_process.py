# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test a module's work in Ansible's own process."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from ansible.module_utils.common.text.converters import jsonify
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options as options_module
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import CALLER
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC, allocate_capacity
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation_info import ALLOCATION_INFO_SPEC, allocation_info
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC, transfer_capacity
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils import in_process
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.in_process import (
    SWITCH,
    InProcessAction,
    run_in_process,
    with_environment,
    working_in,
)
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

NAME = "huaweicloud.koodrive.koodrive_space_transfer"
GROUP = [{"type": "group", "total_capacity": 600}]


def run(koodrive: KooDriveForTests, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {"endpoint": koodrive.endpoint, "token": TOKEN, "ledger": koodrive.ledger, "origin_type": "department", "target": GROUP, **options}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    return run_in_process(NAME, arguments, TRANSFER_SPEC, transfer_capacity, check_mode)


def test_defaults_aliases_and_check_mode(koodrive: KooDriveForTests) -> None:
    predicted = run(koodrive, check_mode=True)
    assert koodrive.methods() == ["GET"]
    moved = run(koodrive)
    assert moved["changed"] and moved["allocation"] == predicted["allocation"]
    assert "warnings" not in moved and "failed" not in moved
    assert moved["invocation"]["module_args"]["verify_timeout"] == TRANSFER_SPEC["verify_timeout"].get("default")


@pytest.mark.parametrize(
    "moment", [datetime.date(2026, 11, 28), datetime.datetime(2026, 11, 28, 5), datetime.datetime(2026, 11, 28, 5, tzinfo=datetime.timezone.utc)]
)
def test_a_date_in_yaml_is_the_same_text_as_for_a_module(moment: datetime.date) -> None:
    def work(options: Mapping[str, Any], _check_mode: bool, **_more: Any) -> dict[str, Any]:
        return {"tenant": options["tenant"]}

    result = run_in_process(NAME, {"origin_type": "department", "target": GROUP, "tenant": moment}, TRANSFER_SPEC, work, False)
    assert result["tenant"] == json.loads(jsonify({"tenant": moment}))["tenant"]


def test_secrets_of_the_task_are_masked(koodrive: KooDriveForTests) -> None:
    result = run(koodrive)
    assert result["invocation"]["module_args"]["token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert TOKEN not in json.dumps(result)


def test_secrets_of_the_environment_are_masked(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOODRIVE_TOKEN", TOKEN)

    def leak(options: Mapping[str, Any], _check_mode: bool, **_more: Any) -> dict[str, Any]:
        return {"changed": True, "seen": f"<{TOKEN}>", "given": options["token"]}

    result = run_in_process(NAME, {"origin_type": "group", "target": GROUP}, TRANSFER_SPEC, leak, False)
    assert result["seen"] == "<********>" and result["given"] is None and result["changed"] is True


def test_a_boolean_is_not_a_secret() -> None:
    options = {"origin_type": "group", "target": GROUP, "token": "True"}
    result = run_in_process(NAME, options, TRANSFER_SPEC, lambda _options, _check_mode, caller: {"changed": True}, False)
    assert result["changed"] is True


def test_secrets_are_masked_in_every_part_of_the_result() -> None:
    secrets = {"token": "abc-1", "app_secret": "abc-12", "origin_type": "group", "target": GROUP}
    seen = {
        "text": "abc-12, abc-1 and ABC-1",
        "list": ["abc-1", ("abc-12", {"deep": "(abc-1)"})],
        "nothing": [None, True, 1.5, 600, "", "abc"],
    }
    result = run_in_process(NAME, secrets, TRANSFER_SPEC, lambda _options, _check_mode, caller: seen, False)
    whole = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert result["text"] == "********, ******** and ABC-1"
    assert result["list"] == [whole, [whole, {"deep": "(********)"}]]
    assert result["nothing"] == seen["nothing"]


def test_a_number_is_masked_as_a_whole() -> None:
    options = {"origin_type": "group", "target": GROUP, "token": "71"}
    result = run_in_process(NAME, options, TRANSFER_SPEC, lambda _options, _check_mode, caller: {"seen": [71, 4711, 0.71, 17]}, False)
    assert result["seen"] == ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"] * 3 + [17]


def test_the_secrets_of_a_task_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: set[str] = set()
    monkeypatch.setattr(options_module, "register_secrets", registered.update)
    options = {"origin_type": "group", "target": GROUP, "token": "token-of-the-task"}
    run_in_process(NAME, options, TRANSFER_SPEC, lambda _options, _check_mode, caller: {}, False)
    assert "token-of-the-task" in registered


def test_ansible_knows_the_secrets_after_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    ansible_secrets = pytest.importorskip("ansible.module_utils.secrets", reason="since ansible-core 2.22")
    monkeypatch.setenv("KOODRIVE_APP_SECRET", "app-secret-of-the-environment")
    options = {"origin_type": "group", "target": GROUP, "token": "token-of-the-task"}
    run_in_process(NAME, options, TRANSFER_SPEC, lambda _options, _check_mode, caller: {}, False)
    masked = ansible_secrets.mask_secrets("<app-secret-of-the-environment> <token-of-the-task> <what-else-there-is>")
    assert masked == "<$REDACTED$> <$REDACTED$> <what-else-there-is>"


def test_an_error_of_the_work_is_a_failed_result(koodrive: KooDriveForTests) -> None:
    result = run(koodrive, token="wrong-token")
    assert result["failed"] is True and result["error"]["kind"] == "authentication"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origin_type": "team"}, "value of origin_type must be one of: department, individual, group, got: team"),
        ({"target": None}, "missing required arguments: target"),
        ({"colour": "red"}, f"Unsupported parameters for ({NAME}) module: colour."),
        ({"target": [{"type": "group", "total_capacity": None}]}, "one of the following is required: total_capacity"),
        ({"target": "{{ nothing }}"}, "An entry of the argument 'target' is of type text, and must be a dictionary."),
        ({"target": "no list"}, "An entry of the argument 'target' is of type text, and must be a dictionary."),
        ({"target": GROUP[0]}, "argument 'target' is of type dictionary, and must be a list, even for one entry."),
        ({"taget": GROUP, "target": None}, "Unsupported parameters: taget. Supported"),
        ({"verify": "perhaps"}, "argument 'verify' is of type text, and must be true or false."),
        ({"retries": float("inf")}, "argument 'retries' is of type text, and must be a whole number, without unit or separator"),
        ({"target": [{"total_capacity": 1}]}, "missing required arguments: type found in target"),
        ({"target": [{"type": "group"}]}, "one of the following is required: total_capacity"),
        ({"timeout": "long"}, "argument 'timeout' is of type text, and must be a whole number, without unit or separator"),
    ],
)
def test_options_are_checked_as_a_module_checks_them(koodrive: KooDriveForTests, options: dict[str, Any], message: str) -> None:
    result = run(koodrive, **options)
    assert result["failed"] is True and result["error"]["kind"] == "invalid_request"
    assert result["msg"].startswith(message) and koodrive.methods() == []


@pytest.mark.parametrize(
    ("pools", "message"), [(None, "missing required arguments: pools"), ([{"total_capacity": 1}], "missing required arguments: type found in pools")]
)
def test_a_layout_must_have_pools_with_types(pools: Any, message: str) -> None:
    result = run_in_process("huaweicloud.koodrive.koodrive_space_allocation", {"pools": pools}, ALLOCATION_SPEC, allocate_capacity, False)
    assert result["failed"] is True and result["msg"].startswith(message)


def test_the_work_gets_values_without_ansibles_tags(koodrive: KooDriveForTests) -> None:
    class Vaulted:
        def __str__(self) -> str:
            return TOKEN

    class Tagged(str):
        """A text with something attached to it."""

    result = run(koodrive, token=Vaulted(), origin_type=Tagged("department"), verify=False)
    assert result["changed"] and koodrive.methods() == ["GET", "POST"]
    assert result["invocation"]["module_args"]["origin_type"].__class__ is str


def test_the_text_of_a_list_and_blanks_are_read_as_a_module_reads_them(koodrive: KooDriveForTests) -> None:
    result = run(koodrive, target=json.dumps([{**GROUP[0], "expand_capacity": None}]), verify_timeout=" ")
    assert result["changed"] and result["invocation"]["module_args"]["verify_timeout"] == TRANSFER_SPEC["verify_timeout"].get("default")


@pytest.mark.parametrize(
    "endpoint", ["https://usr:SEKRIT@example.org", "https://example.org/?token=SEKRIT", "example.org/SEKRIT", "https://example.org#SEKRIT", "SEKR!T"]
)
def test_a_refused_endpoint_is_not_in_the_invocation(endpoint: str) -> None:
    options = {"origin_type": "department", "target": GROUP, "token": "t0ken", "endpoint": endpoint}
    result = run_in_process(NAME, options, TRANSFER_SPEC, transfer_capacity, False)
    assert result["error"]["kind"] == "invalid_request" and "endpoint" in result["msg"]
    assert result["invocation"]["module_args"]["endpoint"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert endpoint not in json.dumps(result) and "SEKRIT" not in json.dumps(result) and "example.org" not in json.dumps(result)


def test_the_working_directory_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "playbook").mkdir()
    monkeypatch.chdir(tmp_path / "before")
    open_files = psutil.Process().num_fds()
    with pytest.raises(ZeroDivisionError), working_in(str(tmp_path / "playbook")):
        assert Path.cwd() == tmp_path / "playbook"
        (tmp_path / "before").rename(tmp_path / "moved")
        raise ZeroDivisionError
    assert Path.cwd() == tmp_path / "moved" and psutil.Process().num_fds() == open_files


def test_the_environment_of_a_task_ends_with_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "before")
    monkeypatch.delenv("KOODRIVE_TENANT", raising=False)
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), with_environment({"NO_PROXY": "*", "KOODRIVE_TENANT": 1071}):
        assert os.environ["NO_PROXY"] == "*" and os.environ["KOODRIVE_TENANT"] == "1071"
        raise ZeroDivisionError
    assert dict(os.environ) == before


class Action(InProcessAction):
    """An action that reads the pools."""

    argument_spec = ALLOCATION_INFO_SPEC
    work = staticmethod(allocation_info)


def action_of(transport: str = "local", become: Any = None, **keywords: Any) -> Action:
    """Return the action of a task with this connection and these keywords."""
    shell = SimpleNamespace(env_prefix=lambda **_variables: "", tmpdir=None)
    task = SimpleNamespace(**{"async_val": 0, "environment": None, "action": NAME, "args": {}, "check_mode": False, "diff": False, "no_log": False, **keywords})
    connection = SimpleNamespace(transport=transport, become=become, _shell=shell)
    loader = DataLoader()
    return Action(task, connection, None, loader, Templar(loader), None)


def reason_for_module(variables: Mapping[str, Any] | None = None, **keywords: Any) -> str | None:
    """Return why a task with these variables and keywords must run as a module, or None."""
    action = action_of(**keywords)
    environment: dict[str, Any] = {}
    action._compute_environment_string(environment)
    return action._reason_for_module(variables or {}, environment)


def failing_reply(status: int) -> Fault:
    """Return a fault whose reply repeats the token of the request."""
    body = f"The token {TOKEN} is of no use.".encode()
    return Fault(reply="raw", raw=b"HTTP/1.1 %d Busy\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


def test_a_task_that_waits_long_says_so_on_the_screen_without_secrets(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(in_process.display, "display", lambda text, *_more, **_keywords: shown.append(text))
    monkeypatch.setattr(client, "LONGEST_SILENCE", 0.0)
    koodrive.script(failing_reply(503))
    result = action_of(args={"endpoint": koodrive.endpoint, "token": TOKEN}).run(task_vars={"inventory_hostname": "localhost"})
    assert result["allocation"]["group"]["total_capacity"] == 500
    tries = TRANSFER_SPEC["retries"]["default"] + 1
    assert len(shown) == 1 and shown[0].startswith(f"[localhost] Reading the pools failed (try 1 of {tries}): ") and shown[0].endswith(" Trying again.")
    assert "The token ******** is of no use." in shown[0] and TOKEN not in shown[0]


def test_a_task_with_no_log_says_nothing_on_the_screen(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(in_process.display, "display", lambda text, *_more, **_keywords: shown.append(text))
    monkeypatch.setattr(client, "LONGEST_SILENCE", 0.0)
    koodrive.script(failing_reply(503))
    result = action_of(args={"endpoint": koodrive.endpoint, "token": TOKEN}, no_log=True).run(task_vars={"inventory_hostname": "localhost"})
    assert result["allocation"] and not shown


def test_the_environment_of_a_task_is_used(koodrive: KooDriveForTests) -> None:
    action = action_of(environment=[{"KOODRIVE_ENDPOINT": koodrive.endpoint}, {"KOODRIVE_TOKEN": TOKEN}])
    assert action.run(task_vars={})["allocation"]["group"]["total_capacity"] == 500


def test_what_a_task_says_is_masked_like_its_result() -> None:
    said: list[str] = []

    def work(_options: Mapping[str, Any], _check_mode: bool, *, caller: Caller) -> dict[str, Any]:
        caller.say(f"The server said {TOKEN}.")
        return {}

    run_in_process(NAME, {"origin_type": "group", "target": GROUP, "token": TOKEN}, TRANSFER_SPEC, work, False, Caller(say=said.append))
    assert said == ["The server said ********."]


def test_a_task_on_this_machine_needs_no_module() -> None:
    assert reason_for_module() is None
    assert reason_for_module({SWITCH: True}) is reason_for_module({SWITCH: "yes"}) is None
    assert reason_for_module(environment=[]) is reason_for_module(environment=[{}]) is None


@pytest.mark.parametrize(
    "name",
    [
        "KOODRIVE_TOKEN",
        "KOODRIVE_LEDGER",
        "HTTPS_PROXY",
        "https_proxy",
        "http_proxy",
        "ALL_PROXY",
        "No_Proxy",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    ],
)
def test_an_environment_that_is_read_at_each_run_needs_no_module(name: str) -> None:
    assert reason_for_module(environment=[{name: "x"}]) is None
    assert reason_for_module(environment=[{name: "x"}, {"PATH": "x"}]) == "its environment has PATH"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"variables": {SWITCH: False}}, "koodrive_in_process is false"),
        ({"variables": {SWITCH: "no"}}, "koodrive_in_process is false"),
        ({"variables": {SWITCH: "perhaps"}}, "koodrive_in_process is false"),
        ({"transport": "ssh"}, "the connection is ssh"),
        ({"become": object()}, "it becomes another user"),
        ({"async_val": 30}, "it is asynchronous"),
        ({"environment": [{"LANG": "C"}]}, "its environment has LANG"),
        ({"environment": [{}, {"LANG": "C"}]}, "its environment has LANG"),
        # OpenSSL reads it when a TLS context is made, and the context was made before.
        ({"environment": [{"SSLKEYLOGFILE": "/tmp/keys"}]}, "its environment has SSLKEYLOGFILE"),
        ({"environment": [{"XHTTPS_PROXY": "x"}]}, "its environment has XHTTPS_PROXY"),
    ],
)
def test_a_task_that_needs_a_module_says_why(given: dict[str, Any], reason: str) -> None:
    assert reason_for_module(**given) == reason


def test_an_asynchronous_task_waits_for_its_module_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(Action, "_execute_module", lambda _action, **keywords: given.update(keywords) or {"started": 1})
    assert action_of(async_val=30).run(task_vars={})["started"] == 1
    assert given["wrap_async"] == 30


def test_only_a_module_on_this_machine_can_watch_its_playbook() -> None:
    assert CALLER in action_of()._module_arguments(1)
    assert CALLER not in action_of(transport="ssh")._module_arguments(1)
    assert CALLER not in action_of(async_val=30)._module_arguments(1)


def test_a_module_knows_when_the_keyword_timeout_ends_its_task() -> None:
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        _worker, _playbook, end = action_of()._module_arguments(1)[CALLER]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert began + 99 < end <= time.monotonic() + 100


def test_macos_and_a_python_without_requests_need_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "REQUESTS_IMPORT_ERROR", "Traceback")
    assert "requests cannot be imported" in str(reason_for_module())
    monkeypatch.setattr(in_process.sys, "platform", "darwin")
    assert "macOS" in str(reason_for_module())


@pytest.mark.parametrize(("ledger", "loaded"), [("", False), ("/var/lib/koodrive", False), ("postgresql://host/db", True)])
def test_the_library_of_a_database_is_loaded_where_it_is_used(ledger: str, loaded: bool) -> None:
    program = "import sys\nfrom ansible_collections.huaweicloud.koodrive.plugins.plugin_utils import in_process\nprint('psycopg' in sys.modules)"
    assert _printed(program, ledger) == str(loaded)


def test_the_workers_inherit_a_started_openssl() -> None:
    connection = "type('', (), {'encrypt_password': lambda _self, *given: print(given[2])})()"
    replaced = f"import psycopg\npsycopg.pq.PGconn = type('', (), {{'connect_start': staticmethod(lambda _address: {connection})}})\n"
    program = f"{replaced}from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils import in_process"
    assert _printed(program, "postgresql://host/db") == "b'md5'"


def _printed(program: str, ledger: str) -> str:
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KOODRIVE_LEDGER": ledger}
    done = subprocess.run([sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.strip()
