#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
# A host for each way to ask, with a simulator of its own, so that they can wait for their time-outs at the same time.
export ANSIBLE_ROLES_PATH=..
for in_process in true false; do
    ansible-playbook -i total,unallocated,expand, -f 3 -e "koodrive_in_process=${in_process}" playbooks/faults.yml "$@"
done
