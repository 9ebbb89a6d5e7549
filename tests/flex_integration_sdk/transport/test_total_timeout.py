"""total_timeout ends a whole call, whatever it waits for; the error says where the time went."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from flex_integration_sdk import RateLimiter, RateLimits, create_async_instance, create_instance
from flex_integration_sdk._transport.aio import AsyncHttp
from flex_integration_sdk._transport.call_deadline import whole_call, whole_call_async
from flex_integration_sdk._transport.connection_pool import API_CONNECTIONS
from flex_integration_sdk._transport.connection_settings import ConnectionSettings
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._wire.requests import ApiRequest
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import CallTimeoutError, TransportError
from flex_tokenstore import file_store, open_store
from tests.support import slow_servers
from tests.support.slow_servers import SlowServer, Way, black_hole, listening

LIMIT = 0.4  # seconds
IN_TIME = LIMIT + 1.5  # for what is slower than it should be on a busy machine
both = pytest.mark.parametrize("kind", ["sync", "async"])


def late(
    kind: str,
    server: SlowServer | str,
    before: Callable[[], object] = lambda: None,
    *,
    first: bool = False,
    per_call: bool = False,
    **options: Any,
) -> CallTimeoutError:
    """The error of a call that must end in time.

    Args:
        kind: Of the instance.
        server: Or its address.
        before: Called before the call.
        first: Whether a call without a limit comes first, so that there is a token.
        per_call: Whether the limit is that of ``with_options``.
        options: Of the instance.
    """
    base_url = server if isinstance(server, str) else server.base_url
    made: dict[str, Any] = {
        "base_url": base_url,
        "host_lock": "off",
        "request_timeout": 5,
        **options,
    }
    made |= {} if per_call or first else {"total_timeout": LIMIT}
    limited: dict[str, Any] = {"total_timeout": LIMIT} if per_call or first else {}
    began: list[float] = []

    def ended(error: CallTimeoutError) -> CallTimeoutError:
        assert time.monotonic() - began[0] < IN_TIME
        assert (error.limit, error.seconds) == ("total_timeout", LIMIT)
        assert isinstance(error, TransportError)
        assert isinstance(error, TimeoutError)
        assert error.__context__ is None
        assert f"longer than total_timeout ({LIMIT:g} s)" in str(error)
        assert "or raise total_timeout" in str(error)
        return error

    if kind == "sync":
        with create_instance("c", "s", **made) as sdk:
            if first:
                sdk.marketplace.show()
            before()
            began.append(time.monotonic())
            with pytest.raises(CallTimeoutError) as caught:
                sdk.with_options(**limited).marketplace.show()
            return ended(caught.value)

    async def main() -> CallTimeoutError:
        async with create_async_instance("c", "s", **made) as sdk:
            if first:
                await sdk.marketplace.show()
            before()
            began.append(time.monotonic())
            with pytest.raises(CallTimeoutError) as caught:
                await sdk.with_options(**limited).marketplace.show()
            return ended(caught.value)

    return asyncio.run(main())


@both
@pytest.mark.parametrize(
    "way", [slow_servers.silent, slow_servers.dripping_head, slow_servers.dripping_body]
)
def test_a_server_that_never_ends(kind: str, way: Way) -> None:
    with listening() as server:

        def begin() -> None:
            server.api = way

        error = late(kind, server, begin, first=True)
    assert error.sent
    assert error.spent["response"] > LIMIT / 2
    assert "s for responses. Check the network" in str(error)


@both
def test_a_token_request_that_never_ends(kind: str) -> None:
    """The call ends; the request goes on, and closing the instance waits for it."""
    with listening() as server:
        server.token = slow_servers.silent
        error = late(kind, server, request_timeout=LIMIT * 2, per_call=True)
    assert not error.sent
    assert error.spent["token"] > LIMIT / 2
    assert "for the token and all else" in str(error)


@both
def test_a_token_lock_that_another_holds(kind: str, tmp_path: Path) -> None:
    with listening() as server:
        config = file_store(path=str(tmp_path / "token"))
        settings = resolve(client_id="c", base_url=server.base_url, environ={})
        held, release = threading.Event(), threading.Event()

        def hold() -> None:
            with open_store(config, settings.identity) as store, store.token_lock(5, 60):
                held.set()
                release.wait(30)

        with ThreadPoolExecutor(1) as pool:
            holding = pool.submit(hold)
            assert held.wait(10)
            try:
                # Closing the instance must not wait for the other one for long.
                error = late(kind, server, token_store=config, lock_timeout=LIMIT * 2)
            finally:
                release.set()
            holding.result(30)
        assert not server.paths
    assert "whether another program holds the token lock" in str(error)


@both
def test_a_server_that_does_not_accept(kind: str) -> None:
    with black_hole() as port:
        error = late(kind, f"http://127.0.0.1:{port}", request_timeout=LIMIT * 3)
    assert not error.sent


@both
def test_the_rate_limits(kind: str) -> None:
    """A wait that would go beyond the end is not begun, and gives its place back."""
    limiter = RateLimiter(burst=1, seconds=60)
    with listening() as server:
        error = late(kind, server, first=True, rate_limits=RateLimits(queries=limiter))
        assert "it must pause for" in str(error)
        assert "fewer calls in that time" in str(error)
        assert not error.sent
        assert len(server.paths) == 2


@both
def test_no_connection_is_free(kind: str) -> None:
    release = threading.Event()
    with listening() as server:

        def held(line: slow_servers.Line) -> None:
            release.wait(20)
            line.send(slow_servers.JSON + b"Connection: close\r\nContent-Length: 30\r\n\r\n")
            line.send(b'{"data":{"id":"1","type":"x"}}')

        def busy() -> bool:
            return len(server.paths) == 2 + API_CONNECTIONS

        options: dict[str, Any] = {"base_url": server.base_url}
        if kind == "sync":
            with create_instance("c", "s", **options) as sdk, ThreadPoolExecutor(9) as pool:
                sdk.marketplace.show()
                server.api = held
                calls = [pool.submit(sdk.marketplace.show) for _ in range(API_CONNECTIONS)]
                while not busy():
                    time.sleep(0.005)
                with pytest.raises(CallTimeoutError) as caught:
                    sdk.with_options(total_timeout=LIMIT).marketplace.show()
                release.set()
                assert [each.result(20).status for each in calls] == [200] * API_CONNECTIONS
        else:

            async def main() -> None:
                nonlocal caught
                async with create_async_instance("c", "s", **options) as sdk:
                    await sdk.marketplace.show()
                    server.api = held
                    show = sdk.marketplace.show
                    calls = [asyncio.ensure_future(show()) for _ in range(API_CONNECTIONS)]
                    while not busy():
                        await asyncio.sleep(0.005)
                    with pytest.raises(CallTimeoutError) as caught:
                        await sdk.with_options(total_timeout=LIMIT).marketplace.show()
                    release.set()
                    assert all(each.status == 200 for each in await asyncio.gather(*calls))

            asyncio.run(main())
    assert caught.value.limit == "total_timeout"
    assert caught.value.spent["connection"] > LIMIT / 2
    assert not caught.value.sent


@both
def test_within_the_limit_nothing_changes(kind: str) -> None:
    with listening() as server:
        if kind == "sync":
            with create_instance("c", "s", base_url=server.base_url, total_timeout=30) as sdk:
                assert sdk.marketplace.show().status == 200
                assert sdk.with_options(total_timeout=None).marketplace.show().status == 200
            return

        async def main() -> None:
            made = create_async_instance("c", "s", base_url=server.base_url, total_timeout=30)
            async with made as sdk:
                assert (await sdk.marketplace.show()).status == 200
                assert (await sdk.with_options(total_timeout=None).marketplace.show()).status == 200

        asyncio.run(main())


def test_a_cancelled_call_is_cancelled() -> None:
    async def main(server: SlowServer) -> None:
        async with create_async_instance(
            "c", "s", base_url=server.base_url, total_timeout=30
        ) as sdk:
            await sdk.marketplace.show()
            server.api = slow_servers.silent
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.1):
                    await sdk.marketplace.show()
            assert type(caught.value) is TimeoutError

    with listening() as server:
        asyncio.run(main(server))


def test_an_idle_limit_says_which_it_is() -> None:
    with listening() as server:
        server.api = slow_servers.silent
        with (
            create_instance("c", "s", base_url=server.base_url, timeout=0.2) as sdk,
            pytest.raises(CallTimeoutError) as caught,
        ):
            sdk.with_options(max_retries=0).marketplace.show()
    assert (caught.value.limit, caught.value.seconds) == ("timeout", 0.2)
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("way", [slow_servers.silent, slow_servers.dripping_body])
def test_a_client_of_the_program(way: Way) -> None:
    with listening() as server, httpx2.Client(trust_env=False) as own:

        def begin() -> None:
            server.api = way

        began = time.monotonic()
        with create_instance("c", "s", base_url=server.base_url, http_client=own) as sdk:
            sdk.marketplace.show()
            begin()
            with pytest.raises(CallTimeoutError):
                sdk.with_options(total_timeout=LIMIT, max_retries=0).marketplace.show()
        assert time.monotonic() - began < IN_TIME + 1


def test_an_upload_by_a_client_of_the_program() -> None:
    with listening() as server, httpx2.Client(trust_env=False) as own:
        server.api = slow_servers.silent
        settings = ConnectionSettings(http_client=own, user_agent="u")
        http = Http(server.base_url, 5, 5, connection=settings)
        request = ApiRequest("PUT", f"{server.base_url}/signed", {})
        began = time.monotonic()
        with pytest.raises(CallTimeoutError, match="total_timeout"):
            whole_call(LIMIT, lambda: http.upload(request))
        assert time.monotonic() - began < IN_TIME + 1
        http.close()


@both
def test_an_upload_is_part_of_a_call(kind: str) -> None:
    with listening() as server:
        server.api = slow_servers.silent
        request = ApiRequest("PUT", f"{server.base_url}/signed", {})
        began = time.monotonic()

        def sync() -> None:
            http = Http(server.base_url, 30, 30)
            try:
                whole_call(LIMIT, lambda: http.upload(request))
            finally:
                http.close()

        async def main() -> None:
            http = AsyncHttp(server.base_url, 30, 30)
            try:
                await whole_call_async(LIMIT, lambda: http.upload(request))
            finally:
                await http.aclose()

        with pytest.raises(CallTimeoutError, match="total_timeout") as caught:
            sync() if kind == "sync" else asyncio.run(main())
    assert time.monotonic() - began < IN_TIME
    assert caught.value.spent["response"] > LIMIT / 2
