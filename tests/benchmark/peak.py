# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as Ansible does, and notes the peak of its memory: stands in for the Python interpreter."""

from __future__ import annotations

import atexit
import os
import resource
import runpy
import sys


def note() -> None:
    with open(os.environ["BENCH_PEAK"], "w", encoding="ascii") as file:
        file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


sys.argv = sys.argv[1:]
atexit.register(note)
runpy.run_path(sys.argv[0], run_name="__main__")
