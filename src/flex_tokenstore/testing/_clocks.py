"""Hosts whose clocks disagree: the lock and the token are what they are, whatever the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from flex_tokenstore import TokenLockTimeoutError

from ._bench import PROMPT, Bench, ContractFixtures
from ._handles import Handle
from ._locks import LEASE, check_taken
from ._tokens import new_token, same
from ._workers import Worker, WorkerError

_OFF = 300.0  # seconds
_YEARS = 20 * 365 * 86_400.0  # seconds
_LATE = 2.0  # seconds after a lease's end within which a waiter must have the lock

# How a child's clocks differ, and what that is called.
_BOOTED: dict[str, dict[str, Any]] = {
    "started an hour earlier, so that its time.monotonic() is ahead": {"monotonic": 3600.0},
    "started later, so that its time.monotonic() is behind": {"monotonic": -_OFF},
    "in another time zone": {"zone": "Pacific/Auckland"},
    "in a time zone behind": {"zone": "XXX11"},
}
_WRONG: dict[str, dict[str, Any]] = {
    "whose clock is five minutes ahead": {"wall": _OFF},
    "whose clock is five minutes behind": {"wall": -_OFF},
}


class ClockTests(ContractFixtures):
    """A child's clocks are changed before it opens the store."""

    one_host: ClassVar[bool | None] = None

    def test_clocks_that_disagree_do_not_share_the_lock(self, bench: Bench, tmp_path: Path) -> None:
        """The server's time counts, or a waiter counts from when it first saw that holder."""
        bench.need("lock")
        worker = bench.worker("change_clocks").ready()
        clocks = dict(_BOOTED)
        if not self._on_one_host(bench, tmp_path):
            clocks |= _WRONG
        with bench.handle.lock(PROMPT, LEASE):
            for host, clock in clocks.items():
                worker.call("set_clocks", clock)
                _check_refused(worker, f"a host {host} acquired the lock that another one holds")
        for host, clock in clocks.items():
            worker.call("set_clocks", clock)
            worker.call("lock", PROMPT, LEASE)
            _check_held(bench.handle, f"the lock that a host {host} holds was acquired by another")
            worker.call("unlock")

    def test_a_wrong_clock_does_not_let_two_have_the_lock(self, bench: Bench) -> None:
        """All programs of one host: times of two clocks, such as of files, are not compared."""
        bench.need("lock")
        worker = bench.worker("change_clocks").ready()
        for host, clock in _WRONG.items():
            worker.call("set_clocks", clock)
            worker.call("lock", PROMPT, LEASE)
            _check_refused(worker, f"two programs of a host {host} hold the lock at once")
            worker.call("unlock")

    def test_a_lease_ends_whatever_the_clock_says(self, bench: Bench, tmp_path: Path) -> None:
        second = bench.second()
        if not bench.leased():
            pytest.skip("its lock has no lease")
        worker = bench.worker("change_clocks").ready()
        ahead, behind = _WRONG
        early = next(iter(_BOOTED))
        clocks = {early: _BOOTED[early]}
        if not self._on_one_host(bench, tmp_path):
            clocks[ahead] = _WRONG[ahead]
        for host, clock in clocks.items():
            worker.call("set_clocks", clock)
            worker.call("lock", PROMPT, self.shortest_lease)
            with _waited(second, self.shortest_lease, f"the lease of a host {host}"):
                pass
            worker.call("unlock")
        if ahead in clocks:
            worker.call("set_clocks", _WRONG[behind])
            with second.lock(PROMPT, self.shortest_lease):
                _check_acquired(worker, self.shortest_lease + _LATE, f"a host {behind}")

    def test_no_clock_makes_a_token_expire(self, bench: Bench) -> None:
        """Its refresh token may be good for years; when it ends, its server says."""
        worker = bench.worker("change_clocks").ready()
        token = new_token(bench.identity)
        bench.handle.set(token)
        mine = new_token(bench.identity, "by the child")
        for name, clock in (
            ("wall clock", {"wall": _YEARS}),
            ("monotonic clock", {"monotonic": _YEARS}),
        ):
            worker.call("set_clocks", clock)
            assert same(worker.call("get"), token), f"the token expired by the {name}"
            assert same(bench.handle.get(), token), f"a reader whose {name} is ahead removed it"
            worker.call("set_clocks", {})
            worker.call("set", mine.to_dict())
            worker.call("set_clocks", clock)
            assert same(worker.call("get"), mine), f"the token expired by the {name}"
            bench.handle.set(token)

    def _on_one_host(self, bench: Bench, folder: Path) -> bool:
        """Whether all who share the store have the same clock."""
        if self.one_host is not None:
            return self.one_host
        before = _files(folder)
        bench.handle.set(new_token(bench.identity, "where"))
        return _files(folder) != before


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def _check_refused(worker: Worker, otherwise: str) -> None:
    try:
        worker.call("lock", 0.0, LEASE)
    except WorkerError as error:
        assert error.kind == "TokenLockTimeoutError", str(error)
        return
    pytest.fail(otherwise)


def _check_held(handle: Handle, otherwise: str) -> None:
    try:
        check_taken(handle)
    except pytest.fail.Exception:
        pytest.fail(otherwise)


@contextmanager
def _waited(handle: Handle, lease: float, whose: str) -> Iterator[None]:
    try:
        with handle.lock(lease + _LATE, LEASE):
            yield
    except TokenLockTimeoutError:
        pytest.fail(f"{whose} is {lease:g} s long, and the lock was not free {_LATE:g} s later")


def _check_acquired(worker: Worker, wait: float, who: str) -> None:
    try:
        worker.call("lock", wait, LEASE)
    except WorkerError as error:
        pytest.fail(f"{who} does not acquire a lock whose lease has ended: {error}")
