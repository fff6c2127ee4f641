# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated KooDrive for tests, and what the modules do against it as functions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import Pauses
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import outcome_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation import ALLOCATION_SPEC, allocate_capacity
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_transfer import TRANSFER_SPEC, transfer_capacity
from ansible_collections.huaweicloud.koodrive.tests.simulator.credentials import App
from ansible_collections.huaweicloud.koodrive.tests.simulator.server import Simulator, new_state

TOKEN = "t0ken-for-tests"
APP = App("app-1", "the-s3cret", "user-1")


def options_of(spec: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """The options of a task, those ``given`` and the defaults of all others, as Ansible hands them to a module's
    work.
    """
    return {**{name: option.get("default") for name, option in spec.items()}, **given}


class KooDriveForTests(Simulator):
    """A simulator, and the transfer against it with short time-outs."""

    app = {"token": None, "app_id": APP.app_id, "app_secret": APP.secret, "user_id": APP.user_id}
    options = options_of(TRANSFER_SPEC, origin_type="department", capacity_step=1, verify_timeout=1, token=TOKEN, timeout=5, retries=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._folder = tempfile.TemporaryDirectory()
        #: Where the runs against this simulator keep their records.
        self.ledger = self._folder.name

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self._folder.cleanup()

    def outcome(self, *targets: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """The result of a transfer, or its failure."""
        given = {**self.options, "endpoint": self.endpoint, "ledger": self.ledger, "target": list(targets), **options}
        return outcome_of(partial(transfer_capacity, environ={}), given, check_mode)

    def run(self, *targets: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """The result of a transfer that succeeds."""
        result = self.outcome(*targets, check_mode=check_mode, **options)
        assert "failed" not in result, result["msg"]
        return result

    def failure(self, *targets: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The result of a transfer that fails."""
        result = self.outcome(*targets, **options)
        assert result["failed"] is True
        return result

    def layout(self, *pools: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """The result of a layout of the pools, or its failure."""
        defaults = options_of(ALLOCATION_SPEC, capacity_step=1, verify_timeout=1, token=TOKEN, timeout=5, retries=0, endpoint=self.endpoint, ledger=self.ledger)
        given = {**defaults, "pools": [{"receives": True, "gives": True, **pool} for pool in pools], **options}
        return outcome_of(partial(allocate_capacity, environ={}), given, check_mode)

    def methods(self) -> list[str]:
        """The requests so far."""
        return [request["method"] for request in self.state.requests]

    def paths(self) -> list[str]:
        """What was asked for so far: the last word of each path."""
        return [request["path"].rpartition("/")[2] for request in self.state.requests]

    def totals(self) -> dict[str, int]:
        """What the pools really hold."""
        return {name: pool["total"] for name, pool in self.state.tenant.by_name().items()}


@pytest.fixture(name="koodrive")
def fixture_koodrive() -> Iterator[KooDriveForTests]:
    """A simulated KooDrive with the default pools, which knows TOKEN and APP."""
    with KooDriveForTests(new_state(TOKEN, APP)) as simulator:
        yield simulator


@pytest.fixture(name="pauses")
def fixture_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What was asked for at each pause between two tries; none of them takes any time."""
    made: list[float | None] = []
    monkeypatch.setattr(Pauses, "wait", lambda _pauses, _at_most, asked_for=None: made.append(asked_for))
    return made
