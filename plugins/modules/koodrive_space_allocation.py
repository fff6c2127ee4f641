#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_allocation
short_description: Give all pools of a KooDrive tenant the capacity they need
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - A KooDrive tenant has one pool of capacity for each space type (department, individual, group). Set the minimums of
    the pools. The module moves unallocated capacity from pools that have more to pools that have less.
  - A pool that you do not name neither gives nor receives. The module never touches allocated capacity.
  - The module makes as few transfers as possible. One or two are enough. If other writers undo a transfer, it makes a
    third one at most. Each transfer comes from the pool that can give most. Before the next one, the module verifies
    the last one and reads the pools.
  - The module moves only what is missing, rounded up to O(capacity_step), unless a pool has O(pools[].takes_rest=true).
    If the pools cannot give enough, the task fails before it sends anything.
  - Before the module sends a transfer, it writes a record into a ledger. So the next run knows of the transfer, also
    after a lost reply or a crash.
  - All capacities are whole GB.
options:
  pools:
    description:
      - The minimums of the pools, each type at most once.
      - Give each pool O(pools[].total_capacity), O(pools[].unallocated_capacity), both, or O(pools[].takes_rest). The
        highest capacity is V(104857600).
      - Capacities are GB. The module takes no percentages.
      - You can write the list as a text in JSON.
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
          - Minimum total capacity of the pool, in GB, 0 or more.
        type: int
      unallocated_capacity:
        description:
          - Minimum unallocated capacity of the pool, in GB, 0 or more. Use it to keep capacity for new people, groups
            or departments.
          - With V(0) and no O(pools[].total_capacity), the pool may give all its unallocated capacity.
        type: int
      receives:
        description:
          - Whether the pool may receive.
          - If V(false), it can only give, down to its minimums. If it has less, or if KooDrive does not report it, it
            stays as it is.
        type: bool
        default: true
      gives:
        description:
          - Whether the pool may give what it has beyond its minimums.
        type: bool
        default: true
      takes_rest:
        description:
          - Whether the pool gets the rest. First all pools get what they lack. Then this pool gets all that the other
            named pools have beyond their minimums. Use it to move spare capacity back, for example at night.
          - At most one pool can take the rest. It needs O(pools[].receives=true). It needs no minimum.
          - A pool with a rest smaller than O(capacity_step) keeps it, so a second run moves nothing.
        type: bool
        default: false
  partial:
    description:
      - Whether to move what the pools can give, if they cannot give all that is missing. The pool that lacks most comes
        first. RV(missing) and a warning say what is still missing.
      - If V(false), the module moves nothing then. The task fails with RV(error.kind=insufficient_capacity), also in
        check mode.
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
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID,
# KOODRIVE_APP_SECRET and KOODRIVE_USER_ID, if a task does not give them.

- name: Prepare for 50 people and for new groups, and leave the departments 200 GB
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

- name: Move as much as the pools can give
  huaweicloud.koodrive.koodrive_space_allocation:
    pools:
      - {type: individual, unallocated_capacity: 5000}
      - {type: group, unallocated_capacity: 0}
      - {type: department, unallocated_capacity: 200, receives: false}
    partial: true
  register: moved

- name: Say what moved and what is still missing
  ansible.builtin.debug:
    msg: "{{ moved | huaweicloud.koodrive.summary(ansible_check_mode) }}"
"""

RETURN = r"""
changed:
  description: Whether capacity moved (in check mode, would move).
  returned: always
  type: bool
  sample: true
transfers:
  description:
    - What the module sent, in the order of the transfers, with one row for each pool that received. In check mode, what
      it would send. Empty if there was nothing to move.
  returned: success, and failure where known
  type: list
  elements: dict
  contains:
    origin_type:
      description: The type of the origin.
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
    - What the pools that may receive still lack in RV(allocation), by type, in GB. Empty if all of them have their
      minimums. Only with O(partial=true), a successful task can have something here.
  returned: success, and failure where known
  type: dict
  sample:
    individual: 50
allocation:
  description:
    - The pools after the task, by type. In check mode and with O(verify=false), they are predicted.
    - A pool that KooDrive did not report is missing.
  returned: success, and failure where known
  type: dict
  contains: &pools
    department:
      description: The pool of departments.
      type: dict
      contains: &pool
        total_capacity:
          description: The total capacity of the pool, in GB.
          type: int
        allocated_capacity:
          description: How much of it is allocated to departments, users or groups, in GB.
          type: int
        unallocated_capacity:
          description: Total less allocated, in GB; 0 if more is allocated than the total.
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
  description: The pools before the task.
  returned: success, and failure where known
  type: dict
  contains: *pools
verified:
  description:
    - Whether the module read RV(allocation) from KooDrive after the transfer, and it shows what the task asked for.
    - V(false) if RV(allocation) is predicted. This happens with O(verify=false), and in check mode if something would
      move.
  returned: success
  type: bool
  sample: true
endpoint:
  description: The KooDrive endpoint that the task used.
  returned: success, and failure where known
  type: str
  sample: https://intl.myhuaweicloud-koodrive.com
trace_id:
  description: The ID by which KooDrive's logs know this run.
  returned: success, and failure where known
  type: str
error:
  description: What went wrong, in a form that playbooks can branch on. RV(msg) says the same in sentences.
  returned: failure
  type: dict
  contains:
    kind:
      description:
        - V(invalid_request) - an option is wrong. Nothing was sent.
        - V(authentication) - KooDrive refused the credentials.
        - V(insufficient_capacity) - the pools cannot give all that is missing.
        - V(rejected) - KooDrive refused the request for another reason.
        - V(rate_limited) - KooDrive accepts no more requests for now.
        - V(server_error) - KooDrive could not handle the request.
        - V(unreachable) - there was no connection, or no complete reply.
        - V(invalid_reply) - a reply makes no sense.
        - V(not_verified) - KooDrive accepted the transfer, but the pools do not show it.
        - V(outcome_unknown) - the reply to the transfer was lost, and the pools do not show its outcome. If the pools
          have a desired state all the same, the task succeeds with a warning instead.
        - V(open_transfer) - the outcome of an earlier transfer of the tenant is not known yet. Nothing was sent now.
        - V(busy) - other tasks moved capacity of the same tenant for too long. Nothing was sent.
        - V(ledger_unavailable) - the module cannot use the ledger. Nothing was sent.
      type: str
    http_status:
      description: The HTTP status of KooDrive's reply, if there was one.
      type: int
    code:
      description: KooDrive's own error code, if there was one, as text.
      type: str
      sample: "13000311"
    message:
      description: KooDrive's own message, if there was one.
      type: str
    request_id:
      description: The ID of the request, if the gateway in front of KooDrive replied and gave one.
      type: str
msg:
  description:
    - What failed and at which step, KooDrive's own code and message, the pools, what to do next, and the trace ID.
  returned: failure
  type: str
"""

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.module import run_module
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC, allocate_capacity


def main() -> None:
    run_module(ALLOCATION_SPEC, allocate_capacity)


if __name__ == "__main__":
    main()
