"""One sentinel in every secret, driven over every failure: it must show up nowhere.

The client secret, the access and refresh tokens and a store's password all contain it. What is
searched: messages, reprs, tracebacks with the locals of our frames (as error trackers and rich
print them), DEBUG logs of all libraries, pluggy's tracing, warnings, names of files.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import logging
import os
import pickle
import secrets
import subprocess
import sys
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from pprint import pformat
from types import ModuleType
from typing import Any

import pluggy
import pytest
from rich.pretty import pretty_repr

import flex_integration_sdk
from flex_integration_sdk import create_async_instance, create_instance, demo
from flex_integration_sdk._client.builder import InstanceOptions
from flex_integration_sdk._settings.given import Given
from flex_integration_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    FlexError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from flex_integration_sdk.sandbox import FaultKind, RunningSandbox, SandboxSettings, serve
from flex_integration_sdk.sandbox._server import issued_tokens as sandbox_tokens
from flex_tokenstore import (
    Secret,
    StoreLoadError,
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenUnavailableError,
    UnknownStoreError,
    WrapperStore,
)
from flex_tokenstore._session.flow import reading
from tests.support.plugins import install

SENTINEL = "SENTINEL"
SOURCES = str(Path(flex_integration_sdk.__file__).parents[1])
KINDS = ("sync", "async")

MODULE = '''
import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from flex_tokenstore import Secret, WrapperStore, hookimpl

class Guarded:
    """Has a password, and a driver that talks too much."""

    @dataclass(kw_only=True)
    class Options:
        password: Secret[str]
        url: Secret[str] | None = None
        fails: str = "never"

    def __init__(self, options, identity):
        self._options = options
        self._fail("opening")

    def _fail(self, when):
        if self._options.fails == when:
            raise ConnectionError(f"login with {self._options.password.reveal()} failed")

    @hookimpl
    def get_token(self):
        self._fail("reading")

    @hookimpl
    def set_token(self, token):
        self._fail("saving")

    @hookimpl
    def remove_token(self):
        self._fail("removing")

    @hookimpl
    def token_lock(self, wait, lease):
        self._fail("locking")
        return nullcontext()

class Sealed(WrapperStore):
    """Changes the token."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any
        fails: str = "never"

    def __init__(self, options, identity):
        super().__init__(options, identity)
        self._fails = options.fails

    def wrap(self, token):
        if self._fails == "wrap":
            raise ValueError(f"cannot seal {token['access_token']}")
        if self._fails == "shape":
            return {"sealed": token["access_token"]}
        return {"access_token": json.dumps(token)}

    def unwrap(self, token):
        if self._fails == "unwrap":
            raise ValueError("cannot open")
        return json.loads(token["access_token"])
'''


class Spy:
    """Collects all that anybody could see."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.frames = 0

    def error(self, error: BaseException) -> None:
        """The whole chain, suppressed contexts too, and the locals of our frames."""
        queue: list[tuple[BaseException | None, bool]] = [(error, True)]
        seen: set[int] = set()
        while queue:
            each, printed = queue.pop(0)
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            if printed:  # what is suppressed is printed by nothing; its frames can be looked at
                self.shown += [str(each), repr(each), repr(each.args), repr(vars(each))]
            for frame, _ in traceback.walk_tb(each.__traceback__):
                if frame.f_code.co_filename.startswith(SOURCES):
                    self.frames += 1
                    self.shown += [
                        f"{frame.f_code.co_qualname}: {name} = {text}"
                        for name, value in frame.f_locals.items()
                        for text in (_repr(value), pretty_repr(value))
                    ]
            queue.append((each.__cause__, printed))
            queue.append((each.__context__, printed and not each.__suppress_context__))
        self.shown += traceback.format_exception(error)

    def leaks(self) -> list[str]:
        return [text for text in self.shown if SENTINEL in text]


def _repr(value: object) -> str:
    try:
        return repr(value)
    except AttributeError:  # of an object that is not whole yet
        return type(value).__name__


@pytest.fixture
def spy(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> Iterator[Spy]:
    """Watches logs, warnings, pluggy and the folder as well, and looks at all of it at the end."""
    found = Spy()
    real = pluggy.PluginManager.__init__

    def traced(self: pluggy.PluginManager, *arguments: Any) -> None:
        real(self, *arguments)
        self.trace.root.setwriter(found.shown.append)
        self.enable_tracing()
        self.add_hookcall_monitoring(
            lambda *before: found.shown.append(repr(before)),
            lambda *after: found.shown.append(repr(after)),
        )

    monkeypatch.setattr(pluggy.PluginManager, "__init__", traced)
    issue = secrets.token_urlsafe
    fake = ModuleType("secrets")
    fake.token_urlsafe = lambda size: f"{SENTINEL}-{issue(9)}"  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setattr(sandbox_tokens, "secrets", fake)
    site = tmp_path / "site"
    lines = "guarded = leaky_for_tests:Guarded\nsealed = leaky_for_tests:Sealed"
    install(site, "leaky-for-tests", lines, leaky_for_tests=MODULE)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(reading, "SECOND_LOOK", 0.0)  # what is said does not depend on the pause
    caplog.set_level(logging.DEBUG)
    for name in ("httpx2", "httpcore2", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        gc.freeze()  # so that the collection below looks at what this test made alone
        yield found
        gc.collect()
        gc.unfreeze()
    sys.modules.pop("leaky_for_tests", None)
    found.shown += [str(each.message) for each in warned]
    for record in caplog.records:
        found.shown += [record.getMessage(), repr(record.args)]
        if record.exc_info and record.exc_info[1]:
            found.error(record.exc_info[1])
    found.shown += [name for _, folders, files in os.walk(tmp_path) for name in folders + files]
    assert not found.leaks()


@pytest.fixture
def sandbox(spy: Spy) -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_secret=f"client-secret-{SENTINEL}")) as running:
        yield running


class Instance:
    """An SDK of either kind, with the same words; every failure goes to the spy."""

    def __init__(self, kind: str, spy: Spy, **options: Any) -> None:
        self._spy = spy
        self._runner = asyncio.Runner(debug=True) if kind == "async" else None
        create: Any = create_async_instance if kind == "async" else create_instance
        self.sdk: Any = self.watched(lambda: create(**options))
        spy.shown += [repr(self.sdk), str(self.sdk), pretty_repr(self.sdk)]

    def watched(self, work: Callable[[], Any]) -> Any:
        try:
            result = work()
            return self._runner.run(_finish(result)) if self._runner is not None else result
        except BaseException as error:
            self._spy.error(error)
            raise

    def call(self) -> Any:
        return self.watched(lambda: self.sdk.marketplace.show())

    def revoke(self) -> Any:
        return self.watched(lambda: self.sdk.revoke())

    def close(self) -> None:
        with suppress(Exception):
            self.watched(self.sdk.close if self._runner is None else self.sdk.aclose)
        self.shut()

    def shut(self) -> None:
        if self._runner is not None:
            self._runner.close()


async def _finish(result: Any) -> Any:
    return await result if isinstance(result, Awaitable) else result


@contextmanager
def instance(kind: str, spy: Spy, sandbox: RunningSandbox, **options: Any) -> Iterator[Instance]:
    made = Instance(
        kind,
        spy,
        **{
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
            **options,
        },
    )
    try:
        yield made
    finally:
        made.close()


def test_the_spy_sees_a_leak(spy: Spy) -> None:
    scope: dict[str, Any] = {}
    text = "def leak(secret):\n    raise ValueError('hidden')\n"
    exec(compile(text, f"{SOURCES}/planted.py", "exec"), scope)
    other = Spy()
    try:
        scope["leak"](f"x{SENTINEL}")
    except ValueError as error:
        other.error(error)
    assert other.frames == 1
    assert any("leak: secret" in text for text in other.leaks())


@pytest.mark.parametrize("kind", KINDS)
def test_a_life_without_failures(kind: str, spy: Spy, sandbox: RunningSandbox) -> None:
    with instance(kind, spy, sandbox, token_store="file") as made:
        made.call()
        sandbox.expire()
        made.call()
        sdk = made.sdk
        token = made.watched(sdk.session.token)
        assert SENTINEL in token.authorization
        for each in (sdk.session, sdk.token_store, token, sdk.settings, sdk.session._state):
            spy.shown += [repr(each), str(each), f"{each}", pretty_repr(each)]
            with pytest.raises(TypeError):
                pickle.dumps(each)
        made.revoke()
    assert any("http" in text.lower() for text in spy.shown)


@pytest.mark.parametrize("kind", [InstanceOptions, Given])
def test_what_holds_the_arguments_shows_and_pickles_none(kind: Any, spy: Spy) -> None:
    made = kind(client_secret=SENTINEL, token_store={"name": "redis", "password": SENTINEL})
    spy.shown += [repr(made), str(made), pformat(made), pretty_repr(made)]
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="the secret would travel in the clear"):
            copied(made)


CONFIGS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"token_store": "fle"}, UnknownStoreError),
    ({"token_store": {"name": "fle", "password": SENTINEL}}, UnknownStoreError),
    ({"token_store": {"name": "file", "password": SENTINEL}}, StoreOptionsError),
    ({"token_store": {"name": "file", "path": [SENTINEL]}}, StoreOptionsError),
    ({"token_store": {"password": SENTINEL}}, StoreOptionsError),
    ({"token_store": {"name": "guarded", "password": [SENTINEL]}}, StoreOptionsError),
    ({"token_store": {"name": "guarded", "passwort": SENTINEL}}, StoreOptionsError),
    (
        {"token_store": {"name": "guarded", "password": SENTINEL, "fails": "opening"}},
        TokenUnavailableError,
    ),
    (
        {"token_store": {"name": "sealed", "inner": {"name": "fle", "password": SENTINEL}}},
        UnknownStoreError,
    ),
    (
        {"token_store": {"name": "sealed", "inner": {"name": "guarded", "passwort": SENTINEL}}},
        StoreOptionsError,
    ),
    ({"token_store": object()}, StoreLoadError),
    ({"token_store": SENTINEL.encode()}, StoreOptionsError),
    ({"token_store": f"redis://:{SENTINEL}@host"}, StoreOptionsError),
    ({"token_store": {"name": f"redis://:{SENTINEL}@host"}}, StoreOptionsError),
    (
        {"token_store": {"name": "sealed", "inner": f"redis://:{SENTINEL}@host"}},
        StoreOptionsError,
    ),
    ({"client_id": 5}, ConfigurationError),
    ({"profile": 5}, ConfigurationError),
    ({"client_id": ""}, ConfigurationError),
    ({"client_secret": SENTINEL.encode()}, ConfigurationError),
    ({"client_secret": [SENTINEL]}, ConfigurationError),
    ({"client_secret_file": "both"}, ConfigurationError),
    ({"client_secret": None, "client_secret_file": "/no/such/file"}, ConfigurationError),
    ({"base_url": "api.example.com"}, ConfigurationError),
    ({"base_url": f"https://me:{SENTINEL}@example.com"}, ConfigurationError),
    ({"base_url": f"ftp://me:{SENTINEL}@example.com"}, ConfigurationError),
    ({"base_url": f"me:{SENTINEL}@example.com"}, ConfigurationError),
    ({"base_url": f"https:/me:{SENTINEL}@example.com"}, ConfigurationError),
    ({"base_url": f"https://me:/{SENTINEL}@example.com"}, ConfigurationError),
    ({"base_url": f"https://me:{SENTINEL}/@example.com/v1"}, ConfigurationError),
    ({"base_url": f"https://me:{SENTINEL}@example.com".encode()}, ConfigurationError),
    ({"client_secret": None, "client_secret_file": SENTINEL}, ConfigurationError),
    ({"client_secret": None, "client_secret_file": SENTINEL.encode()}, ConfigurationError),
    ({"base_url": "http://example.com"}, ConfigurationError),
    ({"timeout": -1}, ConfigurationError),
    ({"on_store_error": "ignore"}, ConfigurationError),
    ({"host_lock": "maybe"}, StoreOptionsError),
]


@pytest.mark.sample(24)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("options", "error"), CONFIGS)
def test_wrong_settings(
    kind: str,
    options: dict[str, Any],
    error: type[Exception],
    spy: Spy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of another store than the program's, so that it is not used.
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "redis")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PASSWORD", SENTINEL)
    good = {"client_id": "me", "client_secret": f"client-secret-{SENTINEL}"}
    if "token_store" not in options:
        good["token_store"] = "memory"
    with pytest.raises(error):
        Instance(kind, spy, **{**good, **options})
    assert spy.frames


FAULTS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"kind": "drop", "target": "token"}, TransportError),
    ({"kind": "lose_answer", "target": "token"}, TransportError),
    ({"kind": "html", "target": "token"}, TransportError),
    ({"kind": "status", "status": 500, "target": "token"}, ServerError),
    ({"kind": "status", "status": 401, "target": "token"}, AuthenticationError),
    ({"kind": "status", "status": 429, "target": "token"}, RateLimitedError),
    ({"kind": "token_type", "target": "token"}, AuthenticationError),
    ({"kind": "drop", "target": "api"}, TransportError),
    ({"kind": "html", "target": "api"}, TransportError),
    ({"kind": "status", "status": 500, "target": "api"}, ServerError),
    ({"kind": "status", "status": 401, "target": "api"}, UnauthorizedError),
]


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fault", "error"), FAULTS)
@pytest.mark.parametrize("stored", [False, True])
def test_a_server_that_fails(
    kind: str,
    fault: dict[str, Any],
    error: type[Exception],
    stored: bool,
    spy: Spy,
    sandbox: RunningSandbox,
) -> None:
    with instance(kind, spy, sandbox, token_store="file") as made:
        if stored:
            made.call()
    if stored:
        sandbox.expire()
    sandbox.fault(**fault, count=9)
    with instance(kind, spy, sandbox, token_store="file") as made:
        with pytest.raises(error):
            made.call()
        with suppress(FlexError):
            made.revoke()
    assert spy.frames


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_secret_and_a_server_that_is_down(
    kind: str, spy: Spy, sandbox: RunningSandbox
) -> None:
    wrong = f"wrong-{SENTINEL}"
    with (
        instance(kind, spy, sandbox, client_secret=wrong) as made,
        pytest.raises(AuthenticationError),
    ):
        made.call()
    with (
        instance(kind, spy, sandbox, base_url="http://127.0.0.1:9") as made,
        pytest.raises(TransportError),
    ):
        made.call()


@pytest.mark.each_value
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("content", "error"),
    [
        (f'{{"access_token": "{SENTINEL}"', None),
        (f'{{"access_token": ["{SENTINEL}"]}}', None),
        (f"{SENTINEL}\udcff", None),
        (
            f'{{"access_token": "{SENTINEL}", "flex_tokenstore": {{"identity": "other"}}}}',
            TokenIdentityError,
        ),
        (f'{{"access_token": "{SENTINEL}"}}', TokenIdentityError),
        (
            f'{{"access_token": "{SENTINEL}", "flex_tokenstore": {{"format": 99}}}}',
            TokenCorruptError,
        ),
    ],
)
def test_a_file_that_holds_no_token_of_ours(
    kind: str,
    content: str,
    error: type[Exception] | None,
    spy: Spy,
    sandbox: RunningSandbox,
    tmp_path: Path,
) -> None:
    path = tmp_path / "token.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    path.chmod(0o600)
    with instance(kind, spy, sandbox, token_store={"name": "file", "path": str(path)}) as made:
        with pytest.raises(error or TokenCorruptError):
            made.watched(made.sdk.session.peek)
        if error is None:
            made.call()
            assert list(tmp_path.glob("*.corrupt-*"))
        else:
            with pytest.raises(error):
                made.call()


class Own:
    """An object of the user's own that fails as it is told."""

    def __init__(self, **failures: Any) -> None:
        self.failures = failures
        self.token: Any = None

    def _act(self, name: str, token: Any = None) -> Any:
        action = self.failures.get(name)
        if action is None:
            return None
        return action(token)

    def get_token(self) -> Any:
        return self._act("get") or self.token

    def set_token(self, token: Any) -> None:
        self._act("set", token)
        self.token = json.loads(json.dumps(token))

    def remove_token(self) -> None:
        self._act("remove")
        self.token = None


class AsyncOwn(Own):
    async def get_token(self) -> Any:
        return super().get_token()

    async def set_token(self, token: Any) -> None:  # type: ignore[override]  # a twin
        super().set_token(token)

    async def remove_token(self) -> None:  # type: ignore[override]  # a twin
        super().remove_token()


def raising(make: Callable[[Any], Exception]) -> Callable[[Any], Any]:
    def fail(token: Any) -> Any:
        raise make(token)

    return fail


def chained(token: Any) -> Exception:
    error = ConnectionError("the driver failed")
    error.__cause__ = RuntimeError(f"INSERT {token['access_token']}")
    return error


OWN_FAILURES: list[tuple[dict[str, Any], type[Exception] | None]] = [
    ({"get": lambda _: f'{{"access_token": "{SENTINEL}"}}'}, TokenCorruptError),
    ({"get": lambda _: {"access_token": [SENTINEL]}}, TokenCorruptError),
    ({"get": lambda _: {"refresh_token": SENTINEL}}, TokenCorruptError),
    ({"get": lambda _: {"access_token": SENTINEL, "refresh_token": [SENTINEL]}}, TokenCorruptError),
    ({"get": lambda _: {"access_token": SENTINEL}}, TokenIdentityError),
    ({"get": lambda _: [SENTINEL]}, TokenCorruptError),
    ({"get": raising(lambda _: ConnectionError("down"))}, TokenUnavailableError),
    ({"get": raising(lambda _: TokenUnavailableError("down"))}, TokenUnavailableError),
    ({"set": raising(lambda token: ValueError(f"no room for {token['access_token']}"))}, None),
    ({"set": raising(lambda token: ValueError("no room", token["refresh_token"]))}, None),
    ({"set": raising(chained)}, None),
    ({"set": raising(lambda _: TokenUnavailableError("down"))}, None),
    ({"set": raising(lambda _: TokenConflictError("changed"))}, None),
]


@pytest.mark.sample(6)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Own, AsyncOwn])
@pytest.mark.parametrize(("failures", "error"), OWN_FAILURES)
def test_a_store_of_the_users_own_that_fails(
    kind: str,
    make: type[Own],
    failures: dict[str, Any],
    error: type[Exception] | None,
    spy: Spy,
    sandbox: RunningSandbox,
) -> None:
    with instance(kind, spy, sandbox, token_store=make(**failures)) as made:
        if error is None:
            made.call()
            assert made.sdk.session.saved is False
            token = made.watched(made.sdk.session.token)
            with pytest.raises((TokenUnavailableError, TokenConflictError)):
                made.watched(lambda: made.sdk.token_store.set_token(token))
        else:
            with pytest.raises(error):
                made.call()
            with suppress(error):  # it removes what is corrupt
                made.revoke()


@pytest.mark.each_value
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["reading", "saving", "removing", "locking"])
def test_a_driver_that_tells_the_password(
    kind: str, when: str, spy: Spy, sandbox: RunningSandbox
) -> None:
    config = {"name": "guarded", "password": f"pass-{SENTINEL}", "fails": when}
    with instance(kind, spy, sandbox, token_store=config) as made:
        works: dict[str, Callable[[], Any]] = {
            "reading": made.sdk.session.peek,
            "saving": made.call,
            "removing": made.sdk.session.remove,
            "locking": made.call,
        }
        if when == "saving":
            made.watched(works[when])
            assert made.sdk.session.saved is False
        else:
            with pytest.raises(TokenUnavailableError):
                made.watched(works[when])


@pytest.mark.each_value
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fails", ["never", "wrap", "shape", "unwrap"])
@pytest.mark.parametrize("make", [Own, AsyncOwn])
def test_a_wrapper_that_fails(
    kind: str, fails: str, make: type[Own], spy: Spy, sandbox: RunningSandbox
) -> None:
    inner = make()
    with instance(kind, spy, sandbox, token_store={"name": "sealed", "inner": inner}) as made:
        made.call()
    assert issubclass(sys.modules["leaky_for_tests"].Sealed, WrapperStore)
    sandbox.expire()
    config = {"name": "sealed", "inner": inner, "fails": fails}
    with instance(kind, spy, sandbox, token_store=config) as made:
        if fails == "unwrap":
            with pytest.raises(TokenCorruptError):
                made.call()
        else:
            made.call()
            assert made.sdk.session.saved is (fails == "never")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on_store_error", ["raise", "memory"])
def test_a_store_that_is_down(
    kind: str, on_store_error: str, spy: Spy, sandbox: RunningSandbox
) -> None:
    down = Own(
        get=raising(lambda _: ConnectionError("down")),
        set=raising(lambda _: ConnectionError("down")),
        remove=raising(lambda _: ConnectionError("down")),
    )
    with instance(kind, spy, sandbox, token_store=down, on_store_error=on_store_error) as made:
        if on_store_error == "memory":
            made.call()
        else:
            with pytest.raises(TokenUnavailableError):
                made.call()
        with suppress(TokenUnavailableError):
            made.revoke()


def test_a_call_that_is_cancelled(spy: Spy, sandbox: RunningSandbox) -> None:
    async def main() -> None:
        sdk = create_async_instance(
            sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
        )
        async with sdk:
            for target in ("token", "api"):
                sandbox.fault("delay", target=target, seconds=0.3)
                task = asyncio.ensure_future(sdk.marketplace.show())
                await asyncio.sleep(0.05)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError as error:
                    spy.error(error)

    asyncio.run(main(), debug=True)
    assert spy.frames


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_that_is_forgotten(kind: str, spy: Spy, sandbox: RunningSandbox) -> None:
    made = Instance(
        kind,
        spy,
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        base_url=sandbox.base_url,
        token_store={"name": "guarded", "password": SENTINEL},
    )
    made.call()
    with pytest.warns(ResourceWarning, match="was not closed"):
        made.sdk.__del__()
    made.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")
def test_no_process_of_the_demo_has_a_secret_among_its_arguments(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    folders: set[str] = set()
    real = demo._children

    @contextmanager
    def watched(count: int, environment: Any) -> Iterator[Any]:
        assert SENTINEL in environment["FLEX_INTEGRATION_CLIENT_SECRET"]
        with real(count, environment) as children:
            for child in children:
                seen.add(Path(f"/proc/{child.pid}/cmdline").read_text())
            yield children
            folder = Path(environment["FLEX_INTEGRATION_TOKEN_STORE__PATH"]).parent
            folders.update(each.name for each in folder.iterdir())

    monkeypatch.setattr(demo, "_children", watched)
    monkeypatch.setattr(
        "flex_integration_sdk.sandbox.SandboxSettings",
        lambda **options: SandboxSettings(client_secret=f"client-secret-{SENTINEL}", **options),
    )
    rounds = demo.run(processes=2)
    assert all(each.as_expected for each in rounds)
    assert len(folders) > 1
    assert any("flex_integration_sdk.demo" in each for each in seen)
    spy.shown += [*seen, *folders, *(str(each) for each in rounds)]


COMMANDS = [
    ["call", "marketplace.show"],
    ["call", "users.show", "email=nobody@example.com"],
    ["token", "show"],
    ["token", "show", "--json"],
    ["stores", "list", "--check", "--json"],
    ["token", "remove", "--yes"],
]


SLOWLY = [pytest.param(name, marks=pytest.mark.slow) for name in ("drop", "lose_answer", "status")]


@pytest.mark.parametrize("fault", [pytest.param(None, marks=pytest.mark.slow), "html", *SLOWLY])
def test_the_output_of_every_command(
    fault: FaultKind | None, spy: Spy, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        "FLEX_INTEGRATION_TOKEN_STORE": "file",
        "PYTHONDEVMODE": "1",
    }
    codes = []
    for arguments in COMMANDS:
        if fault is not None:
            sandbox.fault(fault, count=2)
        done = subprocess.run(
            [sys.executable, "-m", "flex_integration_sdk.cli", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        codes.append(done.returncode)
        spy.shown += [done.stdout, done.stderr]
        assert "Traceback" not in done.stderr
    assert codes == [0 if fault is None else 1, 1, 0, 0, 0, 0]


def test_a_secret_in_each_form_of_text() -> None:
    secret = Secret(SENTINEL)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{secret} {secret!r}"]
    assert not [text for text in [*shown, pretty_repr(secret)] if SENTINEL in text]
