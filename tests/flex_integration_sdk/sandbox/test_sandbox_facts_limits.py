"""Clients with the recommended limiters never meet 429 (``--limits dev``).

Evidence: the configurations that the official JavaScript SDK has for development environments, and
the official page on rate limits, which recommends them. The SDK's limiter is Bottleneck: its
reservoir grows at ticks of 250 ms, counted from the moment when the program made it.
``tests/integration/test_javascript_limits.py`` runs the SDK itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk import RateLimiter
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._wire.rate_limits import limits_of
from flex_integration_sdk.sandbox._limits import Limiter
from flex_integration_sdk.sandbox._refusal import ApiFault

QUERY, COMMAND = ENDPOINTS["users.query"], ENDPOINTS["users.approve"]
CREATE = ENDPOINTS["listings.create"]
TICK = 0.25  # seconds between two looks of Bottleneck at its clock

# Seconds of doing nothing, then a number of calls at once; and for each call its way in seconds.
bursts = st.lists(st.tuples(st.floats(0, 400), st.integers(1, 230)), min_size=1, max_size=4)
ways = st.lists(st.floats(0, 10), min_size=1, max_size=20)


def bottleneck(
    plan: list[tuple[float, int]], *, initial: int, seconds: float, maximum: int
) -> Iterator[float]:
    """When the JavaScript SDK's limiter lets each call through."""
    reservoir, ticks, grown = initial, 0, 0.0

    def grow_to(moment: float) -> None:
        nonlocal reservoir, ticks, grown
        while (ticks + 1) * TICK <= moment:
            ticks += 1
            if ticks * TICK >= grown + seconds:
                grown = ticks * TICK
                reservoir += min(1, maximum - reservoir)

    now = 0.0
    for idle, count in plan:
        now += idle
        grow_to(now)
        for _ in range(count):
            while not reservoir:
                now = (ticks + 1) * TICK
                grow_to(now)
            reservoir -= 1
            yield now


def ours(plan: list[tuple[float, int]], limiter: RateLimiter) -> Iterator[float]:
    """When our limiter lets each call through."""
    now = 0.0
    limiter._clock = lambda: now  # the test's own time
    for idle, count in plan:
        now += idle
        for _ in range(count):
            now += limiter.reserve()
            yield now


def refused(starts: Iterator[float], ways: list[float], endpoint: object) -> list[float]:
    """The arrivals that the sandbox refuses, if calls take so long on their way."""
    now = 0.0
    server = Limiter("dev", clock=lambda: now)
    found = []
    for now in sorted(start + ways[n % len(ways)] for n, start in enumerate(starts)):
        try:
            server.enter(endpoint)  # type: ignore[arg-type]  # one of the two above
        except ApiFault:
            found.append(now)
        else:
            server.leave()
    return found


@given(bursts, ways)
def test_the_limiters_of_the_javascript_sdk(
    plan: list[tuple[float, int]], ways: list[float]
) -> None:
    queries = bottleneck(plan, initial=100, seconds=1, maximum=200)
    assert refused(queries, ways, QUERY) == []
    commands = bottleneck(plan, initial=50, seconds=2, maximum=100)
    assert refused(commands, ways, COMMAND) == []


@given(bursts, ways)
def test_our_limiters(plan: list[tuple[float, int]], ways: list[float]) -> None:
    limits = limits_of("dev")
    assert limits.queries is not None
    assert limits.commands is not None
    assert refused(ours(plan, limits.queries), ways, QUERY) == []
    assert refused(ours(plan, limits.commands), ways, COMMAND) == []


@pytest.mark.parametrize(("endpoint", "count"), [(QUERY, 211), (COMMAND, 106)])
def test_a_program_without_a_limiter_meets_429(endpoint: object, count: int) -> None:
    plan = [(0.0, count + 5)]
    unlimited = bottleneck(plan, initial=count + 5, seconds=1, maximum=count + 5)
    assert len(refused(unlimited, [0], endpoint)) == 5


def test_one_more_call_for_each_second_or_two() -> None:
    now = 0.0
    server = Limiter("dev", clock=lambda: now)

    def admitted(endpoint: object, tries: int) -> int:
        count = 0
        for _ in range(tries):
            try:
                server.enter(endpoint)  # type: ignore[arg-type]  # one of the two above
            except ApiFault:
                return count
            server.leave()
            count += 1
        return count

    assert (admitted(QUERY, 300), admitted(COMMAND, 300)) == (211, 106)
    now += 60
    assert (admitted(QUERY, 300), admitted(COMMAND, 300)) == (60, 30)


def test_listings_are_created_at_100_a_minute_until_the_burst_is_used_up() -> None:
    """Official page, "Interaction between different rate limits": while the burst of the command
    limit lasts, listings can be created 100 times a minute, and each uses it up; then 30 times. The
    official script ``create-listings.js`` pauses 600 ms after each."""
    now = 0.0
    server = Limiter("dev", clock=lambda: now)

    def created(pause: float, seconds: int) -> int:
        nonlocal now
        found = 0
        for _ in range(int(seconds / pause)):
            try:
                server.enter(CREATE)
            except ApiFault:
                pass
            else:
                server.leave()
                found += 1
            now += pause
        return found

    assert created(pause=0.6, seconds=90) == 150
    assert created(pause=0.6, seconds=60) < 100  # the burst ends within it
    assert created(pause=0.6, seconds=60) == 30
