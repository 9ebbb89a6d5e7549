"""A child process of the kit: opens the store by itself and does what it is told.

Started as a program of its own, not forked: the same on every system, and nothing is inherited.
Messages are pickles over its standard input and output.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from typing import Any


class Child:
    """Its state and what it can be told; each public method is a command."""

    def __init__(self) -> None:
        self._held: contextlib.ExitStack = contextlib.ExitStack()

    def open(self, setup: Any, identity: Any, kind: str) -> None:
        self.identity = identity
        self.handle = setup.open(identity, kind)
        self._setup, self._kind = setup, kind

    def change_clocks(self) -> None:
        """A flag, for the start: from now on :meth:`set_clocks` can change them."""
        from ._clock_child import install

        install()

    def set_clocks(self, clocks: dict[str, Any]) -> None:
        from ._clock_child import set_clocks

        set_clocks(**clocks)

    def watch_process(self) -> None:
        """A flag, for the start: notes the state of the process, which is not the store's."""
        from ._process_state import prepare, snapshot

        prepare()
        self._before = snapshot()

    def changed_process(self) -> list[str]:
        """Uses the store, and returns what it has changed in the process since the start."""
        from ._process_state import changed_by

        return changed_by(self._setup, self.identity, self._kind, self._before)

    def get(self) -> dict[str, Any] | None:
        token = self.handle.get()
        return None if token is None else token.to_dict()

    def set(self, token: dict[str, Any], expected: str | None = "*") -> None:
        from flex_tokenstore import Token

        self.handle.set(Token(token), expected)

    def remove(self) -> None:
        self.handle.remove()

    def lock(self, wait: float, lease: float) -> float | None:
        end: float | None = self._held.enter_context(self.handle.lock(wait, lease))
        return end

    def unlock(self) -> None:
        self._held.close()

    def lock_id(self) -> str:
        return str(self.handle.hook("lock_id"))

    def write(self, name: str, count: int, size: int) -> int:
        """Stores so many tokens, one after the other."""
        from ._work import write_tokens

        return write_tokens(self.handle, self.identity, name, count, size)

    def read(self, count: int) -> int:
        """Reads so often; raises if a token is torn or absent."""
        from ._work import read_tokens

        return read_tokens(self.handle, count)

    def increment(self, times: int) -> int:
        """Adds 1 to the number in the token so often, by compare-and-set."""
        from ._work import increment

        return increment(self.handle, self.identity, times)

    def count_under_lock(self, path: str, times: int, lease: float) -> None:
        """Adds 1 to the number in a file, in two steps, under the token lock."""
        from ._work import count_under_lock

        for _ in range(times):
            count_under_lock(self.handle, path, lease)

    def storm(self, address: tuple[str, int], callers: int) -> list[str]:
        """So many callers need a token at once; returns the digests of what they got."""
        from ._storm import storm

        return storm([self._setup.open(self.identity, self._kind)], address, callers)

    def crash(self, name: str, arguments: dict[str, Any], line: int) -> tuple[str | None, int]:
        """A forked child opens the store, and dies at a line of a call: see :mod:`._lines`."""
        from ._lines import crash

        # The clock that watches this process is a thread, which a child would not have.
        faulthandler.cancel_dump_traceback_later()
        return crash(lambda: self._setup.open(self.identity, self._kind), name, arguments, line)

    def fork(self, token: dict[str, Any], limit: float) -> dict[str, Any] | None:
        """A forked child stores a token and reads it in time; returns what we read after it.

        Raises:
            AssertionError: The child failed or hung; names the step.
        """
        # The clock that watches this process is a thread, which a child would not have.
        faulthandler.cancel_dump_traceback_later()
        steps, said = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(steps)
                self._as_forked_child(token, said, limit)
            finally:
                # Not sys.exit(): the child would run what its parent has in "finally" and atexit.
                os._exit(1)
        os.close(said)
        hung = _wait(pid, limit)
        with os.fdopen(steps, "rb") as source:
            step = source.read().decode().splitlines()[-1]
        if hung:
            raise AssertionError(
                f"a forked child hung: its {step} did not return within {limit:g} s. "
                "Threads, locks and connections of its parent do not work there: look at "
                "os.getpid() before they are used, and make new ones"
            )
        if step != "done":
            raise AssertionError(f"a forked child failed: {step}")
        faulthandler.dump_traceback_later(limit, exit=True)
        return self.get()

    def _as_forked_child(self, token: dict[str, Any], output: int, limit: float) -> None:
        if hasattr(signal, "alarm"):  # if our parent is killed, nobody else would end us
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(limit) * 2 + 1)
        step = "the start"

        def now(name: str) -> None:
            nonlocal step
            step = name
            os.write(output, f"{name}\n".encode())

        try:
            now("set_token")
            self.set(token)
            now("get_token")
            same = self.get() == token
            now("done" if same else "get_token returned another token than the child had stored")
        except BaseException as error:
            # Its text may quote a token.
            now(f"{step} raised {type(error).__name__}")

    def fork_a_bystander(self) -> int:
        """A forked child that lives on and does nothing; returns its process id."""
        pid = os.fork()
        if pid == 0:
            try:
                devnull = os.open(os.devnull, os.O_RDWR)
                for number in (0, 1, 2):
                    os.dup2(devnull, number)
                os.close(_private_output)  # our parent's end is seen by its pipe's end
                time.sleep(60)
            finally:
                os._exit(0)
        return pid


def _wait(pid: int, limit: float) -> bool:
    """Waits for the end of a child; True if it had to be ended."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


_private_output = -1


def main() -> None:
    """Serves commands until its input ends."""
    global _private_output
    # What a store prints must not get in between.
    _private_output = os.dup(1)
    os.dup2(2, 1)
    output, source = os.fdopen(_private_output, "wb"), sys.stdin.buffer
    # pytest adds the folders of test modules to it, and a config may be a function in one.
    sys.path[:] = pickle.load(source)
    child = Child()
    for flag in sys.argv[1:]:  # before the first command, whose reading imports the store
        getattr(child, flag)()
    while True:
        try:
            limit, text = pickle.load(source)
        except EOFError:
            return
        # If it hangs, it says at which line and ends, also if our parent is no more.
        faulthandler.dump_traceback_later(limit, exit=True)
        try:
            name, arguments = pickle.loads(text)
            command: Callable[..., Any] = getattr(child, name)
            answer = (True, command(*arguments), "")
        except Exception as error:
            # Not the error itself: a driver's may not be picklable.
            answer = (False, type(error).__name__, str(error))
        faulthandler.cancel_dump_traceback_later()
        pickle.dump(answer, output)
        output.flush()


if __name__ == "__main__":
    main()
