"""Counts events with OpenTelemetry, in programs that use it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from .._version import __version__

if TYPE_CHECKING:
    from .event import Event

EVENTS = "flex_tokenstore.events"
REQUESTS = "flex_tokenstore.token_requests"
WAITS = "flex_tokenstore.lock.wait.duration"

OUTCOMES = {
    "refreshed": "issued",
    "signed_in": "issued",
    "refresh_rejected": "rejected",
    "request_failed": "failed",
}
"""What each event about a token request says of its answer."""

# Seconds. OpenTelemetry's default boundaries, 0 to 10,000, are made for milliseconds.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class _Instruments(NamedTuple):
    events: Any
    requests: Any
    waits: Any


_made: _Instruments | None = None


def count(event: Event) -> None:
    """Counts one event; does nothing in a program that has not imported OpenTelemetry's metrics.

    Whoever exports metrics has imported them to say where to. Importing them here would cost
    all others 40 ms, while the token lock is held.
    """
    if sys.modules.get("opentelemetry.metrics") is None:
        return
    instruments = _instruments()
    store = {"flex_tokenstore.store": event.store}
    failure = {} if event.error_type is None else {"error.type": event.error_type}
    named = {**store, "flex_tokenstore.event": event.name, **failure}
    if event.reason is not None:
        named["flex_tokenstore.reason"] = event.reason
    instruments.events.add(1, named)
    outcome = OUTCOMES.get(event.name)
    if outcome is not None and event.reason != "not_sent":
        instruments.requests.add(
            1,
            {
                **store,
                "flex_tokenstore.grant_type": event.grant_type or "",
                "flex_tokenstore.outcome": outcome,
                **failure,
            },
        )
    if event.name == "waited" and event.seconds is not None:
        instruments.waits.record(event.seconds, {**store, "flex_tokenstore.reason": event.reason})


def _instruments() -> _Instruments:
    global _made
    if _made is None:
        from opentelemetry import metrics

        meter = metrics.get_meter("flex_tokenstore", __version__)
        _made = _Instruments(
            meter.create_counter(EVENTS, "{event}", "What happened to tokens, by event"),
            meter.create_counter(REQUESTS, "{request}", "Token requests, by grant and outcome"),
            meter.create_histogram(
                WAITS,
                "s",
                "Time until a session acquired the token lock, or no longer needed it",
                explicit_bucket_boundaries_advisory=_BOUNDARIES,
            ),
        )
    return _made
