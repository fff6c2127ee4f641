# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that sets up AWX, with AWX's own modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import CREDENTIAL_TYPE, JOB_TEMPLATES
from ansible_collections.huaweicloud.koodrive.tests.system.fake_awx import TOKEN, FakeAWX

#: Where the tests' make target has put the collection awx.awx.
AWX_COLLECTIONS = os.environ["AWX_COLLECTIONS"]


@pytest.fixture(name="awx")
def fixture_awx() -> Iterator[FakeAWX]:
    with FakeAWX() as awx:
        yield awx


def set_up(awx: FakeAWX, *options: str, collections: str = AWX_COLLECTIONS, **variables: str) -> str:
    """What the playbook prints; it must succeed."""
    variables = {"awx_setup_project": "KooDrive", "awx_setup_inventory": "Any", **variables}
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{collections}",
        "CONTROLLER_HOST": awx.endpoint,
        "CONTROLLER_OAUTH_TOKEN": TOKEN,
        # The modules of AWX's last release use what newer releases of ansible-core call deprecated.
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }
    command = ["ansible-playbook", "huaweicloud.koodrive.awx_setup", "-e", json.dumps(variables), *options]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert TOKEN not in ended.stdout
    return ended.stdout


def test_it_creates_what_is_defined_and_only_once(awx: FakeAWX) -> None:
    assert "changed=2" in set_up(awx, awx_setup_credential="Tenant", awx_setup_organization="Ours")
    (credential_type,) = awx.objects["credential_types"]
    assert {key: credential_type[key] for key in CREDENTIAL_TYPE} == CREDENTIAL_TYPE
    templates = awx.objects["job_templates"]
    for template, defined in zip(templates, JOB_TEMPLATES):
        assert template["survey"] == defined["survey"] and template["survey_enabled"] is True
        assert template["playbook"] == f"playbooks/{defined['playbook']}" and template["name"] == defined["name"]
        assert template["ask_job_type_on_launch"] is True and template["ask_diff_mode_on_launch"] is True
        assert template["allow_simultaneous"] is False and template["verbosity"] == 0 and template["job_type"] == "run"
        assert template["project"] == template["inventory"] == template["organization"] == 1 and template["credentials"] == [1]
        assert json.loads(template["extra_vars"]) == defined["extra_vars"]
    assert len(templates) == len(JOB_TEMPLATES)
    awx.writes.clear()
    assert "changed=0" in set_up(awx, awx_setup_credential="Tenant", awx_setup_organization="Ours")
    assert awx.writes == []


def test_a_check_run_writes_nothing(awx: FakeAWX) -> None:
    assert "changed=2" in set_up(awx, "--check")
    assert awx.writes == []


def test_the_modules_of_automation_controller_and_playbooks_of_ones_own(awx: FakeAWX, tmp_path: Path) -> None:
    shutil.copytree(f"{AWX_COLLECTIONS}/ansible_collections/awx/awx", tmp_path / "ansible_collections/ansible/controller")
    set_up(awx, collections=str(tmp_path), awx_setup_modules="ansible.controller", awx_setup_folder="")
    assert [template["playbook"] for template in awx.objects["job_templates"]] == ["transfer.yml", "onboard.yml", "report.yml"]


def test_it_wants_to_know_the_project(awx: FakeAWX) -> None:
    environment = {**os.environ, "CONTROLLER_HOST": awx.endpoint, "CONTROLLER_OAUTH_TOKEN": TOKEN}
    ended = subprocess.run(
        ["ansible-playbook", "huaweicloud.koodrive.awx_setup"], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2 and "Give awx_setup_project" in ended.stdout
    assert awx.writes == []
