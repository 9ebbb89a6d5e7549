"""What the asyncio SDK promises beside what it shares with the sync one."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import subprocess
import sys
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

import flex_integration_sdk
from flex_integration_sdk import AuthInfo, create_async_instance, create_instance
from flex_integration_sdk.errors import AuthenticationError, NotFoundError, TransportError
from flex_integration_sdk.sandbox import RunningSandbox, serve
from flex_tokenstore import SessionClosedError

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def running() -> Any:
    with serve() as found:
        yield found


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.reset()
    return running


def make(sandbox: RunningSandbox, **options: Any) -> Any:
    return create_async_instance(
        sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url, **options
    )


def forget(made: list[Any]) -> None:
    made.clear()
    gc.collect()  # an instance and its resources refer to each other


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_many_calls_share_one_sign_in_and_one_refresh(sandbox: RunningSandbox) -> None:
    async def main() -> None:
        async with make(sandbox) as sdk:
            assert await sdk.auth_info() == AuthInfo(None)
            await asyncio.gather(*(sdk.users.query(per_page=1) for _ in range(20)))
            sandbox.expire()
            answers = await asyncio.gather(*(sdk.listings.query(per_page=2) for _ in range(20)))
            assert {len(answer.data) for answer in answers} == {2}
            assert await sdk.auth_info() == AuthInfo("refresh_token")
            stats = sandbox.stats()
            assert (stats["client_credentials"], stats["refresh_token"]) == (1, 1)
            assert await sdk.revoke() is True
            assert await sdk.auth_info() == AuthInfo(None)
            assert await sdk.revoke() is False

    run(main())


def test_errors_are_typed(sandbox: RunningSandbox) -> None:
    async def main() -> None:
        async with make(sandbox) as sdk:
            with pytest.raises(NotFoundError):
                await sdk.users.show(id=NOBODY)
            sandbox.fault("drop", target="api")
            with pytest.raises(TransportError) as caught:
                await sdk.with_options(max_retries=0).marketplace.show()
            assert caught.value.__cause__ is not None
            assert caught.value.__cause__.__traceback__ is None
            assert (await sdk.marketplace.show()).status == 200

    run(main())


def test_a_dropped_call_keeps_no_frames_of_the_http_client(sandbox: RunningSandbox) -> None:
    with create_instance(
        sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url, max_retries=0
    ) as sdk:
        sandbox.fault("drop", target="api")
        with pytest.raises(TransportError) as caught:
            sdk.marketplace.show()
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is None


def test_a_wrong_parameter_raises_before_any_request(sandbox: RunningSandbox) -> None:
    async def main() -> None:
        async with make(sandbox) as sdk:
            with pytest.raises(TypeError, match="'price'"):
                await sdk.listings.query(price=object())

    run(main())
    with (
        create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url) as sdk,
        pytest.raises(TypeError, match="'price'"),
    ):
        sdk.listings.query(price=object())  # type: ignore[arg-type]  # that is the test
    assert sandbox.stats()["client_credentials"] == 0


def test_after_closing(sandbox: RunningSandbox) -> None:
    async def main() -> None:
        sdk = make(sandbox)
        await sdk.marketplace.show()
        await sdk.aclose()
        await sdk.aclose()
        with pytest.raises(SessionClosedError):
            await sdk.marketplace.show()

    run(main())
    sync = create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)
    sync.marketplace.show()
    sync.close()
    sync.close()
    with pytest.raises(SessionClosedError):
        sync.marketplace.show()


def test_another_event_loop_is_a_clear_error(sandbox: RunningSandbox) -> None:
    sdk = make(sandbox)

    async def call() -> None:
        await sdk.marketplace.show()

    async def close() -> None:
        await sdk.aclose()

    with asyncio.Runner() as first:
        first.run(call())
        with asyncio.Runner() as second, pytest.raises(SessionClosedError, match="event loop"):
            second.run(call())
        first.run(close())


@pytest.mark.parametrize("create", [create_instance, create_async_instance])
def test_forgetting_to_close_warns(create: Any) -> None:
    made = [create("cid")]
    with pytest.warns(ResourceWarning, match="not closed"):
        forget(made)


@pytest.mark.parametrize("create", [create_instance, create_async_instance])
def test_no_copies_and_no_secret_in_repr(create: Any) -> None:
    sdk = create("cid", "s3cret")
    assert "s3cret" not in repr(sdk)
    for attempt in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="an SDK instance cannot be pickled"):
            attempt(sdk)
    sdk._closed = True  # nothing was opened


def test_without_a_secret_signing_in_says_what_to_set(sandbox: RunningSandbox) -> None:
    async def main() -> None:
        async with create_async_instance(sandbox.client_id, base_url=sandbox.base_url) as sdk:
            with pytest.raises(AuthenticationError, match="FLEX_INTEGRATION_CLIENT_SECRET"):
                await sdk.marketplace.show()

    run(main())
    assert sandbox.stats()["client_credentials"] == 0


def test_both_constructors_take_the_same_arguments() -> None:
    one, other = (inspect.signature(f) for f in (create_instance, create_async_instance))
    of_both = dict(other.parameters)
    secret = of_both["client_secret"]
    assert secret.annotation == "AsyncClientSecret | None"  # also a coroutine function
    of_both["client_secret"] = secret.replace(annotation="ClientSecret | None")
    client = of_both["http_client"]
    assert client.annotation == "AsyncHttpClient | None"  # of the kind of the instance
    of_both["http_client"] = client.replace(annotation="HttpClient | None")
    assert one.parameters == of_both


def test_importing_is_light() -> None:
    program = (
        "import sys, flex_integration_sdk as f\n"
        "heavy = {'httpx2', 'click', 'rich', 'starlette', 'uvicorn', 'asyncio', 'msgspec'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert set(f.__all__) <= set(dir(f))\n"
        "f.create_instance('cid').close()\n"
        "assert 'httpx2' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=30)


def test_the_public_names_are_there() -> None:
    for name in flex_integration_sdk.__all__:
        assert getattr(flex_integration_sdk, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        flex_integration_sdk.no_such_name  # noqa: B018 - that is the test


def test_one_run_after_the_other(sandbox: RunningSandbox) -> None:
    """As async views of Django under WSGI and Lambda's handlers have it; no socket stays open."""
    sdk = make(sandbox)

    async def call() -> int:
        status: int = (await sdk.marketplace.show()).status
        return status

    for _ in range(3):
        assert asyncio.run(call()) == 200
        assert not sdk._http._used.get()
    assert sandbox.stats()["client_credentials"] == 1
    asyncio.run(sdk.aclose())
    asyncio.run(sdk.aclose())
    with pytest.raises(SessionClosedError, match="closed"):
        asyncio.run(call())


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # by the loop's owner
def test_a_loop_that_was_closed_without_a_word_is_let_go(sandbox: RunningSandbox) -> None:
    sdk = make(sandbox)

    async def call() -> int:
        status: int = (await sdk.marketplace.show()).status
        return status

    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(call()) == 200
        (clients,) = sdk._http._used.get().values()
        assert clients.loop is loop
        sockets = [each.get_extra_info("socket") for each in clients.backend.open]
        assert sockets
        loop.close()
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(call()) == 200
    assert [each.fileno() for each in sockets] == [-1] * len(sockets)
    loop.run_until_complete(sdk.aclose())
    loop.close()
    assert not sdk._http._used.get()
    del clients
    gc.collect()  # the transports of the closed loops, which warn


def test_many_loops_in_many_threads_leave_nothing(sandbox: RunningSandbox) -> None:
    sdk = make(sandbox)
    answers: list[int] = []

    async def call() -> None:
        answers.append((await sdk.marketplace.show()).status)

    for _ in range(5):
        thread = threading.Thread(target=asyncio.run, args=(call(),))
        thread.start()
        thread.join()
    assert answers == [200] * 5
    assert not sdk._http._used.get()
    asyncio.run(sdk.aclose())
