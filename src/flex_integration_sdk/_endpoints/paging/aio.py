"""A walk in an asyncio program; a task fetches the next page meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .walk import Walk

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.lazy import AsyncSend

T = TypeVar("T", covariant=True)


class AsyncResourceIterator(Generic[T]):
    """All resources that a query finds: ``async for listing in sdk.listings.iterate(): …``.

    It asks for one page at a time, while the program works on the page before.
    """

    def __init__(
        self, send: AsyncSend, name: str, arguments: Mapping[str, Any], further: Mapping[str, Any]
    ) -> None:
        self._send, self._name, self._further = send, name, further
        self._walk = Walk(arguments)
        self._ready: deque[T] = deque()
        self._ahead: asyncio.Future[Any] | None = None
        self.done = 0
        """Number of resources that the program has got."""

    @property
    def total(self) -> int | None:
        """Number of resources that the query found at the first page; None: not known (yet)."""
        return self._walk.total

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            ahead = self._ahead or self._fetched()
            if ahead is None:
                raise StopAsyncIteration
            self._ready.extend(self._walk.take(await ahead))
            self._ahead = self._fetched()
        self.done += 1
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Ends the walk; no further page is asked for."""
        self._walk.following = None
        self._ready.clear()
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None

    async def __aenter__(self) -> AsyncResourceIterator[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _fetched(self) -> asyncio.Future[Any] | None:
        asked = self._walk.following
        if asked is None:
            return None
        return asyncio.ensure_future(self._send(self._name, asked, self._further))
