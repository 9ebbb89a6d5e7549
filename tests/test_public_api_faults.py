"""Every public call, with every fault: what it raises is of our two trees, or documented.

Stores that raise anything are in ``test_hostile_stores.py`` for the methods of a handle; here they
are below sessions and SDK instances, and so is a server that answers anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import flex_integration_sdk
import flex_tokenstore
from flex_integration_sdk import (
    RateLimiter,
    async_upload_file,
    create_async_instance,
    create_instance,
    file_metadata,
    object_query_string,
    upload_file,
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

from .flex_tokenstore.plugins import install
from .handles import IDENTITY
from .handles import token as new_token
from .hostile import (
    FOREIGN,
    OUR_TREES,
    SENTINEL,
    UNTOUCHED,
    AsyncStore,
    Fails,
    SyncStore,
    silent,
)

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
    _check_events(events)


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
    monkeypatch.setattr("flex_tokenstore._flow.SECOND_LOOK", 0.0)


class Peer:
    """A server that answers each connection with some bytes, whatever it is asked."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                head = connection.recv(65536)
                if self._answer is None:
                    continue  # dropped
                connection.sendall(self._answer.replace(b"<REQUEST>", head[-200:]))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    def close(self) -> None:
        # Closing alone does not wake a thread in accept().
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def answer(body: bytes, kind: str = "application/json", status: int = 200, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def token_answer(**changes: Any) -> bytes:
    return answer(json.dumps({**TOKEN, **changes}).encode())


GARBAGE: dict[str, bytes | None] = {
    "dropped": None,
    "nothing": b"",
    "no HTTP": b"\x00\x01\x02" * 99,
    "a status line with the request in it": b"HTTP/9.9 <REQUEST>\r\n\r\n",
    "a header with the request in it": b"HTTP/1.1 200 OK\r\nX <REQUEST>\r\n\r\n",
    "a wrong length": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: <REQUEST>\r\n\r\n",
    "wrong chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<REQUEST>",
    "wrong gzip": answer(b"\x1f\x8bwrong", more="Content-Encoding: gzip\r\n"),
    "a redirect to nowhere": b"HTTP/1.1 302 X\r\nLocation: http://[<REQUEST>\r\n\r\n",
    "a redirect to itself": b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    "HTML": answer(b"<html>busy</html>", "text/html"),
    "HTML 500": answer(b"<html>busy</html>", "text/html", 500),
    "503": answer(b"", status=503, more="Retry-After: " + "9" * 400 + "\r\n"),
    "429": answer(b"{}", status=429, more="Retry-After: " + "9" * 400 + "\r\n"),
    "400": answer(b'{"error": ["invalid_grant"]}', status=400),
    "401": answer(b'{"error": {"x": 1}}', status=401),
    "403": answer(b"[1]", status=403),
    "409": answer(b'{"errors": [{"code": {}, "title": []}, 5]}', status=409),
    "status 999": answer(b"{}", status=999),
    "no JSON": answer(b"{"),
    "not UTF-8": answer(b'{"access_token": "\xff"}'),
    "a JSON list": answer(b"[]"),
    "a JSON number": answer(b"1"),
    "null": answer(b"null"),
    "deep JSON": answer(b"[" * 200_000),
    "deep in a token": answer(b'{"access_token":"a","token_type":"bearer","x":' + b"[" * 5_000),
    "huge numbers": answer(b'{"data": ' + b"9" * 5_000 + b"}"),
    "token of a wrong type": token_answer(access_token=5),
    "token type of a wrong type": token_answer(token_type=["bearer"]),
    "scope of a wrong type": token_answer(scope={"a": 1}),
    "refresh token of a wrong type": token_answer(refresh_token=[1]),
    "a huge lifetime": token_answer(expires_in=10**300),
    "a lifetime that is none": token_answer(expires_in={"seconds": 5}),
    "a token with a line end": token_answer(access_token="a\n"),
    "our tag, wrong": token_answer(flex_tokenstore=5),
    "transit": answer(b'["~#unknown", ["~x"]]', "application/transit+json"),
    "wrong transit": answer(b'["^5", ["~:', "application/transit+json"),
}


@pytest.fixture(params=GARBAGE)
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    running = Peer(GARBAGE[request.param])
    yield running
    running.close()


STORED: dict[str, Any] = {"nothing stored": None, "a token stored": "live", "an old one": "old"}


def _store_for(url: str, stored: str | None) -> SyncStore:
    own = SyncStore(Fails("", KeyError))
    if stored is not None:
        identity = flex_tokenstore.TokenIdentity(url, "c", "integ")
        made = new_token("x", identity).to_dict()
        made["access_token"], made["refresh_token"] = SENTINEL, f"{SENTINEL}-r"
        if stored == "old":
            made["flex_tokenstore"]["expires_at"] = 0.0
        own.token = made
    return own


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stored", STORED)
def test_an_instance_before_a_server_that_answers_anything(
    kind: str, stored: str, peer: Peer, fast: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    options: dict[str, Any] = {
        "client_id": "c",
        "client_secret": f"{SENTINEL}-s",
        "base_url": peer.url,
        "token_store": _store_for(peer.url, STORED[stored]),
        "host_lock": "off",
        "timeout": 5,
        "request_timeout": 5,
    }
    works: list[Callable[[Any], Any]] = [
        lambda sdk: sdk.marketplace.show(),
        lambda sdk: sdk.users.update_profile(id="x", public_data={"a": 1}),
        lambda sdk: sdk.images.upload(image=b"x"),
        lambda sdk: sdk.auth_info(),
        lambda sdk: sdk.revoke(),
    ]
    if kind == "sync":
        with create_instance(**options) as sdk:
            for work in works:
                with only_ours():
                    work(sdk)
    else:

        async def main() -> None:
            async with create_async_instance(**options) as sdk:
                for work in works:
                    with only_ours():
                        await work(sdk)

        asyncio.run(main())
    assert SENTINEL not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["PUT", "PUT\r\nX: 1", 5, ""])
@pytest.mark.parametrize(
    "headers", [{}, {"X": f"{SENTINEL}\n"}, {"X": 5}, ["X"], {"é": "1"}], ids=repr
)
def test_an_upload_with_a_wrong_target(kind: str, method: Any, headers: Any) -> None:
    peer = Peer(answer(b""))
    try:
        url = f"{peer.url}/x?signature={SENTINEL}"
        _upload(kind, {"attributes": {"url": url, "method": method, "headers": headers}}, b"x")
    finally:
        peer.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "url",
    [
        f"http://[{SENTINEL}",
        f"ftp://host/{SENTINEL}",
        f"//{SENTINEL}",
        f"http://127.0.0.1:99999/{SENTINEL}",
        f"http://127.0.0.1:1/x?{SENTINEL}",
        f"http://127.0.0.1:1/\n{SENTINEL}",
        5,
        [SENTINEL],
    ],
    ids=repr,
)
def test_an_upload_to_a_wrong_url(kind: str, url: Any) -> None:
    _upload(kind, {"attributes": {"url": url}}, b"x")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "upload", [{}, {"attributes": None}, {"attributes": 5}, {"attributes": []}, None]
)
def test_an_upload_that_is_none(kind: str, upload: Any) -> None:
    _upload(kind, upload, b"x")


@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_to_a_server_that_answers_anything(kind: str, peer: Peer) -> None:
    _upload(kind, {"attributes": {"url": f"{peer.url}/x?signature={SENTINEL}"}}, b"x" * 99)


def _upload(kind: str, upload: Any, file: Any) -> None:
    # TypeError, ValueError: a mistake in the program; both are documented.
    with only_ours(TypeError, ValueError):
        _send(kind, upload, file)


def _send(kind: str, upload: Any, file: Any) -> None:
    if kind == "sync":
        upload_file(upload, file, timeout=5)
    else:
        asyncio.run(async_upload_file(upload, file, timeout=5))


class BrokenFile:
    """A file that fails when it is read."""

    name = "x.txt"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def tell(self) -> int:
        return 0

    def seek(self, *where: int) -> int:
        return 4

    def read(self, size: int = -1) -> bytes:
        raise self._error


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_read_is_an_os_error(kind: str, tmp_path: Path) -> None:
    peer = Peer(answer(b""))
    upload: Any = {"attributes": {"url": f"{peer.url}/x"}}
    try:
        for file in (tmp_path, tmp_path / "missing", BrokenFile(OSError(5, "I/O error"))):
            with pytest.raises(OSError, match=r"[Dd]irectory|I/O"):
                _send(kind, upload, file)
    finally:
        peer.close()


@pytest.mark.parametrize("value", [None, 5, object(), [b"x"], "missing/file", "", b""], ids=repr)
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


@pytest.mark.parametrize("value", ANYTHING, ids=ascii)
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


@pytest.mark.parametrize("value", ANYTHING, ids=ascii)
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


@pytest.mark.parametrize("value", ANYTHING, ids=ascii)
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
