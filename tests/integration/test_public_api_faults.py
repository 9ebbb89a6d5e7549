"""Every public call, with every fault: what it raises is of our two trees, or documented.

Stores that raise anything are in ``test_hostile_stores.py`` for the methods of a handle; here they
are below sessions and SDK instances, and so is a server that answers anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flex_integration_sdk
import flex_tokenstore
from flex_integration_sdk import (
    RateLimiter,
    create_async_instance,
    create_instance,
    file_metadata,
    object_query_string,
)
from flex_integration_sdk.errors import FlexError
from flex_tokenstore import (
    AsyncTokenSession,
    GrantError,
    StoreLoadError,
    Token,
    TokenSession,
    TokenStoreError,
    describe_store,
    list_stores,
    open_async_store,
    open_store,
    revision_of,
    store_config_from_env,
)
from tests.support.handles import IDENTITY
from tests.support.handles import token as new_token
from tests.support.hostile import (
    FOREIGN,
    OUR_TREES,
    SENTINEL,
    UNTOUCHED,
    AsyncStore,
    Fails,
    SyncStore,
    id_of,
    silent,
)
from tests.support.plugins import install

KINDS = ("sync", "async")
WHEN = ("get", "set", "remove", "lock", "unlock", "close")
TOKEN = {"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600}


@contextlib.contextmanager
def only_ours(*documented: type[Exception]) -> Iterator[None]:
    """What is raised within is of our trees, and says no secret."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (*OUR_TREES, *documented)):
            raise
        silent(error)


_numbers = itertools.count()


def _issued() -> dict[str, Any]:
    return {**TOKEN, "access_token": f"a-{next(_numbers)}"}


class Grants:
    """A token endpoint that always has a new token."""

    def refresh(self, refresh_token: Any) -> dict[str, Any]:
        return _issued()

    def sign_in(self) -> dict[str, Any]:
        return _issued()

    def revoke(self, token: Any) -> None:
        """It is revoked."""


class AsyncGrants:
    """The same for asyncio."""

    async def refresh(self, refresh_token: Any) -> dict[str, Any]:
        return _issued()

    async def sign_in(self) -> dict[str, Any]:
        return _issued()

    async def revoke(self, token: Any) -> None:
        """It is revoked."""


CALLS = ("token", "peek", "revoke", "remove", "refused", "close")


@pytest.mark.each_value
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", FOREIGN)
@pytest.mark.parametrize("store", [SyncStore, AsyncStore])
@pytest.mark.parametrize("on_store_error", ["raise", "memory"])
def test_a_session_on_a_store_that_fails(
    when: str, fault: str, store: type[SyncStore], on_store_error: Any, fast: None
) -> None:
    events: list[Any] = []
    own = store(Fails(when, FOREIGN[fault]))
    session = TokenSession(
        open_store(own, IDENTITY),
        Grants(),
        on_store_error=on_store_error,
        on_event=events.append,
        failure_window=0.0,
    )
    for name in CALLS:
        with only_ours():
            if name == "refused":
                call = session.new_call()
                call.refused(call.token())
            else:
                getattr(session, name)()
    with only_ours():
        session.store.close()
    _check_events(events)


@pytest.mark.each_value
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", FOREIGN)
@pytest.mark.parametrize("store", [SyncStore, AsyncStore])
def test_an_async_session_on_a_store_that_fails(
    when: str, fault: str, store: type[SyncStore], fast: None
) -> None:
    events: list[Any] = []

    async def main() -> None:
        own = store(Fails(when, FOREIGN[fault]))
        session = AsyncTokenSession(
            await open_async_store(own, IDENTITY),
            AsyncGrants(),
            on_event=events.append,
            failure_window=0.0,
        )
        for name in CALLS:
            with only_ours():
                if name == "refused":
                    call = session.new_call()
                    await call.refused(await call.token())
                else:
                    await getattr(session, "aclose" if name == "close" else name)()

    asyncio.run(asyncio.wait_for(main(), 30))
    _check_events(events)


def _check_events(events: list[Any]) -> None:
    for event in events:
        assert SENTINEL not in repr(event.to_dict())


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_tokenstore._session.flow.reading.SECOND_LOOK", 0.0)


@pytest.mark.parametrize("value", [None, 5, object(), [b"x"], "missing/file", "", b""], ids=id_of)
def test_file_metadata_of_anything(value: Any) -> None:
    with only_ours(OSError, TypeError, ValueError):
        file_metadata(value)


ANYTHING: list[Any] = [
    None,
    0,
    -1,
    True,
    1.5,
    float("nan"),
    float("inf"),
    10**400,
    "",
    " ",
    "x\n",
    "\ud800",
    "é" * 300,
    "\0",
    b"x",
    [],
    ["x"],
    {},
    {"name": 5},
    {"name": "file", "path": 5},
    {"name": "file", 5: 5},
    {"name": "memory", "x": 1},
    object(),
    object,
    print,
    ValueError("x"),
]
ARGUMENTS = (
    "client_id",
    "client_secret",
    "client_secret_file",
    "token_store",
    "base_url",
    "profile",
    "timeout",
    "request_timeout",
    "lock_timeout",
    "on_store_error",
    "on_event",
    "host_lock",
    "rate_limits",
)


@pytest.mark.parametrize("create", [create_instance, create_async_instance])
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_every_argument_of_an_instance_may_be_anything(create: Any, argument: str) -> None:
    for value in ANYTHING:
        options = {"client_id": "c", "client_secret": "s", "base_url": "http://127.0.0.1:1"}
        if argument == "client_secret_file":
            del options["client_secret"]
        made = None
        with only_ours():
            made = create(**{**options, argument: value})
        if made is not None:
            made._closed = True  # nothing was opened


@pytest.mark.parametrize(
    "variable",
    [
        *("CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE", "BASE_URL", "PROFILE"),
        *("TOKEN_STORE", "TOKEN_STORE__PATH", "TOKEN_STORE__", "TOKEN_STORE__INNER__NAME"),
    ],
)
@pytest.mark.parametrize("value", ["", " ", "x\n", "\udcff", "é" * 300, "file", "http://[", "a@b"])
def test_every_variable_may_be_anything(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FLEX_INTEGRATION_{variable}", value)
    monkeypatch.setenv("FLEX_TOKENSTORE_ALLOW", value)
    with only_ours():
        create_instance(base_url=None if variable == "BASE_URL" else "http://127.0.0.1:1").close()
    with only_ours():
        store_config_from_env("FLEX_INTEGRATION_TOKEN_STORE")


def _finish(found: Any) -> None:
    if asyncio.iscoroutine(found):
        asyncio.run(found)


@pytest.mark.parametrize("opened", [open_store, open_async_store])
def test_opening_anything(opened: Any) -> None:
    for value in ANYTHING:
        with only_ours():
            _finish(opened(value, IDENTITY))
        with pytest.raises(TypeError, match="identity must be a TokenIdentity"):
            _finish(opened("memory", value))


@pytest.mark.parametrize("value", ANYTHING, ids=id_of)
def test_anything_for_a_method_of_a_handle(value: Any) -> None:
    """A TypeError or ValueError says that the program is wrong; both are documented."""
    with open_store("memory", IDENTITY) as store:
        with only_ours(TypeError):
            store.set_token(value)
        with only_ours(TypeError):
            store.set_token(new_token("x"), value)
        with only_ours(TypeError):
            store.remove_token(value)
        for times in ((value, 1), (0, value)):
            with only_ours(TypeError, ValueError), store.token_lock(*times):
                pass


@pytest.mark.parametrize("value", ANYTHING, ids=id_of)
def test_anything_for_a_token(value: Any) -> None:
    with only_ours(TypeError, ValueError):
        Token(value)
    for field in ("access_token", "refresh_token", "token_type", "scope", "flex_tokenstore"):
        with only_ours(ValueError):
            Token({"access_token": "a", field: value})
        with only_ours(ValueError):
            Token.issued(value, identity_key="k", obtained_at=0.0)
        with only_ours(ValueError):
            Token.issued({"access_token": "a", field: value}, identity_key="k", obtained_at=0.0)
    for field in ("identity", "revision", "format", "obtained_at", "expires_at"):
        with only_ours(ValueError):
            Token({"access_token": "a", "flex_tokenstore": {field: value}})
    with only_ours(TypeError, ValueError, KeyError):
        revision_of(value)
    with only_ours(TypeError, ValueError):
        flex_tokenstore.TokenIdentity(value, "c", "s")
    with only_ours(TypeError, ValueError):
        flex_tokenstore.TokenIdentity("https://x.example", value, value)
    with only_ours():
        RateLimiter(burst=value, seconds=1)
    with only_ours(TypeError, ValueError):
        object_query_string(value)
    with only_ours(TypeError, ValueError):
        object_query_string({"w": value})


@pytest.mark.parametrize("value", ANYTHING, ids=id_of)
def test_anything_for_a_parameter(value: Any) -> None:
    """It raises before anything is sent: there is no server."""
    with create_instance("c", "s", base_url="http://127.0.0.1:1", host_lock="off") as sdk:
        for work in (
            lambda: sdk.listings.query(per_page=value),
            lambda: sdk.listings.query(pub_x=value, fields={"listing": value}),
            lambda: sdk.listings.create(title=value, author_id=value, state=value),
            lambda: sdk.images.upload(image=value),
        ):
            with only_ours(TypeError, ValueError, OSError):
                work()


RAISES = [
    "raise RuntimeError('SENTINEL-secret-of-the-row')",
    "raise SystemExit('SENTINEL-secret-of-the-row')",
    "raise GeneratorExit('SENTINEL-secret-of-the-row')",
    "raise ExceptionGroup('SENTINEL-secret-of-the-row', [KeyError('SENTINEL-secret-of-the-row')])",
    "import no_such_module_at_all",
    "from os import no_such_name",
    "this is no Python",
    "undefined_name",
    "Class = 5",
    "class Class: pass",
    "from flex_tokenstore import hookimpl\nclass Class:\n"
    "    @hookimpl\n    def get_token(self): pass\n"
    "    @hookimpl\n    def set_token(self, token): pass\n"
    "    @hookimpl\n    def remove_token(self): pass",
    "class Class:\n    __doc__ = 5\n    Options = 5",
    "class Meta(type):\n    def __getattr__(cls, name):\n"
    "        raise RuntimeError('SENTINEL-secret-of-the-row')\nclass Class(metaclass=Meta): pass",
]


@pytest.mark.sample(6)
@pytest.mark.parametrize("code", RAISES)
def test_a_plugin_that_cannot_be_loaded(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"broken_{abs(hash(code))}"
    install(tmp_path, name.replace("_", "-"), f"broken = {name}:Class", **{name: code})
    monkeypatch.syspath_prepend(str(tmp_path))
    # What its class does when it is asked for its parts may be anything, an outage too.
    expected: type[TokenStoreError] = TokenStoreError if "metaclass" in code else StoreLoadError
    with pytest.raises(expected) as caught:
        open_store("broken", IDENTITY)
    silent(caught.value)
    (info,) = [info for info in list_stores(check=True) if info.name == "broken"]
    assert info.status in ("broken", "missing-dependency")
    assert SENTINEL not in f"{info} {describe_store('broken')}"


@pytest.mark.parametrize("fault", [*FOREIGN, *UNTOUCHED])
def test_a_callback_that_fails_changes_nothing(fault: str) -> None:
    if fault == "KeyboardInterrupt":
        pytest.skip("a user's, which passes")

    def tell(event: Any) -> None:
        raise {**FOREIGN, **UNTOUCHED}[fault]()

    with TokenSession(open_store("memory", IDENTITY), Grants(), on_event=tell) as session:
        assert session.token().access_token.reveal().startswith("a-")


def test_the_two_trees_are_all_that_the_packages_define() -> None:
    for package in (flex_tokenstore, flex_integration_sdk):
        for name in package.__all__:
            thing = getattr(package, name)
            if isinstance(thing, type) and issubclass(thing, BaseException):
                assert issubclass(thing, OUR_TREES), name
    assert issubclass(GrantError, TokenStoreError)
    assert not issubclass(FlexError, TokenStoreError)
