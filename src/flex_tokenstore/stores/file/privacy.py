"""Who may touch the files: what is looked at, tightened, refused or kept, by ``permissions``."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal

from flex_tokenstore._host import windows
from flex_tokenstore._host.looking import is_looking
from flex_tokenstore._host.owners import ROOT, owner_named
from flex_tokenstore._host.paths import user_folder
from flex_tokenstore.errors import TokenPermissionError
from flex_tokenstore.stores.file.reasons import no_file

logger = logging.getLogger("flex_tokenstore.file")

Permissions = Literal["strict", "warn", "off"]

PRIVATE = 0o600
_OTHERS = 0o077  # the rights of the group and of all others
_NO_MODES = "its file system does not keep modes (chmod changed nothing)"


class Privacy:
    """Looks at modes and owners.

    Args:
        permissions: What to do where others could read or change the files.
        tighten: The folder is ours by default: take the others' rights away.
    """

    def __init__(self, permissions: Permissions, *, tighten: bool) -> None:
        self._permissions = permissions
        self._tighten = tighten
        self._warned = False

    @property
    def is_off(self) -> bool:
        """Nothing is looked at."""
        return self._permissions == "off"

    def check_folder(self, folder: Path) -> None:
        """Refuses a folder in which others could plant files.

        Raises:
            TokenPermissionError: It is one, and ``permissions`` is ``strict``.
            OSError: The file system refuses.
        """
        if self.is_off:
            return
        if windows.WINDOWS:
            self._look_at_location(folder)
            return
        found = folder.stat()
        # Only the default folder: any other may be shared with others on purpose.
        if self._tighten and found.st_mode & _OTHERS and found.st_uid == os.geteuid():
            if is_looking():
                return
            folder.chmod(0o700)
            found = folder.stat()  # some file systems accept a mode, and do not keep it
            if not found.st_mode & _OTHERS:
                logger.warning("%s was open to other users; its mode is now 0700", folder)
                return
        # Root may replace any file in any case.
        if found.st_uid not in (os.geteuid(), ROOT):
            owner = owner_named(found.st_uid)
            self.object(
                folder,
                f"it belongs to another user, {owner}, who could replace the token",
                "run as that user, or choose another folder",
            )
        # In a sticky folder, such as /tmp, others cannot rename or remove this user's files.
        elif found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            remedy = f"chmod go-w {folder}, or choose another folder"
            self.object(folder, "other users can write in it", remedy)

    def checked_file(self, path: Path, fd: int) -> os.stat_result:
        """What the open file is; tightens or refuses one that others may read.

        Raises:
            TokenPermissionError: It is not private, and ``permissions`` is ``strict``.
            TokenUnavailableError: It is not an ordinary file.
        """
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise no_file(path)
        if windows.WINDOWS or self.is_off:
            return found
        if found.st_uid != os.geteuid():
            why = f"it belongs to another user, {owner_named(found.st_uid)}"
            self.object(path, why, "run as that user, or choose another path")
        elif found.st_mode & _OTHERS and not is_looking():
            with suppress(OSError):
                # By the descriptor: the path may lead to another file by now.
                os.fchmod(fd, PRIVATE)
            # Again: WSL and CIFS accept a chmod and change nothing.
            found = os.fstat(fd)
            if found.st_mode & _OTHERS:
                self._object_to_readers(path)
            else:
                logger.warning("%s could be read by other users; its mode is now 0600", path)
        return found

    def look_at_new(self, path: Path, fd: int) -> None:
        """Looks at a file that was just made with mode 0600, before anything is written into it.

        With ``off`` it gets the mode and the group of the file that it will replace; if there is
        none, the folder's group, with its rights in the folder.

        Raises:
            TokenPermissionError: The file system gave it another mode, and ``permissions`` is
                ``strict``.
        """
        if windows.WINDOWS:
            return
        if not self.is_off:
            if os.fstat(fd).st_mode & _OTHERS:
                self._object_to_readers(path)
            return
        try:
            before = path.stat()
            group, mode = before.st_gid, stat.S_IMODE(before.st_mode)
        except OSError:
            group, mode = path.parent.stat().st_gid, self.mode_in(path.parent)
        with suppress(OSError):  # this user may not be in that group
            if group != os.fstat(fd).st_gid:
                os.fchown(fd, -1, group)
        if group != os.fstat(fd).st_gid:
            mode &= ~0o070  # the file is another group's, which has no right to it
        with suppress(OSError):
            os.fchmod(fd, mode)

    def mode_in(self, folder: Path) -> int:
        """Mode of a new file in the folder; with ``off`` who shares the folder shares the file."""
        if self.is_off and not windows.WINDOWS:
            with suppress(OSError):
                mode = folder.stat().st_mode
                if mode & stat.S_IWGRP:
                    return PRIVATE | mode & 0o060
        return PRIVATE

    def object(self, path: Path, why: str, remedy: str) -> None:
        """Raises or warns.

        Raises:
            TokenPermissionError: ``permissions`` is ``strict``.
        """
        if self._permissions == "strict":
            raise TokenPermissionError(
                f"{path} is not private: {why}; {remedy}; or, where that is meant to be so, as in "
                'a container with foreign uids, set permissions="warn"',
                store="file",
                place=str(path),
            )
        logger.warning("%s is not private: %s", path, why)

    def _object_to_readers(self, path: Path) -> None:
        remedy = f"chmod 600 {path}, or choose a folder on another file system"
        self.object(path, f"other users can read it, and {_NO_MODES}", remedy)

    def _look_at_location(self, folder: Path) -> None:
        """Windows: files inherit the rights of their folder; those of a profile are private."""
        if self._warned or self._permissions != "strict":
            return
        profile = user_folder()
        if profile is None or profile not in (folder, *folder.parents):
            self._warned = True
            logger.warning(
                "%s is outside of your user folder: on Windows this store does not check who may "
                'read it; look with `icacls "%s"`, or choose a folder in %s',
                folder,
                folder,
                profile or "your user folder",
            )
