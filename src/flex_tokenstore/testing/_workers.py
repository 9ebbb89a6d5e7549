"""The parent's side of :mod:`._worker`."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from ._handles import Kind, Setup

# Seconds; a process that takes longer for a command is ended, and the test fails.
ANSWER_WITHIN = 30.0
LONGER = {
    "open": 60.0,  # starts Python and imports the store; 32 may do that at once
    **dict.fromkeys(("write", "read", "increment", "count_under_lock", "storm"), 90.0),
}
_LATE = 5.0  # seconds in which the process, which has the same limit, says by itself where it is
_END = 10.0  # seconds in which processes that have nothing more to do must end


class WorkerError(AssertionError):
    """A command failed in the child; its ``kind`` is the class name of what was raised."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"in a second process: {kind}: {message}")
        self.kind = kind


class Worker:
    """A child process that has opened the store.

    Args:
        flags: Methods of ``_worker.Child`` that it calls before it imports the store.
    """

    def __init__(self, setup: Setup, identity: Any, kind: Kind = "sync", *flags: str) -> None:
        try:
            pickle.dumps((setup, identity))
        except Exception as error:
            raise AssertionError(
                f"the store config cannot be pickled for another process ({type(error).__name__}): "
                "let store_config return a name, a mapping of plain values, or a function at the "
                'top level of a module that makes one; or set shared_by = "handles"'
            ) from None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flex_tokenstore.testing._worker", *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A group of its own, so that what it starts can be ended with it.
            start_new_session=True,
        )
        self._sent: list[str] = []
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        pickle.dump(sys.path, self._input)
        self.send("open", setup, identity, kind)
        self._opened = False

    def call(self, command: str, *arguments: Any) -> Any:
        """Makes it do something, and returns the result."""
        self.send(command, *arguments)
        return self.receive()

    def send(self, command: str, *arguments: Any) -> None:
        """Has it do something; the result is for :meth:`receive`."""
        self._sent.append(command)
        limit = LONGER.get(command, ANSWER_WITHIN)
        # Twice: what cannot be read there must not spoil the stream.
        pickle.dump((limit, pickle.dumps((command, arguments))), self._input)
        self._input.flush()

    def receive(self) -> Any:
        if not self._opened:
            self._opened = True
            self._next()
        return self._next()

    def ready(self) -> Worker:
        """Waits until it has opened the store."""
        if not self._opened:
            self._opened = True
            self._next()
        return self

    def kill(self) -> None:
        """Ends it as ``kill -9`` does; what it has started lives on until :meth:`close`."""
        if hasattr(os, "waitid"):
            # Not reaped: its process id, which is that of its group too, must stay its own.
            os.kill(self._process.pid, signal.SIGKILL)
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """Has it end when it is done with what it does."""
        with suppress(OSError):
            self._input.close()

    def close(self, deadline: float | None = None) -> None:
        """Waits for its end, at most until ``deadline``, and ends all that it has started."""
        self.end()
        if deadline is None:
            deadline = time.monotonic() + _END
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(0.005)
        self._kill_all()
        self._process.wait()
        self._output.close()

    def _has_ended(self) -> bool:
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.poll() is not None
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG  # not reaped, as above
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def _kill_all(self) -> None:
        """Ends the process and its children, which may hang, or hold its end of the pipe."""
        if os.name != "nt":
            with suppress(ProcessLookupError, PermissionError):  # macOS: all of it are zombies
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self._process.poll() is None:
            tree = ["taskkill", "/F", "/T", "/PID", str(self._process.pid)]
            subprocess.run(tree, capture_output=True, check=False)

    def _next(self) -> Any:
        command = self._sent.pop(0)
        limit = LONGER.get(command, ANSWER_WITHIN)
        began = time.monotonic()
        # pickle.load has no time limit; the end of the child, and of its own, ends its output.
        timer = threading.Timer(limit + _LATE, self._kill_all)
        timer.daemon = True
        timer.start()
        try:
            done, value, message = pickle.load(self._output)
        except EOFError:
            if time.monotonic() - began < limit - 1:
                raise WorkerError("EOFError", f"it ended during {command!r}") from None
            raise WorkerError(
                "TimeoutError",
                f"{command!r} did not return within {limit:g} s, and the process was ended. What "
                "it wrote to standard error says at which line it hung",
            ) from None
        finally:
            timer.cancel()
        if not done:
            raise WorkerError(value, message)
        return value
