# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store the option names, and whose pools a run is about."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api import client
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.client import KooDrive
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import Answer, KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.sqlite import RECORDS, LocalStore
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import store_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task import options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import connection_from, ledger_from
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.tenant_ledger import tenant_of
from ansible_collections.huaweicloud.koodrive.tests.simulator.credentials import App
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import KooDriveForTests
from ansible_collections.huaweicloud.koodrive.tests.unit.ledger_for_tests import by_hand


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)


def options_of(koodrive: KooDriveForTests, **given: Any) -> dict[str, Any]:
    return {**koodrive.options, "endpoint": koodrive.endpoint, "ledger": koodrive.ledger, **given}


def writer(koodrive: KooDriveForTests) -> str:
    return ledger_from(options_of(koodrive), environ={}).writer


def tenant(koodrive: KooDriveForTests, read_only: bool = False, **given: Any) -> str | None:
    """Return the tenant that a run with these options is about."""
    options = options_of(koodrive, **given)
    connection, ledger = connection_from(options, environ={}), ledger_from(options, environ={})
    with KooDrive(connection, []) as one, store_of(ledger.path, read_only) as store:
        return tenant_of(ledger, connection.credential, one, store)


@pytest.mark.parametrize("ledger", ["relative/path", "mysql://host/db", "sqlite:///x", "file:///x", "postgresql:/host/db"])
def test_a_ledger_that_is_none_is_refused_by_name(ledger: str) -> None:
    with pytest.raises(KooDriveError, match="^ledger must be an absolute path") as caught:
        ledger_from({"ledger": ledger}, environ={})
    assert caught.value.kind == "invalid_request"


def test_a_store_is_closed_after_its_run(tmp_path: Path) -> None:
    with store_of(str(tmp_path), read_only=False) as store:
        assert isinstance(store, LocalStore) and store.newest("t") is None and store._database is not None
    assert store._database is None


def test_the_credentials_of_a_tenant_lead_to_one_and_each_is_asked_for_once(koodrive: KooDriveForTests) -> None:
    koodrive.state.credentials.tokens.append("tomorrows-token")
    koodrive.state.credentials.apps.append(App("app-2", "another-s3cret", "user-2"))
    others = [
        {},
        {"token": "tomorrows-token"},
        koodrive.app,
        {"token": None, "app_id": "app-2", "app_secret": "another-s3cret", "user_id": "user-2"},
    ]
    assert {tenant(koodrive, **other) for other in others * 2} == {koodrive.state.tenant_id}
    assert koodrive.state.asked_for_tenant == 4


@pytest.mark.parametrize(("status", "helps"), [(503, True), (None, False)])
def test_if_only_the_call_for_the_tenant_fails_the_error_says_how_to_do_without_it(
    koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch, status: int | None, helps: bool
) -> None:
    def fails(*_args: Any) -> None:
        raise KooDriveError("server_error", "it is busy", answer=Answer(status), transient=True)

    monkeypatch.setattr(KooDrive, "tenant_id", fails)
    with pytest.raises(KooDriveError) as caught:
        tenant(koodrive)
    assert ("set tenant (KOODRIVE_TENANT)" in (caught.value.advice or "")) is helps


def test_two_names_of_one_service_are_one_tenant(koodrive: KooDriveForTests) -> None:
    by_name = koodrive.endpoint.replace("127.0.0.1", "localhost")
    assert by_name != koodrive.endpoint
    assert tenant(koodrive) == tenant(koodrive, endpoint=by_name) == "tenant-1"


def test_a_name_that_was_given_counts_and_koodrive_is_not_asked(koodrive: KooDriveForTests) -> None:
    assert tenant(koodrive, tenant=" ours ") == "ours"
    assert koodrive.state.asked_for_tenant == 0
    assert tenant(koodrive) == koodrive.state.tenant_id


@pytest.mark.parametrize("tenant_id", [None, "", "\ud800", "a\nb"])
def test_a_tenant_that_koodrive_does_not_name_is_not_stored(koodrive: KooDriveForTests, tenant_id: str | None) -> None:
    koodrive.state.tenant_id = tenant_id
    assert tenant(koodrive) is None
    assert tenant(koodrive, **koodrive.app) is None
    koodrive.state.tenant_id = "at-last"
    assert tenant(koodrive) == tenant(koodrive, **koodrive.app) == "at-last"


def test_a_refusal_in_between_makes_no_other_tenant(koodrive: KooDriveForTests) -> None:
    known = tenant(koodrive)
    koodrive.state.tenant_id = None
    assert tenant(koodrive) == known == "tenant-1"


def test_check_mode_keeps_nothing_and_reads_what_is_kept(koodrive: KooDriveForTests) -> None:
    for _time in range(2):
        assert tenant(koodrive, read_only=True) == koodrive.state.tenant_id
    assert koodrive.state.asked_for_tenant == 2 and os.listdir(koodrive.ledger) == []
    tenant(koodrive)
    tenant(koodrive, read_only=True)
    assert koodrive.state.asked_for_tenant == 3


def test_a_ledger_that_cannot_be_written_to_only_costs_the_question(koodrive: KooDriveForTests) -> None:
    tenant(koodrive)
    by_hand(koodrive.ledger, "DELETE FROM {}koodrive_tenants")
    by_hand(koodrive.ledger, "CREATE TRIGGER full BEFORE INSERT ON {}koodrive_tenants BEGIN SELECT RAISE(ABORT, 'full'); END")
    assert tenant(koodrive) == tenant(koodrive) == koodrive.state.tenant_id
    assert koodrive.state.asked_for_tenant == 3


def test_a_token_is_not_kept_in_the_ledger(koodrive: KooDriveForTests) -> None:
    tenant(koodrive)
    with open(f"{koodrive.ledger}/{RECORDS}", "rb") as file:
        content = file.read()
    assert str(koodrive.state.tenant_id).encode() in content and koodrive.options["token"].encode() not in content


def test_a_frozen_tenant_fails_with_a_message(koodrive: KooDriveForTests) -> None:
    koodrive.state.frozen = True
    with pytest.raises(KooDriveError, match="the tenant is frozen") as caught:
        tenant(koodrive)
    assert caught.value.kind == "rejected"


def test_a_user_without_a_name_is_a_number(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.getpwuid(os.geteuid())
    # The user who runs it counts, and not the one whom the environment names, as under sudo.
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert writer(koodrive).startswith(f"{entry.pw_name}@")

    def nobody(_number: int) -> pwd.struct_passwd:
        raise KeyError("uid not found: 12345")

    monkeypatch.setattr(options.pwd, "getpwuid", nobody)
    assert writer(koodrive).startswith(f"{os.geteuid()}@")


def test_a_name_that_is_no_text_can_be_stored(koodrive: KooDriveForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = pwd.struct_passwd(("zo\udceb", *pwd.getpwuid(os.geteuid())[1:]))
    monkeypatch.setattr(options.pwd, "getpwuid", lambda _number: odd)
    assert writer(koodrive).startswith("zo?@")
