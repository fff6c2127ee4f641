# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of a task, with Ansible's own task, connection and templates."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar
from ansible_collections.huaweicloud.koodrive.plugins.action.koodrive_space_transfer import ActionModule
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import CALLER
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils import in_process
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

GROUP = [{"type": "group", "total_capacity": 600}]
MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def action_for(koodrive: KooDriveForTests) -> ActionModule:
    """Return the action of a task that moves capacity."""
    options = {"endpoint": koodrive.endpoint, "token": TOKEN, "ledger": koodrive.ledger, "origin_type": "department", "target": GROUP}
    loader = DataLoader()
    context = PlayContext()
    task = Task()
    task.action, task.args = "huaweicloud.koodrive.koodrive_space_transfer", options
    return ActionModule(
        task=task, connection=Connection(context, os.devnull), play_context=context, loader=loader, templar=Templar(loader=loader), shared_loader_obj=None
    )


@pytest.mark.parametrize(("setting", "shows_invocation"), [(True, True), (False, False), (None, True)])
def test_the_result_of_the_work_is_the_result_of_the_task(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, setting: bool | None, shows_invocation: bool
) -> None:
    def configured(name: str, **others: Any) -> Any:
        if name != "INJECT_INVOCATION":
            return of_ansible(name, **others)
        if setting is None:  # ansible-core before 2.21 does not know it.
            raise AnsibleError(name)
        return setting

    of_ansible = in_process.C.config.get_config_value
    monkeypatch.setattr(in_process.C.config, "get_config_value", configured)
    result = action_for(koodrive).run(task_vars={})
    assert result["changed"] and result["transfers"] == [{"type": "group", "expand_capacity": 100}]
    assert koodrive.methods() == ["GET", "POST", "GET"]
    assert ("invocation" in result) is shows_invocation
    if shows_invocation:
        assert result["invocation"]["module_args"]["token"] == MASKED


def test_as_a_module_it_knows_its_parents_and_its_result_is_masked(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def execute(_self: ActionModule, module_args: dict[str, Any], **_others: Any) -> dict[str, Any]:
        given.update(module_args)
        return {"changed": True, "leaked": f"<{TOKEN}>"}

    monkeypatch.setattr(ActionModule, "_execute_module", execute)
    result = action_for(koodrive).run(task_vars={in_process.SWITCH: False})
    assert given[CALLER] == (os.getpid(), os.getppid(), None) and given["token"] == TOKEN
    assert result["changed"] and result["leaked"] == "<********>" and koodrive.methods() == []


def test_nothing_is_sent_once_the_process_that_started_the_worker_has_ended(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item of a loop can begin after the end of its playbook, when its worker has another parent."""
    monkeypatch.setattr(in_process.multiprocessing, "parent_process", lambda: SimpleNamespace(pid=2**30))
    with pytest.raises(AnsibleError, match="has ended"):
        action_for(koodrive).run(task_vars={})
    assert koodrive.methods() == []


@pytest.mark.parametrize(
    ("variables", "way"),
    [({}, "runs in Ansible's own process"), ({in_process.SWITCH: False}, "runs as a module: koodrive_in_process is false")],
)
def test_it_says_which_way_it_takes(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, variables: dict[str, Any], way: str) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(in_process.display, "vvv", lambda text, host=None: said.append((text, host)))
    monkeypatch.setattr(ActionModule, "_execute_module", lambda _self, **_arguments: {})
    action_for(koodrive).run(task_vars={"inventory_hostname": "one", **variables})
    assert (f"huaweicloud.koodrive.koodrive_space_transfer {way}", "one") in said
