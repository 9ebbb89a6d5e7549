"""The tracer's helper program, started once for each test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import ptrace
from .traced import Helper, helper


@pytest.fixture(scope="module")
def tracer() -> Iterator[Helper]:
    if reason := ptrace.why_not():
        pytest.skip(reason)
    with helper() as started:
        yield started
