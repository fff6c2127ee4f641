# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options of a role a survey has answered."""

from __future__ import annotations

from ansible_collections.huaweicloud.koodrive.plugins.filter.answered_options import FilterModule

answered_options = FilterModule().filters()["answered_options"]
OPTIONS = {"rooms_count": {"type": "int"}, "rooms_each": {"type": "int"}, "count": {"type": "str"}}


def test_it_leaves_those_that_are_given() -> None:
    assert answered_options(OPTIONS, {"count": "50", "unknown": "1"}, "rooms_") == {"rooms_count": {"type": "int"}}
    assert answered_options(OPTIONS, {"count": "50"}) == {"count": {"type": "str"}}
    assert answered_options(OPTIONS, {}, "rooms_") == {}
