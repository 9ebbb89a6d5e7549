"""The base's lock: a lock of the service's own, or a record beside the token."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from flex_tokenstore import TokenLockTimeoutError, TokenUnavailableError
from flex_tokenstore.records import Busy, Kind
from flex_tokenstore.records import _lease as lease_module

from .service import Fails, Failure, Program, Service, lost, unavailable

Open = Callable[..., Program]


class Clock:
    """In the place of time and asyncio.sleep: a pause takes no time, and moves the clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    for module in ("_lease", "_where"):
        monkeypatch.setattr(f"flex_tokenstore.records.{module}.time", clock)
    monkeypatch.setattr("flex_tokenstore._host.patience.time", clock)
    monkeypatch.setattr("flex_tokenstore.records._sync.time", clock)
    monkeypatch.setattr("flex_tokenstore.records._aio.asyncio", type("Fake", (), {"sleep": sleep}))
    return clock


@pytest.fixture(params=[False, True], ids=["record", "own lock"])
def locks(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


def lock_of(service: Service, program: Program) -> Any:
    return json.loads(service.records[f"{program.key}:lock"][0] or b"")


def test_one_at_a_time(open_program: Open, locks: bool) -> None:
    program, other = open_program(locks=locks), open_program(locks=locks)
    with program.lock():
        for each in (program, other):
            with pytest.raises(TokenLockTimeoutError, match="within 0 s"), each.lock():
                pass
    with other.lock():
        pass


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_no_failure(
    open_program: Open, service: Service, locks: bool, done: bool
) -> None:
    program, other = open_program(locks=locks), open_program(locks=locks)
    service.plan = {
        "acquire" if locks else "write": [lost(done=done)],
        "release" if locks else "delete": [lost(done=done)],
    }
    with program.lock(), pytest.raises(TokenLockTimeoutError), other.lock():
        pass
    with other.lock():
        pass


@pytest.mark.parametrize("error", ["an outage", "Ctrl-C", "a bug"])
@pytest.mark.parametrize("when", ["acquired", "released"])
@pytest.mark.parametrize("done", [True, False])
def test_who_does_not_know_whether_it_holds_the_lock_gets_it_next(
    open_program: Open, service: Service, locks: bool, done: bool, when: str, error: str
) -> None:
    """At once, not after the lease; and it is not held by two afterwards."""
    program, other = open_program(locks=locks), open_program(locks=locks)
    fails = {
        "an outage": unavailable(done=done),
        "Ctrl-C": Fails(KeyboardInterrupt(), done),
        "a bug": Fails(TypeError("a bug"), done),
    }[error]
    names = {"acquired": ("write", "acquire"), "released": ("delete", "release")}
    service.plan = {names[when][locks]: [fails]}
    raised: Any = TokenUnavailableError if error == "an outage" else type(fails.error)
    if (when, error) == ("released", "an outage"):
        with program.lock():
            pass
    else:
        with pytest.raises(raised), program.lock():
            pass
    assert service.plan[names[when][locks]] == []
    with program.lock(), pytest.raises(TokenLockTimeoutError), other.lock():
        pass
    with other.lock():
        pass


def test_no_owner_is_used_twice(open_program: Open, service: Service, locks: bool) -> None:
    """A service need not renew the lease of an earlier try: it would end too early."""
    program = open_program(locks=locks)
    name = "acquire" if locks else "write"
    owners = []

    def owner() -> str:
        return (
            service.locks[f"{program.key}:lock"] if locks else lock_of(service, program)["holder"]
        )

    service.plan = {name: [unavailable(done=True)]}
    with pytest.raises(TokenUnavailableError), program.lock():
        pass
    owners.append(owner())
    for _ in range(3):
        with program.lock():
            owners.append(owner())
    assert len(set(owners)) == 4


def test_a_forked_child_does_not_take_what_its_parent_may_hold(
    open_program: Open, service: Service, locks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = open_program(locks=locks)
    service.plan = {"acquire" if locks else "write": [unavailable(done=True)]}
    with pytest.raises(TokenUnavailableError), program.lock():
        pass
    pid = os.getpid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid + 1_000_000)
        with pytest.raises(TokenLockTimeoutError), program.lock():
            pass
    with program.lock():
        pass


def test_a_lease_that_nobody_ends_is_waited_for(
    open_program: Open, service: Service, clock: Clock
) -> None:
    program = open_program()
    service.put(f"{program.key}:lock", b'{"holder": "killed", "lease": 20}')
    began = clock.now
    with program.lock(wait=60, lease=20):
        assert 20 <= clock.now - began < 21
    assert service.calls.count("read") < 100


def lease_of(text: str) -> bytes:
    return b'{"holder": "x", "lease": %s}' % text.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"1",
        b"\xff",
        b"{}",
        *map(lease_of, ["NaN", "Infinity", "1e400", "-1", '"x"', "1" + "0" * 400, "null", "[]"]),
        lease_of("1e30"),
    ],
    ids=lambda content: content.decode("latin-1")[:40],
)
def test_a_lock_that_cannot_be_read_is_held_for_our_own_lease(
    service: Service, clock: Clock, content: bytes
) -> None:
    program = Program("sync", service)
    service.put(f"{program.key}:lock", content)
    began = clock.now
    with program.lock(wait=60, lease=20):
        assert 20 <= clock.now - began < 21


def test_a_lease_is_counted_from_before_the_server_told_its_time(
    open_program: Open, service: Service, clock: Clock
) -> None:
    """What it told may be old when it arrives; the others count from then."""
    program = open_program()
    service.clock = 500.0

    def before(name: str) -> None:
        clock.now += 3  # a slow network

    service.before = before
    with program.lock(lease=20) as ends:
        assert ends == 1020
        assert lock_of(service, program)["until"] == 521
        service.before = lambda name: None


@pytest.mark.parametrize(("later", "free"), [(20.5, False), (25.0, False), (32.0, True)])
def test_an_ended_lease_is_taken_over_at_first_sight_by_the_servers_clock(
    open_program: Open, service: Service, clock: Clock, later: float, free: bool
) -> None:
    """Not before a margin: after a fail-over another server tells the time."""
    program = open_program()
    service.clock = 500.0
    service.put(f"{program.key}:lock", b'{"holder": "killed", "lease": 20, "until": 521}')
    service.clock += later
    if free:
        with program.lock():
            pass
    else:
        with pytest.raises(TokenLockTimeoutError), program.lock():
            pass


def test_a_servers_clock_that_was_set_back_keeps_nobody_out(
    open_program: Open, service: Service, clock: Clock
) -> None:
    program = open_program()
    service.put(f"{program.key}:lock", b'{"holder": "killed", "lease": 20, "until": 5000}')
    service.clock = 1.0
    with program.lock(wait=60):
        assert clock.now <= 1021


def test_what_is_held_for_too_long_is_released_all_the_same(
    open_program: Open, service: Service, clock: Clock
) -> None:
    """Unless it has passed to another: the record's version tells."""
    program, other = open_program(), open_program()
    with program.lock(lease=20):
        clock.now += 30
    with other.lock(lease=20):
        pass
    with program.lock(lease=20):
        with pytest.raises(TokenLockTimeoutError), other.lock():
            pass
        clock.now += 30
        taken = other.lock()
        taken.__enter__()
    with pytest.raises(TokenLockTimeoutError), program.lock():
        pass
    taken.__exit__(None, None, None)


def test_a_lock_of_the_services_own_is_not_released_after_its_end(
    open_program: Open, service: Service, clock: Clock
) -> None:
    program = open_program(locks=True)
    with program.lock(lease=20):
        clock.now += 30
    assert "release" not in service.calls


def test_one_who_waits_for_a_wake_up_does_not_spin(service: Service, clock: Clock) -> None:
    """Though the server says that the lease ends now: it may count whole seconds."""
    program = Program("sync", service, locks=True)
    waits = []

    def acquire(client: Any, key: str, owner: str, seconds: float) -> Busy | None:
        return Busy("hint", 0.0) if clock.now < 1001 else None

    def await_release(client: Any, key: str, hint: Any, seconds: float) -> bool:
        assert hint == "hint"
        waits.append(seconds)
        clock.now += seconds
        return False

    program.store.acquire, program.store.await_release = acquire, await_release
    program.store._lease._wakes = True
    with program.lock(wait=5):
        assert len(waits) <= 60


def test_denied_releases_do_not_keep_this_process_out(service: Service) -> None:
    program = Program("sync", service, locks=True)
    service.plan = {"acquire": [unavailable()], "release": [Fails(Failure(Kind.DENIED))]}
    with pytest.raises(TokenUnavailableError), program.lock():
        pass
    with program.lock():
        pass


def test_doubts_are_bounded(service: Service) -> None:
    program = Program("sync", service)
    service.plan = {"write": [unavailable() for _ in range(50)]}
    for _ in range(50):
        with pytest.raises(TokenUnavailableError), program.lock():
            pass
    assert len(program.store._lease._doubts()) == lease_module.DOUBTS


def test_a_lock_without_a_lease_is_held_until_it_is_released(
    open_program: Open, service: Service, clock: Clock
) -> None:
    program, other = open_program(locks=True), open_program(locks=True)
    for each in (program, other):
        each.store._lease._ends = False  # as a store with ``leased = False`` makes it
    with program.lock(lease=20) as end:
        assert str(end) == "None"
        clock.now += 10_000
        with pytest.raises(TokenLockTimeoutError, match="suspended or blocked"), other.lock():
            pass
    with other.lock():
        pass
