"""``Retry-After``: how long a server asks to wait (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 300.0
"""Seconds. A longer wait, or a date far ahead, is a mistake, a wrong clock or an attack: whoever
keeps to the number would stand still for as long as the server likes."""

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")  # a fraction is not allowed, but some servers send it


def retry_after(header: str | None) -> float | None:
    """Returns how long to wait in seconds, 300 at most; None: the header is absent or unreadable.

    Args:
        header: The header ``Retry-After``: a number of seconds, or a date.
    """
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST)  # too many digits make an infinity, which min bounds
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)  # an HTTP date is always GMT, named or not
        left = moment.timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, left), LONGEST)
