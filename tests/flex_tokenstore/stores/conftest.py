"""The tracer's helper program, started once for each test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .traced import Helper, helper


@pytest.fixture(scope="module")
def tracer() -> Iterator[Helper]:
    with helper() as started:
        if started.why_not:
            pytest.skip(started.why_not)
        yield started
