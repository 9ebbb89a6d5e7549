"""A token file that is a mount point itself: ``docker run -v ./token.json:/data/token.json``.

The system lets nobody rename or remove it (EBUSY), so it is written and emptied in place. An
empty one holds nothing: that is how it is removed, and how people make the file to mount.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from flex_tokenstore._host import windows
from flex_tokenstore._values.secret import Secret
from flex_tokenstore.stores.file.raw import CHUNK, NOFOLLOW, NONBLOCK, open_new, write_all
from flex_tokenstore.stores.file.reasons import no_file, refuse, reporting

REMEDY = "mount the folder, not the file"
_WHY_NOT = {
    errno.EROFS: "it is mounted read-only",
    errno.EACCES: "this user may not write to it: check its owner and mode",
    errno.EPERM: "it is marked as unchangeable (Linux: `chattr -i -a` removes that mark)",
}


def is_mount_point(path: Path) -> bool:
    """Whether the file is mounted over another; False if there is none.

    Raises:
        OSError: The file system refuses.
    """
    if windows.WINDOWS:
        return False
    try:
        # The folder may be reached by a link, which is in a mount of its own.
        mounts = _mount_of(path, NOFOLLOW), _mount_of(path.parent, 0)
        if all(mounts):
            return mounts[0] != mounts[1]
        # Not Linux. There no overlay gives the files of one folder several devices.
        return path.lstat().st_dev != path.parent.stat().st_dev
    except FileNotFoundError:
        return False


def _mount_of(path: Path, flags: int) -> bytes:
    """The number of the mount that the path is in; empty where the system does not say."""
    if not hasattr(os, "O_PATH"):
        return b""
    # O_PATH needs no right to read the file (open(2)).
    fd = os.open(path, os.O_PATH | flags)
    try:
        about = Path(f"/proc/self/fdinfo/{fd}").read_bytes()
    except OSError:  # no /proc
        return b""
    finally:
        os.close(fd)
    # Linux 3.15 and newer (proc(5)). The device is no help: a bind mount has that of its source.
    return next((line for line in about.splitlines() if line.startswith(b"mnt_id")), b"")


def check_writable(path: Path, doing: str) -> None:
    """Raises if the mounted file could not be written in place; changes nothing.

    Args:
        path: The file.
        doing: As for :func:`.reporting`.

    Raises:
        TokenPermissionError: This user may not, or it is mounted read-only.
        OSError: The file system refuses for another reason.
    """
    os.close(_opened(path, doing))


def write_in_place(path: Path, data: Secret[bytes]) -> None:
    """Writes over the file, so that it holds the old or the new bytes after each system call.

    It has the new size at least before one call writes all: the end of old bytes that are more
    is overwritten with blanks, which JSON permits, and cut off last.

    Raises:
        TokenUnavailableError: The system failed while the new bytes were written.
        OSError: It refused before that, with what the file held unchanged.
    """
    fd = _opened(path, "written (its old content is kept)")
    try:
        old, new = os.fstat(fd).st_size, len(data.reveal())
        _make_room(fd, old, new)
        padded = Secret(data.reveal().ljust(old))
        with reporting("written completely (it is a mount point, written in place)", path):
            written = 0
            while written < len(padded.reveal()):
                written += os.pwrite(fd, padded.reveal()[written:], written)
            os.fsync(fd)
            # Cut only when the new bytes are on the disk: until then blanks follow them.
            if old > new:
                os.ftruncate(fd, new)
                os.fsync(fd)
    finally:
        os.close(fd)


def _make_room(fd: int, old: int, new: int) -> None:
    """Appends blanks, so that a full disk is found while the old token is whole."""
    try:
        size = old
        while size < new:
            size += os.pwrite(fd, b" " * (new - size), size)
        # Some file systems, NFS among them, report a full disk only at a sync (fsync(2)).
        if old < new:
            os.fsync(fd)
    except OSError:
        with suppress(OSError):
            os.ftruncate(fd, old)
        raise


def empty(path: Path) -> None:
    """Empties the file in place."""
    fd = _opened(path, "emptied")
    try:
        os.ftruncate(fd, 0)
        os.fsync(fd)
    finally:
        os.close(fd)


def copy(source: Path, target: Path) -> None:
    """Copies the file to a new one (0600), synced and compared."""
    reading = os.open(source, os.O_RDONLY | NOFOLLOW | NONBLOCK)
    try:
        writing = open_new(target)
        try:
            while (chunk := Secret(os.read(reading, CHUNK))).reveal():
                write_all(writing, chunk)
            os.fsync(writing)
        finally:
            os.close(writing)
        os.lseek(reading, 0, os.SEEK_SET)
        # Read back, since the caller empties the original after this.
        _compare(reading, target)
    finally:
        os.close(reading)


def _compare(reading: int, target: Path) -> None:
    copied = os.open(target, os.O_RDONLY | NOFOLLOW)
    try:
        chunk = Secret(b"-")
        while chunk.reveal():
            chunk = Secret(os.read(reading, CHUNK))
            if os.read(copied, CHUNK) != chunk.reveal():
                raise OSError(errno.EIO, os.strerror(errno.EIO))
    finally:
        os.close(copied)


def _opened(path: Path, doing: str) -> int:
    try:
        fd = os.open(path, os.O_WRONLY | NOFOLLOW | NONBLOCK)
    except OSError as error:
        why = _WHY_NOT.get(error.errno or 0)
        if why is None:
            raise
        refuse(doing, path, f"it is a mount point, which is written in place, and {why}; {REMEDY}")
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise no_file(path)
    return fd
