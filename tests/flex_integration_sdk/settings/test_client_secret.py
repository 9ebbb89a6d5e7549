"""The client secret from a file or a callable: read at each sign-in, however it was saved."""

from __future__ import annotations

import asyncio
import copy
import inspect
import os
import pickle
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import (
    AuthenticationError,
    ClientSecretError,
    ConfigurationError,
    NestedCallError,
)
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import Secret, store_config_from_env
from flex_tokenstore._config.options import check_options

SENTINEL = "SENTINEL-of-a-secret"


class Program:
    """An instance, sync or async, that outlives its tokens."""

    def __init__(self, kind: str, box: RunningSandbox, **secret: Any) -> None:
        self.box = box
        self.loop = asyncio.new_event_loop() if kind == "async" else None
        make: Any = create_async_instance if self.loop else create_instance
        self.sdk = make(box.client_id, base_url=box.base_url, token_store="memory", **secret)

    def _done(self, result: Any) -> Any:
        return self.loop.run_until_complete(result) if self.loop else result

    def call(self) -> int:
        return int(self._done(self.sdk.marketplace.show()).status)

    def forget(self) -> None:
        """The next call must sign in."""
        self._done(self.sdk.revoke())

    def close(self) -> None:
        self._done(self.sdk.aclose() if self.loop else self.sdk.close())
        if self.loop:
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


@pytest.fixture(params=["sync", "async"])
def program(request: pytest.FixtureRequest, flex_sandbox: RunningSandbox) -> Any:
    made: list[Program] = []

    def make(**secret: Any) -> Program:
        made.append(Program(request.param, flex_sandbox, **secret))
        return made[-1]

    yield make
    for each in made:
        each.close()


Make = Callable[..., Program]


def test_a_file_is_read_at_each_sign_in(
    program: Make, flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SENTINEL)
    with pytest.raises(AuthenticationError, match="invalid_client"):
        program(client_secret_file=file).call()
    file.write_text(flex_sandbox.client_secret + "\n")
    made = program(client_secret_file=file)
    assert made.call() == 200
    made.forget()
    file.unlink()
    with pytest.raises(ClientSecretError, match=f"file {file} .*No such file"):
        made.call()


def test_a_rotated_file_is_read_without_a_new_instance(
    program: Make, flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(flex_sandbox.client_secret)
    made = program(client_secret_file=file)
    assert made.call() == 200
    made.forget()
    new = tmp_path / "new"
    new.write_text(SENTINEL)
    new.replace(file)  # as Kubernetes does
    with pytest.raises(AuthenticationError, match="invalid_client"):  # so that one was sent
        made.call()


def test_a_callable_is_called_at_each_sign_in(program: Make, flex_sandbox: RunningSandbox) -> None:
    calls: list[int] = []

    def secret() -> str:
        calls.append(1)
        return f"{flex_sandbox.client_secret}\n"

    made = program(client_secret=secret)
    assert not calls
    assert made.call() == made.call() == 200
    assert len(calls) == 1
    made.forget()
    assert made.call() == 200
    assert len(calls) == 2


def test_a_coroutine_function(flex_sandbox: RunningSandbox) -> None:
    async def secret() -> Secret[str]:
        await asyncio.sleep(0)
        return Secret(flex_sandbox.client_secret)

    async def main() -> int:
        async with create_async_instance(
            flex_sandbox.client_id, secret, base_url=flex_sandbox.base_url
        ) as sdk:
            return (await sdk.marketplace.show()).status

    assert asyncio.run(main()) == 200
    with (
        create_instance(flex_sandbox.client_id, secret, base_url=flex_sandbox.base_url) as sdk,  # type: ignore[arg-type]  # that is the test
        pytest.raises(ClientSecretError, match="coroutine function, which only create_async"),
    ):
        sdk.marketplace.show()


@pytest.mark.parametrize("use", ["call", "task", "revoke", "aclose", "from a thread"])
def test_a_callable_that_uses_its_own_instance_is_refused(
    flex_sandbox: RunningSandbox, use: str
) -> None:
    refused: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def within() -> str:
            used: dict[str, Callable[[], Any]] = {
                "call": sdk.marketplace.show,
                "task": lambda: asyncio.create_task(sdk.marketplace.show()),
                "revoke": sdk.revoke,
                "aclose": sdk.aclose,
            }
            return await noted(used[use]())

        async def noted(using: Any) -> str:
            try:
                await using
            except NestedCallError as error:
                refused.append(str(error))
            return flex_sandbox.client_secret

        def thread() -> str:
            call = noted(sdk.marketplace.show())
            return asyncio.run_coroutine_threadsafe(call, loop).result(20)

        secret: Any = thread if use == "from a thread" else within
        async with create_async_instance(
            flex_sandbox.client_id, secret, base_url=flex_sandbox.base_url
        ) as sdk:
            assert (await asyncio.wait_for(sdk.marketplace.show(), 20)).status == 200

    asyncio.run(main())
    assert len(refused) == 1
    assert "client_secret" in refused[0]


@pytest.mark.parametrize("function", ["plain", "coroutine"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_callable_that_never_returns(
    flex_sandbox: RunningSandbox, kind: str, function: str
) -> None:
    if (kind, function) == ("sync", "coroutine"):
        pytest.skip("only create_async_instance takes one")
    release = threading.Event()

    def plain() -> str:
        release.wait(60)
        return SENTINEL

    async def coroutine() -> str:
        await asyncio.Event().wait()
        return SENTINEL

    secret: Any = plain if function == "plain" else coroutine
    program = Program(kind, flex_sandbox, client_secret=secret, request_timeout=0.2)
    with pytest.raises(ClientSecretError, match=r"did not return within 0.2 s"):
        program.call()
    program.close()
    release.set()
    assert flex_sandbox.stats()["client_credentials"] == 0


def test_a_coroutine_that_comes_too_late_is_dropped_without_a_warning(
    flex_sandbox: RunningSandbox,
) -> None:
    late = threading.Event()

    async def coroutine() -> str:
        return SENTINEL

    def function() -> Any:
        late.wait(60)
        made.append(coroutine())
        return made[0]

    made: list[Any] = []
    program = Program("async", flex_sandbox, client_secret=function, request_timeout=0.1)
    with pytest.raises(ClientSecretError, match=r"did not return within 0.1 s"):
        program.call()
    program.close()
    late.set()
    until = time.monotonic() + 10
    while not (made and inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED):
        assert time.monotonic() < until


def test_a_callable_that_makes_a_call_of_a_sync_instance(flex_sandbox: RunningSandbox) -> None:
    refused: list[str] = []

    def nested() -> str:
        try:
            made.call()
        except NestedCallError as error:
            refused.append(str(error))
        return flex_sandbox.client_secret

    made = Program("sync", flex_sandbox, client_secret=nested)
    assert made.call() == 200
    made.close()
    assert len(refused) == 1
    assert "client_secret made a call of the same instance" in refused[0]


def test_a_task_that_outlives_the_callable_makes_calls(flex_sandbox: RunningSandbox) -> None:
    async def main() -> int:
        later: list[asyncio.Task[int]] = []
        go_on = asyncio.Event()

        async def call() -> int:
            await go_on.wait()
            return (await sdk.marketplace.show()).status

        async def secret() -> str:
            later.append(asyncio.create_task(call()))
            return flex_sandbox.client_secret

        async with create_async_instance(
            flex_sandbox.client_id, secret, base_url=flex_sandbox.base_url
        ) as sdk:
            await sdk.marketplace.show()
            go_on.set()
            return await later[0]

    assert asyncio.run(main()) == 200


def raises() -> str:
    raise RuntimeError(f"vault said {SENTINEL}")


async def raises_later() -> str:
    raise RuntimeError(f"vault said {SENTINEL}")


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (raises, "raised RuntimeError"),
        (raises_later, "raised RuntimeError|coroutine function"),
        (lambda: None, "returned NoneType, not a string"),
        (lambda: SENTINEL.encode(), "returned bytes, not a string"),
        (lambda: Secret(5), "returned int, not a string"),
        (lambda: " \n", "is empty"),
        (lambda: f"{SENTINEL}\n{SENTINEL}", "more than one line"),
        (lambda: f"{SENTINEL}\u201d", "not ASCII"),
    ],
)
def test_a_callable_that_fails(
    program: Make, flex_sandbox: RunningSandbox, secret: Any, words: str
) -> None:
    made = program(client_secret=secret)
    with pytest.raises(ClientSecretError, match=words) as caught:
        made.call()
    error: BaseException | None = caught.value
    assert not caught.value.sent
    assert flex_sandbox.stats()["client_credentials"] == 0
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [f for f in shown.stack if "test_client_secret" not in f.filename]
    assert SENTINEL not in "".join(f"{f.locals}" for f in frames)
    while error is not None:
        assert SENTINEL not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("around", ["{}", "{}\r\n", " {} \n", "\n{}"])
def test_a_file_as_other_tools_save_it(tmp_path: Path, encoding: str, around: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(around.format("s3 cret").encode(encoding))
    settings = resolve(client_id="c", client_secret_file=file, environ={})
    assert settings.client_secret == Secret("s3 cret")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (f"{SENTINEL}".encode("utf-16-le"), "UTF-16"),
        (b"\xff\xfea", "not UTF-8 text"),
        (SENTINEL.encode() + b"\xff", "not UTF-8 text"),
        (f"{SENTINEL}\n{SENTINEL}".encode(), "more than one line"),
        (f'"{SENTINEL}"\n'.encode(), "in quotes"),
        (f"{SENTINEL}\u00e9".encode(), "not ASCII"),
        (b"x" * (1 << 20) + b"x", "larger than 1 MiB"),
    ],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        resolve(client_id="c", client_secret_file=file, environ={})
    assert str(file) in str(caught.value)
    assert SENTINEL not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named files for pipes")
def test_what_is_not_a_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    for name, words in {
        "pipe": "is a pipe",
        "socket": "cannot be read",
        "folder": "is a folder",
        "circle": "cannot be read",
        "missing.txt": "cannot be read",
    }.items():
        with pytest.raises(ConfigurationError, match=f"{name} .*{words}"):
            resolve(client_id="c", client_secret_file=tmp_path / name, environ={})


def test_a_secret_in_place_of_the_path_is_not_shown(tmp_path: Path) -> None:
    variable = "FLEX_INTEGRATION_CLIENT_SECRET_FILE"
    cases: list[dict[str, Any]] = [
        {"client_id": "c", "client_secret_file": SENTINEL, "environ": {}},
        {"client_id": "c", "environ": {variable: SENTINEL}},
    ]
    for case in cases:
        with pytest.raises(ConfigurationError, match=r"(?i)client_secret_file") as caught:
            resolve(**case)
        assert SENTINEL not in str(caught.value)
    file = tmp_path / "secret"
    file.touch()
    with pytest.raises(ConfigurationError, match="path of a file: use client_secret_file"):
        resolve(client_id="c", client_secret=str(file), environ={})


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\x00b", "caf\u00e9", "\u201ca\u201d", "a\tb", "a\x7f", "\U0001f511"],
)
@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_letters_that_the_standard_forbids(name: str, text: str) -> None:
    """RFC 6749 appendix A: printable ASCII."""
    values: dict[str, Any] = {"client_id": "c", name: f"{SENTINEL}{text}{SENTINEL}"}
    with pytest.raises(ConfigurationError, match=f"^{name} ") as caught:
        resolve(**values, environ={})
    assert SENTINEL not in str(caught.value)
    environ = {f"FLEX_INTEGRATION_{each.upper()}": value for each, value in values.items()}
    with pytest.raises(ConfigurationError, match=f"^FLEX_INTEGRATION_{name.upper()} ") as caught:
        resolve(environ=environ)
    assert SENTINEL not in str(caught.value)


def test_letters_that_the_standard_allows() -> None:
    printable = "".join(map(chr, range(0x20, 0x7F))).strip()
    settings = resolve(client_id=printable, client_secret=printable, environ={})
    assert settings.client_id == printable
    assert settings.client_secret == Secret(printable)
    quoted = resolve(client_id='"c"', client_secret=' "s" ', environ={})
    assert (quoted.client_id, quoted.client_secret) == ('"c"', Secret('"s"'))


@pytest.mark.parametrize("given", [5, b"s", ["s"]])
def test_a_secret_of_another_type(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"a callable .* got {type(given).__name__}"):
        resolve(client_id="c", client_secret=given, environ={})


def _settings() -> Any:
    store = {"name": "redis", "password": SENTINEL}
    return resolve(client_id="c", client_secret=SENTINEL, token_store=store, environ={})


HOLDERS: dict[str, Callable[[], Any]] = {
    "settings": _settings,
    "source": lambda: _settings().secret_source,
    "secret": lambda: Secret(SENTINEL),
    "config": lambda: store_config_from_env("S", {"S": "file", "S__PATH": SENTINEL}),
    "options": lambda: _settings().token_store,
    "in a list": lambda: [Secret(SENTINEL)],
    "in options": lambda: check_options(Guarded, {"password": SENTINEL}, store="guarded"),
}


class Guarded:
    @dataclass(kw_only=True)
    class Options:
        password: Secret[str]


@pytest.mark.parametrize("name", HOLDERS)
def test_what_holds_a_secret_is_neither_pickled_nor_copied(name: str) -> None:
    thing = HOLDERS[name]()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(thing, protocol)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.deepcopy(thing)
