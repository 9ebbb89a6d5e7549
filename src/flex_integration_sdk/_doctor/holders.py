"""Which process holds the lock on a file, and since when it runs (Linux: /proc)."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .words import span

_LINE = re.compile(
    r"\d+: (?:FLOCK|POSIX|OFDLCK) +\w+ +\w+ +(?P<pid>-?\d+) +[0-9a-f]+:[0-9a-f]+:(?P<inode>\d+) "
)


class Holder(NamedTuple):
    """A process that holds a lock."""

    pid: int
    name: str
    age: float | None
    """Seconds since it was started; None: not known."""

    def __str__(self) -> str:
        since = "" if self.age is None else f", which has run for {span(self.age)},"
        return f"The process {self.pid} ({self.name}){since} holds it"


def holder_of(path: Path) -> Holder | None:
    """The process that holds a lock on the file; None: that is not known."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    # Not by the device too: overlay and btrfs show another one than the kernel's list has.
    found = [m for m in map(_LINE.match, lines) if m and int(m["inode"]) == inode]
    # 0 or less: a process of another container, or a file that several processes have open.
    pids = sorted(pid for m in found if (pid := int(m["pid"])) > 0 and pid != os.getpid())
    return Holder(pids[0], _name(pids[0]), _age(pids[0])) if pids else None


def _name(pid: int) -> str:
    with suppress(OSError):
        # Not its arguments, which may hold a secret.
        found = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace")
        return found.strip()
    return "?"


def _age(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # The name may hold blanks and parentheses; field 22 is the start, in ticks since the boot.
        started = int(fields.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return None
