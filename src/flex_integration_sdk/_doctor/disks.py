"""Checks of the disk below the store's files: space, and room for one more file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .ownership import folder_of, seen

NEEDED = 64 * 1024  # bytes; a token takes two to eight KB, and twice that while it is replaced
LITTLE = 16 * 1024 * 1024  # bytes; other programs of the machine use that up within a day
FEW = 32  # inodes; a save needs two
_TRIED = 16 * 1024  # bytes of a file without a name
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota of this user is used up",
}


@check("place.disk")
def disk(ground: Ground) -> Iterator[Outcome]:
    """Whether there is room for a token, by a look and by a file without a name."""
    if not hasattr(os, "statvfs"):
        raise SkipCheck("On this system the disk is not looked at.")
    found: list[Outcome] = []
    for folder in dict.fromkeys(map(folder_of, ground.disk_paths)):
        found += _of(folder)
    yield from found or [ok("There is room on the disk for a token and its lock")]


CHECKS = (disk,)


def _of(folder: Path) -> list[Outcome]:
    if seen(folder) is None:
        return []
    there = os.statvfs(folder)
    # Root may use what is kept for it.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    space = (there.f_bfree if root else there.f_bavail) * there.f_frsize
    files = there.f_ffree if root else there.f_favail
    # Some file systems, such as btrfs, count no inodes and say 0 of 0.
    if there.f_files and files < 2:
        return [
            error(
                f"The file system of {folder} has no inode left, so no file can be made in it",
                "Remove files that are not needed: many small ones use up the inodes (`df -i`)",
            )
        ]
    # Some count no blocks either, and say 0 of 0: only the try below tells.
    counts = there.f_blocks > 0
    if counts and space < NEEDED:
        return [error(f"The disk of {folder} is full: {space // 1024} KB are free", _FREE)]
    problem = _try(folder)
    if problem:
        return [error(f"Nothing can be written in {folder}: {problem}", _FREE)]
    if counts and space < LITTLE:
        return [warning(f"The disk of {folder} is almost full: {space // 1024} KB are free", _FREE)]
    if there.f_files and files < FEW:
        return [warning(f"The file system of {folder} has only {files} inodes left", _FREE)]
    return []


_FREE = "Free some space there (`df -h`), or choose a folder on another disk"


def _try(folder: Path) -> str:
    """Writes a file that never has a name (Linux); a quota shows only so. "" if that works."""
    flag = getattr(os, "O_TMPFILE", 0)
    if not flag:
        return ""
    try:
        fd = os.open(folder, flag | os.O_WRONLY, 0o600)
    except OSError as failed:
        # Rights and read-only mounts are other checks'; some file systems cannot do this.
        return _FULL.get(failed.errno or 0, "")
    try:
        os.write(fd, bytes(_TRIED))
        os.fsync(fd)
    except OSError as failed:
        return _FULL.get(failed.errno or 0, failed.strerror or "")
    finally:
        os.close(fd)
    return ""
