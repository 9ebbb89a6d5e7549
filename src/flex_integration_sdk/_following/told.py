"""What a stream tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .work import Work


def state_of(work: Work, *, started: bool, ended: bool) -> str:
    """What a stream does, for its ``repr``."""
    if ended:
        return "ended"
    if work.stopped:
        return "about to stop"
    return "following" if started else "not started"
