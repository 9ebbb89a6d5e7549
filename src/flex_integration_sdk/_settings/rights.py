"""Who may read and change the config file. Windows is not looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flex_tokenstore.embedding import owner_named

from .redacting import is_secret
from .table import PROFILES, VARIABLES

_OTHERS = 0o077  # the rights of the group and of all others
_ANYBODY = 0o007
_MAY_WRITE = 0o022
_ROOT = 0


def of_another(status: os.stat_result) -> str:
    """Why a file of another user is not to be trusted; "" if it is not one."""
    if os.name == "nt":
        return ""
    if status.st_uid not in (os.geteuid(), _ROOT):
        return (
            f"belongs to another user, {owner_named(status.st_uid)}, and this program runs as "
            f"{owner_named(os.geteuid())}: run it as that user, or name a config file of your own "
            f"in {VARIABLES['config']}"
        )
    return ""


def touched_by_others(path: Path, status: os.stat_result) -> str:
    """Why the file is not to be trusted: others could have the client secret sent elsewhere, or a
    command of theirs run. "" if they cannot; Windows is not looked at."""
    if os.name == "nt":
        return ""
    if status.st_mode & _MAY_WRITE:
        return f"can be changed by other users, who could learn the secret: chmod go-w {path}"
    for folder in {path.parent, path.resolve().parent}:
        if others_may_replace_in(folder):
            return (
                f"can be replaced by other users, who may write in its folder: chmod go-w {folder}"
            )
    return ""


def others_may_replace_in(folder: Path) -> bool:
    """Whether other users can replace this user's files in a folder; Windows is not looked at."""
    if os.name == "nt":
        return False
    mode = folder.stat().st_mode
    # In a sticky folder, such as /tmp, others cannot rename or remove this user's files.
    return bool(mode & _MAY_WRITE) and not mode & stat.S_ISVTX and not _is_read_only(folder)


def _is_read_only(folder: Path) -> bool:
    """As a volume of Kubernetes is, whose folder everybody may write in by its mode."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def secret_for_others(
    table: Mapping[str, Any], path: tuple[str, ...], status: os.stat_result
) -> tuple[str, ...] | None:
    """The keys that lead to a secret in a file that other users may read; None: there is none.

    Args:
        table: A section of the file.
        path: The keys that lead to it.
        status: Of the file, as ``stat`` gives it.
    """
    if os.name == "nt":
        return None
    # One of root's, for a group: as Kubernetes mounts a secret with fsGroup.
    others = _OTHERS if status.st_uid == os.geteuid() else _ANYBODY
    return next(_secrets(table, path), None) if status.st_mode & others else None


def _secrets(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of values that may be secret."""
    if isinstance(value, Mapping):
        for key in value:
            if not path and key == PROFILES:
                continue  # each is looked at by itself
            yield from _secrets(value[key], (*path, key))
    elif isinstance(value, list) and not is_secret(path, value):
        for number, each in enumerate(value, start=1):
            yield from _secrets(each, (*path, str(number)))
    elif is_secret(path, value):
        yield path
