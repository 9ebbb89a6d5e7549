"""A walk in a sync program; a thread fetches the next page meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .walk import Walk

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.lazy import Send

T = TypeVar("T", covariant=True)


class ResourceIterator(Generic[T]):
    """All resources that a query finds: ``for listing in sdk.listings.iterate(): …``.

    It asks for one page at a time, while the program works on the page before.
    """

    def __init__(
        self, send: Send, name: str, arguments: Mapping[str, Any], further: Mapping[str, Any]
    ) -> None:
        self._send, self._name, self._further = send, name, further
        self._walk = Walk(arguments)
        self._ready: deque[T] = deque()
        self._ahead: _Ahead | None = None
        self.done = 0
        """Number of resources that the program has got."""

    @property
    def total(self) -> int | None:
        """Number of resources that the query found at the first page; None: not known (yet)."""
        return self._walk.total

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        while not self._ready:
            ahead = self._ahead or self._fetched()
            if ahead is None:
                raise StopIteration
            self._ready.extend(self._walk.take(ahead.result()))
            self._ahead = self._fetched()
        self.done += 1
        return self._ready.popleft()

    def close(self) -> None:
        """Ends the walk; no further page is asked for."""
        self._walk.following = None
        self._ahead = None
        self._ready.clear()

    def __enter__(self) -> ResourceIterator[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fetched(self) -> _Ahead | None:
        asked = self._walk.following
        if asked is None:
            return None
        return _Ahead(lambda: self._send(self._name, asked, self._further))


class _Ahead:
    """A page that a thread fetches."""

    def __init__(self, fetch: Any) -> None:
        self._outcome: list[Any] = []
        self._error: BaseException | None = None
        self._fetch = fetch
        context = copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), name="flex-integration-page", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._fetch())
        except BaseException as error:  # noqa: BLE001 - for the program's thread
            self._error = error

    def result(self) -> Any:
        """The response; raises what the request raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._outcome[0]
