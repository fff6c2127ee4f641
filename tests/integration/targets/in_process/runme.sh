#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
export ANSIBLE_ROLES_PATH=..
ansible-playbook playbooks/paths.yml "$@"
