# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's playbooks, run by name as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests

NAME = "huaweicloud.koodrive."
MOVE = {"koodrive_origin_type": "department", "koodrive_target_type": "group", "koodrive_total_capacity": 600}
JOIN = {
    "onboarding_capacity_origin_type": "department",
    "onboarding_capacity_individual_count": "50",
    "onboarding_capacity_individual_each": "10",
    "onboarding_capacity_group_count": "",
    "onboarding_capacity_group_each": "",
}
ADD = {"koodrive_origin_type": "department", "koodrive_target_type": "group", "koodrive_expand_capacity": "100"}
#: The variable that the job template sets.
NEEDS_A_KEY = {"koodrive_additions_need_a_key": True}


def play(koodrive: KooDriveForTests, playbook: str, answers: dict[str, Any], *options: str, expected: int = 0) -> str:
    """Return the output of ansible-playbook with ``answers`` as extra variables. It must exit with ``expected``."""
    environment = {**os.environ, "KOODRIVE_ENDPOINT": koodrive.endpoint, "KOODRIVE_TOKEN": TOKEN, "KOODRIVE_LEDGER": koodrive.ledger, "COLUMNS": "1000"}
    command = ["ansible-playbook", playbook, "-e", json.dumps(answers), *options]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode == expected, ended.stdout
    assert TOKEN not in ended.stdout
    return ended.stdout


@pytest.mark.parametrize(
    "answers",
    [
        MOVE,
        {**MOVE, "koodrive_total_capacity": "600", "koodrive_unallocated_capacity": "", "koodrive_expand_capacity": None},
        {**MOVE, "koodrive_target": "", "koodrive_origin_reserve": "1500"},
        {**MOVE, "koodrive_target": "\t", "koodrive_origin_reserve": " ", "koodrive_unallocated_capacity": " None\n", "koodrive_expand_capacity": "\n"},
        {**MOVE, "koodrive_target": "None", "koodrive_origin_reserve": None},
        {"koodrive_target_type": "group", "koodrive_total_capacity": "", "koodrive_unallocated_capacity": "100"},
        {"koodrive_target_type": "group", "koodrive_expand_capacity": "100"},
        {"koodrive_target": [{"type": "group", "total_capacity": 600}]},
        {"koodrive_target": '[{"type": "group", "total_capacity": "600"}]', "koodrive_target_type": ""},
        {"koodrive_target": "- type: group\n  expand_capacity: 100\n", "koodrive_target_type": None},
        {"koodrive_target": "[{type: group, unallocated_capacity: 100}, {type: individual, total_capacity: 0}]"},
    ],
)
def test_transfer_accepts_answers_of_a_survey(koodrive: KooDriveForTests, answers: dict[str, Any]) -> None:
    shown = play(koodrive, f"{NAME}transfer", {"koodrive_origin_type": "department", **answers})
    assert koodrive.totals() == {"department": 1900, "individual": 1000, "group": 600}
    assert "Moved 100 GB to group from department. Unallocated now: department 1,500 GB, individual 100 GB, group 100 GB." in shown


def test_transfer_predicts_and_is_idempotent(koodrive: KooDriveForTests) -> None:
    assert "Would move 100 GB to group from department. Unallocated then: department 1,500 GB" in play(koodrive, f"{NAME}transfer", MOVE, "--check", "--diff")
    assert koodrive.methods() == ["GET"]
    play(koodrive, f"{NAME}transfer", MOVE)
    again = play(koodrive, f"{NAME}transfer", MOVE)
    assert "Nothing was to be moved. Unallocated now: department 1,500 GB" in again and "changed=0" in again


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, "koodrive_origin_type is missing."),
        ({**MOVE, "koodrive_origin_type": " "}, "koodrive_origin_type is missing."),
        ({**MOVE, "koodrive_total_capacity": "\t"}, "No capacity is given for koodrive_target_type. Give koodrive_total_capacity,"),
        (
            {**MOVE, "koodrive_target_type": "", "koodrive_total_capacity": "", "koodrive_target": 5},
            "koodrive_target must be a list, also for one entry. It is 5.",
        ),
        ({**MOVE, "koodrive_total_capacity": True}, "total_capacity of the target group must be whole GB"),
        ({**MOVE, "koodrive_expand_capacity": "1"}, "koodrive_total_capacity and koodrive_expand_capacity are given together. Give only one"),
        ({**MOVE, "koodrive_target_type": ""}, "koodrive_target_type is missing. Give the pool that koodrive_total_capacity is for."),
        (
            {**MOVE, "koodrive_target": [{"type": "individual", "total_capacity": 1}]},
            "koodrive_target and koodrive_target_type and koodrive_total_capacity are both given",
        ),
        ({"koodrive_origin_type": "department", "koodrive_target": "{type: group, total_capacity: 1}"}, "It is one entry: write it in brackets, as a list."),
        ({"koodrive_origin_type": "department", "koodrive_target": "[{type: gro"}, "koodrive_target is not valid YAML or JSON: "),
        ({**MOVE, "koodrive_total_capacity": "many"}, "total_capacity"),
        ({**MOVE, "koodrive_origin_reserve": "-1"}, "origin_reserve must be"),
    ],
)
def test_transfer_refuses_wrong_answers_before_any_request(koodrive: KooDriveForTests, answers: dict[str, Any], message: str) -> None:
    assert message in play(koodrive, f"{NAME}transfer", answers, expected=2)
    assert koodrive.methods() == []


def test_an_addition_with_an_order_number_is_made_once(koodrive: KooDriveForTests) -> None:
    order = {**ADD, **NEEDS_A_KEY, "koodrive_idempotency_key": " A-1071\n"}
    assert "Moved 100 GB to group from department." in play(koodrive, f"{NAME}transfer", order)
    again = play(koodrive, f"{NAME}transfer", {**order, "koodrive_idempotency_key": "A-1071"})
    assert "Nothing was to be moved: this addition was made before, 20" in again and "changed=0" in again
    assert "used before for another addition" in play(koodrive, f"{NAME}transfer", {**order, "koodrive_expand_capacity": "90"}, expected=2)
    several = {"koodrive_target": [{"type": "group", "expand_capacity": 1}, {"type": "individual", "expand_capacity": 2}]}
    play(koodrive, f"{NAME}transfer", {**NEEDS_A_KEY, "koodrive_origin_type": "department", "koodrive_idempotency_key": 1139, **several})
    assert koodrive.totals() == {"department": 1897, "individual": 1002, "group": 601}


@pytest.mark.parametrize(
    "answers",
    [
        ADD,
        {**ADD, "koodrive_idempotency_key": ""},
        {**ADD, "koodrive_idempotency_key": " \t"},
        {**ADD, "koodrive_additions_need_a_key": "true"},
        {"koodrive_target": [{"type": "group", "expand_capacity": 1}]},
        {"koodrive_target": "[{type: group, expand_capacity: '1'}, {type: individual, total_capacity: 2000}]"},
    ],
)
def test_the_job_template_refuses_an_addition_without_one(koodrive: KooDriveForTests, answers: dict[str, Any]) -> None:
    answers = {"koodrive_origin_type": "department", **NEEDS_A_KEY, **answers}
    assert "Give koodrive_idempotency_key" in play(koodrive, f"{NAME}transfer", answers, expected=2)
    assert koodrive.methods() == []


@pytest.mark.parametrize(
    "answers",
    [
        {**MOVE, **NEEDS_A_KEY, "koodrive_expand_capacity": " "},
        {**NEEDS_A_KEY, "koodrive_target": "[{type: group, total_capacity: 600, expand_capacity: ''}]"},
        {**ADD, "koodrive_additions_need_a_key": ""},
        {**ADD, "koodrive_additions_need_a_key": "false"},
    ],
)
def test_other_requests_need_no_order_number(koodrive: KooDriveForTests, answers: dict[str, Any]) -> None:
    assert "Moved 100 GB to group" in play(koodrive, f"{NAME}transfer", {"koodrive_origin_type": "department", **answers})


def test_settle_time_0_continues_after_a_lost_transfer(koodrive: KooDriveForTests) -> None:
    koodrive.state.script = [Fault(), Fault(apply="no", reply="reset")]
    assert koodrive.failure({"type": "group", "total_capacity": 600})["error"]["kind"] == "outcome_unknown"
    koodrive.state.requests.clear()
    assert "Moved 100 GB to group" in play(koodrive, f"{NAME}transfer", {**MOVE, "koodrive_settle_time": "0"})
    assert koodrive.methods() == ["GET", "POST", "GET"]


def test_a_failed_transfer_fails_the_playbook(koodrive: KooDriveForTests) -> None:
    shown = play(koodrive, f"{NAME}transfer", {**MOVE, "koodrive_total_capacity": 6000}, expected=2)
    assert "cannot give 5,500 GB" in shown and "Moved" not in shown


def test_playbooks_run_once_on_this_machine_with_any_inventory(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts"
    inventory.write_text(
        "[all:vars]\nansible_connection=ssh\nansible_become=true\nansible_become_user=daemon\nansible_become_exe=/none\nansible_python_interpreter=/none\n"
        "[web]\nweb[01:20].invalid\nlocalhost ansible_host=nowhere.invalid ansible_connection=ssh\n"
    )
    for playbook, answers in (("transfer", MOVE), ("onboard", JOIN), ("report", {"capacity_report_path": str(tmp_path / "r.html")})):
        shown = play(koodrive, f"{NAME}{playbook}", answers, "-i", str(inventory), "-v")
        assert "web01" not in shown
    assert koodrive.methods() == ["GET", "POST", "GET"] * 2 + ["GET"]


def test_playbooks_can_be_imported(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    for name in ("transfer", "onboard", "report"):
        (tmp_path / f"{name}.yml").write_text(f"- ansible.builtin.import_playbook: {NAME}{name}\n")
    assert "Moved 100 GB" in play(koodrive, str(tmp_path / "transfer.yml"), MOVE)
    assert "Moved 400 GB" in play(koodrive, str(tmp_path / "onboard.yml"), JOIN)
    assert "Wrote " in play(koodrive, str(tmp_path / "report.yml"), {"capacity_report_path": str(tmp_path / "r.html")})


BALANCE = {"koodrive_department_unallocated_capacity": "200", "koodrive_individual_unallocated_capacity": "500", "koodrive_group_total_capacity": "600"}


@pytest.mark.parametrize(
    "answers",
    [
        {**BALANCE, "koodrive_group_unallocated_capacity": "", "koodrive_pools": " ", "koodrive_partial": "no", "koodrive_capacity_step": None},
        {
            "koodrive_pools": "[{type: department, unallocated_capacity: 200}, {type: individual, unallocated_capacity: 500},"
            " {type: group, total_capacity: 600}]",
            "koodrive_department_total_capacity": "\t",
        },
    ],
)
def test_balance_predicts_and_is_idempotent(koodrive: KooDriveForTests, answers: dict[str, Any]) -> None:
    assert "Would move 400 GB to individual and 100 GB to group from department" in play(koodrive, f"{NAME}balance", answers, "--check", "--diff")
    assert koodrive.methods() == ["GET"]
    assert "Moved 400 GB to individual and 100 GB to group from department" in play(koodrive, f"{NAME}balance", answers)
    assert koodrive.totals() == {"department": 1500, "individual": 1400, "group": 600}
    again = play(koodrive, f"{NAME}balance", answers)
    assert "Nothing was to be moved" in again and "changed=0" in again


def test_balance_moves_a_part_only_with_partial(koodrive: KooDriveForTests) -> None:
    answers = {"koodrive_individual_unallocated_capacity": 5000, "koodrive_department_unallocated_capacity": "0"}
    assert "individual lacks 4,900 GB; department can give 1,600 GB" in play(koodrive, f"{NAME}balance", answers, expected=2)
    shown = play(koodrive, f"{NAME}balance", {**answers, "koodrive_partial": "yes"})
    assert "Moved 1,600 GB to individual from department. Still missing: 3,300 GB in individual." in shown


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, "No pool is given. Give koodrive_pools, or"),
        ({"koodrive_pools": "5"}, "koodrive_pools must be a list"),
        ({"koodrive_pools": "[{type: group, total_capacity: 01000}]"}, "must be whole GB, without unit or separator"),
        ({**BALANCE, "koodrive_pools": [{"type": "group", "total_capacity": 1}]}, "are both given"),
        ({**BALANCE, "koodrive_takes_rest": "team"}, "koodrive_takes_rest must be one of"),
        ({"koodrive_individual_unalocated_capacity": 500, **BALANCE}, "Did you mean koodrive_individual_unallocated_capacity?"),
        ({**BALANCE, "koodrive_endpoint": "https://other.example.org"}, "Set KOODRIVE_ENDPOINT in the environment."),
    ],
)
def test_balance_refuses_wrong_answers_before_any_request(koodrive: KooDriveForTests, answers: dict[str, Any], message: str) -> None:
    assert message in play(koodrive, f"{NAME}balance", answers, expected=2)
    assert koodrive.methods() == []


def test_onboard_without_an_origin_finds_the_pools_that_give(koodrive: KooDriveForTests) -> None:
    shown = play(koodrive, f"{NAME}onboard", {**JOIN, "onboarding_capacity_origin_type": ""})
    assert "Moved 400 GB to individual from department." in shown


def test_a_playbook_accepts_the_variables_of_the_others(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    others = {**JOIN, **BALANCE, "capacity_report_path": str(tmp_path / "r.html"), "koodrive_in_process": True, "koodrive_interval": 5}
    assert "Moved 400 GB" in play(koodrive, f"{NAME}balance", {**others, "onboarding_capacity_result": {"allocation": {}}})
    assert "Nothing was to be moved" in play(koodrive, f"{NAME}onboard", others)


def test_balance_moves_the_rest_back_once(koodrive: KooDriveForTests) -> None:
    night = {"koodrive_individual_unallocated_capacity": "40", "koodrive_takes_rest": "department", "koodrive_capacity_step": "10"}
    assert "Would move 60 GB to department from individual" in play(koodrive, f"{NAME}balance", night, "--check")
    assert "Moved 60 GB to department from individual" in play(koodrive, f"{NAME}balance", night)
    assert "Nothing was to be moved" in play(koodrive, f"{NAME}balance", night)


@pytest.mark.parametrize("batches", [[{"type": "individual", "count": 3, "each": 200}], "[{type: individual, count: 3, each: 200}]"])
def test_batches_add_up_and_a_reference_adds_once(koodrive: KooDriveForTests, batches: Any) -> None:
    several = {**JOIN, "onboarding_capacity_individual_count": "1", "onboarding_capacity_batches": batches}
    shown = play(koodrive, f"{NAME}onboard", several)
    assert "Moved 510 GB to individual from department." in shown and "Capacity that was already unallocated counts for these joiners" in shown
    ticket = {**several, "onboarding_capacity_reference": "INC-7", "koodrive_capacity_step": 100}
    shown = play(koodrive, f"{NAME}onboard", ticket)
    assert "Moved 700 GB to individual from department." in shown and "already unallocated" not in shown
    assert "this addition was made before" in play(koodrive, f"{NAME}onboard", ticket)
    assert koodrive.totals()["individual"] == 2210


def test_onboard_takes_the_settle_time(koodrive: KooDriveForTests) -> None:
    koodrive.state.script = [Fault(), Fault(apply="no", reply="reset")]
    assert koodrive.failure({"type": "individual", "total_capacity": 1100})["error"]["kind"] == "outcome_unknown"
    assert "Moved 400 GB" in play(koodrive, f"{NAME}onboard", {**JOIN, "koodrive_settle_time": "0"})


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"onboarding_capacity_origin_resrve": 1000}, "Did you mean onboarding_capacity_origin_reserve? No request was sent."),
        ({"onboarding_capacity_step": 10}, "Did you mean koodrive_capacity_step?"),
        ({"onboarding_capacity_batches": "[{type: individual"}, "onboarding_capacity_batches is not valid YAML or JSON"),
        ({"onboarding_capacity_batches": [{"type": "individual", "cuont": 1, "each": 1}]}, "entry 1, has cuont, which is unknown. Did you mean count?"),
        ({"onboarding_capacity_batches": [{"type": "individual", "count": 1}]}, "entry 1, lacks each."),
        ({"onboarding_capacity_batches": [{"type": "team", "count": 1, "each": 1}]}, "must be one of department, individual, group, not team"),
        ({"onboarding_capacity_individual_count": "01000"}, "onboarding_capacity_individual_count must be a whole number, 0 or more"),
        (
            {"onboarding_capacity_origin_type": "", "onboarding_capacity_reference": "A-1"},
            "onboarding_capacity_reference needs onboarding_capacity_origin_type",
        ),
        ({"koodrive_capacity_step": "0"}, "koodrive_capacity_step must be a whole number, 1 or more"),
    ],
)
def test_onboard_names_the_mistake_before_any_request(koodrive: KooDriveForTests, answers: dict[str, Any], message: str) -> None:
    shown = play(koodrive, f"{NAME}onboard", {**JOIN, **answers}, expected=2)
    assert message in shown and "<class" not in shown
    assert koodrive.methods() == []


def test_onboard_moves_once(koodrive: KooDriveForTests) -> None:
    assert "Would move 400 GB to individual from department" in play(koodrive, f"{NAME}onboard", JOIN, "--check")
    assert "Moved 400 GB to individual from department. Unallocated now: " in play(koodrive, f"{NAME}onboard", JOIN)
    assert "Nothing was to be moved" in play(koodrive, f"{NAME}onboard", JOIN)


def test_onboard_refuses_blank_answers_before_any_request(koodrive: KooDriveForTests) -> None:
    blank = dict.fromkeys(JOIN, "")
    assert "There are no joiners" in play(koodrive, f"{NAME}onboard", blank, expected=2)
    assert "There are no joiners" in play(koodrive, f"{NAME}onboard", {**blank, "onboarding_capacity_origin_type": "group"}, expected=2)
    assert koodrive.methods() == []


@pytest.mark.broad
def test_report_writes_the_file_that_it_names(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    report = tmp_path / "report"
    answers = {"capacity_report_path": str(report), "capacity_report_format": "", "capacity_report_result": ""}
    assert f"Would write {report}: 1,700 of 3,500 GB are unallocated in 3 pools." in play(koodrive, f"{NAME}report", answers, "--check")
    assert not report.exists()
    assert f"Wrote {report}: 1,700 of 3,500 GB are unallocated in 3 pools." in play(koodrive, f"{NAME}report", answers)
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    play(koodrive, f"{NAME}report", {**answers, "capacity_report_format": "markdown"})
    assert report.read_text(encoding="utf-8").startswith("# KooDrive capacity")
    koodrive.state.requests.clear()
    assert "capacity_report_path is empty" in play(koodrive, f"{NAME}report", {**answers, "capacity_report_path": ""}, expected=2)
    assert koodrive.methods() == []


@pytest.mark.broad
@pytest.mark.parametrize("blank", ["", "\t\n", "None", None])
def test_report_refuses_a_blank_path_and_accepts_other_blanks(koodrive: KooDriveForTests, tmp_path: Path, blank: Any) -> None:
    answers = {"capacity_report_path": blank, "capacity_report_format": blank, "capacity_report_result": blank}
    assert "capacity_report_path is empty" in play(koodrive, f"{NAME}report", answers, expected=2)
    assert koodrive.methods() == []
    report = tmp_path / "report.html"
    assert f"Wrote {report}: 1,700" in play(koodrive, f"{NAME}report", {**answers, "capacity_report_path": f" {report}\n"})
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.broad
def test_report_says_what_is_in_the_ledger_and_what_is_stored(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    report = {"capacity_report_path": str(tmp_path / "report.html")}
    assert "in 3 pools. The ledger has no transfer of this tenant." in play(koodrive, f"{NAME}report", report)
    koodrive.run({"type": "group", "expand_capacity": 100})
    koodrive.run({"type": "individual", "expand_capacity": 7})
    shown = play(koodrive, f"{NAME}report", {**report, "capacity_report_usage": "yes", "capacity_report_transfers": "1"})
    assert (
        " Of 1,800 allocated GB, 1,080.0 are stored. The ledger has 2 transfers of this tenant. The last one: 7 GB to individual from department, sent 20"
        in shown
    )
    assert "ledger" not in play(koodrive, f"{NAME}report", {**report, "capacity_report_transfers": "0"}).partition(": Summary]")[2]


@pytest.mark.parametrize(
    ("name", "given", "begins"),
    [
        ("r.md", None, "# KooDrive"),
        ("r.MarkDown", "", "# KooDrive"),
        ("r.prom", "None", "# HELP"),
        ("r.html", None, "<!DOCTYPE"),
        ("r.txt", None, "<!DOCTYPE"),
        ("r.md", "html", "<!DOCTYPE"),
    ],
)
def test_the_end_of_the_path_decides_on_the_format(koodrive: KooDriveForTests, tmp_path: Path, name: str, given: str | None, begins: str) -> None:
    play(koodrive, f"{NAME}report", {"capacity_report_path": str(tmp_path / name), "capacity_report_format": given})
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize("path", [".", "new/", "new/report.html"])
def test_report_refuses_a_path_that_is_no_file_before_any_request(koodrive: KooDriveForTests, tmp_path: Path, path: str) -> None:
    assert "capacity_report_path must be a file" in play(koodrive, f"{NAME}report", {"capacity_report_path": f"{tmp_path}/{path}"}, expected=2)
    assert koodrive.methods() == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("result", "message", "asked"),
    [
        ("{}", "1,700 of 3,500 GB", ["GET"]),
        (" ", "7 of 9 GB", []),
        ('{"allocation":{"group":{"total_capacity":5,"allocated_capacity":2}}}', "3 of 5 GB", []),
    ],
)
def test_a_result_can_be_given_on_the_command_line(koodrive: KooDriveForTests, tmp_path: Path, result: str, message: str, asked: list[str]) -> None:
    onboarding = {"onboarding_capacity_result": {"allocation": {"group": {"total_capacity": 9, "allocated_capacity": 2}}}}
    answers = {"capacity_report_path": str(tmp_path / "report.md"), **onboarding}
    assert message in play(koodrive, f"{NAME}report", answers, "-e", f"capacity_report_result='{result}'")
    assert koodrive.methods() == asked


@pytest.mark.parametrize("path", ["report.html", "~/report.html", "$HOME/report.html"])
def test_a_relative_path_begins_in_the_folder_of_the_user(koodrive: KooDriveForTests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert f"Wrote {tmp_path / 'report.html'}: 1,700" in play(koodrive, f"{NAME}report", {"capacity_report_path": path})
    assert (tmp_path / "report.html").exists()


def test_report_refuses_a_misspelled_variable(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    answers = {"capacity_report_path": str(tmp_path / "r.html"), "capacity_report_fromat": "markdown"}
    assert "Did you mean capacity_report_format? No request was sent." in play(koodrive, f"{NAME}report", answers, expected=2)
    assert koodrive.methods() == []


def test_roles_explain_themselves() -> None:
    for role in ("onboarding_capacity", "capacity_report"):
        shown = subprocess.run(["ansible-doc", "-t", "role", NAME + role], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
        assert f"{role}_" in shown and "Options" in shown.title()
