#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
# One host and one simulator for each kind of request and each path. Their time-outs then run at the same time.
export ANSIBLE_ROLES_PATH=..
ansible-playbook -i inventory.yml -f 4 playbooks/faults.yml "$@"
