"""What Windows does differently with files: it refuses for a moment, and it has short paths."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

WINDOWS = os.name == "nt"

SHARING = {32, 33}  # sharing violation, lock violation: another program has it open
PATIENCE = 0.5  # seconds; whoever only looks at a file does not have it open for longer
_PAUSE = 0.01  # seconds between two tries
MAX_PATH = 260  # characters of a path, its end included, unless long paths are switched on
MAX_FOLDER = 248  # the same for a folder: a name of 8.3 characters must fit into it


def is_shared(error: OSError) -> bool:
    """Whether another program has the file open, which will not last."""
    return getattr(error, "winerror", None) in SHARING


def retried(action: Callable[[], T], until: float | None = None) -> T:
    """Repeats what Windows refuses while another program has the file open.

    Replacing or removing such a file is refused as "access denied", so each refusal is retried.

    Args:
        action: What to do.
        until: Monotonic time to try until; None: for :data:`PATIENCE` seconds.
    """
    if not WINDOWS:
        return action()
    if until is None:
        until = time.monotonic() + PATIENCE
    while True:
        try:
            return action()
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)


def has_long_paths() -> bool:
    """Whether paths may be longer than :data:`MAX_PATH` here."""
    if not WINDOWS:
        return True
    import ctypes

    try:
        windll = ctypes.windll  # type: ignore[attr-defined,unused-ignore]  # Windows
        return bool(windll.ntdll.RtlAreLongPathsEnabled())
    except (AttributeError, OSError):  # older than Windows 10 1607
        return False


def check_length(path: Path, longest_name: int) -> None:
    """Raises if a file beside ``path`` could not be made; the system says "not found" for it.

    Args:
        path: The file.
        longest_name: Characters of the longest name beside it.

    Raises:
        OSError: ENAMETOOLONG.
    """
    if not WINDOWS:
        return
    folder = len(str(path.parent))
    too_long = folder >= MAX_FOLDER or folder + 1 + longest_name >= MAX_PATH
    if too_long and not has_long_paths():
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))


def check_absent(path: Path) -> None:
    """Raises if the file is there after all, though the system has said that it is not found.

    Windows says so of each path that is too long for the program; the folder lists it.

    Raises:
        OSError: ENAMETOOLONG.
    """
    if len(str(path)) < MAX_FOLDER:
        return
    try:
        listed = path.name in os.listdir(path.parent)  # noqa: PTH208 - names, not paths
    except OSError:
        return
    if listed and not os.path.lexists(path):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))
