"""Whether a file could be replaced, found out without replacing it.

What can be seen is looked at; the rest is tried on an empty file that is removed at once.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flex_tokenstore._host.windows import MAX_PATH, check_length, retried
from flex_tokenstore.stores.file.mounted import check_writable, is_mount_point
from flex_tokenstore.stores.file.reasons import refuse, reporting
from flex_tokenstore.stores.file.siblings import beside, name_aside, temporary

_DOING = "written, so no new token was requested"
# O_NONBLOCK: opening a named pipe to write would wait for a reader.
_NO_WAIT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_MARKS = stat.UF_IMMUTABLE | stat.UF_APPEND | stat.SF_IMMUTABLE | stat.SF_APPEND


def check_replaceable(path: Path, look: Callable[[int], object] = lambda fd: None) -> None:
    """Raises if replacing the file would be refused.

    Args:
        path: The file.
        look: Called with an open file that was made beside it; may raise.

    Raises:
        TokenPermissionError: This user may not.
        TokenUnavailableError: It is a folder, its name is too long, or the file system has a
            fault.
    """
    with reporting(_DOING, path):
        longest = len(name_aside(path).name)
        check_length(path, longest)
        # Where paths may be too long, what is tried has the longest name that a save may need.
        more = longest - len(path.name) if len(str(path.parent)) + 1 + longest >= MAX_PATH else 0
        # 5: the characters of "." and ".try", which the form adds itself.
        _try_folder(path, ".{}" + "_" * max(0, more - 5) + ".try", look)
        _look_at_file(path)
        _look_at_leftover(temporary(path))


def _try_folder(path: Path, form: str, look: Callable[[int], object]) -> None:
    """Makes a file where a save would, or where its missing folders would be, and removes it."""
    for folder in path.parents:
        scratch = beside(folder / path.name, form)
        try:
            _make(scratch, look)
        except FileExistsError:  # a crash left it, or another process is at it
            scratch.unlink(missing_ok=True)
            with suppress(FileExistsError):
                _make(scratch, look)
        except FileNotFoundError:
            # Windows says so of a path that is too long. A link to nowhere is not a folder.
            if folder.is_dir():
                raise
            continue
        return


def _make(scratch: Path, look: Callable[[int], object]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_WAIT
    fd = retried(lambda: os.open(scratch, flags, 0o600))
    try:
        try:
            look(fd)
        finally:
            os.close(fd)
    finally:
        try:
            retried(lambda: scratch.unlink(missing_ok=True))
        except OSError:
            scratch.unlink(missing_ok=True)  # once more: else it stays until the next time
            raise


def _look_at_file(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if is_mount_point(path):
        check_writable(path, _DOING)
        return
    _look_at_owner(path, found)
    marked = getattr(found, "st_flags", 0) & _MARKS  # macOS, BSD
    protected = getattr(found, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_READONLY  # Windows
    if marked or protected or _is_immutable(path):
        refuse(
            _DOING,
            path,
            "it is marked as unchangeable; remove that mark (Linux: `chattr -i -a`, macOS: "
            "`chflags nouchg,nouappnd`, Windows: `attrib -r`)",
        )


def _is_immutable(path: Path) -> bool:
    """Opening is enough to know: the system says EPERM for the mark, EACCES for owner and mode.

    The latter say nothing here: they are about writing into the file, not about replacing it.
    """
    if os.name == "nt":
        return False
    try:
        os.close(os.open(path, os.O_WRONLY | _NO_WAIT))
    except OSError as error:
        if error.errno in (errno.EISDIR, errno.EROFS):
            raise
        return error.errno == errno.EPERM
    return False


def _look_at_leftover(path: Path) -> None:
    """What a crash in a save left is removed by the next one, if that may."""
    with suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            refuse(_DOING, path, "it is a folder where a temporary file must be; move it away")
        _look_at_owner(path, found)


def _look_at_owner(path: Path, found: os.stat_result) -> None:
    """In a sticky folder only the owner of a file, or of the folder, may replace or remove it."""
    if os.name == "nt":
        return
    folder = path.parent.stat()
    if folder.st_mode & stat.S_ISVTX and os.geteuid() not in (0, folder.st_uid, found.st_uid):
        refuse(
            _DOING,
            path,
            f"it belongs to another user (uid {found.st_uid}), and its folder is sticky: only that "
            "user may replace or remove it; ask that user to remove it, or choose another folder "
            "with the option path",
        )
