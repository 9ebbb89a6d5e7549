"""SIGKILL at every call of a store in a move, in a real process, and a second run that ends it."""

from __future__ import annotations

import base64
import importlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import Token, TokenStore, list_stores, open_store
from tests.support.fakes import IDENTITY, Server, stored

from .moved import Mover, mover

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao
    from tests.servers.valkey import Valkey

pytestmark = pytest.mark.skipif(os.name == "nt", reason="forks, and kills with SIGKILL")


@pytest.fixture(scope="module")
def move() -> Iterator[Mover]:
    with mover() as started:
        yield started


def put(store: TokenStore, token: Token | None) -> None:
    store.remove_token() if token is None else store.set_token(token)


def unmarked(token: Token | None) -> dict[str, Any] | None:
    if token is None:
        return None
    found = token.to_dict()
    found["flex_tokenstore"].pop("moving", None)
    return found


def kill_everywhere(
    move: Mover,
    source: Any,
    destination: Any,
    token: Token,
    *,
    unlock: Callable[[], object] = lambda: None,
) -> set[str]:
    """Kills before each call of a store; gives the states in which a second run found it."""
    found: set[str] = set()
    with open_store(source, IDENTITY) as first, open_store(destination, IDENTITY) as second:
        for at in range(100):
            put(second, None)
            put(first, token)
            unlock()
            outcome = move(source, destination, at=at)
            assert not outcome.error, (at, outcome)
            here, there = first.get_token(), second.get_token()
            assert {str(unmarked(each)) for each in (here, there) if each} == {str(token.to_dict())}
            if not outcome.killed:
                assert at > 6, "it was killed at nearly no call"
                assert here is None
                assert move(source, destination).state == "moved"
                return found
            unlock()  # a lease of the killed one, which would expire by itself
            again = move(source, destination)
            assert not again.error, (at, again)
            found.add(again.state)
            assert (first.get_token(), second.get_token()) == (None, token), at
    raise AssertionError("it does not end")


def a_token() -> Token:
    return Token(stored(Server()))


@pytest.mark.parametrize("folders", ["ab", pytest.param("aa", marks=pytest.mark.slow)])
def test_a_move_between_files(move: Mover, tmp_path: Path, folders: str) -> None:
    source, destination = (
        {"name": "file", "path": str(tmp_path / folder / f"{number}.json")}
        for number, folder in enumerate(folders)
    )
    assert kill_everywhere(move, source, destination, a_token()) == {"ready", "copied", "moved"}


def keyring_of(request: pytest.FixtureRequest) -> dict[str, Any] | None:
    """The keyring of a desktop, if that store and what it needs are here."""
    if "keyring" not in {each.name for each in list_stores()}:
        return None
    secret_service = importlib.import_module("tests.servers.secret_service")
    if secret_service.missing():
        return None
    request.getfixturevalue("secret_service")
    return {"name": "keyring"}


def encrypted_over(inner: dict[str, Any]) -> dict[str, Any]:
    if "encrypted" not in {each.name for each in list_stores()}:
        return inner
    return {"name": "encrypted", "inner": inner, "key": base64.b64encode(bytes(range(32))).decode()}


@pytest.mark.slow
@pytest.mark.timeout(300)  # some hundred processes, on a machine that has more to do
def test_a_chain_of_moves(
    move: Mover,
    tmp_path: Path,
    valkey_server: Valkey,
    openbao_server: OpenBao,
    request: pytest.FixtureRequest,
) -> None:
    from tests.servers import openbao

    first = {"name": "file", "path": str(tmp_path / "first/t.json")}
    redis = encrypted_over({"name": "redis", "url": valkey_server.url})
    vault = {"name": "vault", "address": openbao_server.url, "token": openbao_server.root_token}
    last = {"name": "file", "path": str(tmp_path / "last/t.json")}
    stores = [each for each in (first, keyring_of(request), redis, vault, last) if each]
    token = a_token()

    def unlock() -> None:
        for key in valkey_server.run("KEYS", "*lock*"):
            valkey_server.run("DEL", key)
        for name in openbao._all_below(openbao_server, "secret/metadata"):
            if name.endswith("/lock"):
                openbao_server.run("DELETE", name)

    for source, destination in itertools.pairwise(stores):
        states = kill_everywhere(move, source, destination, token, unlock=unlock)
        assert states == {"ready", "copied", "moved"}, (source["name"], destination["name"])
    with open_store(last, IDENTITY) as store:
        assert store.get_token() == token
