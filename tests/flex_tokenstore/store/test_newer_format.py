"""A token of a newer version is left alone, whatever store holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from flex_tokenstore import (
    Token,
    TokenCorruptError,
    TokenSession,
    TokenUnavailableError,
    WrapperStore,
    open_store,
)
from tests.support.fakes import IDENTITY, DictStore, Server, stored
from tests.support.handles import opener


class Wrapped(WrapperStore):
    """Keeps the access token spelled backwards, and fails on what is not so."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "access_token": token["access_token"][::-1], "sealed": True}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("the key of tomorrow")


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_no_store_replaces_or_removes_a_newer_format(
    kind: str, wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that knows nothing of formats, and one behind a wrapper that cannot read it."""
    plain = DictStore()
    newer = stored(Server())
    newer["flex_tokenstore"]["format"] = 2
    plain.token = newer
    monkeypatch.setattr(
        "flex_tokenstore._registry.catalogue.load_store_class", lambda name: Wrapped
    )
    config: Any = {"name": "wrapped", "inner": plain} if wrapped else plain
    older = Token(stored(Server()))
    with opener(kind) as within:
        store = within(config, IDENTITY)
        calls: list[Callable[[], object]] = [store.remove_token, lambda: store.set_token(older)]
        for call in calls:
            with pytest.raises(TokenCorruptError, match="upgrade"):
                call()
    assert plain.token is newer


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_cannot_be_read_may_still_be_replaced(kind: str) -> None:
    """A simple store that stumbles over damaged content; this is how it is mended."""

    class Stumbles(DictStore):
        def get_token(self) -> dict[str, Any] | None:
            if self.token == {}:
                raise KeyError("access_token")
            return self.token

    plain = Stumbles()
    with opener(kind) as within:
        store = within(plain, IDENTITY)
        plain.token = {}
        store.remove_token()
        plain.token = {}
        store.set_token(Token(stored(Server())))
        assert store.get_token() is not None


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_store_that_is_down_is_not_written_to_unseen(kind: str) -> None:
    class Down(DictStore):
        def get_token(self) -> dict[str, Any] | None:
            raise TokenUnavailableError("down")

    plain = Down()
    with opener(kind) as within:
        store = within(plain, IDENTITY)
        with pytest.raises(TokenUnavailableError, match="down"):
            store.set_token(Token(stored(Server())))
    assert plain.token is None


def test_a_newer_format_is_neither_used_nor_replaced() -> None:
    server, plain = Server(), DictStore()
    newer = stored(server)
    newer["flex_tokenstore"]["format"] = 2
    plain.token = newer
    with TokenSession(open_store(plain, IDENTITY), server) as session:
        with pytest.raises(TokenCorruptError, match="newer version") as caught:
            session.token()
        assert caught.value.revision is None
    assert plain.token is newer
    assert server.calls == []
