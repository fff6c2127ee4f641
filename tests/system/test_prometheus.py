# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file for Prometheus, the documented alert rules, and a transfer after an alert.

Prometheus' own tools check the file and the rules.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.tests.examples import blocks
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Shape
from ansible_collections.huaweicloud.koodrive.tests.simulator.tenant import Tenant
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import ROOT
from ansible_collections.huaweicloud.koodrive.tests.system.rulebook import PATIENCE, Rulebook
from ansible_collections.huaweicloud.koodrive.tests.system.test_playbooks import NAME, play
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import TOKEN, KooDriveForTests
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.broad

RULES = ROOT / "docs/examples/prometheus"
GB = 1024**3
#: Two alerts as Alertmanager sends them to a webhook.
NOTIFICATION = {
    "version": "4",
    "status": "firing",
    "commonLabels": {"alertname": "KooDrivePoolLow"},
    "alerts": [{"status": "firing", "labels": {"alertname": "KooDrivePoolLow", "tenant": "one", "pool": pool}} for pool in ("group", "individual")],
}


def promtool(*arguments: str, given: str = "") -> str:
    """Return the output of promtool, which must succeed."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing; Debian has it in the package prometheus")
    ended = subprocess.run(["promtool", *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=RULES)
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def written(koodrive: KooDriveForTests, folder: Path, **answers: Any) -> str:
    """Return the file that the playbook writes for Prometheus."""
    path = folder / "koodrive.prom"
    play(koodrive, f"{NAME}report", {"capacity_report_path": str(path), **answers})
    return path.read_text(encoding="utf-8")


def values_of(text: str) -> dict[str, dict[str, float]]:
    """Return the values of each metric, by pool or for the whole tenant, as Prometheus' parser reads them."""
    return {
        family.name: {sample.labels.get("pool", ""): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
        if family.type == "gauge" and family.documentation
    }


@pytest.mark.parametrize("title", ["", 'Tenant "one" \\ back\nand \\n', 'Büro 一 {x="y"}'])
@pytest.mark.parametrize("usage", ["yes", ""])
def test_prometheus_accepts_the_file_without_warnings(koodrive: KooDriveForTests, tmp_path: Path, title: str, usage: str) -> None:
    koodrive.run({"type": "group", "expand_capacity": 100})
    text = written(koodrive, tmp_path, capacity_report_title=title, capacity_report_usage=usage)
    families = list(text_string_to_metric_families(text))
    assert {sample.labels["tenant"] for family in families for sample in family.samples} == {" ".join(title.split()) or "tenant-1"}
    values = values_of(text)
    assert len(values) == len(families) == (7 if usage else 6)
    assert values["koodrive_pool_total_bytes"] == {"department": 1900 * GB, "individual": 1000 * GB, "group": 600 * GB}
    assert values["koodrive_pool_unallocated_bytes"] == {"department": 1500 * GB, "individual": 100 * GB, "group": 100 * GB}
    assert values["koodrive_open_transfers"] == {"": 0}
    for name in ("koodrive_last_transfer_timestamp_seconds", "koodrive_reading_timestamp_seconds"):
        assert abs(values[name][""] - time.time()) < 60
    assert (tmp_path / "koodrive.prom").stat().st_mode & 0o777 == 0o644 and [path.name for path in tmp_path.iterdir()] == ["koodrive.prom"]
    assert promtool("check", "metrics", given=text) == ""


def test_an_open_transfer_counts_and_unknown_values_are_missing(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    koodrive.script(Fault(), Fault(apply="no", reply="reset"))
    koodrive.failure({"type": "group", "expand_capacity": 100})
    koodrive.state.shape = Shape(quota="none")
    values = values_of(written(koodrive, tmp_path, capacity_report_usage="yes", capacity_report_since="2999-01-01"))
    assert values["koodrive_open_transfers"] == {"": 1} and "koodrive_pool_stored_bytes" not in values


def test_the_file_is_replaced_in_one_step(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    path = tmp_path / "koodrive.prom"
    path.write_text("before\n")
    with path.open(encoding="utf-8") as reader:
        assert "koodrive_pool_total_bytes" in written(koodrive, tmp_path)
        # A program that reads the old file can read it to its end.
        assert reader.read() == "before\n"


def test_the_alert_rules_are_right() -> None:
    assert "SUCCESS: 4 rules found" in promtool("check", "rules", "koodrive.rules.yml")
    assert "SUCCESS" in promtool("test", "rules", "koodrive.rules.test.yml")


def test_an_alert_refills_a_pool(koodrive: KooDriveForTests, tmp_path: Path) -> None:
    koodrive.state.tenant = Tenant({**koodrive.state.tenant.by_name(), "individual": {"total": 1000, "allocated": 990}})
    (text,) = [text for _where, text in blocks("yaml") if text.startswith("# on_alert.yml\n")]
    (tmp_path / "on_alert.yml").write_text(text, encoding="utf-8")
    environment = {"KOODRIVE_ENDPOINT": koodrive.endpoint, "KOODRIVE_TOKEN": TOKEN, "KOODRIVE_LEDGER": koodrive.ledger}
    with Rulebook("on_alert.yml", tmp_path, environment, {}) as rulebook:
        deadline = time.monotonic() + PATIENCE
        for status in ("resolved", "firing"):
            body = json.dumps({**NOTIFICATION, "status": status}).encode()
            request = urllib.request.Request("http://127.0.0.1:5001/", body, {"Content-Type": "application/json"})
            while True:
                try:
                    urllib.request.urlopen(request, timeout=5).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, rulebook.printed()
                    time.sleep(0.2)
        rulebook.wait_for("PLAY RECAP")
    # Only what fires is acted on, and both pools get what the rulebook says.
    assert rulebook.printed().count("PLAY RECAP") == 1 and koodrive.methods().count("POST") == 1
    assert koodrive.totals() == {"department": 1710, "individual": 1190, "group": 600}
