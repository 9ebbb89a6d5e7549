"""A small file that is replaced: whoever reads it has the old content or the new one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

WRITING: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
"""Of ``os.open``, for a file that is made where others may plant a link."""


def write_whole(path: Path, content: bytes, temporary: Path, *, mode: int = 0o666) -> None:
    """Replaces a file; the new one is on disk when this returns.

    Args:
        path: The file.
        content: What it is to have.
        temporary: A path in its folder that nobody else writes at the same time.
        mode: The rights of the new file, less those that the umask takes away.

    Raises:
        OSError: The file is as it was; the temporary one may be left.
    """
    with open(os.open(temporary, WRITING | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if os.name == "nt":
        return  # Windows opens no folders
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
