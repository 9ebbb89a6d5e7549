"""The asyncio event loop of whoever calls, or a typed error."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from ..errors import AsyncioRequiredError


def running_loop() -> asyncio.AbstractEventLoop:
    """Returns the asyncio event loop that runs the caller.

    Call it first in each public coroutine: a user of trio then reads what to do, in place of
    Python's "no running event loop".

    Raises:
        AsyncioRequiredError: asyncio does not run here: trio or curio runs the caller, or nothing.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        pass
    other = _other_library()
    if other is None:
        raise AsyncioRequiredError(
            "this coroutine needs asyncio, and no asyncio event loop runs here: run it with "
            "asyncio.run()"
        )
    raise AsyncioRequiredError(
        f"this coroutine needs asyncio, and {other} runs here: use the sync SDK or store in a "
        "thread (trio.to_thread.run_sync, anyio.to_thread.run_sync), or run anyio with its backend "
        "asyncio"
    )


def refuse_other_loop() -> None:
    """Raises an error within trio or curio, and does nothing elsewhere.

    For a plain function that makes something for asyncio, perhaps before the event loop runs.

    Raises:
        AsyncioRequiredError: trio or curio runs the caller.
    """
    if _other_library() is not None:
        running_loop()


def _other_library() -> str | None:
    """The async library that runs the caller instead, if it can be told without importing it."""
    # Not imported: only what is loaded already can run the caller.
    trio: Any = sys.modules.get("trio")
    try:
        if trio is not None and trio.lowlevel.in_trio_run():
            return "trio"
        curio: Any = sys.modules.get("curio.meta")
        if curio is not None and curio.curio_running():
            return "curio"
    except Exception:  # noqa: BLE001 - for a word in a message; another version may lack it
        return None
    return None
