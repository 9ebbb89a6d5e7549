"""No test of the kit hangs: one that takes too long is interrupted, and says where it was."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

SECONDS = 120.0  # for a test without the mark `timeout`; most take less than one
_AGAIN = 1.0  # an event loop may swallow what is raised in one of its callbacks


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """A block that fails the test if it takes longer, wherever it hangs.

    By a signal, so that it ends waits too. It does nothing in another thread, on Windows, and if
    somebody else uses that signal, such as pytest-timeout.
    """
    usable = (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    )
    if not usable:
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"the test did not end within {seconds:g} s: it hung in {_place(frame)}")

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def limit_of(request: pytest.FixtureRequest) -> float:
    """Seconds that the test may take: its mark says it, as for pytest-timeout."""
    mark = request.node.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None and mark.args else SECONDS


def _place(frame: FrameType | None) -> str:
    """The innermost function that is not of the standard library."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in sys.stdlib_module_names:
            return f"{frame.f_code.co_qualname}, {frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "the standard library"
