"""Moments, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: float | None) -> str | None:
    """A Unix time in seconds as ISO 8601 in UTC; None if it is not known, or is none."""
    if moment is None:
        return None
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return None  # another program wrote no Unix time in seconds


def relative(seconds: float, *, past: bool) -> str:
    """How long ago, or in how long.

    Args:
        seconds: From then to now if ``past``, else from now to then.
        past: What the number counts.
    """
    gone = past if seconds >= 0 else not past
    left = abs(seconds)
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if left >= 2 * size:
            text = f"{left / size:.0f} {unit}"
            break
    else:
        text = f"{left:.0f} seconds"
    return f"{text} ago" if gone else f"in {text}"
