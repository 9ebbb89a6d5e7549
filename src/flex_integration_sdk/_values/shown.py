"""What others wrote, made fit for a message."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LONGEST_SHOWN = 200  # characters of one text of a server's


def shown(value: object) -> str:
    """What a server wrote, for a message: on one line, and short.

    A line end in it would make a log record of its own, and an escape sequence move the cursor.
    """
    text = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in str(value)[:_LONGEST_SHOWN]
    )
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def host_of(url: str) -> str:
    """Host and port for a message: no user, no password, no control characters."""
    try:
        netloc = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        netloc = ""
    if re.fullmatch(r"[\w.:\[\]%-]{1,260}", netloc):
        return netloc
    return "an address that cannot be read"
