# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.demo: what this collection is, in a minute, against a simulated KooDrive."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .simulator.server import Simulator, new_state
from .simulator.tenant import Tenant

TOKEN = "demo-token"
EXAMPLES = Path("docs/examples")
POOLS = {
    "department": {"total": 4000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 900},
    "group": {"total": 500, "allocated": 500},
}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show_pools(simulator: Simulator, when: str) -> None:
    say(f"\n=== The pools {when} (GB)\n{'':<12}{'total':>8}{'allocated':>12}{'unallocated':>13}")
    for name, pool in simulator.state.tenant.by_name().items():
        say(f"{name:<12}{pool['total']:>8}{pool['allocated']:>12}{pool['total'] - pool['allocated']:>13}")


def let_people_come(simulator: Simulator) -> None:
    """Hand all out that the individuals have."""
    pools = simulator.state.tenant.by_name()
    simulator.state.tenant = Tenant({**pools, "individual": {**pools["individual"], "allocated": pools["individual"]["total"]}})


def play(simulator: Simulator, ledger: str, title: str, playbook: str, *options: str, expected: int = 0) -> None:
    command = ["ansible-playbook", *options, str(EXAMPLES / playbook)]
    say(f"\n=== {title}\n$ {' '.join(command)}")
    environment = {
        **os.environ,
        "KOODRIVE_ENDPOINT": simulator.endpoint,
        "KOODRIVE_TOKEN": TOKEN,
        "KOODRIVE_LEDGER": ledger,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOWS": "1",
    }
    ended = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    if ended != expected:
        sys.exit(f"The demonstration ended in an unexpected way: ansible-playbook returned {ended}, not {expected}.")


def main() -> None:
    state = new_state(TOKEN)
    state.tenant = Tenant(POOLS)
    with tempfile.TemporaryDirectory() as ledger, Simulator(state) as simulator:
        example = "room_for_new_people.yml"
        say(f"A simulated KooDrive listens on {simulator.endpoint}. The playbook:\n\n{(EXAMPLES / example).read_text()}")
        show_pools(simulator, "before")
        play(simulator, ledger, "A check run: what would move?", example, "--check", "--diff")
        play(simulator, ledger, "The transfer", example, "--diff")
        play(simulator, ledger, "The same task again: nothing is left to do", example)
        let_people_come(simulator)
        layout = "room_in_all_pools.yml"
        say(f"\n=== The 50 people have joined, and their capacity is allocated. The minimums of all pools are now:\n\n{(EXAMPLES / layout).read_text()}")
        play(simulator, ledger, "All pools at once: capacity moves from the pools that have enough to the others", layout, "--diff")
        play(simulator, ledger, "A transfer that the origin cannot give", "more_than_there_is.yml", expected=2)
        show_pools(simulator, "after")
        report = "usage_report.yml"
        say(f"\n=== How much of it is used? The playbook:\n\n{(EXAMPLES / report).read_text()}")
        play(simulator, ledger, "A report, with what is stored in the pools", report)
    # The collection and Ansible of this demonstration, so that the line works in any folder, and with nothing
    # installed.
    command = [shutil.which("ansible-playbook") or "ansible-playbook", "--check", "--diff", str(EXAMPLES.resolve() / "room_for_new_people.yml")]
    say(
        "\n=== For your own tenant, set KOODRIVE_ENDPOINT and KOODRIVE_TOKEN (or KOODRIVE_APP_ID, KOODRIVE_APP_SECRET and KOODRIVE_USER_ID)."
        "\nThen paste this line. It is a check run, and moves nothing:\n"
        f"\nANSIBLE_COLLECTIONS_PATH={shlex.quote(os.environ['ANSIBLE_COLLECTIONS_PATH'])} {shlex.join(command)}"
    )


if __name__ == "__main__":
    main()
