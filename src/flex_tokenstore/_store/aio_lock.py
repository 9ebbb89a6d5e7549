"""Acquiring the token lock in an event loop. A wait for it blocks neither the loop nor a thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from .._concurrency.event_loops import running_loop
from .._concurrency.hook_threads import submit
from .._plugin.guard import is_manager, wrong_lock
from ..errors import TokenLockTimeoutError

if TYPE_CHECKING:
    from .._host.patience import Patience
    from .opened import OpenedStore

T = TypeVar("T")


async def enter_lock(
    opened: OpenedStore, patience: Patience, wait: float, lease: float
) -> tuple[float | None, Any]:
    """Enters the store's own lock or, without one, the host's.

    Returns:
        When its lease expires, and the coroutine function that leaves it.
    """
    hook = opened.binding.token_lock
    if hook is None:
        return await _enter_in_thread(functools.partial(_try_host_lock, opened), wait, patience)
    manager = hook.function(**hook.keywords(wait=wait, lease=lease))
    if inspect.isawaitable(manager):
        manager = await manager
    kind = is_manager(manager)
    if kind == "async":
        end = await manager.__aenter__()
        return end, functools.partial(manager.__aexit__, None, None, None)
    if kind is None:
        raise wrong_lock(opened.name, manager)

    def enter() -> tuple[float | None, Any]:
        # One try and no more: a thread that waits here could be the one a save needs.
        one_try = hook.function(**hook.keywords(wait=0.0, lease=lease))
        return one_try.__enter__(), one_try

    return await _enter_in_thread(enter, wait, patience)


def _try_host_lock(opened: OpenedStore) -> tuple[float | None, Any]:
    """In a thread: the first try may make folders, and any may meet a slow file system."""
    lock = opened.host_lock()
    held = contextlib.nullcontext() if lock is None else lock.hold(0.0)
    try:
        return held.__enter__(), held
    except TokenLockTimeoutError:
        raise TokenLockTimeoutError(
            f"the lock of token store {opened.name!r} could not be acquired in time: another "
            "process or thread holds it. That holder may be suspended or blocked (a debugger, "
            "a blocking call in an event loop): resume it or stop it",
            store=opened.name,
        ) from None


async def _enter_in_thread(
    enter: Callable[[], tuple[float | None, Any]], wait: float, patience: Patience
) -> tuple[float | None, Any]:
    async def attempt() -> tuple[float | None, Any]:
        entering = submit("lock", enter)
        try:
            end, entered = await asyncio.wrap_future(entering)
        except asyncio.CancelledError:
            # Its thread goes on, and may acquire the lock after all.
            entering.add_done_callback(_leave_at_once)
            raise
        # Not among those who enter, whose thread may be kept by a lock that blocks.
        leave = functools.partial(entered.__exit__, None, None, None)
        return end, functools.partial(in_thread, leave)

    return await _until(attempt, wait, patience)


def _leave_at_once(entering: Future[tuple[float | None, Any]]) -> None:
    """For a lock that was acquired when nobody waited for it any more."""
    if entering.exception() is None:
        entering.result()[1].__exit__(None, None, None)


async def in_thread(function: Callable[[], T]) -> T:
    """Runs a plain hook, or other work that blocks, in one of the threads for that."""
    running_loop()  # before the work begins, whose outcome nobody else would hear of
    return await asyncio.wrap_future(submit("io", function))


async def _until(attempt: Callable[[], Awaitable[T]], wait: float, patience: Patience) -> T:
    deadline = time.monotonic() + wait
    patience.begin()
    while True:
        try:
            had = await attempt()
        except TokenLockTimeoutError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            await asyncio.sleep(min(left, patience.pause()))
        else:
            patience.end()
            return had
