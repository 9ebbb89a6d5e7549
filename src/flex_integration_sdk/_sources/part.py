"""One file of a body: read in pieces, watched for changes, sent again if that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flex_integration_sdk.errors import ParameterError, SourceChangedError, SourceConsumedError

from .source import PIECE, Source
from .steps import Steps, Work

# Bytes of a stream that are kept while it is sent: one that is not longer can be sent again.
KEEP = 8 << 20


class Part:
    """One file of a body.

    Args:
        parameter: The name of the parameter that it was passed as, for messages.
        source: Where its bytes come from.
        needs_size: Whether its size must be known before it is sent.
    """

    def __init__(self, parameter: str, source: Source, *, needs_size: bool = False) -> None:
        self.parameter, self.source = parameter, source
        self._needs_size = needs_size
        self._kept: list[bytes] | None = None
        """What was read of a stream, from its beginning; None: too much, or it can be reread."""
        self._left = bytearray()
        """What the source has returned beyond a piece."""
        self._stamp: Any = None
        self._sent_before: int | None = None
        """Bytes of the first whole sending."""
        self._begun = self._ended = False

    @property
    def size(self) -> int | None:
        """Bytes; None if that is not known. Known after :meth:`prepare` at the earliest."""
        return self.source.size

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent now."""
        return not self._begun or self.source.again or self._kept is not None

    def prepare(self) -> Steps:
        """Opens the source, and finds out whether it has bytes.

        Raises:
            OSError: It cannot be read.
            ParameterError: It is empty, or does not return bytes.
        """
        source = self.source
        yield self._work(source.open)
        if source.again:
            self._stamp = yield self._work(source.stamp)
        size = source.size
        if size is None and self._needs_size:
            raise unsized(self.parameter)
        if size is None:
            first = yield from self._read()
            size, self._kept = len(first), [first]
        if not size:
            raise ParameterError(
                f"{self.parameter} is empty: there is nothing to upload. A file that was just "
                "written stands at its end: go back with seek(0)"
            )

    def pieces(self, moved: Callable[[int], None]) -> Steps:
        """One sending. The last piece is not sent before it is known that the file is whole.

        Args:
            moved: Called with the bytes of each piece that was sent.

        Raises:
            SourceConsumedError: It cannot be read again.
            SourceChangedError: It has changed.
        """
        if not self.repeatable:
            raise consumed(self.parameter, "the request had to be sent again")
        if self._begun and self._kept is None:
            self._left.clear()
            self._ended = False
            yield self._work(self.source.rewind)
            yield from self._check_stamp()
        self._begun = True
        count, held = 0, b""
        kept = iter(self._kept or ())
        while piece := next(kept, b"") or (yield from self._read_on()):
            count += len(piece)
            if self.size is not None and count > self.size:
                raise self._changed("it has become longer")
            if held:
                yield held
                moved(len(held))
            held = piece
        yield from self._check_end(count)
        yield held
        moved(len(held))

    def close(self) -> Steps:
        """Closes what was opened."""
        self._kept = None
        yield self._work(self.source.close)

    def _read_on(self) -> Steps:
        """The next piece of the source, kept if it is a stream that is not too long."""
        piece = yield from self._read()
        if self._kept is not None and piece:
            self._kept.append(piece)
            if len(self._kept) * PIECE > KEEP:
                self._kept = None
        return piece

    def _read(self) -> Steps:
        """A piece of ``PIECE`` bytes; a shorter one is the last, an empty one the end."""
        left = self._left
        while len(left) < PIECE and not self._ended:
            found = yield self._work(self.source.read)
            self._ended = not len(found)
            left += found
        piece = bytes(left[:PIECE])
        del left[:PIECE]
        return piece

    def _check_stamp(self) -> Steps:
        if self.source.again and (yield self._work(self.source.stamp)) != self._stamp:
            raise self._changed("its size or its time of modification is not what it was")

    def _check_end(self, count: int) -> Steps:
        expected = self.size if self.size is not None else self._sent_before
        if expected is not None and count != expected:
            raise self._changed(f"it ended after {count} bytes of {expected}")
        self._sent_before = count
        yield from self._check_stamp()

    def _changed(self, how: str) -> SourceChangedError:
        return SourceChangedError(
            f"{self.parameter} changed while it was being uploaded: {how}. The upload was broken "
            "off: upload it again when nobody writes to it"
        )

    def _work(self, call: Any) -> Work:
        return Work(call, self.source.blocks)


def unsized(parameter: str) -> ParameterError:
    """The error for a stream whose size must be known before it is read."""
    return ParameterError(
        f"the size of {parameter} is not known before it was read, and the API asks for it first: "
        "pass a path, bytes or a file that can seek. Write a stream to a temporary file, such as "
        "tempfile.TemporaryFile(), and go back with seek(0)"
    )


def consumed(parameter: str, why: str) -> SourceConsumedError:
    """The error for a stream that would have to be read again."""
    return SourceConsumedError(
        f"{parameter} was not uploaded: {why}, and the stream that was passed cannot be read a "
        f"second time (only its first {KEEP >> 20} MiB are kept). Pass a path, bytes or a file "
        "that can seek; or open the stream again and repeat the call"
    )
