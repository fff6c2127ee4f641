#!/usr/bin/python
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: koodrive_space_transfer_info
short_description: List the transfers of a KooDrive tenant in the ledger
version_added: 0.2.0
author:
  - The huaweicloud.koodrive maintainers (!UNKNOWN)
description:
  - KooDrive keeps no record of transfers. The modules that move capacity write records into their ledger. This module
    lists them, newest first.
  - The module writes nothing, neither to KooDrive nor to the ledger. It asks KooDrive only for the tenant, if neither
    O(tenant) nor the ledger names it.
options:
  state:
    description:
      - List only transfers in one of these states. An empty list counts as not set.
      - V(open) - it may have been sent, and its outcome is not known yet. A tenant has at most one.
      - V(done) - KooDrive applied it.
      - V(not_done) - KooDrive refused it, it was never sent, or it was lost.
      - V(given_up) - its outcome stays unknown, because the pools have changed in another way, or never showed an
        addition with a key that KooDrive accepted.
    type: list
    elements: str
    choices: [open, done, not_done, given_up]
    default: [open, done, not_done, given_up]
  since:
    description:
      - List only transfers of this time or later, by KooDrive's clock.
      - Give a date or a time in ISO 8601, such as V(2026-11-25), V(2026-11-25T14:00) or V(2026-11-25T14:00:00+01:00). A
        date means its midnight. A time without a zone is UTC. Fractions of a second are ignored.
    type: str
  limit:
    description:
      - List at most this many transfers, the newest ones; 1 to 10000.
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
# The endpoint and the credentials come from KOODRIVE_ENDPOINT and KOODRIVE_TOKEN, or KOODRIVE_APP_ID,
# KOODRIVE_APP_SECRET and KOODRIVE_USER_ID, and the ledger from KOODRIVE_LEDGER, if a task does not give them.

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

- name: Stop if there is one
  ansible.builtin.assert:
    that: not unresolved.transfers
    fail_msg: The outcome of the transfer of {{ unresolved.transfers[0].time | default }} is not known yet.

- name: List what the group pool may have received in the last 30 days
  huaweicloud.koodrive.koodrive_space_transfer_info:
    state: [done, given_up]
    since: "{{ '%Y-%m-%d' | strftime(now().timestamp() - 30 * 86400, utc=true) }}"
    limit: 10000
  register: month

- name: Say how much that was
  ansible.builtin.debug:
    msg: "{{ '{:,}'.format(targets | selectattr('type', 'eq', 'group') | sum(attribute='expand_capacity')) }} GB"
  vars:
    targets: "{{ month.transfers | map(attribute='target') | flatten }}"
"""

RETURN = r"""
transfers:
  description: The transfers, newest first.
  returned: success
  type: list
  elements: dict
  contains: &transfer
    state:
      description: Its outcome, see O(state).
      type: str
    time:
      description: When its record was written, in UTC by KooDrive's clock. The transfer was sent directly after that.
      type: str
    ended:
      description: When its outcome was recorded, or null while it is V(open).
      type: str
    writer:
      description: The run that sent it, as C(user@host). For a job of AWX, it names the job, such as C(AWX job 4711 of
        awx.example.org).
      type: str
    origin_type:
      description: The type of the origin.
      type: str
    target:
      description: The targets.
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
    trace_id:
      description: The ID by which KooDrive's logs know the run that sent it.
      type: str
    idempotency_key:
      description: The key of the addition, if it has one.
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
  description: How many transfers of the tenant the ledger has, at most 10000. O(state), O(since) and O(limit) do not
    change it.
  returned: success
  type: int
  sample: 1
latest:
  description:
    - The newest transfer of the tenant, or null if there is none. O(state), O(since) and O(limit) do not change it.
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
        - V(ledger_unavailable) - the module cannot use the ledger. Nothing was sent.
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer_info import TRANSFER_INFO_SPEC, transfer_info


def main() -> None:
    run_module(TRANSFER_INFO_SPEC, transfer_info)


if __name__ == "__main__":
    main()
