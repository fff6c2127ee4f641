# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our own code takes, without network, TLS and Ansible."""

from __future__ import annotations

import json
import statistics
import time

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.allocation import MAX_CAPACITY, ensure_sufficient, plan_transfer
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.auth import sign
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.replies import Call, Reply, pools_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.transfer import TRANSFER_SPEC, TransferAccount, task_from

OPTIONS = {
    **{name: option.get("default") for name, option in TRANSFER_SPEC.items()},
    "origin_type": "department",
    "target": [
        {"type": "individual", "unallocated_capacity": MAX_CAPACITY},
        {"type": "group", "total_capacity": MAX_CAPACITY},
    ],
    "origin_reserve": MAX_CAPACITY,
    "capacity_step": 10,
    "verify": True,
    "verify_timeout": 3600,
}
ROWS = [{"type": str(number), "totalCapacity": str(5 * MAX_CAPACITY), "allocateCapacity": "0"} for number in range(3)]
REPLY = Reply(200, {}, json.dumps({"code": "0", "msg": "m" * 1000, "data": ROWS}).encode())
CALL = Call("Reading the pools", False, str)
SIGNED = {"host": "h" * 253, "x-date": "20251103T070140Z", "x-user-id": "u" * 1000}


def own_code() -> float:
    """Seconds for checking options, parsing, planning, signing and shaping the result of one run; the median of many."""
    times = []
    for _time in range(500):
        start = time.perf_counter()
        task = task_from(OPTIONS)
        account = TransferAccount("https://example.org", "t" * 58, task.origin_type)
        plan = plan_transfer(task.origin_type, task.targets, task.capacity_step, pools_of(REPLY, CALL))
        ensure_sufficient(plan, task.origin_reserve)
        for body in (b"", b"x" * 200, b""):
            sign("s" * 1000, "POST", "https://example.org/koodrive/ose/v1/space/allocation/transfer", SIGNED, body)
        account.has_made(plan)
        account.success(pools_of(REPLY, CALL), verified=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
