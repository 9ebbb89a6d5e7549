"""Beyond what can be explored whole: four sessions, several faults, random schedules."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .configs import (
    AGAIN,
    CALL,
    CALL_AND_REVOKE,
    OTHER,
    REPEATING,
    SERVERS,
    TWO_CALLERS,
    TWO_ENDPOINTS,
    config,
)
from .explore import Explorer

CROWDS = {
    "calls": (CALL, CALL, AGAIN, AGAIN),
    "callers": (TWO_CALLERS, AGAIN, CALL, CALL),
    "revocation": (CALL_AND_REVOKE, AGAIN, CALL, CALL),
    "repeated tokens": (AGAIN, AGAIN, CALL, CALL),
    "a broken endpoint": (OTHER, TWO_ENDPOINTS, AGAIN, CALL),
    "a broken API": (OTHER, AGAIN, CALL),
}
APIS: Any = {"a broken endpoint": "refuses one", "a broken API": "refuses all"}
SCHEDULES: Any = st.lists(st.integers(0, 999), max_size=120)
WORLDS: Any = st.tuples(
    st.sampled_from(sorted(CROWDS)),
    st.sampled_from(SERVERS),
    st.sampled_from(["lease", "file"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["expired", "nothing", "aging", "dead", "corrupt", "refused"]),
)


@cache
def explorer(
    crowd: str, server: Any, lock: str, compare: bool, memory: bool, stored: str
) -> Explorer:
    if crowd == "repeated tokens":
        server = REPEATING[SERVERS.index(server)]
    chosen = config(
        crowd,
        CROWDS[crowd],
        server,
        lock,
        compare=compare,
        memory=memory,
        stored=stored,
        api=APIS.get(crowd, "takes"),
        prepares=True,
        budget=5,
    )
    return Explorer(chosen)


def walk(world: Any, schedule: list[int]) -> None:
    explorer(*world).walk(schedule)


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(WORLDS, SCHEDULES)
def test_four_sessions_and_several_faults(world: Any, schedule: list[int]) -> None:
    walk(world, schedule)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(WORLDS, SCHEDULES)
def test_four_sessions_and_several_faults_at_length(world: Any, schedule: list[int]) -> None:
    walk(world, schedule)
