# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store the option ledger names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.record import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import LocalStore

#: How the URL of a PostgreSQL database begins.
POSTGRESQL = ("postgresql://", "postgres://")


@contextmanager
def store_of(ledger: str | None, read_only: bool) -> Iterator[Store]:
    """The store that the option ``ledger`` names, for one run. Raises KooDriveError ``invalid_request``."""
    store = _store(ledger, read_only)
    try:
        yield store
    finally:
        store.close()


def _store(ledger: str | None, read_only: bool) -> Store:
    if ledger is None or os.path.isabs(ledger):
        return LocalStore(ledger, read_only)
    if not ledger.startswith(POSTGRESQL):
        raise invalid_request("ledger", "must be an absolute path, or the URL of a PostgreSQL database (postgresql://...)")
    store: Store = _postgresql().PostgresqlStore(ledger, read_only)
    return store


def load_for(ledger: str) -> None:
    """Load the library that the option ``ledger`` needs, in a process whose children will use it."""
    if ledger.startswith(POSTGRESQL):
        _postgresql()


def _postgresql() -> ModuleType:
    """The store's module, whose library is loaded where it is used, and nowhere else."""
    from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import postgresql

    return postgresql
