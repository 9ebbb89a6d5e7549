"""What the sandbox tells the person who started it."""

from __future__ import annotations

import sys
from contextlib import suppress


def tell(text: str) -> None:
    """Prints a line on standard error, without control characters: a request may have sent them."""
    line = "".join(each if each.isprintable() else " " for each in text)
    if sys.stderr is None:  # print would take standard output, which has one line of JSON
        return
    # Nobody may read it any more. That is no reason to fail a request.
    with suppress(OSError, ValueError):
        print(f"flex-sdk sandbox: {line}", file=sys.stderr, flush=True)  # noqa: T201 - it has no log
