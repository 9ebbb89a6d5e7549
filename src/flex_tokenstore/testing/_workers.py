"""The parent's side of :mod:`._worker`."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from ._handles import Kind, Setup

ANSWER_WITHIN = 90.0  # seconds; a process that takes longer is ended, and the test fails


class WorkerError(AssertionError):
    """A command failed in the child; its ``kind`` is the class name of what was raised."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"in a second process: {kind}: {message}")
        self.kind = kind


class Worker:
    """A child process that has opened the store."""

    def __init__(self, setup: Setup, identity: Any, kind: Kind = "sync") -> None:
        try:
            pickle.dumps((setup, identity))
        except Exception as error:
            raise AssertionError(
                f"the store config cannot be pickled for another process ({type(error).__name__}): "
                "let store_config return a name, a mapping of plain values, or a function at the "
                'top level of a module that makes one; or set shared_by = "handles"'
            ) from None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flex_tokenstore.testing._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
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
        # Twice: what cannot be read there must not spoil the stream.
        pickle.dump(pickle.dumps((command, arguments)), self._input)
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
        """Ends it as ``kill -9`` does."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Has it end when it is done with what it does."""
        with suppress(OSError):
            self._input.close()

    def close(self) -> None:
        """Waits for its end."""
        self.end()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._output.close()

    def _next(self) -> Any:
        # pickle.load has no time limit; the end of the child ends its output.
        timer = threading.Timer(ANSWER_WITHIN, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            done, value, message = pickle.load(self._output)
        except EOFError:
            raise WorkerError("EOFError", "it exited, or did not respond in time") from None
        finally:
            timer.cancel()
        if not done:
            raise WorkerError(value, message)
        return value
