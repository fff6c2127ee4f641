# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Ansible Galaxy's API that ansible-galaxy needs to install a collection.

A test cannot use Galaxy itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from pathlib import Path

from aiohttp import web
from ansible_collections.huaweicloud.koodrive.tests.simulator.server_thread import ServerThread


def pack(source: Path, folder: Path) -> Path:
    """Pack an installed collection into an archive in ``folder``.

    The archive lacks the files that the package of the collection has left out.
    """
    whole = folder / "whole"
    shutil.copytree(source, whole)
    manifest, files = (json.loads((whole / name).read_text(encoding="utf-8")) for name in ("MANIFEST.json", "FILES.json"))
    files["files"] = [entry for entry in files["files"] if (whole / entry["name"]).exists()]
    (whole / "FILES.json").write_text(json.dumps(files), encoding="utf-8")
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256((whole / "FILES.json").read_bytes()).hexdigest()
    (whole / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    with tarfile.open(folder / "collection.tar.gz", "w:gz", compresslevel=1) as archive:
        for path in whole.iterdir():
            archive.add(path, arcname=path.name)
    return folder / "collection.tar.gz"


class FakeGalaxy(ServerThread):
    """A Galaxy with one collection: the one that is installed in ``source``, packed into ``folder``."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._about = json.loads((source / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]
        self._archive = pack(source, folder)
        collection = "/api/v3/collections/{namespace}/{name}".format(**self._about)
        application = web.Application()
        application.router.add_get("/api/", self._root)
        application.router.add_get(f"{collection}/", self._collection)
        application.router.add_get(f"{collection}/versions/", self._versions)
        application.router.add_get(f"{collection}/versions/{self._about['version']}/", self._version)
        application.router.add_get("/archive", self._download)
        super().__init__(application)

    async def _root(self, request: web.Request) -> web.Response:
        return web.json_response({"available_versions": {"v3": "v3/"}})

    async def _collection(self, request: web.Request) -> web.Response:
        return web.json_response({**self._about, "created_at": "2024-07-02T00:00:00Z", "updated_at": "2024-07-02T00:00:00Z"})

    async def _versions(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"version": self._about["version"]}], "links": {"next": None}})

    async def _version(self, request: web.Request) -> web.Response:
        about = {
            "namespace": {"name": self._about["namespace"]},
            "collection": {"name": self._about["name"]},
            "version": self._about["version"],
            "href": request.path,
            "download_url": f"{self.endpoint}/archive",
            "artifact": {"sha256": hashlib.sha256(self._archive.read_bytes()).hexdigest()},
            "metadata": {"dependencies": {}},
        }
        return web.json_response(about)

    async def _download(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self._archive)
