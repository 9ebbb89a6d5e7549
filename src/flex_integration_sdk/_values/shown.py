"""Makes text of others safe for a message."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LONGEST_SHOWN = 200  # characters of one text of a server's


def shown(value: object) -> str:
    """Text of a server, for a message: short, and on one line.

    A line end in it could forge a log record, and an escape sequence could move the cursor.
    """
    # Cut before anything else: a server may send megabytes.
    text = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in str(value)[:_LONGEST_SHOWN]
    )
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def host_of(url: str) -> str:
    """Host and port for a message: no user, no password, no control characters."""
    try:
        # From the last @: a password may contain one.
        netloc = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        netloc = ""
    if re.fullmatch(r"[\w.:\[\]%-]{1,260}", netloc):
        return netloc
    return "an address that cannot be read"
