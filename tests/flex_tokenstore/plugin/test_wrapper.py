"""Stores that wrap another: what they change, and what they must hand on unchanged."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    AsyncTokenSession,
    StoreLoadError,
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenSession,
    TokenUnavailableError,
    UnknownStoreError,
    list_stores,
    open_async_store,
    open_store,
    revision_of,
    store_config_from_env,
)
from tests.support.fakes import IDENTITY, AsyncServer, Server
from tests.support.kinds import Kind, Program, issued, program
from tests.support.plugins import install

MODULE = '''
import base64, json
from dataclasses import dataclass
from typing import Any
from flex_tokenstore import TokenPermissionError, WrapperStore, hookimpl

class Sealed(WrapperStore):
    """Keeps the token where it cannot be read at a glance."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any
        key: int = 1

    def __init__(self, options, identity):
        super().__init__(options, identity)
        self._shift = options.key

    def wrap(self, token):
        sealed = bytes((b + self._shift) % 256 for b in json.dumps(token).encode())
        return {"access_token": base64.b64encode(sealed).decode()}

    def unwrap(self, token):
        text = base64.b64decode(token["access_token"], validate=True)
        return json.loads(bytes((b - self._shift) % 256 for b in text))

class ReadOnly(WrapperStore):
    """Gives the token and changes nothing."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any

    @hookimpl
    def set_token(self, token, expected):
        raise TokenPermissionError("this token is only read here")

    @hookimpl
    def remove_token(self, expected):
        raise TokenPermissionError("this token is only read here")

class InPlace(Sealed):
    """Changes the very dict that it was given."""

    def wrap(self, token):
        token["access_token"] = token["access_token"][::-1]
        return token

    def unwrap(self, token):
        token["access_token"] = token["access_token"][::-1]
        return token

class Locked(Sealed):
    """Prepares saves in a way of its own."""

    @hookimpl
    def prepare_save(self, expected):
        if self.options.key == 7:
            raise TokenPermissionError("its key may only read")
        if self.options.key == 8:
            return None
        return super().prepare_save(expected)

class Sloppy(Sealed):
    """Gives what no store can hold."""

    def wrap(self, token):
        return {"sealed": token["access_token"]}

class NoInner(WrapperStore):
    """Has no option `inner`."""
'''

KINDS: tuple[Kind, ...] = ("sync", "async")
TOKEN, NEXT = issued(1), issued(2)
LEASE_END = 1e12


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    site = tmp_path / "site"
    names = {"sealed": "Sealed", "only-read": "ReadOnly", "in-place": "InPlace"}
    names |= {"sloppy": "Sloppy", "no-inner": "NoInner", "locked": "Locked"}
    lines = "\n".join(f"{name} = wrappers_for_tests:{cls}" for name, cls in names.items())
    install(site, "wrappers-for-tests", lines, wrappers_for_tests=MODULE)
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("wrappers_for_tests", None)


class Own:
    """An object of the user's own, with compare-and-set, a lock and all else."""

    def __init__(self) -> None:
        self.token: dict[str, Any] | None = None
        self.mutex = threading.Lock()
        self.closed = 0
        self.prepared: list[str | None] = []
        self.refuses = False

    def get_token(self) -> dict[str, Any] | None:
        return self.token

    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._check(expected)
        self.token = json.loads(json.dumps(token))

    def remove_token(self, expected: str | None) -> None:
        self._check(expected)
        self.token = None

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        if not self.mutex.acquire(timeout=wait):
            raise TokenLockTimeoutError("busy")
        try:
            yield LEASE_END
        finally:
            self.mutex.release()

    def prepare_save(self, expected: str | None) -> None:
        self.prepared.append(expected)
        if self.refuses:
            raise TokenPermissionError("this user may not write")

    def lock_id(self) -> str:
        return "the one place"

    def close(self) -> None:
        self.closed += 1

    def _check(self, expected: str | None) -> None:
        stored = None if self.token is None else revision_of(self.token)
        if expected not in (ANY_REVISION, stored):
            raise TokenConflictError("changed meanwhile")


class AsyncOwn(Own):
    """The same, as coroutines."""

    async def get_token(self) -> dict[str, Any] | None:  # type: ignore[override]  # a twin
        await asyncio.sleep(0)
        return self.token

    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:  # type: ignore[override]  # a twin
        await asyncio.sleep(0)
        super().set_token(token, expected)

    async def remove_token(self, expected: str | None) -> None:  # type: ignore[override]  # a twin
        await asyncio.sleep(0)
        super().remove_token(expected)

    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:  # type: ignore[override]  # a twin
        if not self.mutex.acquire(timeout=0):
            raise TokenLockTimeoutError("busy")
        try:
            yield LEASE_END
        finally:
            self.mutex.release()

    async def prepare_save(self, expected: str | None) -> None:  # type: ignore[override]  # a twin
        await asyncio.sleep(0)
        super().prepare_save(expected)

    async def close(self) -> None:  # type: ignore[override]  # a twin
        self.closed += 1


class Plain:
    """The three methods, without compare-and-set."""

    def __init__(self) -> None:
        self.token: dict[str, Any] | None = None

    def get_token(self) -> dict[str, Any] | None:
        return self.token

    def set_token(self, token: dict[str, Any]) -> None:
        self.token = json.loads(json.dumps(token))

    def remove_token(self) -> None:
        self.token = None


INNERS = ("memory", "file", "own", "async own")


def inner_of(name: str, tmp_path: Path) -> Any:
    if name == "file":
        return {"name": "file", "path": str(tmp_path / "token.json")}
    return {"memory": "memory", "own": Own(), "async own": AsyncOwn()}[name]


@pytest.mark.sample(6)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INNERS)
@pytest.mark.parametrize("depth", [1, 2])
def test_what_goes_in_comes_out(kind: Kind, name: str, depth: int, tmp_path: Path) -> None:
    config: Any = inner_of(name, tmp_path)
    for key in range(1, depth + 1):
        config = {"name": "sealed", "inner": config, "key": key}
    with program(kind, config) as p:
        assert p.get() is None
        p.set(TOKEN, None)
        found = p.get()
        assert found == TOKEN
        assert found is not None
        assert "revision" not in found.to_dict()["flex_tokenstore"]
        _compare_and_set_holds(p)
        p.remove(NEXT.revision)
        assert p.get() is None


def _compare_and_set_holds(p: Program) -> None:
    for wrong in (None, NEXT.revision):
        with pytest.raises(TokenConflictError):
            p.set(NEXT, wrong)
        with pytest.raises(TokenConflictError):
            p.remove(wrong)
    assert p.get() == TOKEN
    p.set(NEXT, TOKEN.revision)
    assert p.get() == NEXT


@pytest.mark.parametrize("kind", KINDS)
def test_the_inner_store_holds_the_sealed_token_with_the_plain_ones_revision(kind: Kind) -> None:
    own = Own()
    with program(kind, {"name": "sealed", "inner": {"name": "sealed", "inner": own}}) as p:
        p.set(TOKEN, None)
    assert own.token is not None
    assert "SENTINEL" not in json.dumps(own.token)
    tag = own.token["flex_tokenstore"]
    assert tag == {"format": 1, "identity": IDENTITY.key, "revision": TOKEN.revision}
    assert revision_of(own.token) == TOKEN.revision


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrapper_that_changes_the_dict_it_is_given(kind: Kind) -> None:
    own = Own()
    with program(kind, {"name": "in-place", "inner": own}) as p:
        p.set(TOKEN, None)
        assert own.token is not None
        assert own.token["access_token"] == TOKEN.access_token.reveal()[::-1]
        assert revision_of(own.token) == TOKEN.revision
        assert p.get() == TOKEN
        p.set(NEXT, TOKEN.revision)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INNERS)
def test_a_read_only_wrapper_reads(kind: Kind, name: str, tmp_path: Path) -> None:
    inner = inner_of(name, tmp_path)
    if name != "memory":
        with program(kind, inner) as p:
            p.set(TOKEN)
    with program(kind, {"name": "only-read", "inner": inner}) as p:
        assert p.get() == (None if name == "memory" else TOKEN)
        changes: list[Callable[[], None]] = [lambda: p.set(NEXT), p.remove]
        for change in changes:
            with pytest.raises(TokenUnavailableError, match="only read here") as caught:
                change()
            assert caught.value.store == "only-read"


@pytest.mark.parametrize("kind", KINDS)
def test_abilities_are_those_of_the_innermost(kind: Kind) -> None:
    inners: list[tuple[Any, tuple[bool, bool, bool, bool, bool]]] = [
        (Own(), (True, True, False, True, False)),
        (AsyncOwn(), (True, True, True, True, False)),
        (Plain(), (False, False, False, False, False)),
    ]
    for inner, expected in inners:
        twice = {"name": "sealed", "inner": {"name": "only-read", "inner": inner}}
        with program(kind, twice) as p:
            assert p.store.abilities == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_handle_names_its_layers_from_the_outside(kind: Kind) -> None:
    twice = {"name": "sealed", "inner": {"name": "only-read", "inner": Own()}}
    with program(kind, twice) as p:
        assert p.store.layers == ("sealed", "only-read", "Own")
    with program(kind, "memory") as p:
        assert p.store.layers == ("memory",)


@pytest.mark.parametrize("kind", KINDS)
def test_without_compare_and_set_inside_there_is_none(kind: Kind) -> None:
    with program(kind, {"name": "sealed", "inner": Plain()}) as p:
        p.set(TOKEN)
        p.set(NEXT, "no such revision")
        assert p.get() == NEXT
        p.remove("no such revision")
        assert p.get() is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Own, AsyncOwn])
def test_the_lock_is_the_inner_stores(kind: Kind, make: type[Own]) -> None:
    own = make()
    with program(kind, {"name": "sealed", "inner": own}) as p, program("sync", own) as other:
        assert p.store.lock_key == other.store.lock_key == "the one place"
        with p.lock() as end:
            assert end == LEASE_END
            assert own.mutex.locked()
            with pytest.raises(TokenLockTimeoutError), other.lock():
                pass
        assert not own.mutex.locked()


@pytest.mark.parametrize("kind", KINDS)
def test_the_lock_of_the_file_store_is_shared_with_its_plain_users(
    kind: Kind, tmp_path: Path
) -> None:
    file = inner_of("file", tmp_path)
    with (
        program(kind, {"name": "sealed", "inner": file}) as p,
        program("sync", {"name": "sealed", "inner": file}) as other,
    ):
        assert p.store.lock_key == other.store.lock_key
        with p.lock(), pytest.raises(TokenLockTimeoutError), other.lock():
            pass
        with other.lock():
            pass
    assert not (tmp_path / "state").exists()  # no lock of the host's was made


def test_without_a_lock_inside_two_wrappers_of_one_object_know_it() -> None:
    plain = Plain()
    with (
        open_store({"name": "sealed", "inner": plain}, IDENTITY) as one,
        open_store({"name": "only-read", "inner": plain}, IDENTITY) as two,
        open_store({"name": "sealed", "inner": Plain()}, IDENTITY) as three,
    ):
        assert one.lock_key == two.lock_key != three.lock_key
        with one.token_lock(0, 1), pytest.raises(TokenLockTimeoutError), two.token_lock(0, 1):
            pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Own, AsyncOwn])
def test_closing_closes_the_inner_store(kind: Kind, make: type[Own]) -> None:
    own = make()
    with program(kind, {"name": "sealed", "inner": {"name": "sealed", "inner": own}}):
        assert own.closed == 0
    assert own.closed == 1


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Own, AsyncOwn])
@pytest.mark.parametrize("name", ["sealed", "only-read", "locked"])
def test_a_save_is_prepared_by_the_inner_store(kind: Kind, make: type[Own], name: str) -> None:
    own = make()
    with program(kind, {"name": name, "inner": {"name": "sealed", "inner": own}}) as running:
        assert running.store.abilities.prepare_save
        running.prepare("a" * 64)
        running.prepare(None)
        own.refuses = True
        with pytest.raises(TokenPermissionError, match="may not write"):
            running.prepare()
    assert own.prepared == ["a" * 64, None, ANY_REVISION]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Own, AsyncOwn])
def test_a_wrapper_may_prepare_a_save_itself(kind: Kind, make: type[Own]) -> None:
    own = make()
    with (
        program(kind, {"name": "locked", "key": 7, "inner": own}) as running,
        pytest.raises(TokenPermissionError, match="only read"),
    ):
        running.prepare()
    with program(kind, {"name": "locked", "key": 8, "inner": own}) as running:
        running.prepare()
    assert own.prepared == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_inner_store_that_prepares_nothing_is_ready(kind: Kind) -> None:
    with program(kind, {"name": "sealed", "inner": Plain()}) as running:
        assert not running.store.abilities.prepare_save
        running.prepare()
    with program(kind, {"name": "locked", "inner": Plain()}) as running:
        running.prepare()


def test_an_async_inner_store_runs_in_the_programs_own_loop() -> None:
    class Seen(AsyncOwn):
        async def get_token(self) -> dict[str, Any] | None:  # type: ignore[override]  # a twin
            threads.append(threading.current_thread())
            return await super().get_token()

    threads: list[threading.Thread] = []

    async def main() -> None:
        config = {"name": "sealed", "inner": Seen()}
        async with await open_async_store(config, IDENTITY) as store:
            assert store.abilities.native_async
            await store.get_token()

    asyncio.run(main())
    assert threads == [threading.current_thread()]


@pytest.mark.parametrize("name", INNERS)
def test_a_session_signs_in_once_and_refreshes(name: str, tmp_path: Path) -> None:
    server, config = Server(lifetime=0.2), {"name": "sealed", "inner": inner_of(name, tmp_path)}
    with TokenSession(open_store(config, IDENTITY), server) as session:
        first = session.token()
        call = session.new_call()
        second = call.refused(call.token())
        assert second is not None
        assert second != first
        assert session.saved
    assert server.calls == ["sign_in", "refresh"]

    async def main() -> None:
        store = await open_async_store(config, IDENTITY)
        async with AsyncTokenSession(store, AsyncServer(server)) as session:
            await session.token()
            assert await session.revoke()
            assert await session.peek() is None

    asyncio.run(main())
    assert server.calls.count("sign_in") == (2 if name == "memory" else 1)


def test_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep.json"
    for name, value in {
        "X_STORE": "sealed",
        "X_STORE__KEY": "7",
        "X_STORE__INNER__NAME": "sealed",
        "X_STORE__INNER__INNER__NAME": "file",
        "X_STORE__INNER__INNER__PATH": str(path),
    }.items():
        monkeypatch.setenv(name, value)
    config = store_config_from_env("X_STORE")
    assert config is not None
    with open_store(config, IDENTITY) as store:
        store.set_token(TOKEN, None)
        assert store.get_token() == TOKEN
        assert store.place == str(path)
        assert store.name == "sealed"
    assert TOKEN.access_token.reveal() not in path.read_text()


@pytest.mark.parametrize(
    ("config", "error", "says", "option"),
    [
        ({"name": "sealed"}, StoreOptionsError, "needs the option 'inner'", "inner"),
        (
            {"name": "sealed", "inner": "fle"},
            UnknownStoreError,
            "option 'inner' of token store 'sealed': no token store is named 'fle'; did you mean",
            None,
        ),
        (
            {"name": "sealed", "inner": {"name": "file", "pth": "x"}},
            StoreOptionsError,
            "option 'inner' of token store 'sealed': token store 'file' has no option 'pth'",
            "inner.pth",
        ),
        (
            {"name": "sealed", "inner": {"name": "sealed", "inner": {"name": "file", "path": 5}}},
            StoreOptionsError,
            "'sealed': option 'inner' of token store 'sealed': option 'path'",
            "inner.inner.path",
        ),
        ({"name": "sealed", "inner": None}, StoreOptionsError, "option 'inner'", "inner"),
        ({"name": "sealed", "inner": object()}, StoreLoadError, "no get_token", None),
        ({"name": "no-inner"}, StoreLoadError, "no field `inner`", None),
    ],
)
def test_a_wrong_inner_is_named(
    config: Any, error: type[Exception], says: str, option: str | None
) -> None:
    with pytest.raises(error) as caught:
        open_store(config, IDENTITY)
    assert says in str(caught.value)
    assert getattr(caught.value, "option", None) == option
    with pytest.raises(error):
        asyncio.run(open_async_store(config, IDENTITY))


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_unwrapped_is_corrupt_and_left_where_it_is(kind: Kind) -> None:
    own = Own()
    with program(kind, {"name": "sealed", "inner": own, "key": 1}) as p:
        p.set(TOKEN)
    kept = own.token
    with program(kind, {"name": "sealed", "inner": own, "key": 2}) as p:
        with pytest.raises(TokenCorruptError, match="check its options") as caught:
            p.get()
        assert str(caught.value).endswith("; if they are right, remove it with `remove_token()`")
        assert caught.value.revision is None
        assert "SENTINEL" not in str(caught.value)
        session = TokenSession(open_store({"name": "sealed", "inner": own}, IDENTITY), Server())
        assert session.peek() == TOKEN
    with TokenSession(
        open_store({"name": "sealed", "inner": own, "key": 2}, IDENTITY), server := Server()
    ) as session:
        with pytest.raises(TokenCorruptError):
            session.token()
        assert (own.token, server.calls) == (kept, [])
        session.remove()
        assert own.token is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrapper_that_gives_no_token_saves_nothing(kind: Kind) -> None:
    own = Own()
    with program(kind, {"name": "sloppy", "inner": own}) as p:
        with pytest.raises(TokenUnavailableError, match=r"Sloppy\.wrap returned .*access_token"):
            p.set(TOKEN)
        assert own.token is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_token_is_not_taken_for_a_sealed_one(kind: Kind) -> None:
    own = Own()
    own.token = TOKEN.to_dict()
    with program(kind, {"name": "sealed", "inner": own}) as p, pytest.raises(TokenCorruptError):
        p.get()


def test_the_identity_within_counts() -> None:
    own = Own()
    foreign = {"access_token": "x", "flex_tokenstore": {"identity": "somebody-else"}}
    sealed = base64.b64encode(bytes(b + 1 for b in json.dumps(foreign).encode())).decode()
    own.token = {"access_token": sealed, "flex_tokenstore": {"identity": IDENTITY.key}}
    with (
        open_store({"name": "sealed", "inner": own}, IDENTITY) as store,
        pytest.raises(TokenIdentityError),
    ):
        store.get_token()


def test_the_list_claims_no_abilities_for_a_wrapper() -> None:
    (info,) = (each for each in list_stores(check=True) if each.name == "sealed")
    assert info.status == "ok"
    assert [option.name for option in info.options or ()] == ["inner", "key"]
    assert (info.compare_and_set, info.lock, info.native_async) == (None, None, None)
