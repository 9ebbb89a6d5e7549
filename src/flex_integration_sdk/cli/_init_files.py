"""Files that ``flex-sdk init`` writes: all of them are written or none, and each is whole."""

from __future__ import annotations

import glob
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import click

from flex_tokenstore import Secret, TokenStoreError, host_lock

from ._init_rights import PRIVATE, take_over

_WAIT = 30.0  # seconds; whoever holds the lock writes two small files
_BYTES = 8  # of chance in a name: two programs never choose the same one


class NewFile(NamedTuple):
    """A file to write."""

    path: Path
    content: Secret[str]
    is_secret: bool
    """Only its user may read it. Else it has the rights and the group of the file that it replaces,
    unless a secret is in it."""


class _Done(NamedTuple):
    """A file that is in its place."""

    path: Path
    was_there: bool
    former: Path | None
    """A second name of the one that it replaced, if the file system has such names."""


@contextmanager
def writing_alone() -> Iterator[None]:
    """A block that no other ``flex-sdk init`` of this user on this host enters meanwhile.

    Raises:
        ClickException: The lock cannot be acquired; then the block did not run.
    """
    with ExitStack() as stack:
        lock: AbstractContextManager[bool] = host_lock("flex-sdk-init", wait=_WAIT)
        try:
            stack.enter_context(lock)
        except TokenStoreError as error:
            why = str(error).rstrip(".")
            raise click.ClickException(f"{why}. Nothing was changed") from None
        yield


def write_all(files: Sequence[NewFile]) -> list[str]:
    """Writes files, the first one first. All are on the disk before one of them takes its place.

    Returns:
        What the user should know about the rights of the files, in sentences.

    Raises:
        ClickException: One cannot be written. Those before it are as they were, or the message
            names them.
    """
    notes: list[str] = []
    written: list[tuple[Path, Path]] = []
    with ExitStack() as stack:
        for file in files:
            try:
                temporary = stack.enter_context(_beside(file.path, file.content))
                notes += take_over(file.path, temporary, file.content, private=file.is_secret)
            except OSError as error:
                raise _unwritable(file.path, error) from None
            written.append((temporary, file.path))
        _replace_all(written, stack)
    return notes


def _replace_all(written: Sequence[tuple[Path, Path]], stack: ExitStack) -> None:
    """Puts each file in its place; if one cannot be put there, those before it are put back."""
    done: list[_Done] = []
    for temporary, target in written:
        try:
            found = _Done(target, os.path.lexists(target), _kept(target, stack))
            temporary.replace(target)
        except OSError as error:
            raise _unwritable(target, error, _not_put_back(done)) from None
        done.append(found)
    for folder in {each.path.parent for each in done}:
        _sync(folder)


def _kept(target: Path, stack: ExitStack) -> Path | None:
    """A second name of the file that is there, which is gone in the end; None: there is none."""
    former = _new_name(target)
    stack.callback(_remove, former)
    # Some file systems have no second names; and a link is kept as a link, where that is known.
    follows = {} if os.link not in os.supports_follow_symlinks else {"follow_symlinks": False}
    try:
        os.link(target, former, **follows)
    except OSError:
        return None
    return former


def _not_put_back(done: Sequence[_Done]) -> list[Path]:
    """Puts former files back; returns the paths for which that failed."""
    failed = []
    for path, was_there, former in reversed(done):
        try:
            if former is not None:
                former.replace(path)
            elif was_there:
                failed.append(path)
            else:
                path.unlink()
        except OSError:
            failed.append(path)
    return failed


@contextmanager
def _beside(target: Path, content: Secret[str]) -> Iterator[Path]:
    """A new file beside the target, with the whole content on the disk; gone in the end."""
    _make_folder(target.parent)
    # What a killed run left, with the secret in it. Nobody else is writing: see writing_alone.
    for left in target.parent.glob(_name(glob.escape(target.name), "[0-9a-f]" * 2 * _BYTES)):
        _remove(left)
    temporary = _new_name(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, PRIVATE)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content.reveal().encode())
            file.flush()
            os.fsync(descriptor)
        yield temporary
    finally:
        _remove(temporary)


def _new_name(target: Path) -> Path:
    """A name of its own each time: two programs that write must not meet in one file."""
    return target.with_name(_name(target.name, secrets.token_hex(_BYTES)))


def _name(target: str, chance: str) -> str:
    return f".{target}.{chance}.new"


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Makes the folder and its missing parents, all of them private whatever the umask."""
    missing = []
    while not folder.exists() and folder.parent != folder:
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        if os.name == "nt":  # there 0700 gives it to administrators only, if one of them makes it
            each.mkdir(exist_ok=True)
        else:
            each.mkdir(mode=0o700, exist_ok=True)
        _sync(each.parent)


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return  # it has no sync of a folder
    with suppress(OSError):  # some file systems cannot, nor can who may not list the folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unwritable(
    target: Path, error: OSError, replaced: Sequence[Path] = ()
) -> click.ClickException:
    why = error.strerror or type(error).__name__
    done = "Nothing was changed"
    if replaced:
        done = f"Already replaced, and not put back: {', '.join(map(str, replaced))}"
    return click.ClickException(f"{target} cannot be written: {why}. {done}")
