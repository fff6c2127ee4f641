# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import new_state
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import APP, TOKEN, KooDriveForTests


@pytest.fixture(name="koodrive")
def fixture_koodrive() -> Iterator[KooDriveForTests]:
    with KooDriveForTests(new_state(TOKEN, APP)) as simulator:
        yield simulator
