#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
# Run several at a time, because they mostly wait for time-outs. The names of folders and databases must be short.
PYTHONPATH="${ANSIBLE_COLLECTIONS_PATH}:${PYTHONPATH:-}" python -m pytest -q -n 4 -p no:cacheprovider ledger_by_processes.py
