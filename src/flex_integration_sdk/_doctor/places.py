"""Checks of the files and folders that the store and its lock use: owner, rights, disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from flex_tokenstore.embedding import owner_named

from .checks import check
from .finding import Outcome, error, ok, warning
from .ground import Ground
from .ownership import doctor_as, folder_of, nearest, seen

_OTHERS = 0o077  # the rights of the group and of all others


@check("place.owner")
def owner(ground: Ground) -> Iterator[Outcome]:
    """Whether the files and their folders belong to this user."""
    paths = ground.local_paths
    if not hasattr(os, "geteuid"):
        yield ok("On this system the owners are not compared.")
        return
    wrong = [path for path in paths if _is_anothers(path)]
    for path in wrong:
        # With its folder, all that is in it is told.
        if path.parent not in wrong:
            yield _of_another(path, error if ground.is_strict else warning)
    if wrong:
        return
    if any(seen(path) for path in paths):
        me = owner_named(os.geteuid())
        yield ok(f"What the token store uses belongs to {me}: {_listed(paths)}")
        return
    yield from _of_what_is_not_there(paths)


def _is_anothers(path: Path) -> bool:
    found = seen(path)
    if found is None or found.st_uid == os.geteuid():
        return False
    # A folder of root's, such as /var/lib, is fine if this user may write in it.
    return found.st_uid != 0 or not stat.S_ISDIR(found.st_mode)


def _of_another(path: Path, say: Callable[[str, str], Outcome]) -> Outcome:
    whose, me = path.stat().st_uid, os.geteuid()
    above = seen(path.parent)
    remedy = f"Run it as that user: `{doctor_as(whose)}`"
    # In a folder of that user's, it is that user's by right.
    if above is not None and above.st_uid in (0, me):
        remedy = f"{remedy}. Or change the owner: sudo chown -R {me} {path}"
    return say(
        f"{path} belongs to {owner_named(whose)}, and this program runs as {owner_named(me)}",
        remedy,
    )


def _of_what_is_not_there(paths: list[Path]) -> Iterator[Outcome]:
    for folder in dict.fromkeys(map(folder_of, paths)):
        found = seen(folder)
        if found is not None and found.st_uid not in (0, os.geteuid()):
            yield warning(
                f"T{_listed(paths)[1:]} would be made in {folder}, which belongs to "
                f"{owner_named(found.st_uid)}, and this program runs as "
                f"{owner_named(os.geteuid())}",
                f"Run it as that user: `{doctor_as(found.st_uid)}`; or choose another location",
            )
            return
    yield ok(f"Nothing is there yet of {_listed(paths)}")


@check("place.rights")
def rights(ground: Ground) -> Iterator[Outcome]:
    """Whether this user may use the files and folders, and others may not."""
    paths = ground.local_paths
    found = [each for path in paths for each in (_access(ground, path) or _privacy(ground, path))]
    fine = f"This user may make {_listed(paths)}"
    if any(seen(path) for path in paths):
        fine = f"This user may use {_listed(paths)}, and others may not"
    yield from dict.fromkeys(found) or [ok(fine)]


CHECKS = (owner, rights)


def _access(ground: Ground, path: Path) -> list[Outcome]:
    """What this user may not do with it, though it is needed."""
    closed = closed_folder(path)
    if closed is not None:
        return [_denied(closed, "may not enter the folder", "u+rwx")]
    found = seen(path)
    if found is None:
        folder = nearest(path)
        if not folder.is_dir():
            return [
                error(
                    f"{folder} is a file, and a folder has to be there for the token and its lock",
                    f"Move {folder} away, or choose another location",
                )
            ]
        if folder != path.parent and not ground.makes_folders and path == ground.files.token:
            return [
                error(
                    f"The folder {path.parent} does not exist, and this token store does not make "
                    "it",
                    f"Make it: mkdir -p -m 700 {path.parent}",
                )
            ]
        missing = path if path.parent == folder else path.parent
        return (
            []
            if _may(folder, os.W_OK | os.X_OK)
            else [_denied(folder, f"may not make {missing} in the folder", "u+rwx")]
        )
    if stat.S_ISDIR(found.st_mode):
        return (
            []
            if _may(path, os.W_OK | os.X_OK)
            else [_denied(path, "may not write in the folder", "u+rwx")]
        )
    return [] if _may(path, os.R_OK) else [_denied(path, "may not read the file", "u+rw")]


def _denied(path: Path, what: str, mode: str) -> Outcome:
    found = path.stat() if os.path.lexists(path) else None
    owned = "" if found is None else f", which belongs to {owner_named(found.st_uid)}"
    bits = "" if found is None else f" and has the mode {stat.S_IMODE(found.st_mode):04o}"
    return error(
        f"This user {what} {path}{owned}{bits}",
        f"Give the right back: chmod {mode} {path}; or, if it is another user's, run as that user "
        "or choose another location with FLEX_INTEGRATION_TOKEN_STORE__PATH",
    )


def closed_folder(path: Path) -> Path | None:
    """The first folder of the path that this user may not search."""
    for folder in reversed(path.parents):
        if folder.is_dir() and not _may(folder, os.X_OK):
            return folder
    return None


def _may(path: Path, mode: int) -> bool:
    """By the rights alone: a file system that is mounted read-only is another check's."""
    if mode & os.W_OK and _is_read_only(path):
        mode &= ~os.W_OK
    # By the effective ids, as the system itself does.
    by_effective = os.access in os.supports_effective_ids
    return os.access(path, mode, effective_ids=by_effective)


def _is_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (OSError, AttributeError):
        return False


def _privacy(ground: Ground, path: Path) -> list[Outcome]:
    """What others may do with it."""
    found = seen(path)
    if found is None or os.name == "nt":
        return []
    if stat.S_ISDIR(found.st_mode):
        if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            say = error if ground.is_strict and not ground.has_default_folder else warning
            return [
                say(
                    f"Other users can write in {path}, and so replace the token",
                    f"Take that right away: chmod go-w {path}",
                )
            ]
        return []
    if path == ground.files.token and found.st_mode & _OTHERS:
        return [
            warning(
                f"Other users can read {path} (mode {stat.S_IMODE(found.st_mode):04o}), and so use "
                "the token",
                f"Take that right away: chmod 600 {path}. If somebody else may have read it, also "
                "revoke the token",
            )
        ]
    return []


def _listed(paths: list[Path]) -> str:
    """Their folders: what is in them has names that nobody needs here."""
    folders = dict.fromkeys(str(path.parent) for path in paths if path.parent in paths)
    return f"the files in {' and '.join(folders)}"
