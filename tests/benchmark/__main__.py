# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.benchmark: the table of what a task costs, against what it replaces."""

from __future__ import annotations

import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .figures import derived, show
from .own_code import own_code
from .playbooks import AS_A_MODULE, IN_PROCESS, MOVING, URI, WORK, Contender, as_module, contenders, play, transfer, unverified
from .runner import TOKEN, Runner, runner

#: Seconds that each reply is delayed in a second measurement, and whose cost is looked at in it.
DELAY = 0.05
DELAYED = [URI, *(f"{path}, {work}" for path in (IN_PROCESS, AS_A_MODULE) for work in WORK)]


def on_the_wire(bench: Runner, them: Mapping[str, Contender]) -> dict[str, dict[str, int]]:
    """Return the requests and connections of each contender that sends any. End the benchmark if one sends others.

    The first run of each contender also compiles its imports and makes its ledger.
    """
    found = {}
    for name, contender in them.items():
        requests = bench.requests_of(contender)
        if len(requests) != contender.requests:
            sys.exit(f"{name}: {len(requests)} requests were sent, and not {contender.requests}")
        if requests:
            found[name] = {"requests": len(requests), "connections": len({request["connection"] for request in requests})}
    return found


def costs(bench: Runner, them: Mapping[str, Contender], rounds: int, delay: float = 0.0) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median cost of one more task of each contender, and of a whole play of one, in seconds.

    In each round all take turns, so that a noisy machine hurts all alike.
    """
    plays: dict[str, list[float]] = {name: [] for name in them}
    more: dict[str, list[float]] = {name: [] for name in them}
    bench.simulator.state.delay = delay
    for number in range(rounds):
        for name, contender in them.items():
            plays[name].append(bench.play_of(contender))
            more[name].append((bench.play_of(contender, 1 + contender.more) - plays[name][-1]) / contender.more)
        sys.stderr.write(f"round {number + 1} of {rounds}, {delay * 1000:.0f} ms delay\n")
    bench.simulator.state.delay = 0.0
    return medians(more), medians(plays)


def medians(seen: Mapping[Any, list[float]]) -> dict[Any, float]:
    return {name: statistics.median(values) for name, values in seen.items()}


def tenants(bench: Runner, rounds: int, counts: Iterable[int]) -> dict[int, float]:
    """Return what a task costs per tenant, in seconds, if that many hosts have one each, with ten forks."""
    seen: dict[int, list[float]] = {count: [] for count in counts}
    idle: list[dict[str, Any]] = [{"ansible.builtin.meta": "noop"}]
    task = transfer(MOVING, tenant="{{ inventory_hostname }}")
    for _round in range(rounds):
        for count in counts:
            hosts = ",".join(f"tenant{number}" for number in range(count)) + ","
            options = ("-i", hosts, "-f", "10")
            cost = bench.seconds(play(task, hosts="all"), *options) - bench.seconds(play(idle, hosts="all"), *options)
            seen[count].append(cost / count)
    return medians(seen)


def memory(bench: Runner) -> dict[str, float]:
    """Return in MB the peak of the module's process, and how much larger the collection makes ansible-playbook."""
    stand_in = bench.folder / "python"
    stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / "peak.py"} "$@"\n', encoding="utf-8")
    stand_in.chmod(0o700)
    bench.seconds(play(as_module(transfer(MOVING))), "-e", f"ansible_python_interpreter={stand_in}")
    peak = int((bench.folder / "peak").read_text(encoding="ascii")) / 1024
    with_us = statistics.median(_high_water(bench.start(play(transfer(MOVING), 5))) for _time in range(5))
    without = statistics.median(_high_water(bench.start(play([{"ansible.builtin.debug": {"msg": "-"}}], 5))) for _time in range(5))
    return {"module process, peak": peak, "ansible-playbook process, growth": with_us - without}


def _high_water(process: subprocess.Popen[bytes]) -> float:
    """Return the most memory that the process itself had, in MB, without its children."""
    most = 0
    with process:
        while process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    most = max(most, int(line.split()[1]))
            time.sleep(0.005)
    return most / 1024


def measured(bench: Runner, rounds: int, only: str | None) -> dict[str, Any]:
    """Return all figures. With ``only``, compare the contenders whose names it matches, which takes less time."""
    them = {name: contender for name, contender in contenders(bench.simulator.endpoint, TOKEN, bench.ca).items() if re.search(only or "", name)}
    if not them:
        sys.exit(f"No contender's name matches {only}")
    wire = on_the_wire(bench, them if only else {**them, **unverified()})
    more, plays = costs(bench, them, rounds)
    compared = {
        "rounds": rounds,
        "certificates": bench.certificates,
        "costs": {"0": more},
        "plays": plays,
        "derived": derived(more, plays),
        "wire": wire,
    }
    if only:
        return compared
    delayed, _plays = costs(bench, {name: them[name] for name in DELAYED}, rounds, DELAY)
    return {
        **compared,
        "costs": {"0": more, "50": delayed},
        "tenants": tenants(bench, min(rounds, 3), (1, 10, 100, 1000) if rounds > 1 else (1, 10)),
        "memory": memory(bench),
        "own_code": own_code(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", metavar="REGEX", help="compare the contenders whose names match, and measure nothing else")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, in seconds and MB")
    options = parser.parse_args()
    # Remove the files even if the user ends the benchmark.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit("ended"))
    with runner() as bench:
        results = measured(bench, options.rounds, options.only)
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
