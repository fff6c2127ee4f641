# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script for integration servers, with a stand-in for make, and the empty home folders."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT

#: The home that it is started with.
HOME = {".ansible/test/id_rsa": "", ".config/pip/pip.conf": "[global]\n", ".cache/pip/wheel": "", ".netrc": ""}


class Run:
    """A clean checkout with the script, and a home of its user."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.home = folder / "home"
        self.temporary = folder / "temporary"
        for name in (".ci/run", "tests/tools/new_home.sh"):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.checkout / name)
        for name, content in HOME.items():
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(content, encoding="utf-8")
        self.temporary.mkdir()
        for arguments in (["init"], ["add", "."], ["-c", "user.name=N", "-c", "user.email=n@example.org", "commit", "-m", "All"]):
            subprocess.run(["git", "-C", str(self.checkout), *arguments], check=True, capture_output=True)

    def start(self, make: str) -> subprocess.Popen[str]:
        """Start the script with this shell code as ``make``. The code has the arguments in $*."""
        stand_in = self.temporary.parent / "bin/make"
        stand_in.parent.mkdir()
        stand_in.write_text(f"#!/usr/bin/env bash\nset -eu\n{make}\n", encoding="utf-8")
        stand_in.chmod(0o755)
        promtool = stand_in.with_name("promtool")
        promtool.touch()
        promtool.chmod(0o755)
        environment = {"HOME": str(self.home), "PATH": f"{stand_in.parent}:{os.environ['PATH']}", "TMPDIR": str(self.temporary)}
        return subprocess.Popen(
            [self.checkout / ".ci/run"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def ended(self, make: str) -> tuple[int, str]:
        """Return its exit status and output."""
        process = self.start(make)
        said = process.communicate(timeout=30)[0]
        return process.returncode, said


@pytest.fixture(name="run")
def fixture_run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_it_runs_with_nothing_in_the_home_but_what_pip_knows(run: Run) -> None:
    returned, said = run.ended('echo "$*"; cd ~; find -L . -type f | sort')
    files = "./.cache/pip/wheel\n./.config/pip/pip.conf\n./.netrc\n"
    assert (returned, said) == (0, f"demo\n{files}demo-eda\n{files}test\n{files}broad\n{files}bench ROUNDS=1\n{files}")
    assert list(run.temporary.iterdir()) == [] and all((run.home / name).exists() for name in HOME)


@pytest.mark.parametrize("left", ["new", "tests/new", ".ci/run"])
def test_it_objects_to_what_is_left_in_the_checkout(run: Run, left: str) -> None:
    returned, said = run.ended(f'[ "$1" != test ] || echo "#" >> {left}')
    assert returned == 1 and said.startswith("The checkout is no longer clean:\n") and left in said


def test_it_objects_to_a_step_that_works_in_the_home_that_all_share(run: Run) -> None:
    returned, said = run.ended('[ "$1" != test ] || mkdir ~/.ansible')
    assert returned == 1 and said.startswith("A step has worked in the home that all share:\n") and said.endswith("/.ansible\n")


def test_a_failure_ends_it_and_leaves_no_home(run: Run) -> None:
    assert run.ended('echo "$1"; [ "$1" != test ] || exit 2') == (2, "demo\ndemo-eda\ntest\n")
    assert list(run.temporary.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_home(run: Run, how: signal.Signals) -> None:
    process = run.start("echo started; sleep 30")
    with process:
        assert process.stdout and process.stdout.readline() == "started\n"
        os.killpg(process.pid, how)
        process.wait(timeout=20)
    assert process.returncode != 0 and list(run.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "cache", "configuration"),
    [
        ({}, ".cache/pip", ".config/pip"),
        ({"XDG_CACHE_HOME": "caches", "XDG_CONFIG_HOME": "settings"}, "caches/pip", "settings/pip"),
        ({"XDG_CACHE_HOME": "caches", "PIP_CACHE_DIR": "of pip"}, "of pip", ".config/pip"),
    ],
)
def test_a_new_home_knows_what_pip_knew_in_the_old_one(tmp_path: Path, settings: dict[str, str], cache: str, configuration: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new home"
    for name in (cache, configuration, ".pip"):
        (old / name).mkdir(parents=True)
        (old / name / "file").touch()
    environment = {"PATH": os.environ["PATH"], "HOME": str(old), **{name: str(old / path) for name, path in settings.items()}}
    for _again in range(2):
        subprocess.run([ROOT / "tests/tools/new_home.sh", new], env=environment, check=True)
        assert {path.relative_to(new): path.resolve() for path in new.rglob("*") if path.is_symlink()} == {
            Path(".cache/pip"): old / cache,
            Path(".config/pip"): old / configuration,
            Path(".pip"): old / ".pip",
        }
        assert not (new / ".ansible").exists() and all((old / name / "file").exists() for name in (cache, configuration, ".pip"))
        (new / ".ansible").mkdir()
