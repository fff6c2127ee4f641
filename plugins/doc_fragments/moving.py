# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of what every module has that moves capacity."""

from __future__ import annotations


class ModuleDocFragment:
    """With how much care capacity is moved."""

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
      - If V(false), the RV(allocation) that is returned is the expected one. A run that follows at once may read what is not up to date yet, and
        move it again.
      - When the reply to the transfer is lost, the pools are read in any case, to find out what happened.
    type: bool
    default: true
  verify_timeout:
    description:
      - For how many seconds to look for the transfer in the pools; 0 to 3600. The first look comes at once, so this is spent
        only when something is amiss.
      - A run that has something to send while another transfer of the tenant is open looks as long for that one, too.
    type: int
    default: 30
  settle_time:
    description:
      - For how many seconds after it was begun a transfer may still be done whose outcome is not known; 0 to 86400.
      - KooDrive accepts a signed request for 15 minutes, which is the default. A shorter time is for those who know that nothing
        on the way holds a request back for longer.
      - V(0) is for a transfer that is known to be lost. It is then settled by what the pools show now.
    type: int
    default: 900
    version_added: 0.2.0
notes:
  - At most one transfer of a tenant is open, in all runs with one ledger together. A write is sent again only when it is known not to have
    been processed; when its reply is lost, the module reads the pools and decides from what it sees. What a run could not find
    out, the next one does, from the ledger and the pools.
  - Tasks that move capacity of the same tenant take turns, from the first reading to the verification, except in check mode. Without
    O(ledger), those are the tasks of one user on one machine. With a PostgreSQL database as O(ledger), they are those of all
    controllers, jobs and execution environments that share it.
  - The collection's guides on the ledger and on what holds when things go wrong say more about both.
"""
