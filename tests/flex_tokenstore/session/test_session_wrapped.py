"""What a wrapper stored, and a program opens without that wrapper: nothing happens to it."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Token,
    TokenCorruptError,
    TokenReadOnlyError,
    TokenSession,
    file_store,
    memory_store,
    open_async_store,
    open_store,
    revision_of,
)
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored
from tests.support.handles import opener
from tests.support.kinds import Kind

KINDS: tuple[Kind, ...] = ("sync", "async")
# One that could be sent, and one that could not.
ENVELOPES = ["ciphertext-SENTINEL", "päiväkirja \n"]


def wrapped(envelope: str = ENVELOPES[0]) -> dict[str, Any]:
    """What a wrapper keeps in place of the token."""
    plain = stored(Server())
    tag = {"format": 1, "identity": IDENTITY.key, "revision": revision_of(plain)}
    return {"access_token": envelope, "flex_tokenstore": tag}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(wrapped()))
    path.chmod(0o600)
    return path


def run(kind: Kind, config: Any, server: Server, call: str) -> None:
    """A session's call, which is refused."""
    if kind == "sync":
        with TokenSession(open_store(config, IDENTITY), server, lock_timeout=0.1) as session:
            refused(lambda: getattr(session, call)())
        return

    async def main() -> None:
        store = await open_async_store(config, IDENTITY)
        async with AsyncTokenSession(store, AsyncServer(server), lock_timeout=0.1) as session:
            with pytest.raises(TokenCorruptError) as caught:
                await getattr(session, call)()
            check(caught.value)

    asyncio.run(main())


def refused(call: Callable[[], object]) -> None:
    with pytest.raises(TokenCorruptError) as caught:
        call()
    check(caught.value)


def check(error: TokenCorruptError) -> None:
    assert (error.reason, error.revision) == ("wrapped", None)
    assert "as its inner one" in error.message
    assert "SENTINEL" not in "".join(traceback.format_exception(error))


def configs(path: Path) -> dict[str, Any]:
    file = file_store(path=str(path))
    return {
        "plain": file,
        "read-only": {"name": "read-only", "inner": file},
        "fallback": {"name": "fallback", "stores": [file, memory_store()]},
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", ["token", "revoke", "remove"])
@pytest.mark.parametrize("chain", ["plain", "fallback"])
def test_a_session_neither_sends_nor_replaces_nor_removes_it(
    kind: Kind, call: str, chain: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("flex_tokenstore._session.flow.reading.SECOND_LOOK", 0)
    before, server = path.read_bytes(), Server()
    run(kind, configs(path)[chain], server, call)
    assert path.read_bytes() == before
    assert server.calls == []
    assert not list(path.parent.glob("*corrupt*"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_that_only_reads_does_not_use_it(
    kind: Kind, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flex_tokenstore._session.flow.reading.SECOND_LOOK", 0)
    server = Server()
    run(kind, configs(path)["read-only"], server, "token")
    assert server.calls == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_no_handle_reads_replaces_or_removes_it(kind: Kind, envelope: str) -> None:
    plain = DictStore()
    kept = plain.token = wrapped(envelope)
    with opener(kind) as within:
        store = within(plain, IDENTITY)
        refused(store.get_token)
        refused(lambda: store.set_token(Token(stored(Server()))))
        refused(store.remove_token)
        only_read = within({"name": "read-only", "inner": plain}, IDENTITY)
        refused(only_read.get_token)
        with pytest.raises((TokenReadOnlyError, TokenCorruptError)):
            only_read.remove_token()
        assert plain.token is kept


def test_somebody_who_was_told_what_it_is_may_remove_it() -> None:
    one, other = DictStore(), DictStore()
    one.token, other.token = wrapped(), wrapped()
    with open_store(one, IDENTITY) as store:
        store.remove_token(even_wrapped=True)

    async def main() -> None:
        async with await open_async_store(other, IDENTITY) as store:
            await store.remove_token(even_wrapped=True)

    asyncio.run(main())
    assert one.token is other.token is None


def test_a_newer_one_is_not_removed_so_either() -> None:
    plain = DictStore()
    plain.token = wrapped()
    plain.token["flex_tokenstore"]["format"] = 2
    store = open_store(plain, IDENTITY)
    with pytest.raises(TokenCorruptError, match="upgrade"):
        store.remove_token(even_wrapped=True)
    assert plain.token is not None


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_not_saved_as_a_token(kind: Kind) -> None:
    """Encrypted once more it would keep its revision, and no save would succeed after that."""
    plain = DictStore()
    with opener(kind) as within:
        store = within(plain, IDENTITY)
        for expected in ("*", None):
            with pytest.raises(TokenCorruptError, match="not a token") as caught:
                store.set_token(Token(wrapped()), expected)
            assert (caught.value.reason, caught.value.revision) == ("wrapped", None)
    assert plain.token is None
