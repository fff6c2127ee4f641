# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the medians say of each other, and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from .playbooks import AS_A_MODULE, DEBUG, FLOOR, IN_PROCESS, PING, URI, WITH_ENVIRONMENT, WITH_POSTGRESQL, WORK

Seconds = Mapping[str, float]
Columns = Mapping[str, tuple[str, int]]

#: What is derived of a contender, by the cost of one more task and the time of a whole play of one task.
DERIVED: dict[str, Callable[[str, Seconds, Seconds], float]] = {
    "x ping": lambda name, costs, plays: costs[name] / costs[PING],
    "x uri": lambda name, costs, plays: costs[name] / costs[URI],
    "x floor": lambda name, costs, plays: costs[name] / costs[FLOOR],
    "over debug, x ping": lambda name, costs, plays: (costs[name] - costs[DEBUG]) / costs[PING],
    "a play of one, x ping's": lambda name, costs, plays: plays[name] / plays[PING],
    "a play of one, x uri's": lambda name, costs, plays: plays[name] / plays[URI],
    "ms over the local ledger": lambda name, costs, plays: (costs[name] - costs[LOCAL[name]]) * 1000,
}
LOCAL = {f"{WITH_POSTGRESQL}, {work}": f"{IN_PROCESS}, {work}" for work in WORK}
#: The figures that the table has before and after the time of a whole play, what is above them there, and their
#: digits after the point.
OF_ONE_MORE = {"x ping": ("x ping", 2), "x uri": ("x uri", 3), "x floor": ("x floor", 2), "over debug, x ping": ("over debug, x ping", 3)}
OF_A_PLAY = {"a play of one, x ping's": ("x ping", 2), "a play of one, x uri's": ("x uri", 2)}
TARGETS = {
    (f"{IN_PROCESS}, nothing to do", "over debug, x ping"): 0.045,
    (f"{IN_PROCESS}, moving", "over debug, x ping"): 0.070,
    (f"{IN_PROCESS}, moving", "x uri"): 0.050,
    (f"{WITH_ENVIRONMENT}, nothing to do", "over debug, x ping"): 0.075,
    (f"{WITH_ENVIRONMENT}, moving", "over debug, x ping"): 0.075,
    (f"{AS_A_MODULE}, nothing to do", "x floor"): 1.25,
    (f"{AS_A_MODULE}, moving", "x floor"): 1.30,
    (f"{IN_PROCESS}, moving", "a play of one, x ping's"): 0.75,
    (f"{IN_PROCESS}, moving", "a play of one, x uri's"): 0.46,
    (f"{WITH_POSTGRESQL}, nothing to do", "ms over the local ledger"): 8,
    (f"{WITH_POSTGRESQL}, moving", "ms over the local ledger"): 14,
}


def derived(costs: Seconds, plays: Seconds) -> dict[str, dict[str, float]]:
    """Return what can be derived of each contender, by the names of contender and figure."""
    found: dict[str, dict[str, float]] = {name: {} for name in costs}
    for name, of_this in found.items():
        for figure, calculated in DERIVED.items():
            # Where not all contenders were chosen, some have nothing to be compared with.
            with suppress(KeyError):
                of_this[figure] = calculated(name, costs, plays)
    return found


def show(results: dict[str, Any]) -> None:
    """Print what was measured, each part of it that was."""
    _show_costs(results)
    _show_targets(results["derived"])
    _show_wire(results["wire"])
    if "tenants" in results:
        _show_delay(results)
        _show_tenants(results["tenants"])
        _show_memory(results["memory"])
        print(f"\nOur own code, largest legal input: {results['own_code'] * 1000:.2f} ms (under 1)")


def _show_costs(results: dict[str, Any]) -> None:
    print(f"\nOne more task, and a play of one task (medians of {results['rounds']} rounds; {results['certificates']} CAs are trusted)\n")
    print(f"{'':<39}{'ms':>6}{_headings(OF_ONE_MORE)}{'a play, ms':>14}{_headings(OF_A_PLAY)}")
    for name, cost in results["costs"]["0"].items():
        figures = results["derived"][name]
        play = results["plays"][name] * 1000
        print(f"{name:<39}{cost * 1000:>6.0f}{_cells(OF_ONE_MORE, figures)}{play:>14.0f}{_cells(OF_A_PLAY, figures)}")


def _headings(columns: Columns) -> str:
    return "".join(f"{heading:>{len(heading) + 3}}" for heading, _digits in columns.values())


def _cells(columns: Columns, figures: Mapping[str, float]) -> str:
    """Return the row's part below the headings. A figure that could not be derived is a dash."""
    texts = [f"{figures[figure]:.{digits}f}" if figure in figures else "-" for figure, (_heading, digits) in columns.items()]
    return "".join(f"{text:>{len(heading) + 3}}" for text, (heading, _digits) in zip(texts, columns.values()))


def _show_targets(figures: Mapping[str, Mapping[str, float]]) -> None:
    print("\nTo reach\n")
    for (name, figure), limit in TARGETS.items():
        value = figures.get(name, {}).get(figure)
        if value is not None:
            reached = "reached" if value <= limit else "NOT REACHED"
            print(f"{name:<39}{figure:<26}{value:>8.3f}  at most {limit:<6}  {reached}")


def _show_wire(wire: Mapping[str, Mapping[str, int]]) -> None:
    print("\nOn the wire\n")
    for name, seen in wire.items():
        print(f"{name:<39}requests: {seen['requests']}, connections and TLS handshakes: {seen['connections']}")


def _show_delay(results: dict[str, Any]) -> None:
    print("\nOne more task, where each reply takes 50 ms\n")
    for name, cost in results["costs"]["50"].items():
        more = (cost - results["costs"]["0"][name]) * 1000
        print(f"{name:<39}{cost * 1000:>6.0f} ms, {more:.0f} ms more; requests: {results['wire'][name]['requests']}")


def _show_tenants(costs: Mapping[int, float]) -> None:
    print("\nTenants, forks 10, one task each\n")
    one = costs[min(costs)]
    for count, cost in costs.items():
        print(f"{count:>6}{cost * 1000:>8.0f} ms per tenant, {cost / one:.2f} x the cost for one (at most 1.00)")


def _show_memory(memory: Mapping[str, float]) -> None:
    print("\nMemory\n")
    for (name, value), limit in zip(memory.items(), (60, 15)):
        print(f"{name:<39}{value:>6.1f} MB  at most {limit}")
