"""Sources that can be read once: an iterable, and what asyncio programs read from."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from inspect import isawaitable
from typing import Any

from flex_integration_sdk.errors import ParameterError

from .source import PIECE, Source, check_binary, checked, own_name


class Pieces(Source):
    """An iterable of bytes, such as a generator or a list."""

    def __init__(self, parameter: str, pieces: Iterable[Any]) -> None:
        self._parameter, self._pieces = parameter, pieces
        self._iterator: Iterator[Any] = iter(())
        self.blocks = not isinstance(pieces, (list, tuple))

    def open(self) -> None:
        """Begins. An iterator, such as a generator, can be read once only."""
        self._iterator = iter(self._pieces)
        self.again = self._iterator is not self._pieces
        if isinstance(self._pieces, (list, tuple)):
            self.size = sum(_size(checked(self._of, each)) for each in self._pieces)

    def read(self) -> Any:
        for piece in self._iterator:
            # An empty one is not the end.
            if _size(checked(self._of, piece)):
                return piece
        return b""

    def rewind(self) -> None:
        self._iterator = iter(self._pieces)

    @property
    def _of(self) -> str:
        return f"the iterable {self._parameter}"


class AsyncPieces(Source):
    """An async iterable of bytes, such as an async generator."""

    blocks = False
    needs_loop = True

    def __init__(self, parameter: str, pieces: AsyncIterable[Any]) -> None:
        self._parameter, self._pieces = parameter, pieces
        self._iterator: AsyncIterator[Any] | None = None

    async def open(self) -> None:
        """Begins. An async generator can be read once only."""
        self._iterator = aiter(self._pieces)
        self.again = self._iterator is not self._pieces

    async def read(self) -> Any:
        assert self._iterator is not None
        async for piece in self._iterator:
            if _size(checked(f"the iterable {self._parameter}", piece)):
                return piece
        return b""

    async def rewind(self) -> None:
        self._iterator = aiter(self._pieces)


class AsyncFile(Source):
    """An object whose ``read`` is a coroutine: a file of anyio or aiofiles, or a stream."""

    blocks = False
    needs_loop = True

    def __init__(self, parameter: str, file: Any) -> None:
        self._parameter, self._file = parameter, file
        self.name = own_name(file)
        self._start: int | None = None

    async def open(self) -> None:
        """Finds out where it stands; a stream cannot tell."""
        if getattr(self._file, "closed", False) is True:
            raise ParameterError(f"{self._parameter} is a closed file: pass it before it is closed")
        self._start = await self._place()
        self.again = self._start is not None
        if self._start is not None:
            check_binary(self._parameter, await self._file.read(0))
            self.size = await self._left()

    async def read(self) -> Any:
        return checked(self._parameter, await self._file.read(PIECE))

    async def rewind(self) -> None:
        await self._file.seek(self._start)

    async def stamp(self) -> Any:
        """Its size, which is all that each kind of async file tells."""
        return None if self.size is None else await self._left(keep=True)

    async def _place(self) -> int | None:
        """Where it stands; None if it cannot go back there."""
        if not (hasattr(self._file, "seek") and hasattr(self._file, "tell")):
            return None
        try:
            place = int(await _value(self._file.tell()))
            await _value(self._file.seek(place))
        except (OSError, ValueError, TypeError):
            return None
        return place

    async def _left(self, *, keep: bool = False) -> int | None:
        assert self._start is not None
        back = int(await _value(self._file.tell())) if keep else self._start
        try:
            await _value(self._file.seek(0, 2))
            size = int(await _value(self._file.tell())) - self._start
        except (OSError, ValueError):
            return None
        finally:
            await _value(self._file.seek(back))
        return max(size, 0)


async def _value(found: Any) -> Any:
    return await found if isawaitable(found) else found


def _size(piece: Any) -> int:
    return memoryview(piece).nbytes
