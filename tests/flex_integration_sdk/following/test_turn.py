"""Of two replicas one has the turn, whatever happens to them and in whatever order."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import pytest

from flex_integration_sdk._following.turn import Clock, Held, Lock, LockSteps, Turn, Unlock
from flex_tokenstore import TokenLockTimeoutError

LEASE = 60.0


class Service:
    """Two locks with leases, and the time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0  # seconds that only the wall clock knows of
        self.clock = Clock(lambda: self.now, lambda: self.now + self.slept)
        self.held: dict[int, tuple[object, float]] = {}

    def perform(self, owner: object, step: Lock | Unlock) -> float | None:
        holder, ends = self.held.get(step.number, (None, 0.0))
        now = self.now + self.slept
        if isinstance(step, Unlock):
            if holder is owner:
                del self.held[step.number]
            return None
        if holder is not None and now < ends:
            raise TokenLockTimeoutError("held")
        self.held[step.number] = (owner, now + LEASE)
        return self.now + LEASE


def carry_out(service: Service, owner: object, steps: LockSteps) -> Generator[None, None, bool]:
    """One step each time, so that others come between."""
    try:
        step = next(steps)
        while True:
            yield
            try:
                end = service.perform(owner, step)
            except TokenLockTimeoutError as error:
                step = steps.throw(error)
            else:
                step = steps.send(end)
    except StopIteration as stop:
        return bool(stop.value)


class Replica:
    def __init__(self, service: Service, kind: type[Turn]) -> None:
        self.service = service
        self.turn = kind(LEASE, service.clock)
        self.doing: Generator[None, None, bool] | None = None

    def act(self) -> None:
        """One step of what a replica does."""
        turn = self.turn
        if self.doing is None:
            if not turn.is_ours:
                steps = turn.take()
            elif turn.renew_in <= 0:
                steps = turn.renew()
            else:
                return
            self.doing = carry_out(self.service, self, steps)
        try:
            next(self.doing)
        except StopIteration:
            self.doing = None


def play(seed: int, kind: type[Turn]) -> int:
    """A random history; returns how often the turn passed to another."""
    chance, service = random.Random(seed), Service()
    replicas = [Replica(service, kind) for _ in range(3)]
    suspended: dict[int, float] = {}
    last, passed = None, 0
    for _ in range(400):
        service.now += chance.choice([0.001, 0.1, 1, 5, 10])
        number = chance.randrange(3)
        if chance.random() < 0.01:
            replicas[number] = Replica(service, kind)  # killed, and another starts
        if chance.random() < 0.02:
            suspended[number] = service.now + chance.choice([1, 100])
        if chance.random() < 0.005:
            service.slept += 200  # the whole machine sleeps
        if suspended.get(number, 0) < service.now:
            replicas[number].act()
        working = [each for each in replicas if each.turn.is_ours]
        assert len(working) <= 1
        if working and working[0] is not last:
            last, passed = working[0], passed + 1
    return passed


def test_never_two_at_one_moment() -> None:
    passed = [play(seed, Turn) for seed in range(60)]
    assert sum(passed) > 60  # it does pass


class OneLock(Turn):
    """Takes one lock of the two."""

    def take(self) -> LockSteps:
        held = yield from self._acquired(0)
        self._held = held
        return held is not None


class Late(Turn):
    """Does not look whether it still had the old lock when it got the new one."""

    def renew(self) -> LockSteps:
        assert self._held is not None
        new = yield from self._acquired(1 - self._held.number)
        if new is None:
            return False
        self._held = new
        yield Unlock(1 - new.number)
        return True


class Asleep(Turn):
    """Trusts the monotonic clock, which stands still while the machine sleeps."""

    def _acquired(self, number: int) -> Generator[Lock | Unlock, Any, Held | None]:
        held = yield from super()._acquired(number)
        return held and held._replace(wall_ends=float("inf"))


@pytest.mark.parametrize("kind", [OneLock, Late, Asleep])
def test_the_histories_find_a_fault(kind: type[Turn]) -> None:
    with pytest.raises(AssertionError):
        [play(seed, kind) for seed in range(300)]


def test_one_that_lives_keeps_its_turn() -> None:
    service = Service()
    first, second = Replica(service, Turn), Replica(service, Turn)
    while not first.turn.is_sure:
        first.act()
    for _ in range(5000):
        service.now += 0.5
        first.act()
        second.act()
        assert first.turn.is_sure
        assert not second.turn.is_ours


def test_one_that_dies_is_followed_after_a_lease() -> None:
    service = Service()
    first, second = Replica(service, Turn), Replica(service, Turn)
    while not first.turn.is_sure:
        first.act()
    died = service.now
    while not second.turn.is_ours:
        service.now += 0.5
        second.act()
    assert LEASE <= service.now - died <= LEASE + 3
    assert not first.turn.is_ours


def test_a_lasting_lock_needs_no_renewal() -> None:
    turn = Turn(LEASE, Clock(lambda: 0.0, lambda: 0.0))
    steps = turn.take()
    assert next(steps) == Lock(0)
    with pytest.raises(StopIteration) as stop:
        steps.send(None)
    assert stop.value.value is True
    assert turn.is_lasting
    assert turn.is_sure
