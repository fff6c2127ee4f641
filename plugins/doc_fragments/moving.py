# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules that move capacity share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options for the amounts of a transfer, and for verifying it."""

    DOCUMENTATION = r"""
options:
  capacity_step:
    description:
      - The module rounds each amount up to a multiple of this many GB, 1 or more. So a pool may get up to this much
        more than its desired state.
      - KooDrive's console moves only multiples of V(10). It is not known whether the service insists on that. If it
        does, it refuses other amounts with the code 13000102. Then set V(10).
    type: int
    default: 1
    version_added: 0.2.0
  verify:
    description:
      - Whether to read the pools after the transfer until they show it.
      - If V(false), RV(allocation) is predicted. The next run may then read pools that are not up to date yet, and move
        the capacity again.
      - After a lost reply and before a second transfer, the module reads the pools in any case.
    type: bool
    default: true
  verify_timeout:
    description:
      - How long, in seconds, the module looks for the transfer in the pools; 0 to 3600. It looks at once, and stops
        when the pools show it.
      - If another transfer of the tenant is open and this task has something to send, the module first waits this long
        for the other transfer to show in the pools.
    type: int
    default: 30
  settle_time:
    description:
      - How long, in seconds, a transfer with an unknown outcome stays open; 0 to 86400. The longer time of its writer
        and this task counts. The collection's guide on what holds when things go wrong explains open transfers.
      - The default is how long KooDrive accepts a signed request. Set a shorter time only if nothing between you and
        KooDrive holds requests back for longer.
      - V(0) resolves an open transfer from the current pools. Use it for one run if you know that the transfer was
        lost. While the writer of that transfer may still send, the task waits for it all the same.
    type: int
    default: 900
    version_added: 0.2.0
notes:
  - At most one transfer of a tenant is open, in all runs with one ledger together. The module sends a transfer again
    only if KooDrive is known not to have processed it. After a lost reply, this run or the next one finds out from the
    pools whether the transfer was made.
  - Several tasks can move capacity of one tenant at the same time. Each plans from pools that show the transfers of the
    others. Without O(ledger), this holds for the tasks of one user on one machine. With a PostgreSQL database, it holds
    for all tasks that share it.
  - Check mode only reads. It writes nothing, neither to KooDrive nor to the ledger.
  - See the collection's guides on the ledger and on what holds when things go wrong.
"""
