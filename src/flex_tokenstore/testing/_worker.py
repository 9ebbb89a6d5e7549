"""A child process of the kit: opens the store by itself and does what it is told.

Started as a program of its own, not forked: the same on every system, and nothing is inherited.
Messages are pickles over its standard input and output.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
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

    def fork(self, token: dict[str, Any]) -> list[Any]:
        """A forked child stores a token and reads it; returns [its exit code, what we read]."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self.set(token)
                code = 0 if self.get() == token else 2
            finally:
                # Not sys.exit(): the child would run what its parent has in "finally" and atexit.
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        return [os.waitstatus_to_exitcode(status), self.get()]

    def fork_a_bystander(self) -> int:
        """A forked child that lives on and does nothing; returns its process id."""
        pid = os.fork()
        if pid == 0:
            try:
                devnull = os.open(os.devnull, os.O_RDWR)
                for number in (0, 1, 2):
                    os.dup2(devnull, number)
                os.close(_private_output)  # our parent's end is seen by its pipe's end
                import time

                time.sleep(60)
            finally:
                os._exit(0)
        return pid


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
    while True:
        try:
            name, arguments = pickle.loads(pickle.load(source))
        except EOFError:
            return
        try:
            command: Callable[..., Any] = getattr(child, name)
            answer = (True, command(*arguments), "")
        except Exception as error:
            # Not the error itself: a driver's may not be picklable.
            answer = (False, type(error).__name__, str(error))
        pickle.dump(answer, output)
        output.flush()


if __name__ == "__main__":
    main()
