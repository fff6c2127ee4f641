# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every YAML example of the documentation as it stands, each against a simulated KooDrive of its own."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from .simulator.server import Simulator, new_state
from .simulator.tenant import Tenant

ROOT = Path(__file__).parent.parent
TOKEN = "examples-token"
POOLS = {
    "department": {"total": 6000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 900},
    "group": {"total": 2000, "allocated": 500},
}


def examples() -> Iterator[tuple[str, str]]:
    """Where each example stands, and its text."""
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
                yield f"{path.name}, EXAMPLES", ast.literal_eval(node.value)
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL), 1):
            yield f"{path.name}, example {number}", text
    for path in sorted((ROOT / "docs/examples").glob("*.yml")):
        yield path.name, path.read_text(encoding="utf-8")


def playbook(text: str) -> list[dict[str, Any]]:
    """The example as a playbook: some are plays, others are tasks."""
    items = yaml.safe_load(text)
    return items if "hosts" in items[0] else [{"hosts": "localhost", "gather_facts": False, "tasks": items}]


def play(text: str) -> subprocess.CompletedProcess[str]:
    """Run the example against a simulated KooDrive with a large department pool."""
    state = new_state(TOKEN)
    state.tenant = Tenant(POOLS)
    with tempfile.TemporaryDirectory() as folder, Simulator(state) as simulator:
        path = Path(folder) / "example.yml"
        path.write_text(yaml.safe_dump(playbook(text)), encoding="utf-8")
        return subprocess.run(
            ["ansible-playbook", "--diff", str(path)],
            env={**os.environ, "KOODRIVE_ENDPOINT": simulator.endpoint, "KOODRIVE_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def main() -> None:
    count = 0
    for where, text in examples():
        ended = play(text)
        count += 1
        # What an example says of its own end: a play that shows a failure is named so.
        expected = 2 if "the task fails" in text else 0
        if ended.returncode != expected:
            sys.exit(f"{where} ended with {ended.returncode} instead of {expected}:\n{ended.stdout}")
        sys.stdout.write(f"ok: {where}\n")
    if count < 5:
        sys.exit(f"Only {count} examples were found.")


if __name__ == "__main__":
    main()
