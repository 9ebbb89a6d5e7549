"""The body of an upload: its parts, its headers, and the progress of its sendings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, TypeAlias

from flex_integration_sdk.errors import ParameterError

from .part import Part, consumed
from .steps import Steps

Progress: TypeAlias = Callable[[int, "int | None"], object]
"""Called with the bytes that were sent, and with how many there are, if that is known."""


class Body:
    """The body of an upload, which can be sent more than once if its sources can be read again.

    Args:
        parts: Each with what is sent before it, such as the head of a part of a form.
        end: What is sent after the last one.
        headers: Those that describe it, without its length.
        on_progress: Called with the bytes of the files that were handed to the network.
    """

    def __init__(
        self,
        parts: Sequence[tuple[bytes, Part]],
        end: bytes = b"",
        headers: dict[str, str] | None = None,
        on_progress: Progress | None = None,
    ) -> None:
        self.parts, self._end = parts, end
        self._headers = headers or {}
        self._on_progress = _checked(on_progress)
        self.check: Callable[[], object] | None = None
        """Called before each piece; what it raises ends the sending."""
        self.is_open = False
        """Whether it can be sent now: see ``opened``."""
        self.is_cut = False
        """Whether the last sending began and did not come to its end."""
        self.in_use = threading.Lock()
        """Held by the thread that calls a source for an event loop."""
        self._failure: tuple[Exception, TracebackType | None] | None = None

    @property
    def blocks(self) -> bool:
        """Whether reading it may block an event loop."""
        return any(part.source.blocks for _, part in self.parts)

    @property
    def size(self) -> int | None:
        """Bytes of the files in it, if that is known."""
        sizes = [part.size for _, part in self.parts]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent now: for the first time, or again."""
        return all(part.repeatable for _, part in self.parts)

    @property
    def headers(self) -> dict[str, str]:
        """Its headers, with its length if that is known."""
        size = self.size
        if size is None:
            return {**self._headers, "Transfer-Encoding": "chunked"}
        size += sum(len(head) for head, _ in self.parts) + len(self._end)
        return {**self._headers, "Content-Length": str(size)}

    def prepare(self) -> Steps:
        """Opens the sources. What is wrong with one raises here, before anything is sent.

        Raises:
            OSError: A file cannot be read.
            ParameterError: A source is empty, or does not return bytes.
        """
        for _, part in self.parts:
            yield from part.prepare()

    def sending(self) -> Steps:
        """One sending of the body, from its beginning to its end."""
        sent = 0

        def moved(count: int) -> None:
            nonlocal sent
            sent += count
            self._report(sent)

        self.is_cut = True
        self._report(0)
        for head, part in self.parts:
            if head:
                yield head
            yield from part.pieces(moved)
        if self._end:
            yield self._end
        self.is_cut = False

    def close(self) -> Steps:
        """Closes what was opened."""
        for _, part in self.parts:
            yield from part.close()

    def check_repeatable(self, why: str) -> None:
        """Raises SourceConsumedError if it cannot be sent again.

        Args:
            why: Why it must be.
        """
        for _, part in self.parts:
            if not part.repeatable:
                raise consumed(part.parameter, why)

    def failed(self, error: Exception) -> None:
        """Keeps an error of a source or of the callback, while the request that it ends is undone.

        It must not pass through the HTTP library: that would add its frames, with a token in them.
        """
        frames = error.__traceback__
        # Ours hold a piece of the file.
        while frames is not None and _is_ours(frames):
            frames = frames.tb_next
        self._failure = error.with_traceback(None), frames

    def raise_failure(self) -> None:
        """Raises what was kept, if anything was."""
        kept, self._failure = self._failure, None
        if kept is not None:
            raise kept[0].with_traceback(kept[1])

    def _report(self, sent: int) -> None:
        if self.check is not None:
            self.check()
        if self._on_progress is not None:
            self._on_progress(sent, self.size)


def _checked(on_progress: Any) -> Progress | None:
    if on_progress is None:
        return None
    call = getattr(on_progress, "__call__", None)  # noqa: B004 - an object's own, for its kind
    if not callable(on_progress) or iscoroutinefunction(on_progress) or iscoroutinefunction(call):
        kind = "a coroutine function" if callable(on_progress) else type(on_progress).__name__
        raise ParameterError(
            f"on_progress must be a plain function that takes two numbers, got {kind}"
        )
    found: Progress = on_progress
    return found


def _is_ours(frames: TracebackType) -> bool:
    name = str(frames.tb_frame.f_globals.get("__name__"))
    return name.partition(".")[0] == "flex_integration_sdk"
