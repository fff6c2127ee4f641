# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run each YAML example of the documentation unchanged, each against another simulated KooDrive.

An example is a playbook, tasks, an imported playbook or the requirements of a project.
tests/system/test_documented_commands.py runs all shell commands, rulebooks, and playbooks for AWX and several tenants.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from .simulator.server import Simulator, new_state
from .simulator.tenant import Tenant

ROOT = Path(__file__).parent.parent
TOKEN = "examples-token"
POOLS = {
    "department": {"total": 6000, "allocated": 400},
    "individual": {"total": 1000, "allocated": 900},
    "group": {"total": 1000, "allocated": 500},
}


#: The variables for an imported playbook, as a user would enter them.
ANSWERS = {"koodrive_origin_type": "department", "koodrive_target_type": "group", "koodrive_total_capacity": "2000"}
#: The address of the repository, as examples have it.
REPOSITORY = "https://koodrive.example.org/repository"
FOR_AWX = "awx.awx."
RULEBOOK = "  sources:\n"
#: The files of the guide on several tenants: no playbooks of their own, or with secrets that come from another file.
TENANTS = re.compile(r"# (secrets|tenants|every_tenant|one_tenant|tenant_by_tenant)\.yml\n")


def examples() -> Iterator[tuple[str, str]]:
    """Where each example in YAML stands, and its text."""
    for path in [*sorted((ROOT / "plugins/modules").glob("*.py")), *sorted((ROOT / "plugins/filter").glob("*.py"))]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
                yield f"{path.name}, EXAMPLES", ast.literal_eval(node.value)
    yield from blocks("yaml")
    for path in sorted((ROOT / "docs/examples").glob("*.yml")):
        yield path.name, path.read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Where each block of code in ``language`` stands in the documentation's pages, and its text."""
    markdown = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "roles").rglob("README.md"))]
    for path in markdown:
        found = re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        yield from ((f"{path.relative_to(ROOT)}, {language} {number}", text) for number, text in enumerate(found, 1))
    for path in sorted((ROOT / "docs").rglob("*.rst")):
        found = re.findall(rf"\.\. code-block:: {language}\n\n((?: +.*\n|\n)+)", path.read_text(encoding="utf-8"))
        yield from ((f"{path.name}, {language} {number}", textwrap.dedent(text)) for number, text in enumerate(found, 1))


def written(text: str, folder: Path) -> list[str]:
    """The command that runs the example, which is written to ``folder``."""
    items = yaml.safe_load(text)
    path = folder / "example.yml"
    if isinstance(items, dict):
        path.write_text(text, encoding="utf-8")
        return ["ansible-galaxy", "collection", "install", "-r", str(path), "-p", str(folder / "collections")]
    is_play = "hosts" in items[0] or "ansible.builtin.import_playbook" in items[0]
    plays = items if is_play else [{"hosts": "localhost", "gather_facts": False, "tasks": items}]
    path.write_text(yaml.safe_dump(plays), encoding="utf-8")
    return ["ansible-playbook", "--diff", str(path), *(["-e", json.dumps(ANSWERS)] if "import_playbook" in text else [])]


def repository(folder: Path) -> dict[str, str]:
    """Return an environment in which the address of the repository leads to a copy of this clone."""
    source = folder / "repository"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", "output"))
    git = ["git", "-C", str(source), "-c", "user.name=examples", "-c", "user.email=examples@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=all"]):
        subprocess.run([*git, *command], check=True)
    kept = {name: value for name, value in os.environ.items() if name not in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH")}
    return {**kept, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{source}.insteadOf", "GIT_CONFIG_VALUE_0": REPOSITORY}


def run(example: tuple[str, str]) -> str | None:
    """Run an example against a simulated KooDrive with a large department pool; what went wrong, if anything did."""
    where, text = example
    state = new_state(TOKEN)
    state.tenant = Tenant(POOLS)
    with tempfile.TemporaryDirectory() as folder, Simulator(state) as simulator:
        surroundings = repository(Path(folder)) if REPOSITORY in text else os.environ
        ended = subprocess.run(
            written(text, Path(folder)),
            cwd=folder,
            env={**surroundings, "KOODRIVE_ENDPOINT": simulator.endpoint, "KOODRIVE_TOKEN": TOKEN, "KOODRIVE_LEDGER": f"{folder}/ledger"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    # The name of a play that must fail says so.
    expected = 2 if "the task fails" in text else 0
    if ended.returncode != expected or "Nothing to do" in ended.stdout:
        return f"{where} ended with {ended.returncode} instead of {expected}:\n{ended.stdout}"
    sys.stdout.write(f"ok: {where}\n")
    return None


def main() -> None:
    found = [(where, text) for where, text in examples() if FOR_AWX not in text and RULEBOOK not in text and not TENANTS.match(text)]
    if len(found) < 14:
        sys.exit(f"Only {len(found)} examples were found.")
    with ThreadPoolExecutor(max_workers=2) as pool:
        failures = list(pool.map(run, found))
    if any(failures):
        sys.exit("\n".join(failure for failure in failures if failure))


if __name__ == "__main__":
    main()
