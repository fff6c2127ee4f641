# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task has written, made fit for Ansible's own checks: blanks, texts of lists, and numbers beyond all bounds. Pure.

Ansible takes an option that is there without a value for a given one, tries to make a whole number of infinity, and takes a list that
is written as JSON for a list of words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

#: Digits of a number that can be looked at; no capacity and no time has nearly as many.
MAX_DIGITS = 20


def is_blank(value: Any) -> bool:
    """Whether an option or a variable counts as not given: nothing, or a text of white space at the most."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_blank_answer(value: Any) -> bool:
    """Whether an answer of a survey counts as not given: what is blank, or the text that older releases of ansible-core make of none."""
    return is_blank(value) or (isinstance(value, str) and value.strip() == "None")


def readable(spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
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
    return readable(option["options"], row) if isinstance(row, dict) else row


def _number(value: Any) -> Any:
    """The whole number that ``value`` stands for in any spelling; a text that is none where Ansible could not make one in a lifetime."""
    if isinstance(value, int):
        return value if abs(value) < 10**MAX_DIGITS else f"a number of more than {MAX_DIGITS} digits"
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return value
    if not number.is_finite() or number.adjusted() >= MAX_DIGITS:
        return f"{str(value)[:MAX_DIGITS]} is out of range"
    return int(number) if number == int(number) else value


def telling(faults: Sequence[str], spec: Mapping[str, Any]) -> str:
    """Of what Ansible's own checks found, the first that names an option; the very first may be a detail of another."""
    return next((fault for fault in faults if any(name in fault for name in spec)), faults[0])


def _parsed(value: Any, kind: type) -> Any:
    """The value of this ``kind`` that a text in JSON stands for; every other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, kind) else value
