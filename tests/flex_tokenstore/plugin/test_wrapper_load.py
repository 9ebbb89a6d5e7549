"""What a wrapper loads before it wraps: when, how often, and in which thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from flex_tokenstore import (
    TokenCorruptError,
    TokenIdentity,
    TokenUnavailableError,
    WrapperStore,
    hookimpl,
    register_store,
)
from flex_tokenstore._registry import registered
from tests.support.fakes import IDENTITY
from tests.support.kinds import Kind, Program, issued, program

KINDS: tuple[Kind, ...] = ("sync", "async")
TOKEN = issued(1)


class Keyed(WrapperStore):
    """Keeps the token under the number of a key that it has to load first."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any

    keys: ClassVar[list[str]] = []
    fails: ClassVar[bool] = False
    loads: ClassVar[list[tuple[str, bool]]] = []
    """The thread of each load, and whether an event loop ran in it."""

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self.known: list[str] = []

    def load(self) -> None:
        self.loads.append((threading.current_thread().name, _loop_runs()))
        if self.fails:
            raise TokenUnavailableError("the key cannot be had")
        self.known = list(self.keys)

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        return {"access_token": f"sealed with {self.known[0]}", "plain": token}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        if token["access_token"].rpartition(" ")[2] not in self.known:
            raise TokenCorruptError("another key is needed", reason="unknown key")
        plain: dict[str, Any] = token["plain"]
        return plain


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.fixture(autouse=True)
def _keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_registered", {})
    monkeypatch.setattr(Keyed, "keys", ["one"])
    monkeypatch.setattr(Keyed, "loads", [])
    monkeypatch.setattr(Keyed, "fails", False)
    register_store("keyed", Keyed)


class AsyncOwn:
    """A store of coroutines, in which the wrapper's own code runs in the event loop."""

    def __init__(self) -> None:
        self.token: dict[str, Any] | None = None

    async def get_token(self) -> dict[str, Any] | None:
        return self.token

    async def set_token(self, token: dict[str, Any]) -> None:
        self.token = token

    async def remove_token(self) -> None:
        self.token = None


@pytest.fixture(params=["file", "coroutines"])
def inner(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    file = {"name": "file", "path": str(tmp_path / "token.json")}
    return file if request.param == "file" else AsyncOwn()


@pytest.fixture(params=KINDS)
def p(request: pytest.FixtureRequest, inner: Any) -> Iterator[Program]:
    with program(request.param, {"name": "keyed", "inner": inner}) as made:
        yield made


def test_it_is_loaded_once_before_the_first_save_and_never_in_an_event_loop(p: Program) -> None:
    assert Keyed.loads == [], "nothing is loaded before the first call"
    p.set(TOKEN)
    assert p.get() == TOKEN
    p.set(TOKEN)
    assert len(Keyed.loads) == 1
    assert not Keyed.loads[0][1]


def test_it_is_loaded_before_the_first_read_also_of_an_empty_store(p: Program) -> None:
    """Else a program would sign in, and find then that it cannot save the token."""
    Keyed.fails = True
    for _ in range(2):  # a failure is not kept
        with pytest.raises(TokenUnavailableError, match="cannot be had"):
            p.get()
    Keyed.fails = False
    assert p.get() is None
    assert p.get() is None
    assert len(Keyed.loads) == 3
    assert not any(in_loop for _, in_loop in Keyed.loads)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_key_has_them_loaded_once_more(kind: Kind, inner: Any) -> None:
    config = {"name": "keyed", "inner": inner}
    with program(kind, config) as reader, program(kind, config) as writer:
        reader.get()
        Keyed.keys = ["two", "one"]
        writer.set(TOKEN)
        Keyed.loads = []
        assert reader.get() == TOKEN
        assert len(Keyed.loads) == 1
        Keyed.keys = ["three"]
        with program(kind, config) as other:
            with pytest.raises(TokenCorruptError) as caught:
                other.get()
            assert caught.value.reason == "unknown key"
        assert len(Keyed.loads) == 3, "one before the first read, one for the unknown key"
        assert not any(in_loop for _, in_loop in Keyed.loads)


class Again(Keyed):
    """Loads before each save too."""

    asked: ClassVar[list[bool]] = []

    def load_due(self, *, saving: bool) -> bool:
        self.asked.append(saving)
        return saving or super().load_due(saving=saving)

    @hookimpl
    def prepare_save(self, expected: str | None) -> Any:
        return super().prepare_save(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_loaded_whenever_the_wrapper_says_that_this_is_due(
    kind: Kind, inner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_store("again", Again)
    monkeypatch.setattr(Again, "asked", [])
    with program(kind, {"name": "again", "inner": inner}) as p:
        p.get()
        p.get()
        assert len(Keyed.loads) == 1
        assert set(Again.asked) == {False}
        p.set(TOKEN)
        assert len(Keyed.loads) == 2
        p.prepare()
        assert len(Keyed.loads) == 3
        assert set(Again.asked) == {True, False}
    assert not any(in_loop for _, in_loop in Keyed.loads)


def test_the_identity_needs_no_key(p: Program) -> None:
    assert p.store.identity == IDENTITY
    assert p.store.layers[0] == "keyed"
    p.remove()
    assert Keyed.loads == []
