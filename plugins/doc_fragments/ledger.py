# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options of every module that uses the ledger."""

from __future__ import annotations


class ModuleDocFragment:
    """The ledger, and the tenant in it."""

    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - Where the ledger is, the record of all transfers of this collection. It holds no secret.
      - If not set, the environment variable E(KOODRIVE_LEDGER) is used. Without that, it is a folder on the machine that runs the task,
        C(/var/tmp/huaweicloud.koodrive-UID). UID is the effective user, which C(become) changes.
      - An absolute path is a folder on a local file system that belongs to the user alone (mode V(0700)). It is made if it is missing.
      - A URL C(postgresql://USER:PASSWORD@HOST/DATABASE) is a PostgreSQL database. Several machines, controllers and jobs can share it.
      - In a container or a job of AWX, name one that lasts. If none is named there, the record of a transfer ends with the container. A task
        that moves capacity warns, and one with an C(idempotency_key) fails.
    type: str
    version_added: 0.2.0
  tenant:
    description:
      - The name of the tenant in the ledger, at most 255 printable characters. Use the same one in all tasks that move this tenant's capacity.
      - If not set, the environment variable E(KOODRIVE_TENANT) is used. Without that, it is the tenant ID that KooDrive reports, which the
        ledger keeps per credential. So two apps or two tokens of one tenant are one tenant.
      - If KooDrive reports none, set it. Otherwise a task fails if it has something to send, has an C(idempotency_key), or lists transfers.
    type: str
    version_added: 0.2.0
requirements:
  - psycopg >= 3.1 (for a ledger in a PostgreSQL database)
  - the Python module sqlite3 (for a ledger in a folder)
"""
