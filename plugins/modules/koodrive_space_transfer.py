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
  - A KooDrive tenant has one pool of capacity for each space type (department, individual, group). This module moves
    unallocated capacity from one pool to others, in one transfer. It moves only as much as is missing.
  - The module never touches allocated capacity, and never takes anything back from a target.
  - With O(target[].total_capacity) or O(target[].unallocated_capacity), a task describes a desired state. A second run
    changes nothing. Use one of them if you can. If you need a relative change, use O(idempotency_key).
  - Before the module sends a transfer, it writes a record into a ledger. So the next run knows of the transfer, also
    after a lost reply or a crash.
  - All capacities are whole GB.
options:
  origin_type:
    description:
      - The type of the origin, the pool that the capacity comes from.
      - Its unallocated capacity, less O(origin_reserve), must be enough for all targets together. Otherwise the module
        sends nothing and the task fails, also in check mode.
    type: str
    required: true
    choices: [department, individual, group]
    aliases: [source_type]
  target:
    description:
      - The pools that receive, each type at most once, and never O(origin_type).
      - Give each target exactly one of O(target[].total_capacity), O(target[].unallocated_capacity) and
        O(target[].expand_capacity). The highest capacity is V(104857600).
      - Capacities are GB. The module takes no percentages.
      - You can write the list as a text in JSON.
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
          - Minimum total capacity of the pool, in GB, 0 or more. The pool gets what is missing, or nothing.
        type: int
      unallocated_capacity:
        description:
          - Minimum unallocated capacity of the pool, in GB, 0 or more. Use it to keep capacity for new people, groups
            or departments. The pool gets what is missing, or nothing.
        type: int
      expand_capacity:
        description:
          - Add exactly this many GB, 1 or more. This is the field of KooDrive's own API.
          - It must be a multiple of O(capacity_step).
          - With O(idempotency_key), the module adds it once. B(Without a key, it is not idempotent.) A job that you
            launch twice adds twice.
        type: int
  origin_reserve:
    description:
      - How many GB must stay unallocated in the origin.
    type: int
    default: 0
  idempotency_key:
    description:
      - The name of this addition, such as an order number. It has 1 to 255 visible ASCII characters, without blanks.
      - Quote a key that looks like a number. Otherwise, YAML reads C(00123) as C(83).
      - The module makes the addition with this key once per tenant and ledger, however many runs and machines ask for
        it. If it was made before, the module sends nothing, and RV(earlier) says when.
      - All targets of the task must have O(target[].expand_capacity). Desired states need no key.
      - If you use a key again with another origin, other targets or other amounts, the task fails with
        RV(error.kind=invalid_request).
      - In a container or a job of AWX, a key needs a named O(ledger).
      - The key is not secret. The ledger, results and logs show it.
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
      - O(target[].total_capacity) and O(target[].unallocated_capacity) are desired states. A second run changes
        nothing.
      - O(target[].expand_capacity) with O(idempotency_key) adds once. A second run changes nothing.
      - O(target[].expand_capacity) without a key adds on every run. KooDrive's transfer is relative, and KooDrive
        cannot recognise a repeated request.
"""

EXAMPLES = r"""
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID,
# KOODRIVE_APP_SECRET and KOODRIVE_USER_ID, if a task does not give them.

- name: Give the group pool 2,000 GB, and keep 500 GB for new people, from the department pool
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: group
        total_capacity: 2000
      - type: individual
        unallocated_capacity: 500

- name: Keep 200 GB for new people, but leave the group pool 100 GB
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: group
    origin_reserve: 100
    target:
      - type: individual
        unallocated_capacity: 200
  register: moved

- name: Say what moved
  ansible.builtin.debug:
    msg: "{{ moved | huaweicloud.koodrive.summary(ansible_check_mode) }}"

- name: Add 100 GB to the group pool, once for this order
  huaweicloud.koodrive.koodrive_space_transfer:
    origin_type: department
    target:
      - type: group
        expand_capacity: 100
    idempotency_key: order-A-1071
  register: order

- name: Say when it was added
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
    - name: Ask for more than the origin has
      huaweicloud.koodrive.koodrive_space_transfer:
        origin_type: department
        target:
          - type: group
            total_capacity: 1000000
  rescue:
    - name: Ask for help if capacity is short, and fail for every other reason
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
    - name: Keep 20 GB for new groups
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
  description: What the module sent. In check mode, what it would send. Empty if there was nothing to move.
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
    - The addition that was made before with the same O(idempotency_key). In this case, the module sent nothing now.
      V(null) if there is none.
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
      description: What it sent, as in RV(transfers).
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
origin_type:
  description: The option O(origin_type).
  returned: success, and failure where known
  type: str
  sample: department
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
        - V(insufficient_capacity) - the origin has too little unallocated capacity. Nothing moved.
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC, transfer_capacity


def main() -> None:
    run_module(TRANSFER_SPEC, transfer_capacity)


if __name__ == "__main__":
    main()
