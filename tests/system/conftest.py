# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need, and the mark of those that take long."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import fixture_koodrive

__all__ = ["fixture_koodrive"]


def pytest_configure(config: pytest.Config) -> None:
    """Describe the mark."""
    config.addinivalue_line("markers", "broad: takes long, so `make system` leaves it out")
