# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions for AWX against AWX's own rules, and the rules against definitions that break them."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import KEY
from ansible_collections.huaweicloud.koodrive.tests.system import awx_launch, awx_rules
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import CREDENTIAL_TYPE, JOB_TEMPLATES, ROOT, SURVEYS

INPUTS, INJECTORS = CREDENTIAL_TYPE["inputs"], CREDENTIAL_TYPE["injectors"]
FIELD = {"id": "a", "label": "A", "type": "string"}
QUESTION = {"question_name": "Q?", "variable": "q", "type": "text", "required": False}


def test_the_credential_type_is_what_awx_takes() -> None:
    assert awx_rules.faults_of_inputs(INPUTS) == []
    assert awx_rules.faults_of_injectors(INJECTORS, INPUTS) == []


def test_the_credential_sets_one_environment_variable_for_each_field() -> None:
    assert list(INJECTORS) == ["env"]
    filled = {field["id"]: f"<{field['id']}>" for field in INPUTS["fields"]}
    assert awx_rules.environment_of(INJECTORS, filled) == {f"KOODRIVE_{name.upper()}": value for name, value in filled.items()}


def test_blank_fields_are_empty_variables() -> None:
    blank = awx_rules.environment_of(INJECTORS, {"token": "t", "app_id": ""})
    assert blank.pop("KOODRIVE_TOKEN") == "t" and set(blank.values()) == {""}


def test_secret_fields_are_marked_as_secret() -> None:
    assert {field["id"] for field in INPUTS["fields"] if field.get("secret")} == {"token", "app_secret", "ledger"}


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey["name"])
def test_the_surveys_are_what_awx_takes(survey: dict[str, Any]) -> None:
    assert awx_rules.faults_of_survey(survey) == []


def test_the_survey_asks_for_an_addition_only_where_the_playbook_wants_a_key() -> None:
    for template in JOB_TEMPLATES:
        asked = {question["variable"] for question in template["survey"]["spec"]}
        assert ("koodrive_expand_capacity" in asked) is ("koodrive_idempotency_key" in asked)
        assert ("koodrive_expand_capacity" in asked) is (template["extra_vars"].get("koodrive_additions_need_a_key") is True)
        # A launch must not change what a template sets.
        assert asked.isdisjoint(template["extra_vars"])


def test_a_survey_takes_as_long_a_key_as_the_module() -> None:
    names = {"koodrive_idempotency_key", "onboarding_capacity_reference"}
    longest = {question["variable"]: question["max"] for survey in SURVEYS for question in survey["spec"] if question["variable"] in names}
    assert set(longest) == names
    assert all(KEY.fullmatch("x" * length) and not KEY.fullmatch("x" * (length + 1)) for length in longest.values())


def test_the_survey_names_the_field_of_the_credential_that_an_order_number_needs() -> None:
    (field,) = [field for field in INPUTS["fields"] if field["id"] == "ledger"]
    assert "order number" in field["help_text"]
    keys = [question for survey in SURVEYS for question in survey["spec"] if question["variable"].endswith(("_idempotency_key", "_expand_capacity"))]
    assert len(keys) >= 2 and all(f"field {field['label']}" in question["question_description"] for question in keys)


@pytest.mark.parametrize(
    ("question", "answers", "variables"),
    [
        # For a missing optional answer, AWX uses the default, also in a multiple choice.
        ({"type": "multiplechoice", "choices": ["a", "b"], "default": "a"}, {}, {"q": "a"}),
        ({"type": "multiplechoice", "choices": ["a", "b"], "default": "a"}, {"q": "b"}, {"q": "b"}),
        ({"type": "integer", "default": 3}, {}, {"q": 3}),
        ({"type": "text", "default": "x"}, {"q": ""}, {"q": ""}),
        # Without a default, or with an impossible one, there is no variable.
        ({"type": "multiplechoice", "choices": ["a", "b"]}, {}, {}),
        ({"type": "integer", "default": ""}, {}, {}),
    ],
)
def test_a_missing_optional_answer_takes_the_default(question: dict[str, Any], answers: dict[str, Any], variables: dict[str, Any]) -> None:
    asked = {**QUESTION, **question}
    assert awx_rules.faults_of_survey({"name": "s", "description": "d", "spec": [asked]}) == []
    template = {"extra_vars": "{}", "survey": {"spec": [asked]}}
    assert awx_launch.variables_of_job(template, answers) == (variables, [])
    assert awx_rules.may_stay_blank(asked) is (not awx_launch.variables_of_job(template, {})[0].get("q"))


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey["name"])
def test_a_survey_promises_nothing_for_a_blank_that_awx_fills_in(survey: dict[str, Any]) -> None:
    promises = [question for question in survey["spec"] if re.search("(?i)(left|leave (it|this)) blank", question.get("question_description", ""))]
    assert [question["variable"] for question in promises if not awx_rules.may_stay_blank(question)] == []


def test_there_is_a_job_template_for_each_playbook() -> None:
    playbooks = {path.name for path in (ROOT / "playbooks").glob("*.yml")}
    assert {template["playbook"] for template in JOB_TEMPLATES} == playbooks - {"awx_setup.yml"}


@pytest.mark.parametrize(
    "broken",
    [
        {"more": []},
        {"fields": [{**FIELD, "id": "tower"}]},
        {"fields": [{**FIELD, "id": "a-b"}]},
        {"fields": [FIELD, FIELD]},
        {"fields": [{"id": "a"}]},
        {"fields": [{**FIELD, "type": "integer"}]},
        {"fields": [{**FIELD, "placeholder": "x"}]},
        {"fields": [{**FIELD, "secret": "yes"}]},
        {"fields": [{**FIELD, "default": True}]},
        {"fields": [{**FIELD, "type": "boolean", "default": "x"}]},
        {"fields": [{**FIELD, "format": "email"}]},
        {"fields": [FIELD], "required": ["b"]},
    ],
)
def test_broken_inputs_are_seen(broken: dict[str, Any]) -> None:
    assert awx_rules.faults_of_inputs(broken)


@pytest.mark.parametrize(
    "broken",
    [
        {"environment": {}},
        {"env": {"ANSIBLE_X": "{{ a }}"}},
        {"env": {"PATH": "{{ a }}"}},
        {"env": {"X": "{{ b }}"}},
        {"env": {"X": "{{ a"}},
        {"env": {"X": "ä"}},
    ],
)
def test_broken_injectors_are_seen(broken: dict[str, Any]) -> None:
    assert awx_rules.faults_of_injectors(broken, {"fields": [FIELD]})


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"spec": []},
        {"spec": [QUESTION, QUESTION]},
        {"spec": [{**QUESTION, "type": "number"}]},
        {"spec": [{**QUESTION, "required": "no"}]},
        {"spec": [{**QUESTION, "min": "1"}]},
        {"spec": [{**QUESTION, "default": 1}]},
        {"spec": [{**QUESTION, "type": "integer", "default": "1"}]},
        {"spec": [{**QUESTION, "type": "multiplechoice"}]},
        {"spec": [{**QUESTION, "type": "multiplechoice", "choices": ["a"], "default": "b"}]},
        {"spec": [{key: value for key, value in QUESTION.items() if key != "question_name"}]},
    ],
)
def test_broken_surveys_are_seen(change: dict[str, Any]) -> None:
    survey = copy.deepcopy({"name": "s", "description": "d", "spec": [QUESTION]})
    assert awx_rules.faults_of_survey(survey) == []
    assert awx_rules.faults_of_survey({**survey, **change})


@pytest.mark.parametrize(
    "rrule",
    [
        "DTSTART:20270101T023000Z RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART;TZID=Europe/Berlin:20270101T023000 RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TH;COUNT=999",
        "DTSTART;TZID=UTC:20270101T023000 RRULE:FREQ=DAILY;INTERVAL=1 EXRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=SU",
        "DTSTART:20270101T023000Z RRULE:FREQ=HOURLY;INTERVAL=4;UNTIL=20280101T000000Z",
    ],
)
def test_times_are_what_awx_takes(rrule: str) -> None:
    assert awx_rules.faults_of_rrule(rrule) == []


@pytest.mark.parametrize(
    ("rrule", "fault"),
    [
        ("", "may not be blank"),
        ("RRULE:FREQ=DAILY;INTERVAL=1", "Valid DTSTART required"),
        ("DTSTART:tomorrow RRULE:FREQ=DAILY;INTERVAL=1", "Valid DTSTART required"),
        ("DTSTART:20270101T023000 RRULE:FREQ=DAILY;INTERVAL=1", "cannot be a naive datetime"),
        ("DTSTART:20271301T023000Z RRULE:FREQ=DAILY;INTERVAL=1", "parsing failed"),
        ("DTSTART;TZID=Berlin:20270101T023000 RRULE:FREQ=DAILY;INTERVAL=1", "A valid TZID must be provided"),
        ("DTSTART:20270101T023000Z DTSTART:20270101T023000Z RRULE:FREQ=DAILY;INTERVAL=1", "Multiple DTSTART"),
        ("DTSTART:20270101T023000Z", "One or more rule required"),
        ("DTSTART:20270101T023000Z EXRULE:FREQ=DAILY;INTERVAL=1", "One or more rule required"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=DAILY", "INTERVAL required"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=NIGHTLY;INTERVAL=1", "parsing failed"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=SECONDLY;INTERVAL=30", "SECONDLY is not supported"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1MO", "numeric prefix"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=5;UNTIL=20280101T000000Z", "both COUNT and UNTIL"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1000", "COUNT > 999"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=DAILY;INTERVAL=1 EXDATE:20270102T023000Z", "EXDATE not allowed"),
        ("DTSTART:20270101T023000Z RRULE:FREQ=DAILY;INTERVAL=1 RDATE:20270102T023000Z", "RDATE not allowed"),
    ],
)
def test_times_that_awx_refuses_are_seen(rrule: str, fault: str) -> None:
    (told,) = awx_rules.faults_of_rrule(rrule)
    assert fault in told
