# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook as users have it: trust in the public CAs, a ledger on disk, and a KooDrive over TLS."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import certifi
import yaml
from ansible_collections.huaweicloud.koodrive.tests.unit.postgresql_for_tests import Postgresql

from ..simulator.certificates import server_context
from ..simulator.server import Simulator, new_state
from ..simulator.tenant import Tenant
from .playbooks import Contender, Tasks, play

TOKEN = "bench-token"
#: Where users have the local ledger: it must be a real disk if theirs is one, for a record is written through to it.
DISK = "/var/tmp"
#: Variables that would disable the compiled files of Python, or change the trusted certificates.
UNSET = ("PYTHONDONTWRITEBYTECODE", "SSL_CERT_DIR", "CURL_CA_BUNDLE")
#: Certificates in a file begin so.
BEGIN = b"-----BEGIN CERTIFICATE-----"


class Runner:
    """Runs playbooks against a simulator over TLS, in ``folder``; what it starts ends with ``stack``."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        ca = folder / "ca.pem"
        #: A file with the one certificate that is needed.
        self.ca = str(ca)
        state = new_state(TOKEN)
        state.tenant = Tenant({name: {"total": 100000, "allocated": 0} for name in ("department", "individual", "group")})
        self.simulator = stack.enter_context(Simulator(state, tls=server_context(ca)))
        bundle = folder / "bundle.pem"
        bundle.write_bytes(Path(certifi.where()).read_bytes() + ca.read_bytes())
        self.certificates = bundle.read_bytes().count(BEGIN)
        self._environment = {
            **_users_environment(),
            # The one is what requests goes by, the other what Python itself does, and with it the module uri.
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
            "KOODRIVE_ENDPOINT": self.simulator.endpoint,
            "KOODRIVE_TOKEN": TOKEN,
            "KOODRIVE_LEDGER": str(folder / "ledger"),
            "BENCH_PEAK": str(folder / "peak"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }

    @cached_property
    def postgresql(self) -> str:
        """Return the URL of a database on the same machine and disk, which writes through to it as well."""
        server = self._stack.enter_context(Postgresql(Path(tempfile.mkdtemp(prefix="koodrive-pg-", dir=DISK))))
        server.execute("ALTER SYSTEM SET fsync = on")
        server.execute("SELECT pg_reload_conf()")
        name = server.new_database()
        return server.url(name, name)

    def start(self, playbook: Tasks, *options: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start ansible-playbook, with what ``environment`` adds, and return the process."""
        path = self.folder / "playbook.yml"
        path.write_text(yaml.safe_dump(playbook), encoding="utf-8")
        return subprocess.Popen(
            ["ansible-playbook", *options, str(path)],
            env={**self._environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def seconds(self, playbook: Tasks, *options: str, environment: Mapping[str, str] | None = None) -> float:
        """Return how many seconds a playbook takes, which must succeed."""
        start = time.perf_counter()
        process = self.start(playbook, *options, environment=environment)
        said, _nothing = process.communicate()
        if process.returncode:
            sys.exit(f"A playbook failed: {playbook}\n{said.decode()}")
        return time.perf_counter() - start

    def play_of(self, contender: Contender, times: int = 1) -> float:
        """Return how many seconds a play with the contender's tasks takes as a whole process."""
        ledger = {"KOODRIVE_LEDGER": self.postgresql} if contender.shared_ledger else {}
        return self.seconds(play(contender.tasks, times), environment={**contender.environment, **ledger})

    def requests_of(self, contender: Contender) -> list[dict[str, Any]]:
        """Return the requests that a play of its tasks sends."""
        self.simulator.state.requests = []
        self.play_of(contender)
        return self.simulator.state.requests


def _users_environment() -> dict[str, str]:
    """Return the environment, without what would make a contender do other things here than elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in UNSET and not name.startswith("KOODRIVE_") and not name.lower().endswith("_proxy")}


@contextmanager
def runner() -> Iterator[Runner]:
    with ExitStack() as stack:
        yield Runner(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="koodrive-bench-", dir=DISK))), stack)
