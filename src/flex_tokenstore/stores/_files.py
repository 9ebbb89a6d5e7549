"""Private files: read, replaced whole, moved aside, and refused when others could touch them."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, NoReturn

from flex_tokenstore.errors import TokenPermissionError, TokenUnavailableError

logger = logging.getLogger("flex_tokenstore.file")

Permissions = Literal["strict", "warn", "off"]
Signature = tuple[int, int, int, int]

LIMIT = 1 << 20  # bytes; a token has a few kilobytes
_WINDOWS = os.name == "nt"
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class PrivateFiles:
    """Files of one folder, for this user alone.

    Args:
        folder: The folder; made with mode 0700 when first written to.
        permissions: What to do where others could read or change them.
        tighten: The folder is ours by default: take the others' rights away.
    """

    def __init__(self, folder: Path, permissions: Permissions, *, tighten: bool) -> None:
        self.folder = folder
        self._permissions = permissions
        self._tighten = tighten

    def signature(self, name: str) -> Signature | None:
        """What changes whenever the file does; None: there is no file."""
        try:
            found = (self.folder / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.fail("looked at", self.folder / name, error)
        return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def read(self, name: str) -> bytes | None:
        """The file's bytes (of a larger one the first 1 MiB and a byte); None: no file."""
        path = self._resolved(name)
        try:
            fd = os.open(path, os.O_RDONLY | _NOFOLLOW | getattr(os, "O_BINARY", 0))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.fail("read", path, error)
        with os.fdopen(fd, "rb") as file:
            self._check_file(path, fd)
            return file.read(LIMIT + 1)

    def replace(self, name: str, data: bytes) -> None:
        """Writes the file whole, so that a reader or a crash sees the old or the new one."""
        path = self._resolved(name)
        self.prepare_folder()
        temporary = self.folder / f".{name}.tmp"
        try:
            self._write_new(temporary, data)
            _replace(temporary, path)
            self._sync_folder()
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            self.fail("written (the old token is kept)", path, error)

    def remove(self, name: str) -> None:
        """Removes the file; removing nothing is fine."""
        path = self._resolved(name)
        try:
            path.unlink(missing_ok=True)
            if self.folder.is_dir():
                self._sync_folder()
        except NotADirectoryError:
            pass
        except OSError as error:
            self.fail("removed", path, error)

    def move_aside(self, name: str) -> None:
        """Renames corrupt content to ``<name>.corrupt-<time>`` and keeps it."""
        path = self._resolved(name)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        for attempt in range(100):
            aside = self.folder / f"{name}.corrupt-{stamp}{f'-{attempt}' if attempt else ''}"
            if aside.exists():
                continue
            try:
                path.rename(aside)
                self._sync_folder()
            except OSError as error:
                self.fail("moved aside", path, error)
            logger.warning("%s held no token and was moved to %s", path, aside)
            return
        self.fail("moved aside", path, FileExistsError(errno.EEXIST, "too many corrupt copies"))

    def publish(self, name: str, data: bytes) -> bool:
        """Makes the file with its content, whole; False if it is there already."""
        self.prepare_folder()
        path = self.folder / name
        temporary = self.folder / f".{name}.{os.getpid()}.{time.monotonic_ns()}.tmp"
        try:
            self._write_new(temporary, data)
            try:
                if _WINDOWS:
                    temporary.rename(path)  # which never replaces there
                else:
                    os.link(temporary, path)
            except FileExistsError:
                return False
            self._sync_folder()
        except OSError as error:
            self.fail("written", path, error)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return True

    def prepare_folder(self) -> None:
        """Makes the folder, and refuses one in which others could plant files."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.stat()
        except OSError as error:
            self.fail("written to", self.folder, error)
        if _WINDOWS:
            return
        mode = stat.S_IMODE(found.st_mode)
        if self._tighten and mode & 0o077 and found.st_uid == os.geteuid():
            self.folder.chmod(0o700)
        elif mode & 0o022 and not mode & stat.S_ISVTX:
            self._object(
                self.folder,
                "others may write in it",
                f"chmod go-w {self.folder}, or choose another",
            )

    def fail(self, doing: str, path: Path, error: OSError) -> NoReturn:
        """Raises the error of ours for one of the file system."""
        advice = {
            errno.ENOSPC: "the disk is full: free some space",
            errno.EDQUOT: "the disk quota is used up: free some space",
            errno.EROFS: "the file system is read-only: choose another place with the option path",
            errno.EACCES: f"this user may not: check the owner and mode of {path}",
            errno.EPERM: f"this user may not: check the owner and mode of {path}",
            errno.ELOOP: "it is a symbolic link",
        }.get(error.errno or 0, error.strerror or type(error).__name__)
        denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP)
        kind = TokenPermissionError if denied else TokenUnavailableError
        raise kind(
            f"{path} could not be {doing}: {advice}", store="file", place=str(path)
        ) from None

    def _resolved(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_symlink():
            return path
        target = path.resolve()
        if target.parent != self.folder.resolve():
            self._object(path, "it is a link out of its folder", "put the file itself there")
        return target

    def _check_file(self, path: Path, fd: int) -> None:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise TokenPermissionError(
                f"{path} is not an ordinary file", store="file", place=str(path)
            )
        if _WINDOWS:
            return
        if found.st_uid != os.geteuid():
            self._object(
                path,
                f"it belongs to another user (uid {found.st_uid})",
                "run as that user, choose another path, or, in a container with foreign uids, "
                'set permissions="warn"',
            )
        elif found.st_mode & 0o077 and self._permissions != "off":
            os.fchmod(fd, 0o600)
            logger.warning("%s could be read by others; its mode is now 0600", path)

    def _object(self, path: Path, why: str, remedy: str) -> None:
        if self._permissions == "strict":
            raise TokenPermissionError(
                f"{path} is not private: {why}; {remedy}", store="file", place=str(path)
            )
        if self._permissions == "warn":
            logger.warning("%s is not private: %s", path, why)

    def _write_new(self, path: Path, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | getattr(os, "O_BINARY", 0)
        try:
            fd = os.open(path, flags, 0o600)
        except FileExistsError:
            path.unlink()  # left by a crash: only the holder of the write lock comes here
            fd = os.open(path, flags, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _sync_folder(self) -> None:
        if _WINDOWS:
            return
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _replace(source: Path, target: Path) -> None:
    for attempt in range(20):
        try:
            source.replace(target)
            return
        except PermissionError:
            # Windows refuses while a reader has the file open; it will not for long.
            if not _WINDOWS or attempt == 19:
                raise
            time.sleep(0.01)
