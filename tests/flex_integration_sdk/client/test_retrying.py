"""What is repeated, how often and when; in sync and in async programs."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from flex_integration_sdk import (
    RateLimiter,
    RateLimits,
    RequestEvent,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk._client import retrying
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._wire import repetition
from flex_integration_sdk.errors import (
    ApiError,
    FlexError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import SessionClosedError
from tests.support.scripted_api import Answer, Kind, scripted_api

both = pytest.mark.parametrize("kind", ["sync", "async"])
OK = Answer()
# A fraction is not allowed by the standard, but taken; no test waits long.
SOON = {"Retry-After": "0.01"}
ID = "00000000-0000-4000-8000-000000000001"
PAGE = b"<html><body>Bad gateway</body></html>"


def busy(status: int = 503, **headers: str) -> Answer:
    return Answer(status, headers={**SOON, **headers}, body=b'{"errors": []}')


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """For answers that name no wait of their own."""
    monkeypatch.setattr(repetition, "FIRST", 0.01)


@both
@pytest.mark.each_value
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_query_is_repeated(kind: Kind, status: int) -> None:
    with scripted_api(busy(status), busy(status), OK) as api:
        assert api.call(kind).status == 200
    assert len(api.calls) == 3
    assert api.tokens == 1


@both
@pytest.mark.each_value
@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 501, 505])
def test_what_would_fail_again_is_not_repeated(kind: Kind, status: int) -> None:
    with scripted_api(busy(status), OK) as api, pytest.raises(ApiError) as caught:
        api.call(kind)
    assert len(api.calls) == 1
    assert caught.value.attempts == 1
    assert "tried" not in str(caught.value)


@both
@pytest.mark.each_value
@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(0),
        Answer(cut=True),
        Answer(body=b'["^ ","~:da', kind="application/transit+json"),
        Answer(body=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}),
        Answer(502, body=PAGE, kind="text/html"),
    ],
    ids=["dropped", "cut", "damaged", "damaged gzip", "page of a gateway"],
)
def test_a_query_without_a_whole_response_is_repeated(kind: Kind, answer: Answer) -> None:
    with scripted_api(answer, OK) as api:
        assert api.call(kind).status == 200
    assert len(api.calls) == 2


@both
def test_a_page_with_status_200_is_not_repeated(kind: Kind) -> None:
    with scripted_api(Answer(body=PAGE, kind="text/html")) as api:
        with pytest.raises(TransportError, match="not a response of the API"):
            api.call(kind)
        assert len(api.calls) == 1


@both
def test_the_last_error_is_raised_and_says_how_often_the_call_was_made(kind: Kind) -> None:
    with (
        scripted_api(busy(500), busy(503)) as api,
        pytest.raises(ServerError, match=r"HTTP 503.*\(tried 3 times\)$") as caught,
    ):
        api.call(kind)
    assert len(api.calls) == 3
    assert caught.value.attempts == 3
    assert caught.value.status == 503
    # An exception is copied and pickled from its args.
    assert caught.value.args == (str(caught.value),)
    files = [each.filename for each in traceback.extract_tb(caught.value.__traceback__)]
    assert not [each for each in files if "tenacity" in each]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


NEW = {"title": "x", "author_id": ID, "state": "published"}
LOOK = "it may have been done all the same: look before you repeat it"


@both
@pytest.mark.each_value
@pytest.mark.parametrize(
    "answer",
    [busy(500), busy(503), Answer(0), Answer(cut=True), Answer(body=b"{", kind="application/json")],
    ids=["500", "503", "dropped", "cut", "damaged"],
)
def test_a_command_that_may_have_been_done_says_so(kind: Kind, answer: Answer) -> None:
    with scripted_api(answer) as api, pytest.raises((ServerError, TransportError)) as caught:
        api.call(kind, "listings.create", **NEW)
    assert str(caught.value).endswith(f"; {LOOK}")
    assert "try" not in str(caught.value).replace("entry", "")
    assert caught.value.args == (str(caught.value),)
    assert len(api.calls) == 1


@both
def test_what_was_surely_not_done_or_can_be_repeated_says_no_such_thing(kind: Kind) -> None:
    with scripted_api(busy(500), busy(429)) as api:
        with pytest.raises(ServerError, match="try again") as caught:
            api.call(kind, "listings.update", id=ID, title="x", options={"max_retries": 0})
        assert LOOK not in str(caught.value)
        with pytest.raises(ApiError) as refused:
            api.call(kind, "listings.create", **NEW, options={"max_retries": 0})
        assert LOOK not in str(refused.value)
    with pytest.raises(TransportError) as unsent:  # nobody listens there any more
        api.call(kind, "listings.create", **NEW, options={"max_retries": 0})
    assert LOOK not in str(unsent.value)


@both
def test_another_error_after_a_repetition_is_raised_as_it_is(kind: Kind) -> None:
    with (
        scripted_api(busy(), Answer(404, body=b'{"errors": [{"code": "not-found"}]}')) as api,
        pytest.raises(NotFoundError, match="tried 2 times") as caught,
    ):
        api.call(kind)
    assert caught.value.attempts == 2


@both
@pytest.mark.each_value
@pytest.mark.parametrize("retries", [0, 1, 4])
def test_the_number_of_repetitions_is_the_programs(kind: Kind, retries: int) -> None:
    with scripted_api(busy()) as api, pytest.raises(ServerError):
        api.call(kind, options={"max_retries": retries})
    assert len(api.calls) == retries + 1


@both
@pytest.mark.each_value
@pytest.mark.parametrize("value", ["1", "date"])
def test_retry_after_is_kept(kind: Kind, value: str) -> None:
    # A date has whole seconds: one that is 2 s ahead is more than 1 s ahead.
    header = formatdate(time.time() + 2, usegmt=True) if value == "date" else value
    with scripted_api(Answer(429, headers={"Retry-After": header}), OK) as api:
        began = time.monotonic()
        api.call(kind)
        assert time.monotonic() - began > 0.95
    assert len(api.calls) == 2


@both
@pytest.mark.parametrize("value", ["61", "3600", "date"])
def test_a_long_retry_after_is_raised_at_once(kind: Kind, value: str) -> None:
    header = formatdate(time.time() + 600, usegmt=True) if value == "date" else value
    with (
        scripted_api(Answer(503, headers={"Retry-After": header})) as api,
        pytest.raises(ServerError, match=r"not repeated.* asks to wait (\d+\.?\d*) s") as caught,
    ):
        api.call(kind)
    assert len(api.calls) == 1
    assert caught.value.attempts == 1
    wait = caught.value.retry_after
    assert wait is not None
    assert f"asks to wait {wait:g} s" in str(caught.value)
    # No longer one is told: a wrong clock or an attack could name any.
    assert ("or longer" in str(caught.value)) == (value != "61")


@both
def test_repetitions_end_before_total_timeout_does(kind: Kind) -> None:
    began = time.monotonic()
    with (
        scripted_api(Answer(503, headers={"Retry-After": "0.4"})) as api,
        pytest.raises(ServerError, match=r"not repeated, since 0\.4 s later") as caught,
    ):
        api.call(kind, options={"total_timeout": 1, "max_retries": 50})
    assert time.monotonic() - began < 10
    assert len(api.calls) == caught.value.attempts


@both
def test_no_wait_begins_that_ends_after_total_timeout(kind: Kind) -> None:
    with (
        scripted_api(Answer(503, headers={"Retry-After": "20"})) as api,
        pytest.raises(ServerError, match=r"20\.0 s later total_timeout is over"),
    ):
        api.call(kind, options={"total_timeout": 10})
    assert len(api.calls) == 1


def test_the_waits_grow_and_are_spread() -> None:
    class State:
        class outcome:
            @staticmethod
            def result() -> Any:
                return ServerError(status=503)

    def wait(attempt: int) -> float:
        state: Any = State()
        state.attempt_number = attempt
        found: float = retrying.backoff(state)
        return found

    for attempt, least in enumerate([0.5, 1, 2, 4, 8, 8, 8], 1):
        waits = {wait(attempt) for _ in range(50)}
        assert all(least <= each <= least * 1.5 for each in waits)
        assert len(waits) > 1


# Commands


COMMANDS: dict[str, dict[str, Any]] = {
    "listings.update": {"id": ID, "title": "Bike"},
    "listings.create": {"title": "Bike", "author_id": ID},
    "stock.compare_and_set": {"listing_id": ID, "old_total": 1, "new_total": 2},
    "transactions.transition": {"id": ID, "transition": "transition/accept", "params": {}},
    "images.upload": {"image": b"\x89PNG"},
}
REPEATED = {"listings.update", "images.upload"}


@both
@pytest.mark.each_value
@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("answer", [busy(503), Answer(0)], ids=["503", "dropped"])
def test_only_commands_that_can_do_no_harm_are_repeated(
    kind: Kind, name: str, answer: Answer
) -> None:
    with scripted_api(answer, OK) as api:
        if name in REPEATED:
            assert api.call(kind, name, **COMMANDS[name]).status == 200
            assert len({body.partition(b"PNG")[2][:4] for _, body in api.calls}) == 1
        else:
            with pytest.raises(FlexError):
                api.call(kind, name, **COMMANDS[name])
    assert len(api.calls) == (2 if name in REPEATED else 1)


@both
@pytest.mark.each_value
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_repeated_after_429(kind: Kind, name: str) -> None:
    with scripted_api(busy(429), OK) as api:
        assert api.call(kind, name, **COMMANDS[name]).status == 200
    assert len(api.calls) == 2
    if name != "images.upload":  # its parts have a boundary of their own each time
        assert api.calls[0] == api.calls[1]


def test_each_command_says_whether_and_why_it_is_repeated() -> None:
    for endpoint in ENDPOINTS.values():
        reasons = bool(endpoint.repeatable) + bool(endpoint.once)
        assert reasons == (endpoint.method == "POST"), endpoint.name


# What is never repeated, and what ends a wait


@both
def test_token_requests_have_their_own_rules(kind: Kind) -> None:
    with scripted_api(OK) as api:
        api.token_answers = [Answer(429, headers=SOON)]
        with pytest.raises(RateLimitedError) as caught:
            api.call(kind)
    assert api.calls == []
    assert api.tokens == 1
    assert "tried" not in str(caught.value)


@both
def test_a_401_takes_another_token_and_counts_as_no_repetition(kind: Kind) -> None:
    refused = Answer(401, body=b'{"errors": [{"code": "auth-invalid-access-token"}]}')
    with scripted_api(busy(), refused, busy(), OK) as api:
        assert api.call(kind).status == 200
    assert len(api.calls) == 4
    assert len(set(api.authorizations)) == 2


@both
def test_the_token_requests_of_a_call_stay_bounded_however_often_it_is_repeated(kind: Kind) -> None:
    refused = Answer(401, body=b'{"errors": [{"code": "auth-invalid-access-token"}]}')
    with scripted_api(*[refused, busy()] * 8, OK) as api, pytest.raises(UnauthorizedError):
        api.call(kind, options={"max_retries": 20})
    # Its first token, one by refresh and one by sign-in; none of them works.
    assert api.tokens == 3


@both
def test_each_attempt_takes_a_place_of_the_rate_limits(kind: Kind) -> None:
    limiter = RateLimiter(burst=10, seconds=1000)
    with scripted_api(busy(), busy(), OK) as api:
        api.call(kind, options={"rate_limits": RateLimits(queries=limiter)})
    free = 0
    while not limiter.reserve():
        free += 1
    assert free == 7


@both
def test_a_429_slows_all_calls_that_share_the_limits(kind: Kind) -> None:
    limiter = RateLimiter(burst=1000, seconds=0.01)
    with scripted_api(Answer(429, headers={"Retry-After": "30"})) as api:
        options = {"rate_limits": RateLimits(queries=limiter), "max_retries": 0}
        with pytest.raises(RateLimitedError):
            api.call(kind, options=options)
    assert 29 < limiter.reserve() <= 30


def as_soon_as_it_waits(sdk: Any, act: Callable[[], object]) -> threading.Thread:
    """Calls ``act`` in another thread, as soon as a call waits."""

    def run() -> None:
        end = time.monotonic() + 20
        while not sdk._closing._sleepers and time.monotonic() < end:
            threading.Event().wait(0.001)
        act()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _says_that_it_was_sent(error: SessionClosedError) -> None:
    said = "closed before marketplace.show was repeated; it was sent once, and failed: GET "
    assert said in str(error)
    assert "not sent" not in str(error)
    assert isinstance(error.__cause__, ServerError)
    assert (error.__cause__.status, error.__cause__.attempts) == (503, 1)


def test_closing_a_wait_for_a_call_that_was_not_sent_says_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repetition, "FIRST", 50)
    with scripted_api() as api:
        sdk = create_instance("cid", "s3cret", base_url=api.base_url, host_lock="off")
        sdk.session.token()
    thread = as_soon_as_it_waits(sdk, sdk.close)
    with pytest.raises(SessionClosedError, match="closed, so the call was not sent"):
        sdk.marketplace.show()
    thread.join()


def test_closing_ends_a_wait_at_once() -> None:
    with scripted_api(Answer(503, headers={"Retry-After": "50"})) as api:
        sdk = create_instance("cid", "s3cret", base_url=api.base_url, host_lock="off")
        began = time.monotonic()
        thread = as_soon_as_it_waits(sdk, sdk.close)
        with pytest.raises(SessionClosedError) as caught:
            sdk.marketplace.show()
        assert time.monotonic() - began < 40
        thread.join()
        _says_that_it_was_sent(caught.value)
        assert not sdk._closing._sleepers
        assert len(api.calls) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no such signal")
@pytest.mark.parametrize("to", ["the process", "another thread"])
def test_an_exception_of_a_signal_handler_ends_a_wait_at_once(to: str) -> None:
    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    def send() -> None:
        if to == "the process":
            os.kill(os.getpid(), signal.SIGUSR1)
        else:
            signal.raise_signal(signal.SIGUSR1)  # it does not interrupt the thread that waits

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with (
            scripted_api(Answer(503, headers={"Retry-After": "50"})) as api,
            create_instance("cid", "s3cret", base_url=api.base_url, host_lock="off") as sdk,
        ):
            began = time.monotonic()
            thread = as_soon_as_it_waits(sdk, send)
            with pytest.raises(KeyboardInterrupt):
                sdk.marketplace.show()
            assert time.monotonic() - began < 40
            thread.join()
            assert not sdk._closing._sleepers
            assert len(api.calls) == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("how", ["aclose", "cancel"])
def test_a_wait_in_a_task_ends_at_once(how: str) -> None:
    async def main() -> None:
        async with create_async_instance(
            "cid", "s3cret", base_url=api.base_url, host_lock="off"
        ) as sdk:
            task = asyncio.create_task(sdk.marketplace.show())
            async with asyncio.timeout(20):
                while not sdk._closing._sleepers:
                    await asyncio.sleep(0.001)
                if how == "aclose":
                    await sdk.aclose()
                    with pytest.raises(SessionClosedError) as caught:
                        await task
                    _says_that_it_was_sent(caught.value)
                else:
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
            assert not sdk._closing._sleepers

    with scripted_api(Answer(503, headers={"Retry-After": "50"})) as api:
        asyncio.run(main())
        assert len(api.calls) == 1


@both
def test_each_repetition_is_logged_without_values(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "flex_integration_sdk")
    with scripted_api(busy(), Answer(429, headers=SOON), OK) as api:
        api.call(kind, "users.show", email="SENTINEL@example.com")
    said = [each.getMessage() for each in caplog.records]
    assert said == [
        "users.show: HTTP 503, again in 0.0 s (attempt 2 of 3)",
        "users.show: HTTP 429, again in 0.0 s (attempt 3 of 3)",
    ]


@both
def test_each_attempt_is_told_and_when_it_is_repeated(kind: Kind) -> None:
    events: list[RequestEvent] = []
    refused = Answer(401, body=b'{"errors": [{"code": "auth-invalid-access-token"}]}')
    with scripted_api(busy(), refused, busy(), OK) as api:
        api.call(kind, options={"on_request": events.append})
    calls = [each for each in events if each.path.endswith("/marketplace/show")]
    assert [(each.status, each.attempt, each.retry_in) for each in calls] == [
        (503, 1, 0.01),
        (401, 2, None),
        (503, 3, 0.01),
        (200, 4, None),
    ]
    # In their order: the token is obtained anew after the 401.
    assert [each.status for each in events] == [200, 503, 401, 200, 503, 200]


def test_an_error_that_was_repeated_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        with scripted_api(busy()) as api:
            try:
                api.call("sync")
            except ServerError as error:
                twin = error.args
        assert twin
        assert not [each for each in gc.get_objects() if isinstance(each, ServerError)]
    finally:
        gc.enable()


def test_a_call_that_works_loads_nothing_to_repeat_it(flex_sandbox: RunningSandbox) -> None:
    program = f"""
import sys
from flex_integration_sdk import create_instance
with create_instance(
    {flex_sandbox.client_id!r}, {flex_sandbox.client_secret!r}, base_url={flex_sandbox.base_url!r}
) as sdk:
    sdk.marketplace.show()
print("tenacity" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"
