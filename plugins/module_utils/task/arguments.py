# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task has written, made fit for Ansible's own checks: blanks, texts of lists, and numbers beyond all bounds. Pure.

Ansible takes an option that is there without a value for a given one, tries to make a whole number of infinity, and takes a list that
is written as JSON for a list of words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: The most digits of a number. Capacities and times have far fewer.
MAX_DIGITS = 20
#: A number in a text. Python and YAML also read 01000, 0x10, 1_000 and 1:30, but not all alike, so these are refused.
NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)


#: What stands after a text that is no whole number, so that Ansible's own checks do not make another number of it than the user meant.
NO_NUMBER = " is no whole number"
#: How much of a wrong value a message shows, in characters.
MAX_SHOWN = 40


def is_blank(value: Any) -> bool:
    """Whether an option or a variable counts as not given: nothing, or a text of white space at the most."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_blank_answer(value: Any) -> bool:
    """Whether an answer of a survey counts as not given: what is blank, or the text that older releases of ansible-core make of none."""
    return is_blank(value) or (isinstance(value, str) and value.strip() == "None")


def prepared(spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """``arguments`` for the argument spec ``spec``, blank ones left out, and each other one so that Ansible can accept or refuse it."""
    options = {spelling: option for name, option in spec.items() for spelling in (name, *option.get("aliases", ()))}
    return {name: _readable_value(options.get(name, {}), value) for name, value in arguments.items() if name not in options or not is_blank(value)}


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
    # Python does not write out numbers of any length.
    return f"{'it' if isinstance(value, int) else str(value)[:MAX_SHOWN]}{NO_NUMBER}"


def whole_number(value: Any) -> int | None:
    """Return the whole number that ``value`` means, or None if it means none. A boolean stays as it is."""
    if isinstance(value, int):
        return value if abs(value) < 10**MAX_DIGITS else None
    text = str(value).strip()
    if len(text) > 2 * MAX_DIGITS or not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if number.adjusted() >= MAX_DIGITS or number != int(number):
        return None
    return int(number)


def _parsed(value: Any, kind: type) -> Any:
    """The value of this ``kind`` that a text in JSON stands for; every other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, kind) else value
