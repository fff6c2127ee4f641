# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store the option ledger names, and which tenant in it a run is about."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError, invalid_request
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger import Store
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger_local import LocalStore
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.options import ENVIRONMENT, Connection

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


def load_for(environ: Mapping[str, str]) -> None:
    """Load what the ledger that ``environ`` names needs, in a process whose children will use it."""
    if environ.get(ENVIRONMENT["ledger"], "").startswith(POSTGRESQL):
        _postgresql()


def _postgresql() -> ModuleType:
    """The store's module, whose library is loaded where it is used, and nowhere else."""
    from ansible_collections.huaweicloud.koodrive.plugins.module_utils import ledger_postgresql

    return ledger_postgresql


def tenant_of(connection: Connection, koodrive: KooDrive, store: Store, read_only: bool) -> str | None:
    """Return whose pools the run is about: the name that was given, or what KooDrive says; None if it says nothing.

    What KooDrive says is kept per credential. The hash keeps a token out of the ledger.
    """
    if connection.tenant is not None:
        return connection.tenant
    credential = hashlib.sha256(connection.credential.encode("utf-8")).hexdigest()
    tenant = store.tenant_of(credential)
    if tenant is None:
        tenant = koodrive.tenant_id("Asking for the tenant")
        if tenant is not None and not read_only:
            # A run that cannot write asks once more next time.
            with suppress(KooDriveError):
                store.remember(credential, tenant)
    return tenant
