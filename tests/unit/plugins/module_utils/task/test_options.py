# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the connection options, from the task and from the environment."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.auth import AppAuth, TokenAuth
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import (
    CONNECTION_SPEC,
    LEDGER_SPEC,
    Connection,
    connection_from,
    ledger_from,
    secrets_of,
)
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC
from ansible_collections.huaweicloud.koodrive.tests.unit.koodrive_for_tests import options_of

APP = {"app_id": "app-1", "app_secret": "sEcret-1", "user_id": "user-1"}
APP_ENVIRONMENT = {"KOODRIVE_APP_ID": "app-2", "KOODRIVE_APP_SECRET": "sEcret-2", "KOODRIVE_USER_ID": "user-2"}


def connect(environ: dict[str, str] | None = None, **options: Any) -> Connection:
    return connection_from(options_of(CONNECTION_SPEC, **options), environ or {})


def refusal(environ: dict[str, str] | None = None, **options: Any) -> str:
    with pytest.raises(KooDriveError) as caught:
        connect(environ, **options)
    assert caught.value.kind == "invalid_request"
    return caught.value.what


def test_defaults() -> None:
    connection = connect(token="t")
    assert connection.endpoint == "https://intl.myhuaweicloud-koodrive.com"
    assert (connection.language, connection.user_id) == ("en-US", None)
    assert (connection.timeout, connection.retries, connection.trust) == (30, 3, True)
    assert len(connection.trace_id) == 58
    assert connection.trace_id != connect(token="t").trace_id


def test_the_environment_fills_in() -> None:
    connection = connect(
        {
            "KOODRIVE_ENDPOINT": "cn.myhuaweicloud-koodrive.com",
            "KOODRIVE_TOKEN": "t",
            "KOODRIVE_USER_ID": "user-2",
            "KOODRIVE_LANGUAGE": "zh-CN",
        }
    )
    assert connection.endpoint == "https://cn.myhuaweicloud-koodrive.com"
    assert isinstance(connection.auth, TokenAuth) and connection.auth.secrets() == ["t"]
    assert (connection.language, connection.user_id) == ("zh-CN", "user-2")


def test_the_task_wins_over_the_environment() -> None:
    connection = connect(
        {"KOODRIVE_ENDPOINT": "https://a.example.org", "KOODRIVE_TOKEN": "t2", "KOODRIVE_LANGUAGE": "zh-CN"},
        endpoint="b.example.org",
        token="t1",
        language="de-DE",
    )
    assert (connection.endpoint, connection.language) == ("https://b.example.org", "de-DE")
    assert connection.auth.secrets() == ["t1"]


def test_a_token_in_the_task_wins_over_an_app_in_the_environment() -> None:
    connection = connect(APP_ENVIRONMENT, token="t1")
    assert isinstance(connection.auth, TokenAuth)
    assert connection.user_id == "user-2"


def test_an_app_in_the_task_wins_over_a_token_in_the_environment() -> None:
    assert isinstance(connect({"KOODRIVE_TOKEN": "t2"}, **APP).auth, AppAuth)


def test_half_an_app_in_the_task_is_completed_from_the_environment() -> None:
    auth = connect({**APP_ENVIRONMENT, "KOODRIVE_TOKEN": "t2"}, app_id="app-1").auth
    assert isinstance(auth, AppAuth) and auth.secrets() == ["sEcret-2"]


@pytest.mark.parametrize("space", ["", " ", "\n"])
@pytest.mark.parametrize("blank", ["token", "app_id"])
def test_a_blank_is_not_set(blank: str, space: str) -> None:
    environ = {f"KOODRIVE_{name}": space for name in ("ENDPOINT", "TOKEN", "APP_ID", "APP_SECRET", "USER_ID", "LANGUAGE")}
    given = {"token": APP, "app_id": {"token": "t"}}[blank]
    options = {**dict.fromkeys((*APP, "token", "endpoint", "language", "trace_id", "ca_path"), space), **given}
    assert isinstance(connect(environ, **options).auth, {"token": AppAuth, "app_id": TokenAuth}[blank])


@pytest.mark.parametrize(
    ("environ", "options", "named"),
    [
        ({}, {}, "token is missing"),
        ({}, {"user_id": "user-1"}, "token is missing"),
        ({}, {**APP, "token": "t"}, "token and app_id"),
        ({**APP_ENVIRONMENT, "KOODRIVE_TOKEN": "t"}, {}, "token (KOODRIVE_TOKEN) and app_id (KOODRIVE_APP_ID) are both given"),
        ({"KOODRIVE_APP_SECRET": "s"}, {**APP, "token": "t"}, "token and app_id are both given"),
        ({}, {"app_secret": "s", "token": "t"}, "token and app_secret are both given"),
        ({}, {**APP, "app_secret": None}, "app_secret must be given"),
        ({}, {**APP, "app_id": ""}, "app_id must be given"),
        ({}, {**APP, "user_id": None}, "user_id must be given"),
        ({}, {"app_id": "a"}, "app_secret and user_id must be given"),
        ({"KOODRIVE_APP_ID": "a", "KOODRIVE_USER_ID": "u"}, {}, "app_secret (KOODRIVE_APP_SECRET) must be given too"),
        ({"KOODRIVE_APP_ID": "a"}, {}, "app_secret (KOODRIVE_APP_SECRET) and user_id (KOODRIVE_USER_ID) must be given too"),
        ({"KOODRIVE_APP_ID": "a"}, {"user_id": "u"}, "app_secret must be given too"),
        ({"KOODRIVE_TOKEN": "c69b c69b c69b"}, {}, "token (KOODRIVE_TOKEN) has"),
        ({"KOODRIVE_TOKEN": "c69b c69b c69b"}, {"token": "c69b\n"}, "token has"),
        ({**APP_ENVIRONMENT, "KOODRIVE_APP_SECRET": "sEcret "}, {}, "app_secret (KOODRIVE_APP_SECRET) has"),
        ({"KOODRIVE_USER_ID": "u 1"}, {"token": "t"}, "user_id (KOODRIVE_USER_ID) has"),
        ({"KOODRIVE_LANGUAGE": "en US"}, {"token": "t"}, "language (KOODRIVE_LANGUAGE) has"),
        ({"KOODRIVE_ENDPOINT": "https://example.org/c69b"}, {"token": "t"}, "endpoint (KOODRIVE_ENDPOINT) must be a host"),
        ({"KOODRIVE_ENDPOINT": "http://example.org"}, {"token": "t"}, "endpoint (KOODRIVE_ENDPOINT) must be https"),
        ({"KOODRIVE_ENDPOINT": "example.org:c69b"}, {"token": "t"}, "endpoint (KOODRIVE_ENDPOINT) is not a URL"),
        ({"KOODRIVE_ENDPOINT": "example.org"}, {"token": "t", "endpoint": "http://example.org"}, "endpoint must be https"),
        ({}, {"token": "c69b\n"}, "token has"),
        ({}, {"token": "c69b c69b c69b"}, "token has"),
        ({}, {"token": "c69b\u00e9"}, "token has"),
        ({}, {**APP, "app_secret": "s "}, "app_secret has"),
        ({}, {**APP, "user_id": "u\r\nX-Evil: 1"}, "user_id has"),
        ({}, {"token": "t", "language": "en US"}, "language has"),
        ({}, {"token": "t", "trace_id": "x" * 57}, "trace_id must"),
        ({}, {"token": "t", "trace_id": "x" * 59}, "trace_id must"),
        ({}, {"token": "t", "trace_id": "x" * 57 + "\n"}, "trace_id has"),
        ({}, {"token": "t", "trace_id": "x" * 57 + "-"}, "trace_id must have letters"),
        ({}, {"token": "t", "trace_id": "x" * 57 + "\u00e9"}, "trace_id has"),
        ({}, {"token": "AT  c69b"}, "token has"),
        ({}, {"token": "at c69b"}, "token has"),
        ({}, {"token": "t", "timeout": 0}, "timeout must"),
        ({}, {"token": "t", "timeout": 3601}, "timeout must"),
        ({}, {"token": "t", "timeout": True}, "timeout must"),
        ({}, {"token": "t", "retries": -1}, "retries must"),
        ({}, {"token": "t", "retries": 21}, "retries must"),
        ({}, {"token": "t", "ca_path": "/nowhere/ca.pem"}, "ca_path does not exist"),
    ],
)
def test_bad_options_are_refused_by_name(environ: dict[str, str], options: dict[str, Any], named: str) -> None:
    message = refusal(environ, **options)
    assert message.startswith(named)
    assert "c69b" not in message and "sEcret" not in message


def test_only_a_token_can_have_the_name_of_its_scheme() -> None:
    for token in ("Bearer c69b", "AT c69b"):
        assert connect(token=token).auth.secrets() == ["c69b"]
    assert refusal(**{**APP, "user_id": "AT c69b"}).startswith("user_id has")


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("example.org", "https://example.org"),
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("HTTPS://Example.ORG:8443", "https://example.org:8443"),
        ("example.org:443", "https://example.org"),
        ("https://example.org:0443/", "https://example.org"),
        ("EXAMPLE.org.", "https://example.org"),
        ("Example.Org.:443", "https://example.org"),
        ("example.org:80", "https://example.org:80"),
        ("http://LOCALHOST.:80/", "http://localhost"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("https://[0:0::0:1]:443", "https://[::1]"),
        ("https://[2001:DB8::A]", "https://[2001:db8::a]"),
        ("example.org:8443", "https://example.org:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("http://127.0.0.1:8480", "http://127.0.0.1:8480"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://localhost:8480", "http://localhost:8480"),
        ("http://[::1]:8480", "http://[::1]:8480"),
    ],
)
def test_good_endpoints(endpoint: str, url: str) -> None:
    assert connect(token="t", endpoint=endpoint).endpoint == url


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://",
        "://x",
        "https:///path",
        "ftp://example.org",
        "http://example.org",
        "http://10.0.0.1",
        "http://localhost.example.org",
        "https://example.org/koodrive",
        "https://example.org//",
        "https://example.org?x=1",
        "https://example.org/?",
        "https://example.org#x",
        "https://user:passw0rd@example.org",
        "https://user@example.org",
        "https://example.org:port",
        "https://example.org:99999",
        "https://example.org:0",
        "https://example.org:",
        "https://exa mple.org",
        "https://.",
        "https://example.org..",
        "https://usr@SEKRIT:passw0rd@example.org",
        "https://example..org",
        "https://-example.org",
        "https://[::1",
        "https://[example]",
        "https://ex\u00e4mple.org",
        "https://" + "a" * 64 + ".org",
        "https://example.org\nX: 1",
    ],
)
def test_bad_endpoints(endpoint: str) -> None:
    message = refusal(token="t", endpoint=endpoint)
    assert message.startswith("endpoint ")
    assert "passw0rd" not in message


def test_a_missing_credential_names_both_variables() -> None:
    assert "KOODRIVE_TOKEN or KOODRIVE_APP_ID in the environment" in refusal()


@pytest.mark.parametrize(
    ("name", "value"), [("ledger", "koodrive.db"), ("ledger", "/var/\0"), ("ledger", "mysql://u:pa55@db/koodrive"), ("tenant", "x" * 256), ("tenant", "a\tb")]
)
def test_a_bad_ledger_or_tenant_is_refused_by_name(name: str, value: str) -> None:
    for environ, options, named in (({}, {name: value}, name), ({f"KOODRIVE_{name.upper()}": value}, {}, f"{name} (KOODRIVE_{name.upper()})")):
        with pytest.raises(KooDriveError) as caught:
            ledger_from(options_of(LEDGER_SPEC, **options), environ)
        assert caught.value.kind == "invalid_request" and caught.value.what.startswith(f"{named} must be") and "pa55" not in caught.value.what


def test_advice_about_refused_credentials_is_about_those_that_were_used() -> None:
    assert connect(token="t").auth.advice == "A token lives 20 minutes: get a new one."
    assert "get a new one for KOODRIVE_TOKEN." in str(connect({"KOODRIVE_TOKEN": "t"}).auth.advice)
    advice = str(connect({**APP_ENVIRONMENT, "KOODRIVE_TOKEN": "t"}, app_id="app-1").auth.advice)
    assert advice.startswith("Check app_id, app_secret (KOODRIVE_APP_SECRET) and user_id (KOODRIVE_USER_ID)") and "token" not in advice


def test_a_tenant_can_have_255_characters() -> None:
    assert ledger_from({"tenant": "x" * 255}, {}).tenant == "x" * 255


def test_a_host_can_have_253_characters() -> None:
    host = ".".join(["a" * 49] * 5) + ".a23"
    assert len(host) == 253 and connect(endpoint=host, token="t").endpoint == f"https://{host}"
    assert refusal(endpoint=f"{host}4", token="t").startswith("endpoint is not a URL")


def test_spellings_of_one_endpoint_are_one_tenant() -> None:
    spellings = ("example.org", "https://EXAMPLE.org:443/", "Example.org.", "https://example.org.:443")
    assert len({connect(token="t", endpoint=endpoint).credential for endpoint in spellings}) == 1
    assert connect(token="t", endpoint="example.org:444").credential != connect(token="t", endpoint="example.org").credential


def test_two_users_of_one_app_may_be_two_tenants() -> None:
    app = {"app_id": "a", "app_secret": "s"}
    assert len({connect(**app, user_id=user).credential for user in ("u1", "u2")}) == 2
    assert len({connect(token="t", **user).credential for user in ({}, {"user_id": "u1"}, {"user_id": "u2"})}) == 3


def test_a_key_is_shown_in_results() -> None:
    assert secrets_of(TRANSFER_SPEC, {"idempotency_key": "A-1071"}, {}) == set()


def test_the_values_that_ansible_must_mask() -> None:
    environ = {"KOODRIVE_APP_SECRET": "s2", "https_proxy": "http://u:p1@proxy", "ALL_PROXY": "socks5://u:p2@proxy", "no_proxy": "a:b@c"}
    assert secrets_of(CONNECTION_SPEC, {"token": "t1", "app_id": "a", "app_secret": None}, environ) == {"t1", "s2", ":p1@", ":p2@"}
    for endpoint in ("https://usr:SEKRIT@host", "usr:SEKRIT@host", "https://SEKRIT@host", "https://usr:SEKRIT@host:port"):
        assert secrets_of(CONNECTION_SPEC, {"endpoint": endpoint}, {}) == {"SEKRIT", endpoint}
        assert secrets_of(CONNECTION_SPEC, {}, {"KOODRIVE_ENDPOINT": endpoint}) == {"SEKRIT", endpoint}
    for endpoint in ("https://host/SEKRIT", "host?token=SEKRIT", "https://host#SEKRIT", "http://SEKRIT.example.org", "host:SEKRIT", "SEKRIT\n"):
        assert secrets_of(CONNECTION_SPEC, {"endpoint": endpoint}, {}) == {endpoint}
        assert secrets_of(CONNECTION_SPEC, {}, {"KOODRIVE_ENDPOINT": endpoint}) == {endpoint}
    # Nothing in these is secret, and their mask would hide other text.
    for endpoint in ("https://", "http:", "a/b", "https://host:8443/"):
        assert secrets_of(CONNECTION_SPEC, {"endpoint": endpoint}, {}) == set()
    # A user, a host or a kind of error may be spelled like the password.
    ledger = "postgresql://koodrive:koodrive@db/koodrive?sslpassword=x&sslmode=require"
    assert secrets_of(LEDGER_SPEC, {"ledger": ledger}, {}) == {":koodrive@", "sslpassword=x"}
    for refused in ("host=db password=SEKRIT", "postgresql:/u:SEKRIT@h/d", "u:SEKRIT@h/d"):
        assert secrets_of(LEDGER_SPEC, {"ledger": f" {refused}\n"}, {}) == {refused}
        assert secrets_of(LEDGER_SPEC, {}, {"KOODRIVE_LEDGER": refused}) == {refused}
    assert secrets_of(LEDGER_SPEC, {"ledger": "postgresql://koodrive:SEKRIT/koodrive"}, {}) == {":SEKRIT"}
    for harmless in (
        "postgresql://[::1]/koodrive",
        "postgresql://a:5432,[::1]:5432,b:/koodrive?port=5433",
        "/var/lib/a=b@c",
        "ledger/here",
        "/var/lib/koodrive",
        "postgresql://koodrive@db/koodrive",
        "postgresql:///koodrive?host=/run",
    ):
        assert secrets_of(LEDGER_SPEC, {"ledger": harmless}, {"KOODRIVE_LEDGER": harmless}) == set()
    assert secrets_of(CONNECTION_SPEC, {"token": " ", "endpoint": "host"}, {"HTTP_PROXY": "http://proxy:3128"}) == set()


def test_certificates(tmp_path: object) -> None:
    assert connect(token="t", ca_path=str(tmp_path)).trust == str(tmp_path)
    assert connect(token="t", ca_path=str(tmp_path), validate_certs=False).trust is False
