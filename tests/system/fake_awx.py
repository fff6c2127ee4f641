# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's API as its modules need to create credential types and job templates; AWX itself cannot be had in a test."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from ansible_collections.huaweicloud.koodrive.tests.simulator.server_thread import ServerThread

from . import awx_rules

TOKEN = "awx-token-that-nobody-may-see"


class FakeAWX(ServerThread):
    """An AWX with an organization, a project, an inventory and a credential; it refuses what AWX refuses."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.writes: list[str] = []
        for kind, name in (("organizations", "Ours"), ("projects", "KooDrive"), ("inventories", "Any"), ("credentials", "Tenant")):
            self._add(kind, {"name": name, **({"organization": 1} if kind == "projects" else {})})
        application = web.Application(middlewares=[self._known_only])
        application.router.add_get("/api/v2/{kind}/", self._list)
        application.router.add_post("/api/v2/{kind}/", self._create)
        application.router.add_patch("/api/v2/{kind}/{id}/", self._update)
        application.router.add_get("/api/v2/job_templates/{id}/survey_spec/", self._survey)
        application.router.add_post("/api/v2/job_templates/{id}/survey_spec/", self._set_survey)
        application.router.add_get("/api/v2/job_templates/{id}/credentials/", self._credentials)
        application.router.add_post("/api/v2/job_templates/{id}/credentials/", self._associate)
        super().__init__(application)

    @web.middleware
    async def _known_only(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"detail": "Authentication credentials were not provided."}, status=401)
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.path}")
        return await handler(request)

    def _add(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        rows = self.objects.setdefault(kind, [])
        url = f"/api/v2/{kind}/{len(rows) + 1}/"
        rows.append({"id": len(rows) + 1, "type": kind, "url": url, "related": {"survey_spec": f"{url}survey_spec/"}, **values})
        return rows[-1]

    def _one(self, request: web.Request, kind: str | None = None) -> dict[str, Any]:
        return self.objects[kind or request.match_info["kind"]][int(request.match_info["id"]) - 1]

    async def _list(self, request: web.Request) -> web.Response:
        rows = self.objects.get(request.match_info["kind"], [])
        found = [row for row in rows if all(str(row.get(key)) == value for key, value in request.query.items())]
        return web.json_response({"count": len(found), "next": None, "results": found})

    async def _create(self, request: web.Request) -> web.Response:
        values = await request.json()
        faults = _faults(request.match_info["kind"], values)
        if faults:
            return web.json_response({"detail": faults}, status=400)
        return web.json_response(self._add(request.match_info["kind"], values), status=201)

    async def _update(self, request: web.Request) -> web.Response:
        self._one(request).update(await request.json())
        return web.json_response(self._one(request))

    async def _survey(self, request: web.Request) -> web.Response:
        return web.json_response(self._one(request, "job_templates").get("survey", {}))

    async def _set_survey(self, request: web.Request) -> web.Response:
        survey = await request.json()
        faults = awx_rules.faults_of_survey(survey)
        if faults:
            return web.json_response({"error": faults}, status=400)
        self._one(request, "job_templates")["survey"] = survey
        return web.json_response({})

    async def _credentials(self, request: web.Request) -> web.Response:
        ids = self._one(request, "job_templates").get("credentials", [])
        return web.json_response({"count": len(ids), "next": None, "results": [{"id": number} for number in ids]})

    async def _associate(self, request: web.Request) -> web.Response:
        self._one(request, "job_templates").setdefault("credentials", []).append((await request.json())["id"])
        return web.Response(status=204)


def _faults(kind: str, values: dict[str, Any]) -> list[str]:
    if kind == "credential_types":
        return awx_rules.faults_of_inputs(values["inputs"]) + awx_rules.faults_of_injectors(values["injectors"], values["inputs"])
    return []
