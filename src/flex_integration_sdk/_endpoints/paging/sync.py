"""A walk in a sync program; a thread fetches the next page meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from flex_integration_sdk.errors import BadRequestError

from .ahead import Ahead
from .turns import Turns
from .walk import Walk

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.lazy import Send

T = TypeVar("T", covariant=True)


class ResourceIterator(Generic[T]):
    """All resources that a query finds: ``for listing in sdk.listings.iterate(): …``.

    It asks for one page at a time, while the program works on the page before; that request is made
    in a thread, so ``on_event`` and the like may be called there. If a page cannot be fetched,
    ``next()`` raises the error of its request after the resources before it. The iterator is not
    at its end then: the next ``next()`` asks for that page again.

    Threads can share an iterator: each resource goes to one of them.
    """

    def __init__(
        self,
        send: Send,
        name: str,
        arguments: Mapping[str, Any],
        further: Mapping[str, Any],
        resume: str | None = None,
    ) -> None:
        self._send = send
        self._walk = Walk(name, arguments, further, resume)
        self._ahead: Ahead | None = None
        self._turns, self._process = _turns(), os.getpid()

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

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._process != os.getpid():
            # The thread that fetched a page is not in a forked child, nor whoever had the turn.
            self._ahead, self._turns, self._process = None, _turns(), os.getpid()
        turn = threading.Lock()
        turn.acquire()
        turns = self._turns
        try:
            turns.take(turn, self)
            found: T = self._next()
            return found
        finally:
            turns.give(turn)

    def close(self) -> None:
        """Ends the walk; no further page is asked for, and ``next()`` raises ``StopIteration``."""
        # Only marked: another thread may be about to take a resource.
        self._walk.closed, self._ahead = True, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _next(self) -> Any:
        walk = self._walk
        if not walk.sound:
            walk.repair()
        while not walk.ready and not walk.closed:
            if walk.following is None:
                raise walk.failure() or StopIteration
            self._fetch(walk.following)
        if walk.closed:
            raise StopIteration
        return walk.pass_on()

    def _fetch(self, asked: dict[str, Any]) -> None:
        """Takes the page that the walk asks for, and begins to fetch the one after it."""
        walk, ahead = self._walk, self._ahead
        try:
            if ahead is not None and ahead.asked is asked:
                ahead.wait()  # an exception from a signal handler ends it, and it goes on
                self._ahead = None
                response = ahead.result()
            else:
                response = self._send(walk.name, asked, walk.further)
        except BadRequestError:
            if not walk.is_too_deep():
                raise
            walk.skip()
        else:
            walk.take(response)
        if walk.following is not None and not walk.closed:
            # It has no reference to the iterator, which may be forgotten meanwhile.
            send = partial(self._send, walk.name, walk.following, walk.further)
            self._ahead = Ahead(send, walk.following)


def _turns() -> Turns:
    return Turns(ResourceIterator.__next__.__code__)
