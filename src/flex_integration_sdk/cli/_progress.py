"""What a command waits for: one line on a terminal that is gone when the wait is over."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from ._tables import clean, cut, length

AFTER = 1.0  # seconds; a shorter wait needs no word
PERIOD = 0.2  # seconds between two looks; the line changes each second


@contextmanager
def waiting_for(what: str) -> Iterator[Callable[[str], None]]:
    """Says on stderr what a block waits for, once that takes a second, if stderr is a terminal.

    The line is gone when the block ends. What is printed meanwhile goes above it. A question may
    be asked: see :func:`hidden`; while a program of its own asks for a password, nothing is drawn.
    A block within another one says what it waits for until it ends.

    Args:
        what: Follows "waiting for": "the token store redis", say.

    Yields:
        A function that replaces ``what``.
    """
    line = _Line.current
    if line is None:
        if not _is_wanted(sys.stderr):
            yield lambda _: None
            return
        with _shown(_Line(sys.stderr, what)) as line:
            yield line.say
        return
    before = line.what
    line.say(what)
    try:
        yield line.say
    finally:
        line.say(before)


def sent_of(what: str) -> Callable[[int, int | None], None]:
    """Makes a function that shows in the line of :func:`waiting_for` how much was sent.

    Args:
        what: Follows "waiting for": "the upload", say.
    """

    def report(sent: int, total: int | None) -> None:
        if (line := _Line.current) is not None:
            # Not by ``say``, which would count the seconds anew.
            line.what = f"{what} {_share(sent, total)}"

    return report


def _share(sent: int, total: int | None) -> str:
    if not total:
        return f"{sent / 1e6:.1f} MB"
    done = 20 * sent // total
    return f"[{'#' * done}{'.' * (20 - done)}] {100 * sent // total}% of {total / 1e6:.1f} MB"


@contextmanager
def hidden() -> Iterator[None]:
    """A block that asks the user something: the line of :func:`waiting_for` is not shown in it."""
    line = _Line.current
    if line is None:
        yield
        return
    with line.paused():
        yield


def _is_wanted(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def _shown(line: _Line) -> Iterator[_Line]:
    """A block in which the line is drawn, and what is printed on the terminal goes above it."""
    thread = threading.Thread(target=line.run, name="flex-sdk progress", daemon=True)
    before = sys.stdout, sys.stderr
    try:
        sys.stderr = cast("TextIO", _Above(line, sys.stderr))
        if sys.stdout.isatty():
            sys.stdout = cast("TextIO", _Above(line, sys.stdout))
        _Line.current = line
        thread.start()
        yield line
    finally:
        _Line.current = None
        sys.stdout, sys.stderr = before
        line.end()
        if thread.ident is not None:
            thread.join()


class _Line:
    """The line, and the thread that draws it."""

    current: _Line | None = None

    def __init__(self, stream: TextIO, what: str) -> None:
        self.what = what
        self._stream = stream
        self._start = time.monotonic()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._text = ""  # what is drawn
        self._drawn = 0  # its columns of the terminal
        self._is_open = False  # somebody printed a line without its end: a question, say
        self._paused = 0
        self._pid = os.getpid()

    def say(self, what: str) -> None:
        """Replaces what it waits for. The seconds are counted anew."""
        with self._lock:
            self.what = what
            self._start = time.monotonic()
            self._erase()

    def run(self) -> None:
        """Draws until it is ended."""
        with suppress(OSError, ValueError):  # the terminal is gone, or the stream is closed
            while not self._ended.wait(PERIOD):
                with self._lock:
                    if not self._ended.is_set():
                        self._draw()

    def end(self) -> None:
        """Removes the line, for good."""
        with self._lock:
            self._ended.set()
            self._erase()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A block in which it is not drawn."""
        with self._lock:
            self._paused += 1
            self._erase()
        try:
            yield
        finally:
            with self._lock:
                self._paused -= 1
                self._is_open = False  # the answer ended its line

    def above(self, stream: TextIO, text: str) -> int:
        """Prints a text where the line is, which is drawn again below it."""
        if os.getpid() != self._pid:  # forked: nobody draws there, and the lock may be held
            return stream.write(text)
        with self._lock:
            self._erase()
            count = stream.write(text)  # raises for bytes: click asks so whether it takes them
            if text:
                self._is_open = not text.endswith("\n")
            return count

    def _draw(self) -> None:
        seconds = time.monotonic() - self._start
        if self._paused or self._is_open or seconds < AFTER or not _may_draw(self._stream):
            return
        columns = os.get_terminal_size(self._stream.fileno()).columns or 80
        # Not in the last column, where the terminal would begin a new line.
        text = cut(clean(f"waiting for {self.what} ({seconds:.0f} s)"), columns - 1)
        encoding = self._stream.encoding or "ascii"
        text = text.encode(encoding, "replace").decode(encoding)
        if text == self._text:
            return
        self._erase()
        self._text, self._drawn = text, length(text)
        self._stream.write(text)
        self._stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            with suppress(OSError, ValueError):
                # Blanks: not each terminal of Windows knows how to erase a line.
                self._stream.write(f"\r{' ' * self._drawn}\r")
                self._stream.flush()
            self._text, self._drawn = "", 0


def _may_draw(stream: TextIO) -> bool:
    """Whether nobody else uses the terminal: it asks for no password, and we are in front."""
    if sys.platform == "win32":
        return True
    import termios

    number = stream.fileno()
    with suppress(OSError):  # no terminal of ours: then it cannot say
        if os.tcgetpgrp(number) != os.getpgrp():
            return False
    return bool(termios.tcgetattr(number)[3] & termios.ECHO)


class _Above:
    """A standard stream whose text goes above the line."""

    def __init__(self, line: _Line, stream: TextIO) -> None:
        self._line = line
        self._stream = stream

    def write(self, text: str) -> int:
        """Prints a text, as the stream does."""
        return self._line.above(self._stream, text)

    def writelines(self, lines: Any) -> None:
        """Prints texts, as the stream does."""
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
