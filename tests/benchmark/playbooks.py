# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contenders, as playbooks with any number of tasks."""

from __future__ import annotations

from typing import Any

MOVING = {"expand_capacity": 1}
NOTHING = {"total_capacity": 0}


def transfer(ca: str, capacity: dict[str, int], in_process: bool, **options: Any) -> list[dict[str, Any]]:
    """One task of the collection's module; endpoint and token come from the environment."""
    task = {"origin_type": "department", "target": [{"type": "group", **capacity}], "ca_path": ca, **options}
    return [{"huaweicloud.koodrive.koodrive_space_transfer": task, "vars": {"koodrive_in_process": in_process}}]


def with_uri(endpoint: str, token: str, ca: str) -> list[dict[str, Any]]:
    """What people write without this collection: read, decide, write."""
    call = {"headers": {"Authorization": f"Bearer {token}"}, "ca_path": ca}
    path = f"{endpoint}/koodrive/ose/v1/space/allocation"
    group = "(pools.json.data | selectattr('type', 'eq', 2) | first)"
    return [
        {"ansible.builtin.uri": {"url": f"{path}/get", **call}, "register": "pools"},
        {"ansible.builtin.set_fact": {"missing": f"{{{{ {group}.totalCapacity + 1 - {group}.totalCapacity }}}}"}},
        {
            "ansible.builtin.uri": {
                "url": f"{path}/transfer",
                "method": "POST",
                "body_format": "json",
                "body": '{"originType": 0, "target": [{"type": 2, "expandCapacity": {{ missing }}}]}',
                **call,
            }
        },
    ]


def contenders(endpoint: str, token: str, ca: str) -> dict[str, list[dict[str, Any]]]:
    """The tasks whose cost is compared."""
    return {
        "ping": [{"ansible.builtin.ping": {}}],
        "uri + set_fact + uri": with_uri(endpoint, token, ca),
        "in process, moving": transfer(ca, MOVING, True),
        "in process, nothing to do": transfer(ca, NOTHING, True),
        "as a module, moving": transfer(ca, MOVING, False),
        "as a module, nothing to do": transfer(ca, NOTHING, False),
    }


def play(tasks: list[dict[str, Any]], times: int = 1, hosts: str = "localhost") -> list[dict[str, Any]]:
    """A playbook that does the tasks so many times."""
    return [{"hosts": hosts, "connection": "local", "gather_facts": False, "tasks": tasks * times}]
