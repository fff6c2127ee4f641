# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contenders, as playbooks with any number of tasks."""

from __future__ import annotations

from typing import Any

READ = "{{ lookup('ansible.builtin.env', 'KOODRIVE_ENDPOINT') }}/koodrive/ose/v1/space/allocation/get"
WRITE = "{{ lookup('ansible.builtin.env', 'KOODRIVE_ENDPOINT') }}/koodrive/ose/v1/space/allocation/transfer"
HEADERS = {"Authorization": "Bearer {{ lookup('ansible.builtin.env', 'KOODRIVE_TOKEN') }}"}
CA = "{{ lookup('ansible.builtin.env', 'BENCH_CA') }}"

PING: list[dict[str, Any]] = [{"ansible.builtin.ping": {}}]
#: What people write without this collection: read, decide, write.
URI: list[dict[str, Any]] = [
    {"ansible.builtin.uri": {"url": READ, "headers": HEADERS, "ca_path": CA}, "register": "pools"},
    {"ansible.builtin.set_fact": {"missing": "{{ (pools.json.data | selectattr('type', 'eq', 2) | first).totalCapacity | int * 0 + 1 }}"}},
    {
        "ansible.builtin.uri": {
            "url": WRITE,
            "method": "POST",
            "headers": HEADERS,
            "ca_path": CA,
            "body_format": "json",
            "body": {"originType": 0, "target": [{"type": 2, "expandCapacity": 1}]},
        }
    },
]


def transfer(capacity: dict[str, int], in_process: bool, **options: Any) -> list[dict[str, Any]]:
    """One task of the collection's module."""
    task = {"origin_type": "department", "target": [{"type": "group", **capacity}], "ca_path": CA, **options}
    return [{"huaweicloud.koodrive.koodrive_space_transfer": task, "vars": {"koodrive_in_process": in_process}}]


MOVING = {"expand_capacity": 1}
NOTHING = {"total_capacity": 0}
CONTENDERS: dict[str, list[dict[str, Any]]] = {
    "ping": PING,
    "uri + set_fact + uri": URI,
    "in process, moving": transfer(MOVING, True),
    "in process, nothing to do": transfer(NOTHING, True),
    "as a module, moving": transfer(MOVING, False),
    "as a module, nothing to do": transfer(NOTHING, False),
}


def play(tasks: list[dict[str, Any]], times: int = 1, hosts: str = "localhost") -> list[dict[str, Any]]:
    """A playbook that does the tasks so many times."""
    return [{"hosts": hosts, "connection": "local", "gather_facts": False, "tasks": tasks * times}]
