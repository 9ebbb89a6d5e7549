"""The key file: read if it is private, and made anew as a private one."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from flex_tokenstore import Secret, TokenPermissionError, TokenStoreError, TokenUnavailableError

logger = logging.getLogger("flex_tokenstore.encrypted")

Permissions = Literal["strict", "warn", "off"]

_LARGEST = 1 << 16  # bytes; a thousand keys are less
_OTHERS = 0o077  # the rights of the group and of all others
_OTHERS_WRITE = 0o022
_ROOT = 0
_HAS_MODES = os.name == "posix"


class KeyFile:
    """Reads a key file, if nobody else can read or replace it.

    Args:
        path: Where it is. A link is followed, as in a volume of Kubernetes.
        permissions: What to do if others can read or replace it.
    """

    def __init__(self, path: Path, permissions: Permissions) -> None:
        self._path, self._permissions = path, permissions
        self._warned: set[str] = set()

    def read(self) -> tuple[Secret[bytes] | None, str | TokenStoreError]:
        """Its content; or what is wrong with it, or the error to raise."""
        fd = -1
        try:
            # Not to wait for somebody who writes into a pipe.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
            fd = os.open(self._path, flags | getattr(os, "O_BINARY", 0))
            # Of what is open: the path may lead to another file by now.
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return None, "is not an ordinary file"
            refused = self._refused(found)
            if refused is not None:
                return None, refused
            data = Secret(b"")
            while len(data.reveal()) <= _LARGEST and (more := Secret(os.read(fd, _LARGEST))):
                data = Secret(data.reveal() + more.reveal())
        except PermissionError as error:
            return None, _forbidden(self._path, error)
        except OSError as error:
            # No mistake in the options: a volume may be mounted later, or a disk fail.
            return None, TokenUnavailableError(
                f"the key file {self._path} cannot be read now: "
                f"{error.strerror or type(error).__name__}",
                store="encrypted",
            )
        except ValueError as error:  # no path at all
            return None, f"cannot be read: {type(error).__name__}"
        finally:
            if fd >= 0:
                os.close(fd)
        if len(data.reveal()) > _LARGEST:
            return None, f"is larger than {_LARGEST >> 10} KiB: it contains more than keys"
        return data, ""

    def is_there(self) -> bool:
        """Whether there may be a key file: False if there is none, or something else."""
        try:
            return stat.S_ISREG(self._path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return False
        except OSError:
            return True  # what is wrong is told when it is read

    def _refused(self, found: os.stat_result) -> TokenPermissionError | None:
        for problem in self._problems(found) if _HAS_MODES and self._permissions != "off" else ():
            if self._permissions == "strict":
                return TokenPermissionError(
                    f"the key file {self._path} is not private: {problem}; or, where that is meant "
                    'to be so, as in a container, set permissions="warn"',
                    store="encrypted",
                )
            if problem not in self._warned:
                self._warned.add(problem)
                logger.warning("the key file %s is not private: %s", self._path, problem)
        return None

    def _problems(self, found: os.stat_result) -> Iterator[str]:
        """What is wrong, each with what to do."""
        trusted = (os.geteuid(), _ROOT)  # root may do anything in any case
        if found.st_uid not in trusted:
            yield "it belongs to another user; run as that user, or make a copy of your own"
        elif found.st_mode & _OTHERS:
            yield f"other users have rights to it; run: chmod 600 {self._path}"
        for folder in dict.fromkeys((self._path.parent, self._path.resolve().parent)):
            with suppress(OSError):
                there = folder.stat()
                # In a sticky folder, such as /tmp, others cannot replace this user's files.
                if there.st_mode & _OTHERS_WRITE and not there.st_mode & stat.S_ISVTX:
                    yield f"others can replace it, in {folder}; run: chmod go-w {folder}"
                elif there.st_uid not in trusted:
                    yield f"another user, who owns {folder}, can replace it; choose another folder"


def _forbidden(path: Path, error: PermissionError) -> TokenPermissionError:
    remedy = f"make it this user's own, with chown and chmod 600 {path}; or run as its owner"
    try:
        path.stat()
    except OSError:
        remedy = f"let this user enter the folder {path.parent} and those that it is in"
    return TokenPermissionError(
        f"this user may not read the key file {path} ({error.strerror or 'refused'}): {remedy}",
        store="encrypted",
    )


def write_new(path: Path, data: Secret[bytes], *, replace: bool) -> None:
    """Writes a private file, whole or not at all.

    Args:
        path: Where. With ``replace`` a link is followed.
        data: What to write.
        replace: False: the file must not exist.

    Raises:
        FileExistsError: It exists.
        OSError: It cannot be written.
    """
    target = path.resolve() if replace else path
    new = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    fd = os.open(new, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data.reveal())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            new.replace(target)
        else:
            _publish(new, target)
    finally:
        new.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _publish(new: Path, target: Path) -> None:
    """Gives the file its name, unless there is one of that name."""
    try:
        os.link(new, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError from None
        new.replace(target)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows opens no folders
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
