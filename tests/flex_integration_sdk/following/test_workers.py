"""Replicas that share a worker's name, in real token stores; signals; what is refused."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.errors import ConfigurationError, CursorError
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import SessionClosedError

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
LONG = 3600.0


@pytest.fixture
def options(flex_sandbox: RunningSandbox, tmp_path: Path) -> dict[str, Any]:
    return {
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "base_url": flex_sandbox.base_url,
        "token_store": {"name": "file", "path": str(tmp_path / "token")},
    }


@pytest.fixture
def following(tmp_path: Path) -> dict[str, Any]:
    since = datetime.now(UTC) - timedelta(days=3)
    cursor = tmp_path / "cursor"
    return {"cursor": cursor, "since": since, "worker": "orders", "takeover": 1}


def number(event: Any) -> int:
    found: int = event["attributes"]["sequenceId"]
    return found


def test_the_second_waits_and_goes_on_where_the_first_ended(
    options: dict[str, Any], following: dict[str, Any]
) -> None:
    with create_instance(**options) as one, create_instance(**options) as two:
        first, second = one.events.follow(**following), two.events.follow(**following)
        seen = [number(next(first))]
        got: list[int] = []
        waiter = threading.Thread(target=lambda: got.append(number(next(second))))
        waiter.start()
        seen += [number(next(first)) for _ in range(5)]
        assert got == []
        first.close()
        waiter.join(60)
        assert got[0] > seen[-1]
        assert len(seen) == len(set(seen)) == 6
        second.stop()
        second.close()


def test_the_same_in_an_event_loop(options: dict[str, Any], following: dict[str, Any]) -> None:
    async def main() -> None:
        async with create_async_instance(**options) as sdk:
            first, second = sdk.events.follow(**following), sdk.events.follow(**following)
            seen = [number(await anext(first))]
            waiting = asyncio.ensure_future(anext(second))
            seen += [number(await anext(first)) for _ in range(5)]
            assert not waiting.done()
            await first.aclose()
            assert number(await waiting) > seen[-1]
            await second.aclose()

    asyncio.run(main())


def test_one_who_waits_for_its_turn_can_be_stopped(
    options: dict[str, Any], following: dict[str, Any]
) -> None:
    with create_instance(**options) as sdk:
        first, second = sdk.events.follow(**following), sdk.events.follow(**following)
        next(first)
        timer = threading.Timer(0.05, second.stop)
        timer.start()
        assert list(second) == []
        first.close()


def test_a_dropped_stream_lets_the_other_work(
    options: dict[str, Any], following: dict[str, Any]
) -> None:
    with create_instance(**options) as sdk:
        first = sdk.events.follow(**following)
        event = number(next(first))
        del first
        with sdk.events.follow(**following) as second:
            assert number(next(second)) == event  # it was not handled


def test_a_dropped_stream_of_an_event_loop_lets_the_other_work(
    options: dict[str, Any], following: dict[str, Any]
) -> None:
    async def main() -> None:
        async with create_async_instance(**options) as sdk:
            first = sdk.events.follow(**following)
            event = number(await anext(first))
            del first
            async with sdk.events.follow(**following) as second:
                assert number(await anext(second)) == event

    asyncio.run(main())


def test_the_token_can_be_refreshed_while_a_worker_has_its_turn(
    options: dict[str, Any], following: dict[str, Any], flex_sandbox: RunningSandbox
) -> None:
    with create_instance(**options) as sdk, sdk.events.follow(**following) as stream:
        next(stream)
        flex_sandbox.expire()
        sdk.marketplace.show()
        assert flex_sandbox.stats()["refresh_token"] == 1


class Own:
    """A program's own store, which has one place for all."""

    def get_token(self) -> Any:
        return None

    def set_token(self, token: Any) -> None:
        pass

    def remove_token(self) -> None:
        pass


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("memory", "needs a token store that the replicas share"),
        ({"name": "read-only", "inner": "file"}, "needs the lock of a token store"),
        (Own(), "needs locks of its own"),
    ],
)
def test_stores_that_keep_no_replicas_apart(
    options: dict[str, Any], following: dict[str, Any], store: Any, said: str
) -> None:
    with (
        create_instance(**{**options, "token_store": store}) as sdk,
        sdk.events.follow(**following) as stream,
        pytest.raises(ConfigurationError, match=said),
    ):
        next(stream)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"worker": "orders"}, "needs a cursor"),
        ({"worker": ""}, "worker must be a name"),
        ({"interval": 0}, "interval must be a positive number"),
        ({"takeover": 0.5}, "takeover must be a number of seconds from 1"),
        ({"delivery": "twice"}, "delivery must be"),
        ({"since": datetime(2026, 1, 1)}, "with a time zone"),  # noqa: DTZ001
        ({"stop_on": ["TERM"]}, "stop_on must be signals"),
        ({"cursor": 5}, "cursor must be a path, or an object"),
        ({"cursor": "no/such/folder"}, "there is no folder"),
        ({"cursor": "."}, "is a folder"),
        ({"cursor": os.devnull}, "is not a regular file"),
        ({"cursor": "~nobody-of-this-name/cursor"}, "cannot be a path"),
        ({"cursor": "a\0b"}, "cannot be a path"),
        ({"page": 2}, "sets page itself"),
    ],
)
def test_wrong_arguments_raise_at_once(
    options: dict[str, Any], wrong: dict[str, Any], said: str
) -> None:
    with create_instance(**options) as sdk, pytest.raises(ConfigurationError, match=said):
        sdk.events.follow(**wrong)


@pytest.mark.parametrize("text", ["", "12", "{}", '{"format": 1}', '{"format": 1, "after": "7"}'])
def test_a_damaged_cursor_is_refused_and_left(
    options: dict[str, Any], tmp_path: Path, text: str
) -> None:
    cursor = tmp_path / "cursor"
    cursor.write_text(text)
    with create_instance(**options) as sdk, sdk.events.follow(cursor=cursor) as stream:
        with pytest.raises(CursorError, match=r"nothing was changed\. Restore it, or remove it"):
            next(stream)
        assert cursor.read_text() == text


def test_a_cursor_of_a_newer_version_is_left(options: dict[str, Any], tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    cursor.write_text('{"format": 2, "after": 7}')
    with (
        create_instance(**options) as sdk,
        sdk.events.follow(cursor=cursor) as stream,
        pytest.raises(CursorError, match="newer version"),
    ):
        next(stream)


def test_what_a_killed_program_left_beside_the_cursor_goes(
    options: dict[str, Any], tmp_path: Path, following: dict[str, Any]
) -> None:
    old, new = tmp_path / ".cursor.1.new", tmp_path / ".cursor.2.new"
    for path in (old, new):
        path.touch()
    os.utime(old, (1, 1))
    with create_instance(**options) as sdk, sdk.events.follow(**following) as stream:
        next(stream)
    assert (old.exists(), new.exists()) == (False, True)


@posix
def test_a_signal_stops_it_and_a_second_one_acts_as_before(
    options: dict[str, Any], following: dict[str, Any]
) -> None:
    hits: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda *_: hits.append(1))
    try:
        with create_instance(**options) as sdk:
            stream = sdk.events.follow(**following, stop_on=(signal.SIGTERM,))
            with stream:
                next(stream)
                signal.raise_signal(signal.SIGTERM)
                assert hits == []
                signal.raise_signal(signal.SIGTERM)
                assert hits == [1]
                assert next(stream, None) is None
            signal.raise_signal(signal.SIGTERM)
            assert hits == [1, 1]
    finally:
        signal.signal(signal.SIGTERM, before)


@posix
def test_a_second_signal_can_end_a_save_that_hangs(options: dict[str, Any]) -> None:
    class Hanging:
        stuck = False

        def load(self) -> None:
            return None

        def save(self, position: str) -> None:
            if self.stuck:
                signal.raise_signal(signal.SIGINT)

    cursor, since = Hanging(), datetime.now(UTC) - timedelta(days=3)
    with create_instance(**options) as sdk:
        stream = sdk.events.follow(cursor=cursor, since=since, stop_on=(signal.SIGINT,))
        next(stream)
        cursor.stuck = True
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            next(stream)


@posix
def test_a_dropped_stream_handles_no_signals(options: dict[str, Any]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with create_instance(**options) as sdk:
        since = datetime.now(UTC) - timedelta(days=3)
        for _ in sdk.events.follow(since=since, stop_on=(signal.SIGINT,)):
            break
        gc.collect()
        assert signal.getsignal(signal.SIGINT) == before


@posix
def test_a_signal_ends_a_wait_at_once(options: dict[str, Any], tmp_path: Path) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def waits(sdk: Any) -> bool:
        return bool(sdk._closing._sleepers)

    with create_instance(**options) as sdk:
        stream = sdk.events.follow(interval=LONG, stop_on=(signal.SIGUSR1,))
        ended = threading.Event()

        def send() -> None:
            while not waits(sdk):
                ended.wait(0.005)
            signal.pthread_kill(main, signal.SIGUSR1)

        thread = threading.Thread(target=send)
        thread.start()
        assert list(stream) == []
        thread.join()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


@posix
def test_a_signal_ends_a_wait_of_an_event_loop(options: dict[str, Any]) -> None:
    async def main() -> None:
        async with create_async_instance(**options) as sdk:
            stream = sdk.events.follow(interval=LONG, stop_on=(signal.SIGUSR1,))
            waiting = asyncio.ensure_future(anext(stream, None))
            while not sdk._closing._sleepers:
                await asyncio.sleep(0.005)
            os.kill(os.getpid(), signal.SIGUSR1)
            assert await waiting is None

    asyncio.run(main())


def test_another_thread_cannot_handle_signals(options: dict[str, Any]) -> None:
    found: list[BaseException] = []

    def work(sdk: Any) -> None:
        try:
            next(sdk.events.follow(stop_on=(signal.SIGTERM,)))
        except ConfigurationError as error:
            found.append(error)

    with create_instance(**options) as sdk:
        thread = threading.Thread(target=work, args=(sdk,))
        thread.start()
        thread.join()
    assert "stop_on needs the main thread" in str(found[0])


def test_closing_the_instance_ends_a_wait(options: dict[str, Any]) -> None:
    with create_instance(**options) as sdk:

        def close() -> None:
            while not sdk._closing._sleepers:
                pass
            sdk.close()

        thread = threading.Thread(target=close)
        thread.start()
        with pytest.raises(SessionClosedError):
            next(sdk.events.follow(interval=LONG))
        thread.join()


@pytest.fixture
def on_redis(options: dict[str, Any], valkey_server: Any) -> dict[str, Any]:
    return {**options, "token_store": {"name": "redis", "url": valkey_server.url}}


@pytest.mark.slow
def test_an_event_may_take_longer_than_the_lease(
    on_redis: dict[str, Any], following: dict[str, Any]
) -> None:
    with create_instance(**on_redis) as one, create_instance(**on_redis) as two:
        first, second = one.events.follow(**following), two.events.follow(**following)
        event = number(next(first))
        got: list[int] = []
        waiter = threading.Thread(target=lambda: got.append(number(next(second))))
        waiter.start()
        waiter.join(3.5)  # leases later
        assert got == []
        first.close()
        waiter.join(60)
        assert got[0] > event
        second.close()


@pytest.mark.slow
def test_an_event_of_an_event_loop_may_take_longer_too(
    on_redis: dict[str, Any], following: dict[str, Any]
) -> None:
    async def main() -> None:
        async with create_async_instance(**on_redis) as sdk:
            first, second = sdk.events.follow(**following), sdk.events.follow(**following)
            event = number(await anext(first))
            waiting = asyncio.ensure_future(anext(second))
            await asyncio.wait([waiting], timeout=3.5)
            assert not waiting.done()
            await first.aclose()
            assert number(await waiting) > event
            await second.aclose()

    asyncio.run(main())


@pytest.mark.slow
def test_a_loop_that_was_blocked_past_the_lease_takes_its_turn_again(
    on_redis: dict[str, Any], following: dict[str, Any]
) -> None:
    async def main() -> None:
        async with (
            create_async_instance(**on_redis) as sdk,
            sdk.events.follow(**following) as stream,
        ):
            first = number(await anext(stream))
            time.sleep(2)
            # Nobody was there to take over, but its turn was over: the event is not saved.
            assert number(await anext(stream)) == first

    asyncio.run(main())
