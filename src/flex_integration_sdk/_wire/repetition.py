"""After which errors a request may be sent again, and when."""

from __future__ import annotations

from typing import Final, TypeAlias

from flex_integration_sdk.errors import ApiError, TransportError

Failure: TypeAlias = ApiError | TransportError

# With these the API, or a gateway before it, says that it failed for now. 501 and 505 last.
STATUSES: Final = frozenset({429, 500, 502, 503, 504})
# Seconds. A server that is restarted is back after some; the waits double from the first to the
# longest, each longer at random by up to a half, so that not all programs come back at once.
FIRST, LONGEST, SPREAD = 0.5, 8.0, 0.5
# Seconds of ``Retry-After`` that are kept: whoever calls would take a longer wait for a hang.
KEPT: Final = 60.0


def may_pass(error: Failure) -> bool:
    """Whether the same request may work at another time."""
    if isinstance(error, TransportError):
        return error.passing
    return error.status in STATUSES


def own_pause(failed: int) -> float:
    """Seconds until the next attempt, where the server names none.

    Args:
        failed: How many attempts have failed, at least 1.
    """
    import random  # no program needs it before a call fails

    usual = min(LONGEST, FIRST * 2 ** (failed - 1))
    pause: float = usual * (1 + random.uniform(0, SPREAD))  # noqa: S311 - not for security
    return pause
