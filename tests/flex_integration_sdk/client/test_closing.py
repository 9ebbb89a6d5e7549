"""Closing an instance while calls wait: they end at once, and nothing is sent any more."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from flex_integration_sdk import (
    AsyncIntegrationSDK,
    IntegrationSDK,
    RateLimiter,
    RateLimits,
    TypeHandler,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk._transport.network import Stream
from flex_integration_sdk.sandbox import RunningSandbox
from flex_integration_sdk.types import Money
from flex_tokenstore import SessionClosedError

LONG = 3600.0  # seconds; nobody waits as long
SOON = 5.0  # seconds that a busy machine may take for what is done at once


@pytest.fixture
def options(flex_sandbox: RunningSandbox) -> dict[str, Any]:
    return {
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "base_url": flex_sandbox.base_url,
    }


def waiting() -> RateLimits:
    limiter = RateLimiter(burst=1, seconds=LONG)
    return RateLimits(limiter, limiter)


def started(function: Callable[[], Any]) -> Future[Any]:
    """Its outcome, from a thread."""
    found: Future[Any] = Future()

    def work() -> None:
        try:
            found.set_result(function())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=work).start()
    return found


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def opened(options: dict[str, Any]) -> Iterator[IntegrationSDK]:
    with create_instance(**options, rate_limits=waiting()) as sdk:
        sdk.marketplace.show()
        yield sdk


def test_calls_that_wait_for_their_place(
    opened: IntegrationSDK, flex_sandbox: RunningSandbox
) -> None:
    user = "00000002-0000-4000-8000-000000000003"
    calls = [
        started(lambda: opened.users.approve(id=user)),
        started(opened.marketplace.show),
        started(lambda: opened.images.upload(image=b"x")),
    ]
    until(lambda: len(opened._closing._sleepers) == 3)
    before = flex_sandbox.stats()
    began = time.monotonic()
    opened.close()
    for call in calls:
        with pytest.raises(SessionClosedError, match="not sent"):
            call.result(SOON)
    assert time.monotonic() - began < SOON
    assert flex_sandbox.stats() == before
    assert opened._http._used.get() == {}
    assert opened._closing._sleepers == {}
    # Their places are there for whoever shares the limiter.
    assert opened._limits is not None
    limiter = opened._limits.queries
    assert limiter is not None
    assert limiter.reserve() == pytest.approx(LONG, abs=60)


def test_tasks_that_wait_for_their_place(
    options: dict[str, Any], flex_sandbox: RunningSandbox
) -> None:
    user = "00000002-0000-4000-8000-000000000003"

    async def main() -> None:
        async with create_async_instance(**options, rate_limits=waiting()) as sdk:
            await sdk.marketplace.show()
            calls = [asyncio.ensure_future(sdk.users.approve(id=user)) for _ in range(3)]
            while len(sdk._closing._sleepers) < 3:
                await asyncio.sleep(0)
            before = flex_sandbox.stats()
            began = time.monotonic()
            await sdk.aclose()
            for call in calls:
                with pytest.raises(SessionClosedError, match="not sent"):
                    await asyncio.wait_for(call, SOON)
            assert time.monotonic() - began < SOON
            assert flex_sandbox.stats() == before
            assert sdk._http._used.get() == {}

    asyncio.run(main())


def test_a_task_that_is_cancelled_while_it_waits(options: dict[str, Any]) -> None:
    async def main() -> None:
        async with create_async_instance(**options, rate_limits=waiting()) as sdk:
            await sdk.marketplace.show()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await sdk.marketplace.show()
            assert sdk._closing._sleepers == {}

    asyncio.run(main())


def test_a_call_that_waits_for_its_token(
    options: dict[str, Any], flex_sandbox: RunningSandbox
) -> None:
    """The renewal goes on, or its token would be lost; the call is not sent."""
    flex_sandbox.fault("delay", target="token", seconds=0.5)
    sdk = create_instance(**options)
    call = started(sdk.marketplace.show)
    until(lambda: flex_sandbox.stats()["client_credentials"])
    sdk.close()
    with pytest.raises(SessionClosedError):
        call.result(SOON)
    assert flex_sandbox.stats()["api_calls"] == 0
    assert sdk._http._used.get() == {}


def test_a_task_that_waits_for_its_token(
    options: dict[str, Any], flex_sandbox: RunningSandbox
) -> None:
    flex_sandbox.fault("delay", target="token", seconds=0.5)

    async def main() -> None:
        sdk = create_async_instance(**options)
        call = asyncio.ensure_future(sdk.marketplace.show())
        while not (await asyncio.to_thread(flex_sandbox.stats))["client_credentials"]:
            pass
        await sdk.aclose()
        with pytest.raises(SessionClosedError):
            await asyncio.wait_for(call, SOON)
        assert sdk._http._used.get() == {}

    asyncio.run(main())
    assert flex_sandbox.stats()["api_calls"] == 0


def test_between_two_sends(options: dict[str, Any], flex_sandbox: RunningSandbox) -> None:
    """Closed when the 401 is there: no refresh, and no second send."""
    sdk = create_instance(**options)
    sdk.marketplace.show()
    flex_sandbox.expire()
    send = sdk._http.send

    def send_then_close(*args: Any) -> Any:
        answer = send(*args)
        sdk._closing.close()
        return answer

    sdk._http.send = send_then_close  # type: ignore[assignment,method-assign]  # to close at that moment
    with pytest.raises(SessionClosedError):
        sdk.marketplace.show()
    sdk.close()
    stats = flex_sandbox.stats()
    assert (stats["api_calls"], stats["refresh_token"]) == (2, 0)


def test_in_a_type_handler(options: dict[str, Any], flex_sandbox: RunningSandbox) -> None:
    class Price:
        pass

    def write(_: Price) -> Money:
        made[0].close()
        return Money(1, "EUR")

    made: list[IntegrationSDK] = []
    handler = TypeHandler(Money, Price, writer=write)
    made.append(create_instance(**options, type_handlers=[handler]))
    with pytest.raises(SessionClosedError):
        made[0].listings.update(id="00000002-0000-4000-8000-000000000003", price=Price())  # type: ignore[arg-type]  # that is what type handlers are for
    assert flex_sandbox.stats()["api_calls"] == 0


@pytest.mark.parametrize("method", ["auth_info", "revoke"])
def test_nothing_else_works_either(options: dict[str, Any], method: str) -> None:
    sdk = create_instance(**options)
    sdk.close()
    with pytest.raises(SessionClosedError):
        getattr(sdk, method)()

    async def main() -> None:
        other: AsyncIntegrationSDK = create_async_instance(**options)
        await other.aclose()
        with pytest.raises(SessionClosedError):
            await getattr(other, method)()

    asyncio.run(main())


def test_a_request_that_was_sent_is_still_answered(
    options: dict[str, Any], flex_sandbox: RunningSandbox
) -> None:
    sdk = create_instance(**options)
    sdk.marketplace.show()
    flex_sandbox.fault("delay", target="api", seconds=0.5)
    call = started(sdk.marketplace.show)
    until(lambda: flex_sandbox.stats()["api_calls"] == 2)
    began = time.monotonic()
    sdk.close()
    assert time.monotonic() - began < 0.4  # it does not wait for the answer
    assert call.result(SOON).status == 200
    assert sdk._http._used.get() == {}


def test_an_async_request_that_was_sent_ends_too(
    options: dict[str, Any], flex_sandbox: RunningSandbox
) -> None:
    async def main() -> None:
        sdk = create_async_instance(**options)
        await sdk.marketplace.show()
        flex_sandbox.fault("delay", target="api", seconds=30)
        call = asyncio.ensure_future(sdk.marketplace.show())
        while (await asyncio.to_thread(flex_sandbox.stats))["api_calls"] < 2:
            pass
        await sdk.aclose()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(call, SOON)

    asyncio.run(main())


def test_many_threads_and_a_close(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the moment: after close has returned nothing is sent and no client is open."""
    # Counted where it is written: a busy server reads what was sent in time only later.
    writes: list[int] = []
    write = Stream.write

    def counted(stream: Stream, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:  # the end of a request without a body
            return write(stream, buffer, timeout)
        writes.append(len(buffer))
        try:
            write(stream, buffer, timeout)
        except Exception:
            writes.pop()  # it was stopped
            raise
        return None

    monkeypatch.setattr(Stream, "write", counted)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for turn in range(15):
            sdk = create_instance(**options)
            if turn % 3:
                sdk.marketplace.show()
            calls = [started(sdk.marketplace.show) for _ in range(6)]
            time.sleep(turn * 0.004)  # the moment
            sdk.close()
            sent = len(writes)
            for call in calls:
                error = call.exception(20)
                assert error is None or isinstance(error, SessionClosedError)
            assert len(writes) <= sent
            assert sdk._http._used.get() == {}
        assert writes
    finally:
        sys.setswitchinterval(before)
