#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_transfer_info
short_description: List the transfers that the ledger has of a KooDrive tenant
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - KooDrive keeps no record of transfers. The modules that move capacity keep one in their ledger. This module lists it, newest first.
  - The module writes nothing, neither to KooDrive nor to the ledger. It asks KooDrive only for the tenant, if neither O(tenant) nor the ledger
    has it.
options:
  state:
    description:
      - Only transfers in one of these states. A list without anything in it counts as not set.
      - V(open) - it may have been sent, and its outcome is not known yet. A tenant has at most one.
      - V(done) - KooDrive applied it.
      - V(not_done) - KooDrive refused it, it was never sent, or it was lost.
      - V(given_up) - nobody knows its outcome, because the pools have changed in another way.
    type: list
    elements: str
    choices: [open, done, not_done, given_up]
    default: [open, done, not_done, given_up]
  since:
    description:
      - Only transfers that were begun at this time or later, by KooDrive's clock.
      - A date or a time in ISO 8601, such as V(2026-11-25), V(2026-11-25T14:00) or V(2026-11-25T14:00:00+01:00). A date is its midnight,
        what has no zone is UTC, and fractions of a second make no difference.
    type: str
  limit:
    description:
      - No more than this many transfers, the newest ones; 1 to 10000.
    type: int
    default: 50
notes:
  - An V(open) transfer stays open until a task that moves capacity of the tenant resolves it.
  - A ledger that does not exist yet has no transfers.
seealso:
  - module: huaweicloud.koodrive.koodrive_space_transfer
extends_documentation_fragment:
  - huaweicloud.koodrive.koodrive
  - huaweicloud.koodrive.koodrive.attributes
  - huaweicloud.koodrive.ledger
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
# and KOODRIVE_USER_ID, and the ledger from KOODRIVE_LEDGER, where a task does not give them.

- name: List the last transfers
  huaweicloud.koodrive.koodrive_space_transfer_info:
    limit: 10
  register: last

- name: Say who moved what
  ansible.builtin.debug:
    msg: "{{ item.time }} {{ item.writer }}: {{ item.target }} from {{ item.origin_type }}, {{ item.state }}"
  loop: "{{ last.transfers }}"
  loop_control:
    label: "{{ item.trace_id }}"

- name: Look for an open transfer
  huaweicloud.koodrive.koodrive_space_transfer_info:
    state: open
  register: unresolved

- name: Go on only if there is none
  ansible.builtin.assert:
    that: not unresolved.transfers
    fail_msg: "Begun {{ unresolved.transfers[0].time | default }}, with an unknown outcome: {{ unresolved.transfers }}"

- name: List what the group pool may have received in the last 30 days
  huaweicloud.koodrive.koodrive_space_transfer_info:
    state: [done, given_up]
    since: "{{ '%Y-%m-%d' | strftime(now().timestamp() - 30 * 86400, utc=true) }}"
    limit: 10000
  register: month

- name: Say how much that was
  ansible.builtin.debug:
    msg: "{{ month.transfers | map(attribute='target') | flatten | selectattr('type', 'eq', 'group') | sum(attribute='expand_capacity') }} GB"
"""

RETURN = r"""
transfers:
  description: The transfers that were asked for, newest first.
  returned: success
  type: list
  elements: dict
  contains: &transfer
    state:
      description: Its outcome, see O(state).
      type: str
    time:
      description: When it was begun, in UTC by KooDrive's clock.
      type: str
    ended:
      description: When its outcome was written down, or null while it is V(open).
      type: str
    writer:
      description: The run that sent it, as C(user@host). For a job of AWX, it names the job, such as C(AWX job 4711 of awx.example.org).
      type: str
    origin_type:
      description: The type of the pool that gave.
      type: str
    target:
      description: The pools that received.
      type: list
      elements: dict
      contains:
        type:
          description: The type of the pool that received.
          type: str
        expand_capacity:
          description: How much was added to it, in GB.
          type: int
    allocation_before:
      description: The pools before the transfer, by type.
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
        individual:
          description: The pool of individual users.
          type: dict
          contains: *pool
        group:
          description: The pool of groups.
          type: dict
          contains: *pool
    trace_id:
      description: The ID by which KooDrive's logs know the run that sent it.
      type: str
    idempotency_key:
      description: The key of an addition that is made once, if it has one.
      type: str
  sample:
    - state: done
      time: "2026-11-25T14:00:00Z"
      ended: "2026-11-25T14:00:01Z"
      writer: ansible@controller
      origin_type: department
      target:
        - type: group
          expand_capacity: 1500
      allocation_before:
        department:
          total_capacity: 2000
          allocated_capacity: 400
          unallocated_capacity: 1600
        group:
          total_capacity: 500
          allocated_capacity: 500
          unallocated_capacity: 0
      trace_id: 0f9a77b2a1c94d0c8c7be51a1f8a2e6d0f9a77b2a1c94d0c8c7be51a1f
      idempotency_key: null
total:
  description: How many transfers of the tenant the ledger has, whatever the options leave out. No more than 10000 are counted.
  returned: success
  type: int
  sample: 1
latest:
  description:
    - The newest transfer of the tenant, whatever the options leave out, or null where there is none.
    - If a transfer is open, it is this one.
  returned: success
  type: dict
  contains: *transfer
tenant:
  description: The tenant, as O(tenant) or KooDrive names it.
  returned: success
  type: str
  sample: 3a1f8a2e6d
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
        - V(ledger_unavailable) - the ledger cannot be used; nothing was sent.
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer_info import TRANSFER_INFO_SPEC, transfer_info


def main() -> None:
    run_module(TRANSFER_INFO_SPEC, transfer_info)


if __name__ == "__main__":
    main()
