"""Where the keys come from: a file, a variable, a program, the system's keychain.

A source is read by :meth:`read`, which returns the keys, or the error to raise. It may block, so
that it never runs on an event loop.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flex_tokenstore import Secret, StoreOptionsError, TokenStoreError, TokenUnavailableError

from ._key_file import KeyFile
from ._key_text import Keys, from_bytes, from_text

if TYPE_CHECKING:
    from ._options import Options

STORE = "encrypted"
_TIME_LIMIT = 10.0  # seconds of a program; one that asks somebody for a passphrase needs an agent
ONLY_AT_SAVES = 60.0
"""For a source whose changes are not seen: a program that never meets an unknown key would go on
with an old first key for ever."""
_LARGEST = 1 << 16  # bytes that a program may print; a thousand keys are less


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
        program = find_program(name)
        if program is None:
            return Read((), wrong("key_command", f"names a program that was not found: {name!r}"))
        printed, problem = _run([program, *self._command[1:]])
        if printed is None:
            return Read((), unavailable("key_command", f"({name!r}) {problem}"))
        keys, told = from_bytes(printed)
        told = told and f"({name!r}) printed what cannot be used: its output {told}"
        return Read(keys, wrong("key_command", told) if told else None)


def find_program(name: str) -> str | None:
    """Its path. Never in the current directory, where others may have put one of that name."""
    if os.path.dirname(name):  # noqa: PTH120 - Path drops the "./" that is looked for
        return shutil.which(name) if Path(name).is_absolute() else None
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = (Path(folder) / name for folder in folders if Path(folder).is_absolute())
    return next((found for path in paths if (found := shutil.which(str(path)))), None)


def _run(command: list[str]) -> tuple[Secret[bytes] | None, str]:
    """What it printed, or what is wrong."""
    until = time.monotonic() + _TIME_LIMIT
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that all that it starts can be ended with it
        )
    except (OSError, RuntimeError) as error:  # RuntimeError: this program is about to end
        reason = getattr(error, "strerror", None) or type(error).__name__
        return None, f"could not be started: {reason}"
    printed: list[Secret[bytes]] = []
    reader = threading.Thread(target=_read_output, args=(process, printed), daemon=True)
    try:
        reader.start()
    except RuntimeError:
        _kill(process)
        return None, "could not be run: this program is about to end"
    try:
        reader.join(_TIME_LIMIT)
        too_much = bool(printed) and len(printed[0].reveal()) > _LARGEST
        if not reader.is_alive() and not too_much:
            process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        late = process.poll() is None
        if late or reader.is_alive():
            _kill(process)
    reader.join(1.0)
    if too_much:
        return None, f"printed more than {_LARGEST >> 10} KiB"
    if late or not printed:
        return None, f"did not end within {_TIME_LIMIT:g} seconds"
    if process.returncode:
        return None, f"failed with exit code {process.returncode}: run it by hand to see why"
    return printed[0], ""


def _read_output(process: subprocess.Popen[bytes], printed: list[Secret[bytes]]) -> None:
    assert process.stdout is not None
    with process.stdout as output:
        printed.append(Secret(output.read(_LARGEST + 1)))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # the group lives while one of its programs does
        except OSError:
            process.kill()
    process.wait()
