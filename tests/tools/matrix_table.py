# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python tests/tools/matrix_table.py REPORT: a report of nox as a table, with what was not run and why. Ends with 1
after a failure, and where nothing was run at all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

WORDS = {"success": "passed", "failed": "FAILED", "aborted": "ABORTED", "skipped": "skipped"}


def main(report: Path) -> int:
    sessions = json.loads(report.read_text(encoding="utf-8"))["sessions"]
    rows = [(session["signatures"][0], WORDS[session["result"]], f"{session['duration']:.0f} s", session["reason"] or "") for session in sessions]
    width = max(len(row[0]) for row in rows)
    for name, result, duration, reason in rows:
        sys.stdout.write(f"{name:<{width}}  {result:<8} {duration:>6}  {reason}".rstrip() + "\n")
    results = {session["result"] for session in sessions}
    return 0 if "success" in results and results <= {"success", "skipped"} else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
