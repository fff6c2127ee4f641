#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_allocation_info
short_description: Read what the pools of a KooDrive tenant hold
version_added: 0.1.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - A KooDrive tenant has one pool of capacity per space type, for departments, for individuals and for groups. This module
    reads how much each has, how much of it is allocated, and how much is not.
  - All capacities are whole GB, except for what is stored.
options:
  usage:
    description:
      - Whether to read how much of the allocated capacity is used, too. This takes a second request, C(GET /koodrive/ose/v1/service/quotaUsed).
      - If KooDrive refuses that request, the module warns, and the result has no RV(stored_capacity).
    type: bool
    default: false
    version_added: 0.2.0
notes:
  - A reading does not wait for tasks that move capacity of the same tenant. While one of them runs, it may see the pools as
    they were before.
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
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID, KOODRIVE_APP_SECRET
# and KOODRIVE_USER_ID, where a task does not give them.

- name: Read the pools
  huaweicloud.koodrive.koodrive_space_allocation_info:
  register: pools

- name: Say how much is left
  ansible.builtin.debug:
    msg: >-
      {{ pools.unallocated_capacity }} of {{ pools.total_capacity }} GB are unallocated, most of them in the
      {{ (pools.allocation | dict2items | sort(attribute='value.unallocated_capacity') | last).key }} pool.

- name: Read how much of the pools is used, too
  huaweicloud.koodrive.koodrive_space_allocation_info:
    usage: true
  register: used

- name: Say what is stored, where KooDrive says it
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
    - The pools, by type, in the shape that M(huaweicloud.koodrive.koodrive_space_transfer) returns.
    - A pool that KooDrive did not report is not in it.
  returned: success
  type: dict
  contains:
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
        stored_capacity:
          description:
            - How much the users have stored in the pool, in GB, to three decimals. 1 GB is 1024 * 1024 KB.
            - KooDrive's fields are C(deptSpaceUsed), C(personalSpaceUsed) and C(groupSpaceUsed). That they are in KB is inferred, since no page of its API
              reference names a unit.
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
  description: What of it has been handed out, in GB.
  returned: success
  type: int
  sample: 1800
unallocated_capacity:
  description:
    - What the pools in RV(allocation) have unallocated, in GB.
    - Where a pool has more allocated than there is, this is more than RV(total_capacity) less RV(allocated_capacity).
  returned: success
  type: int
  sample: 1700
stored_capacity:
  description: How much is stored in all pools in RV(allocation), in GB, to three decimals.
  returned: when O(usage=true) and KooDrive reports it for each of these pools
  type: float
  sample: 812.375
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
        - V(rejected) - KooDrive refused the request for another reason.
        - V(rate_limited) - KooDrive takes no more requests for now.
        - V(server_error) - KooDrive could not handle the request.
        - V(unreachable) - no connection, or no complete answer.
        - V(invalid_reply) - an answer that makes no sense.
      type: str
    http_status:
      description: The HTTP status of KooDrive's answer, if there was one.
      type: int
    code:
      description: KooDrive's own error code, if there was one; always as text.
      type: str
      sample: "13000410"
    message:
      description: KooDrive's own message, if there was one.
      type: str
    request_id:
      description: The ID of the request, where it was the gateway in front of KooDrive that answered and gave one.
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
