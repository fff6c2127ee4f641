# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published archive: its files, the importer's messages, and the first playbook of a user."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.postgresql import OLDEST_PSYCOPG
from ansible_collections.huaweicloud.koodrive.tests.examples import examples
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import APP, TOKEN, KooDriveForTests

#: What the images have for a ledger in PostgreSQL.
PSYCOPG = f"psycopg[binary]>={OLDEST_PSYCOPG}"
FOR_USERS = {"CHANGELOG.rst", "LICENSE", "README.md", "changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "requirements.txt", "roles"}


def run(*command: str, cwd: Path = ROOT, **environment: str) -> str:
    """Return the output of a command, which must succeed. It does not see the collection of the tests."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(command, cwd=cwd, env={**surroundings, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture(name="archive", scope="session")
def fixture_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    (archive,) = folder.glob("huaweicloud-koodrive-*.tar.gz")
    return archive


def test_the_archive_has_what_users_need_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as content:
        files = {name for name in content.getnames() if not content.getmember(name).isdir()}
    assert {name.split("/")[0] for name in files} == FOR_USERS | {"MANIFEST.json", "FILES.json"}
    assert [name for name in files if name.startswith("changelogs/")] == ["changelogs/changelog.yaml"]
    folders = ("plugins", "extensions", "roles", "playbooks", "docs", "meta")
    ours = set(run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders).split("\0"))
    assert {name for name in files if name.split("/")[0] in folders} == ours - {"", "docs/docsite/conf.py"}


def test_the_archive_leaves_out_only_existing_files() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    made = {".git", *(line.strip("/") for line in ignored)}
    left_out = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    assert [entry for entry in left_out if entry not in made and not list(ROOT.glob(entry))] == []


@pytest.mark.broad
def test_the_importer_has_no_complaints(archive: Path) -> None:
    importer = Path(os.environ["GALAXY_IMPORTER"])
    said = run(str(importer / "python"), "-m", "galaxy_importer.main", str(archive), cwd=archive.parent, PATH=f"{importer}:{os.environ['PATH']}")
    assert "Importer processing completed successfully" in said
    assert "run complete" in said and "WARNING" not in said and "ERROR" not in said


def test_the_first_playbook_of_the_readme_runs_from_it(archive: Path, tmp_path: Path) -> None:
    place = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "empty"), "HOME": str(tmp_path)}
    run("ansible-galaxy", "collection", "install", str(archive), "-p", str(tmp_path / "empty"), cwd=tmp_path, **place)
    playbook = tmp_path / "capacity.yml"
    playbook.write_text(next(text for where, text in examples() if where.startswith("README.md") and "hosts:" in text), encoding="utf-8")
    state = new_state(TOKEN, APP)
    state.tenant = Tenant({"department": {"total": 4000, "allocated": 0}, "individual": {"total": 0, "allocated": 0}, "group": {"total": 0, "allocated": 0}})
    with KooDriveForTests(state) as koodrive:
        place.update({"KOODRIVE_ENDPOINT": koodrive.endpoint, "KOODRIVE_TOKEN": TOKEN, "KOODRIVE_LEDGER": str(tmp_path / "ledger")})
        assert "changed=1" in run("ansible-playbook", "--check", "--diff", str(playbook), cwd=tmp_path, **place)
        assert "changed=1" in run("ansible-playbook", "--diff", str(playbook), cwd=tmp_path, **place)
        assert "changed=0" in run("ansible-playbook", str(playbook), cwd=tmp_path, **place)
        assert koodrive.totals() == {"department": 1500, "individual": 500, "group": 2000}
    assert "onboarding_capacity" in run("ansible-doc", "-t", "role", "-l", "huaweicloud.koodrive", cwd=tmp_path, **place)


@pytest.mark.parametrize(
    ("name", "packages"),
    [("execution-environment.yml", [PSYCOPG]), ("decision-environment.yml", ["ansible-rulebook>=1.3,<2", PSYCOPG])],
)
def test_environments_can_be_built_with_the_archive(archive: Path, tmp_path: Path, name: str, packages: list[str]) -> None:
    (tmp_path / archive.name).write_bytes(archive.read_bytes())
    (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    run("ansible-builder", "create", "--file", name, "--output-filename", "Containerfile", cwd=tmp_path)
    build = tmp_path / "context/_build"
    # What the image's build does with that, for there is no container engine in a test.
    assert "collection install" in (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    assert (build / "requirements.txt").read_text(encoding="utf-8").splitlines() == packages
    run(
        "ansible-galaxy",
        "collection",
        "install",
        "-r",
        "requirements.yml",
        "-p",
        str(tmp_path / "empty"),
        cwd=build,
        HOME=str(tmp_path),
        ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "empty"),
    )
    run("ansible-builder", "introspect", "--write-pip", "pip.txt", str(tmp_path / "empty"), cwd=tmp_path)
    assert (tmp_path / "pip.txt").read_text(encoding="utf-8").startswith("requests>=2.25.1")
