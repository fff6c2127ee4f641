# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.benchmark: the table of what a task costs, against what it replaces."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ..simulator.certificates import server_context
from ..simulator.server import Simulator, new_state
from ..simulator.tenant import Tenant
from .own_code import own_code
from .playbooks import MOVING, NOTHING, contenders, play, transfer

TOKEN = "bench-token"
#: The marginal cost of a task is what so many more of them take longer; the quick ones need more to show in the noise.
MORE = {"in process, moving": 20, "in process, nothing to do": 20}
MORE_OF_THE_OTHERS = 5
TARGETS = {
    ("in process, moving", "ping"): 0.14,
    ("in process, moving", "uri + set_fact + uri"): 0.05,
    ("in process, nothing to do", "ping"): 0.12,
    ("as a module, moving", "ping"): 1.30,
    ("as a module, moving", "uri + set_fact + uri"): 0.45,
    ("as a module, nothing to do", "ping"): 1.27,
}
REQUESTS = {"nothing to do": (1, NOTHING, True), "moving": (3, MOVING, True), "moving unverified": (2, MOVING, False)}


class Bench:
    """A simulator over TLS, and a folder for the playbooks."""

    def __init__(self, folder: Path, simulator: Simulator, ca: Path) -> None:
        self.folder = folder
        self.simulator = simulator
        self.ca = str(ca)
        self.environment = {
            # Where it is set, every process compiles anew what others have compiled before: not what users have.
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "KOODRIVE_ENDPOINT": simulator.endpoint,
            "KOODRIVE_TOKEN": TOKEN,
            "BENCH_PEAK": str(folder / "peak"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }

    def start(self, playbook: list[dict[str, Any]], *options: str) -> subprocess.Popen[bytes]:
        """ansible-playbook, running."""
        path = self.folder / "playbook.yml"
        path.write_text(yaml.safe_dump(playbook), encoding="utf-8")
        return subprocess.Popen(
            ["ansible-playbook", *options, str(path)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def seconds(self, playbook: list[dict[str, Any]], *options: str) -> float:
        """How long a playbook takes, which must succeed."""
        start = time.perf_counter()
        process = self.start(playbook, *options)
        _out, err = process.communicate()
        if process.returncode:
            sys.exit(f"A playbook failed: {playbook}\n{err.decode()}")
        return time.perf_counter() - start

    def marginal(self, tasks: list[dict[str, Any]], more: int) -> float:
        """What one more of the tasks costs, in seconds, by so many more."""
        return (self.seconds(play(tasks, 1 + more)) - self.seconds(play(tasks))) / more


@contextmanager
def bench(delay: float) -> Iterator[Bench]:
    state = new_state(TOKEN)
    state.tenant = Tenant({name: {"total": 100000, "allocated": 0} for name in ("department", "individual", "group")})
    state.delay = delay
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ca = folder / "ca.pem"
        with Simulator(state, tls=server_context(ca)) as simulator:
            yield Bench(folder, simulator, ca)


def costs(delay: float, rounds: int) -> dict[str, float]:
    """The median marginal cost of each contender in seconds; all take turns, so that a noisy machine hurts all alike."""
    with bench(delay) as runner:
        them = contenders(runner.simulator.endpoint, TOKEN, runner.ca)
        seen: dict[str, list[float]] = {name: [] for name in them}
        for number in range(rounds):
            for name, tasks in them.items():
                seen[name].append(runner.marginal(tasks, MORE.get(name, MORE_OF_THE_OTHERS)))
            sys.stderr.write(f"round {number + 1} of {rounds}, {delay * 1000:.0f} ms delay\n")
    return {name: statistics.median(values) for name, values in seen.items()}


def wire() -> dict[str, dict[str, int]]:
    """Requests and connections of one task, in process and as a module."""
    found = {}
    with bench(0) as runner:
        for what, (expected, capacity, verify) in REQUESTS.items():
            for path, in_process in (("in process", True), ("as a module", False)):
                runner.simulator.state.requests = []
                runner.seconds(play(transfer(runner.ca, capacity, in_process, verify=verify)))
                requests = runner.simulator.state.requests
                connections = len({request["connection"] for request in requests})
                found[f"{path}, {what}"] = {"requests": len(requests), "expected": expected, "connections": connections}
    return found


def tenants(rounds: int, counts: tuple[int, ...]) -> dict[int, float]:
    """What a task costs per tenant, in seconds, when that many hosts have one each; forks 10."""
    seen: dict[int, list[float]] = {count: [] for count in counts}
    idle: list[dict[str, Any]] = [{"ansible.builtin.meta": "noop"}]
    with bench(0) as runner:
        task = transfer(runner.ca, MOVING, True, user_id="{{ inventory_hostname }}")
        for _round in range(rounds):
            for count in counts:
                hosts = ",".join(f"tenant{number}" for number in range(count)) + ","
                options = ("-i", hosts, "-f", "10")
                cost = runner.seconds(play(task, hosts="all"), *options) - runner.seconds(play(idle, hosts="all"), *options)
                seen[count].append(cost / count)
    return {count: statistics.median(values) for count, values in seen.items()}


def memory() -> dict[str, float]:
    """In MB: the peak of the module's process, and by how much we make the ansible-playbook process grow."""
    with bench(0) as runner:
        stand_in = runner.folder / "python"
        stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / "peak.py"} "$@"\n', encoding="utf-8")
        stand_in.chmod(0o700)
        runner.seconds(play(transfer(runner.ca, MOVING, False)), "-e", f"ansible_python_interpreter={stand_in}")
        peak = int((runner.folder / "peak").read_text(encoding="ascii")) / 1024
        with_us = statistics.median(_high_water(runner.start(play(transfer(runner.ca, MOVING, True), 5))) for _time in range(5))
        without = statistics.median(
            _high_water(runner.start(play([{"ansible.builtin.debug": {"msg": "-"}}], 5))) for _time in range(5)
        )
    return {"module process, peak": peak, "ansible-playbook process, growth": with_us - without}


def _high_water(process: subprocess.Popen[bytes]) -> float:
    """The most memory that the process itself had, in MB, without its children."""
    most = 0
    with process:
        while process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    most = max(most, int(line.split()[1]))
            time.sleep(0.005)
    return most / 1024


def show(results: dict[str, Any]) -> None:
    for delay, medians in results["costs"].items():
        print(f"\nOne more task, {delay} ms delay per reply (medians of {results['rounds']} rounds)\n")
        print(f"{'':<28}{'ms':>8}{'x ping':>9}{'x uri':>8}")
        for name, cost in medians.items():
            print(f"{name:<28}{cost * 1000:>8.0f}{cost / medians['ping']:>9.2f}{cost / medians['uri + set_fact + uri']:>8.2f}")
    print("\nTo reach, at 0 ms delay\n")
    for (name, other), limit in TARGETS.items():
        ratio = results["costs"]["0"][name] / results["costs"]["0"][other]
        print(f"{name:<28}{'x ' + other:<24}{ratio:>6.2f}  at most {limit:.2f}  {'reached' if ratio <= limit else 'NOT REACHED'}")
    print("\nThe delay: 50 ms, times the requests, plus the floor\n")
    for name, count in (("in process, moving", 3), ("in process, nothing to do", 1)):
        more = (results["costs"]["50"][name] - results["costs"]["0"][name]) * 1000
        print(f"{name:<28}{more:>6.0f} ms more for {count} request{'s' if count > 1 else ''}")
    print("\nOn the wire\n")
    for name, seen in results["wire"].items():
        print(f"{name:<32}{seen['requests']} requests (to be {seen['expected']}), {seen['connections']} connection and TLS handshake")
    print("\nTenants, forks 10, one task each\n")
    one = results["tenants"][min(results["tenants"])]
    for count, cost in results["tenants"].items():
        print(f"{count:>6}{cost * 1000:>8.0f} ms per tenant, {cost / one:.2f} x the cost for one (at most 1.00)")
    print("\nMemory\n")
    for (name, value), limit in zip(results["memory"].items(), (60, 15)):
        print(f"{name:<34}{value:>6.1f} MB  at most {limit}")
    print(f"\nOur own code, largest legal input: {results['own_code'] * 1000:.2f} ms (under 1)")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, in seconds and MB")
    options = parser.parse_args()
    results: dict[str, Any] = {
        "rounds": options.rounds,
        "costs": {"0": costs(0.0, options.rounds), "50": costs(0.05, options.rounds)},
        "wire": wire(),
        "tenants": tenants(min(options.rounds, 3), (1, 10, 100, 1000) if options.rounds > 1 else (1, 10)),
        "memory": memory(),
        "own_code": own_code(),
    }
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
