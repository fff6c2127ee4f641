# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our own code takes, without network, TLS and Ansible."""

from __future__ import annotations

import json
import statistics
import time

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import sign
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.replies import Call, Reply, pools_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.planning.allocation import MAX_CAPACITY
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import (
    TRANSFER_SPEC,
    TransferReport,
    task_from,
)

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
    """Return the median seconds to check options, parse, plan, sign and make the result of one run."""
    times = []
    for _time in range(500):
        start = time.perf_counter()
        task = task_from(OPTIONS)
        report = TransferReport("https://example.org", "t" * 58, task)
        plan = task.plan(pools_of(REPLY, CALL))
        task.ensure_sufficient(plan)
        for body in (b"", b"x" * 200, b""):
            sign("s" * 1000, "POST", "https://example.org/koodrive/ose/v1/space/allocation/transfer", SIGNED, body)
        report.has_made(plan)
        report.success(pools_of(REPLY, CALL), verified=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
