"""The iterator of asyncio programs: errors, cancellation, shared use, and what it leaves."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Any

import pytest

from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk.errors import BadRequestError, RateLimitedError
from tests.support.paged_api import PagedApi


class Sender:
    """Sends queries to the model; ``before`` is awaited with the number of each, from 1."""

    def __init__(
        self, before: Callable[[int], Awaitable[object]] | None = None, rows: int = 20
    ) -> None:
        self.api = PagedApi({number: number * 1_000 for number in range(rows)})
        self.before, self.count, self.cancelled = before, 0, 0

    async def __call__(self, name: str, asked: Any, further: Any) -> Response[Any]:
        self.count += 1
        try:
            if self.before is not None:
                await self.before(self.count)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        page = self.api.query(asked)
        if page is None:
            raise BadRequestError("refused", status=400)
        return page

    def iterate(self, per_page: int = 5) -> AsyncResourceIterator[Any]:
        return AsyncResourceIterator(self, "listings.query", {"perPage": per_page}, {})


async def numbers(walk: AsyncResourceIterator[Any]) -> list[int]:
    return [each["id"].int async for each in walk]


def test_for_without_async_is_told_so() -> None:
    walk: Any = Sender().iterate()
    with pytest.raises(TypeError, match="AsyncResourceIterator needs `async for`"):
        list(walk)

    async def main() -> None:
        await walk

    with pytest.raises(TypeError, match="is not awaited: use it in `async for`"):
        asyncio.run(main())


def test_its_repr_says_how_far_it_is() -> None:
    async def main() -> None:
        walk = Sender().iterate()
        await anext(walk)
        assert repr(walk) == "<AsyncResourceIterator of listings.query: 1 of 20>"
        await walk.aclose()
        assert repr(walk).endswith(", closed>")

    asyncio.run(main())


@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_error_comes_after_what_was_before_it_and_the_walk_goes_on(page: int) -> None:
    async def before(number: int) -> None:
        if number == page:
            raise RateLimitedError("wait", status=429)

    async def main() -> None:
        walk = Sender(before).iterate()
        found = [(await anext(walk))["id"].int for _ in range([0, 5, 9][page - 1])]
        with pytest.raises(RateLimitedError):
            await anext(walk)
        assert found + await numbers(walk) == list(range(20))
        assert walk.done == 20
        with pytest.raises(StopAsyncIteration):
            await anext(walk)

    asyncio.run(main())


@pytest.mark.parametrize("page", [1, 2])
def test_one_that_was_cancelled_goes_on(page: int) -> None:
    async def main() -> None:
        released = asyncio.Event()

        async def before(number: int) -> None:
            if number == page:
                await released.wait()

        sender = Sender(before)
        walk = sender.iterate()
        found = [(await anext(walk))["id"].int for _ in range(5 * (page - 1))]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(walk), 0.01)
        released.set()
        assert found + await numbers(walk) == list(range(20))
        # The first page was asked for by the program's own task; the next one by another.
        assert sender.cancelled == (page == 1)

    asyncio.run(main())


def test_leaving_the_loop_early_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        never = asyncio.Event()

        async def waits(number: int) -> None:
            if number == 2:
                await never.wait()

        async def fails(number: int) -> None:
            if number == 2:
                raise RateLimitedError("wait", status=429)

        waiting = Sender(waits)
        async with waiting.iterate() as closed:
            await anext(closed)
            await asyncio.sleep(0)
        with pytest.raises(StopAsyncIteration):
            await anext(closed)
        dropped = Sender(waits)
        for sender in (dropped, Sender(fails)):
            async for _ in sender.iterate():
                await asyncio.sleep(0)  # the next page is asked for
                break
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)
        assert (waiting.cancelled, dropped.cancelled) == (1, 1)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    gc.collect()
    assert not caplog.records  # asyncio logs an error that nobody asked for


def test_tasks_share_it() -> None:
    async def main() -> None:
        async def before(number: int) -> None:
            await asyncio.sleep(0)

        walk = Sender(before, rows=200).iterate(per_page=7)
        found = await asyncio.gather(*(numbers(walk) for _ in range(5)))
        assert sorted(chain(*found)) == list(range(200))

    asyncio.run(main())


def test_it_goes_on_in_another_event_loop() -> None:
    async def some(count: int) -> list[int]:
        return [(await anext(walk))["id"].int for _ in range(count)]

    async def before(number: int) -> None:
        if number == 2:
            await asyncio.sleep(0.01)  # the first loop ends before this is over

    walk = Sender(before).iterate()
    assert asyncio.run(some(3)) + asyncio.run(numbers(walk)) == list(range(20))
