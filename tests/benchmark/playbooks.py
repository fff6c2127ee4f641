# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contenders, as playbooks with any number of tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

MOVING = {"expand_capacity": 1}
NOTHING = {"total_capacity": 0}
#: What a task is to do, and the requests that it takes.
WORK = {"nothing to do": (NOTHING, 1), "moving": (MOVING, 3)}
#: The quick ones need more tasks to show in the noise; the slowest one shows with fewer.
QUICK, SLOW, SLOWEST = 20, 10, 5

DEBUG, PING, FLOOR, URI = "debug", "ping", "floor: a module that imports requests", "uri + set_fact + uri"
IN_PROCESS, AS_A_MODULE = "in process", "as a module"
WITH_ENVIRONMENT, WITH_CA_PATH, WITH_POSTGRESQL = "in process, environment", "in process, ca_path", "in process, PostgreSQL"

Tasks = list[dict[str, Any]]


class Contender(NamedTuple):
    """``tasks`` whose cost is compared, which send so many ``requests``. The cost of one is what ``more`` of them
    take longer.

    ``environment`` is that of ansible-playbook. ``shared_ledger``: the ledger is the PostgreSQL database, and not the
    local one.
    """

    tasks: Tasks
    more: int
    requests: int = 0
    environment: Mapping[str, str] = {}
    shared_ledger: bool = False


def contenders(endpoint: str, token: str, ca: str) -> dict[str, Contender]:
    """Return what is compared, by name. ``ca`` has one certificate, that of the endpoint's CA."""
    return {
        DEBUG: Contender([{"ansible.builtin.debug": {"msg": "-"}}], QUICK),
        PING: Contender([{"ansible.builtin.ping": {}}], SLOW),
        URI: Contender(with_uri(endpoint, token), SLOWEST, 2),
        FLOOR: Contender([{"floor": {}}], SLOW, environment={"ANSIBLE_LIBRARY": str(Path(__file__).parent / "library")}),
        **_each_work(IN_PROCESS, QUICK, transfer),
        **_each_work(WITH_ENVIRONMENT, QUICK, lambda capacity: [{**task, "environment": {"NO_PROXY": "*"}} for task in transfer(capacity)]),
        **_each_work(WITH_CA_PATH, QUICK, lambda capacity: transfer(capacity, ca_path=ca)),
        **_each_work(WITH_POSTGRESQL, QUICK, transfer, shared_ledger=True),
        **_each_work(AS_A_MODULE, SLOW, lambda capacity: as_module(transfer(capacity))),
    }


def unverified() -> dict[str, Contender]:
    """Return what is not compared, but sends another number of requests."""
    tasks = transfer(MOVING, verify=False)
    return {
        f"{IN_PROCESS}, moving unverified": Contender(tasks, QUICK, 2),
        f"{AS_A_MODULE}, moving unverified": Contender(as_module(tasks), SLOW, 2),
    }


def _each_work(name: str, more: int, tasks_of: Callable[[dict[str, int]], Tasks], shared_ledger: bool = False) -> dict[str, Contender]:
    return {f"{name}, {work}": Contender(tasks_of(capacity), more, requests, shared_ledger=shared_ledger) for work, (capacity, requests) in WORK.items()}


def transfer(capacity: dict[str, int], **options: Any) -> Tasks:
    """Return one task of the collection's module; endpoint, token, ledger and trusted certificates come from the
    environment.
    """
    task = {"origin_type": "department", "target": [{"type": "group", **capacity}], **options}
    return [{"huaweicloud.koodrive.koodrive_space_transfer": task}]


def as_module(tasks: Tasks) -> Tasks:
    """Return the tasks of the collection's modules, each with a separate process."""
    return [{**task, "vars": {"koodrive_in_process": False}} for task in tasks]


def with_uri(endpoint: str, token: str) -> Tasks:
    """Return what people write without this collection: read, decide, write."""
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{endpoint}/koodrive/ose/v1/space/allocation"
    group = "(pools.json.data | selectattr('type', 'eq', 2) | first)"
    return [
        {"ansible.builtin.uri": {"url": f"{path}/get", "headers": headers}, "register": "pools"},
        {"ansible.builtin.set_fact": {"missing": f"{{{{ {group}.totalCapacity + 1 - {group}.totalCapacity }}}}"}},
        {
            "ansible.builtin.uri": {
                "url": f"{path}/transfer",
                "method": "POST",
                "headers": headers,
                "body_format": "json",
                "body": '{"originType": 0, "target": [{"type": 2, "expandCapacity": {{ missing }}}]}',
            }
        },
    ]


def play(tasks: Tasks, times: int = 1, hosts: str = "localhost") -> Tasks:
    """Return a playbook that does the tasks so many times."""
    return [{"hosts": hosts, "connection": "local", "gather_facts": False, "tasks": tasks * times}]
