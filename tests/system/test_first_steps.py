# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first command of new users: make's simulator, without changes, in a checkout with a blank in its path."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import RECORDS
from ansible_collections.huaweicloud.koodrive.tests.examples import examples
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT

#: The folder with make's tools.
TOOLS = f".venv-{sys.version_info[0]}.{sys.version_info[1]}"
#: Seconds after which something is wrong.
PATIENCE = 60.0
#: The current environment, without the variables of the make that runs the tests.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "KOODRIVE_"))}


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path: Path) -> Path:
    """A checkout with the tools of the current environment, as make has installed them."""
    checkout = tmp_path / "a b/it's here"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns("output"))
    (checkout / TOOLS).symlink_to(sys.prefix)
    return checkout


def make(checkout: Path, *words: str) -> subprocess.Popen[str]:
    # make must use the installed tools, and install none.
    command = ["make", f"PYTHON={sys.executable}", f"--old-file={TOOLS}/demo", *words]
    output, together = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(command, cwd=checkout, env=ENVIRONMENT, stdout=output, stderr=together, text=True, start_new_session=True)


@pytest.fixture(name="simulator")
def fixture_simulator(checkout: Path) -> Iterator[subprocess.Popen[str]]:
    with make(checkout, "simulator", "ARGS=--port 0") as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def line_to_paste(simulator: subprocess.Popen[str]) -> str:
    return next(line.strip() for line in simulator.stdout or () if line.startswith("export "))


def test_the_simulator_serves_the_unchanged_playbook_of_the_readme(simulator: subprocess.Popen[str], tmp_path: Path) -> None:
    (tmp_path / "capacity.yml").write_text(next(text for where, text in examples() if where.startswith("README.md")), encoding="utf-8")
    line = line_to_paste(simulator)
    command = ["bash", "-c", f"{line} && ansible-playbook --diff capacity.yml"]
    ended = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert "changed=1" in ended.stdout, ended.stdout
    (ledger,) = re.findall(r"KOODRIVE_LEDGER=(\S+)", line)
    assert (Path(ledger) / RECORDS).exists()
    # Ctrl-C in a terminal sends the signal to all of its processes.
    os.killpg(simulator.pid, signal.SIGINT)
    rest = simulator.communicate(timeout=PATIENCE)[0]
    assert "POST /koodrive" in rest and "Traceback" not in rest and "***" not in rest
    assert not Path(ledger).exists()


def test_a_used_port_gets_one_sentence(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        said = make(checkout, "simulator", f"ARGS=--port {port}").communicate(timeout=PATIENCE)[0]
    assert re.fullmatch(f"Port {port} is in use: .+ARGS='--port {port + 1}'.\nmake: .+\n", said)


def test_the_steps_run_in_a_path_with_a_blank(checkout: Path) -> None:
    said = make(checkout, "room-demo", "room-system").communicate(timeout=PATIENCE)[0]
    assert "***" not in said
    for step in ("demo", "system"):
        assert (checkout / f".build/{step}/ansible_collections/huaweicloud/koodrive/galaxy.yml").exists() and (checkout / f".build/{step}/home").is_dir()
