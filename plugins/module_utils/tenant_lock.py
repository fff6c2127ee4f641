# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One writer per tenant and machine: tasks that move capacity of the same tenant take turns.

The lock is one of the operating system's (flock), so it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError

#: Every process of a user must come to the same folder, whatever its environment says of HOME or TMPDIR.
FOLDER = "/tmp"
#: Seconds between two looks whether it is one's turn.
LOOK = 0.05


@contextmanager
def turn(tenant: str, wait: float) -> Iterator[None]:
    """Do what is in this context when no other process of this user and machine does the like for ``tenant``.

    Raises KooDriveError ``rate_limited`` when that takes longer than ``wait`` seconds, and ``invalid_request`` where the
    lock cannot be trusted, because somebody else put something in its place.
    """
    path = os.path.join(FOLDER, f"huaweicloud.koodrive-{os.geteuid()}")
    folder = _private_folder(path)
    try:
        lock = _locked(folder, path, hashlib.sha256(tenant.encode("utf-8")).hexdigest(), time.monotonic() + wait)
    finally:
        os.close(folder)
    if lock is None:
        raise KooDriveError(
            "rate_limited",
            f"for {wait:g} seconds, other tasks on this machine have been moving capacity of the same tenant",
            step="Waiting for this task's turn",
            advice="Nothing was sent. Run again when they are through, or find out what holds them up.",
        )
    try:
        yield
    finally:
        os.close(lock)


def _private_folder(path: str) -> int:
    """A descriptor of the folder ``path``, which is this user's alone."""
    try:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _not_to_be_had(path, error) from error
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(folder)
        raise _unusable(path, "others can write or read there", "Remove what is there, if it is not this user's, and run again.")
    return folder


def _locked(folder: int, path: str, name: str, deadline: float) -> int | None:
    """A descriptor of the file ``name`` in the folder ``path``, locked; None where that cannot be had before ``deadline``."""
    while True:
        try:
            lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        except OSError as error:
            raise _not_to_be_had(os.path.join(path, name), error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            if time.monotonic() >= deadline:
                return None
            time.sleep(LOOK)
            continue
        if _is_still_there(folder, name, lock):
            # For those who clean up by age.
            os.utime(lock)
            return lock
        os.close(lock)


def _is_still_there(folder: int, name: str, lock: int) -> bool:
    """Whether the locked file is the one that others will find: it may have been cleaned up before it was locked."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _not_to_be_had(path: str, error: OSError) -> KooDriveError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
        way_out = "Remove what is there, if it is not this user's, and run again."
    else:
        way_out = f"Let this user write to {FOLDER}, in a container by mounting a tmpfs there, and run again."
    return _unusable(path, str(error.strerror), way_out)


def _unusable(path: str, why: str, way_out: str) -> KooDriveError:
    return KooDriveError(
        "invalid_request",
        f"the lock {path} by which tasks take turns cannot be used: {why}",
        step="Waiting for this task's turn",
        advice=f"Nothing was sent. {way_out}",
    )
