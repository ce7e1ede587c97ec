"""Which other users of the machine own files, or can change them. Systems without such users have none."""

from __future__ import annotations

import contextlib
import os
import stat


def risks(folder: str) -> list[str]:
    """Return warnings about a folder that other users may change."""
    if not hasattr(os, "geteuid"):
        return []
    try:
        status = os.stat(folder)  # noqa: PTH116 - pathlib is not loaded yet
    except OSError:
        return []
    mode, owner = status.st_mode, "" if status.st_uid == 0 else foreign_owner(folder)
    found = []
    if owner and os.geteuid() == 0:
        found.append(f"the folder {folder} belongs to {owner}, who cannot use the files that root stores there")
    elif owner:
        found.append(f"the folder {folder} belongs to {owner}, who can replace the credentials in it")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "every user of this machine" if mode & stat.S_IWOTH else "every user of its group"
        can = "put files into it" if mode & stat.S_ISVTX else "replace the credentials in it"
        found.append(
            f"the folder {folder} has mode {stat.S_IMODE(mode):04o}, so that {who} can {can}: run chmod go-w on it"
        )
    return found


def may_follow(link: str) -> bool:
    """Return whether a link may be followed for writing: it belongs to this user, to root, or to its folder's owner."""
    if not hasattr(os, "geteuid"):
        return True
    owner = os.lstat(link).st_uid
    return owner in {os.geteuid(), 0, os.stat(os.path.dirname(link)).st_uid}  # noqa: PTH116, PTH120 - as above


def foreign_owner(path: str) -> str:
    """Return the name of the owner of a file, or of a folder that a link leads to. Empty if it is this user."""
    if not hasattr(os, "geteuid"):
        return ""
    try:
        status = os.stat(path) if os.path.isdir(path) else os.lstat(path)  # noqa: PTH112, PTH116 - as above
    except OSError:
        return ""
    uid = status.st_uid
    if uid == os.geteuid():
        return ""
    return "root" if uid == 0 else _user(uid)


def is_protected(folder: str, status: os.stat_result) -> bool:
    """Return whether a file can be replaced by its owner only, because its folder is sticky."""
    if not hasattr(os, "geteuid"):
        return False
    around = os.stat(folder)  # noqa: PTH116 - as above
    return bool(around.st_mode & stat.S_ISVTX) and os.geteuid() not in {0, status.st_uid, around.st_uid}


def _user(uid: int) -> str:
    if _is_unmapped(uid):
        return "a user who is not known in this container"
    with contextlib.suppress(ImportError, KeyError):
        import pwd  # noqa: PLC0415 - only for this message

        return f"{pwd.getpwuid(uid).pw_name} (user {uid})"
    return f"user {uid}"


def _is_unmapped(uid: int) -> bool:
    """Return whether a number stands for all users that our user namespace does not have (user_namespaces(7))."""
    try:
        with open("/proc/sys/kernel/overflowuid", "rb") as file:  # noqa: PTH123 - as above
            overflow = int(file.read())
        with open("/proc/self/uid_map", "rb") as file:  # noqa: PTH123 - as above
            lines = [tuple(map(int, line.split())) for line in file]
    except (OSError, ValueError):
        return False
    return uid == overflow and lines != [(0, 0, (1 << 32) - 1)]
