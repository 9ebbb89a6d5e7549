"""A walk in an asyncio program; a task fetches the next page meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from flex_integration_sdk.errors import BadRequestError

from .walk import Walk

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.lazy import AsyncSend

T = TypeVar("T", covariant=True)

# An event loop has weak references to its tasks only.
_running: set[asyncio.Task[Any]] = set()


class AsyncResourceIterator(Generic[T]):
    """All resources that a query finds: ``async for listing in sdk.listings.iterate(): …``.

    It asks for one page at a time, while the program works on the page before. If a page cannot be
    fetched, the error of its request is raised after the resources before it. The iterator is not
    at its end then: it asks for that page again, also after it was cancelled.

    Tasks of one event loop can share an iterator: each resource goes to one of them.
    """

    def __init__(
        self,
        send: AsyncSend,
        name: str,
        arguments: Mapping[str, Any],
        further: Mapping[str, Any],
        resume: str | None = None,
    ) -> None:
        self._send = send
        self._walk = Walk(name, arguments, further, resume)
        self._ahead: tuple[object, asyncio.Task[Any]] | None = None
        self._lock = asyncio.Lock()

    @property
    def total(self) -> int | None:
        """How many resources the query found at its first page; None: not known (yet)."""
        return self._walk.position.total

    @property
    def done(self) -> int:
        """How many resources the program has got, with those of the walk that it resumed."""
        return self._walk.position.done

    @property
    def position(self) -> str:
        """How far the program has got, as a string to keep: ``iterate(…, resume=position)``.

        A walk with the same arguments goes on from there with the next resource, also in another
        process. Keep it after you have handled the resource that you got last.
        """
        return self._walk.position.to_text()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._walk}>"

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    if not TYPE_CHECKING:  # type checkers know that it has neither

        def __iter__(self) -> NoReturn:
            raise TypeError(f"{type(self).__name__} needs `async for`, in an `async def`")

        def __await__(self) -> NoReturn:
            raise TypeError(f"{type(self).__name__} is not awaited: use it in `async for`")

    async def __anext__(self) -> T:
        async with self._lock:
            walk = self._walk
            if not walk.sound:
                walk.repair()
            while not walk.ready and not walk.closed:
                if walk.following is None:
                    raise walk.failure() or StopAsyncIteration
                await self._fetch(walk.following)
            if walk.closed:
                raise StopAsyncIteration
            found: T = walk.pass_on()
            return found

    async def aclose(self) -> None:
        """Ends the walk: no further page is asked for."""
        self._walk.closed = True
        self._leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _fetch(self, asked: dict[str, Any]) -> None:
        """Takes the page that the walk asks for, and begins to fetch the one after it."""
        walk = self._walk
        try:
            response = await self._page(asked)
        except BadRequestError:
            if not walk.is_too_deep():
                raise
            walk.skip()
        else:
            walk.take(response)
        if walk.following is not None and not walk.closed:
            self._ahead = (
                walk.following,
                _started(self._send(walk.name, walk.following, walk.further)),
            )

    async def _page(self, asked: dict[str, Any]) -> Any:
        if self._ahead is not None and self._ahead[0] is asked:
            task = self._ahead[1]
            if task.get_loop() is asyncio.get_running_loop():
                await asyncio.wait([task])  # if this is cancelled, the task is not
            self._ahead = None
            if task.done() and not task.cancelled():  # else its event loop ended meanwhile
                return task.result()
        return await self._send(self._walk.name, asked, self._walk.further)

    def _leave(self) -> None:
        """Cancels the task, from whatever thread."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[1].done():
            return
        loop = ahead[1].get_loop()
        try:
            loop.call_soon_threadsafe(ahead[1].cancel)
        except RuntimeError:  # the loop is closed, and its tasks with it
            return

    def __del__(self) -> None:
        if getattr(self, "_ahead", None) is not None:
            self._leave()


def _started(request: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.ensure_future(request)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # else asyncio warns, if nobody asks for the page any more
