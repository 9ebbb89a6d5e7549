"""``--max-retries``, and a line on stderr for each repetition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flex_integration_sdk._endpoints.endpoint import API_PATH

from ._notices import tell

if TYPE_CHECKING:
    from flex_integration_sdk import RequestEvent

Command = TypeVar("Command", bound=Callable[..., Any])


def max_retries_option(default: int = 2) -> Callable[[Command], Command]:
    """Adds ``--max-retries``."""
    return click.option(
        "--max-retries",
        metavar="NUMBER",
        type=click.IntRange(0, 100),  # as in `CallOptions`
        default=default,
        show_default=True,
        help="How often a call is repeated after 429, 5xx or a lost connection, where that can do "
        "no harm.",
    )


class RepetitionNotices:
    """Told of each request; tells the user why a call takes longer.

    Args:
        most: How often a call is repeated.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._done = 0

    def __call__(self, event: RequestEvent) -> None:
        if not event.path.startswith(API_PATH):
            return  # a token request's
        if event.attempt == 1:
            self._done = 0
        if event.retry_in is None:
            return
        # Not the event's number: it counts attempts with another token, too.
        self._done += 1
        if event.status is None:
            why = "no response"
        else:
            why = f"HTTP {event.status}" if event.status >= 400 else "a damaged response"
        attempt = f"attempt {self._done + 1} of {self._most + 1}"
        tell(f"{why}, again in {event.retry_in:.1f} s ({attempt})")
