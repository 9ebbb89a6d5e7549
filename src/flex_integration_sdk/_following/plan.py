"""The arguments of ``follow``, checked."""

from __future__ import annotations

import logging
import math
import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from flex_integration_sdk.errors import ConfigurationError

from .position import Position

logger = logging.getLogger("flex_integration_sdk.events")

Delivery = Literal["at-least-once", "at-most-once"]
INTERVAL = 300.0  # seconds; the API's docs have it in their example
FULL_PAGE_PAUSE = 1.0  # seconds; the same example, after a page that was full
LEAST = 10.0  # seconds; the API's docs ask for no less
TAKEOVER = 60.0  # seconds
_OURS = (
    "startAfterSequenceId",
    "createdAtStart",
    "start_after_sequence_id",
    "created_at_start",
    "page",  # with another than the first, events would be missed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to follow, how fast and how carefully.

    Raises:
        ConfigurationError: A value is wrong.
    """

    query: Mapping[str, Any] = field(default_factory=dict)
    """Of the query, by the API's names."""
    further: Mapping[str, Any] = field(default_factory=dict)
    interval: float = INTERVAL
    full_page_pause: float = FULL_PAGE_PAUSE
    delivery: Delivery = "at-least-once"
    since: datetime | None = None
    worker: str | None = None
    takeover: float = TAKEOVER
    stop_on: Collection[int] = ()
    on_error: Callable[[Exception], object] | None = None

    def __post_init__(self) -> None:
        for name in ("interval", "full_page_pause"):
            _check_seconds(name, getattr(self, name), 0.0)
        _check_seconds("takeover", self.takeover, 1.0)
        if self.delivery not in get_args(Delivery):
            raise ConfigurationError(
                'delivery must be "at-least-once" or "at-most-once", got ' + repr(self.delivery)
            )
        if self.since is not None and (
            not isinstance(self.since, datetime) or self.since.tzinfo is None
        ):
            raise ConfigurationError(
                "since must be a datetime with a time zone, such as datetime.now(UTC), got "
                f"{self.since!r}"
            )
        if self.worker is not None and not (isinstance(self.worker, str) and self.worker):
            raise ConfigurationError(f"worker must be a name, got {self.worker!r}")
        _check_signals(self.stop_on)
        if ours := [name for name in _OURS if name in self.further]:
            raise ConfigurationError(
                f"follow() sets {ours[0]} itself, by its cursor; to say where it begins, use since"
            )
        if self.interval < LEAST:
            logger.warning(
                "events are followed with interval=%g; the API's documentation asks for at least "
                "%g s between two queries",
                self.interval,
                LEAST,
            )

    def check_cursor(self, cursor: object) -> None:
        """Raises ConfigurationError for a worker without a cursor."""
        if self.worker is not None and cursor is None:
            raise ConfigurationError(
                f"worker={self.worker!r} needs a cursor that the replicas share: else the one that "
                "takes over does not know where to go on"
            )

    @property
    def is_careful(self) -> bool:
        """Each event at least once; else at most once."""
        return self.delivery == "at-least-once"

    def first(self, now: float) -> Position:
        """Where the first run begins."""
        return Position(since=cut(self.since or datetime.fromtimestamp(now, UTC)))

    def tell(self, error: Exception) -> None:
        """Tells the program of trouble that does not end the stream."""
        if self.on_error is not None:
            self.on_error(error)


def cut(moment: datetime) -> datetime:
    """In UTC and milliseconds, as the API has them: rounded down, so that nothing is missed."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000).astimezone(UTC)


def _check_seconds(name: str, value: Any, least: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0 or value < least:
        wanted = f"a number of seconds from {least:g}" if least else "a positive number of seconds"
        raise ConfigurationError(f"{name} must be {wanted}, got {value!r}")


def _check_signals(signals: Any) -> None:
    try:
        for each in signals:
            signal.Signals(each)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"stop_on must be signals, such as (signal.SIGTERM, signal.SIGINT), got {signals!r}"
        ) from None
