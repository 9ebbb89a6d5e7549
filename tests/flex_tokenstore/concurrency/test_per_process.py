"""What each process has for itself. Forks are played: ``os.getpid`` tells another number."""

from __future__ import annotations

import gc
import pickle
import weakref
from functools import partial

import pytest

from flex_integration_sdk import RateLimiter
from flex_tokenstore._concurrency.per_process import PerProcess


class Thing:
    """Made for one process."""


def fork(monkeypatch: pytest.MonkeyPatch, pid: int = -2) -> None:
    monkeypatch.setattr("os.getpid", lambda: pid)


def test_each_process_has_a_value_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    each = PerProcess(Thing)
    assert each.found() is None
    parents = each.get()
    assert each.get() is each.found() is parents
    fork(monkeypatch)
    assert each.found() is None
    assert each.get() is not parents


def test_what_a_child_inherits_is_never_finalized(monkeypatch: pytest.MonkeyPatch) -> None:
    each = PerProcess(Thing)
    parents = weakref.ref(each.get())
    fork(monkeypatch)
    each.get()
    del each
    gc.collect()
    assert parents() is not None


def test_a_child_leaves_what_it_inherits_before_it_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[Thing] = []
    each = PerProcess(Thing, leave=left.append)
    parents = each.get()
    each.leave_parents()
    assert left == []
    fork(monkeypatch)
    each.get()
    each.leave_parents()
    assert left == [parents]


def test_one_that_another_thread_made_meanwhile_is_used_and_ours_is_spare() -> None:
    spare: list[Thing] = []

    def make() -> Thing:
        if not others:
            others.append(Thing())
            each.put(others[0])  # as another thread, or a signal handler, does
        return Thing()

    others: list[Thing] = []
    each = PerProcess(make, spare=spare.append)
    assert each.get() is others[0]
    assert len(spare) == 1
    assert spare[0] is not others[0]


def test_after_a_value_is_taken_another_is_made() -> None:
    each = PerProcess(partial(Thing))
    first = each.get()
    assert each.take() is first
    assert each.take() is None
    assert each.get() is not first


def test_a_rate_limiter_that_has_one_can_be_pickled() -> None:
    limiter = RateLimiter(burst=2, seconds=1000)
    limiter.reserve()
    copy = pickle.loads(pickle.dumps(limiter))
    assert copy.reserve() == 0
    assert copy.reserve() > 0
