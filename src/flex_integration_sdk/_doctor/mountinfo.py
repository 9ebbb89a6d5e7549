"""The mount that a path is in, as Linux tells it (``/proc/self/mountinfo``, proc(5))."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One mount."""

    point: str
    """Where it is mounted."""
    kind: str
    """Its file system, such as ``ext4``."""
    is_read_only: bool
    """By this mount, or by the file system itself."""


def mount_of(path: Path) -> Mount | None:
    """The mount that the path is in; None where the system does not say.

    Args:
        path: Something that is there; a link is followed.
    """
    number = _number_of(path)
    if number is None:
        return None
    with suppress(OSError):
        # In UTF-8 with escapes: a name may have any bytes.
        text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        return parse(text).get(number)
    return None


def parse(text: str) -> dict[int, Mount]:
    """The mounts by their number."""
    found = {}
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if not dash or len(fields) < 6 or len(kind) < 3:
            continue
        options = {*fields[5].split(","), *kind[2].split(",")}
        found[int(fields[0])] = Mount(_plain(fields[4]), kind[0], "ro" in options)
    return found


def _plain(field: str) -> str:
    """Blanks, tabs, line ends and backslashes are written as octal numbers."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)


def _number_of(path: Path) -> int | None:
    if not hasattr(os, "O_PATH"):
        return None
    try:
        fd = os.open(path, os.O_PATH)  # which needs no right to read (open(2))
    except OSError:
        return None
    try:
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    finally:
        os.close(fd)
    return next((int(line.split()[1]) for line in lines if line.startswith("mnt_id")), None)
