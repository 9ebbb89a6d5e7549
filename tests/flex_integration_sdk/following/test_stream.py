"""When a stream asks the API, what it hands out, and when an event counts as handled."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk._following.cursor import FileCursor
from flex_integration_sdk._following.sync import EventStream
from flex_integration_sdk.errors import (
    BadRequestError,
    CursorError,
    EventGapError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from flex_tokenstore import SessionClosedError, TokenUnavailableError

from .scripted import EPOCH, AsyncMemory, Memory, World, after, event, numbers

START = EPOCH + timedelta(minutes=-1)


class Oops(Exception):
    pass


def fail_at(number: int, stream: EventStream) -> None:
    with stream:
        for each in stream:
            if each["attributes"]["sequenceId"] == number:
                raise Oops


def test_it_polls_at_once_then_after_each_page_then_as_seldom_as_documented() -> None:
    world = World(1, 2, 3, 4, 5)
    stream = world.stream(Memory(), since=START)

    def later() -> None:
        world.add(len(world.events) + 1)
        if len(world.polls) == 4:
            stream.stop()

    world.in_wait = later
    assert numbers(stream) == [*range(1, 9)]
    times = [time for time, _ in world.polls]
    assert times == [1000, 1001, 1002, 1302]
    assert world.polls[0][1] == {"createdAtStart": START}
    assert [asked for _, asked in world.polls[1:]] == [
        {"startAfterSequenceId": each} for each in (3, 6, 7)
    ]


def test_for_without_async_is_told_so() -> None:
    stream: Any = World(1).aio_stream()
    with pytest.raises(TypeError, match="AsyncEventStream needs `async for`"):
        list(stream)

    async def main() -> None:
        await stream

    with pytest.raises(TypeError, match="is not awaited: use it in `async for`"):
        asyncio.run(main())


def test_its_repr_says_what_it_does() -> None:
    stream = World(1, 2).stream(since=START)
    assert repr(stream) == "<EventStream: not started>"
    next(stream)
    assert repr(stream) == "<EventStream: following>"
    stream.stop()
    assert repr(stream) == "<EventStream: about to stop>"
    stream.close()
    assert repr(stream) == "<EventStream: ended>"
    assert repr(World(1).aio_stream()) == "<AsyncEventStream: not started>"


def test_the_time_that_a_program_takes_counts_for_the_interval() -> None:
    world = World(1)
    stream = world.stream(since=START, interval=20)
    for _ in stream:
        world.now += 15
    assert world.waits == [5]


def test_the_first_run_begins_now_and_a_crash_before_the_first_event_loses_nothing() -> None:
    world, cursor = World(), Memory()
    world.in_wait = lambda: None
    assert numbers(world.stream(cursor)) == []
    assert cursor.position is not None
    assert json.loads(cursor.position)["since"] == "2026-01-01T00:16:40.000Z"
    world.add(17)  # before the next run
    world.now += 1000
    assert numbers(world.stream(cursor)) == [17]


def test_an_event_is_saved_when_the_next_is_asked_for() -> None:
    world, cursor = World(1, 2, 3), Memory()
    stream = iter(world.stream(cursor, since=START))
    seen = []
    for _ in range(3):
        next(stream)
        seen.append(after(cursor))
    assert seen == [None, 1, 2]


def test_at_most_once_saves_before_it_hands_out() -> None:
    world, cursor = World(1, 2), Memory()
    stream = iter(world.stream(cursor, since=START, delivery="at-most-once"))
    next(stream)
    assert after(cursor) == 1
    next(stream)
    assert after(cursor) == 2


@pytest.mark.parametrize(("delivery", "left"), [("at-least-once", 1), ("at-most-once", 2)])
def test_an_exception_in_the_block_leaves_the_event(delivery: Any, left: int) -> None:
    world, cursor = World(1, 2, 3), Memory()
    with pytest.raises(Oops):
        fail_at(2, world.stream(cursor, since=START, delivery=delivery))
    assert after(cursor) == left


def test_leaving_the_block_and_close_count_as_handled() -> None:
    world, cursor = World(1, 2, 3), Memory()
    with world.stream(cursor, since=START) as stream:
        for _ in stream:
            break
    assert after(cursor) == 1
    second = world.stream(cursor)
    next(second)
    second.close()
    second.close()
    assert after(cursor) == 2
    assert list(second) == []


def test_a_stream_that_is_dropped_has_not_handled_its_event() -> None:
    world, cursor = World(1, 2), Memory()
    stream = world.stream(cursor, since=START)
    next(stream)
    del stream
    assert after(cursor) is None


def test_done_saves_at_once() -> None:
    world, cursor = World(1, 2), Memory()
    stream = world.stream(cursor, since=START)
    next(stream)
    stream.done()
    assert after(cursor) == 1
    with pytest.raises(Oops):
        fail_at(2, stream)
    assert after(cursor) == 1


@pytest.mark.parametrize("way", ["done", "break", "close"])
def test_at_most_once_loses_no_event_to_a_clean_end(way: str) -> None:
    world, cursor, seen = World(1, 2, 3), Memory(), []
    for _ in range(3):
        with world.stream(cursor, since=START, delivery="at-most-once") as stream:
            for found in stream:
                seen.append(found["attributes"]["sequenceId"])
                if way != "break":
                    getattr(stream, way)()
                break
        assert after(cursor) == seen[-1]
    assert seen == [1, 2, 3]


def test_done_goes_on_in_at_most_once() -> None:
    world, cursor = World(1, 2), Memory()
    stream = world.stream(cursor, since=START, delivery="at-most-once")
    next(stream)
    stream.done()
    stream.done()
    assert numbers(stream) == [2]


def test_at_most_once_of_an_event_loop_loses_none_either() -> None:
    async def main() -> list[Any]:
        world, cursor, seen = World(1, 2, 3), AsyncMemory(), []
        for _ in range(3):
            made = world.aio_stream(cursor, since=START, delivery="at-most-once")
            async with made as stream:
                async for found in stream:
                    seen.append(found["attributes"]["sequenceId"])
                    break
        return seen

    assert asyncio.run(main()) == [1, 2, 3]


def test_a_loop_that_failed_gets_its_event_again() -> None:
    world, cursor = World(1, 2), Memory()
    stream = world.stream(cursor, since=START)
    next(stream)
    assert [next(iter(stream)), next(stream)] == world.events  # another `for` begins
    stream.stop()
    assert numbers(stream) == [2]
    assert after(cursor) == 2


def test_stop_lets_the_event_be_finished() -> None:
    world, cursor = World(1, 2), Memory()
    stream = world.stream(cursor, since=START)
    for _ in stream:
        stream.stop()
    assert after(cursor) == 1
    assert world.waits == []


def test_a_page_is_handed_out_once_whatever_the_api_repeats() -> None:
    world = World(1, 2)
    stream = world.stream(Memory(), since=START, interval=10)
    world.in_wait = lambda: (
        stream.stop() if len(world.polls) > 2 else world.events.insert(0, event(1))
    )
    assert numbers(stream) == [1, 2]


@pytest.mark.parametrize(
    "error",
    [TransportError("no answer"), ServerError(status=503), TokenUnavailableError("down")],
)
def test_trouble_that_passes_does_not_end_it(error: Exception) -> None:
    world, told = World(1), []  # type: ignore[var-annotated]
    world.outcomes = [error] * 4
    stream = world.stream(Memory(), since=START, interval=4, on_error=told.append)
    world.in_wait = lambda: None
    assert next(stream)["attributes"]["sequenceId"] == 1
    assert world.waits == [1, 2, 4, 4]
    assert told == [error] * 4


def test_it_waits_as_long_as_the_api_asks() -> None:
    world = World(1)
    error = RateLimitedError(status=429)
    error.retry_after = 50
    world.outcomes = [error]
    stream = world.stream(Memory(), since=START, interval=10)
    world.in_wait = lambda: None
    next(stream)
    assert world.waits == [50]


@pytest.mark.parametrize("error", [BadRequestError(status=400), UnauthorizedError(status=401)])
def test_other_trouble_ends_it(error: Exception) -> None:
    world = World(1)
    world.outcomes = [error]
    stream = world.stream(since=START)
    with pytest.raises(type(error)):
        next(stream)
    assert list(stream) == []
    assert world.waits == []


def test_what_on_error_raises_ends_it() -> None:
    def refuse(error: Exception) -> None:
        raise Oops from error

    world = World(1)
    world.outcomes = [TransportError("no answer")]
    with pytest.raises(Oops):
        next(world.stream(since=START, on_error=refuse))


def test_a_closed_instance_ends_it() -> None:
    world = World()
    stream = world.stream()
    world.in_wait = world.closing.close
    with pytest.raises(SessionClosedError):
        next(stream)


def test_an_event_that_is_gone_is_a_gap_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    cursor = Memory('{"format": 1, "after": 5, "at": "2025-01-01T00:00:00.000Z"}')
    told: list[Exception] = []
    world = World(9, 10)
    assert numbers(world.stream(cursor, on_error=told.append)) == [9, 10]
    (gap,) = told
    assert isinstance(gap, EventGapError)
    assert (gap.after, gap.next) == (5, 9)
    assert "the event 5, of 2025-01-01T00:00:00.000Z, at which" in str(gap)
    assert [each.levelno for each in caplog.records] == [logging.WARNING]
    assert world.polls[0][1] == {"startAfterSequenceId": 4}


def test_no_gap_is_told_where_the_last_event_is_still_there() -> None:
    cursor, told = Memory(), []  # type: ignore[var-annotated]
    world = World(1, 2)
    numbers(world.stream(cursor, since=START))
    world.add(3)
    assert numbers(world.stream(cursor, on_error=told.append)) == [3]
    assert told == []


def test_a_cursor_of_another_marketplace_is_refused() -> None:
    text = '{"format": 1, "after": 1, "event": "00000000-0000-0000-0000-00000000000a"}'
    cursor = Memory(text)
    with pytest.raises(CursorError, match="another marketplace"):
        next(World(1, 2).stream(cursor))
    assert cursor.position == text


def test_a_quiet_marketplace_moves_the_first_moment_on() -> None:
    world, cursor = World(), Memory()
    numbers(world.stream(cursor))
    world.now += 86_400 * 30
    numbers(world.stream(cursor))
    assert json.loads(cursor.position or "")["since"] == "2026-01-30T23:21:40.000Z"


@pytest.mark.parametrize(("ahead", "since"), [(0.0, 1000), (0.9, 1000.9), (7200.0, 1000)])
def test_a_clock_that_is_ahead_misses_nothing(
    ahead: float, since: float, caplog: pytest.LogCaptureFixture
) -> None:
    world, cursor = World(), Memory()
    world.ahead = ahead
    stream = world.stream(cursor)
    assert numbers(stream) == []
    moment = EPOCH + timedelta(seconds=since)
    assert [each["createdAtStart"] for _, each in world.polls] == [
        EPOCH + timedelta(seconds=1000 + ahead)
    ]
    kept = json.loads(cursor.position or "{}")["since"]
    assert kept == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert ("clock is 7200 s ahead" in caplog.text) == (ahead > 1)


def test_events_without_their_number_are_refused() -> None:
    world = World(1)
    del world.events[0]["attributes"]["sequenceId"]
    with pytest.raises(CursorError, match=r"without sequenceId.*add it to fields"):
        next(world.stream(since=START))


@pytest.mark.parametrize("kind", [Memory, AsyncMemory])
def test_the_same_in_an_event_loop(kind: Any) -> None:
    world, cursor = World(1, 2, 3, 4), kind()

    seen = []

    async def main(most: int) -> None:
        async with world.aio_stream(cursor, since=START) as stream:
            async for each in stream:
                seen.append(each["attributes"]["sequenceId"])
                if len(seen) == most:
                    raise Oops

    with pytest.raises(Oops):
        asyncio.run(main(2))
    asyncio.run(main(9))
    assert seen == [1, 2, 2, 3, 4]
    assert after(getattr(cursor, "inner", cursor)) == 4


def test_a_wait_that_is_cancelled_can_be_repeated() -> None:
    world = World(1)

    async def main() -> None:
        stream = world.aio_stream(Memory(), since=START)
        await anext(stream)
        never = asyncio.Event()
        waits = stream._bell.wait
        stream._bell.wait = lambda seconds: never.wait()  # type: ignore[assignment,method-assign,return-value]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        stream._bell.wait = waits  # type: ignore[method-assign]
        world.in_wait = lambda: None
        world.add(2)
        world.now += 299
        assert (await anext(stream))["attributes"]["sequenceId"] == 2
        assert world.waits == [1]
        await stream.aclose()

    asyncio.run(main())


def test_a_save_that_is_cancelled_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, saves = threading.Event(), threading.Event(), []
    save = FileCursor.save

    def slow(cursor: FileCursor, position: str) -> None:
        saves.append("begins")
        begun.set()
        assert goes_on.wait(30)
        save(cursor, position)
        saves.append("ends")

    monkeypatch.setattr(FileCursor, "save", slow)

    async def main() -> None:
        stream = World(1).aio_stream(tmp_path / "cursor", since=START)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(begun.wait, 30)
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        assert saves == ["begins"]
        begun.clear()
        goes_on.set()
        assert (await second)["attributes"]["sequenceId"] == 1
        goes_on.clear()
        begun.clear()
        third = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(begun.wait, 30)
        third.cancel()
        await asyncio.wait([third])
        asyncio.get_running_loop().call_later(0.01, goes_on.set)
        await stream.aclose()
        assert saves == ["begins", "ends"] * 3

    asyncio.run(main())
