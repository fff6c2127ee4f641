# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of ansible-lint for playbooks that use the installed collection."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.tests.examples import examples
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

pytestmark = pytest.mark.broad
PLAY = """\
---
- name: Move
  hosts: localhost
  gather_facts: false
  tasks:
"""
TRANSFER = """\
    - name: Move so much
      huaweicloud.koodrive.koodrive_space_transfer:
        {}
"""
INFO = """\
    - name: Look
      huaweicloud.koodrive.koodrive_space_allocation_info:
        {}
"""
GROUP = "target: [{type: group, total_capacity: 5}]"
ORIGIN = "origin_type: department"
WRONG = {
    TRANSFER.format(f"{ORIGIN}\n        {GROUP}\n        tmeout: 5"): "tmeout",
    TRANSFER.format(f"origin_type: departement\n        {GROUP}"): "value of origin_type must be one of: department, individual, group",
    TRANSFER.format(ORIGIN): "missing required arguments: target",
    TRANSFER.format(GROUP): "missing required arguments: origin_type",
    TRANSFER.format(f"{ORIGIN}\n        target: [{{type: group}}]"): "one of the following is required: total_capacity",
    TRANSFER.format(f"{ORIGIN}\n        target: [{{type: team, total_capacity: 5}}]"): "value of type must be one of",
    TRANSFER.format(f"{ORIGIN}\n        target: [{{type: group, total_capacity: 5, reserve: 5}}]"): "target.reserve",
    TRANSFER.format(f"{ORIGIN}\n        {GROUP}\n        verify_timeout: soon"): "argument 'verify_timeout' is of type",
    INFO.format("tokn: secret"): "tokn",
    INFO.format("retries: many"): "argument 'retries' is of type",
}
RIGHT = [
    TRANSFER.format(f"{ORIGIN}\n        {GROUP}"),
    TRANSFER.format('source_type: department\n        targets: [{type: group, unallocated_capacity: 5}, {type: individual, expand_capacity: "1"}]'),
    TRANSFER.format('origin_type: "{{ origin }}"\n        target: "{{ pools }}"\n        timeout: "{{ seconds }}"\n        token: "{{ token }}"'),
    INFO.format('timeout: 5\n        validate_certs: "{{ certs }}"'),
    INFO.format("{}").replace(":\n        {}", ":"),
]


@pytest.fixture(name="home", scope="session")
def fixture_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of a user, with the collection installed as README.md says."""
    home = tmp_path_factory.mktemp("home")
    ended = subprocess.run(["ansible-galaxy", "collection", "install", str(ROOT)], env=surroundings(home), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return home


def surroundings(home: Path) -> dict[str, str]:
    """Return the environment with ``home`` as home folder, and without the collection of the tests."""
    kept = {name: value for name, value in os.environ.items() if name not in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH")}
    return {**kept, "HOME": str(home)}


def lint(home: Path, playbook: str, tmp_path: Path) -> tuple[str, str]:
    """Return what ansible-lint finds in a playbook, and its other output. It must not send requests to KooDrive."""
    (tmp_path / "play.yml").write_text(playbook, encoding="utf-8")
    with KooDriveForTests(new_state(TOKEN)) as koodrive:
        environment = {**surroundings(home), "KOODRIVE_ENDPOINT": koodrive.endpoint, "KOODRIVE_TOKEN": TOKEN}
        command = ["ansible-lint", "--offline", "--strict", "--nocolor", "--format=pep8", "play.yml"]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert koodrive.methods() == []
    assert ended.returncode == (2 if ended.stdout else 0), ended.stderr
    return ended.stdout, ended.stderr


def test_each_mistake_in_an_argument_is_found(home: Path, tmp_path: Path) -> None:
    found, _said = lint(home, PLAY + "".join(WRONG), tmp_path)
    lines = re.findall(r"^play\.yml:\d+: args\[module\].*", found, re.MULTILINE)
    assert len(lines) == len(WRONG), found
    for line, mistake in zip(lines, WRONG.values()):
        assert mistake in line


@pytest.mark.parametrize(
    "playbook",
    [PLAY + "".join(RIGHT), next(text for where, text in examples() if where.startswith("README.md") and "hosts:" in text)],
    ids=["ours", "README.md"],
)
def test_a_correct_playbook_passes(home: Path, tmp_path: Path, playbook: str) -> None:
    found, said = lint(home, playbook, tmp_path)
    assert found == "" and "Passed: 0 failure(s), 0 warning(s) in 1 files" in said
    assert "Ignored exception" not in said
