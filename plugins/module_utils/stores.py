# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store the option ledger names, and which tenant in it a run is about."""

from __future__ import annotations

import hashlib
import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import invalid_request
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


def _store(ledger: str | None, read_only: bool) -> Any:
    if ledger is None or os.path.isabs(ledger):
        return LocalStore(ledger, read_only)
    if not ledger.startswith(POSTGRESQL):
        raise invalid_request("ledger", "must be an absolute path, or the URL of a PostgreSQL database (postgresql://...)")
    return _postgresql().PostgresqlStore(ledger, read_only)


def load_for(environ: Mapping[str, str]) -> None:
    """Load what the ledger that ``environ`` names needs, in a process whose children will use it."""
    if environ.get(ENVIRONMENT["ledger"], "").startswith(POSTGRESQL):
        _postgresql()


def _postgresql() -> ModuleType:
    """The store's module, whose library is loaded where it is used, and nowhere else."""
    from ansible_collections.huaweicloud.koodrive.plugins.module_utils import ledger_postgresql

    return ledger_postgresql


def tenant_of(connection: Connection, koodrive: KooDrive, store: Store, read_only: bool) -> str:
    """Whose pools the run is about: the name that was given, what KooDrive says, asked once per credential, or else who calls."""
    if connection.tenant is not None:
        return connection.tenant
    credential = _hashed(connection.credential)
    tenant = store.tenant_of(credential)
    if tenant is None:
        said = koodrive.tenant_id("Asking for the tenant")
        tenant = f"{connection.endpoint} {said}" if said else _hashed(connection.caller)
        if not read_only:
            store.remember(credential, tenant)
    return tenant


def _hashed(text: str) -> str:
    """No secret is in the ledger, and a token is one."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def writer() -> str:
    """Who writes, for people: user and host."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # A user ID without a name, as in a container.
        user = str(os.geteuid())
    # Names of the operating system need not be text that can be stored.
    return f"{user}@{socket.gethostname()}".encode("utf-8", "replace").decode("utf-8")
