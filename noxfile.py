# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests against every release in service: `make matrix` runs all sessions and prints a table of them."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

#: The collection under the path that Ansible wants; `make` puts it there.
TREE = Path(__file__).parent / ".build/matrix/ansible_collections/huaweicloud/koodrive"
OLDEST_REQUESTS = "2.25.1"
#: Each release of ansible-core with a Python that its controller supports.
CORES = [("3.11", "2.16"), ("3.12", "2.17"), ("3.11", "2.18"), ("3.11", "2.19"), ("3.12", "2.20"), ("3.13", "2.21"), ("3.13", "2.22")]
UNIT = "tests/unit/plugins/module_utils"
#: The targets that are roles run on the Python of the managed side; those with a script of their own choose their
#: Python themselves.
ON_MANAGED = sorted(
    tasks.parent.name for tasks in (Path(__file__).parent / "tests/integration/targets").glob("*/tasks") if not tasks.parent.name.startswith("setup_")
)

nox.options.error_on_missing_interpreters = False
# The shims of pyenv are named like interpreters, and only fail.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
os.environ["PATH"] = os.pathsep.join([*(str(path) for path in sorted(PYENV.glob("3.*/bin"))), os.environ["PATH"]])


def _install(session: nox.Session, *packages: str) -> None:
    session.install(
        "-r", "tests/unit/requirements.txt", "-r", "tests/integration/requirements.txt", "pytest", "pytest-xdist", "pytest-mock", "PyYAML", *packages
    )
    session.chdir(TREE)


def _core(release: str) -> str:
    """The newest of a release of ansible-core; while there is none, its newest pre-release."""
    return f"ansible-core=={release}.*"


def _pytest(session: nox.Session, *tests: str) -> None:
    """Run ``tests``; what the collection does that Python calls deprecated fails them."""
    deprecated = r"filterwarnings=error::DeprecationWarning:ansible_collections\.huaweicloud\.koodrive"
    session.run("python", "-m", "pytest", "-q", "-n", "2", "-o", deprecated, *tests, env={"PYTHONPATH": str(TREE.parents[2])})


def _all_tests(session: nox.Session) -> None:
    log = _ansible_log(session)
    _pytest(session, "tests/unit", "tests/system/test_playbooks.py", "tests/system/test_awx_jobs.py")
    session.run("ansible-test", "integration", "--local", "--requirements", "--python", str(session.python), "--color", "no")
    _fail_if_deprecated(session, log)


def _ansible_log(session: nox.Session) -> Path:
    """Return the file with all that any Ansible of the session prints from now on, with its deprecation warnings.

    Each Python of the session sets the variables when it starts. ansible-test drops all variables but its own, and
    tests do not print the output of their playbooks.
    """
    log = Path(session.virtualenv.location, "ansible.log").resolve()
    log.unlink(missing_ok=True)
    (folder,) = Path(session.virtualenv.location).glob("lib/python3.*/site-packages")
    variables = {"ANSIBLE_DEPRECATION_WARNINGS": "true", "ANSIBLE_LOG_PATH": str(log)}
    (folder / "ansible_log.pth").write_text(f"import os; os.environ.update({variables})\n", encoding="utf-8")
    return log


def _fail_if_deprecated(session: nox.Session, log: Path) -> None:
    """Fail if ``log`` has a deprecation warning: not all that a collection causes have its name."""
    printed = log.read_text(encoding="utf-8")
    if "[DEPRECATION WARNING]" in printed:
        session.error("\n".join(sorted(set(re.findall(r"\[DEPRECATION WARNING\].*", printed)))))


@contextmanager
def _ansible_of_the_controller(session: nox.Session) -> Iterator[None]:
    """Let the session's Python find this Python's Ansible, which brings modules what they import.

    An old Python could only install an older release of Ansible.
    """
    (folder,) = Path(session.virtualenv.location).glob("lib/python3.*/site-packages")
    spec = importlib.util.find_spec("ansible")
    assert spec is not None and spec.origin is not None
    link = folder / "ansible"
    link.symlink_to(Path(spec.origin).parent)
    try:
        yield
    finally:
        link.unlink()


@nox.session
@nox.parametrize(["python", "core"], CORES, ids=[f"{core}-python{python}" for python, core in CORES])
def core(session: nox.Session, core: str) -> None:
    """All tests with a release of ansible-core."""
    _install(session, _core(core))
    _all_tests(session)


@nox.session
@nox.parametrize(["python", "requests"], [("3.9", OLDEST_REQUESTS), ("3.13", "")], ids=["python3.9", "python3.13"])
def managed(session: nox.Session, requests: str) -> None:
    """What runs on the managed side, on its oldest and its newest Python, under this Python's ansible-core."""
    _install(session, f"requests=={requests}" if requests else "requests")
    with _ansible_of_the_controller(session):
        _pytest(session, UNIT)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    session.run(
        "ansible-test",
        "integration",
        "--controller",
        f"origin:python={here}",
        "--target",
        f"controller:python={session.python}@{session.virtualenv.bin}/python",
        "--requirements",
        "--color",
        "no",
        *ON_MANAGED,
        external=True,
    )


@nox.session
@nox.parametrize(["python", "version"], [("3.11", OLDEST_REQUESTS)], ids=[f"{OLDEST_REQUESTS}-python3.11"])
def requests(session: nox.Session, version: str) -> None:
    """All tests with the oldest requests that is allowed."""
    _install(session, _core("2.19"), f"requests=={version}")
    _all_tests(session)
