"""A stored token is encrypted again with the first key, and stays the same token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    StoreOptionsError,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenPermissionError,
    TokenStore,
    open_store,
)
from flex_tokenstore.embedding import Rekey, find_rekey, rekey_token
from tests.support import sealed
from tests.support.fakes import IDENTITY, DictStore, Server, stored

MOMENTS: Any = {"wait": 0.05, "lease": 30.0}


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed.register(monkeypatch)


def opened(inner: Any, *keys: str, **options: Any) -> TokenStore:
    return open_store({"name": "sealed", "inner": inner, "keys": list(keys), **options}, IDENTITY)


def key_in(path: Path) -> str:
    return str(json.loads(path.read_text())["access_token"]).partition(":")[0]


def test_the_first_key_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    path, token = tmp_path / "t.json", Token(stored(Server()))
    inner = {"name": "file", "path": str(path)}
    assert rekey_token(opened(inner, "k1"), **MOMENTS) == Rekey("sealed", False, None, "k1")
    opened(inner, "k1").set_token(token)
    both = opened(inner, "k2", "k1")
    assert find_rekey(both) == Rekey("sealed", True, "k1", "k2")
    assert key_in(path) == "k1", "a look changes nothing"
    assert rekey_token(both, **MOMENTS).is_needed
    assert key_in(path) == "k2"
    assert opened(inner, "k2").get_token() == token
    before = path.stat().st_ino
    assert not rekey_token(both, **MOMENTS).is_needed
    assert path.stat().st_ino == before, "nothing was written"


def test_a_token_that_was_stored_in_the_clear_is_encrypted(tmp_path: Path) -> None:
    path, token = tmp_path / "t.json", Token(stored(Server()))
    inner = {"name": "file", "path": str(path)}
    open_store(inner, IDENTITY).set_token(token)
    with pytest.raises(TokenCorruptError):
        rekey_token(opened(inner, "k1"), **MOMENTS)
    assert rekey_token(opened(inner, "k1", migrate=True), **MOMENTS).before is None
    assert key_in(path) == "k1"
    assert opened(inner, "k1").get_token() == token


def test_an_unknown_key_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    inner = {"name": "file", "path": str(path)}
    opened(inner, "k1").set_token(Token(stored(Server())))
    before = path.read_bytes()
    with pytest.raises(TokenCorruptError):
        rekey_token(opened(inner, "k2"), **MOMENTS)
    assert path.read_bytes() == before


def test_a_wrapper_around_it_is_no_hindrance(tmp_path: Path) -> None:
    inner = {"name": "file", "path": str(tmp_path / "t.json")}
    twice = {"name": "sealed", "inner": inner, "keys": ["inner"]}
    opened(twice, "k1").set_token(Token(stored(Server())))
    again = opened({**twice, "keys": ["new", "inner"]}, "k1")
    assert rekey_token(again, **MOMENTS) == Rekey("sealed", True, "inner", "new")
    assert not find_rekey(again).is_needed


@pytest.mark.parametrize("config", ["memory", DictStore()])
def test_a_store_without_keys_is_refused(config: Any) -> None:
    with open_store(config, IDENTITY) as store:
        for act in (find_rekey, lambda each: rekey_token(each, **MOMENTS)):
            with pytest.raises(StoreOptionsError, match="does not encrypt"):
                act(store)


class Kept(DictStore):
    """Compares, and may refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.conflicts = 0
        self.refuses = False

    def set_token(self, token: dict[str, Any], expected: str | None) -> None:  # type: ignore[override]
        if self.conflicts:
            self.conflicts -= 1
            raise TokenConflictError("another program was faster")
        super().set_token(token)

    def prepare_save(self, expected: str | None) -> None:
        if self.refuses:
            raise TokenPermissionError("this user may only read")


def test_a_save_of_another_program_is_no_failure_unless_it_goes_on() -> None:
    kept = Kept()
    opened(kept, "k1").set_token(Token(stored(Server())))
    for conflicts, key in ((2, "k2"), (3, None)):
        kept.conflicts = conflicts
        if key is None:
            with pytest.raises(TokenConflictError):
                rekey_token(opened(kept, "k3", "k2"), **MOMENTS)
        else:
            rekey_token(opened(kept, key, "k1"), **MOMENTS)
        assert kept.token is not None
        assert kept.token["access_token"].startswith("k2:")


def test_who_may_not_write_is_told_so_unless_nothing_is_to_be_written() -> None:
    kept = Kept()
    opened(kept, "k1").set_token(Token(stored(Server())))
    kept.refuses = True
    assert not rekey_token(opened(kept, "k1"), **MOMENTS).is_needed
    with pytest.raises(TokenPermissionError):
        find_rekey(opened(kept, "k2", "k1"))
