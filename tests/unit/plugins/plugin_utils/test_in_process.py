# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path without a process, as a function."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.transfer import TRANSFER_SPEC, transfer_capacity
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.in_process import run_in_process
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

NAME = "huaweicloud.koodrive.koodrive_space_transfer"
GROUP = [{"type": "group", "total_capacity": 600}]


@pytest.fixture(name="koodrive")
def fixture_koodrive() -> Iterator[KooDriveForTests]:
    with KooDriveForTests(new_state(TOKEN)) as simulator:
        yield simulator


def run(koodrive: KooDriveForTests, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {"endpoint": koodrive.endpoint, "token": TOKEN, "origin_type": "department", "target": GROUP, **options}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    return run_in_process(NAME, arguments, TRANSFER_SPEC, transfer_capacity, check_mode)


def test_defaults_aliases_and_check_mode(koodrive: KooDriveForTests) -> None:
    predicted = run(koodrive, check_mode=True)
    assert koodrive.methods() == ["GET"]
    moved = run(koodrive)
    assert moved["changed"] and moved["allocation"] == predicted["allocation"]
    assert "warnings" not in moved and "failed" not in moved
    assert moved["invocation"]["module_args"]["verify_timeout"] == 30


def test_secrets_of_the_task_are_masked(koodrive: KooDriveForTests) -> None:
    result = run(koodrive)
    assert result["invocation"]["module_args"]["token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert TOKEN not in json.dumps(result)


def test_secrets_of_the_environment_are_masked(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOODRIVE_TOKEN", TOKEN)

    def leak(options: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        return {"changed": True, "seen": f"<{TOKEN}>", "given": options["token"]}

    result = run_in_process(NAME, {"origin_type": "group", "target": GROUP}, TRANSFER_SPEC, leak, False)
    assert result["seen"] == "<********>" and result["given"] is None and result["changed"] is True


def test_a_flag_is_not_taken_for_a_secret() -> None:
    options = {"origin_type": "group", "target": GROUP, "token": "True"}
    result = run_in_process(NAME, options, TRANSFER_SPEC, lambda _options, _check_mode: {"changed": True}, False)
    assert result["changed"] is True


def test_an_error_of_the_work_is_a_failed_result(koodrive: KooDriveForTests) -> None:
    result = run(koodrive, token="wrong-token")
    assert result["failed"] is True and result["error"]["kind"] == "authentication"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origin_type": "team"}, "value of origin_type must be one of: department, individual, group, got: team"),
        ({"target": None}, "missing required arguments: target"),
        ({"colour": "red"}, f"Unsupported parameters for ({NAME}) module: colour."),
        ({"target": [{"type": "group"}]}, "one of the following is required: total_capacity"),
        ({"timeout": "long"}, "argument 'timeout' is of type"),
    ],
)
def test_options_are_checked_as_a_module_checks_them(
    koodrive: KooDriveForTests, options: dict[str, Any], message: str
) -> None:
    result = run(koodrive, **options)
    assert result["failed"] is True and result["error"]["kind"] == "invalid_request"
    assert result["msg"].startswith(message) and koodrive.methods() == []


def test_what_ansible_attaches_to_values_does_not_get_through(koodrive: KooDriveForTests) -> None:
    class Vaulted:
        def __str__(self) -> str:
            return TOKEN

    class Tagged(str):
        """A text with something attached to it."""

    result = run(koodrive, token=Vaulted(), origin_type=Tagged("department"), verify=False)
    assert result["changed"] and koodrive.methods() == ["GET", "POST"]
    assert result["invocation"]["module_args"]["origin_type"].__class__ is str
