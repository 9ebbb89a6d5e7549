"""A program on a pseudo-terminal: what it writes there, and what a person sees in the end."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

with contextlib.suppress(ImportError):  # of Unix
    import fcntl
    import pty
    import struct
    import termios

LIMIT = 60  # seconds
_COLOUR = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]")
_STEP = re.compile(r"\x1b\[(?:2K|1A)|.", re.DOTALL)


class Terminal:
    """The terminal, with the program that runs on it."""

    def __init__(self, master: int, child: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._child = child
        self._bytes = b""

    @property
    def written(self) -> str:
        """All that the program wrote up to now."""
        return self._bytes.decode(errors="replace")

    @property
    def screen(self) -> list[str]:
        """The lines that a person sees: what was overwritten is gone."""
        lines, row, column = [""], 0, 0
        for step in _STEP.findall(_COLOUR.sub("", self.written)):
            if step == "\r":
                column = 0
            elif step == "\n":
                row += 1
                lines[row:] = lines[row:] or [""]
                column = 0
            elif step == "\x1b[2K":
                lines[row] = ""
            elif step == "\x1b[1A":
                row -= 1
            else:
                line = lines[row].ljust(column)
                lines[row] = line[:column] + step + line[column + 1 :]
                column += 1
        return [line.rstrip() for line in lines]

    def until(self, text: str) -> None:
        """Reads until the program has written a text."""
        ends = time.monotonic() + LIMIT
        while text not in self.written:
            assert time.monotonic() < ends, f"{text!r} is not in {self.written!r}"
            assert self._read(1.0), f"it ended without {text!r}: {self.written!r}"

    def read_all(self) -> None:
        """Reads what the program has written, without waiting for more."""
        while select.select([self._master], [], [], 0)[0] and self._read(0):
            pass

    def type(self, text: str) -> None:
        """Types a text."""
        os.write(self._master, text.encode())

    def ended(self) -> int:
        """Reads to the end; returns the exit code."""
        ends = time.monotonic() + LIMIT
        while self._read(1.0):
            assert time.monotonic() < ends, f"it goes on: {self.written!r}"
        return self._child.wait(LIMIT)

    def _read(self, seconds: float) -> bool:
        """Reads what there is within some seconds; False: no more will come."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            found = os.read(self._master, 65536)
        except OSError:  # Linux ends a pseudo-terminal this way
            return False
        self._bytes += found
        return bool(found)


def _take_terminal() -> None:
    """In the new process: the terminal is its own, and Ctrl-C reaches it.

    A shell's job in the background ignores SIGINT, and all that it starts inherits that.
    """
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def on_terminal(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 80,
    **more: Any,
) -> Iterator[Terminal]:
    """Runs a program with all its streams on a terminal, which is its controlling one.

    Args:
        command: The program and its arguments.
        environment: Its whole environment; ``TERM`` is added.
        columns: How wide the terminal is.
        more: For ``subprocess.Popen``.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdin": slave, "stdout": slave, "stderr": slave}
    child = subprocess.Popen(
        command,
        env={"TERM": "xterm", **environment},
        start_new_session=True,
        preexec_fn=_take_terminal,
        **{**streams, **more},
    )
    os.close(slave)
    try:
        yield Terminal(master, child)
    finally:
        os.close(master)
        child.kill()
        child.wait()
