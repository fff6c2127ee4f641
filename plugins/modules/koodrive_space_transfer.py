#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_transfer
short_description: Move unallocated capacity between the pools of a KooDrive tenant
version_added: 0.1.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - A KooDrive tenant has one pool of capacity per space type, for departments, for individuals and for groups. This module
    moves unallocated capacity from one pool to others, in one transfer, and only as much as is missing.
  - What has been allocated to a department, a user or a group is never touched, and nothing is ever taken back from a target.
  - With O(target[].total_capacity) or O(target[].unallocated_capacity) a task describes a state, and running it again
    changes nothing. Use one of them if you can. For an addition, use O(idempotency_key).
  - The module writes a record of each transfer into a ledger before it sends the transfer. So the next run knows of it, also after a lost
    reply or a crash.
  - All capacities are whole GB.
options:
  origin_type:
    description:
      - The type of the pool that gives.
      - Its unallocated capacity, less O(origin_reserve), must suffice for all targets together; otherwise nothing is sent and
        the task fails, in check mode too.
    type: str
    required: true
    choices: [department, individual, group]
    aliases: [source_type]
  target:
    description:
      - The pools that receive, each type once, and never O(origin_type).
      - Each has exactly one of O(target[].total_capacity), O(target[].unallocated_capacity) and
        O(target[].expand_capacity). No capacity may be over V(104857600).
      - The list may be written as a text in JSON.
    type: list
    elements: dict
    required: true
    aliases: [targets]
    suboptions:
      type:
        description:
          - The type of the pool that receives.
        type: str
        required: true
        choices: [department, individual, group]
      total_capacity:
        description:
          - The pool's total capacity shall be at least this many GB, 0 or more. It gets what is missing, or nothing.
        type: int
      unallocated_capacity:
        description:
          - The pool's unallocated capacity shall be at least this many GB, 0 or more, as room for people, groups or
            departments to come. It gets what is missing, or nothing.
        type: int
      expand_capacity:
        description:
          - Add exactly this many GB, 1 or more. This is the field of KooDrive's own API.
          - It must be a multiple of O(capacity_step).
          - With O(idempotency_key), the addition is made once. B(Without it, it is not idempotent); a job that is launched twice adds twice.
        type: int
  origin_reserve:
    description:
      - How many GB of unallocated capacity must stay in the origin.
    type: int
    default: 0
  idempotency_key:
    description:
      - The name of this addition, such as an order number; 1 to 255 visible characters, without blanks.
      - The addition with this key is made once per tenant and ledger, however often and from wherever it is asked for. If it was made before,
        nothing is sent, and RV(earlier) says when.
      - All targets of the task must have O(target[].expand_capacity). Desired states need no key.
      - The same key with another origin, other targets or other amounts is RV(error.kind=invalid_request).
      - In a container or a job of AWX, it needs a named O(ledger).
      - It is not secret. The ledger, results and logs show it.
    type: str
    version_added: 0.2.0
seealso:
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
    support: partial
    details:
      - O(target[].total_capacity) and O(target[].unallocated_capacity) are desired states, and a second run changes
        nothing.
      - O(target[].expand_capacity) with O(idempotency_key) adds once, and a second run changes nothing.
      - O(target[].expand_capacity) alone adds on every run, because KooDrive's transfer is relative and has no key by which a
        repeated request could be recognised.
"""

EXAMPLES = r"""
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID, KOODRIVE_APP_SECRET
# and KOODRIVE_USER_ID, where a task does not give them.

- name: Give the group pool 2,000 GB and keep room for 50 new people, out of what no department uses
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: group
        total_capacity: 2000
      - type: individual
        unallocated_capacity: 500

- name: Make room for 200 GB in the individual pool, but leave the group pool 100 GB
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: group
    origin_reserve: 100
    target:
      - type: individual
        unallocated_capacity: 200
  register: room

- name: Say what moved
  ansible.builtin.debug:
    msg: "Moved: {{ room.transfers }}. The individual pool has {{ room.allocation.individual.unallocated_capacity }} GB free."

- name: Add 100 GB to the group pool, once for this order, however often it is run
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: group
        expand_capacity: 100
    idempotency_key: order-A-1071
  register: order

- name: Say whether that was now or before
  ansible.builtin.debug:
    msg: "{{ 'Added now.' if order.earlier is none else 'Added before, ' ~ order.earlier.time ~ '.' }}"

- name: Add 10 GB to the group pool, again on every run
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: group
        expand_capacity: 10

- name: Branch on what went wrong
  block:
    - name: Ask for more than there is
      huaweicloud.koodrive.koodrive_space_transfer:
        origin_type: department
        target:
          - type: group
            total_capacity: 1000000
  rescue:
    - name: Ask for help where capacity is short, and fail for every other reason
      ansible.builtin.assert:
        that: ansible_failed_result.error.kind == 'insufficient_capacity'
        success_msg: "Please have the tenant's capacity expanded. {{ ansible_failed_result.msg }}"
        fail_msg: "{{ ansible_failed_result.msg }}"

- name: Set what several tasks share once
  module_defaults:
    group/huaweicloud.koodrive.koodrive:
      language: zh-CN
      timeout: 10
  block:
    - name: Keep 20 GB free for new groups
      huaweicloud.koodrive.koodrive_space_transfer:
        origin_type: department
        target:
          - type: group
            unallocated_capacity: 20
"""

RETURN = r"""
changed:
  description: Whether capacity moved (in check mode, would move).
  returned: always
  type: bool
  sample: true
transfers:
  description: What was sent, and in check mode what would be sent. Empty when nothing is to do.
  returned: success, and failure where known
  type: list
  elements: dict
  contains:
    type:
      description: The type of the pool that received.
      type: str
    expand_capacity:
      description: How much was added to it, in GB.
      type: int
  sample:
    - type: group
      expand_capacity: 1500
earlier:
  description:
    - The addition that was made before with the same O(idempotency_key); V(null) if there is none. Nothing was sent now.
  returned: success, and failure where known
  type: dict
  version_added: 0.2.0
  contains:
    trace_id:
      description: The trace ID of the run that made it.
      type: str
    time:
      description: When it was sent, in UTC by KooDrive's clock.
      type: str
      sample: 2026-11-25 14:03:12 UTC
    transfers:
      description: What was sent, as in RV(transfers).
      type: list
      elements: dict
      contains:
        type:
          description: The type of the pool that received.
          type: str
        expand_capacity:
          description: How much was added to it, in GB.
          type: int
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
origin_type:
  description: The type of the pool that gives, as the task had it.
  returned: success, and failure where known
  type: str
  sample: department
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
        - V(insufficient_capacity) - the origin has too little unallocated capacity; nothing was moved.
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC, transfer_capacity


def main() -> None:
    run_module(TRANSFER_SPEC, transfer_capacity)


if __name__ == "__main__":
    main()
