"""A session on a token that it cannot decrypt sends nothing, and leaves the token where it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import encrypted
from flex_tokenstore import TokenCorruptError, TokenSession, open_store
from tests.support.fakes import IDENTITY, Server
from tests.support.kinds import issued


def cut(path: Path) -> None:
    data = json.loads(path.read_text())
    data["access_token"] = data["access_token"][:-9]
    path.write_text(json.dumps(data))


def nothing(path: Path) -> None:
    """The key is another one."""


def plain(path: Path) -> None:
    data = issued().to_dict()
    path.write_text(json.dumps(data))


def newer(path: Path) -> None:
    path.write_text(path.read_text().replace("flex-encrypted-1", "flex-encrypted-2"))


@pytest.mark.each_value
@pytest.mark.parametrize("on_store_error", ["raise", "memory"])
@pytest.mark.parametrize(
    ("deed", "key", "reason"),
    [
        (nothing, "b", "unknown key"),
        (cut, "a", "cut"),
        (plain, "a", "plaintext"),
        (newer, "a", "newer format"),
    ],
)
def test_nothing_is_sent_and_nothing_is_changed(
    tmp_path: Path, deed: Callable[[Path], None], key: str, reason: str, on_store_error: Any
) -> None:
    path = tmp_path / "token.json"
    inner = {"name": "file", "path": str(path)}
    with open_store(encrypted(inner, "a"), IDENTITY) as store:
        store.set_token(issued(), None)
    deed(path)
    before = path.read_bytes()
    server = Server()
    with (
        open_store(encrypted(inner, key), IDENTITY) as store,
        TokenSession(store, server, on_store_error=on_store_error) as session,
    ):
        for call in (session.token, session.revoke):
            with pytest.raises(TokenCorruptError) as caught:
                call()
            assert caught.value.reason == reason
    assert server.calls == []
    assert path.read_bytes() == before
    assert [each for each in tmp_path.iterdir() if "corrupt" in each.name] == []


def test_a_session_renews_an_encrypted_token(tmp_path: Path) -> None:
    config = encrypted({"name": "file", "path": str(tmp_path / "token.json")})
    server = Server(lifetime=0.0)
    for _ in range(3):
        with open_store(config, IDENTITY) as store, TokenSession(store, server) as session:
            assert session.token() is not None
    assert server.calls == ["sign_in", "refresh", "refresh"]
    with open_store(config, IDENTITY) as store, TokenSession(store, server) as session:
        assert session.revoke()
        assert store.get_token() is None
