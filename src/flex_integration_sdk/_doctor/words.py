"""Spans of time, for messages."""

from __future__ import annotations


def span(seconds: float) -> str:
    """A span of time in words."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
