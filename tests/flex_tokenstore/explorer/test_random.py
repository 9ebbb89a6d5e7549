"""Beyond what can be explored whole: four sessions, several faults, random schedules."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .configs import AGAIN, CALL, CALL_AND_REVOKE, SERVERS, TWO_CALLERS, config
from .explore import Explorer

CROWDS = {
    "calls": (CALL, CALL, AGAIN, AGAIN),
    "callers": (TWO_CALLERS, AGAIN, CALL, CALL),
    "revocation": (CALL_AND_REVOKE, AGAIN, CALL, CALL),
}
SCHEDULES: Any = st.lists(st.integers(0, 999), max_size=120)
WORLDS: Any = st.tuples(
    st.sampled_from(sorted(CROWDS)),
    st.sampled_from(SERVERS),
    st.sampled_from(["lease", "file"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["expired", "nothing", "aging", "dead", "corrupt"]),
)


@cache
def explorer(
    crowd: str, server: Any, lock: str, compare: bool, memory: bool, stored: str
) -> Explorer:
    chosen = config(
        crowd,
        CROWDS[crowd],
        server,
        lock,
        compare=compare,
        memory=memory,
        stored=stored,
        budget=5,
    )
    return Explorer(chosen)


def walk(world: Any, schedule: list[int]) -> None:
    explorer(*world).walk(schedule)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(WORLDS, SCHEDULES)
def test_four_sessions_and_several_faults(world: Any, schedule: list[int]) -> None:
    walk(world, schedule)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(WORLDS, SCHEDULES)
def test_four_sessions_and_several_faults_at_length(world: Any, schedule: list[int]) -> None:
    walk(world, schedule)
