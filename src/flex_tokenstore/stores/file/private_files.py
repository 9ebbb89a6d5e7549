"""Private files: read, replaced whole, moved aside, and refused when others could touch them."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flex_tokenstore._host import windows
from flex_tokenstore._host.paths import make_private_folder, sync_folder
from flex_tokenstore._host.windows import check_absent, retried
from flex_tokenstore._values.secret import Secret
from flex_tokenstore.errors import TokenUnavailableError
from flex_tokenstore.stores.file.mounted import REMEDY, copy, empty, is_mount_point, write_in_place
from flex_tokenstore.stores.file.privacy import Permissions, Privacy, logger
from flex_tokenstore.stores.file.raw import (
    NOFOLLOW,
    NONBLOCK,
    contents,
    is_there,
    removed_on_failure,
    write_new,
)
from flex_tokenstore.stores.file.reasons import fail, no_file, reporting
from flex_tokenstore.stores.file.siblings import name_aside, temporary

__all__ = ["Permissions", "PrivateFiles", "Signature", "logger"]

Signature = tuple[int, int, int, int]  # inode, size in bytes, mtime and ctime in nanoseconds

_SETTLED = 300_000_000  # nanoseconds; who empties a file and then writes it takes some thousands


class PrivateFiles:
    """Files of one folder, for this user only.

    Args:
        folder: The folder; made with mode 0700 when first written to.
        permissions: What to do where others could read or change them.
        tighten: The folder is ours by default: take the others' rights away.
        problem: Why there is no such folder, which is raised when it is first needed.
        emptied: Another program empties the files before it writes them.
    """

    def __init__(
        self,
        folder: Path,
        permissions: Permissions,
        *,
        tighten: bool,
        problem: str = "",
        emptied: bool = False,
    ) -> None:
        self._folder = folder
        self._problem = problem
        self.privacy = Privacy(permissions, tighten=tighten)
        self.until: float | None = None
        """Monotonic time until which a save is tried, where another program has the file open."""
        self._emptied = emptied
        self._warned = False

    @property
    def folder(self) -> Path:
        """The folder.

        Raises:
            TokenUnavailableError: No folder can be used.
        """
        if self._problem:
            raise TokenUnavailableError(self._problem, store="file")
        return self._folder

    def signature(self, name: str) -> Signature | None:
        """What changes whenever the file does; None: there is no file."""
        path = self.folder / name
        try:
            # Through a link, if it is one: what changes is the file that it leads to.
            found = retried(path.stat)
        except FileNotFoundError:
            with reporting("inspected", path):
                check_absent(path)
            return None
        except OSError as error:
            fail("inspected", path, error)
        return _signature(found)

    def resolve(self, name: str) -> Path:
        """The path of the file itself: where a link in the folder leads to."""
        path = self.folder / name
        try:
            if not stat.S_ISLNK(retried(path.lstat).st_mode):
                return path
            # A rename onto the link would replace the link, and leave the file as it is.
            target = path.resolve()
            outside = target.parent != self.folder.resolve()
        except FileNotFoundError:
            return path
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, Python 3.12-
            fail("inspected", path, error if isinstance(error, OSError) else OSError(errno.ELOOP))
        if outside:
            self.privacy.object(path, "it is a link out of its folder", "put the file itself there")
        return target

    def read(
        self, path: Path, *, folder_is_checked: bool = False
    ) -> tuple[Secret[bytes], Signature] | None:
        """The file's bytes (of a larger one the first 1 MiB and a byte).

        None: the file is missing, or is an empty mount point.
        """
        with reporting("read", path), self._opened(path) as fd:
            if fd is None:
                return None
            if not folder_is_checked:
                self._check_folder()
            # Looked at before the bytes: a change meanwhile then shows in the next look.
            found = self.privacy.checked_file(path, fd)
            data = contents(fd)
            if not data.reveal().strip() and self._is_vacant(path, found):
                return None
            return data, _signature(found)

    def check(self, path: Path) -> None:
        """Refuses what :meth:`read` would, in a folder that is checked; no file is fine."""
        with reporting("read", path), self._opened(path) as fd:
            if fd is not None:
                self.privacy.checked_file(path, fd)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int | None]:
        try:
            fd = retried(lambda: os.open(path, os.O_RDONLY | NOFOLLOW | NONBLOCK))
        except FileNotFoundError:
            check_absent(path)
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
        """There is neither a file with content nor what a crash in a write of it left."""
        with reporting("inspected", path):
            if is_there(temporary(path)):
                return False
            return not is_there(path) or (path.lstat().st_size == 0 and is_mount_point(path))

    def replace(self, path: Path, data: Secret[bytes]) -> None:
        """Writes the file whole, so that a reader or a crash sees the old or the new one.

        Only the holder of the file's write lock may call it, or the other changing methods.
        """
        new = temporary(path)
        with reporting("written (its old content is kept)", path), removed_on_failure(new):
            write_new(new, data, lambda fd: self.privacy.look_at_new(path, fd))
            try:
                # The token exists nowhere else yet: a scanner or a backup is waited for.
                retried(lambda: new.replace(path), self.until)
            except OSError as error:
                self._in_place_after(error, path)
                write_in_place(path, data)
                new.unlink()
        # Out of the block above: the token is saved by now, and no error may say otherwise.
        _sync(path.parent)

    def remove(self, path: Path) -> None:
        """Removes the file, and what a crash in a write left; removing nothing is fine."""
        with reporting("removed", path):
            with suppress(FileNotFoundError):
                # It holds a whole token if a save was killed between its write and its rename.
                retried(temporary(path).unlink)
            try:
                retried(lambda: path.unlink(missing_ok=True))
            except OSError as error:
                self._in_place_after(error, path)
                empty(path)
        _sync(path.parent)

    def move_aside(self, path: Path, unchanged: Callable[[Path], bool]) -> Path | None:
        """Renames corrupt content to ``<name>.corrupt-<time>``, and returns that path.

        Args:
            path: The file.
            unchanged: Whether the file of this name holds what was to be moved. If not,
                everything stays as it is, and None is given.
        """
        with reporting("moved aside", path):
            aside = name_aside(path)
            try:
                # Renamed first, compared then: a program that does not take the write lock could
                # write between a comparison and a rename.
                retried(lambda: path.rename(aside))
            except OSError as error:
                self._in_place_after(error, path)
                return self._copy_aside(path, aside, unchanged)
        _sync(path.parent)
        if unchanged(aside):
            return aside
        self.put_back(aside, path)
        return None

    def _copy_aside(
        self, path: Path, aside: Path, unchanged: Callable[[Path], bool]
    ) -> Path | None:
        new = temporary(path)  # what is at ``aside`` is whole, whenever the process is killed
        with removed_on_failure(new):
            copy(path, new)
            new.rename(aside)
        _sync(path.parent)
        if not unchanged(path):
            aside.unlink()
            return None
        empty(path)
        return aside

    def _in_place_after(self, error: OSError, path: Path) -> None:
        """Raises the error, unless it says that the file is a mount point; warns of that once."""
        if error.errno != errno.EBUSY:
            raise error
        if not self._warned:
            self._warned = True
            logger.warning(
                "%s is a mount point, which cannot be replaced; it is written in place, and a "
                "power cut in that moment may damage it; %s",
                path,
                REMEDY,
            )

    def _is_vacant(self, path: Path, found: os.stat_result) -> bool:
        """Of a file with nothing in it: whether it is a mount point, and nobody is writing it."""
        changed = abs(time.time_ns() - found.st_mtime_ns)
        return not (self._emptied and changed < _SETTLED) and is_mount_point(path)

    def put_back(self, aside: Path, path: Path) -> None:
        """Undoes :meth:`move_aside`, unless there is another file by now."""
        with reporting("put back", path), suppress(FileExistsError):
            if not windows.WINDOWS and _linked(aside, path):
                aside.unlink()
            elif windows.WINDOWS or not is_there(path):
                retried(lambda: aside.rename(path))  # on Windows this never replaces

    def check_folder(self) -> None:
        """Refuses a folder in which others could plant files; none at all is fine."""
        with reporting("inspected", self.folder), suppress(FileNotFoundError):
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
        self.privacy.check_folder(self.folder)


def _linked(aside: Path, path: Path) -> bool:
    """Gives the file a second name, unless there is one; False: its file system has no links."""
    try:
        # link(2) never replaces a file, as rename(2) does.
        path.hardlink_to(aside)
    except FileExistsError:
        raise
    except OSError:  # FAT, Android, some network shares; each says it in its own way
        return False
    return True


def _sync(folder: Path) -> None:
    with reporting("made safe against a power cut (it was changed)", folder):
        sync_folder(folder)


def _signature(found: os.stat_result) -> Signature:
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
