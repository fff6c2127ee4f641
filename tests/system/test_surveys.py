# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surveys, and which answers the playbooks and roles read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible_collections.huaweicloud.koodrive.plugins.filter.unknown_variables import PREFIXES, known_variables
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import JOB_TEMPLATES, ROOT, Loader
from jinja2 import nodes

#: The keys with an expression without braces.
EXPRESSIONS = {"that", "when", "failed_when", "changed_when", "until"}
#: The variable that the role for onboarding shares with the playbooks.
SHARED = {"capacity_step": "koodrive_capacity_step"}
#: Each dictionary of answers that a filter takes: its file, its name, and what all names of variables begin with.
ANSWERS = [
    ("roles/onboarding_capacity/vars/main.yml", "onboarding_capacity__answers", "onboarding_capacity_"),
    ("roles/capacity_report/vars/main.yml", "capacity_report__inputs", "capacity_report_"),
    ("playbooks/transfer.yml", "koodrive__answers", "koodrive_"),
    ("playbooks/balance.yml", "koodrive__answers", "koodrive_"),
    ("playbooks/awx_setup.yml", "awx_setup__answers", "awx_setup_"),
]


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def names_in(template: str) -> set[str]:
    """Return the variables that ``template`` reads."""
    return {name.name for name in jinja2.Environment().parse(template).find_all(nodes.Name) if name.ctx == "load"}


def values(content: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each single value in YAML with its key."""
    for name, value in content.items() if isinstance(content, dict) else ((key, value) for value in content):
        if isinstance(value, (dict, list)):
            yield from values(value, name)
        else:
            yield name, value


def names_read_by(content: Any) -> set[str]:
    """Return the variables that the values in YAML read."""
    texts = [f"{{{{ {value} }}}}" if key in EXPRESSIONS else value for key, value in values(content) if isinstance(value, str)]
    return {name for text in texts for name in names_in(text)}


def without_variables(content: Any, definitions: dict[str, Any]) -> Any:
    """Return plays or tasks without the variables that they define. Add these to ``definitions``."""
    if isinstance(content, list):
        return [without_variables(item, definitions) for item in content]
    if not isinstance(content, dict):
        return content
    definitions.update(content.get("vars") or {})
    return {key: without_variables(value, definitions) for key, value in content.items() if key != "vars"}


def names_that_matter(playbook: str) -> set[str]:
    """Return the variables that the tasks of ``playbook`` and its role read, directly or through other variables."""
    definitions: dict[str, Any] = {}
    content = without_variables(read(ROOT / "playbooks" / playbook), definitions)
    matter = names_read_by(content)
    named = {str(value) for key, value in values(content) if key == "name"}
    for role in [path.name for path in (ROOT / "roles").iterdir() if f"huaweicloud.koodrive.{path.name}" in named]:
        # What a playbook sets for a role takes precedence over the role's own variable.
        definitions = {**read(ROOT / f"roles/{role}/vars/main.yml"), **definitions}
        matter |= names_read_by([without_variables(read(path), definitions) for path in (ROOT / f"roles/{role}/tasks").glob("*.yml")])
        matter |= {name for path in (ROOT / f"roles/{role}").glob("templates/*.j2") for name in names_in(path.read_text(encoding="utf-8"))}
    while True:
        found = names_read_by([definitions[name] for name in matter if name in definitions]) - matter
        if not found:
            return matter
        matter |= found


@pytest.mark.parametrize("template", JOB_TEMPLATES, ids=lambda template: template["playbook"])
def test_the_playbook_reads_what_a_template_asks_for_or_sets(template: dict[str, Any]) -> None:
    asked = {question["variable"] for question in template["survey"]["spec"]}
    assert asked and (asked | set(template["extra_vars"])) - names_that_matter(template["playbook"]) == set()


@pytest.mark.parametrize(("file", "name", "prefix"), ANSWERS, ids=[name for _file, name, _prefix in ANSWERS])
def test_an_answer_has_the_name_of_its_variable(file: str, name: str, prefix: str) -> None:
    content = read(ROOT / file)
    answers = (content if isinstance(content, dict) else content[0]["vars"])[name]
    assert answers and {answer: names_in(text) for answer, text in answers.items()} == {answer: {SHARED.get(answer, prefix + answer)} for answer in answers}


def options_of(role: str) -> set[str]:
    """Return the documented inputs of a role."""
    return set(read(ROOT / f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"])


@pytest.mark.parametrize("role", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_a_role_reads_what_it_documents_and_nothing_else(role: str) -> None:
    matter = {name for name in names_that_matter({"capacity_report": "report.yml", "onboarding_capacity": "onboard.yml"}[role]) if is_for_users(name)}
    handed_on = {"onboarding_capacity_result"}
    assert matter - handed_on == options_of(role)


def is_for_users(name: str) -> bool:
    """Return whether a variable has one of our prefixes and is not internal."""
    return name.startswith(PREFIXES) and "__" not in name


PLAYBOOKS = [template["playbook"] for template in JOB_TEMPLATES]
GUIDE = (ROOT / "docs/docsite/rst/guide_playbooks.rst").read_text(encoding="utf-8")


def explained(playbook: str) -> set[str]:
    """Return the variables in the first column of the guide's table for ``playbook``."""
    name = playbook.removesuffix(".yml")
    section = re.search(rf"^{name}\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert section, f"no section {name}"
    return {variable for row in re.findall(r"^   \* - (.+(?:\n {7}.+)*)$", section[1], re.MULTILINE) for variable in re.findall(r"``(\w+)``", row)}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_guide_explains_each_variable_that_a_playbook_reads_and_no_other(playbook: str) -> None:
    results = {"koodrive_result"} if playbook != "report.yml" else set()
    read_by = {name for name in names_that_matter(playbook) if is_for_users(name)} - results
    # A result that is handed on is an input of the report alone.
    assert explained(playbook) == read_by - ({"onboarding_capacity_result"} if playbook == "onboard.yml" else set())


def test_the_known_variables_are_those_that_are_read() -> None:
    rulebooks = {
        name for path in (ROOT / "extensions/eda/rulebooks").glob("*.yml") for name in re.findall(r"\bkoodrive_\w+", path.read_text(encoding="utf-8"))
    } - {"koodrive_TYPE_threshold", "koodrive_TYPE_unallocated_capacity"}
    read_by = {name for playbook in PLAYBOOKS for name in names_that_matter(playbook) if is_for_users(name)}
    assert known_variables() == read_by | rulebooks | {"koodrive_result", "onboarding_capacity_result", "koodrive_in_process"}
