# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CONTRIBUTING.md against what it is about: the rooms and what they import, the commands, and the files that it
names.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OURS = "ansible_collections.huaweicloud.koodrive."
CODE = re.compile("`([^`]+)`")
#: Each room, and the column of the table with what it imports.
TABLE = dict(re.findall(r"^\| `([\w./]+)` \| .+ \| ([^|]+) \|$", CONTRIBUTING, re.MULTILINE))
#: The rooms that have more YAML than Python.
OF_YAML = ("extensions/eda/rulebooks/", "playbooks/", "roles/")
COMMANDS = re.findall(r"^\| `make ([\w-]+)` \|", CONTRIBUTING, re.MULTILINE)


#: The files of the packages in plugins/module_utils/, in the order of the table.
FILES = re.findall(r"^\| `(\w+/\w+\.py)` \| ", CONTRIBUTING, re.MULTILINE)
PACKAGES = "plugins/module_utils/"


def short(room: str) -> str:
    """Return the name of a room in the column of imports: a file's own, the package's below module_utils, or the
    folder's.
    """
    if not room.endswith("/"):
        return Path(room).stem
    return room.removeprefix(PACKAGES) if room.startswith(PACKAGES) else room.replace("plugins/plugin_utils/", "plugin_utils/")


def room_of(file: Path) -> str:
    """Return the room of ``file``: its package below module_utils, the file itself, or its folder."""
    path = str(file.relative_to(ROOT))
    if path.startswith(PACKAGES):
        return path if path.count("/") == PACKAGES.count("/") else "/".join(path.split("/")[:3]) + "/"
    return path if path.startswith("extensions/") else "/".join(path.split("/")[:2]) + "/"


def files_of(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py")) if room.endswith("/") else [ROOT / room]


def import_statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports below ``node``, those alone left out that a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from import_statements(child)


def full_name(statement: ast.ImportFrom, file: Path) -> str:
    """What ``statement`` in ``file`` imports from, a relative one made absolute."""
    folders = file.relative_to(ROOT).parts[: -statement.level] if statement.level else ()
    return (OURS if folders else "") + ".".join([*folders, *filter(None, [statement.module])])


def imported(file: Path) -> set[str]:
    """The modules that ``file`` imports by their full names."""
    found = set()
    for statement in import_statements(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
            continue
        name = full_name(statement, file)
        # A package of ours is imported from, and no package is a room.
        whole = name.startswith(OURS) and (ROOT / name[len(OURS) :].replace(".", "/")).is_dir()
        found |= {f"{name}.{alias.name}" for alias in statement.names} if whole else {name}
    return found


def imports_of_python(room: str) -> set[str]:
    """What the Python of ``room`` imports of other rooms, and of packages that neither Python nor Ansible brings."""
    modules = {module for file in files_of(room) for module in imported(file)}
    rooms = {room_of(ROOT / (module[len(OURS) :].replace(".", "/") + ".py")) for module in modules if module.startswith(OURS)}
    packages = {module.split(".")[0] for module in modules} - {"ansible_collections", "ansible"} - sys.stdlib_module_names
    return {short(other) for other in rooms - {room}} | packages


def uses_of_yaml(room: str) -> set[str]:
    """The folders that have what the playbooks, tasks, variables and templates of ``room`` name in full."""
    folders = {path.stem: f"{folder}/" for folder in ("roles", "plugins/modules", "plugins/filter", "playbooks") for path in (ROOT / folder).iterdir()}
    folders |= {path.stem: path.stem for path in (ROOT / "extensions/eda/plugins/event_source").iterdir()}
    used = set()
    for file in sorted((ROOT / room).rglob("*")):
        if file.suffix in (".yml", ".j2") and "meta" not in file.parts:
            used |= {folders[name] for name in re.findall(r"\bhuaweicloud\.koodrive\.(\w+)", file.read_text(encoding="utf-8"))}
    return used - {room}


def test_the_table_has_every_room_and_no_other() -> None:
    of_code = {room_of(file) for folder in ("plugins", "extensions") for file in (ROOT / folder).rglob("*.py")}
    assert list(TABLE) and set(TABLE) == of_code | {*OF_YAML, "tests/simulator/"}


@pytest.mark.parametrize("room", TABLE)
def test_a_room_imports_what_the_table_says(room: str) -> None:
    told = set(CODE.findall(TABLE[room]))
    assert bool(told) is (TABLE[room] != "nothing")
    if room in OF_YAML:
        assert told == uses_of_yaml(room)
    elif room == "tests/simulator/":
        assert not {module for file in files_of(room) for module in imported(file) if module.startswith(OURS + "plugins")}
    else:
        assert told == imports_of_python(room)


def test_an_import_points_downwards() -> None:
    order = [short(room) for room in TABLE]
    upwards = {(room, other) for room, column in TABLE.items() for other in CODE.findall(column) if other in order[: order.index(short(room)) + 1]}
    assert upwards == set()


def test_the_table_has_each_file_of_the_packages() -> None:
    of_code = {str(file.relative_to(ROOT / PACKAGES)) for file in (ROOT / PACKAGES).glob("*/*.py") if file.stem != "__init__"}
    assert len(FILES) == len(set(FILES)) and set(FILES) == of_code


def test_an_import_within_a_package_points_downwards() -> None:
    names = {f"{OURS}{PACKAGES.replace('/', '.')}{file[:-3].replace('/', '.')}": number for number, file in enumerate(FILES)}
    upwards = [(file, module) for number, file in enumerate(FILES) for module in imported(ROOT / PACKAGES / file) if names.get(module, number + 1) <= number]
    assert upwards == []


def test_the_commands_of_the_table_are_what_test_and_broad_run() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^(?:test|broad):.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert len(recipes) == 2
    steps = {step for recipe in recipes for words in re.findall(r"--output-sync=target (.+)", recipe) for step in words.split()}
    # The three integration steps are one command.
    assert set(COMMANDS) == {"integration" if step.startswith("integration-") else step for step in steps} and len(COMMANDS) == len(set(COMMANDS))


def test_make_knows_each_command() -> None:
    targets = sorted(set(re.findall(r"`make ([\w-]+)", CONTRIBUTING)))
    assert len(targets) > len(COMMANDS)
    ended = subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_each_file_that_it_names_is_there() -> None:
    named = {name for name in CODE.findall(CONTRIBUTING) if re.search(r"\.(py|yml|rst|md|txt)$", name) and "NAME" not in name}
    there = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.*")}
    assert len(named) > 30
    assert [name for name in sorted(named) if not any(path == name or path.endswith(f"/{name}") for path in there)] == []
