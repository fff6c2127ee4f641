# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that must say the same thing and cannot be made of one another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import ADVICE
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import STATES
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.moving import MOVING_SPEC
from ansible_collections.huaweicloud.koodrive.plugins.modules import (
    koodrive_space_allocation,
    koodrive_space_allocation_info,
    koodrive_space_transfer,
    koodrive_space_transfer_info,
)
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import JOB_TEMPLATES, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
PAGES = [ROOT / "README.md", *GUIDES, *sorted((ROOT / "roles").rglob("README.md"))]
SESSIONS = re.findall(r'\("(3\.\d+)", "(2\.\d+)"\)', (ROOT / "noxfile.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ADVICE)
def test_each_place_for_errors_explains_each_kind(kind: str) -> None:
    guide = (ROOT / "docs/docsite/rst/guide_troubleshooting.rst").read_text(encoding="utf-8")
    assert f"\n{kind}\n{'-' * len(kind)}\n" in guide
    assert f"V({kind})" in koodrive_space_transfer.RETURN


def test_the_modules_say_the_same_of_what_they_return() -> None:
    transfer, pools, listing = (
        yaml.safe_load(module.RETURN) for module in (koodrive_space_transfer, koodrive_space_allocation_info, koodrive_space_transfer_info)
    )
    row = listing["transfers"]["contains"]
    # What is stored, only this module reads. A pool of YAML is one object under three names.
    pools["allocation"]["contains"]["department"]["contains"].pop("stored_capacity")
    assert pools["allocation"]["contains"] == row["allocation_before"]["contains"] == transfer["allocation"]["contains"]
    assert row["target"]["contains"] == transfer["transfers"]["contains"]
    layout = yaml.safe_load(koodrive_space_allocation.RETURN)
    for name in ("allocation", "allocation_before", "verified", "endpoint", "trace_id", "changed"):
        assert layout[name] == transfer[name]
    assert layout["transfers"]["contains"].items() >= transfer["transfers"]["contains"].items()
    differing = set(layout["error"]["contains"]["kind"]["description"]) ^ set(transfer["error"]["contains"]["kind"]["description"])
    assert {line.split(" - ")[0] for line in differing} == {"V(insufficient_capacity)"}
    for info in (pools, listing):
        assert info["endpoint"] == transfer["endpoint"] and info["trace_id"] == transfer["trace_id"] and info["error"].keys() == transfer["error"].keys()
        assert set(info["error"]["contains"]["kind"]["description"]) <= set(transfer["error"]["contains"]["kind"]["description"])


@pytest.mark.parametrize("option", ["capacity_step", "settle_time"])
def test_a_playbook_and_a_role_have_the_default_of_the_modules(option: str) -> None:
    default = MOVING_SPEC[option]["default"]
    guide = (ROOT / "docs/docsite/rst/guide_playbooks.rst").read_text(encoding="utf-8")
    assert re.findall(rf"``koodrive_{option}``\n(?: +\S.*\n)*? +- (\d+)\n", guide) == 3 * [str(default)]
    role = yaml.safe_load((ROOT / "roles/onboarding_capacity/meta/argument_specs.yml").read_text(encoding="utf-8"))
    assert role["argument_specs"]["main"]["options"][f"koodrive_{option}"]["default"] == default


def test_a_transfer_has_the_states_that_the_documentation_explains() -> None:
    state = yaml.safe_load(koodrive_space_transfer_info.DOCUMENTATION)["options"]["state"]
    assert tuple(state["choices"]) == tuple(state["default"]) == STATES
    assert [line.split(" - ")[0] for line in state["description"][1:]] == [f"V({name})" for name in STATES]


def test_the_readme_has_the_releases_that_the_tests_run_with() -> None:
    told = re.search(r"with ansible-core ((?:2\.\d+, )+2\.\d+ and 2\.\d+),", " ".join(README.split()))
    assert told and re.findall(r"2\.\d+", told[1]) == [core for _python, core in SESSIONS]


def test_the_readme_is_read_to_its_end() -> None:
    assert len(README.splitlines()) <= 120


def test_the_readme_has_what_a_new_user_needs_in_this_order() -> None:
    wanted = ["Requirements", "Install and update", "Authenticate", "A first playbook", "What is included"]
    assert re.findall("^## (.+)$", README, re.MULTILINE) == [*wanted, "Try it without a tenant", "Where to go on", "Support and release notes"]
    for guide in GUIDES:
        assert f"(docs/docsite/rst/{guide.name}" in README or guide.name == "guide_ledger_postgresql.rst"


def test_the_readme_says_where_to_report_bugs() -> None:
    assert f"({yaml.safe_load((ROOT / 'galaxy.yml').read_text(encoding='utf-8'))['issues']})" in README


def test_all_guides_are_in_the_documentation() -> None:
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(page for section in sections for page in section["toctree"]) == [guide.stem for guide in GUIDES]


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge makes of the headings of a page."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$" if page.suffix == ".md" else r"^(\S.*)\n[=~-]{3,}$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_forge_can_follow_each_link(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)" if page.suffix == ".md" else r"`[^`<]+<([^`>]+)>`_", text)
    for link in links:
        if link.startswith("https://"):
            continue
        name, _hash, anchor = link.partition("#")
        target = (page.parent / name).resolve()
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_a_forge_can_show_each_guide(guide: Path) -> None:
    # A forge does not know the roles of Sphinx, and shows them as they are.
    assert re.findall(r":\w+:`", guide.read_text(encoding="utf-8")) == []


#: The releases of ansible-core that the tests run with, 2.N.
TESTED = [int(core.split(".")[1]) for _python, core in SESSIONS]


@pytest.mark.parametrize("name", ["execution-environment.yml", "decision-environment.yml"])
def test_an_environment_takes_the_releases_that_the_tests_run_with(name: str) -> None:
    environment = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    bounds = re.fullmatch(r"ansible-core>=2\.(\d+),<2\.(\d+)", environment["dependencies"]["ansible_core"]["package_pip"])
    assert bounds
    assert int(bounds[1]) in TESTED and int(bounds[2]) == max(TESTED) + 1


def test_the_collection_and_its_roles_need_the_oldest_release_that_the_tests_run_with() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">=2.{min(TESTED)}.0"
    for path in ROOT.glob("roles/*/meta/main.yml"):
        role = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert role["galaxy_info"]["min_ansible_version"] == f"2.{min(TESTED)}", path


@pytest.mark.parametrize(("role", "playbook"), [("onboarding_capacity", "onboard.yml"), ("capacity_report", "report.yml")])
def test_surveys_ask_for_what_the_roles_know(role: str, playbook: str) -> None:
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    (template,) = [template for template in JOB_TEMPLATES if template["playbook"] == playbook]
    questions = {question["variable"]: question for question in template["survey"]["spec"]}
    # A result is no answer of a person, an open transfer that is known to be lost is for experts, and what a template
    # sets itself it does not ask for.
    assert set(questions) | set(template["extra_vars"]) == set(options) - {"capacity_report_result", "koodrive_settle_time"}
    for name, question in questions.items():
        # AWX would refuse a launch without the answer, instead of filling the default in.
        assert question["required"] is (options[name].get("required", False) and question.get("default", "") == "")
        assert question.get("choices") == (["no", "yes"] if options[name]["type"] == "bool" else options[name].get("choices"))


#: Messages of libraries and servers, which the module passes on.
OF_OTHERS = {"certificate verify failed", "Name or service not known", "file is not a database", "no pg_hba.conf entry"}


def test_the_guide_on_failures_quotes_messages_that_the_code_has() -> None:
    guide = (ROOT / "docs/docsite/rst/guide_troubleshooting.rst").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py"))
    words = _words(re.sub(r'"\s*\n\s*f?"', "", code))
    quotes = [quote for quote in re.findall(r"(?<![*\w])\*(\w[^*]*\w)\*(?![*\w])", guide) if quote not in OF_OTHERS]
    assert len(quotes) > 20
    # Numbers and pools are filled in, and the first word can be the option.
    parts = [(quote, part) for quote in quotes for part in re.split(r"\.\.\.|\d[\d,]* GB to \w+ from \w+|\d[\d,]*|:", quote)]
    assert [quote for quote, part in parts if not any(_words(text) in words for text in (part, part.partition(" ")[2]))] == []


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
