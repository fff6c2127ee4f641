# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need, and which tests only `make matrix` runs."""

from __future__ import annotations

import os

import pytest
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import fixture_koodrive

__all__ = ["fixture_koodrive"]


def pytest_configure(config: pytest.Config) -> None:
    """Describe the mark of tests that take long, since they set AWX up several times."""
    config.addinivalue_line("markers", "broad: takes long, so only KOODRIVE_SYSTEM=all runs it, as make matrix does")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave broad tests out, unless KOODRIVE_SYSTEM is ``all`` or the command names them."""
    if os.environ.get("KOODRIVE_SYSTEM") == "all" or config.option.keyword or any("::" in argument for argument in config.args):
        return
    broad = [item for item in items if item.get_closest_marker("broad")]
    items[:] = [item for item in items if item not in broad]
    config.hook.pytest_deselected(items=broad)
