#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_allocation
short_description: Have enough room in all pools of a KooDrive tenant
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - A KooDrive tenant has one pool of capacity per space type, for departments, for individuals and for groups. Say what the pools shall
    have at least. Those that have less receive what is missing, from those that have more.
  - A pool that is not named neither gives nor receives. What has been allocated to a department, a user or a group is never touched.
  - As few transfers as possible are made, at most two, each from the pool that has most to give then. Each one is verified before
    the next one is decided on what the pools show after it.
  - Nothing is moved beyond what is missing, rounded up to O(capacity_step), unless a pool has O(pools[].takes_rest=true). What cannot be
    reached is found out before anything is sent.
  - The module writes a record of each transfer into a ledger before it sends the transfer. So the next run knows of it, also after a lost
    reply or a crash.
  - All capacities are whole GB.
options:
  pools:
    description:
      - What the pools shall have at least, each type once.
      - Each has O(pools[].total_capacity), O(pools[].unallocated_capacity), both, or O(pools[].takes_rest). No capacity may be over
        V(104857600).
      - The list may be written as a text in JSON.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - The type of the pool.
        type: str
        required: true
        choices: [department, individual, group]
      total_capacity:
        description:
          - The pool's total capacity shall be at least this many GB, 0 or more.
        type: int
      unallocated_capacity:
        description:
          - The pool's unallocated capacity shall be at least this many GB, 0 or more, as room for people, groups or departments to come.
          - V(0) alone is for a pool that may give all that it has unallocated.
        type: int
      receives:
        description:
          - Whether the pool may receive. If V(false), it may only give, down to what it shall have; where it has less, or KooDrive does not report
            it, it is left as it is.
        type: bool
        default: true
      gives:
        description:
          - Whether the pool may give what it has beyond.
        type: bool
        default: true
      takes_rest:
        description:
          - Whether the pool gets all that the other pools named have beyond their minimums, after all pools have what they lack. Use it to
            move spare capacity back, for example at night.
          - At most one pool takes the rest. It needs O(pools[].receives=true), and no minimum of its own.
          - A pool that gives less than O(capacity_step) keeps it, so a second run moves nothing.
        type: bool
        default: false
  partial:
    description:
      - Whether to move what there is when the pools cannot give all that is missing. The pool that lacks most comes first, and
        RV(missing) and a warning say what is still missing.
      - If V(false), nothing is moved then, and the task fails with RV(error.kind=insufficient_capacity), in check mode too.
    type: bool
    default: false
seealso:
  - module: huaweicloud.koodrive.koodrive_space_transfer
  - module: huaweicloud.koodrive.koodrive_space_allocation_info
  - module: huaweicloud.koodrive.koodrive_space_transfer_info
extends_documentation_fragment:
  - huaweicloud.koodrive.moving
  - huaweicloud.koodrive.ledger
  - huaweicloud.koodrive.koodrive
  - huaweicloud.koodrive.koodrive.attributes
attributes:
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID, KOODRIVE_APP_SECRET
# and KOODRIVE_USER_ID, where a task does not give them.

- name: Room for 50 people and for new groups, and the departments keep 200 GB
  huaweicloud.koodrive.koodrive_space_allocation:
    pools:
      - {type: individual, unallocated_capacity: 500}
      - {type: group, total_capacity: 2048, unallocated_capacity: 100}
      - {type: department, unallocated_capacity: 200}

- name: Move all spare capacity back to the departments
  huaweicloud.koodrive.koodrive_space_allocation:
    pools:
      - {type: individual, unallocated_capacity: 100}
      - {type: group, unallocated_capacity: 50}
      - {type: department, takes_rest: true}

- name: Bring the pools as close to it as can be
  huaweicloud.koodrive.koodrive_space_allocation:
    pools:
      - {type: individual, unallocated_capacity: 5000}
      - {type: group, unallocated_capacity: 0}
      - {type: department, unallocated_capacity: 200, receives: false}
    partial: true
  register: room

- name: Say what is still missing
  ansible.builtin.debug:
    msg: "Moved: {{ room.transfers }}. Still missing: {{ room.missing }}."
"""

RETURN = r"""
changed:
  description: Whether capacity moved (in check mode, would move).
  returned: always
  type: bool
  sample: true
transfers:
  description:
    - What was sent, and in check mode what would be sent, a row for each pool that received, in the order of the transfers. Empty when nothing
      is to do.
  returned: success, and failure where known
  type: list
  elements: dict
  contains:
    origin_type:
      description: The type of the pool that gave.
      type: str
    type:
      description: The type of the pool that received.
      type: str
    expand_capacity:
      description: How much was added to it, in GB.
      type: int
  sample:
    - origin_type: department
      type: group
      expand_capacity: 1500
missing:
  description:
    - What the pools that may receive still lack in RV(allocation), by type, in GB; empty when all of them have what they shall have. With
      O(partial=true), it may not be.
  returned: success, and failure where known
  type: dict
  sample:
    individual: 50
allocation:
  description:
    - The pools after the task, by type. In check mode, and with O(verify=false), the predicted ones.
    - A pool that KooDrive did not report is not in it.
  returned: success, and failure where known
  type: dict
  contains: &pools
    department:
      description: The pool of departments.
      type: dict
      contains: &pool
        total_capacity:
          description: All of the pool's capacity, in GB.
          type: int
        allocated_capacity:
          description: What has been handed out to departments, users or groups, in GB.
          type: int
        unallocated_capacity:
          description: Total less allocated, in GB; 0 where more is allocated than there is.
          type: int
    individual:
      description: The pool of individual users.
      type: dict
      contains: *pool
    group:
      description: The pool of groups.
      type: dict
      contains: *pool
  sample:
    department:
      total_capacity: 500
      allocated_capacity: 400
      unallocated_capacity: 100
allocation_before:
  description: The pools as the task found them.
  returned: success, and failure where known
  type: dict
  contains: *pools
verified:
  description:
    - Whether RV(allocation) was read from KooDrive and shows what the task asked for. It is V(false) where it is a prediction,
      that is, in check mode when something would move, and with O(verify=false).
  returned: success
  type: bool
  sample: true
endpoint:
  description: The KooDrive endpoint, as it was used.
  returned: success, and failure where known
  type: str
  sample: https://intl.myhuaweicloud-koodrive.com
trace_id:
  description: The ID by which KooDrive's logs know this run.
  returned: success, and failure where known
  type: str
error:
  description: What went wrong, for playbooks to branch on. RV(msg) says the same for people.
  returned: failure
  type: dict
  contains:
    kind:
      description:
        - V(invalid_request) - an option is wrong; nothing was sent.
        - V(authentication) - KooDrive refused the credentials.
        - V(insufficient_capacity) - what the pools can give does not suffice for what they lack.
        - V(rejected) - KooDrive refused the request for another reason.
        - V(rate_limited) - KooDrive takes no more requests for now.
        - V(server_error) - KooDrive could not handle the request.
        - V(unreachable) - no connection, or no complete answer.
        - V(invalid_reply) - an answer that makes no sense.
        - V(not_verified) - KooDrive accepted the transfer, but the pools do not show it.
        - V(outcome_unknown) - the reply to the transfer was lost, and the pools do not show whether it was made.
        - V(open_transfer) - the outcome of an earlier transfer of the tenant is not known yet; nothing was sent.
        - V(busy) - other tasks were moving capacity of the same tenant for too long; nothing was sent.
        - V(ledger_unavailable) - the ledger cannot be used; nothing was sent.
      type: str
    http_status:
      description: The HTTP status of KooDrive's answer, if there was one.
      type: int
    code:
      description: KooDrive's own error code, if there was one; always as text.
      type: str
      sample: "13000311"
    message:
      description: KooDrive's own message, if there was one.
      type: str
    request_id:
      description: The ID of the request, where it was the gateway in front of KooDrive that answered and gave one.
      type: str
msg:
  description:
    - What failed, at which step, KooDrive's own code and message, what the pools hold, what to do next, and the trace ID.
  returned: failure
  type: str
"""

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.module import run_module
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC, allocate_capacity


def main() -> None:
    run_module(ALLOCATION_SPEC, allocate_capacity)


if __name__ == "__main__":
    main()
