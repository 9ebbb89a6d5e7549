"""What an export outwaits, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flex_integration_sdk._export.patience import patiently
from flex_integration_sdk.errors import (
    ForbiddenError,
    RateLimitedError,
    ServerError,
    TransportError,
)


class Troubled:
    """An iterator that raises between its items, and can go on."""

    def __init__(self, *steps: int | Exception) -> None:
        self._steps = list(steps)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if not self._steps:
            raise StopIteration
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def limited(seconds: float | None) -> RateLimitedError:
    error = RateLimitedError(status=429)
    error.retry_after = seconds
    return error


def test_it_goes_on_and_waits_longer_each_time() -> None:
    lost = TransportError("lost", passing=True)
    steps = Troubled(1, ServerError(status=503), lost, limited(7), 2, ServerError(status=500), 3)
    waits: list[float] = []
    told: list[str] = []
    assert list(patiently(steps, 3, told.append, waits.append)) == [1, 2, 3]
    assert waits == [1, 2, 7, 1]
    assert len(told) == 4


def test_no_more_often_than_it_may() -> None:
    steps = Troubled(ServerError(status=503), ServerError(status=503), 1)
    with pytest.raises(ServerError):
        list(patiently(steps, 1, lambda _: None, lambda _: None))


@pytest.mark.parametrize(
    "error",
    [ForbiddenError(status=403), limited(61), TransportError("certificate"), ValueError("other")],
)
def test_what_waiting_does_not_help_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        list(patiently(Troubled(error), 9, lambda _: None, lambda _: None))


def test_what_was_repeated_already_is_raised() -> None:
    error = ServerError(status=503)
    error.attempts = 9
    with pytest.raises(ServerError):
        list(patiently(Troubled(error), 9, lambda _: None, lambda _: None))
