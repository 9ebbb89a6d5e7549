"""Files that ``flex-sdk init`` writes: each is there whole or not at all, and only for its user."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from flex_tokenstore import Secret

PRIVATE = 0o600


def write_all(files: Sequence[tuple[Path, Secret[str]]]) -> None:
    """Writes files, the first one first. All are on the disk before one of them takes its place.

    Args:
        files: The path of each, and its content.

    Raises:
        ClickException: One cannot be written; then nothing was changed.
    """
    written: list[tuple[Path, Path]] = []
    with ExitStack() as stack:
        for target, content in files:
            try:
                written.append((stack.enter_context(_beside(target, content)), target))
            except OSError as error:
                raise _unwritable(target, error) from None
        for temporary, target in written:
            try:
                _replace(temporary, target)
            except OSError as error:
                raise _unwritable(target, error) from None


@contextmanager
def _beside(target: Path, content: Secret[str]) -> Iterator[Path]:
    """A new file beside the target, with the whole content on the disk; gone in the end."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Always the same name: what a killed run left, with the secret in it, is removed.
    temporary = target.with_name(f".{target.name}.new")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, PRIVATE)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content.reveal().encode())
            file.flush()
            os.fsync(descriptor)
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _replace(temporary: Path, target: Path) -> None:
    temporary.replace(target)
    if os.name == "nt":
        return  # it has no sync of a folder
    with suppress(OSError):  # some file systems cannot, nor can who may not list the folder
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unwritable(target: Path, error: OSError) -> click.ClickException:
    why = error.strerror or type(error).__name__
    return click.ClickException(f"{target} cannot be written: {why}. Nothing was changed")
