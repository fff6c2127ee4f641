# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a simulated KooDrive on this machine: python -m tests.simulator."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import json
import os
import shlex
import sys
import tempfile
import uuid
from pathlib import Path

from .certificates import server_context
from .credentials import App, Credentials
from .server import DEFAULT_POOLS, Shape, Simulator, State
from .tenant import SPACE_TYPES, Tenant

#: The default token and pools, with enough capacity for the playbooks of the README and the guides.
TOKEN = "try-it"
POOLS = {**DEFAULT_POOLS, "department": {"total": 4000, "allocated": 400}}


def pool(text: str) -> tuple[str, dict[str, int]]:
    """Return name and capacities of a pool from ``NAME=TOTAL/ALLOCATED``."""
    name, _equals, numbers = text.partition("=")
    total, _slash, allocated = numbers.partition("/")
    if name not in SPACE_TYPES:
        raise ValueError(name)
    return name, {"total": int(total), "allocated": int(allocated or 0)}


def app(text: str) -> App:
    """Return the app from ``ID:SECRET:USER``."""
    return App(*text.split(":"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8480, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--pool", type=pool, action="append", metavar="TYPE=TOTAL/ALLOCATED", help="capacity of a pool in GB, in place of the default; may be repeated"
    )
    parser.add_argument("--token", action="append", default=[], help=f"an access token to accept; may be repeated (default: {TOKEN})")
    parser.add_argument("--app", type=app, action="append", default=[], metavar="ID:SECRET:USER", help="may be repeated")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="speak TLS, and write the CA certificate to FILE")
    parser.add_argument("--data", choices=["array", "object"], default="array", help="the shape of the data in the read")
    parser.add_argument("--numbers", choices=["number", "text"], default="number", help="the type of the numbers in the read")
    parser.add_argument("--code", choices=["number", "text"], default="number", help="the type of the code in every reply")
    parser.add_argument("--quota", choices=["whole", "partly", "none"], default="whole", help="which pools the second read has")
    parser.add_argument("--step", type=int, default=1, metavar="GB", help="refuse transfers that are not a multiple of this")
    parser.add_argument("--gateway", choices=["own", "koodrive"], default="own", help="the keys of the gateway's errors: its own, or KooDrive's")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="wait before every reply")
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="write endpoint and pid as JSON to it once it serves")
    parser.add_argument("--lifetime", type=float, metavar="SECONDS", help="end after this time (default: run until Ctrl-C)")
    return parser.parse_args()


def exports(endpoint: str, ledger: str, options: argparse.Namespace) -> str:
    """Return the shell command that points a terminal at the simulator."""
    variables = {"KOODRIVE_ENDPOINT": endpoint}
    if options.token:
        variables["KOODRIVE_TOKEN"] = options.token[0]
    else:
        app_id, secret, user_id = dataclasses.astuple(options.app[0])
        variables.update(KOODRIVE_APP_ID=app_id, KOODRIVE_APP_SECRET=secret, KOODRIVE_USER_ID=user_id)
    variables["KOODRIVE_LEDGER"] = ledger
    if options.tls_ca:
        variables["REQUESTS_CA_BUNDLE"] = str(options.tls_ca.resolve())
    return " ".join(["export", *(f"{name}={shlex.quote(value)}" for name, value in variables.items())])


def serve(options: argparse.Namespace, ledger: str) -> None:
    """Serve until the process is ended, or for the lifetime in ``options``."""
    state = State(
        tenant=Tenant({**POOLS, **dict(options.pool or [])}),
        credentials=Credentials(options.token, options.app),
        shape=Shape(options.data, options.numbers, options.code, options.quota, options.step, options.gateway),
        delay=options.delay,
        # A new ID for each simulator, so that a ledger does not mix it up with an earlier one.
        tenant_id=f"tenant-{uuid.uuid4().hex}",
    )
    state.tenant.step = options.step
    tls = server_context(options.tls_ca) if options.tls_ca else None
    with Simulator(state, options.port, tls, log=True) as simulator:
        pools = ", ".join(f"{name} {pool['total'] - pool['allocated']} of {pool['total']}" for name, pool in state.tenant.by_name().items())
        sys.stderr.write(
            f"A simulated KooDrive listens on {simulator.endpoint}. Ctrl-C ends it. GB unallocated: {pools}.\n"
            f"Paste this into another terminal, and run playbooks there. The ledger belongs to this simulator, and ends with it.\n\n"
            f"{exports(simulator.endpoint, ledger, options)}\n\n"
        )
        if options.ready_file:
            options.ready_file.write_text(json.dumps({"endpoint": simulator.endpoint, "pid": os.getpid()}))
        simulator.wait(options.lifetime)


def main() -> None:
    options = arguments()
    if not options.token and not options.app:
        options.token = [TOKEN]
    try:
        with tempfile.TemporaryDirectory(prefix="koodrive-simulator-") as ledger:
            serve(options, ledger)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {options.port} is in use: give another one, such as make simulator ARGS='--port {options.port + 1}'.")


if __name__ == "__main__":
    main()
