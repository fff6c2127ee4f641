# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every shell command of the documentation for users unchanged, with a shell, in a checkout.

Stand-ins replace what a test cannot have:

* A wrapper of ansible and ansible-playbook turns the documented addresses of KooDrive and AWX into those of simulators.
* A wrapper of ansible-rulebook does the same, and ends it after one event.
* ansible-galaxy asks a Galaxy on this machine, and pip finds what it installs already there.
* ansible-builder's real ``build`` runs up to the container engine, which is a stand-in that keeps its input.

The test does not run ``make``: it asks make whether it knows the target, since ``.ci/run`` runs all of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.huaweicloud.koodrive.tests.examples import FOR_AWX, POOLS, RULEBOOK, blocks, examples
from ansible_collections.huaweicloud.koodrive.tests.simulator.__main__ import POOLS as SIMULATOR_POOLS
from ansible_collections.huaweicloud.koodrive.tests.simulator.credentials import App
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import CREDENTIAL_TYPE, JOB_TEMPLATES, ROOT
from ansible_collections.huaweicloud.koodrive.tests.system.fake_awx import FakeAWX
from ansible_collections.huaweicloud.koodrive.tests.system.fake_galaxy import FakeGalaxy
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

#: Where the tests' make target has put the collection awx.awx.
AWX_COLLECTIONS = Path(os.environ["AWX_COLLECTIONS"])
#: Addresses and secrets as the documentation has them.
KOODRIVE_ADDRESS, KOODRIVE_SECRET = "https://intl.myhuaweicloud-koodrive.com", "c69b..."
APPS = [App("my-app-id", "my-app-secret", "my-user-id")]
APPS += [App(f"app-of-{tenant}", f"s3cret-of-{tenant}", f"user-of-{tenant}") for tenant in ("one", "two")]
AWX_ADDRESS, AWX_SECRET = "https://awx.example.org", "..."
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.rst")), *sorted((ROOT / "roles").rglob("README.md"))]
BLOCKS = list(blocks("shell"))
#: Those that need a PostgreSQL are run by test_ledger_page.py.
RUN_HERE = [(where, text) for where, text in BLOCKS if "psql" not in text]
#: Commands within a sentence; one with dots is only the beginning of one.
COMMAND = re.compile(r"`((?:ansible(?:-\w+)?|python3?|pip|make|export)\s[^`]+)`")
INLINE = sorted({" ".join(found.split()) for page in PAGES for found in COMMAND.findall(page.read_text(encoding="utf-8")) if "..." not in found})


class Place(NamedTuple):
    """A checkout in which commands are run, the environment that they get, and what they meet."""

    checkout: Path
    environment: dict[str, str]
    koodrive: KooDriveForTests
    awx: FakeAWX

    def run(self, commands: str) -> str:
        """What a shell prints that stops at the first command that fails; none may."""
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.checkout,
            env=self.environment,
            input="what/is:typed\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout


@pytest.fixture(name="galaxy", scope="session")
def fixture_galaxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGalaxy]:
    with FakeGalaxy(AWX_COLLECTIONS / "ansible_collections/awx/awx", tmp_path_factory.mktemp("galaxy")) as galaxy:
        yield galaxy


@pytest.fixture(name="place")
def fixture_place(galaxy: FakeGalaxy, tmp_path: Path) -> Iterator[Place]:
    state = new_state(KOODRIVE_SECRET)
    state.credentials.apps.extend(APPS)
    state.tenant = Tenant(POOLS)
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".git", "output"))
    write_named_playbooks(checkout)
    (checkout / "vault-password").write_text("of-the-vault\n", encoding="utf-8")
    with KooDriveForTests(state) as koodrive, FakeAWX(AWX_SECRET) as awx:
        write_stand_ins(tmp_path / "bin", {KOODRIVE_ADDRESS: koodrive.endpoint, AWX_ADDRESS: awx.endpoint})
        # Not what the caller's make, collection path or tests have set.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "ANSIBLE_", "PYTHONPATH", "KOODRIVE_", "CONTROLLER_"))}
        environment = {
            **kept,
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "KOODRIVE_LEDGER": str(tmp_path / "ledger"),
            "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
            "ANSIBLE_GALAXY_SERVER": f"{galaxy.endpoint}/api/",
            # The modules of AWX's last release use what newer releases of ansible-core call deprecated.
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
        }
        yield Place(checkout, environment, koodrive, awx)


def write_named_playbooks(folder: Path) -> None:
    """Write the playbooks that commands run by a name: those that begin with it, and the first of the README, as
    capacity.yml.
    """
    found = list(examples())
    (folder / "capacity.yml").write_text(next(text for where, text in found if where.startswith("README.md")), encoding="utf-8")
    for _where, text in found:
        named = re.match(r"# (\w+\.yml)\n", text)
        if named:
            (folder / named[1]).write_text(text, encoding="utf-8")


def write_stand_ins(folder: Path, addresses: dict[str, str]) -> None:
    """Write wrappers of ansible, ansible-playbook and ansible-rulebook that use other addresses, and a stand-in for a
    container engine.
    """
    folder.mkdir()
    lines = [f'[ "${{{name}-}}" != {old} ] || export {name}={new}' for name, (old, new) in zip(("KOODRIVE_ENDPOINT", "CONTROLLER_HOST"), addresses.items())]
    with_addresses = ((name, "\n".join(["#!/bin/sh", *lines, f'exec {shutil.which(name)} "$@"\n'])) for name in ("ansible", "ansible-playbook"))
    podman = '#!/bin/sh\necho "$@" >> podman.log\n'
    watch = f'{shutil.which("ansible-rulebook")} --print-events "$@" >rulebook.log 2>&1 &'
    end = "until grep -q \"'allocation'\" rulebook.log; do kill -0 $! && sleep 0.1 || { cat rulebook.log; exit 1; }; done; kill $!\n"
    rulebook = "\n".join(["#!/bin/sh", *lines, watch, end])
    for name, text in (*with_addresses, ("ansible-rulebook", rulebook), ("podman", podman)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)


@pytest.mark.broad
@pytest.mark.parametrize("text", [text for _where, text in RUN_HERE], ids=[where for where, _text in RUN_HERE])
def test_a_block_of_commands_runs(place: Place, text: str) -> None:
    # What the text around a block without it says: that credentials come from the environment.
    if "export" not in text:
        place.environment.update(KOODRIVE_ENDPOINT=KOODRIVE_ADDRESS, KOODRIVE_TOKEN=KOODRIVE_SECRET)
    # What earlier blocks have installed.
    for what, where in (("install .", os.environ["ANSIBLE_COLLECTIONS_PATH"]), ("install awx.awx", AWX_COLLECTIONS)):
        place.environment["ANSIBLE_COLLECTIONS_PATH"] += "" if what in text else f":{where}"
    # A credential that an earlier step has made, of the type that the set-up has made before that.
    for name in re.findall(r"awx_setup_balance_credential='([^']+)'", text):
        kind = place.awx.add("credential_types", CREDENTIAL_TYPE)["id"]
        place.awx.add("credentials", {"name": name, "credential_type": kind})
    place.run(text)
    if re.search(r"koodrive\.(transfer|balance|onboard)|room\.yml|tenant\.yml", text):
        assert place.koodrive.methods().count("POST") > 0
    if "space_allocation_info" in text:
        assert place.koodrive.methods() == ["GET"]
    if "koodrive.report" in text:
        assert (place.checkout / "koodrive.html").exists()
    if "koodrive.awx_setup" in text:
        inventory = place.awx.named("inventories", "Demo Inventory")["id"]
        assert [template["inventory"] for template in place.awx.objects["job_templates"]] == [inventory] * len(JOB_TEMPLATES)
    if "awx_setup_balance_schedule" in text:
        (schedule,) = place.awx.objects["schedules"]
        assert schedule["rrule"].endswith("RRULE:FREQ=DAILY;INTERVAL=1") and "individual" in schedule["extra_data"]["koodrive_pools"]
    if "awx_setup_instance_group" in text:
        assert place.awx.named("instance_groups", "koodrive")["max_concurrent_jobs"] == 1
    if "collection install ." in text:
        assert (place.checkout.parent / "collections/ansible_collections/huaweicloud/koodrive/MANIFEST.json").exists()
    if "ansible-builder build" in text:
        (tag,) = re.findall(r"build .*-t (\S+)", text)
        assert f"build -f context/Containerfile -t {tag} context" in (place.checkout / "podman.log").read_text(encoding="utf-8")
    if "ansible-rulebook --" in text:
        assert place.koodrive.methods().count("GET") > 0


#: What differs in the output from run to run, and what it is replaced by.
VARYING = {
    r"\d{4}-\d\d-\d\d[ T][\d:]{8}( UTC|Z)": "TIME",
    r"\b[0-9a-f]{58}\b": "TRACE_ID",
    r"\w+@[\w.-]+\w": "WRITER",
    r"Wrote \S+/": "Wrote ",
    r"(?<=\d),(?=\d{3})": "",
}


def comparable(output: str) -> str:
    """Return the output without blanks between words and without what differs from run to run."""
    for found, instead in VARYING.items():
        output = re.sub(found, instead, output)
    return " ".join(output.split())


@pytest.mark.parametrize("page", ["README.md", "guide_quick_start.rst"])
def test_a_page_shows_what_its_commands_print(place: Place, page: str) -> None:
    place.koodrive.state.tenant = Tenant(SIMULATOR_POOLS)
    # A block that exports variables does so for the blocks after it. The first block installs the collection.
    place.environment.update(KOODRIVE_ENDPOINT=KOODRIVE_ADDRESS, KOODRIVE_TOKEN=KOODRIVE_SECRET)
    (source,) = [path for path in PAGES if path.name == page and path.parent.name not in ("onboarding_capacity", "capacity_report")]
    text = source.read_text(encoding="utf-8")
    found = re.findall(r"```(shell|text)\n(.*?)```|code-block:: (shell|text)\n\n((?: +.*\n|\n)+)", text, re.DOTALL if page.endswith(".md") else 0)
    printed, shown = "", 0
    for language, content in ((markdown or rst, code or block) for markdown, code, rst, block in found):
        if language == "shell":
            printed = comparable(place.run(re.sub("^export .*\n", "", textwrap.dedent(content), flags=re.MULTILINE)))
            continue
        for part in textwrap.dedent(content).strip().split("\n\n"):
            assert comparable(part) in printed
            shown += 1
    assert shown >= {"README.md": 1, "guide_quick_start.rst": 6}[page]
    assert place.koodrive.totals()["group"] == 2000 and place.koodrive.methods().count("POST") == 1


#: A task that loops over the dictionaries of secrets.yml, and one that loops over their names.
LOOP = """
- hosts: localhost
  gather_facts: false
  vars_files: secrets.yml
  tasks:
    - huaweicloud.koodrive.koodrive_space_allocation_info:
        app_id: "{{ SECRETS.app_id }}"
        app_secret: "{{ SECRETS.app_secret }}"
        user_id: "{{ SECRETS.user_id }}"
      loop: "{{ LOOP }}"
      loop_control: {label: "{{ LABEL }}"}
"""


@pytest.mark.parametrize("text", [text for where, text in RUN_HERE if "guide_tenants" in where], ids=["hosts", "include"])
def test_the_ways_of_the_guide_on_tenants_print_no_secret(place: Place, text: str) -> None:
    place.environment["ANSIBLE_COLLECTIONS_PATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    said = place.run(text.replace("ansible-playbook", "ansible-playbook -vvv"))
    assert "tenant_one" in said and "tenant_two" in said and "app-of-two" in said and "s3cret" not in said
    # A failure prints most.
    place.koodrive.state.credentials.apps.clear()
    with pytest.raises(AssertionError, match="authentication") as failure:
        place.run(text.replace("ansible-playbook", "ansible-playbook -vvv").replace("ansible-vault", ": ansible-vault"))
    assert "s3cret" not in str(failure.value)


def test_a_loop_of_the_task_prints_what_it_loops_over(place: Place) -> None:
    place.environment.update(ANSIBLE_COLLECTIONS_PATH=os.environ["ANSIBLE_COLLECTIONS_PATH"], KOODRIVE_ENDPOINT=place.koodrive.endpoint)
    over_dictionaries = {"SECRETS": "item.value", "LOOP": "tenants | dict2items", "LABEL": "item.key"}
    over_names = {"SECRETS": "tenants[item]", "LOOP": "tenants.keys() | list", "LABEL": "item"}
    for words, printed in ((over_dictionaries, True), (over_names, False)):
        playbook = LOOP
        for word, meant in words.items():
            playbook = playbook.replace(word, meant)
        (place.checkout / "loop.yml").write_text(playbook, encoding="utf-8")
        assert ("s3cret-of-one" in place.run("ansible-playbook -v loop.yml")) is printed


@pytest.mark.parametrize("command", INLINE)
def test_a_command_within_a_sentence_runs(place: Place, command: str) -> None:
    place.environment["ANSIBLE_COLLECTIONS_PATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    said = place.run(re.sub("^make", "make --dry-run", command))
    assert len(said) > 50 and "was not found" not in said


def test_all_of_them_are_found() -> None:
    assert len(BLOCKS) >= 7 and len(BLOCKS) - len(RUN_HERE) == 1 and len(INLINE) >= 8
    every = [word for page in PAGES for word in re.findall(r"^ *(?:```|\.\. code-block:: )(\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)]
    assert set(every) == {"shell", "yaml", "text", "sql"} and every.count("shell") == len(BLOCKS)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        # Neither a block without a language nor one that is only indented.
        assert text.count("```") % 2 == 0 and not re.search(r"[^:]::\n\n +\S", text.replace(".. code-block::", ""))
        assert len(re.findall("^ *```", text, re.MULTILINE)) == 2 * len(re.findall(r"^ *```\w+$", text, re.MULTILINE))
    # Of the others, none is a command.
    others = [line for _where, text in blocks("text") for line in text.splitlines()]
    assert [line for line in others if re.match(r"\s*[$#]? ?(ansible|export|python|pip|make|sudo|curl|psql|sqlite3)", line)] == []


@pytest.mark.parametrize(("what", "command"), [(FOR_AWX, "ansible-playbook {}\n"), (RULEBOOK, "ansible-rulebook --rulebook {} ")])
def test_what_the_examples_leave_out_is_run_by_a_command(what: str, command: str) -> None:
    names = [re.match(r"# (\w+\.yml)\n", text) for _where, text in examples() if what in text]
    # One waits for an alert; test_prometheus.py sends it one.
    left = [name for name in names if name is None or name[1] != "on_alert.yml"]
    assert left and all(name and any(command.format(name[1]) in text for _where, text in BLOCKS) for name in left)
