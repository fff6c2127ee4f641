# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store the option ledger names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sql import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import LocalStore


@contextmanager
def store_of(ledger: str | None, read_only: bool) -> Iterator[Store]:
    """Yield the store for one run.

    ``ledger`` is an absolute path, the URL of a PostgreSQL database, or None for the default.
    """
    store = _store(ledger, read_only)
    try:
        yield store
    finally:
        store.close()


def _store(ledger: str | None, read_only: bool) -> Store:
    if ledger is None or os.path.isabs(ledger):
        return LocalStore(ledger, read_only)
    store: Store = load_postgresql().PostgresqlStore(ledger, read_only)
    return store


def load_postgresql() -> ModuleType:
    """Return the module of the PostgreSQL store. Only runs that use it load its library, which takes long."""
    from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import postgresql

    return postgresql
