"""Private files: read, replaced whole, moved aside, and refused when others could touch them."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeVar

from flex_tokenstore._folders import make_private_folder, sync_folder
from flex_tokenstore._secret import Secret
from flex_tokenstore.errors import TokenPermissionError, TokenUnavailableError
from flex_tokenstore.stores._beside import beside, temporary
from flex_tokenstore.stores._reasons import fail, no_file, reporting

logger = logging.getLogger("flex_tokenstore.file")

T = TypeVar("T")
Permissions = Literal["strict", "warn", "off"]
Signature = tuple[int, int, int, int]  # inode, size in bytes, mtime and ctime in nanoseconds

LIMIT = 1 << 20  # bytes; a token has a few kilobytes
_WINDOWS = os.name == "nt"
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a named pipe would wait for a writer
_CHUNK = 1 << 16  # bytes


class PrivateFiles:
    """Files of one folder, for this user alone.

    Args:
        folder: The folder; made with mode 0700 when first written to.
        permissions: What to do where others could read or change them.
        tighten: The folder is ours by default: take the others' rights away.
        problem: Why there is no such folder, which is raised when it is first needed.
    """

    def __init__(
        self, folder: Path, permissions: Permissions, *, tighten: bool, problem: str = ""
    ) -> None:
        self._folder = folder
        self._problem = problem
        self._permissions = permissions
        self._tighten = tighten

    @property
    def folder(self) -> Path:
        """The folder.

        Raises:
            TokenUnavailableError: There is none that it could be.
        """
        if self._problem:
            raise TokenUnavailableError(self._problem, store="file")
        return self._folder

    def signature(self, name: str) -> Signature | None:
        """What changes whenever the file does; None: there is no file."""
        path = self.folder / name
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            fail("looked at", path, error)
        return _signature(found)

    def resolve(self, name: str) -> Path:
        """The path of the file itself: where a link in the folder leads to."""
        path = self.folder / name
        try:
            if not stat.S_ISLNK(path.lstat().st_mode):
                return path
            target = path.resolve()
            outside = target.parent != self.folder.resolve()
        except FileNotFoundError:
            return path
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, Python 3.12-
            fail("looked at", path, error if isinstance(error, OSError) else OSError(errno.ELOOP))
        if outside:
            self._object(path, "it is a link out of its folder", "put the file itself there")
        return target

    def read(
        self, path: Path, *, folder_is_checked: bool = False
    ) -> tuple[Secret[bytes], Signature] | None:
        """The file's bytes (of a larger one the first 1 MiB and a byte); None: no file."""
        with reporting("read", path), self._opened(path) as fd:
            if fd is None:
                return None
            if not folder_is_checked:
                self._check_folder()
            # Looked at before the bytes: a change meanwhile then shows in the next look.
            found = self._checked_file(path, fd)
            return _contents(fd), _signature(found)

    def check(self, path: Path) -> None:
        """Refuses what :meth:`read` would, in a folder that is checked; no file is fine."""
        with reporting("read", path), self._opened(path) as fd:
            if fd is not None:
                self._checked_file(path, fd)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int | None]:
        try:
            fd = retried(lambda: os.open(path, os.O_RDONLY | _NOFOLLOW | _NONBLOCK))
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            if error.errno == errno.ENXIO:  # a socket
                raise no_file(path) from None
            raise
        try:
            yield fd
        finally:
            os.close(fd)

    def is_clean(self, path: Path) -> bool:
        """There is neither the file nor what a crash in a write of it left."""
        with reporting("looked at", path):
            return not _is_there(path) and not _is_there(temporary(path))

    def replace(self, path: Path, data: Secret[bytes]) -> None:
        """Writes the file whole, so that a reader or a crash sees the old or the new one.

        Only the holder of the file's write lock may call it, or the other changing methods.
        """
        new = temporary(path)
        with reporting("written (what it held is kept)", path), _removed_on_failure(new):
            _write_new(new, data)
            retried(lambda: new.replace(path))
        _sync(path.parent)

    def remove(self, path: Path) -> None:
        """Removes the file, and what a crash in a write left; removing nothing is fine."""
        with reporting("removed", path):
            for each in (temporary(path), path):
                with suppress(FileNotFoundError):
                    retried(each.unlink)
        _sync(path.parent)

    def move_aside(self, path: Path) -> Path:
        """Renames corrupt content to ``<name>.corrupt-<time>``, which it gives."""
        form = f"{{}}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        with reporting("moved aside", path):
            aside, count = beside(path, form), 0
            while _is_there(aside):
                count += 1
                aside = beside(path, f"{form}-{count}")
            retried(lambda: path.rename(aside))
        _sync(path.parent)
        return aside

    def put_back(self, aside: Path, path: Path) -> None:
        """Undoes :meth:`move_aside`, unless there is another file by now."""
        with reporting("put back", path), suppress(FileExistsError):
            if _WINDOWS:
                retried(lambda: aside.rename(path))  # which never replaces there
            else:
                path.hardlink_to(aside)
                aside.unlink()

    def check_folder(self) -> None:
        """Refuses a folder in which others could plant files; none at all is fine."""
        with reporting("looked at", self.folder), suppress(FileNotFoundError):
            self._check_folder()

    def prepare_folder(self) -> None:
        """Makes the folder, and refuses one in which others could plant files."""
        with reporting("written to", self.folder):
            try:
                self._check_folder()
            except FileNotFoundError:
                make_private_folder(self.folder)
                self._check_folder()

    def _check_folder(self) -> None:
        if _WINDOWS or self._permissions == "off":
            return
        found = self.folder.stat()
        mode = stat.S_IMODE(found.st_mode)
        if self._tighten and mode & 0o077 and found.st_uid == os.geteuid():
            self.folder.chmod(0o700)
            logger.warning("%s was open to others; its mode is now 0700", self.folder)
        elif mode & 0o022 and not mode & stat.S_ISVTX:
            remedy = f"chmod go-w {self.folder}, or choose another folder"
            self._object(self.folder, "others may write in it", remedy)

    def _checked_file(self, path: Path, fd: int) -> os.stat_result:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise no_file(path)
        if _WINDOWS or self._permissions == "off":
            return found
        if found.st_uid != os.geteuid():
            why = f"it belongs to another user (uid {found.st_uid})"
            self._object(path, why, "run as that user, or choose another path")
        elif found.st_mode & 0o077:
            try:
                os.fchmod(fd, 0o600)
            except OSError:
                self._object(path, "others may read it", f"chmod 600 {path}")
            else:
                logger.warning("%s could be read by others; its mode is now 0600", path)
                return os.fstat(fd)
        return found

    def _object(self, path: Path, why: str, remedy: str) -> None:
        if self._permissions == "strict":
            raise TokenPermissionError(
                f"{path} is not private: {why}; {remedy}; or, where that is meant to be so, as in "
                'a container with foreign uids, set permissions="warn"',
                store="file",
                place=str(path),
            )
        logger.warning("%s is not private: %s", path, why)


@contextmanager
def _removed_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _is_there(path: Path) -> bool:
    # Not os.path.lexists: it takes every error for absence.
    with suppress(FileNotFoundError):
        path.lstat()
        return True
    return False


def _sync(folder: Path) -> None:
    with reporting("made safe against a power cut (it was changed)", folder):
        sync_folder(folder)


def _signature(found: os.stat_result) -> Signature:
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _write_new(path: Path, data: Secret[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
    try:
        fd = retried(lambda: os.open(path, flags, 0o600))
    except FileExistsError:
        retried(path.unlink)  # left by a crash: whoever writes holds a lock on it
        fd = retried(lambda: os.open(path, flags, 0o600))
    try:
        written = 0
        while written < len(data.reveal()):
            written += os.write(fd, data.reveal()[written:])
        os.fsync(fd)
    finally:
        os.close(fd)


def _contents(fd: int) -> Secret[bytes]:
    # Plain calls: a file object adds four system calls and keeps the bytes in its buffer.
    chunks: list[Secret[bytes]] = []
    left = LIMIT + 1
    while left > 0:
        chunk = Secret(os.read(fd, min(left, _CHUNK)))
        if not chunk.reveal():
            break
        chunks.append(chunk)
        left -= len(chunk.reveal())
    return Secret(b"".join(chunk.reveal() for chunk in chunks))


def retried(action: Callable[[], T]) -> T:
    """What ``action`` gives; on Windows tried again while another process has the file open."""
    for _ in range(50 if _WINDOWS else 0):
        try:
            return action()
        except PermissionError:
            # Windows refuses while another process has the file open; it will not for long.
            time.sleep(0.01)
    return action()
