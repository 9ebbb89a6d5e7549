"""Goes on after trouble that ends a call, but need not end a job of hours.

A call is repeated by the SDK, but not its token request: each is made once, and a second one may
be made at most. A job can wait until the server grants tokens again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from flex_integration_sdk._wire.repetition import KEPT, Failure, may_pass
from flex_integration_sdk.errors import ApiError, TransportError

T = TypeVar("T")

# Seconds. The waits double from the first to the longest.
_FIRST, _LONGEST = 1.0, 30.0


def patiently(
    found: Iterable[T],
    most: int,
    told: Callable[[str], object],
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[T]:
    """The resources of an iterator that can go on after an error.

    Args:
        found: It asks for the page again, if it is continued after an error.
        most: How many errors in a row it is continued after.
        told: Called with what to tell the user about a wait.
        sleep: Waits for seconds.
    """
    resources, failures = iter(found), 0
    while True:
        try:
            each = next(resources)
        except StopIteration:
            return
        except (ApiError, TransportError) as error:
            failures += 1
            wait = wait_after(error, failures)
            if wait is None or failures > most:
                raise
            told(f"{error}; goes on in {wait:g} s ({failures} of {most})")
            sleep(wait)
            continue
        failures = 0
        yield each


def wait_after(error: Failure, failures: int) -> float | None:
    """Seconds until it may work; None: it was repeated already, or will not work."""
    if error.attempts > 1 or not may_pass(error):
        return None
    named = error.retry_after or 0.0
    # Not less than our own: the session sends no token request for a moment after a failed one.
    own = min(_FIRST * 2 ** (failures - 1), _LONGEST)
    return None if named > KEPT else float(max(named, own))
