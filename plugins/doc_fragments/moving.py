# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options of every module that moves capacity."""

from __future__ import annotations


class ModuleDocFragment:
    """Options for the amounts of a transfer, and for how to verify it."""

    DOCUMENTATION = r"""
options:
  capacity_step:
    description:
      - What is sent to each pool is rounded up to a multiple of this many GB, 1 or more. Desired states stay "at least", so a pool may have up
        to this much more than was asked for.
      - KooDrive's console moves multiples of V(10) only. Whether the service insists on it is not known; where it does, it refuses other
        amounts with the code 13000102, and V(10) is the value to set.
    type: int
    default: 1
    version_added: 0.2.0
  verify:
    description:
      - Whether to read the pools again after the transfer, until they show it.
      - If V(false), RV(allocation) is the expected one. The next run may then read pools that are not up to date yet, and move the capacity
        again.
      - After a lost reply, and before a second transfer, the module reads the pools in any case.
    type: bool
    default: true
  verify_timeout:
    description:
      - How long, in seconds, the module looks for the transfer in the pools; 0 to 3600. It looks at once, and stops as soon as they show it.
      - If another transfer of the tenant is open, and this task has something to send, the module first waits this long for the pools to show
        that one.
    type: int
    default: 30
  settle_time:
    description:
      - How long, in seconds, a transfer with an unknown outcome stays open; 0 to 86400. The longer time of its writer and this task counts.
      - The default is how long KooDrive accepts a signed request. Set a shorter time only if nothing on the way holds requests back for longer.
      - V(0) resolves an open transfer by what the pools show now. Use it for one run if you know that the transfer was lost. It does not
        overrule the time in which the writer of that transfer may still send.
    type: int
    default: 900
    version_added: 0.2.0
notes:
  - At most one transfer of a tenant is open, in all runs with one ledger together. A transfer is sent again only if KooDrive is known not to
    have processed it. After a lost reply, this run or the next one finds out from the pools whether it was made.
  - Several tasks can move capacity of one tenant at the same time. Each plans from pools that show the transfers of the others. Without
    O(ledger), this holds for the tasks of one user on one machine. With a PostgreSQL database, it holds for all tasks that share it.
  - Check mode only reads. It writes nothing, neither to KooDrive nor to the ledger.
  - See the collection's guides on the ledger and on what holds when things go wrong.
"""
