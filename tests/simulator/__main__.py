# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.simulator: a KooDrive on this machine, until it is ended."""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from pathlib import Path

from .certificates import server_context
from .credentials import App, Credentials
from .server import DEFAULT_POOLS, Shape, Simulator, State
from .tenant import SPACE_TYPES, Tenant


def pool(text: str) -> tuple[str, dict[str, int]]:
    """NAME=TOTAL/ALLOCATED"""
    name, _equals, numbers = text.partition("=")
    total, _slash, allocated = numbers.partition("/")
    if name not in SPACE_TYPES:
        raise ValueError(name)
    return name, {"total": int(total), "allocated": int(allocated or 0)}


def app(text: str) -> App:
    """ID:SECRET:USER"""
    return App(*text.split(":"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8480, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--pool", type=pool, action="append", metavar="TYPE=TOTAL/ALLOCATED", help="GB, instead of what it has; may be repeated")
    parser.add_argument("--token", action="append", default=[], help="an access token to accept; may be repeated")
    parser.add_argument("--app", type=app, action="append", default=[], metavar="ID:SECRET:USER", help="may be repeated")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="speak TLS, and write the CA certificate to FILE")
    parser.add_argument("--data", choices=["array", "object"], default="array", help="shape of the read's data")
    parser.add_argument("--numbers", choices=["number", "text"], default="number", help="how the read writes numbers")
    parser.add_argument("--code", choices=["number", "text"], default="number", help="how every reply writes its code")
    parser.add_argument("--quota", choices=["whole", "partly", "none"], default="whole", help="what the second read of the pools has")
    parser.add_argument("--step", type=int, default=1, metavar="GB", help="refuse transfers of what is no multiple of this")
    parser.add_argument("--gateway", choices=["own", "koodrive"], default="own", help="whose keys the gateway's errors have")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before every reply")
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="write endpoint and pid as JSON to it once it serves")
    parser.add_argument("--lifetime", type=float, metavar="SECONDS", help="end after so long (default: when it is ended)")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    state = State(
        tenant=Tenant({**DEFAULT_POOLS, **dict(options.pool or [])}),
        credentials=Credentials(options.token, options.app),
        shape=Shape(options.data, options.numbers, options.code, options.quota, options.step, options.gateway),
        delay=options.delay,
        # What a ledger on this machine has of an earlier simulator is not about this one.
        tenant_id=f"tenant-{uuid.uuid4().hex}",
    )
    state.tenant.step = options.step
    tls = server_context(options.tls_ca) if options.tls_ca else None
    with Simulator(state, options.port, tls, log=True) as simulator:
        sys.stderr.write(f"KooDrive simulator on {simulator.endpoint}, pools {state.tenant.by_name()}\n")
        if options.ready_file:
            options.ready_file.write_text(json.dumps({"endpoint": simulator.endpoint, "pid": os.getpid()}))
        simulator.wait(options.lifetime)


if __name__ == "__main__":
    main()
