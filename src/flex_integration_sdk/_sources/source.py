"""What all sources of an upload have in common."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flex_integration_sdk._values.exact import exact
from flex_integration_sdk.errors import ParameterError

# Bytes that are read, sent and counted at a time: as many as the time-outs count.
PIECE = 64 << 10


class Source:
    """Where the bytes of an upload come from.

    The methods of an async source return awaitables. Nothing but :meth:`open` is called before it.
    """

    blocks = True
    """Whether its methods may wait for a disk or a pipe: an event loop calls them in a thread."""
    needs_loop = False
    """Whether its methods return awaitables."""
    name: str | None = None
    """The file's own name."""
    size: int | None = None
    """Bytes from where it begins to its end, if that is known; set by ``open``."""
    again = False
    """Whether it can be read a second time; set by ``open``."""

    def open(self) -> Any:
        """Prepares the first reading.

        Raises:
            OSError: It cannot be read.
            ParameterError: It is not opened for reading bytes.
        """

    def read(self) -> Any:
        """Returns the next bytes, at most ``PIECE`` if it can choose; empty: its end."""
        raise NotImplementedError

    def rewind(self) -> Any:
        """Prepares another reading, from where the first one began."""

    def stamp(self) -> Any:
        """Returns what is different after a change of the file; None if that cannot be known."""

    def close(self) -> Any:
        """Closes what ``open`` opened. A file that the program opened stays open."""


def checked(parameter: str, piece: Any) -> Any:
    """Bytes that a source of the program's returned.

    Raises:
        ParameterError: They are not bytes.
        BlockingIOError: It has none yet, and does not wait for them.
    """
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return piece
    if isinstance(piece, str):
        raise ParameterError(
            f"{parameter} returned a string, not bytes: open the file in binary mode, open(path, "
            "'rb'), or encode the string"
        )
    if piece is None:
        raise BlockingIOError(
            f"{parameter} is in non-blocking mode and has no bytes yet: let it block, or read it "
            "first and pass the bytes"
        )
    raise ParameterError(f"{parameter} returned a value of type {type(piece).__name__}, not bytes")


def check_binary(parameter: str, nothing: Any) -> None:
    """Checks what ``read(0)`` returned: of a text file it is a string.

    Raises:
        ParameterError: It is not bytes.
    """
    if nothing is not None:  # of a file in non-blocking mode
        checked(parameter, nothing)


def own_name(file: Any) -> str | None:
    """The name of an open file, without its folder; None if it has none."""
    for attribute in ("name", "filename"):  # the second: of a web framework's uploads
        found = exact(getattr(file, attribute, None))
        if isinstance(found, (str, os.PathLike)):
            name = os.fsdecode(Path(found).name)
            # Such as that of standard input, <stdin>.
            if name and not (name.startswith("<") and name.endswith(">")):
                return name
    return None
