"""What a signal handler raises within a request passes: it is no failure of the request."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx2
import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk._transport.signal_handlers import raised_by_handler
from flex_integration_sdk.errors import TransportError
from tests.support.slow_servers import TOKEN, listening, silent

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="Windows has no such timers"
)
LIVE = "https://flex.invalid"


class Callback:
    """A handler that is an object."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, *_: object) -> None:
        raise self.error

    def method(self, *_: object) -> None:
        raise self.error


def fail(error: Exception, *_: object) -> None:
    raise error


@contextmanager
def handling(handler: Callable[..., object], number: int = signal.SIGALRM) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(number, before)


@pytest.mark.each_value
@pytest.mark.parametrize("kind", [TimeoutError, OSError, ConnectionError, ValueError])
def test_it_ends_a_request_and_is_not_repeated(kind: type[Exception]) -> None:
    mine = kind("mine")

    def handler(*_: object) -> None:
        raise mine

    with listening() as server, handling(handler):
        server.api = silent
        with create_instance("c", "s", base_url=server.base_url) as sdk:
            sdk.session.token()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(kind, match=r"^mine$") as caught:
                sdk.marketplace.show()
    assert caught.value is mine
    assert caught.value.__context__ is None
    # The HTTP library's frames have the token in them.
    files = [each.filename for each in traceback.extract_tb(caught.value.__traceback__)]
    assert not [each for each in files if "http" in each]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_it_passes_in_whatever_code_of_a_request(kind: str) -> None:
    mine = TimeoutError("mine")

    def answer(request: httpx2.Request) -> httpx2.Response:
        if "/auth/" in request.url.path:
            return httpx2.Response(200, json=TOKEN)
        signal.raise_signal(signal.SIGALRM)
        raise AssertionError

    transport: Any = httpx2.MockTransport(answer)

    async def main() -> None:
        own = httpx2.AsyncClient(transport=transport)
        async with own, create_async_instance("c", "s", base_url=LIVE, http_client=own) as sdk:
            await sdk.marketplace.show()

    def in_sync() -> None:
        own = httpx2.Client(transport=transport)
        with own, create_instance("c", "s", base_url=LIVE, http_client=own) as sdk:
            sdk.marketplace.show()

    run = in_sync if kind == "sync" else lambda: asyncio.run(main())
    with handling(partial(fail, mine)), pytest.raises(TimeoutError) as caught:
        run()
    assert caught.value is mine


@pytest.mark.parametrize("way", ["object", "method", "partial"])
def test_each_form_of_a_handler_is_known(way: str) -> None:
    mine = OSError("mine")
    forms: dict[str, Callable[..., object]] = {
        "object": Callback(mine),
        "method": Callback(mine).method,
        "partial": partial(fail, mine),
    }
    with handling(forms[way]):
        theirs = httpx2.ReadError("theirs")
        with pytest.raises(OSError, match="mine") as caught:
            signal.raise_signal(signal.SIGALRM)
        theirs.__cause__ = caught.value
        assert raised_by_handler(theirs) is mine
    assert raised_by_handler(OSError("of the system")) is None


def test_a_time_out_of_the_socket_is_a_failure_of_the_request_as_before() -> None:
    with listening() as server, handling(lambda *_: None):
        server.api = silent
        with (
            create_instance("c", "s", base_url=server.base_url, timeout=0.2, max_retries=0) as sdk,
            pytest.raises(TransportError, match="in time"),
        ):
            sdk.marketplace.show()
