# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions for AWX, as the playbook that sets it up reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tag for a text that is not to be filled in."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def _read(name: str) -> Any:
    return yaml.load((ROOT / "playbooks/vars" / name).read_text(encoding="utf-8"), Loader)


CREDENTIAL_TYPE: dict[str, Any] = _read("awx_credential_type.yml")["awx_credential_type"]
JOB_TEMPLATES: list[dict[str, Any]] = _read("awx_job_templates.yml")["awx_job_templates"]
SURVEYS: list[dict[str, Any]] = [template["survey"] for template in JOB_TEMPLATES]
