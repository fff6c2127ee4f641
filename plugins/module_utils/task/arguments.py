# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a task's arguments for Ansible's own checks. Pure.

Ansible has four problems that this file solves:

- An option without a value counts as given.
- Infinity and numbers of any length cause errors in Python.
- A list written as JSON becomes a list of words.
- An alias wins over the option, in Ansible's own process without a warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: The most digits of a number. Capacities and times have far fewer.
MAX_DIGITS = 20
#: A number in a text. Python and YAML also read 01000, 0x10, 1_000 and 1:30, but differently, so these are refused.
NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?", re.ASCII)

#: The mark after a text that is not a whole number. Ansible refuses the marked text, and cannot read another number
#: from it.
NO_NUMBER = " is no whole number"
#: The most characters of a wrong value that a message shows.
MAX_SHOWN = 40


def is_blank(value: Any) -> bool:
    """Return whether an option or a variable counts as not given: null, or a text of white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_blank_answer(value: Any) -> bool:
    """Return whether an answer of a survey counts as not given: blank, or the text ``None`` of older ansible-core."""
    return is_blank(value) or (isinstance(value, str) and value.strip() == "None")


def prepared(spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``arguments`` without blank ones, with values that Ansible can check by the argument spec ``spec``.

    An alias becomes the option. It stays only if the option has another value: Ansible would ignore that value.
    """
    aliases = {alias: name for name, option in spec.items() for alias in option.get("aliases", ())}
    given = {
        name: _readable_value(spec.get(aliases.get(name, name), {}), value)
        for name, value in arguments.items()
        if not is_blank(value) or aliases.get(name, name) not in spec
    }
    for alias, name in aliases.items():
        if alias in given and given.setdefault(name, given[alias]) == given[alias]:
            del given[alias]
    return given


def _readable_value(option: Mapping[str, Any], value: Any) -> Any:
    if option.get("type") == "int":
        return _number(value)
    if option.get("elements") != "dict":
        return value
    rows = _parsed(value, list)
    return [_row(option, _parsed(row, dict)) for row in rows] if isinstance(rows, list) else rows


def _row(option: Mapping[str, Any], row: Any) -> Any:
    return prepared(option["options"], row) if isinstance(row, dict) else row


def _number(value: Any) -> Any:
    number = whole_number(value)
    if number is not None:
        return number
    # Python refuses to write very long numbers.
    return f"{'a number this great' if isinstance(value, int) else str(value)[:MAX_SHOWN]}{NO_NUMBER}"


def whole_number(value: Any) -> int | None:
    """Return the whole number that ``value`` means, or None if it means none. A boolean stays as it is."""
    if isinstance(value, int):
        return value if abs(value) < 10**MAX_DIGITS else None
    text = str(value).strip()
    if not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if number.adjusted() >= MAX_DIGITS or number != int(number):
        return None
    return int(number)


def _parsed(value: Any, kind: type) -> Any:
    """Return the value of this ``kind`` that a text in JSON has. Return every other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, kind) else value
