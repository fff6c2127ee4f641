# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let ansible-test make its virtual environments where it cannot download pip's bootstrap script.

ansible-test looks in a cache before it downloads the script. Where the download fails (a closed network), a stand-in
is put there that does the same with what Python itself brings along. Where it works, nothing is left but the script
itself.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import urllib.request
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

STAND_IN = """\
import runpy
import subprocess
import sys

# In another process, since it hides pip's configuration from the process that runs it.
subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
sys.argv = ["pip", "install"] + [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
runpy.run_module("pip", run_name="__main__")
"""


def main() -> None:
    version = ".".join(platform.python_version_tuple()[:2])
    pip = get_venv_packages(SimpleNamespace(version=version))["pip"]
    script = Path(f"~/.ansible/test/cache/get_pip_{pip.replace('.', '_')}.py").expanduser()
    if script.exists():
        return
    _write(script, _download(f"https://ci-files.testing.ansible.com/ansible-test/get-pip-{pip}.py"))


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=10) as download:
            return download.read()
    except OSError as error:
        sys.stderr.write(f"pip's bootstrap script cannot be downloaded ({error}): using ensurepip instead\n")
        return STAND_IN.encode("utf-8")


def _write(script: Path, content: bytes) -> None:
    """Replace the script in one step, so an interruption leaves no half-written file."""
    script.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=script.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, script)


if __name__ == "__main__":
    main()
