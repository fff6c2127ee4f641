# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of what every module has that looks into the ledger."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the ledger is, and whose part of it is meant."""

    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - Where the ledger is, the record of all transfers of this collection. It is written before anything is sent, and has no secret in it.
      - If neither this nor the environment variable E(KOODRIVE_LEDGER) is set, it is a folder private to the user on the machine that runs
        the task, C(/var/tmp/huaweicloud.koodrive-UID).
      - An absolute path is a folder of yours on a local file system, which belongs to the user alone (mode V(0700)). It is made where it is
        not there.
      - A URL C(postgresql://USER:PASSWORD@HOST/DATABASE) is a PostgreSQL database, which several machines, controllers and jobs can share.
    type: str
    version_added: 0.2.0
  tenant:
    description:
      - A name of your own for the tenant in the ledger, at most 255 printable characters. All tasks of one tenant must use the same.
      - If neither this nor the environment variable E(KOODRIVE_TENANT) is set, the tenant is who KooDrive says it is, so that two apps, or
        today's and tomorrow's token, of one tenant are one. KooDrive is asked once per credential. Where it does not say, tenants are told
        apart by O(endpoint) with O(app_id), else with O(user_id), else with O(token).
    type: str
    version_added: 0.2.0
requirements:
  - psycopg >= 3 (for a ledger in a PostgreSQL database)
"""
