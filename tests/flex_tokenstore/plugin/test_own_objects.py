"""Hooks that are plain or coroutines, in programs of both kinds, and objects of the user's own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock, NonCallableMock

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    StoreLoadError,
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
    TokenSession,
    TokenUnavailableError,
    open_async_store,
    open_store,
    revision_of,
)
from flex_tokenstore.stores.file.store import FileStore
from tests.support.fakes import IDENTITY, DictStore, Server
from tests.support.kinds import Kind, issued, program

KINDS: tuple[Kind, ...] = ("sync", "async")
TOKEN, NEXT = issued(1), issued(2)


class Cell:
    """Where the objects below keep the token."""

    def __init__(self) -> None:
        self.token: dict[str, Any] | None = None
        self.mutex = threading.Lock()
        self.closed = 0
        self.threads: set[threading.Thread] = set()

    def note(self) -> None:
        self.threads.add(threading.current_thread())

    def get(self) -> dict[str, Any] | None:
        self.note()
        return self.token

    def put(self, token: dict[str, Any] | None, expected: str | None) -> None:
        self.note()
        stored = None if self.token is None else revision_of(self.token)
        if expected not in (ANY_REVISION, stored):
            raise TokenConflictError("it has changed")
        self.token = token

    def acquire(self) -> float:
        self.note()
        if not self.mutex.acquire(blocking=False):
            raise TokenLockTimeoutError("another has it")
        return time.monotonic() + 60


class SyncHooks:
    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def get_token(self) -> dict[str, Any] | None:
        return self.cell.get()

    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self.cell.put(token, expected)

    def remove_token(self, expected: str | None) -> None:
        self.cell.put(None, expected)

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float]:
        end = self.cell.acquire()
        try:
            yield end
        finally:
            self.cell.mutex.release()

    def lock_id(self) -> str:
        return f"cell {id(self.cell)}"

    def close(self) -> None:
        self.cell.closed += 1


class AsyncHooks:
    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    async def get_token(self) -> dict[str, Any] | None:
        await asyncio.sleep(0)
        return self.cell.get()

    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await asyncio.sleep(0)
        self.cell.put(token, expected)

    async def remove_token(self, expected: str | None) -> None:
        await asyncio.sleep(0)
        self.cell.put(None, expected)

    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float]:
        end = self.cell.acquire()
        try:
            yield end
        finally:
            self.cell.mutex.release()

    def lock_id(self) -> str:
        return f"cell {id(self.cell)}"

    async def close(self) -> None:
        self.cell.closed += 1


class AwaitableHooks(SyncHooks):
    """Plain functions that give awaitables, as a decorated coroutine function does."""

    def get_token(self) -> Any:
        return AsyncHooks(self.cell).get_token()

    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        return AsyncHooks(self.cell).set_token(token, expected)

    def remove_token(self, expected: str | None) -> Any:
        return AsyncHooks(self.cell).remove_token(expected)

    def token_lock(self, wait: float, lease: float) -> Any:
        return AsyncHooks(self.cell).token_lock(wait, lease)

    def close(self) -> Any:
        return AsyncHooks(self.cell).close()


class MixedHooks(SyncHooks):
    """A coroutine to read, plain ones to write, a coroutine that gives the lock."""

    async def get_token(self) -> dict[str, Any] | None:  # type: ignore[override]  # the other kind
        return self.cell.get()

    async def token_lock(self, wait: float, lease: float) -> Any:  # type: ignore[override]  # same
        return AsyncHooks(self.cell).token_lock(wait, lease)


def attributes(cell: Cell) -> Any:
    """An object whose hooks are another's bound methods, and functions."""

    class Empty: ...

    def put(token: dict[str, Any], expected: str | None) -> None:
        cell.put(token, expected)

    other, made = SyncHooks(cell), Empty()
    for name, value in {
        "get_token": lambda: cell.get(),
        "set_token": put,
        "remove_token": other.remove_token,
        "token_lock": other.token_lock,
        "lock_id": other.lock_id,
        "close": other.close,
    }.items():
        setattr(made, name, value)
    return made


def class_level(cell: Cell) -> Any:
    """Static and class methods count too."""

    class Odd:
        shared = cell

        @classmethod
        def get_token(cls) -> dict[str, Any] | None:
            return cls.shared.get()

        @staticmethod
        def set_token(token: dict[str, Any], expected: str | None) -> None:
            cell.put(token, expected)

        @classmethod
        def remove_token(cls, expected: str | None) -> None:
            cls.shared.put(None, expected)

        token_lock = SyncHooks.token_lock
        lock_id = SyncHooks.lock_id
        close = SyncHooks.close

        def __init__(self) -> None:
            self.cell = cell

    return Odd()


MAKERS: list[Callable[[Cell], Any]] = [
    SyncHooks,
    AsyncHooks,
    AwaitableHooks,
    MixedHooks,
    attributes,
    class_level,
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", MAKERS)
def test_every_hook_of_every_kind_in_programs_of_both(
    kind: Kind, make: Callable[[Cell], Any]
) -> None:
    cell = Cell()
    with program(kind, make(cell)) as p:
        assert p.store.abilities[:2] == (True, True)
        assert p.store.lock_key == f"cell {id(cell)}"
        assert p.get() is None
        p.set(TOKEN, None)
        assert p.get() == TOKEN
        for wrong in (None, NEXT.revision):
            with pytest.raises(TokenConflictError):
                p.set(NEXT, wrong)
            with pytest.raises(TokenConflictError):
                p.remove(wrong)
        with p.lock(lease=60) as end:
            assert end is not None
            assert 50 < end - time.monotonic() <= 60
            assert cell.mutex.locked()
            with pytest.raises(TokenLockTimeoutError), p.lock():
                pass
            p.set(NEXT, TOKEN.revision)
        assert not cell.mutex.locked()
        p.remove(NEXT.revision)
        p.remove()
        assert p.get() is None
        assert cell.closed == 0
    assert cell.closed == 1


@pytest.mark.parametrize("make", MAKERS)
def test_a_session_over_every_kind(make: Callable[[Cell], Any]) -> None:
    server = Server()
    with TokenSession(open_store(make(Cell()), IDENTITY), server) as session:
        session.token()
        assert session.revoke()
    assert server.calls == ["sign_in", "revoke"]


def test_where_hooks_run() -> None:
    cell = Cell()
    with program("async", AsyncHooks(cell)) as p:
        p.get()
        with p.lock():
            pass
    assert cell.threads == {threading.current_thread()}
    cell = Cell()
    with program("async", SyncHooks(cell)) as p:  # it may block, and must not block the loop
        p.get()
    assert threading.current_thread() not in cell.threads
    cell = Cell()
    with program("sync", AsyncHooks(cell)) as p:
        p.get()
    (thread,) = cell.threads
    assert thread.name == "flex-tokenstore-loop"
    # Closing waits for the loop's end. Its thread then has nothing of ours left to run, but the
    # interpreter may take it off its list a moment later.
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [SyncHooks, AsyncHooks])
def test_what_a_hook_raises_is_wrapped_or_passed_on(kind: Kind, make: type[Any]) -> None:
    class Failing(Cell):
        def get(self) -> dict[str, Any] | None:
            raise KeyError("host")

        def put(self, token: dict[str, Any] | None, expected: str | None) -> None:
            raise TokenConflictError("it has changed")

    with program(kind, make(Failing())) as p:
        with pytest.raises(TokenUnavailableError, match="KeyError") as caught:
            p.get()
        assert isinstance(caught.value.__cause__, KeyError)
        assert caught.value.store == make.__name__
        with pytest.raises(TokenConflictError) as conflict:
            p.set(TOKEN)
        assert conflict.value.store == make.__name__


class Watched(DictStore):
    """Tells whenever something else than a hook of it is touched."""

    @property
    def place(self) -> str:
        raise AssertionError("a property was run")

    @property
    def _inner(self) -> str:
        raise AssertionError("a property was run")

    @property
    def async_class(self) -> str:
        raise AssertionError("a property was run")

    @property
    def close(self) -> Any:
        raise AssertionError("a property was run")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_the_hooks_of_an_own_object_is_touched(kind: Kind) -> None:
    with program(kind, Watched()) as p:
        p.set(TOKEN)
        assert p.get() == TOKEN
        assert "Watched" in p.store.place
        p.remove()


class NamedPlace(DictStore):
    place = "the drawer"


def test_an_own_object_may_say_where_it_keeps_the_token() -> None:
    with open_store(NamedPlace(), IDENTITY) as store:
        assert store.place == "the drawer"


class Property:
    @property
    def get_token(self) -> Any:
        raise AssertionError("a property was run")

    def set_token(self, token: dict[str, Any]) -> None: ...
    def remove_token(self) -> None: ...


def attribute_of(thing: Any) -> Any:
    store = DictStore()
    store.get_token = thing  # type: ignore[method-assign]  # the mistake
    return store


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (MagicMock(), "it has no get_token and no set_token and no remove_token"),
        (Mock(), "it has no get_token"),
        (AsyncMock(), "it has no get_token"),
        (NonCallableMock(), "it has no get_token"),
        (Property(), "it has no method get_token, but a property of that name (write a method);"),
        (attribute_of(functools.partial(print)), "no method get_token, but a partial of that name"),
        (attribute_of(MagicMock()), "no method get_token, but a MagicMock of that name"),
        (object(), "it has no get_token"),
        (lambda: None, "it has no get_token"),
    ],
)
def test_what_answers_to_any_name_is_no_store(thing: Any, says: str) -> None:
    with pytest.raises(StoreLoadError) as caught:
        open_store(thing, IDENTITY)
    assert says in str(caught.value)


def test_an_own_object_may_leave_out_expected() -> None:
    with open_store(DictStore(), IDENTITY) as store:
        assert not store.abilities.compare_and_set
        store.set_token(TOKEN, "whatever")
        assert store.get_token() == TOKEN


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["its own error", "with a cause"])
def test_an_error_of_a_store_brings_no_frame_of_its_own(kind: str, wrapped: bool) -> None:
    class Store:
        def get_token(self) -> None:
            found = {"access_token": "access-SENTINEL"}
            try:
                raise OSError("no")
            except OSError as cause:
                raise TokenUnavailableError(f"{len(found)} here") from cause if wrapped else None

        def set_token(self, token: dict[str, Any]) -> None: ...

        def remove_token(self) -> None: ...

    async def read() -> None:
        await (await open_async_store(Store(), IDENTITY)).get_token()

    with pytest.raises(TokenUnavailableError, match="1 here") as raised:
        asyncio.run(read()) if kind == "async" else open_store(Store(), IDENTITY).get_token()
    assert raised.value.store == "Store"
    assert isinstance(raised.value.__cause__, OSError) is wrapped
    chain: list[BaseException | None] = [raised.value]
    while chain:
        error = chain.pop()
        if error is not None:
            frames = traceback.walk_tb(error.__traceback__)
            assert not [frame for frame, _ in frames if "found" in frame.f_locals]
            chain += [error.__cause__, error.__context__]


@pytest.mark.parametrize("given", [dict, str, type(None)])
def test_what_is_no_token_is_not_saved_and_not_shown(given: Any) -> None:
    made = {dict: lambda: {"access_token": "SENTINEL"}, str: lambda: "SENTINEL"}
    store = DictStore()

    def asynchronous(make: Callable[[], Any]) -> None:
        async def main() -> None:
            async with await open_async_store(store, IDENTITY, host_lock="off") as opened:
                await opened.set_token(make())

        asyncio.run(main())

    def synchronous(make: Callable[[], Any]) -> None:
        with open_store(store, IDENTITY, host_lock="off") as opened:
            opened.set_token(make())

    for save in (synchronous, asynchronous):
        with pytest.raises(TypeError, match=rf"takes a Token, got {given.__name__}") as caught:
            save(made.get(given, lambda: None))
        found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert "SENTINEL" not in "".join(found.format())
    assert store.token is None


class Changing(FileStore):
    """A user's store that reads with the built-in one, and changes what that has checked."""

    change: Callable[[dict[str, Any]], object]

    def get_token(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = super().get_token()
        if found is not None:
            self.change(found)
        return found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda token: token.update(access_token=5), "access_token must be a string"),
        (lambda token: token.update(access_token="a\r\nX: b"), "access_token contains a line end"),
        (lambda token: token.pop("access_token"), "access_token is missing"),
        (lambda token: token["flex_tokenstore"].update(expires_at="soon"), "expires_at must be"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_users_store_made_of_a_checked_token_is_checked_again(
    kind: Kind, change: Callable[[dict[str, Any]], object], problem: str, tmp_path: Path
) -> None:
    plain = FileStore(FileStore.Options(path=str(tmp_path / "t.json")), IDENTITY)
    own = Changing(FileStore.Options(path=str(tmp_path / "t.json")), IDENTITY)
    own.change = change
    with program(kind, plain) as store:
        store.set(TOKEN)
        assert store.get() == TOKEN
    with program(kind, own) as store, pytest.raises(TokenCorruptError, match=problem):
        store.get()


@pytest.mark.parametrize("step", ["open", "read"])
def test_a_coroutine_that_is_dropped_is_closed_in_another_context_without_an_error(
    step: str,
) -> None:
    async def drop() -> None:
        store = await open_async_store(AsyncHooks(Cell()), IDENTITY)
        waits: Any = store.get_token() if step == "read" else open_async_store("memory", IDENTITY)
        pending = contextvars.copy_context().run(waits.send, None)  # as a task of its own does
        waits.close()
        if pending is not None:
            await asyncio.wait([pending])  # what a thread does for it ends before the loop

    asyncio.run(drop())
