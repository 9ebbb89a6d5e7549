"""What the sandbox tells the person who started it."""

from __future__ import annotations

import sys


def tell(text: str) -> None:
    """Prints a line on standard error, without control characters: a request may have sent them."""
    line = "".join(each if each.isprintable() else " " for each in text)
    print(f"flex-sdk sandbox: {line}", file=sys.stderr, flush=True)  # noqa: T201 - it has no log
