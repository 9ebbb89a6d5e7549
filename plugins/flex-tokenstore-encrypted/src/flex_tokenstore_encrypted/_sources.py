"""Where the keys come from: a file, a variable, a program, the system's keychain.

A source is read by :meth:`read`, which returns the keys, or the error to raise. It may block, so
that it never runs on an event loop.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flex_tokenstore import (
    Secret,
    StoreOptionsError,
    TokenStoreError,
    TokenUnavailableError,
    read_secret_command,
)

from ._key_file import KeyFile
from ._key_text import Keys, from_bytes, from_text

if TYPE_CHECKING:
    from ._options import Options

STORE = "encrypted"
ONLY_AT_SAVES = 60.0
"""For a source whose changes are not seen: a program that never meets an unknown key would go on
with an old first key for ever."""


class Read(NamedTuple):
    """The keys, or why there are none."""

    keys: Keys
    error: TokenStoreError | None = None


class Source(Protocol):
    """Where the keys come from."""

    reads_again: bool
    """It can have other keys than at the last read."""
    lasts: float
    """Seconds after which it is read again before a save."""

    def read(self) -> Read:
        """Reads the keys."""

    def stamp(self) -> object:
        """Changes when the keys have changed, as far as that is seen without reading them."""


def source_of(options: Options) -> Source:
    """The source that the options name."""
    if options.key_file is not None:
        return FileSource(options)
    if options.key is not None:
        return VariableSource(options.key)
    if options.key_command:
        return CommandSource(options.key_command)
    from ._keychain import KeychainSource

    assert options.key_keychain is not None  # the options have one source
    return KeychainSource(options.key_keychain)


def wrong(option: str, problem: str) -> StoreOptionsError:
    """The error for an option that cannot be used."""
    return StoreOptionsError(
        f"option {option} of the store {STORE!r} {problem}", option=option, store=STORE
    )


def unavailable(option: str, problem: str) -> TokenUnavailableError:
    """The error for keys that cannot be read now."""
    return TokenUnavailableError(
        f"the token store {STORE!r} has no key now: its option {option} {problem}", store=STORE
    )


class VariableSource:
    """The option ``key``: from a variable of the environment, or the program's own."""

    reads_again = False
    lasts = math.inf

    def __init__(self, text: Secret[str]) -> None:
        self._text = text

    def read(self) -> Read:
        """The keys in it."""
        keys, problem = from_text(self._text)
        return Read(keys, wrong("key", problem) if problem else None)

    def stamp(self) -> object:
        """It does not change."""
        return None


class FileSource:
    """The option ``key_file``."""

    reads_again = True
    lasts = math.inf  # its stamp tells

    def __init__(self, options: Options) -> None:
        assert options.key_file is not None
        self._path, self._path_text = Path(options.key_file), options.key_file
        self._file = KeyFile(self._path, options.permissions)

    def read(self) -> Read:
        """The keys in the file, which must be private."""
        data, problem = self._file.read()
        if data is None:
            if isinstance(problem, str):
                return Read((), wrong("key_file", f"{self._path} {problem}"))
            return Read((), problem)
        keys, told = from_bytes(data)
        return Read(keys, wrong("key_file", f"{self._path} {told}") if told else None)

    def stamp(self) -> object:
        """Of the file that the path leads to now; None: there is none."""
        try:
            found = os.stat(self._path_text)  # noqa: PTH116 - Path.stat takes twice as long
        except (OSError, ValueError):
            return None
        # The inode too: Kubernetes replaces a mounted file by moving a link.
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class CommandSource:
    """The option ``key_command``: a program that prints the keys. No shell is started."""

    reads_again = True
    lasts = ONLY_AT_SAVES

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command

    def stamp(self) -> object:
        """What it would print is not known."""
        return None

    def read(self) -> Read:
        """Runs the program. What it writes to standard error is not shown: it may hold a key."""
        name = self._command[0]
        try:
            printed = read_secret_command(self._command)
        except FileNotFoundError as error:
            return Read((), wrong("key_command", str(error)))
        except ValueError as error:
            return Read((), unavailable("key_command", f"({name!r}) {error}"))
        keys, told = from_bytes(printed)
        told = told and f"({name!r}) printed what cannot be used: its output {told}"
        return Read(keys, wrong("key_command", told) if told else None)
