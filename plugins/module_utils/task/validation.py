# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn Ansible's validation errors into the message of a task. Only a task with wrong options loads this file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import NO_NUMBER

#: Ansible's validation errors, as all its releases word them.
UNSUPPORTED = re.compile(r"(?:Unsupported parameters for \(\S+\) module: )?([\w., ]+)\. Supported parameters include: ")
WRONG_TYPE = re.compile(
    r"(?:(?P<element>Elements value for option)|argument) '(?P<name>\w+)'(?: found in '(?P<parent>[^']+)')?"
    r" is of type (?:<class ')?(?P<given>\w+)(?:'>)?(?: found in '(?P<parent_too>[^']+)'\.?)? and we were unable to convert to (?P<wanted>\w+)"
)
TYPE_OF_PYTHON = re.compile(r"<(?:class|type) '([\w.]+)'>")
#: The names of Ansible's types in messages.
MUST_BE = {"bool": "true or false", "dict": "a dictionary", "list": "a list", "str": "a text", "path": "a path", "int": "a whole number"}
#: More words about a type.
MORE = {"int": ", without unit or separator", "list": ", even for one entry"}
#: The endings of options that are capacities in GB.
IN_GB = ("_capacity", "_reserve", "_step")
#: A value that is not a whole number, as newer releases of ansible-core show it.
SHOWN = re.compile(rf"\"['\"](.+){NO_NUMBER}['\"]\"")
#: The names of the types of wrong values in messages.
NAMES = {"dict": "dictionary", "str": "text", "int": "number", "float": "number", "bool": "boolean"}


def message_of(faults: Sequence[str], spec: Mapping[str, Any], prefix: str = "") -> str:
    """Return what is wrong with a task's options, in plain words, from Ansible's own checks of ``spec``.

    ``prefix`` goes before it.
    """
    unknown = unknown_options(faults, spec)
    # Ansible adds this beginning on one of the two paths only, and only if no other error comes first.
    if unknown and not prefix and not unknown.startswith("Unsupported"):
        prefix = "Unsupported parameters: "
    return prefix + (unknown or in_plain_words(main_fault(faults, spec)))


def main_fault(faults: Sequence[str], spec: Mapping[str, Any]) -> str:
    """Return the first of Ansible's validation errors that names an option. Earlier ones may be details of it."""
    return next((fault for fault in faults if any(name in fault for name in spec)), faults[0])


def unknown_options(faults: Sequence[str], spec: Mapping[str, Any]) -> str:
    """Return what Ansible's validation errors say about unknown options, or nothing if there are none.

    A misspelled option often causes an error about a missing option, so this goes before all other errors.
    """
    for fault in faults:
        found = UNSUPPORTED.match(fault)
        if found:
            names = found[1].split(", ")
            return fault + "".join(_correction(name, spec) for name in names)
    return ""


def _correction(name: str, spec: Mapping[str, Any]) -> str:
    """Return a question about the option that the user probably meant by ``name``, which includes its parents."""
    *parents, last = name.split(".")
    for parent in parents:
        spec = spec.get(parent, {}).get("options", {})
    close = get_close_matches(last, [spelling for option in spec for spelling in (option, *spec[option].get("aliases", ()))], 1)
    return f" Did you mean {'.'.join([*parents, *close])} instead of {name}?" if close else ""


def in_plain_words(fault: str) -> str:
    """Return Ansible's validation error without names of Python's types, with what the option must be."""
    found = WRONG_TYPE.search(fault)
    if found is None or found["wanted"] not in MUST_BE:
        return TYPE_OF_PYTHON.sub(r"\1", fault)
    name, wanted = found["name"], found["wanted"]
    parent = found["parent"] or found["parent_too"]
    where = f" in '{parent}'" if parent else ""
    # ansible-lint recognizes a value that is a template by the words "argument ... is of type".
    begins = f"{'An entry of the ' if found['element'] else ''}argument '{name}' is of type {NAMES.get(found['given'], found['given'])}{where}"
    must_be = "whole GB" if wanted == "int" and name.endswith(IN_GB) else MUST_BE[wanted]
    shown = SHOWN.search(fault)
    return f"{begins}, and must be {must_be}{MORE.get(wanted, '')}{f', not {shown[1]}' if shown else ''}."
