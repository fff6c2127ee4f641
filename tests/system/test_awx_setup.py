# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that sets up AWX, with AWX's own modules."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import CREDENTIAL_TYPE, JOB_TEMPLATES, ROOT
from ansible_collections.huaweicloud.koodrive.tests.system.fake_awx import MEMBER, READER, TOKEN, FakeAWX
from ansible_collections.huaweicloud.koodrive.tests.system.test_playbooks import play
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

pytestmark = pytest.mark.broad
#: Where the tests' make target has put the collection awx.awx.
AWX_COLLECTIONS = os.environ["AWX_COLLECTIONS"]
NIGHTLY = "DTSTART;TZID=Europe/Berlin:20270101T023000 RRULE:FREQ=DAILY;INTERVAL=1"
HOURLY = "DTSTART:20270101T023000Z RRULE:FREQ=HOURLY;INTERVAL=1"
POOLS = [{"type": "individual", "unallocated_capacity": 500}, {"type": "department", "unallocated_capacity": 200}]
SCHEDULE = {"awx_setup_balance_schedule": NIGHTLY, "awx_setup_balance_pools": POOLS}


@pytest.fixture(name="awx")
def fixture_awx() -> Iterator[FakeAWX]:
    with FakeAWX() as awx:
        yield awx


def set_up(awx: FakeAWX, *options: str, collections: str = AWX_COLLECTIONS, expected: int = 0, token: str = TOKEN, **variables: Any) -> str:
    """What the playbook prints; it must end as ``expected``."""
    variables = {"awx_setup_project": "KooDrive", "awx_setup_inventory": "Any", **variables}
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{collections}",
        "CONTROLLER_HOST": awx.endpoint,
        "CONTROLLER_OAUTH_TOKEN": token,
        # The modules of AWX's last release use what newer releases of ansible-core call deprecated.
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }
    command = ["ansible-playbook", "huaweicloud.koodrive.awx_setup", "-e", json.dumps(variables), *options]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode == expected, ended.stdout
    assert token not in ended.stdout
    return ended.stdout


@pytest.fixture(name="after_set_up", scope="session")
def fixture_after_set_up() -> dict[str, list[dict[str, Any]]]:
    with FakeAWX() as awx:
        set_up(awx)
    return awx.objects


@pytest.fixture(name="ready")
def fixture_ready(awx: FakeAWX, after_set_up: dict[str, list[dict[str, Any]]]) -> FakeAWX:
    """An AWX as the playbook has set it up, which was done once for all tests."""
    awx.objects = copy.deepcopy(after_set_up)
    return awx


def launch(awx: FakeAWX, name: str, expected: int = 201, **prompts: Any) -> dict[str, Any]:
    """The job that AWX makes of a launch over its API, or its refusal."""
    url = f"{awx.endpoint}{awx.named('job_templates', name)['url']}launch/"
    reply = requests.post(url, json=prompts, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert reply.status_code == expected, reply.text
    return awx.objects["jobs"][-1] if expected == 201 else reply.json()


def credential(awx: FakeAWX, name: str, of_type: str = "KooDrive") -> int:
    """The ID of a new credential of a type."""
    return awx.add("credentials", {"name": name, "credential_type": awx.named("credential_types", of_type)["id"]})["id"]


@pytest.fixture(name="with_tenant")
def fixture_with_tenant(ready: FakeAWX) -> FakeAWX:
    """The same, with one tenant, whose credential "One" all job templates have."""
    own = credential(ready, "One")
    for template in ready.objects["job_templates"]:
        template["credentials"] = [own]
    return ready


def refused(awx: FakeAWX, said: str, **answers: Any) -> None:
    """Check that the set-up with ``answers`` and its check run fail with the text ``said``, and write nothing."""
    before = copy.deepcopy(awx.objects)
    awx.writes.clear()
    for options in (("--check",), ()):
        printed = set_up(awx, *options, expected=2, **answers)
        assert said in printed.replace('\\"', '"')
        # Whole objects of AWX would hide the message.
        assert "survey_spec" not in printed
    assert awx.writes == [] and awx.objects == before


def test_it_creates_what_is_defined_and_only_once(awx: FakeAWX) -> None:
    # A type made by hand, with another description, and a credential of it.
    awx.add("credential_types", {**copy.deepcopy(CREDENTIAL_TYPE), "description": "by hand"})
    own = credential(awx, "One")
    assert "changed=2" in set_up(awx, awx_setup_credential="One", awx_setup_organization="Ours")
    credential_type = awx.named("credential_types", "KooDrive")
    assert {key: credential_type[key] for key in CREDENTIAL_TYPE} == CREDENTIAL_TYPE
    templates = awx.objects["job_templates"]
    for template, defined in zip(templates, JOB_TEMPLATES):
        assert template["survey"] == defined["survey"] and template["survey_enabled"] is True
        assert template["playbook"] == f"playbooks/{defined['playbook']}" and template["name"] == defined["name"]
        assert template["ask_job_type_on_launch"] is template["ask_diff_mode_on_launch"] is template["ask_credential_on_launch"] is True
        # A diff of a report is the whole report.
        assert template["diff_mode"] is (defined["playbook"] != "report.yml")
        assert "instance_groups" not in template and "prevent_instance_group_fallback" not in template
        assert template["allow_simultaneous"] is False and template["verbosity"] == 0 and template["job_type"] == "run"
        assert template["project"] == template["inventory"] == template["organization"] == 1 and template["credentials"] == [own]
        assert json.loads(template["extra_vars"]) == defined["extra_vars"]
    assert len(templates) == len(JOB_TEMPLATES)
    awx.writes.clear()
    assert "changed=0" in set_up(awx, awx_setup_credential="One", awx_setup_organization="Ours")
    assert awx.writes == []


def test_a_check_run_writes_nothing(awx: FakeAWX) -> None:
    assert "changed=2" in set_up(awx, "--check")
    assert awx.writes == []


def test_the_modules_of_automation_controller_and_playbooks_of_ones_own(awx: FakeAWX, tmp_path: Path) -> None:
    controller = tmp_path / "ansible_collections/ansible/controller"
    shutil.copytree(f"{AWX_COLLECTIONS}/ansible_collections/awx/awx", controller)
    # It names itself where its lookup takes the documentation of its options from.
    lookup = controller / "plugins/lookup/controller_api.py"
    lookup.write_text(lookup.read_text(encoding="utf-8").replace("awx.awx.auth_plugin", "ansible.controller.auth_plugin"), encoding="utf-8")
    set_up(awx, collections=str(tmp_path), awx_setup_modules="ansible.controller", awx_setup_folder="")
    assert [template["playbook"] for template in awx.objects["job_templates"]] == [template["playbook"] for template in JOB_TEMPLATES]


def test_a_blank_variable_counts_as_not_given(awx: FakeAWX) -> None:
    assert "Give awx_setup_project" in set_up(awx, expected=2, awx_setup_project=" ")
    assert "Give awx_setup_project" in set_up(awx, expected=2, awx_setup_inventory=None)
    assert awx.writes == []
    blanks = {"credential_type": "\t", "credential": "", "organization": "None", "execution_environment": None, "instance_group": "\n", "modules": " "}
    set_up(awx, awx_setup_folder=" ", **{f"awx_setup_{name}": blank for name, blank in blanks.items()})
    assert awx.named("credential_types", "KooDrive")["name"] == "KooDrive"
    for template in awx.objects["job_templates"]:
        assert not template.keys() & {"credentials", "organization", "execution_environment", "instance_groups", "prevent_instance_group_fallback"}
        assert "/" not in template["playbook"]


def test_names_and_a_folder_may_have_blanks_around_them(awx: FakeAWX) -> None:
    set_up(awx, awx_setup_inventory="Demo Inventory", awx_setup_execution_environment="With requests", awx_setup_folder=" playbooks/ ")
    for template, defined in zip(awx.objects["job_templates"], JOB_TEMPLATES):
        assert (template["inventory"], template["execution_environment"]) == (2, 1)
        assert template["playbook"] == f"playbooks/{defined['playbook']}"


@pytest.mark.parametrize("name", [template["name"] for template in JOB_TEMPLATES])
def test_a_credential_given_at_launch_decides_on_the_tenant(ready: FakeAWX, name: str) -> None:
    answers = {"capacity_report_path": "/tmp/r.html"}
    own, given, another = (credential(ready, tenant) for tenant in ("A", "B", "C"))
    assert launch(ready, name, extra_vars=answers)["credentials"] == []
    template = ready.named("job_templates", name)
    template.update(credentials=[own], allow_simultaneous=True)
    assert launch(ready, name, extra_vars=answers)["credentials"] == [own]
    assert launch(ready, name, extra_vars=answers, credentials=[given])["credentials"] == [given]
    assert launch(ready, name, 400, extra_vars=answers, credentials=[given, another])["credentials"]
    assert launch(ready, name, 400, extra_vars=answers, credentials=[])["credentials"]
    # What it would be without asking: accepted, and without effect.
    template["ask_credential_on_launch"] = False
    assert launch(ready, name, extra_vars=answers, credentials=[given])["credentials"] == [own]


def test_a_template_gets_the_one_credential_that_is_named(ready: FakeAWX) -> None:
    old, new = (credential(ready, tenant) for tenant in ("A", "B"))
    for template in ready.objects["job_templates"]:
        template["credentials"] = [old]
    url = f"{ready.endpoint}/api/v2/job_templates/1/credentials/"
    assert requests.post(url, json={"id": new}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).status_code == 400
    # Of a type that is in use, what are not the inputs may change.
    ready.named("credential_types", "KooDrive")["description"] = "What an older release said"
    set_up(ready, awx_setup_credential="B")
    assert [template["credentials"] for template in ready.objects["job_templates"]] == [[new]] * len(JOB_TEMPLATES)
    assert ready.named("credential_types", "KooDrive")["description"] == CREDENTIAL_TYPE["description"]


def test_launches_need_no_answer_that_has_a_default(ready: FakeAWX) -> None:
    assert launch(ready, "KooDrive transfer")["extra_vars"]["koodrive_origin_type"] == "department"
    # AWX fills in the default, so a question that may be left blank has none.
    assert "onboarding_capacity_origin_type" not in launch(ready, "KooDrive onboarding")["extra_vars"]
    refused = launch(ready, "KooDrive capacity report", 400)
    assert refused["variables_needed_to_start"] == ["'capacity_report_path' value missing"]
    job = launch(ready, "KooDrive capacity report", extra_vars={"capacity_report_path": "/tmp/r.html", "capacity_report_result": "not asked for"})
    blank = {"capacity_report_title": "", "capacity_report_since": ""}
    assert job["extra_vars"] == {"capacity_report_path": "/tmp/r.html", "capacity_report_usage": "no", "capacity_report_transfers": 10, **blank}


def test_one_template_runs_one_job_at_a_time_and_two_do_not(ready: FakeAWX) -> None:
    first, second, other = (launch(ready, f"KooDrive {name}") for name in ("transfer", "transfer", "onboarding"))
    assert [job["status"] for job in (first, second, other)] == ["running", "pending", "running"]
    ready.end(first)
    assert second["status"] == "running"


def test_a_group_with_room_for_one_job_holds_back_all_that_move_capacity(ready: FakeAWX) -> None:
    group = ready.add("instance_groups", {"name": "koodrive", "max_concurrent_jobs": 1})
    set_up(ready, awx_setup_instance_group="koodrive")
    ready.writes.clear()
    # A set-up without it leaves it as it is.
    assert "changed=0" in set_up(ready)
    assert ready.writes == []
    first, second = (launch(ready, f"KooDrive {name}") for name in ("transfer", "onboarding"))
    report = launch(ready, "KooDrive capacity report", extra_vars={"capacity_report_path": "/tmp/r.html"})
    assert (first["status"], first["instance_group"]) == ("running", group["id"])
    assert second["status"] == "pending"
    assert (report["status"], report["instance_group"]) == ("running", ready.named("instance_groups", "default")["id"])
    ready.end(first)
    assert (second["status"], second["instance_group"]) == ("running", group["id"])
    # Without the setting, the job falls back to another group.
    ready.named("job_templates", "KooDrive transfer")["prevent_instance_group_fallback"] = False
    assert launch(ready, "KooDrive transfer")["status"] == "running"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"awx_setup_instance_group": "nowhere"}, 'awx_setup_instance_group: AWX has no instance group named "nowhere"'),
        ({"awx_setup_credential": "Tenant"}, 'the credential "Tenant" is of the type "Machine", not "KooDrive". Give a credential of the type "KooDrive".'),
        ({"awx_setup_inventory": "Twice"}, 'AWX has 2 of the name "Twice" (inventory). Give awx_setup_organization, a unique name, or the ID'),
        ({"awx_setup_credential": "Shared"}, 'AWX has 2 of the name "Shared" (credential). Give awx_setup_organization'),
    ],
)
def test_a_name_without_exactly_one_object_is_refused_before_any_write(ready: FakeAWX, answers: dict[str, str], said: str) -> None:
    for organization in (1, 2):
        ready.add("inventories", {"name": "Twice", "organization": organization})
        ready.objects["credentials"][credential(ready, "Shared") - 1]["organization"] = organization
    refused(ready, said, **answers)


def test_an_organization_or_an_id_chooses_between_objects_of_one_name(ready: FakeAWX) -> None:
    shared = [credential(ready, "Shared") for _organization in (1, 2)]
    for organization, number in enumerate(shared, 1):
        ready.objects["credentials"][number - 1]["organization"] = organization
    for template in ready.objects["job_templates"]:
        template["organization"] = 1
    set_up(ready, awx_setup_organization="Ours", awx_setup_credential="Shared")
    assert ready.named("job_templates", "KooDrive balance")["credentials"] == [shared[0]]
    set_up(ready, awx_setup_credential=shared[1], awx_setup_project="1", awx_setup_inventory="2")
    assert ready.named("job_templates", "KooDrive balance")["credentials"] == [shared[1]]
    assert ready.named("job_templates", "KooDrive balance")["inventory"] == 2


def test_job_templates_of_one_name_in_two_organizations(ready: FakeAWX) -> None:
    ready.add("organizations", {"name": "Others"})
    for template in list(ready.objects["job_templates"]):
        template["organization"] = 1
        ready.add("job_templates", {"name": template["name"], "playbook": template["playbook"], "organization": 2, "description": "theirs"})
    refused(ready, 'AWX has 2 job templates named "KooDrive transfer". Give awx_setup_organization')
    set_up(ready, awx_setup_organization="Ours")
    assert {template["description"] for template in ready.objects["job_templates"][len(JOB_TEMPLATES) :]} == {"theirs"}


def older(awx: FakeAWX) -> None:
    """Make the credential type one of an older release, with another help text."""
    awx.named("credential_types", "KooDrive")["inputs"]["fields"][0]["help_text"] = "What an older release said"


def test_an_upgrade_may_change_the_fields_only_of_a_type_without_credentials(ready: FakeAWX) -> None:
    older(ready)
    assert "changed=1" in set_up(ready)
    assert ready.named("credential_types", "KooDrive")["inputs"] == CREDENTIAL_TYPE["inputs"]
    older(ready)
    credential(ready, "A")
    said = set_up(ready, expected=2)
    assert "(HTTP 403)" in said and "set awx_setup_credential_type to a new name, such as" in said and "KooDrive 2" in said
    assert "changed=1" in set_up(ready, awx_setup_credential_type="KooDrive 2")
    assert ready.named("credential_types", "KooDrive 2")["inputs"] == CREDENTIAL_TYPE["inputs"]


@pytest.mark.parametrize("token", [MEMBER, READER])
def test_the_message_names_the_missing_rights(awx: FakeAWX, token: str) -> None:
    said = set_up(awx, expected=2, token=token)
    assert "needs a token with the scope write. Only a system administrator can make the credential type" in said and "awx_setup_credential_type" not in said


def test_the_message_says_to_sync_the_project(awx: FakeAWX) -> None:
    assert "Sync the project, and check that awx_setup_folder" in set_up(awx, expected=2, awx_setup_project="Never synced")


def test_the_message_says_where_to_get_awxs_modules(awx: FakeAWX, tmp_path: Path) -> None:
    said = set_up(awx, expected=2, collections=str(tmp_path))
    assert "ansible-galaxy collection install awx.awx" in said
    assert awx.writes == []


def test_it_wants_to_know_the_project(awx: FakeAWX) -> None:
    environment = {**os.environ, "CONTROLLER_HOST": awx.endpoint, "CONTROLLER_OAUTH_TOKEN": TOKEN}
    ended = subprocess.run(["ansible-playbook", "huaweicloud.koodrive.awx_setup"], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "Give awx_setup_project" in ended.stdout
    assert awx.writes == []


def scheduled(awx: FakeAWX, **variables: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, times and answers of the schedules after a set-up with ``variables``."""
    set_up(awx, **{**SCHEDULE, **variables})
    return [(row["name"], row["rrule"], row["extra_data"]) for row in awx.objects["schedules"]]


def test_a_schedule_is_created_once_and_changed_where_it_differs(ready: FakeAWX) -> None:
    own = credential(ready, "One")
    assert "changed=2" in set_up(ready, **SCHEDULE, awx_setup_credential="One")
    (schedule,) = ready.objects["schedules"]
    assert (schedule["name"], schedule["rrule"]) == ("KooDrive balance", NIGHTLY)
    assert schedule["unified_job_template"] == ready.named("job_templates", "KooDrive balance")["id"]
    assert "credentials" not in schedule and ready.start(schedule)["credentials"] == [own]
    # A user turns it off.
    schedule.update(enabled=False)
    as_it_is = copy.deepcopy(schedule)
    ready.writes.clear()
    assert 'The schedule \\"KooDrive balance\\" is turned off.' in set_up(ready, **SCHEDULE)
    assert "changed=0" in set_up(ready, **SCHEDULE)
    # Without it, or with a blank one, it stays.
    assert "changed=0" in set_up(ready, awx_setup_balance_schedule=" ", awx_setup_balance_pools="")
    assert ready.writes == [] and schedule == as_it_is
    assert "changed=1" in set_up(ready, "--check", **{**SCHEDULE, "awx_setup_balance_schedule": HOURLY})
    assert ready.writes == [] and schedule == as_it_is
    assert "changed=1" in set_up(ready, **{**SCHEDULE, "awx_setup_balance_schedule": HOURLY})
    assert ready.objects["schedules"] == [{**as_it_is, "rrule": HOURLY}]


def test_a_check_run_predicts_a_schedule_before_the_template_exists(awx: FakeAWX) -> None:
    awx.add("credential_types", copy.deepcopy(CREDENTIAL_TYPE))
    credential(awx, "A")
    said = set_up(awx, "--check", **SCHEDULE, awx_setup_balance_credential="A")
    assert "The set-up would create the schedule KooDrive balance, A." in said and awx.writes == []
    set_up(awx, **SCHEDULE, awx_setup_balance_credential="A")
    assert [row["name"] for row in awx.objects["schedules"]] == ["KooDrive balance, A"]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"awx_setup_balance_pools": json.dumps(POOLS)},
        {"awx_setup_balance_pools": "- {unallocated_capacity: 500, type: individual}\n- {type: department, unallocated_capacity: 200}\n"},
        {"awx_setup_balance_schedule": NIGHTLY.replace(" ", "\n") + "\n", "awx_setup_balance_capacity_step": "1", "awx_setup_balance_partial": "no"},
    ],
)
def test_a_schedule_is_the_same_however_it_is_written(with_tenant: FakeAWX, answers: dict[str, Any]) -> None:
    ((name, rrule, extra_data),) = scheduled(with_tenant, **answers)
    # In the text of a list, a number is what is written there.
    pools = [{**row, "unallocated_capacity": int(row["unallocated_capacity"])} for row in json.loads(extra_data.pop("koodrive_pools"))]
    assert pools == [{"type": "individual", "unallocated_capacity": 500}, {"type": "department", "unallocated_capacity": 200}]
    assert (name, rrule, extra_data) == ("KooDrive balance", NIGHTLY, {"koodrive_partial": "no", "koodrive_capacity_step": 1})


def test_what_a_schedule_starts_balances_the_pools(with_tenant: FakeAWX, koodrive: KooDriveForTests) -> None:
    answers = {"awx_setup_balance_pools": "[{type: individual, unallocated_capacity: 5000}, {type: department, unallocated_capacity: 0}]"}
    set_up(with_tenant, **{**SCHEDULE, **answers}, awx_setup_balance_partial="yes", awx_setup_balance_capacity_step=500)
    job = with_tenant.start(with_tenant.named("schedules", "KooDrive balance"))
    assert job["status"] == "running"
    assert "Moved 1,500 GB to individual from department" in play(koodrive, "huaweicloud.koodrive.balance", job["extra_vars"])


def test_each_tenant_has_its_own_schedule(ready: FakeAWX) -> None:
    first, second = (credential(ready, tenant) for tenant in ("A", "B"))
    for tenant in ("A", "B"):
        # It is made, gets its credential, and is turned on.
        assert "changed=2" in set_up(ready, **SCHEDULE, awx_setup_balance_credential=tenant)
        assert "changed=0" in set_up(ready, **SCHEDULE, awx_setup_balance_credential=tenant)
    assert [(row["name"], row["enabled"]) for row in ready.objects["schedules"]] == [("KooDrive balance, A", True), ("KooDrive balance, B", True)]
    assert [ready.start(row)["credentials"] for row in ready.objects["schedules"]] == [[first], [second]]
    assert "credentials" not in ready.named("job_templates", "KooDrive balance")
    # The templates may get a credential later. The schedules go on for their own tenants.
    set_up(ready, awx_setup_credential="B")
    assert [ready.start(row)["credentials"] for row in ready.objects["schedules"]] == [[first], [second]]


@pytest.mark.parametrize("earlier", [False, True], ids=["in one run", "in two runs"])
def test_a_schedule_is_not_named_after_the_credential_of_the_template(ready: FakeAWX, earlier: bool) -> None:
    credential(ready, "One")
    if earlier:
        set_up(ready, awx_setup_credential="One")
    answers = {**SCHEDULE, "awx_setup_balance_credential": "One", **({} if earlier else {"awx_setup_credential": "One"})}
    refused(ready, 'The credential "One" is the credential of the job template "KooDrive balance"', **answers)


def test_a_schedule_without_a_credential_does_not_follow_the_template_to_another_tenant(ready: FakeAWX) -> None:
    credential(ready, "One")
    second = credential(ready, "Two")
    set_up(ready, **SCHEDULE, awx_setup_credential="One")
    refused(ready, 'Its jobs ran for "One", and would run for "Two" from now on', awx_setup_credential="Two")
    # The same after the template has lost its credential in between.
    template = ready.named("job_templates", "KooDrive balance")
    template["credentials"], own = [], template["credentials"]
    refused(ready, 'Its jobs ran for "no tenant", and would run for "Two" from now on', awx_setup_credential="Two")
    template["credentials"] = own
    # The minimums of the second tenant may differ, so the schedule comes with them.
    set_up(ready, **SCHEDULE, awx_setup_credential="Two")
    (schedule,) = ready.objects["schedules"]
    assert ready.start(schedule)["credentials"] == [second]


def test_a_schedule_without_any_credential_is_refused(ready: FakeAWX) -> None:
    refused(ready, "The scheduled jobs would have no credential, and each would fail. Give awx_setup_balance_credential", **SCHEDULE)


def test_a_schedule_that_lost_its_credential_is_refused_and_can_get_it_back(ready: FakeAWX) -> None:
    first = credential(ready, "One")
    credential(ready, "Two")
    set_up(ready, **SCHEDULE, awx_setup_balance_credential="One")
    (schedule,) = ready.objects["schedules"]
    # AWX does this when a user deletes the credential.
    schedule["credentials"] = []
    refused(ready, 'The schedule "KooDrive balance, One" has lost its credential, and its jobs run for "Two"', awx_setup_credential="Two")
    set_up(ready, **SCHEDULE, awx_setup_credential="Two", awx_setup_balance_credential="One")
    assert ready.objects["schedules"] == [schedule] and schedule["enabled"] is True and ready.start(schedule)["credentials"] == [first]


def test_a_failed_set_up_leaves_no_schedule_without_credential_turned_on(ready: FakeAWX) -> None:
    first = credential(ready, "One")
    # AWX refuses a credential that its user may not use, after it has made the schedule.
    ready.unusable.add(first)
    set_up(ready, expected=2, **SCHEDULE, awx_setup_balance_credential="One")
    (schedule,) = ready.objects["schedules"]
    assert schedule["enabled"] is False and not schedule.get("credentials")
    ready.unusable.clear()
    set_up(ready, **SCHEDULE, awx_setup_balance_credential="One")
    assert ready.objects["schedules"] == [schedule] and schedule["enabled"] is True and schedule["credentials"] == [first]


def test_the_set_up_finds_a_schedule_by_its_renamed_credential(ready: FakeAWX) -> None:
    first = credential(ready, "One")
    set_up(ready, **SCHEDULE, awx_setup_balance_credential="One")
    ready.named("credentials", "One")["name"] = "First"
    # Another tenant's credential has taken the name, and must not take the schedule.
    credential(ready, "One")
    refused(ready, 'has another credential, "First"', **SCHEDULE, awx_setup_balance_credential="One")
    assert "changed=1" in set_up(ready, **SCHEDULE, awx_setup_balance_credential="First")
    set_up(ready, **SCHEDULE, awx_setup_balance_credential="One")
    assert [row["name"] for row in ready.objects["schedules"]] == ["KooDrive balance, First", "KooDrive balance, One"]
    assert ready.objects["schedules"][0]["credentials"] == [first]


def test_two_schedules_of_one_tenant_are_refused(ready: FakeAWX) -> None:
    credential(ready, "One")
    set_up(ready, **SCHEDULE, awx_setup_balance_credential="One")
    (schedule,) = ready.objects["schedules"]
    ready.add("schedules", {**schedule, "id": 2, "url": "/api/v2/schedules/2/", "name": "KooDrive balance, at noon"})
    refused(ready, "AWX has several schedules that could be the one", **SCHEDULE, awx_setup_balance_credential="One")


def test_an_upgrade_with_a_new_credential_type_keeps_schedules_and_tenants(ready: FakeAWX) -> None:
    old = credential(ready, "One")
    set_up(ready, **SCHEDULE, awx_setup_balance_credential="One")
    set_up(ready, awx_setup_credential_type="KooDrive 2")
    refused(ready, 'Give a credential of the type "KooDrive 2"', awx_setup_credential_type="KooDrive 2", awx_setup_credential="One")
    refused(ready, 'or the type "KooDrive 2" as awx_setup_credential_type', awx_setup_credential=str(credential(ready, "New", "KooDrive 2")))
    # The new credential has the name of the old one.
    new = credential(ready, "One", "KooDrive 2")
    # A job would get the old credential of the template and the new one of the schedule.
    ready.named("job_templates", "KooDrive balance")["credentials"] = [old]
    upgraded = {**SCHEDULE, "awx_setup_credential_type": "KooDrive 2", "awx_setup_balance_credential": "One"}
    refused(ready, "A scheduled job could get the variables of two tenants", **upgraded)
    ready.named("job_templates", "KooDrive balance")["credentials"] = []
    set_up(ready, **upgraded)
    (schedule,) = ready.objects["schedules"]
    assert (schedule["name"], schedule["enabled"], schedule["credentials"]) == ("KooDrive balance, One", True, [new])


def test_an_upgrade_of_the_templates_credential_keeps_the_schedule(with_tenant: FakeAWX) -> None:
    set_up(with_tenant, **SCHEDULE)
    set_up(with_tenant, awx_setup_credential_type="KooDrive 2")
    new = credential(with_tenant, "One", "KooDrive 2")
    set_up(with_tenant, awx_setup_credential_type="KooDrive 2", awx_setup_credential="One")
    (schedule,) = with_tenant.objects["schedules"]
    assert with_tenant.start(schedule)["credentials"] == [new]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"awx_setup_balance_pools": ""}, "Give awx_setup_balance_pools together with awx_setup_balance_schedule"),
        ({"awx_setup_balance_pools": "group"}, "Give awx_setup_balance_pools together with awx_setup_balance_schedule"),
        ({"awx_setup_balance_pools": "[{type: group"}, "awx_setup_balance_pools is not valid YAML or JSON: "),
        ({"awx_setup_balance_pools": "[{type: group"}, "Nothing was sent to AWX."),
        ({"awx_setup_balance_pools": "group"}, "awx_setup_balance_pools must be a list, also for one entry. It is group."),
        ({"awx_setup_balance_pools": "group"}, "Nothing was sent to AWX."),
        ({"awx_setup_balance_pools": [{"type": "groups", "total_capacity": 1}]}, "value of type must be one of: department, individual, group"),
        ({"awx_setup_balance_pools": [{"type": "group"}]}, "one of the following is required: total_capacity, unallocated_capacity"),
        ({"awx_setup_balance_capacity_step": "ten"}, "awx_setup_balance_capacity_step"),
        ({"awx_setup_balance_schedule": " "}, "awx_setup_balance_pools has no effect without a schedule. Give awx_setup_balance_schedule"),
        ({"awx_setup_balance_schedule": "", "awx_setup_balance_pools": "", "awx_setup_balance_credential": "A"}, "awx_setup_balance_credential has no effect"),
    ],
)
def test_answers_that_a_scheduled_job_would_refuse_are_refused_before_any_write(awx: FakeAWX, answers: dict[str, Any], said: str) -> None:
    assert said in set_up(awx, expected=2, **{**SCHEDULE, **answers})
    assert awx.writes == []


def test_the_set_up_knows_what_the_module_takes_as_pools() -> None:
    tasks = yaml.safe_load((ROOT / "playbooks/tasks/awx_schedule_answers.yml").read_text(encoding="utf-8"))
    spec = tasks[-1]["ansible.builtin.validate_argument_spec"]["argument_spec"]
    known, knows = ALLOCATION_SPEC["pools"]["options"], spec["awx_setup_balance_pools"]["options"]
    assert {name: {key: value for key, value in option.items() if key != "default"} for name, option in known.items()} == knows


@pytest.mark.parametrize("rrule", ["FREQ=DAILY", "DTSTART:20270101T023000Z RRULE:FREQ=DAILY", "DTSTART:20270101T023000Z"])
def test_times_that_awx_refuses_get_advice(with_tenant: FakeAWX, rrule: str) -> None:
    assert "needs both kinds of quotes" in set_up(with_tenant, expected=2, **{**SCHEDULE, "awx_setup_balance_schedule": rrule})
    assert with_tenant.objects.get("schedules", []) == []


def test_a_change_that_awx_refuses_gets_the_reason_and_advice(with_tenant: FakeAWX) -> None:
    set_up(with_tenant, **SCHEDULE)
    # AWX's module gives the reason only in the response.
    said = set_up(with_tenant, expected=2, **{**SCHEDULE, "awx_setup_balance_schedule": "DTSTART:20270101T023000Z RRULE:FREQ=DAILY"})
    assert "INTERVAL required in rrule: RULE:FREQ=DAILY" in said and "needs both kinds of quotes" in said
    assert with_tenant.objects["schedules"][0]["rrule"] == NIGHTLY
