"""Ctrl-C, or another signal handler's exception, at any line of what takes and frees a lock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    Token,
    TokenLockTimeoutError,
    TokenStore,
    file_store,
    memory_store,
    open_store,
)
from flex_tokenstore._host.host_lock import HostLock
from tests.flex_tokenstore.session.test_session_interrupts import (
    MOST,
    Interrupter,
    interrupted,
    within,
)
from tests.support.fakes import IDENTITY, DictStore, Server, stored

PLACES = (
    "_host/host_lock.py",
    "_host/lock_files.py",
    "file/locks.py",
    "file/store.py",
    "stores/memory.py",
    "_store/sync.py",
)
PATIENCE = 4.0  # seconds; reached by a failure alone


class Work:
    """Something that takes locks, and how to see afterwards that nobody has them."""

    def __init__(self, run: Callable[[], Any], locks: Callable[[], Any]) -> None:
        self.run = run
        self.locks = locks


def host_lock(folder: Path) -> Work:
    path = folder / "a.lock"

    def run() -> None:
        with HostLock(path).hold(5):
            pass

    return Work(run, lambda: free(path))


def host_lock_by_hand(folder: Path) -> Work:
    path = folder / "a.lock"

    def run() -> None:
        lock = HostLock(path)
        lock.try_acquire()
        lock.release()

    return Work(run, lambda: free(path))


def waiting_host_lock(folder: Path) -> Work:
    path = folder / "a.lock"

    def run() -> None:
        other = HostLock(path)
        with other.hold(5):
            HostLock(path).acquire(5, sleep=lambda seconds: other.release())

    return Work(run, lambda: free(path))


def save(folder: Path) -> Work:
    store = opened(folder)
    token = Token(stored(Server()))
    return Work(lambda: store.set_token(token), lambda: free(folder / "t.json.write.lock"))


def removal(folder: Path) -> Work:
    store = opened(folder)
    store.set_token(Token(stored(Server())))
    return Work(store.remove_token, lambda: free(folder / "t.json.write.lock"))


def renewal_lock(folder: Path) -> Work:
    return Work(lambda: take(opened(folder)), lambda: take(opened(folder)))


def memory_lock(folder: Path) -> Work:
    store = open_store(memory_store(), IDENTITY)
    return Work(lambda: take(store), lambda: take(store))


def memory_save(folder: Path) -> Work:
    store = open_store(memory_store(), IDENTITY)
    token = Token(stored(Server()))
    return Work(lambda: store.set_token(token), lambda: take(store))


def lock_of_a_store_without(folder: Path) -> Work:
    store = open_store(DictStore(), IDENTITY)
    return Work(lambda: take(store), lambda: take(store))


WORKS = (
    host_lock,
    host_lock_by_hand,
    waiting_host_lock,
    save,
    removal,
    renewal_lock,
    memory_lock,
    lock_of_a_store_without,
)


def opened(folder: Path) -> TokenStore:
    return open_store(file_store(path=str(folder / "t.json")), IDENTITY)


def take(store: TokenStore) -> None:
    with store.token_lock(0, 60):
        pass


def free(path: Path) -> None:
    with HostLock(path).hold(0):
        pass


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


NESTED = (memory_lock, memory_save, lock_of_a_store_without, renewal_lock)
SLOW = (removal, renewal_lock)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "make",
    [pytest.param(work, marks=[pytest.mark.slow] * (work in SLOW)) for work in WORKS],
)
def test_after_an_exception_at_any_line_no_lock_is_held(
    make: Callable[[Path], Work], tmp_path: Path
) -> None:
    number, where = 1, "not begun"
    while where:
        work = make(tmp_path)
        ended = within(PATIENCE, lambda w=work, n=number: interrupted(n, w.run, PLACES))  # type: ignore[misc]  # mypy: a default makes no Callable[[], str]
        assert ended is not None, f"it hangs after an exception at the line after {where}"
        (where,) = ended
        released = within(PATIENCE, lambda w=work: w.locks() or True)  # type: ignore[misc]  # as above
        assert released, f"a lock is still held after an exception at {where}"
        number += 1
        assert number < MOST
    assert number > 8, "the lines of it are seen"


@pytest.mark.parametrize("make", NESTED)
def test_a_handler_or_finalizer_may_do_the_same_at_any_line(
    make: Callable[[Path], Work], tmp_path: Path
) -> None:
    number, where = 1, "not begun"
    while where:
        work = make(tmp_path)
        ended = within(PATIENCE, lambda w=work, n=number: nested(n, w.run))  # type: ignore[misc]  # mypy: a default makes no Callable[[], str]
        assert ended is not None, f"it hangs if it is done again at the line after {where}"
        (where,) = ended
        assert within(PATIENCE, lambda w=work: w.locks() or True), where  # type: ignore[misc]  # as above
        number += 1
        assert number < MOST
    assert number > 8, "the lines of it are seen"


def nested(number: int, work: Callable[[], Any]) -> str:
    """The line at which ``work`` was done once more, within itself; "" if it was over before."""

    class Nesting(Interrupter):
        def interrupt(self) -> None:
            with suppress(TokenLockTimeoutError):  # said at once: who was interrupted has it
                work()

    nesting = Nesting(number, PLACES)
    sys.settrace(nesting)
    try:
        work()
    except TokenLockTimeoutError:  # cannot be: what was nested has ended
        raise AssertionError(nesting.where) from None
    finally:
        sys.settrace(None)
    return nesting.where
