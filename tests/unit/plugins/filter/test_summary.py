# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line about a result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.huaweicloud.koodrive.plugins.filter.summary import FilterModule

summary = FilterModule().filters()["summary"]
GROUP = {"type": "group", "expand_capacity": 100}
INDIVIDUAL = {"type": "individual", "expand_capacity": 40}
NOW = " Unallocated now: department 1,500 GB, group 100 GB."


def result(*transfers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the result of a task that made ``transfers``."""
    pools = {"department": {"unallocated_capacity": 1500}, "group": {"unallocated_capacity": 100}}
    return {"origin_type": "department", "transfers": list(transfers), "allocation": pools, "earlier": None, **more}


def test_it_says_what_moved() -> None:
    assert summary(result(GROUP)) == "Moved 100 GB to group from department." + NOW
    assert summary(result(GROUP, INDIVIDUAL)) == "Moved 100 GB to group and 40 GB to individual from department." + NOW


def test_it_says_what_would_move() -> None:
    assert summary(result(GROUP), True) == "Would move 100 GB to group from department. Unallocated then: department 1,500 GB, group 100 GB."


@pytest.mark.parametrize("check_mode", [True, False])
def test_it_says_that_nothing_moved(check_mode: bool) -> None:
    assert summary(result(), check_mode) == "Nothing was to be moved." + NOW


def test_it_says_when_an_addition_was_made_before() -> None:
    earlier = {"time": "2026-11-25T14:03:12Z", "trace_id": "abc", "transfers": [GROUP]}
    assert summary(result(earlier=earlier)) == ("Nothing was to be moved: this addition was made before, 2026-11-25T14:03:12Z (trace ID abc)." + NOW)


def test_each_row_can_name_another_origin() -> None:
    rows = [{"origin_type": "department", **GROUP}, {"origin_type": "department", **INDIVIDUAL}, {"origin_type": "individual", **GROUP}]
    several = result(*rows)
    del several["origin_type"], several["earlier"]
    assert summary(several) == "Moved 100 GB to group and 40 GB to individual from department, and 100 GB to group from individual." + NOW


def test_it_says_what_is_missing() -> None:
    missing = {"group": 10, "individual": 5}
    assert summary(result(GROUP, missing=missing)) == ("Moved 100 GB to group from department. Still missing: 10 GB in group and 5 GB in individual." + NOW)
    assert "department. Would still be missing: 10 GB in group and 5 GB in individual. Unallocated then" in summary(result(GROUP, missing=missing), True)
    assert summary(result(missing={"group": 10})) == "Nothing could be moved. Still missing: 10 GB in group." + NOW
    assert "issing" not in summary(result(GROUP, missing={}))


@pytest.mark.parametrize("wrong", [None, "moved", [result(GROUP)], {}, {"results": [result(GROUP)]}, {"skipped": True}, result(GROUP, error={})])
def test_other_results_are_refused(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="needs the registered result of one successful task that moves capacity"):
        summary(wrong)


USED = {"unallocated_capacity": 1500, "allocated_capacity": 500, "stored_capacity": 240.125}


def test_after_a_reading_it_lists_the_pools() -> None:
    reading = {"allocation": {"department": {"unallocated_capacity": 1500}, "group": {"unallocated_capacity": 100}}}
    assert summary(reading) == summary(reading, True) == NOW.strip()
    assert summary({"allocation": {}}) == "KooDrive reported no pool."


def test_it_says_what_is_stored_if_the_result_has_it() -> None:
    reading = {"allocation": {"department": USED, "group": {"unallocated_capacity": 100}}}
    assert summary(reading) == NOW.strip() + " Stored of what is allocated: department 240.125 of 500 GB."
    assert summary({**result(GROUP), **reading}).endswith(" GB. Stored of what is allocated: department 240.125 of 500 GB.")
