# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need."""

from __future__ import annotations

from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import fixture_koodrive, fixture_pauses
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import fixture_ledger
from ansible_collections.huaweicloud.koodrive.tests.unit.postgresql_for_tests import fixture_database, fixture_postgresql

__all__ = ["fixture_database", "fixture_koodrive", "fixture_ledger", "fixture_pauses", "fixture_postgresql"]
