"""Waiting for a lock that is held for long costs little, and the last waiter is served soon."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import TokenIdentity, TokenLockTimeoutError, open_async_store, open_store
from flex_tokenstore._host import patience as _patience
from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore._host.patience import BRISK, LONGEST, Patience

IDENTITY = TokenIdentity("https://api.example.test", "a-client")


class Clock:
    """A monotonic clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self._thread, self._sleep = threading.get_ident(), time.sleep

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if threading.get_ident() != self._thread:  # one that another test has left running
            self._sleep(seconds)
            return
        self.pauses.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    def during(self, begin: float, end: float) -> list[float]:
        """The pauses that began between two times of the wait."""
        found, at = [], 0.0
        for pause in self.pauses:
            if begin <= at < end:
                found.append(pause)
            at += pause
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for name in ("flex_tokenstore._host.patience", "flex_tokenstore._host.host_lock"):
        monkeypatch.setattr(f"{name}.time.monotonic", clock.monotonic)
    monkeypatch.setattr("flex_tokenstore._host.host_lock.time.sleep", clock.sleep)
    monkeypatch.setattr("flex_tokenstore._store.aio_lock.asyncio.sleep", clock.sleep_async)
    return clock


def host_lock(folder: Path, clock: Clock, slices: list[float]) -> None:
    patience = Patience()
    for wait in slices:
        with pytest.raises(TokenLockTimeoutError):
            HostLock(folder / "t.lock", patience=patience).acquire(wait, sleep=clock.sleep)


class Keeper:
    """A store without a lock of its own: it is given the lock of the host."""

    def get_token(self) -> None: ...
    def set_token(self, token: Any) -> None: ...
    def remove_token(self) -> None: ...


def of_store(config: Any) -> Callable[[Path, Clock, list[float]], None]:
    def wait_in(folder: Path, clock: Clock, slices: list[float]) -> None:
        given = {"name": "file", "path": str(folder / "t.json")} if config is None else config
        holder, store = open_store(given, IDENTITY), open_store(given, IDENTITY)
        with holder.token_lock(0, 60):
            for wait in slices:
                with pytest.raises(TokenLockTimeoutError), store.token_lock(wait, 60):
                    pass

    return wait_in


def of_async_store(config: Any) -> Callable[[Path, Clock, list[float]], None]:
    async def work(folder: Path, clock: Clock, slices: list[float]) -> None:
        given = {"name": "file", "path": str(folder / "t.json")} if config is None else config
        holder, store = [await open_async_store(given, IDENTITY) for _ in range(2)]
        async with holder.token_lock(0, 60):
            for wait in slices:
                with pytest.raises(TokenLockTimeoutError):
                    async with store.token_lock(wait, 60):
                        pass

    return lambda *arguments: asyncio.run(work(*arguments))


@pytest.fixture
def held(tmp_path: Path) -> Iterator[None]:
    with HostLock(tmp_path / "t.lock").hold(0):
        yield


KINDS = {
    "host lock": host_lock,
    "file": of_store(None),
    "file, asyncio": of_async_store(None),
    "own": of_store(Keeper()),
    "own, asyncio": of_async_store(Keeper()),
}
BY_SESSION = [0.25] * 4 + [0.5, 0.75] + [1.0] * 4  # as a session waits


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("slices", [[6.25], BY_SESSION], ids=["at once", "in slices"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_pause_grows_with_the_wait(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, kind: str, slices: list[float]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    KINDS[kind](tmp_path, clock, slices)
    assert len(clock.during(0, 0.2)) >= 8  # brisk: a token request takes that long
    assert max(clock.during(0, 0.2)) <= 0.021
    later = clock.during(1.5, 6.25)
    assert len(later) / 4.75 <= 4  # tries in a second; at 200 µs each 200 waiters use 0.16 s
    assert max(later) <= LONGEST


@pytest.mark.usefixtures("held")
def test_an_acquired_lock_ends_the_wait(tmp_path: Path, clock: Clock) -> None:
    patience = Patience()
    patience.begin()
    clock.now += 5
    assert patience.pause() > 0.2
    patience.end()
    patience.begin()
    assert patience.pause() <= BRISK


def test_a_later_wait_begins_anew(clock: Clock) -> None:
    patience = Patience()
    patience.begin()
    clock.now += 5
    patience.pause()
    clock.now += 60
    patience.begin()
    assert patience.pause() <= BRISK


@pytest.mark.skipif(os.name == "nt", reason="a file that is open has no time to set on Windows")
def test_a_lock_that_passes_on_is_tried_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many waiters the last is served soon: each sees that others are being served."""
    path = tmp_path / "t.lock"
    first, second, waiter = HostLock(path), HostLock(path), HostLock(path)
    stirred: list[bool] = []
    monkeypatch.setattr(_patience.Patience, "stir", lambda self: stirred.append(True))
    first.acquire(0)
    naps = 0

    def sleep(seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 2:
            second.acquire(1, sleep=lambda seconds: first.release())  # it had to wait
        elif naps == 4:
            second.release()
        elif naps > 4:
            raise AssertionError
        time.sleep(0.005)  # a file system's clock has ticks

    waiter.acquire(5, sleep=sleep)
    waiter.release()
    assert stirred == [True]
