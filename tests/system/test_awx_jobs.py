# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook as a job of AWX: ansible-runner runs it from a project, with a credential and answers of its survey."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.system import awx_launch, awx_rules
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import CREDENTIAL_TYPE, JOB_TEMPLATES, ROOT
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import APP, TOKEN, KooDriveForTests

AS_TOKEN = {"token": TOKEN}
AS_APP = {"app_id": APP.app_id, "app_secret": APP.secret, "user_id": APP.user_id}
#: What is answered differently from the defaults of the survey.
ANSWERS: dict[str, dict[str, Any]] = {
    "transfer.yml": {"koodrive_target_type": "group", "koodrive_total_capacity": 600},
    "balance.yml": {"koodrive_individual_unallocated_capacity": 500, "koodrive_department_unallocated_capacity": 0},
    "onboard.yml": {
        "onboarding_capacity_individual_count": 50,
        "onboarding_capacity_individual_each": 10,
        "onboarding_capacity_origin_type": "department",
    },
    "report.yml": {},
}
MOVES = {
    "transfer.yml": [{"type": "group", "expand_capacity": 100}],
    "balance.yml": [{"origin_type": "department", "type": "individual", "expand_capacity": 400}],
    "onboard.yml": [{"type": "individual", "expand_capacity": 400}],
}


@pytest.fixture(autouse=True)
def fixture_echo(koodrive: KooDriveForTests) -> None:
    """Let the server repeat requests in its messages. The files of a job must still have no credentials."""
    koodrive.state.echo = True


@pytest.fixture(name="collections", scope="session")
def fixture_collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as AWX installs it for a project, from the project's own requirements."""
    path = tmp_path_factory.mktemp("collections")
    # Not the collection that the tests are imported from.
    environment = {name: value for name, value in os.environ.items() if name not in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH")}
    subprocess.run(
        ["ansible-galaxy", "collection", "install", "-r", "collections/requirements.yml", "-p", str(path)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert (path / "ansible_collections/huaweicloud/koodrive/MANIFEST.json").exists()
    return path


class Job:
    """A job as AWX starts it, and its files."""

    def __init__(self, folder: Path, collections: Path, koodrive: KooDriveForTests, project: Path = ROOT) -> None:
        self.folder = folder
        self.collections = collections
        self.koodrive = koodrive
        self.project = project

    def launch(self, playbook: str, answers: dict[str, Any], credential: dict[str, str], *options: str) -> ansible_runner.Runner:
        """Run ``playbook`` of the project with ``answers`` of its survey and the ``options`` that AWX adds."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "inventory").mkdir(parents=True)
        (self.folder / "inventory/hosts").write_text("one.invalid\ntwo.invalid\n")
        (self.folder / "env").mkdir()
        (self.folder / "env/extravars").write_text(json.dumps(answers))
        own = {"endpoint": self.koodrive.endpoint, "ledger": self.koodrive.ledger}
        environment = awx_rules.environment_of(CREDENTIAL_TYPE["injectors"], {**own, **credential})
        return ansible_runner.run(
            private_data_dir=str(self.folder),
            project_dir=str(self.project),
            playbook=playbook,
            envvars={**environment, "ANSIBLE_COLLECTIONS_PATH": str(self.collections), "PYTHONPATH": ""},
            cmdline=" ".join(options),
            quiet=True,
        )

    def kept(self) -> str:
        """Return all files of ansible-runner about the job, except the one with its own environment."""
        files = [path for path in (self.folder / "artifacts").rglob("*") if path.is_file() and path.name != "command"]
        assert len(files) > 5
        return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.fixture(name="job")
def fixture_job(tmp_path: Path, collections: Path, koodrive: KooDriveForTests) -> Job:
    return Job(tmp_path / "job", collections, koodrive)


def survey_answers(playbook: str, tmp_path: Path, handed_on: dict[str, Any] | None = None, **answers: Any) -> dict[str, Any]:
    """Return the extra variables that AWX makes from ``answers``. All other questions stay blank.

    An answer of None leaves one of ANSWERS out. ``handed_on`` comes from earlier nodes of a workflow.
    """
    (template,) = [template for template in JOB_TEMPLATES if template["playbook"] == playbook]
    answers = {**({"capacity_report_path": str(tmp_path / "report.html")} if playbook == "report.yml" else {}), **ANSWERS[playbook], **answers}
    answers = {name: answer for name, answer in answers.items() if answer is not None}
    questions = {question["variable"] for question in template["survey"]["spec"]}
    assert set(answers) <= questions, "an answer to no question of the survey"
    variables, faults = awx_launch.variables_of_job({**template, "extra_vars": json.dumps(template["extra_vars"])}, answers, handed_on)
    assert faults == []
    return {**dict.fromkeys(questions, ""), **variables}


def transfers_of(runner: ansible_runner.Runner) -> list[Any]:
    """Return what the tasks of the job moved or would move, from its events."""
    results = [event["event_data"].get("res", {}) for event in runner.events if event["event"] == "runner_on_ok"]
    return [result["transfers"] for result in results if "transfers" in result]


@pytest.mark.parametrize(
    ("playbook", "credential"), [("transfer.yml", AS_TOKEN), ("onboard.yml", AS_APP), ("balance.yml", AS_APP)], ids=["token", "app", "layout"]
)
def test_a_job_is_predicted_and_done_once(job: Job, koodrive: KooDriveForTests, tmp_path: Path, playbook: str, credential: dict[str, str]) -> None:
    answers = survey_answers(playbook, tmp_path)
    for options, changed, methods in (
        (("--check", "--diff"), True, ["GET"]),
        (("--diff",), True, ["GET", "POST", "GET"]),
        ((), False, ["GET"]),
    ):
        koodrive.state.requests.clear()
        runner = job.launch(f"playbooks/{playbook}", answers, credential, *options)
        assert (runner.status, runner.rc) == ("successful", 0), job.kept()
        assert transfers_of(runner) == [MOVES[playbook] if changed else []]
        assert runner.stats["changed"] == ({"localhost": 1} if changed else {})
        assert koodrive.methods() == methods
        kept = job.kept()
        assert ("GB total" in kept) is True and TOKEN not in kept and APP.secret not in kept


def test_two_jobs_of_different_templates_at_once_move_capacity_once(collections: Path, koodrive: KooDriveForTests, tmp_path: Path) -> None:
    # Room for the same 50 people, asked for by both, and time for each to look before the other has moved anything.
    koodrive.state.delay = 2.0
    wanted = {
        "transfer.yml": {"koodrive_target_type": "individual", "koodrive_total_capacity": None, "koodrive_unallocated_capacity": 500},
        "onboard.yml": ANSWERS["onboard.yml"],
    }
    launches = [
        (Job(tmp_path / playbook, collections, koodrive), f"playbooks/{playbook}", survey_answers(playbook, tmp_path, **answers), credential)
        # Two credentials of one tenant.
        for (playbook, answers), credential in zip(wanted.items(), (AS_TOKEN, AS_APP))
    ]
    with ThreadPoolExecutor() as pool:
        runners = list(pool.map(lambda launch: launch[0].launch(*launch[1:]), launches))
    assert [runner.status for runner in runners] == ["successful", "successful"]
    assert sorted(len(transfers) for runner in runners for transfers in transfers_of(runner)) == [0, 1]
    assert koodrive.totals() == {"department": 1600, "individual": 1400, "group": 500}


def test_each_launch_with_one_order_number_adds_once(job: Job, koodrive: KooDriveForTests, tmp_path: Path) -> None:
    addition = {"koodrive_total_capacity": None, "koodrive_expand_capacity": 100}
    answers = survey_answers("transfer.yml", tmp_path, **addition, koodrive_idempotency_key="A-1071")
    for credential, moved in ((AS_TOKEN, MOVES["transfer.yml"]), (AS_APP, [])):
        assert transfers_of(job.launch("playbooks/transfer.yml", answers, credential)) == [moved]
    assert job.launch("playbooks/transfer.yml", survey_answers("transfer.yml", tmp_path, **addition), AS_TOKEN).status == "failed"
    assert "Give koodrive_idempotency_key" in job.kept()
    assert koodrive.totals()["group"] == 600


def test_a_pool_that_gives_can_be_left_blank(job: Job, koodrive: KooDriveForTests, tmp_path: Path) -> None:
    batch = {"onboarding_capacity_individual_count": None, "onboarding_capacity_individual_each": None, "onboarding_capacity_origin_type": None}
    answers = survey_answers("onboard.yml", tmp_path, **batch, onboarding_capacity_batches="[{type: group, count: 1, each: 50}]")
    koodrive.state.tenant = Tenant(
        {"department": {"total": 400, "allocated": 400}, "individual": {"total": 1000, "allocated": 900}, "group": {"total": 0, "allocated": 0}}
    )
    runner = job.launch("playbooks/onboard.yml", answers, AS_APP)
    assert transfers_of(runner) == [[{"origin_type": "individual", "type": "group", "expand_capacity": 50}]]


def test_a_report_job_writes_a_report(job: Job, tmp_path: Path) -> None:
    runner = job.launch("playbooks/report.yml", survey_answers("report.yml", tmp_path), AS_APP, "--diff")
    assert runner.status == "successful" and (tmp_path / "report.html").exists()
    assert APP.secret not in job.kept() and "unallocated in 3 pools" in job.kept()


def test_a_failed_job_shows_no_secret(job: Job, tmp_path: Path) -> None:
    for credential in ({"token": "wr0ng-" + TOKEN}, {**AS_APP, "app_secret": "wr0ng-" + APP.secret}):
        runner = job.launch("playbooks/transfer.yml", survey_answers("transfer.yml", tmp_path), credential, "-vvvv")
        assert runner.status == "failed"
        kept = job.kept()
        assert "authentication" in kept and "You sent:" in kept
        assert TOKEN not in kept and APP.secret not in kept and "Signature=" not in kept.replace("Signature=***", "")


def test_the_password_of_a_ledger_never_shows(job: Job, tmp_path: Path) -> None:
    # No program listens on port 1.
    credential = {**AS_TOKEN, "ledger": "postgresql://koodrive:l3dger-pass@127.0.0.1:1/koodrive"}
    runner = job.launch("playbooks/transfer.yml", survey_answers("transfer.yml", tmp_path), credential, "-vvvv")
    kept = job.kept()
    assert runner.status == "failed" and "ledger_unavailable" in kept and "l3dger-pass" not in kept
    assert job.koodrive.methods() == []


@pytest.mark.broad
def test_the_next_nodes_of_a_workflow_get_the_result(job: Job, tmp_path: Path) -> None:
    runner = job.launch("playbooks/onboard.yml", survey_answers("onboard.yml", tmp_path), AS_TOKEN)
    (stats,) = [event["event_data"] for event in runner.events if event["event"] == "playbook_on_stats"]
    handed_on = stats["artifact_data"]
    assert handed_on["onboarding_capacity_result"]["transfers"] == MOVES["onboard.yml"]
    # The next onboarding reports its own result and hands that on, here: nothing is missing.
    again = job.launch("playbooks/onboard.yml", survey_answers("onboard.yml", tmp_path, handed_on), AS_TOKEN)
    (stats,) = [event["event_data"] for event in again.events if event["event"] == "playbook_on_stats"]
    assert stats["artifact_data"]["onboarding_capacity_result"]["transfers"] == [] and "Nothing was to be moved" in job.kept()
    report = tmp_path / "report.html"
    drawn = "- 400 GB (0.391 TB) from department to individual"
    # After the onboarding, the template reports its result. Alone, or with {}, it reads the pools.
    for given, of_onboarding in ((handed_on, True), ({}, False), ({**handed_on, "capacity_report_result": {}}, False)):
        job.koodrive.state.requests.clear()
        answers = survey_answers("report.yml", tmp_path, given, capacity_report_format="markdown")
        assert job.launch("playbooks/report.yml", answers, AS_TOKEN).status == "successful"
        assert (drawn in report.read_text(encoding="utf-8")) is of_onboarding
        assert (", about the onboarding before it: " in job.kept()) is of_onboarding
        assert job.koodrive.methods() == ([] if of_onboarding else ["GET"])


def test_a_given_result_takes_precedence_over_the_one_of_an_earlier_node(job: Job, tmp_path: Path) -> None:
    given = {"allocation": {}, "transfers": []}
    handed_on = {"onboarding_capacity_result": {"allocation": {}, "failed": True, "msg": "not this one"}, "capacity_report_result": given}
    assert job.launch("playbooks/report.yml", survey_answers("report.yml", tmp_path, handed_on), AS_TOKEN).status == "successful"
    assert "Nothing was to be moved" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_project_of_ones_own(job: Job, koodrive: KooDriveForTests, tmp_path: Path) -> None:
    job.project = tmp_path / "project"
    job.project.mkdir()
    (job.project / "transfer.yml").write_text("---\n- ansible.builtin.import_playbook: huaweicloud.koodrive.transfer\n")
    assert job.launch("transfer.yml", survey_answers("transfer.yml", tmp_path), AS_APP).status == "successful"
    assert koodrive.totals()["group"] == 600
