"""The threads in which sync stores work for asyncio programs; the same few for all of a process.

A thousand stores share them: threads of their own for each were thousands. They are never shut
down while the process lives, so that closing one store takes nothing from another.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, TypeVar

from .per_process import PerProcess

T = TypeVar("T")
Kind = Literal["io", "lock"]

# Reads and saves take milliseconds, and while one server hangs, each of its callers keeps a thread
# until its driver's time-out. Fewer than 40 with those below.
IO_THREADS = 24
# Apart from the others: a stranger's lock may block whatever it is told, and must not keep a save
# from its thread. Each is asked only to try, so that few are enough.
LOCK_THREADS = 12

# Of two that are made at once one is used; the other has no thread yet.
_executors: dict[Kind, PerProcess[ThreadPoolExecutor]] = {
    "io": PerProcess(lambda: ThreadPoolExecutor(IO_THREADS, "flex-tokenstore-io")),
    "lock": PerProcess(lambda: ThreadPoolExecutor(LOCK_THREADS, "flex-tokenstore-lock")),
}


def submit(kind: Kind, function: Callable[[], T]) -> Future[T]:
    """Runs ``function`` in one of the few threads that all stores of this process share.

    It runs with the caller's context variables, and in the caller's own thread once the main thread
    has ended. A coroutine waits with ``await asyncio.wrap_future(submit("io", function))``.

    Args:
        kind: ``"io"`` for what reads or writes and takes milliseconds; ``"lock"`` for a try to
            acquire a lock, which may block and must not keep a save from its thread.
        function: What to run, without arguments.

    Returns:
        A future with what ``function`` returns or raises; StopIteration becomes RuntimeError. It
        cannot be cancelled: the release of a lock must come, whoever waits for it or not.
    """
    # As asyncio.to_thread does: threads of an executor do not inherit context variables.
    work = functools.partial(contextvars.copy_context().run, function)
    # Not the executor's own future: a queued one can be cancelled, and a release would never run.
    future: Future[T] = Future()
    # asyncio.wrap_future passes the cancellation of a task on; a running future refuses it.
    future.set_running_or_notify_cancel()
    try:
        _executors[kind].get().submit(_perform, future, work)
    except RuntimeError:
        # The main thread has ended, and no executor takes work any more. A loop in another
        # thread goes on, and would lose its token if it could not save it.
        _perform(future, work)
    return future


def _perform(future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except StopIteration:
        # It cannot be raised into a coroutine, which would wait for ever: as Python has it there.
        future.set_exception(RuntimeError("StopIteration was raised"))
    except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
        future.set_exception(error)
    else:
        future.set_result(result)
