"""Whose files the store uses: this user's, or those of a user for whom root looks at them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

ROOT = 0


def seen(path: Path) -> os.stat_result | None:
    """What is there; None: nothing, or this user may not look."""
    try:
        return path.stat()
    except OSError:
        return None


def nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), path)


def folder_of(path: Path) -> Path:
    """The folder that is there, in which the path is or would be made."""
    there = nearest(path)
    return there if there.is_dir() else there.parent


def stranger(paths: Iterable[Path]) -> int | None:
    """The user, if this is root, to whom a folder or file belongs that root would write to.

    What root makes there, be it a lock file, that user can never open again. None: there is none.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != ROOT:
        return None
    for path in paths:
        for each in (nearest(path), folder_of(path)):
            found = seen(each)
            if found is not None and found.st_uid != ROOT:
                return found.st_uid
    return None


def doctor_as(uid: int) -> str:
    """The command that looks at the files of that user as that user."""
    return f"sudo -u {_name(uid)} -H flex-sdk doctor"


def _name(uid: int) -> str:
    """As ``sudo -u`` takes it: a number has a ``#`` in front."""
    try:
        import pwd

        return shlex.quote(pwd.getpwuid(uid).pw_name)
    except (ImportError, KeyError):
        return f"'#{uid}'"
