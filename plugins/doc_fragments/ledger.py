# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules with a ledger share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options for the ledger and the tenant in it."""

    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - Where the ledger is, the table of all transfers of this collection. It holds no secret.
      - If not set, the module uses the environment variable E(KOODRIVE_LEDGER). Without that, the ledger is the folder
        C(/var/tmp/huaweicloud.koodrive-UID) on the machine that runs the task. UID is the effective user, so C(become)
        changes the folder.
      - An absolute path is a folder on a local file system. It must belong to the effective user alone (mode V(0700)).
        The module creates it if it is missing.
      - A URL C(postgresql://USER:PASSWORD@HOST/DATABASE) is a PostgreSQL database. Several machines, controllers and
        jobs can share it.
      - In a container or a job of AWX, name a ledger that lasts. Otherwise the record of a transfer ends with the
        container. A task that moves capacity warns then, and a task with an C(idempotency_key) fails.
    type: str
    version_added: 0.2.0
  tenant:
    description:
      - The name of the tenant in the ledger, at most 255 printable characters. Use the same name in all tasks that move
        this tenant's capacity.
      - If not set, the module uses the environment variable E(KOODRIVE_TENANT). Without that, it uses the tenant ID
        that KooDrive reports. The ledger keeps that ID for each credential, so two credentials of one tenant are one
        tenant.
      - Set it if KooDrive reports no tenant ID. Otherwise a task fails if it has something to send, has an
        C(idempotency_key), or lists transfers.
    type: str
    version_added: 0.2.0
requirements:
  - psycopg >= 3.1 (for a ledger in a PostgreSQL database)
  - the Python module sqlite3 (for a ledger in a folder)
"""
