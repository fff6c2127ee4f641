# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX's rules for credential types, surveys and times of schedules, and how it fills in a credential.

They are written without its code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

FIELD_KEYS = {
    "id": str,
    "label": str,
    "type": str,
    "help_text": str,
    "secret": bool,
    "multiline": bool,
    "choices": list,
    "default": (str, bool),
    "format": str,
    "ask_at_runtime": bool,
}
#: Environment variables that AWX sets for its own jobs.
TAKEN = {
    "VIRTUAL_ENV",
    "PATH",
    "PYTHONPATH",
    "JOB_ID",
    "INVENTORY_ID",
    "INVENTORY_SOURCE_ID",
    "INVENTORY_UPDATE_ID",
    "AD_HOC_COMMAND_ID",
    "REST_API_URL",
    "REST_API_TOKEN",
    "MAX_EVENT_RES",
    "CALLBACK_QUEUE",
    "CALLBACK_CONNECTION",
    "CACHE",
    "JOB_CALLBACK_DEBUG",
    "INVENTORY_HOSTVARS",
    "AWX_HOST",
    "PROJECT_REVISION",
    "SUPERVISOR_CONFIG_PATH",
}
CHOICE_TYPES = ("multiplechoice", "multiselect")
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
MOST_RUNS = 999
#: Some of the time zones that AWX knows.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai")
QUESTION_TYPES = ("text", "textarea", "password", "integer", "float", *CHOICE_TYPES)


def faults_of_inputs(inputs: Mapping[str, Any]) -> list[str]:
    """What AWX would refuse in a credential type's inputs; nothing if it would take them."""
    faults = [f"inputs has {key}" for key in inputs if key not in ("fields", "required")]
    fields: Sequence[Mapping[str, Any]] = inputs.get("fields", [])
    ids = [field.get("id") for field in fields]
    for field in fields:
        faults += [f"{field.get('id')}: {fault}" for fault in _faults_of_field(field)]
    faults += [f"{name} is there twice" for name in set(ids) if ids.count(name) > 1]
    faults += [f"{name} is required and is no field" for name in inputs.get("required", []) if name not in ids]
    return faults


def _faults_of_field(field: Mapping[str, Any]) -> list[str]:
    faults = [f"has {key}" for key in field if key not in FIELD_KEYS]
    faults += [f"{key} is a {type(field[key]).__name__}" for key, kind in FIELD_KEYS.items() if key in field and not isinstance(field[key], kind)]
    if not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", str(field.get("id", ""))) or field.get("id") == "tower":
        faults.append("no possible id")
    if not field.get("label"):
        faults.append("no label")
    if field.get("type", "string") not in ("string", "boolean"):
        faults.append(f"type {field['type']}")
    if "default" in field and isinstance(field["default"], bool) != (field.get("type") == "boolean"):
        faults.append("a default of another type")
    if "format" in field and field["format"] not in ("url", "ssh_private_key"):
        faults.append(f"format {field['format']}")
    return faults


def faults_of_injectors(injectors: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[str]:
    """What AWX would refuse in a credential type's injectors."""
    faults = [f"injectors has {key}" for key in injectors if key not in ("env", "extra_vars", "file")]
    values = {field["id"]: "x" for field in inputs["fields"]}
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for name in injectors.get("env", {}):
        if name.startswith("ANSIBLE_") or name in TAKEN or not re.fullmatch("[A-Z_][A-Z0-9_]*", name):
            faults.append(f"no possible name: {name}")
    for where in injectors.values():
        for name, template in where.items():
            try:
                template.encode("ascii")
                environment.from_string(template).render(**values)
            except (UnicodeError, TemplateError) as error:
                faults.append(f"{name}: {error}")
    return faults


def environment_of(injectors: Mapping[str, Any], credential: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that a job gets for a credential; AWX does not know a field that was left blank."""
    environment = ImmutableSandboxedEnvironment(undefined=Undefined)
    known = {name: value for name, value in credential.items() if value}
    return {name: environment.from_string(template).render(**known) for name, template in injectors["env"].items()}


def faults_of_survey(survey: Mapping[str, Any]) -> list[str]:
    """What AWX would refuse in a survey."""
    faults = [f"{key} is no text" for key in ("name", "description") if not isinstance(survey.get(key), str)]
    spec = survey.get("spec")
    if not isinstance(spec, list) or not spec:
        return [*faults, "spec is no list with something in it"]
    variables = [question.get("variable") for question in spec]
    for question in spec:
        faults += [f"{question.get('variable')}: {fault}" for fault in _faults_of_question(question)]
    return faults + [f"{name} is there twice" for name in set(variables) if variables.count(name) > 1]


def _faults_of_question(question: Mapping[str, Any]) -> list[str]:
    kind = question.get("type")
    faults = [f"{key} is no text" for key in ("question_name", "variable") if not isinstance(question.get(key), str)]
    faults += [f"{key} is no whole number" for key in ("min", "max") if key in question and not _is_number(question[key], int)]
    if kind not in QUESTION_TYPES:
        faults.append(f"type {kind}")
    if not isinstance(question.get("required"), bool):
        faults.append("required is neither true nor false")
    if kind in CHOICE_TYPES and not question.get("choices"):
        faults.append("no choices")
    if "default" in question:
        faults += _faults_of_default(kind, question["default"], question.get("choices", []))
    return faults


def may_stay_blank(question: Mapping[str, Any]) -> bool:
    """Return whether a launch can leave the question blank. If there is a default, AWX uses it for a missing answer."""
    return not question["required"] and question.get("default", "") == ""


def _is_number(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _faults_of_default(kind: Any, default: Any, choices: list[str]) -> list[str]:
    if kind in ("integer", "float"):
        numbers = (int,) if kind == "integer" else (int, float)
        return [] if default == "" or _is_number(default, *numbers) else ["the default is no number"]
    if not isinstance(default, str):
        return ["the default is no text"]
    return ["the default is no choice"] if kind in CHOICE_TYPES and default not in choices else []


def faults_of_rrule(text: str) -> list[str]:
    """What AWX would refuse in the rrule of a schedule, in its words."""
    if not text:
        return ["This field may not be blank."]
    for name in ("EXDATE", "RDATE"):
        if f"{name}:" in text.upper():
            return [f"{name} not allowed in rrule."]
    faults = _faults_of_start(re.findall(r"DTSTART((?:;[^:\s]+)?):([0-9]+T[0-9]+)(Z?)(?!\S)", text))
    if "RRULE:" not in text.upper():
        faults.append("One or more rule required in rrule.")
    return faults + [f"{fault}: {rule}" for rule in re.findall(r"RULE:\S*", text) for fault in _faults_of_rule(rule)]


def _faults_of_start(starts: Sequence[tuple[str, str, str]]) -> list[str]:
    if not starts:
        return ["Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"]
    if len(starts) > 1:
        return ["Multiple DTSTART is not supported."]
    ((zone, time, utc),) = starts
    if not zone and not utc:
        return ["DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ."]
    if zone and zone.removeprefix(";TZID=") not in ZONES:
        return ["rrule parsing failed validation: A valid TZID must be provided (e.g., America/New_York)"]
    try:
        datetime.strptime(time, "%Y%m%dT%H%M%S")
    except ValueError as error:
        return [f"rrule parsing failed validation: {error}"]
    return []


def _faults_of_rule(rule: str) -> list[str]:
    parts = dict(part.partition("=")[::2] for part in rule.removeprefix("RULE:").split(";"))
    faults = [] if "INTERVAL" in parts else ["INTERVAL required in rrule"]
    if parts.get("FREQ") == "SECONDLY":
        faults.append("SECONDLY is not supported")
    elif parts.get("FREQ") not in FREQUENCIES:
        faults.append("rrule parsing failed validation")
    if re.match("[0-9]", parts.get("BYDAY", "")):
        faults.append("BYDAY with numeric prefix not supported")
    if "COUNT" in parts and "UNTIL" in parts:
        faults.append("RRULE may not contain both COUNT and UNTIL")
    if int(parts.get("COUNT", 0)) > MOST_RUNS:
        faults.append("COUNT > 999 is unsupported")
    return faults
