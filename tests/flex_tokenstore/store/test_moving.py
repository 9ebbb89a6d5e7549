"""What a move does in each state of two stores, and what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    StoreOptionsError,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenStore,
    TokenUnavailableError,
    open_store,
)
from flex_tokenstore._store import two_locks
from flex_tokenstore.embedding import copy_token, find_move, move_token
from tests.support import sealed
from tests.support.fakes import IDENTITY, DictStore, Server, stored

OTHER = TokenIdentity("https://api.example.com", "other-client", "integ")
MOMENTS: Any = {"wait": 0.05, "lease": 30.0}


def opened(thing: Any, identity: TokenIdentity = IDENTITY) -> TokenStore:
    return open_store(thing, identity)


def file_at(path: Path) -> dict[str, Any]:
    return {"name": "file", "path": str(path)}


def a_token(age: float = 0.0, server: Server | None = None) -> Token:
    return Token(stored(server or Server(), age=age))


class Recorded(DictStore):
    """Keeps what it was called with."""

    def __init__(self, token: Token | None = None) -> None:
        super().__init__()
        self.token = None if token is None else token.to_dict()
        self.calls: list[str] = []

    def get_token(self) -> dict[str, Any] | None:
        self.calls.append("get")
        return super().get_token()

    def set_token(self, token: dict[str, Any]) -> None:
        self.calls.append("set")
        super().set_token(token)

    def remove_token(self) -> None:
        self.calls.append("remove")
        super().remove_token()


def test_each_state_is_found_and_ends_the_same() -> None:
    token = a_token()
    for here, there, state in (
        (token, None, "ready"),
        (token, token, "copied"),
        (None, token, "moved"),
        (None, None, "empty"),
    ):
        source, destination = Recorded(here), Recorded(there)
        assert find_move(opened(source), opened(destination)).state == state
        assert {*source.calls, *destination.calls} == {"get"}, "a look changes nothing"
        assert move_token(opened(source), opened(destination), **MOMENTS).state == state
        assert source.token is None
        assert destination.token == (None if state == "empty" else token.to_dict())


def test_the_source_is_removed_last() -> None:
    order: list[str] = []

    class Named(Recorded):
        def __init__(self, name: str, token: Token | None = None) -> None:
            super().__init__(token)
            self.name = name

        def set_token(self, token: dict[str, Any]) -> None:
            order.append(f"set {self.name}")
            super().set_token(token)

        def remove_token(self) -> None:
            order.append(f"remove {self.name}")
            super().remove_token()

    move_token(opened(Named("a", a_token())), opened(Named("b")), **MOMENTS)
    assert order == ["set b", "set b", "remove a"]


def test_two_different_tokens_stay_unless_the_one_is_named() -> None:
    server = Server()
    old, new = a_token(100, server), a_token(0, server)
    source, destination = Recorded(old), Recorded(new)
    found = find_move(opened(source), opened(destination))
    assert (found.state, found.newer) == ("different", "destination")
    for replace in (None, old.revision):
        with pytest.raises(TokenConflictError, match=r"which is newer.*nothing was changed"):
            move_token(opened(source), opened(destination), replace=replace, **MOMENTS)
    assert (source.token, destination.token) == (old.to_dict(), new.to_dict())
    for replace in (new.revision, ANY_REVISION):
        source, destination = Recorded(old), Recorded(new)
        move_token(opened(source), opened(destination), replace=replace, **MOMENTS)
        assert (source.token, destination.token) == (None, old.to_dict())


def test_a_later_expiry_or_another_field_makes_two_tokens() -> None:
    token = a_token()
    for change in ({"scope": "less"}, {"token_type": "mac"}):
        other = Token({**token.to_dict(), **change})
        assert other.revision == token.revision
        assert find_move(opened(Recorded(token)), opened(Recorded(other))).state == "different"
    tag = token.to_dict()["flex_tokenstore"]
    later = Token({**token.to_dict(), "flex_tokenstore": {**tag, "expires_at": 1.0}})
    assert find_move(opened(Recorded(token)), opened(Recorded(later))).state == "different"
    told = Token({**token.to_dict(), "flex_tokenstore": {**tag, "sign_ins": [1.0]}})
    assert find_move(opened(Recorded(token)), opened(Recorded(told))).state == "copied"


def shared(one: Path, other: Path) -> tuple[Any, Any]:
    """Two objects that keep the token in one dict, such as one service by two addresses."""
    kept = DictStore()

    class Alias:
        def get_token(self) -> dict[str, Any] | None:
            return kept.get_token()

        def set_token(self, token: dict[str, Any]) -> None:
            kept.set_token(token)

        def remove_token(self) -> None:
            kept.remove_token()

    return Alias(), Alias()


def one_path(one: Path, other: Path) -> tuple[Any, Any]:
    return file_at(one), file_at(one)


def a_link(one: Path, other: Path) -> tuple[Any, Any]:
    """The same folder: one lock, that is another by its name."""
    one.parent.mkdir(mode=0o700)
    other.parent.symlink_to(one.parent)
    return file_at(one), file_at(other.parent / one.name)


def dots(one: Path, other: Path) -> tuple[Any, Any]:
    other.parent.mkdir(mode=0o700)
    return file_at(one), file_at(other.parent / ".." / one.parent.name / one.name)


def a_linked_file(one: Path, other: Path) -> tuple[Any, Any]:
    one.parent.mkdir(mode=0o700)
    beside = one.with_name("link.json")
    beside.symlink_to(one.name)
    return file_at(one), file_at(beside)


def stale(one: Path, other: Path) -> tuple[Any, Any]:
    """The second shows late what is in there, as a replica may, and does not compare."""
    first, second = shared(one, other)
    second_get, looks = second.get_token, []

    def late() -> dict[str, Any] | None:
        looks.append(1)
        return None if len(looks) <= 2 else second_get()

    second.get_token = late
    return first, second


def move_patiently(source: TokenStore, destination: TokenStore) -> Any:
    return move_token(source, destination, wait=30, lease=30)


@pytest.mark.parametrize("call", [find_move, move_patiently])
@pytest.mark.parametrize("names", [one_path, a_link, dots, a_linked_file])
def test_one_file_by_two_names_is_told_without_a_wait(
    tmp_path: Path, names: Callable[[Path, Path], tuple[Any, Any]], call: Callable[..., Any]
) -> None:
    first, second = names(tmp_path / "a" / "t.json", tmp_path / "b" / "t.json")
    source, destination = opened(first), opened(second)
    token = a_token()
    for _ in range(2):  # where nothing is stored, and where something is
        started = time.monotonic()
        with pytest.raises(StoreOptionsError, match="the same location"):
            call(source, destination)
        assert time.monotonic() - started < 10
        source.set_token(token)
    assert source.get_token() == token


@pytest.mark.parametrize("names", [shared, stale])
def test_one_location_by_two_names_loses_nothing(
    tmp_path: Path, names: Callable[[Path, Path], tuple[Any, Any]]
) -> None:
    token = a_token()
    first, second = names(tmp_path / "a" / "t.json", tmp_path / "b" / "t.json")
    source = opened(first)
    source.set_token(token)
    with pytest.raises(StoreOptionsError, match="the same location"):
        move_token(source, opened(second), **MOMENTS)
    assert source.get_token() == token


@pytest.mark.parametrize("out_of", ["plain", "sealed"])
@pytest.mark.parametrize("path", [None, "t.json"])
def test_a_wrapper_and_what_it_wraps_are_one_location(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, out_of: str, path: str | None
) -> None:
    """What is wrapped names the identity, as the lock and the file do: no secret of theirs."""
    sealed.register(monkeypatch)
    plain = {"name": "file"} if path is None else file_at(tmp_path / path)
    wrapped = {"name": "sealed", "inner": plain, "keys": ["k"]}
    opened(wrapped, OTHER).set_token(Token({"access_token": "a", **tagged(OTHER)}))
    opened(wrapped, IDENTITY).set_token(a_token()) if path is None else None
    whose = IDENTITY if path is None else OTHER
    first, second = (plain, wrapped) if out_of == "plain" else (wrapped, plain)
    with opened(first, whose) as source, opened(second, whose) as destination:
        for _ in range(2):
            with pytest.raises(StoreOptionsError, match="the same location"):
                find_move(source, destination)
        with pytest.raises(StoreOptionsError, match="the same location"):
            move_token(source, destination, replace=ANY_REVISION, **MOMENTS)
    assert opened(wrapped, whose).get_token() is not None


def tagged(identity: TokenIdentity) -> dict[str, Any]:
    return {"flex_tokenstore": {"format": 1, "identity": identity.key}}


def test_two_files_in_one_folder_share_a_lock_and_can_move(tmp_path: Path) -> None:
    token = a_token()
    source, destination = opened(file_at(tmp_path / "a")), opened(file_at(tmp_path / "b"))
    assert source.lock_key == destination.lock_key
    source.set_token(token)
    assert move_token(source, destination, **MOMENTS).state == "ready"
    assert (source.get_token(), destination.get_token()) == (None, token)


def test_two_files_in_a_folder_by_two_names_share_a_lock_and_can_move(tmp_path: Path) -> None:
    token = a_token()
    source = opened(file_at(tmp_path / "a" / "t.json"))
    source.set_token(token)
    (tmp_path / "b").symlink_to("a")
    destination = opened(file_at(tmp_path / "b" / "u.json"))
    assert move_token(source, destination, **MOMENTS).state == "ready"
    assert (source.get_token(), destination.get_token()) == (None, token)


def test_both_locks_are_held_in_one_order(tmp_path: Path) -> None:
    token, acquired = a_token(), []

    class Locked(Recorded):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def lock_id(self) -> str:
            return self.name

        @contextmanager
        def token_lock(self, wait: float, lease: float) -> Iterator[None]:
            acquired.append(self.name)
            yield None

    for names in ("ab", "ba"):
        first, second = map(Locked, names)
        first.token = token.to_dict()
        move_token(opened(first), opened(second), **MOMENTS)
    without = Recorded(token)  # the host's lock file, always the last
    move_token(opened(without), opened(Locked("z")), **MOMENTS)
    assert acquired == ["a", "b", "a", "b", "z"]
    source = opened(file_at(tmp_path / "a"))
    source.set_token(token)
    with source.token_lock(1, 30), pytest.raises(TokenLockTimeoutError):
        move_token(opened(file_at(tmp_path / "a")), opened(Recorded()), **MOMENTS)


class Reader(DictStore):
    """Whom the store lets read, but not write."""

    def prepare_save(self, expected: str | None) -> None:
        raise TokenPermissionError("this user may only read")


@pytest.mark.parametrize("which", ["source", "destination"])
def test_a_store_that_may_not_be_written_is_told_before_anything_is_copied(which: str) -> None:
    token, reader, other = a_token(), Reader(), Recorded()
    (reader if which == "source" else other).token = token.to_dict()
    pair = (reader, other) if which == "source" else (other, reader)
    for act in (find_move, lambda *stores: move_token(*stores, **MOMENTS)):
        with pytest.raises(TokenPermissionError, match="may only read"):
            act(*map(opened, pair))
    assert [each.token for each in pair] == [token.to_dict(), None]


def test_what_is_not_a_token_is_neither_copied_nor_replaced(tmp_path: Path) -> None:
    token = a_token()
    for broken, other in (("a", "b"), ("b", "a")):
        (tmp_path / broken).write_text("{")
        opened(file_at(tmp_path / other)).set_token(token)
        with pytest.raises(TokenCorruptError):
            move_token(opened(file_at(tmp_path / "a")), opened(file_at(tmp_path / "b")), **MOMENTS)
        assert (tmp_path / broken).read_text() == "{"
        assert opened(file_at(tmp_path / other)).get_token() == token
        (tmp_path / "a").unlink()
        (tmp_path / "b").unlink()


def test_another_identitys_token_stays() -> None:
    token = a_token()
    with pytest.raises(TokenIdentityError):
        move_token(opened(Recorded(token), OTHER), opened(Recorded(), OTHER), **MOMENTS)
    with pytest.raises(StoreOptionsError, match="two identities"):
        move_token(opened(Recorded(token)), opened(Recorded(), OTHER), **MOMENTS)


class Forgets(Recorded):
    def set_token(self, token: dict[str, Any]) -> None:
        super().set_token({**token, "scope": "another"})


def test_a_copy_that_differs_keeps_the_source() -> None:
    token, destination = a_token(), Forgets()
    source = Recorded(token)
    with pytest.raises(TokenUnavailableError, match=r"did not return the token.*in both"):
        move_token(opened(source), opened(destination), **MOMENTS)
    assert source.token == token.to_dict()


def test_a_token_that_another_program_saved_meanwhile_is_not_removed() -> None:
    server = Server()
    token, newer = a_token(10, server), a_token(0, server)
    source = Recorded(token)

    class Late(Recorded):
        def set_token(self, token: dict[str, Any]) -> None:
            super().set_token(token)
            source.token = newer.to_dict()

    with pytest.raises(TokenConflictError, match="changed the token"):
        move_token(opened(source), opened(Late()), **MOMENTS)
    assert source.token == newer.to_dict()


class Leased(Recorded):
    """Its lock has a lease until the time 10."""

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float]:
        yield 10.0


@pytest.mark.parametrize("expired", ["at first", "after the copy"])
def test_a_lease_that_expired_removes_nothing(
    monkeypatch: pytest.MonkeyPatch, expired: str
) -> None:
    token, now = a_token(), [20.0 if expired == "at first" else 0.0]
    monkeypatch.setattr(two_locks, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Slow(Recorded):
        def set_token(self, token: dict[str, Any]) -> None:
            super().set_token(token)
            now[0] = 20.0

    source, destination = Leased(token), Slow()
    with pytest.raises(TokenLockTimeoutError, match="expired"):
        move_token(opened(source), opened(destination), **MOMENTS)
    assert source.token == token.to_dict()
    assert destination.token == (None if expired == "at first" else token.to_dict())


def test_a_wait_for_its_own_lease_is_told_as_what_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One server by two addresses: its lock is free again when our own lease is over."""
    token, now = a_token(), [0.0]
    monkeypatch.setattr(two_locks, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Late(Leased):
        @contextmanager
        def token_lock(self, wait: float, lease: float) -> Iterator[float]:
            now[0] = 11.0
            yield 21.0

    class First(Leased):
        def lock_id(self) -> str:
            return "first"

    class Second(Late):
        def lock_id(self) -> str:
            return "second"

    source, destination = First(token), Second(token)
    with pytest.raises(TokenLockTimeoutError, match="are one location by two names"):
        move_token(opened(source), opened(destination), **MOMENTS)
    assert source.token == token.to_dict()


class Coroutines:
    """The three methods as coroutines."""

    def __init__(self, token: Token | None = None) -> None:
        self.token = None if token is None else token.to_dict()

    async def get_token(self) -> dict[str, Any] | None:
        return self.token

    async def set_token(self, token: dict[str, Any]) -> None:
        self.token = token

    async def remove_token(self) -> None:
        self.token = None


def test_stores_with_coroutines_move_too() -> None:
    token = a_token()
    source, destination = Coroutines(token), Coroutines()
    with opened(source) as first, opened(destination) as second:
        assert move_token(first, second, **MOMENTS).state == "ready"
    assert (source.token, destination.token) == (None, token.to_dict())


def test_a_removal_that_fails_says_that_both_have_it() -> None:
    token = a_token()

    class Keeps(Recorded):
        def remove_token(self) -> None:
            raise ConnectionError("gone")

    source, destination = Keeps(token), Recorded()
    with pytest.raises(TokenUnavailableError, match="is in both"):
        move_token(opened(source), opened(destination), **MOMENTS)
    assert find_move(opened(source), opened(destination)).state == "copied"


def test_a_copy_is_saved_once_and_replaces_only_what_is_named() -> None:
    server = Server()
    token, other = a_token(10, server), a_token(0, server)
    destination = Recorded()
    assert copy_token(token, opened(destination), **MOMENTS) == "ready"
    assert copy_token(token, opened(destination), **MOMENTS) == "copied"
    assert destination.calls.count("set") == 1
    with pytest.raises(TokenConflictError):
        copy_token(other, opened(destination), **MOMENTS)
    assert copy_token(other, opened(destination), replace=token.revision, **MOMENTS) == "different"
    assert destination.token == other.to_dict()


@pytest.mark.parametrize("in_the", ["source", "destination"])
def test_what_a_wrapper_stored_is_no_token_to_move(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_the: str
) -> None:
    sealed.register(monkeypatch)
    wrapped, other = tmp_path / "a" / "t.json", tmp_path / "b" / "t.json"
    opened({"name": "sealed", "inner": file_at(wrapped), "keys": ["k"]}).set_token(a_token())
    opened(file_at(other)).set_token(a_token())
    before = [path.read_bytes() for path in (wrapped, other)]
    pair = (wrapped, other) if in_the == "source" else (other, wrapped)
    source, destination = (opened(file_at(path)) for path in pair)
    for act in (
        lambda: move_token(source, destination, replace=ANY_REVISION, **MOMENTS),
        lambda: copy_token(Token(json.loads(before[0])), opened(DictStore()), **MOMENTS),
    ):
        with pytest.raises(TokenCorruptError) as caught:
            act()
        assert caught.value.reason == "wrapped"
    assert [path.read_bytes() for path in (wrapped, other)] == before
