# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX's rules for a launch, written without its code: variables and credentials of a job, and when it starts.

A job template is a mapping with the fields of AWX's API, its survey under ``survey``, and the IDs of its credentials
and instance groups.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def faults_of_answer(question: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """Return why AWX would refuse the answer to a question.

    The answer is missing, of another type, too small, too large, or no choice.
    """
    name = question["variable"]
    if name not in answers:
        return [f"'{name}' value missing"] if question["required"] else []
    answer = answers[name]
    if question["type"] == "multiplechoice":
        return [] if answer in question["choices"] else [f"Value {answer} for '{name}' expected to be one of {question['choices']}."]
    kind = int if question["type"] == "integer" else str
    if answer.__class__ is not kind:
        return [f"Value {answer} for '{name}' expected to be of another type."]
    size = answer if isinstance(answer, int) else len(answer)
    return [] if question.get("min", size) <= size <= question.get("max", size) else [f"'{name}' value {answer} is too small or too large."]


def variables_of_job(template: Mapping[str, Any], answers: Mapping[str, Any], handed_on: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """Return the extra variables of a job, and why AWX would refuse the launch.

    AWX ignores answers without a question, but not what earlier nodes of a workflow handed on.
    """
    spec: Sequence[Mapping[str, Any]] = template["survey"]["spec"]
    defaults = {question["variable"]: question["default"] for question in spec if "default" in question}
    usable = {question["variable"] for question in spec if question["variable"] in defaults and not faults_of_answer(question, defaults)}
    asked = {question["variable"] for question in spec}
    variables = {
        **json.loads(template["extra_vars"]),
        **{name: value for name, value in defaults.items() if name in usable},
        **{name: value for name, value in answers.items() if name in asked},
        **(handed_on or {}),
    }
    return variables, [fault for question in spec for fault in faults_of_answer(question, answers)]


def credentials_of_job(template: Mapping[str, Any], given: list[int] | None, types: Mapping[int, int]) -> tuple[list[int], list[str]]:
    """The credentials that a job gets, and why AWX would refuse the launch; ``types`` has the type of each credential.

    Without ``ask_credential_on_launch`` what is ``given`` is accepted and has no effect.
    """
    own: list[int] = template.get("credentials", [])
    if given is None or not template.get("ask_credential_on_launch"):
        return own, []
    faults = faults_of_credentials(given, types)
    faults += [f"Removing {one} without replacement is not supported" for one in own if types[one] not in [types[other] for other in given]]
    return given, faults


def faults_of_credentials(credentials: Iterable[int], types: Mapping[int, int]) -> list[str]:
    """Return why AWX would refuse these credentials together. It takes one of each type."""
    of_types = [types[one] for one in credentials]
    return [f"Cannot assign multiple credentials of type {kind}" for kind in set(of_types) if of_types.count(kind) > 1]


def fault_of_prompted_credential(template: Mapping[str, Any], prompted: Iterable[int], more: int, types: Mapping[int, int]) -> str:
    """Return why AWX would refuse one ``more`` credential of a schedule's prompts. Empty if it would accept it."""
    if not template.get("ask_credential_on_launch"):
        return "Related template is not configured to accept credentials on launch."
    if types[more] in [types[one] for one in prompted]:
        return "This launch configuration already provides a credential of that type."
    return "Related template already uses that credential." if more in template.get("credentials", []) else ""


def credentials_of_scheduled_job(template: Mapping[str, Any], prompted: Sequence[int], types: Mapping[int, int]) -> list[int]:
    """Return the credentials of a scheduled job: the schedule's, and those of the template that have other types."""
    return [*prompted, *(one for one in template.get("credentials", []) if types[one] not in [types[other] for other in prompted])]


def group_of_job(template: Mapping[str, Any], running: Sequence[Mapping[str, Any]], groups: Mapping[int, Mapping[str, Any]], fallback: int) -> int | None:
    """Return the instance group of the next job of a template, or None if it must wait for one of the ``running`` jobs.

    All groups are container groups, which count their own jobs. ``fallback`` is the group of the organization.
    """
    if not template.get("allow_simultaneous") and template["id"] in [job["job_template"] for job in running]:
        return None
    own: list[int] = template.get("instance_groups", [])
    others = [] if own and template.get("prevent_instance_group_fallback") else [fallback]
    for group in [*own, *others]:
        limit = groups[group].get("max_concurrent_jobs", 0)
        if not limit or limit > [job["instance_group"] for job in running].count(group):
            return group
    return None
