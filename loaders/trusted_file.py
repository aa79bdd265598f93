"""Whether another user could change a file that is obeyed: settings decide where credentials are sent, jobs are run.

Whoever can write the file can change it, and whoever can write its directory can replace it. Only root and the user of
this process may do either.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def distrust(path: Path) -> str | None:
    """Why the file can't be trusted and how to fix that, or None. Always None on Windows."""
    if not _has_owners():
        return None
    target = path.resolve()
    if path.is_symlink() and _is_foreign(path.lstat()):
        return f"is a symbolic link of {_owner(path.lstat())}"
    if problem := _of_file(target):
        return problem
    directories = dict.fromkeys((path.absolute().parent, target.parent))
    return next(filter(None, map(_of_directory, directories)), None)


def distrust_directory(path: Path) -> str | None:
    """The same for what a directory holds, or will hold."""
    return _of_directory(path.resolve()) if _has_owners() else None


def distrust_below(root: Path, file: Path) -> str | None:
    """The same for a file found below a directory: nobody else may replace any directory on the way to it, either."""
    between = [directory for directory in file.parents if directory == root or root in directory.parents]
    return next(filter(None, (distrust(file), *map(distrust_directory, between))), None)


def _has_owners() -> bool:
    return hasattr(os, "geteuid")


def _of_file(path: Path) -> str | None:
    status = path.stat()
    if _is_read_only(path):
        return None
    if _is_foreign(status):
        return f"belongs to {_owner(status)}: make it your own (chown)"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write it (mode {stat.S_IMODE(status.st_mode):04o}): run `chmod go-w {path}`"
    return None


def _of_directory(path: Path) -> str | None:
    status = path.stat()
    if _is_read_only(path):
        return None
    if _is_foreign(status):
        return f"its directory {path} belongs to {_owner(status)}: move it to one of your own"
    if status.st_mode & stat.S_ISVTX:  # as /tmp: others can't replace what isn't theirs
        return None
    writable = stat.S_IWOTH if _is_private_group(status.st_gid) else stat.S_IWGRP | stat.S_IWOTH
    if status.st_mode & writable:
        return f"others may write its directory (mode {stat.S_IMODE(status.st_mode):04o}): run `chmod go-w {path}`"
    return None


def _is_foreign(status: os.stat_result) -> bool:
    return status.st_uid not in (0, os.geteuid())


def _is_read_only(path: Path) -> bool:
    """Nobody can write on a read-only file system, such as a read-only mount in a container."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _is_private_group(gid: int) -> bool:
    """The group of this user alone, which many distributions create, with a umask that lets it write directories."""
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def _owner(status: os.stat_result) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(status.st_uid).pw_name}"
    except KeyError:
        return f"the user id {status.st_uid}"
