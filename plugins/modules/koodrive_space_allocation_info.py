#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_allocation_info
short_description: Read the capacity pools of a KooDrive tenant
version_added: 0.1.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - A KooDrive tenant has one pool of capacity for each space type (department, individual, group). This module reads
    the total, allocated and unallocated capacity of each pool.
  - All capacities are whole GB, except for RV(stored_capacity).
options:
  usage:
    description:
      - Whether to read how much of the allocated capacity is used, too. This takes a second request,
        C(GET /koodrive/ose/v1/service/quotaUsed).
      - If KooDrive refuses that request, the module warns, and the result has no RV(stored_capacity).
    type: bool
    default: false
    version_added: 0.2.0
notes:
  - The module does not wait for tasks that move capacity of the same tenant. While such a task runs, the module may
    read the pools as they were before.
seealso:
  - module: huaweicloud.koodrive.koodrive_space_transfer
extends_documentation_fragment:
  - huaweicloud.koodrive.koodrive
  - huaweicloud.koodrive.koodrive.attributes
attributes:
  check_mode:
    details:
      - This action does not modify anything.
  diff_mode:
    support: N/A
    details:
      - This action does not modify anything.
  idempotent:
    support: full
    details:
      - This action does not modify anything.
"""

EXAMPLES = r"""
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID,
# KOODRIVE_APP_SECRET and KOODRIVE_USER_ID, if a task does not give them.

- name: Read the pools
  huaweicloud.koodrive.koodrive_space_allocation_info:
  register: pools

- name: Say how much is left in each pool
  ansible.builtin.debug:
    msg: "{{ pools | huaweicloud.koodrive.summary }}"

- name: Read how much of the pools is used, too
  huaweicloud.koodrive.koodrive_space_allocation_info:
    usage: true
  register: used

- name: Say what is stored, if KooDrive reports it
  ansible.builtin.debug:
    msg: "{{ used.stored_capacity }} of {{ used.allocated_capacity }} allocated GB are used."
  when: used.stored_capacity is defined

- name: Stop while there is time to have the tenant's capacity expanded
  ansible.builtin.assert:
    that: pools.unallocated_capacity >= pools.total_capacity * 0.1
    fail_msg: "Less than a tenth of the tenant's capacity is unallocated: {{ pools.unallocated_capacity }} GB."
"""

RETURN = r"""
allocation:
  description:
    - The pools, by type, as M(huaweicloud.koodrive.koodrive_space_transfer) returns them, too.
    - A pool that KooDrive did not report is missing.
  returned: success
  type: dict
  contains:
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
        stored_capacity:
          description:
            - How much the users have stored in the pool, in GB, to three decimals. 1 GB is 1024 * 1024 KB.
            - KooDrive's fields are C(deptSpaceUsed), C(personalSpaceUsed) and C(groupSpaceUsed). The unit KB is
              inferred. No page of the API reference names one.
          returned: when O(usage=true) and KooDrive reports it
          type: float
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
      total_capacity: 2000
      allocated_capacity: 400
      unallocated_capacity: 1600
total_capacity:
  description: The capacity of all pools in RV(allocation), in GB.
  returned: success
  type: int
  sample: 3500
allocated_capacity:
  description: How much of it is allocated to departments, users or groups, in GB.
  returned: success
  type: int
  sample: 1800
unallocated_capacity:
  description:
    - The unallocated capacity of the pools in RV(allocation), in GB.
    - If a pool has more allocated than its total, this is more than RV(total_capacity) less RV(allocated_capacity).
  returned: success
  type: int
  sample: 1700
stored_capacity:
  description: How much is stored in all pools in RV(allocation), in GB, to three decimals.
  returned: when O(usage=true) and KooDrive reports it for each of these pools
  type: float
  sample: 812.375
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
        - V(rejected) - KooDrive refused the request for another reason.
        - V(rate_limited) - KooDrive accepts no more requests for now.
        - V(server_error) - KooDrive could not handle the request.
        - V(unreachable) - there was no connection, or no complete reply.
        - V(invalid_reply) - a reply makes no sense.
      type: str
    http_status:
      description: The HTTP status of KooDrive's reply, if there was one.
      type: int
    code:
      description: KooDrive's own error code, if there was one, as text.
      type: str
      sample: "13000410"
    message:
      description: KooDrive's own message, if there was one.
      type: str
    request_id:
      description: The ID of the request, if the gateway in front of KooDrive replied and gave one.
      type: str
msg:
  description: What failed, KooDrive's own code and message, what to do next, and the trace ID.
  returned: failure
  type: str
"""

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.module import run_module
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation_info import ALLOCATION_INFO_SPEC, allocation_info


def main() -> None:
    run_module(ALLOCATION_INFO_SPEC, allocation_info)


if __name__ == "__main__":
    main()
