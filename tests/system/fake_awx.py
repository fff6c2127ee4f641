# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of AWX's API that its modules and a launch need. A test cannot run AWX itself.

The modules create credential types, instance groups, job templates and schedules.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from ansible_collections.huaweicloud.koodrive.tests.simulator.server_thread import ServerThread

from . import awx_launch, awx_rules
from .definitions import JOB_TEMPLATES

TOKEN = "awx-token-that-must-not-show"
#: The token of a user who may write nearly everything, and one with the scope read.
MEMBER, READER = "awx-token-of-a-member", "awx-token-for-reading"
PLAYBOOKS = [f"{folder}{template['playbook']}" for folder in ("playbooks/", "") for template in JOB_TEMPLATES]
THERE: list[tuple[str, dict[str, Any]]] = [
    ("organizations", {"name": "Ours"}),
    ("projects", {"name": "KooDrive", "organization": 1, "playbooks": PLAYBOOKS}),
    ("projects", {"name": "Never synced", "organization": 1, "playbooks": []}),
    ("inventories", {"name": "Any"}),
    ("inventories", {"name": "Demo Inventory"}),
    ("credential_types", {"name": "Machine", "kind": "ssh", "inputs": {}, "injectors": {}}),
    ("credentials", {"name": "Tenant", "credential_type": 1}),
    ("instance_groups", {"name": "default"}),
    ("execution_environments", {"name": "With requests"}),
]


class FakeAWX(ServerThread):
    """An AWX with an organization, projects, inventories, a credential of another type and a group.

    It refuses what AWX refuses.
    """

    def __init__(self, token: str = TOKEN) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.writes: list[str] = []
        #: The credentials that no user may use.
        self.unusable: set[int] = set()
        # Each token, and the part of the API that it may not write to, if any.
        self._tokens = {f"Bearer {token}": None, f"Bearer {MEMBER}": "/credential_types/", f"Bearer {READER}": "/"}
        for kind, values in THERE:
            self.add(kind, values)
        application = web.Application(middlewares=[self._known_only])
        application.router.add_get("/api/v2/{kind}/", self._list)
        application.router.add_post("/api/v2/{kind}/", self._create)
        application.router.add_patch("/api/v2/{kind}/{id}/", self._update)
        application.router.add_get("/api/v2/job_templates/{id}/survey_spec/", self._survey)
        application.router.add_post("/api/v2/job_templates/{id}/survey_spec/", self._set_survey)
        application.router.add_post("/api/v2/job_templates/{id}/launch/", self._launch)
        application.router.add_get("/api/v2/{kind}/{id}/{relation}/", self._related)
        application.router.add_post("/api/v2/{kind}/{id}/{relation}/", self._relate)
        super().__init__(application)

    @web.middleware
    async def _known_only(self, request: web.Request, handler: Any) -> web.StreamResponse:
        token = request.headers.get("Authorization", "")
        if token not in self._tokens:
            return web.json_response({"detail": "Authentication credentials were not provided."}, status=401)
        if request.method == "GET":
            return await handler(request)
        self.writes.append(f"{request.method} {request.path}")
        if (self._tokens[token] or "nothing") in request.path:
            return web.json_response({"detail": "You do not have permission to perform this action."}, status=403)
        return await handler(request)

    def add(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Have another object of a kind, and return it."""
        rows = self.objects.setdefault(kind, [])
        values = {"enabled": True, **values} if kind == "schedules" else values
        url = f"/api/v2/{kind}/{len(rows) + 1}/"
        rows.append({"id": len(rows) + 1, "type": kind, "url": url, "related": {"survey_spec": f"{url}survey_spec/"}, **values})
        return rows[-1]

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """The object of a kind with a name."""
        return next(row for row in self.objects[kind] if row["name"] == name)

    def start(self, schedule: dict[str, Any]) -> dict[str, Any]:
        """The job that a schedule starts when it is time."""
        template = self._template_of(schedule)
        variables, _faults = awx_launch.variables_of_job(template, schedule.get("extra_data", {}))
        credentials = awx_launch.credentials_of_scheduled_job(template, schedule.get("credentials", []), self._types())
        return self._add_job(template, credentials, variables)

    def end(self, job: dict[str, Any]) -> None:
        """Let a job end, and start what has been waiting for it."""
        job["status"] = "successful"
        self._start_jobs()

    def _one(self, request: web.Request, kind: str | None = None) -> dict[str, Any]:
        return self.objects[kind or request.match_info["kind"]][int(request.match_info["id"]) - 1]

    def _types(self) -> dict[int, int]:
        return {row["id"]: row["credential_type"] for row in self.objects["credentials"]}

    async def _list(self, request: web.Request) -> web.Response:
        # The unified ones would have projects among them, too, and workflows.
        rows = self.objects.get(request.match_info["kind"].removeprefix("unified_"), [])
        # Of the filters with "or__" one has to match, of the others all.
        either = {key.removeprefix("or__"): value for key, value in request.query.items() if key.startswith("or__")}
        each = {key: value for key, value in request.query.items() if not key.startswith("or__")}
        found = [row for row in rows if all(str(row.get(key)) == value for key, value in each.items())]
        found = [row for row in found if not either or any(str(row.get(key)) == value for key, value in either.items())]
        return web.json_response({"count": len(found), "next": None, "results": found})

    async def _create(self, request: web.Request) -> web.Response:
        values = await request.json()
        faults = self._faults(request.match_info["kind"], values)
        if faults:
            return web.json_response(faults, status=400)
        return web.json_response(self.add(request.match_info["kind"], values), status=201)

    async def _update(self, request: web.Request) -> web.Response:
        kind, now = request.match_info["kind"], self._one(request)
        values = {**now, **await request.json()}
        if kind == "credential_types" and values["inputs"] != now["inputs"] and now["id"] in self._types().values():
            return web.json_response({"detail": "Modifications to inputs are not allowed for credential types that are in use"}, status=403)
        faults = self._faults(kind, values)
        if faults:
            return web.json_response(faults, status=400)
        now.update(values)
        return web.json_response(now)

    def _faults(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        if kind == "credential_types":
            faults = awx_rules.faults_of_inputs(values["inputs"]) + awx_rules.faults_of_injectors(values["injectors"], values["inputs"])
            return {"detail": faults} if faults else {}
        if kind == "job_templates" and values["playbook"] not in self.objects["projects"][values["project"] - 1]["playbooks"]:
            return {"playbook": ["Playbook not found for project."]}
        return self._faults_of_schedule(values) if kind == "schedules" else {}

    def _faults_of_schedule(self, values: dict[str, Any]) -> dict[str, Any]:
        template, given = self._template_of(values), values.get("extra_data", {})
        asked = {question["variable"] for question in template["survey"]["spec"]}
        faults = {
            "extra_data": [f"Variables {name} are not allowed on launch." for name in given if name not in asked],
            "rrule": awx_rules.faults_of_rrule(values["rrule"]),
            "variables_needed_to_start": awx_launch.variables_of_job(template, given)[1],
        }
        return {field: told for field, told in faults.items() if told}

    def _template_of(self, schedule: dict[str, Any]) -> dict[str, Any]:
        return self.objects["job_templates"][schedule["unified_job_template"] - 1]

    async def _survey(self, request: web.Request) -> web.Response:
        return web.json_response(self._one(request, "job_templates").get("survey", {}))

    async def _set_survey(self, request: web.Request) -> web.Response:
        survey = await request.json()
        faults = awx_rules.faults_of_survey(survey)
        if faults:
            return web.json_response({"error": faults}, status=400)
        self._one(request, "job_templates")["survey"] = survey
        return web.json_response({})

    async def _related(self, request: web.Request) -> web.Response:
        rows = [self.objects[request.match_info["relation"]][number - 1] for number in self._one(request).get(request.match_info["relation"], [])]
        return web.json_response({"count": len(rows), "next": None, "results": rows})

    async def _relate(self, request: web.Request) -> web.Response:
        relation, wanted = request.match_info["relation"], await request.json()
        owner = self._one(request)
        ids = [number for number in owner.get(relation, []) if number != wanted["id"]]
        if not wanted.get("disassociate"):
            if relation == "credentials" and wanted["id"] in self.unusable:
                return web.json_response({"detail": "You do not have permission to perform this action."}, status=403)
            fault = self._fault_of_relation(request.match_info["kind"], owner, ids, wanted["id"]) if relation == "credentials" else ""
            if fault:
                return web.json_response({"error": fault}, status=400)
            ids.append(wanted["id"])
        owner[relation] = ids
        return web.Response(status=204)

    def _fault_of_relation(self, kind: str, owner: dict[str, Any], others: list[int], credential: int) -> str:
        if kind == "schedules":
            return awx_launch.fault_of_prompted_credential(self._template_of(owner), others, credential, self._types())
        return "".join(awx_launch.faults_of_credentials([*others, credential], self._types()))

    async def _launch(self, request: web.Request) -> web.Response:
        template, prompts = self._one(request, "job_templates"), await request.json()
        variables, faults = awx_launch.variables_of_job(template, prompts.get("extra_vars", {}))
        credentials, more = awx_launch.credentials_of_job(template, prompts.get("credentials"), self._types())
        if faults or more:
            return web.json_response({"variables_needed_to_start": faults, "credentials": more}, status=400)
        return web.json_response(self._add_job(template, credentials, variables), status=201)

    def _add_job(self, template: dict[str, Any], credentials: list[int], variables: dict[str, Any]) -> dict[str, Any]:
        job = self.add("jobs", {"job_template": template["id"], "credentials": credentials, "extra_vars": variables, "status": "pending"})
        self._start_jobs()
        return job

    def _start_jobs(self) -> None:
        groups = {group["id"]: group for group in self.objects["instance_groups"]}
        for job in [job for job in self.objects["jobs"] if job["status"] == "pending"]:
            template = self.objects["job_templates"][job["job_template"] - 1]
            running = [other for other in self.objects["jobs"] if other["status"] == "running"]
            job["instance_group"] = awx_launch.group_of_job(template, running, groups, fallback=self.named("instance_groups", "default")["id"])
            job["status"] = "running" if job["instance_group"] else "pending"
