"""Programs that print a secret, such as the client of a password manager."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .._values.secret import Secret

_LIMIT = 10.0  # seconds; a program that asks somebody for a passphrase needs an agent
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
    program = _find(command[0])
    if program is None:
        raise FileNotFoundError(
            f"names a program that was not found: {command[0]!r}; write its full path, or look at "
            "PATH"
        )
    if program.lower().endswith((".bat", ".cmd")):
        raise ValueError("is a batch file, which a shell would run: name the program itself")
    printed, problem = _run([program, *command[1:]], timeout)
    if printed is None:
        raise ValueError(problem)
    return printed


def _find(name: str) -> str | None:
    """Its path. Never in the current directory, where others may have put one of that name."""
    if os.path.dirname(name):  # noqa: PTH120 - Path drops the "./" that is looked for
        return shutil.which(name) if Path(name).is_absolute() else None
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = (Path(folder) / name for folder in folders if Path(folder).is_absolute())
    return next((found for path in paths if (found := shutil.which(str(path)))), None)


def _run(command: list[str], limit: float) -> tuple[Secret[bytes] | None, str]:
    """What it printed, or what is wrong."""
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
    printed: list[Secret[bytes]] = []
    reader = threading.Thread(target=_read_output, args=(process, printed), daemon=True)
    try:
        reader.start()
    except RuntimeError:
        _kill(process)
        return None, "could not be run: this program is about to end"
    too_much = False
    try:
        reader.join(limit)
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
        return None, f"did not end within {limit:g} seconds"
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
