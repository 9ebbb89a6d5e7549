"""What the base of remote stores asks for again, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flex_tokenstore import ANY_REVISION, Secret, TokenLockTimeoutError, TokenUnavailableError
from flex_tokenstore.records import Changed, Kind, Problem, Record, RecordStore
from tests.support.handles import IDENTITY, token


class Failure(Exception):
    """Of the driver; raised before or after it did what was asked."""

    def __init__(self, kind: Kind, pause: float = 0.0) -> None:
        super().__init__()
        self.problem = Problem(kind, "hiccup", pause=pause)


class Store(RecordStore):
    """In memory; it fails when it is told to, and keeps locks in a form of its own."""

    def __init__(self) -> None:
        super().__init__(None, IDENTITY)
        self.kept: dict[str, tuple[Any, int]] = {}
        self.before: list[Failure] = []
        self.after: list[Failure] = []
        self.asked: list[str] = []

    def read(self, client: Any, key: str) -> Record:
        self._fail(self.before, "read")
        data, version = self.kept.get(key, (None, None))
        return Record(None if data is None else Secret(self._out(data)), version)

    def write(self, client: Any, key: str, data: Secret[bytes], version: Any) -> int:
        self._fail(self.before, "write")
        if self.kept.get(key, (None, None))[1] != version:
            raise Changed
        new = (version or 0) + 1
        self.kept[key] = (json.loads(data.reveal()), new)
        self._fail(self.after)
        return new

    def delete(self, client: Any, key: str, version: Any) -> None:
        self._fail(self.before, "delete")
        if self.kept.get(key, (None, None))[1] != version:
            raise Changed
        self.kept.pop(key)
        self._fail(self.after)

    def describe(self, error: Exception) -> Problem | None:
        return error.problem if isinstance(error, Failure) else None

    def ask(self, client: Any, what: str) -> str:
        self._fail(self.before, "ask")
        return f"answer to {what}"

    def _fail(self, failures: list[Failure], what: str = "") -> None:
        self.asked += [what] if what else []
        if failures:
            raise failures.pop()

    def _out(self, content: Any) -> bytes:
        return json.dumps(content, sort_keys=True, indent=1).encode()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, none of which is made."""
    found: list[float] = []
    monkeypatch.setattr("flex_tokenstore.records._sync.time.sleep", found.append)
    return found


def test_what_is_refused_for_now_is_asked_for_again_with_short_pauses(
    store: Store, slept: list[float]
) -> None:
    store.before = [Failure(Kind.BUSY)] * 2
    assert store.get_token() is None
    assert store.asked == ["read"] * 3
    assert len(slept) == 2
    assert sum(slept) < 0.2


def test_it_waits_as_long_as_the_server_asks(store: Store, slept: list[float]) -> None:
    store.before = [Failure(Kind.BUSY, pause=2)]
    assert store.get_token() is None
    (pause,) = slept
    assert 2 <= pause < 2.1


def test_a_server_that_asks_for_a_longer_time_than_there_is_is_not_asked_again(
    store: Store, slept: list[float]
) -> None:
    store.before = [Failure(Kind.BUSY, pause=float("inf"))]
    with pytest.raises(TokenUnavailableError, match="hiccup"):
        store.get_token()
    assert (store.asked, slept) == (["read"], [])


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.LOST])
@pytest.mark.parametrize("what", ["save", "remove", "lock"])
@pytest.mark.usefixtures("slept")
def test_what_was_done_although_the_answer_is_an_error_counts_as_done(
    store: Store, kind: Kind, what: str
) -> None:
    """Such as by a proxy that did not wait for the server; also if it is stored in other bytes."""
    failures = [Failure(kind)]
    if what == "lock":
        store.after = failures
        with store.token_lock(0, 5) as ends:
            assert ends is not None
            with pytest.raises(TokenLockTimeoutError), store.token_lock(0, 5):
                pass
        with store.token_lock(0, 5):
            return
    data = token("a").to_dict()
    if what == "save":
        store._out = lambda content: json.dumps(content, separators=(",", ":")).encode()  # type: ignore[method-assign]
        store.after = failures
        store.set_token(data, None)
        assert store.get_token() == data
        return
    store.set_token(data, None)
    store.after = failures
    store.remove_token(token("a").revision)
    assert store.get_token() is None


@pytest.mark.usefixtures("slept")
def test_a_hook_of_a_stores_own_is_repeated_and_raises_in_the_same_way(store: Store) -> None:
    store.before = [Failure(Kind.BUSY)]
    assert store.call("ask", "this") == "answer to this"
    store.before = [Failure(Kind.UNAVAILABLE)]
    with pytest.raises(TokenUnavailableError, match="hiccup") as caught:
        store.call("ask", "this")
    assert caught.value.place == store.place
    store.set_token(token("a").to_dict(), ANY_REVISION)


def test_what_the_program_is_handling_is_no_part_of_an_error(store: Store) -> None:
    """Within an ``except`` block Python makes it the context of each new exception."""
    seen: list[BaseException | None] = []

    def describe(error: Exception) -> Problem:
        seen.append(error.__context__)
        return Problem(Kind.UNAVAILABLE, "hiccup")

    store.describe = describe  # type: ignore[method-assign]
    store.before = [Failure(Kind.UNAVAILABLE)]
    try:
        raise TimeoutError
    except TimeoutError:
        with pytest.raises(TokenUnavailableError):
            store.get_token()
    assert seen == [None]
