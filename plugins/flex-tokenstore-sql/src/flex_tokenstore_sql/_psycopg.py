"""psycopg's connections with a limit for each answer. Imported only when one is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout  # what ``wait`` raises; it has no public name


class NoAnswer(psycopg.OperationalError):
    """The server did not respond in time; the connection is closed."""


def limited(timeout: float, *, is_async: bool) -> Callable[..., Any]:
    """The ``connect`` of a connection class whose every wait ends after ``timeout`` seconds.

    libpq's own limits do not help: the kernel of a server that stands still goes on to
    acknowledge what is sent.
    """

    class Limited(psycopg.Connection[Any]):
        def wait(self, gen: Any, *args: Any, **keywords: Any) -> Any:
            try:
                return super().wait(gen, *args, **{"timeout": timeout, **keywords})
            except _WaitTimeout:
                # A late answer would otherwise be read as the answer to the next statement.
                self.close()
            raise NoAnswer

    class AsyncLimited(psycopg.AsyncConnection[Any]):
        async def wait(self, gen: Any, *args: Any, **keywords: Any) -> Any:
            try:
                return await super().wait(gen, *args, **{"timeout": timeout, **keywords})
            except _WaitTimeout:
                await self.close()
            raise NoAnswer

    return AsyncLimited.connect if is_async else Limited.connect
