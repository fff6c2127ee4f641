# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store the option names, and whose pools a run is about."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils import client, options, stores
from ansible_collections.huaweicloud.koodrive.tests.simulator.credentials import App
from ansible_collections.huaweicloud.koodrive.tests.simulator.faults import Fault
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests

GROUP = {"type": "group", "total_capacity": 700}
TEN = {"type": "group", "expand_capacity": 10}
TENANT = {"tenant": "ours"}


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(options, "SHORTEST_TIMEOUT", 0.1)


@pytest.mark.parametrize("ledger", ["relative/path", "mysql://host/db", "sqlite:///x"])
def test_a_ledger_that_is_none_is_refused_by_name(koodrive: KooDriveForTests, ledger: str) -> None:
    result = koodrive.failure(GROUP, ledger=ledger, **TENANT)
    assert result["error"]["kind"] == "invalid_request" and result["msg"].startswith("ledger must be an absolute path")


def test_two_credentials_of_a_tenant_are_one(koodrive: KooDriveForTests) -> None:
    koodrive.state.credentials.tokens.append("tomorrows-token")
    koodrive.state.credentials.apps.append(App("app-2", "another-s3cret", "user-2"))
    koodrive.script(Fault(), Fault(apply="late", reply="hang", seconds=6))
    koodrive.failure(GROUP, timeout=0.3, verify_timeout=0.2)
    others = [
        {"token": "tomorrows-token"},
        koodrive.app,
        {"token": None, "app_id": "app-2", "app_secret": "another-s3cret", "user_id": "user-2"},
    ]
    for other in others * 2:
        assert koodrive.failure(GROUP, timeout=0.3, verify_timeout=0.1, **other)["error"]["kind"] == "open_transfer"
    assert koodrive.state.asked_for_tenant == 4, "once per credential"
    koodrive.settle()
    assert koodrive.methods().count("POST") == 1


@pytest.mark.parametrize("tenant_id", [None, "", "\ud800", "a\nb"])
def test_where_koodrive_does_not_say_whose_it_is_the_credential_does(koodrive: KooDriveForTests, tenant_id: str | None) -> None:
    koodrive.state.tenant_id = tenant_id
    assert koodrive.run(TEN, idempotency_key="A-1")["changed"]
    assert not koodrive.run(TEN, idempotency_key="A-1")["changed"]
    assert koodrive.run(TEN, idempotency_key="A-1", **koodrive.app)["changed"]
    assert koodrive.state.asked_for_tenant == 2


def test_a_frozen_tenant_is_told(koodrive: KooDriveForTests) -> None:
    koodrive.state.frozen = True
    result = koodrive.failure(GROUP)
    assert result["error"]["kind"] == "rejected" and "the tenant is frozen" in result["msg"] and koodrive.methods() == []


@pytest.mark.parametrize(("ledger", "loaded"), [("", False), ("/var/lib/koodrive", False), ("postgresql://host/db", True)])
def test_the_library_of_a_database_is_loaded_where_it_is_used(ledger: str, loaded: bool) -> None:
    program = (
        "import os, sys\n"
        "from ansible_collections.huaweicloud.koodrive.plugins.module_utils.stores import load_for\n"
        "load_for(os.environ)\n"
        "print('psycopg' in sys.modules)"
    )
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KOODRIVE_LEDGER": ledger}
    printed = subprocess.run([sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == str(loaded)


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.getpwuid(os.geteuid())
    # Who ran it, and not whom the environment names, as under sudo.
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert stores.writer().startswith(f"{entry.pw_name}@")

    def nobody(_number: int) -> pwd.struct_passwd:
        raise KeyError("uid not found: 12345")

    monkeypatch.setattr(stores.pwd, "getpwuid", nobody)
    assert stores.writer().startswith(f"{os.geteuid()}@")


def test_a_name_that_is_no_text_can_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = pwd.struct_passwd(("zo\udceb", *pwd.getpwuid(os.geteuid())[1:]))
    monkeypatch.setattr(stores.pwd, "getpwuid", lambda _number: odd)
    assert stores.writer().startswith("zo?@")
