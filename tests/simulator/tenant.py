# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the pools of a simulated tenant: read them, and transfer capacity."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

SPACE_TYPES = {"department": 0, "individual": 1, "group": 2}

#: The names of the second read for the types [GetQuotaUsed].
QUOTA_NAMES = {0: "dept", 1: "personal", 2: "group"}
#: KB that are stored for each GB that is allocated: about 60 %.
STORED_PER_GB = 629_146


class Refused(Exception):
    """A request that KooDrive answers with an error: HTTP status, code and message [ErrorCode]."""

    def __init__(self, status: int, code: int | str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad_parameters() -> Refused:
    return Refused(400, 13000102, "Verify parameters failed.")


@dataclass
class Pool:
    """A pool in whole GB. ``stored`` is in KB; None means the usual part of the allocated capacity."""

    total: int
    allocated: int
    stored: int | None = None

    def stored_kb(self) -> int:
        return STORED_PER_GB * self.allocated if self.stored is None else self.stored


class Tenant:
    """A tenant's pools by the number of their space type.

    While ``refusal`` is set, every transfer is refused with its status, code and message. Each amount of a transfer
    must be a multiple of ``step``, in GB.
    """

    def __init__(self, pools: dict[str, dict[str, int]]) -> None:
        self.pools = {SPACE_TYPES[name]: Pool(**pool) for name, pool in pools.items()}
        self.step = 1
        self.refusal: tuple[int, int | str, str] | None = None
        self._lock = threading.Lock()

    def by_name(self) -> dict[str, dict[str, int]]:
        """Return the pools in the form of the control calls."""
        names = {number: name for name, number in SPACE_TYPES.items()}
        return {names[number]: {name: value for name, value in vars(pool).items() if value is not None} for number, pool in sorted(self.pools.items())}

    def stored(self) -> dict[int, int]:
        """Return how much is stored in each pool, in KB."""
        return {number: pool.stored_kb() for number, pool in self.pools.items()}

    def rows(self) -> list[dict[str, int]]:
        """Return the pools in the form of the read [GetSpaceAllocation]."""
        return [{"type": number, "allocateCapacity": pool.allocated, "totalCapacity": pool.total} for number, pool in sorted(self.pools.items())]

    def transfer(self, body: Any) -> None:
        """Transfer capacity [TransferUnallocatedSpace]. Raises Refused without a change."""
        with self._lock:
            origin, targets = self.check(body)
            self.pools[origin].total -= sum(targets.values())
            for target, capacity in targets.items():
                self.pools[target].total += capacity

    def check(self, body: Any) -> tuple[int, dict[int, int]]:
        """Return the origin, and the capacity by target. Raises Refused if KooDrive would refuse the write."""
        origin, targets = _checked(body)
        if self.refusal:
            raise Refused(*self.refusal)
        if any(capacity % self.step for capacity in targets.values()):
            raise bad_parameters()
        if origin not in self.pools or any(target not in self.pools for target in targets):
            raise Refused(400, 13000301, "Space not found.")
        if sum(targets.values()) > self.pools[origin].total - self.pools[origin].allocated:
            raise Refused(400, 13000311, "Insufficient space.")
        return origin, targets


def quota_of(rows: list[dict[str, int]], stored: dict[int, int]) -> dict[str, int]:
    """Return the pools in the form of the second read, with the stored data in KB [GetQuotaUsed]."""
    quota = {"userCount": 20, "userMaxCount": 100, "reservedSpaceQuota": 0}
    for row in rows:
        name = QUOTA_NAMES[row["type"]]
        quota[f"{name}SpaceQuota"], quota[f"{name}SpaceQuotaUsed"] = row["totalCapacity"], row["allocateCapacity"]
        quota[f"{name}SpaceUsed"] = stored[row["type"]]
    quota["spaceQuotaUsed"] = sum(row["allocateCapacity"] for row in rows)
    quota["spaceUsed"] = sum(stored[row["type"]] for row in rows)
    return {**quota, "spaceCapacity": sum(row["totalCapacity"] for row in rows)}


def _checked(body: Any) -> tuple[int, dict[int, int]]:
    """Return the origin, and the capacity by target. Raises Refused if the reference's tables do not allow the body."""
    if not isinstance(body, dict) or set(body) != {"originType", "target"}:
        raise bad_parameters()
    origin, rows = body["originType"], body["target"]
    if not _is_type(origin) or not isinstance(rows, list) or not rows:
        raise bad_parameters()
    targets: dict[int, int] = {}
    for row in rows:
        if not isinstance(row, dict) or set(row) != {"type", "expandCapacity"} or not _is_type(row["type"]):
            raise bad_parameters()
        capacity = row["expandCapacity"]
        if not _is_whole(capacity) or not 1 <= capacity <= 104857600 or row["type"] in (origin, *targets):
            raise bad_parameters()
        targets[row["type"]] = capacity
    return origin, targets


def _is_type(value: Any) -> bool:
    return _is_whole(value) and value in SPACE_TYPES.values()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
