"""The command ``flex-sdk``. Needs the extra ``cli``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import Any

from ._shell_variable import COMPLETES

__all__ = ["main"]


def main() -> None:
    """Runs ``flex-sdk`` with the arguments of this process, and exits with its code."""
    closed = _open_closed_streams()
    completes = COMPLETES in os.environ
    if completes:
        # At a tab, an error would be written into the line that the user types.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    # Before the imports below, which would fail with a traceback.
    missing = [name for name in ("click", "rich", "tomlkit") if find_spec(name) is None]
    if missing:
        print(  # noqa: T201 - click, which would print it, may be what is missing
            f"flex-sdk needs {' and '.join(missing)}: install the extra `cli`, in the folder of "
            "your clone with: python -m pip install '.[cli]'",
            file=sys.stderr,
        )
        sys.exit(1)
    _print_what_it_can()
    from ._app import run

    try:
        code = run(sys.argv[1:])
    except BaseException:
        if not completes:
            raise
        code = 0  # click ends a completion by SystemExit; any other error has no reader
        sys.stdout.flush()
    if code == 0 and closed is not None and closed.was_used:
        print(  # noqa: T201 - as the errors above
            "flex-sdk: standard output is closed: what the command printed is lost",
            file=sys.stderr,
        )
        code = 1
    if code == 0:  # all is printed and flushed: what plugins print at exit is not part of it
        with suppress(OSError, ValueError):
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.exit(code)


def _print_what_it_can() -> None:
    """Prints characters that a console or a file cannot encode (cp1252, ASCII) as ``\\u…``.

    Otherwise a command would do its work, fail when it prints that, and exit as failed.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Closed(FileIO):
    """In place of a standard output that is closed: knows whether something was printed."""

    was_used = False

    def write(self, data: Any) -> int:
        """Drops it."""
        self.was_used = True
        return super().write(data)


def _open_closed_streams() -> _Closed | None:
    """Opens standard streams that a shell (``>&-``) or a service manager left closed.

    Returns:
        What stands in for standard output; None: that is open.
    """
    # Also so that no file or socket of ours gets their numbers, and is written into.
    closed = None
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - to the end
    if sys.stdout is None:
        closed = _Closed(os.devnull, "w")
        sys.stdout = TextIOWrapper(BufferedWriter(closed), encoding="utf-8")
        # Python goes back to this one at its end, and would warn that the other was not closed.
        setattr(sys, "__stdout__", sys.stdout)  # noqa: B010 - it is Final to type checkers
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
    return closed
