"""The file system's errors in plain words: which file, why, and what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from flex_tokenstore._host import windows
from flex_tokenstore._host.owners import whose
from flex_tokenstore._host.paths import elsewhere
from flex_tokenstore.errors import TokenPermissionError, TokenUnavailableError

# The error of opening a link with O_NOFOLLOW: on Linux and macOS, on FreeBSD, on NetBSD.
IS_LINK = {errno.ELOOP, errno.EMLINK, getattr(errno, "EFTYPE", errno.ELOOP)}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, *IS_LINK}
_LASTING = {
    *_DENIED,
    errno.EBUSY,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
}


@contextmanager
def reporting(doing: str, path: Path) -> Iterator[None]:
    """Turns an error of the file system into one of ours.

    Args:
        doing: What could not be done with the file, such as ``"read"``.
        path: The file.
    """
    try:
        yield
    except TokenUnavailableError:
        # It is an OSError too, and says what is wrong already.
        raise
    except OSError as error:
        fail(doing, path, error)


def fail(doing: str, path: Path, error: OSError) -> NoReturn:
    """Raises the error of ours for one of the file system."""
    other = elsewhere(path)
    if windows.is_shared(error):
        why = (
            "another program has it open (a virus scanner, a backup, an editor): close it there, "
            "or exclude this folder from the scan"
        )
        refused = TokenUnavailableError(
            f"{path} could not be {doing}: {why}", store="file", place=str(path)
        )
        # For lasts(): the other program will close the file.
        refused.errno = errno.EAGAIN
        raise refused from None
    owner = whose(path) if error.errno in (errno.EACCES, errno.EPERM) else ""
    denied = (
        f"this user may not: {owner or f'check the owner and mode of {path} and of its folder'}; "
        f"or {other}"
    )
    if windows.WINDOWS:
        denied = (
            "this user may not, or another program has it open; look at its rights with "
            f'`icacls "{path}"`, or {other}'
        )
    why = {
        errno.ENOSPC: "the disk is full; free some space",
        errno.EDQUOT: "the disk quota is used up; free some space",
        errno.EROFS: f"the file system is read-only; {other}",
        errno.EACCES: denied,
        errno.EPERM: denied,
        **dict.fromkeys(IS_LINK, "it is a symbolic link; put the file itself there"),
        errno.EEXIST: "something else is in the way there",
        errno.EISDIR: f"it is a folder; {other}",
        errno.EBUSY: "it is a mount point, which cannot be replaced; mount the folder, not the "
        "file",
        errno.ENAMETOOLONG: f"{_too_long(path)}; choose a shorter one with the option path",
        errno.ENOENT: "the system does not find it, though its folder is there: its path may be "
        "too long, or the folder was removed; choose a shorter one with the option path",
        errno.ENOTDIR: f"{_in_the_way(path)} is a file, not a folder; {other}",
    }.get(error.errno or 0, f"{error.strerror or type(error).__name__}; if that lasts, {other}")
    kind = TokenPermissionError if error.errno in _DENIED else TokenUnavailableError
    refused = kind(f"{path} could not be {doing}: {why}", store="file", place=str(path))
    refused.errno = error.errno
    raise refused from None


def refuse(doing: str, path: Path, why: str) -> NoReturn:
    """Raises an error of ours, for something that this user may not do.

    Args:
        doing: As for :func:`reporting`.
        path: The file.
        why: The reason, and what to do.
    """
    raise TokenPermissionError(f"{path} could not be {doing}: {why}", store="file", place=str(path))


def lasts(error: TokenUnavailableError) -> bool:
    """Whether a later try meets the same error.

    A full disk, an I/O error or too many open files may be over when the token comes, or soon
    after; rights and names stay as they are until somebody changes them.
    """
    return error.errno is None or error.errno in _LASTING


def no_file(path: Path) -> TokenUnavailableError:
    """The error for a folder, a pipe or a socket."""
    return TokenUnavailableError(
        f"{path} is not an ordinary file; name a file in the option path",
        store="file",
        place=str(path),
    )


def _too_long(path: Path) -> str:
    if not windows.WINDOWS:
        return "its name is too long"
    return (
        f"its path of {len(str(path))} characters, or that of a file that must be beside it, is "
        "too long for Windows, which takes 259 unless long paths are switched on"
    )


def _in_the_way(path: Path) -> Path:
    """What a folder of the path should be and is not."""
    return next((each for each in path.parents if os.path.lexists(each)), path)
