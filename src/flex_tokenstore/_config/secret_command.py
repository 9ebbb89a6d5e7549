"""Programs that print a secret, such as the client of a password manager."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .._values.secret import Secret
from .env_text import expand_path

if TYPE_CHECKING:
    import subprocess

_LIMIT = 10.0  # seconds; a program that asks somebody for a passphrase needs an agent
_STEP = 0.02  # seconds
_REST = 1.0  # seconds
_LARGEST = 1 << 16  # bytes that it may print; a thousand keys are less


def read_secret_command(command: Sequence[str], *, timeout: float = _LIMIT) -> Secret[bytes]:
    """Runs a program that prints a secret, without a shell.

    Its standard input is empty. What it writes to standard error is not shown: it may be secret.

    Args:
        command: The program and its arguments. A program without a path is looked up in the
            absolute folders of ``PATH``, and never in the current directory.
        timeout: Seconds after which it is ended, with all that it has started.

    Returns:
        What it printed, at most 64 KiB.

    Raises:
        FileNotFoundError: There is no such program. Like the next one, the message is the end of a
            sentence and shows none of the arguments.
        ValueError: It could not be started, failed, printed too much or did not end in time.
    """
    program = _find(expand_path(command[0]))
    if program is None:
        # Of one string in place of a list only the program: the rest may be secret.
        name, *more = command[0].split() or [""]
        raise FileNotFoundError(
            f"names a program that was not found: {name!r}; "
            + (
                "write each argument as an element of its own"
                if more
                else "write its full path, or look at PATH"
            )
        )
    if program.lower().endswith((".bat", ".cmd")):
        raise ValueError("is a batch file, which a shell would run: name the program itself")
    printed, problem = _run([program, *command[1:]], timeout)
    if printed is None:
        raise ValueError(problem)
    return printed


def _find(name: str) -> str | None:
    """Its path. Never in the current directory, where others may have put one of that name."""
    import shutil

    if os.path.dirname(name):  # noqa: PTH120 - Path drops the "./" that is looked for
        return shutil.which(name) if Path(name).is_absolute() else None
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = (Path(folder) / name for folder in folders if Path(folder).is_absolute())
    return next((found for path in paths if (found := shutil.which(str(path)))), None)


def _run(command: list[str], limit: float) -> tuple[Secret[bytes] | None, str]:
    """What it printed, or what is wrong."""
    import subprocess

    until = time.monotonic() + limit
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
    output = _Output(process)
    try:
        output.start()
    except RuntimeError:
        _kill(process)
        return None, "could not be run: this program is about to end"
    try:
        # In steps, since it may wait for us to take what is too much.
        while process.poll() is None and not output.is_too_much and time.monotonic() < until:
            output.join(_STEP)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STEP)
    finally:
        late = process.poll() is None
        if late:
            _kill(process)
    # What is still in the pipe. A program that it leaves running may keep the pipe open.
    output.join(_REST)
    if output.is_too_much:
        return None, f"printed more than {_LARGEST >> 10} KiB"
    if late:
        return None, f"did not end within {limit:g} seconds"
    if process.returncode:
        return None, f"failed with exit code {process.returncode}: run it by hand to see why"
    return output.data, ""


class _Output(threading.Thread):
    """Reads what a process prints."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(name="flex-secret-command", daemon=True)
        self._process = process
        self.data = Secret(b"")

    @property
    def is_too_much(self) -> bool:
        """It printed more than a secret."""
        return len(self.data.reveal()) > _LARGEST

    def run(self) -> None:
        """Reads until the end, or until it is too much."""
        assert self._process.stdout is not None
        with self._process.stdout as output:
            while not self.is_too_much and (more := Secret(os.read(output.fileno(), _LARGEST))):
                self.data = Secret(self.data.reveal() + more.reveal())


def _kill(process: subprocess.Popen[bytes]) -> None:
    import signal

    if sys.platform == "win32":
        process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # the group lives while one of its programs does
        except OSError:
            process.kill()
    process.wait()
