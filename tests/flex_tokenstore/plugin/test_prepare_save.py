"""The hook ``prepare_save``: how it is called, and what becomes of what it raises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flex_tokenstore import (
    StoreLoadError,
    TokenPermissionError,
    TokenUnavailableError,
    WrapperStore,
    hookimpl,
    open_store,
)
from flex_tokenstore._plugin.hooks import inspect_class
from flex_tokenstore._store.aio import async_store
from tests.support.fakes import IDENTITY, DictStore
from tests.support.kinds import Kind, program
from tests.support.since import Since

KINDS: tuple[Kind, ...] = ("sync", "async")


class Noting(DictStore):
    """Notes what it is called with, and raises what it is told to."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__()
        self.error = error
        self.seen: list[Any] = []

    def note(self, *arguments: Any) -> None:
        self.seen.append(*(arguments or ["nothing"]))
        if self.error is not None:
            raise self.error


class Plain(Noting):
    def prepare_save(self, expected: str | None) -> None:
        self.note(expected)


class WithoutArgument(Noting):
    def prepare_save(self) -> None:
        self.note()


class WithDefault(Noting):
    def prepare_save(self, expected: str | None = "none given") -> None:
        self.note(expected)


class Coroutine(Noting):
    async def prepare_save(self, expected: str | None) -> None:
        await asyncio.sleep(0)
        self.note(expected)


class GivesAwaitable(Noting):
    def prepare_save(self, expected: str | None) -> Any:
        async def later() -> None:
            self.note(expected)

        return later()


MAKES = (Plain, WithDefault, Coroutine, GivesAwaitable)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", MAKES)
def test_it_is_given_the_expected_revision(kind: Kind, make: type[Noting]) -> None:
    own = make()
    with program(kind, own) as running:
        assert running.store.abilities.prepare_save
        running.prepare(None)
        running.prepare("a" * 64)
        running.prepare()
    assert own.seen == [None, "a" * 64, "*"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_take_no_argument(kind: Kind) -> None:
    own = WithoutArgument()
    with program(kind, own) as running:
        running.prepare(None)
    assert own.seen == ["nothing"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", MAKES)
def test_a_refusal_names_the_store(kind: Kind, make: type[Noting]) -> None:
    own = make(TokenPermissionError("this user may not write"))
    with program(kind, own) as running, pytest.raises(TokenPermissionError) as caught:
        running.prepare()
    assert caught.value.store == make.__name__


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", MAKES)
def test_an_error_of_another_kind_is_a_store_that_cannot_answer(
    kind: Kind, make: type[Noting]
) -> None:
    with program(kind, make(KeyError("x"))) as running:
        with pytest.raises(TokenUnavailableError) as caught:
            running.prepare()
        assert make.__name__ in str(caught.value)
        assert "find out whether it can save a token" in str(caught.value)


def test_a_store_without_it_is_ready_at_once_and_in_the_same_thread() -> None:
    since = Since()
    with open_store(DictStore(), IDENTITY) as store:
        assert not store.abilities.prepare_save
        store.prepare_save()

    async def main() -> None:
        async with async_store(DictStore(), IDENTITY) as opened:
            call = opened.prepare_save()
            with pytest.raises(StopIteration):
                call.send(None)  # it waits for nothing

    asyncio.run(main())
    assert since.threads() == []


def test_a_wrong_signature_is_a_load_error() -> None:
    class Wrong(DictStore):
        def prepare_save(self, token: Any) -> None: ...

    class KeywordOnly(DictStore):
        def prepare_save(self, *, expected: str | None) -> None: ...

    with pytest.raises(StoreLoadError, match="prepare_save takes 'token'"):
        open_store(Wrong(), IDENTITY)
    with pytest.raises(StoreLoadError, match="keyword only"):
        open_store(KeywordOnly(), IDENTITY)


def test_a_plugins_method_counts_only_if_it_is_marked() -> None:
    class Marked:
        @hookimpl
        def get_token(self) -> None: ...
        @hookimpl
        def set_token(self, token: Any) -> None: ...
        @hookimpl
        def remove_token(self) -> None: ...
        def prepare_save(self) -> None: ...

    assert not inspect_class(Marked).prepare_save
    assert not inspect_class(WrapperStore).prepare_save
    Marked.prepare_save = hookimpl(Marked.prepare_save)  # type: ignore[method-assign]  # marks it
    assert inspect_class(Marked).prepare_save
