"""Breadth first through all interleavings of a few programs on one service, with faults.

What holds in each of them:

- ``lost``: a save or removal replaces exactly what was expected, whenever it is done.
- ``corrupt``: content that is no token is at its place or aside, always.
- ``left``: a token of another identity, and a newer format, never change.
- ``result``: what a call returns or raises is true: a save that returns was done; a conflict was
  one; one lost connection, or a wrong server, is no failure.
- ``two holders``: at most one program at a time is within its lease.
- ``stuck``: nobody waits for longer than a lease for a lock that nobody holds, and no program for
  itself.
- ``spins``: each turn of one who waits pauses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from flex_tokenstore import (
    ANY_REVISION,
    TokenConflictError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenUnavailableError,
)
from flex_tokenstore._values.token import revision_of
from flex_tokenstore.errors import TokenCorruptError
from flex_tokenstore.records import Kind, Problem
from flex_tokenstore.records._lease import Held
from flex_tokenstore.records._record import Answer, Call, Sleep

from ..shipped import Fault
from .program import (
    LEASE,
    PAUSE,
    Begin,
    End,
    Inside,
    Interrupt,
    Machine,
    Op,
    Releasing,
    Told,
    exploring,
)
from .service import KEY, LOCK, Rules, Service, kind_of, revision, stored

MOST_IN_A_ROW = 4  # calls of one turn of one who waits: release, or read, write and read again
SURE = 2.0  # as in program.py
TICK = 1.0


class Config(NamedTuple):
    """What is explored."""

    name: str
    programs: tuple[tuple[Op, ...], ...]
    rules: Rules = Rules()
    content: str = ""
    """What is stored at first."""
    faults: frozenset[str] = frozenset()
    budget: int = 0
    """How many of these happen."""
    horizon: int = 0
    """Seconds of true time."""
    slow: bool = False
    """Requests and answers take time."""
    offsets: tuple[float, ...] = (0.0, 1000.0, 7.0)
    """Of the programs' monotonic clocks."""


class Doing(NamedTuple):
    """What matters of the call that a program makes."""

    began: int = 0
    faults: tuple[str, ...] = ()
    wrote: bool = False
    """It has changed the record."""
    own: bool = False
    """What it wrote is what is stored."""
    aside: bool = False
    """It has put aside what was expected."""
    seen: frozenset[bytes | None] = frozenset()
    """All that was stored meanwhile."""
    free: bool = False
    """Nobody had the lock when it began."""
    row: int = 0
    """Calls since the last pause."""


class Program(NamedTuple):
    local: int
    doing: Doing = Doing()
    answer: Answer | None = None
    """Of the request that was carried out; it is on its way."""
    until: float = 0.0
    """When its pause ends, by its own clock."""
    lag: int = 0
    """Seconds for which its host was suspended."""
    alive: bool = True


class Late(NamedTuple):
    """A request that arrives later; nobody waits for its answer."""

    who: int
    op: Op
    expected: str | None
    aside: bool
    call: Call


class World(NamedTuple):
    service: Service
    programs: tuple[Program, ...]
    now: int = 0
    late: tuple[Late, ...] = ()
    budget: int = 0
    passed: int = -1000
    """When the lock was last acquired or released."""
    delayed: bool = False
    """A request has come late."""


class Move(NamedTuple):
    who: int
    what: str
    fault: str = ""


class Violation(AssertionError):
    """An invariant does not hold; the text before the colon names it."""


class Broken(AssertionError):
    """The message is a shortest schedule that breaks an invariant."""

    def __init__(self, config: Config, moves: list[tuple[Move, str]], violation: Exception) -> None:
        self.invariant = str(violation).partition(":")[0]
        lines = "\n".join(
            f"  {n:3} P{move.who} {move.what} {move.fault} {asks}"
            for n, (move, asks) in enumerate(moves, 1)
        )
        super().__init__(f"{violation}\nin {config.name}, after\n{lines}")


class Count(NamedTuple):
    states: int
    transitions: int
    ends: int


LOST = Answer(problem=Problem(Kind.LOST, "lost"))
PROBLEMS = {
    "lost": LOST,
    "late": LOST,
    "silent": Answer(problem=Problem(Kind.SILENT, "no response came in time")),
    "outage": Answer(problem=Problem(Kind.UNAVAILABLE, "an outage")),
    "down": Answer(problem=Problem(Kind.UNAVAILABLE, "an outage, and nothing was done")),
    "moved": Answer(problem=Problem(Kind.WRONG_SERVER, "another server")),
    "busy": Answer(problem=Problem(Kind.BUSY, "busy")),
}
ONCE = {"lost", "late", "silent", "moved", "busy"}
"""Faults of which one call survives one of each, but only one lost connection."""
DONE = {"lost", "outage", "struck"}
"""What was asked for is done all the same. Of the others it is not, or late."""


class Explorer:
    """One exploration of one configuration."""

    def __init__(self, config: Config, *faults: Fault) -> None:
        self.config = config
        self.faults = faults

    def run(self, most: int = 400_000) -> Count:
        """Explores all; raises :class:`Broken` at the first failure."""
        with exploring(self.faults):
            return self._run(most)

    def _run(self, most: int) -> Count:
        self._machines = [
            Machine(f"p{number}", ops, self.config.rules)
            for number, ops in enumerate(self.config.programs)
        ]
        service = Service(self.config.rules)
        if self.config.content:
            service = service.put(KEY, stored(self.config.content))
        first = World(
            service,
            tuple(Program(machine.initial) for machine in self._machines),
            budget=self.config.budget,
        )
        came: dict[World, tuple[World, Move] | None] = {first: None}
        queue = deque([first])
        transitions = ends = 0
        while queue:
            world = queue.popleft()
            leaf = True
            for move in self._moves(world):
                transitions += 1
                leaf = leaf and bool(move.fault)
                try:
                    after = self._apply(world, move)
                    self._check(after)
                except Violation as violation:
                    raise Broken(self.config, self._path(came, world, move), violation) from None
                if after not in came:
                    came[after] = (world, move)
                    queue.append(after)
            ends += leaf
            if len(came) > most:
                raise AssertionError(f"{self.config.name} has more than {most} states")
        return Count(len(came), transitions, ends)

    def _path(self, came: Any, world: World, last: Move) -> list[tuple[Move, str]]:
        moves = [(last, str(self._asks(world, last.who)))]
        while (before := came[world]) is not None:
            world, move = before
            moves.append((move, str(self._asks(world, move.who))))
        return moves[::-1]

    def _asks(self, world: World, who: int) -> Any:
        return None if who < 0 else self._machines[who].asks[world.programs[who].local]

    def _clock(self, world: World, who: int) -> float:
        return world.now - world.programs[who].lag + self.config.offsets[who]

    # What can happen.

    def _moves(self, world: World) -> Iterator[Move]:
        waits = False
        faults = self.config.faults if world.budget else frozenset()
        for who, program in enumerate(world.programs):
            asks = self._asks(world, who)
            if not program.alive or asks is None:
                continue
            if program.answer is not None:
                yield Move(who, "hears")
                kinds = {"lost", "outage", "struck", "crash"}
            elif isinstance(asks, Call):
                kinds = {*PROBLEMS, "interrupt", "struck", "crash"}
                if asks.name != "await_release" or self._ends(world, who):
                    yield Move(who, "asks")
                else:
                    waits = True
            elif isinstance(asks, Sleep):
                kinds = {"interrupt", "crash"}
                if self._clock(world, who) >= program.until:
                    yield Move(who, "wakes")
                waits = True
            else:
                kinds = {"crash"} if isinstance(asks, Inside) else set()
                yield Move(who, type(asks).__name__.lower())
                waits = waits or isinstance(asks, Begin | Inside)
            for fault in sorted(kinds & faults):
                yield Move(who, "fails", fault)
        for number in range(len(world.late)):
            yield Move(-1, f"arrives {number}", "late")
        # The time begins with the first program: that it may begin later shows nothing else.
        waits = waits and world.programs[0].local != self._machines[0].initial
        if waits and world.now < self.config.horizon and (self.config.slow or self._idle(world)):
            yield Move(-1, "passes")
            for who in range(len(world.programs)):
                if "doze" in faults and isinstance(self._asks(world, who), Sleep):
                    yield Move(who, "dozes", "doze")
        for fault in sorted({"ahead", "back"} & faults):
            yield Move(-1, "sets the clock", fault)

    def _idle(self, world: World) -> bool:
        """All wait for the time to pass: no request is under way, and no pause is over."""
        for who, program in enumerate(world.programs):
            asks = self._asks(world, who)
            if not program.alive or isinstance(asks, Begin | Inside | None):
                continue
            if isinstance(asks, Sleep):
                waits = self._clock(world, who) < program.until
            else:
                is_wait = isinstance(asks, Call) and asks.name == "await_release"
                waits = is_wait and not self._ends(world, who)
            if not waits or program.answer is not None:
                return False
        return True

    def _ends(self, world: World, who: int) -> bool:
        """A wait for a release is over."""
        free = world.service.holder(world.now) is None
        return free or self._clock(world, who) >= world.programs[who].until

    # What it does.

    def _apply(self, world: World, move: Move) -> World:
        who = move.who
        if move.what == "passes":
            return world._replace(now=world.now + 1)
        if move.what == "dozes":
            world = world._replace(now=world.now + 1, budget=world.budget - 1)
            return _with(world, who, lag=world.programs[who].lag + 1)
        if move.what == "sets the clock":
            skew = SURE if move.fault == "ahead" else -100.0
            return world._replace(
                service=world.service._replace(skew=world.service.skew + skew),
                budget=world.budget - 1,
            )
        if move.what.startswith("arrives"):
            number = int(move.what.split()[1])
            late = world.late[number]
            world = world._replace(
                late=world.late[:number] + world.late[number + 1 :], delayed=True
            )
            return self._carry_out(world, late)[0]
        program = world.programs[who]
        asks = self._asks(world, who)
        if move.fault:
            return self._fail(world, who, move.fault)
        if move.what == "asks":
            world, answer = self._carry_out(world, self._late(world, who))
            if self.config.slow:
                return _with(world, who, answer=answer)
            return self._tell(world, who, Told(self._clock(world, who), answer))
        if move.what == "hears":
            return self._tell(world, who, Told(self._clock(world, who), program.answer))
        if isinstance(asks, End):
            self._check_end(world, who, asks)
        return self._tell(world, who, Told(self._clock(world, who)))

    def _late(self, world: World, who: int) -> Late:
        program = world.programs[who]
        op, expected = self._machines[who].about[program.local]
        return Late(who, op, expected, program.doing.aside, self._asks(world, who))

    def _fail(self, world: World, who: int, fault: str) -> World:
        program = world.programs[who]
        world = world._replace(budget=world.budget - 1)
        sent = program.answer is None and isinstance(self._asks(world, who), Call)
        # What a program that is killed has sent may arrive later too.
        if sent and (
            fault in ("late", "silent") or (fault == "crash" and "late" in self.config.faults)
        ):
            world = world._replace(late=(*world.late, self._late(world, who)))
        if fault == "crash":
            return _with(world, who, alive=False, answer=None)
        doing = program.doing._replace(faults=tuple(sorted((*program.doing.faults, fault))))
        world = _with(world, who, doing=doing)
        now = self._clock(world, who)
        if sent and fault in DONE:
            world, _ = self._carry_out(world, self._late(world, who))
        if fault in ("interrupt", "struck"):
            return self._tell(world, who, Told(now, interrupted=True))
        return self._tell(world, who, Told(now, PROBLEMS[fault]))

    def _tell(self, world: World, who: int, told: Told) -> World:
        program = world.programs[who]
        before = self._asks(world, who)
        local = self._machines[who].step(program.local, told)
        asks = self._machines[who].asks[local]
        doing = program.doing
        if isinstance(before, Begin | Releasing):
            seen = frozenset({world.service.at(KEY).data})
            doing = Doing(world.now, seen=seen, free=world.service.holder(world.now) is None)
        until = 0.0
        if isinstance(asks, Sleep):
            until = told.now + asks.seconds
            doing = doing._replace(row=0)
            if not asks.seconds > 0:
                raise Violation("spins: a pause takes no time")
        elif isinstance(asks, Call):
            row = doing.row + 1
            if asks.name == "await_release":
                until, row = told.now + asks.args[-1], 0
                if not asks.args[-1] > 0:
                    raise Violation("spins: a wait for a release takes no time")
            op, _ = self._machines[who].about[local]
            if op.name == "take" and row > MOST_IN_A_ROW + 2 * len(doing.faults):
                raise Violation("spins: a waiter asks again and again without a pause")
            doing = doing._replace(row=row)
        return _with(world, who, local=local, answer=None, doing=doing, until=until)

    def _carry_out(self, world: World, late: Late) -> tuple[World, Answer]:
        before = world.service
        after, answer = before.perform(late.call, world.now)
        world = world._replace(service=after)
        was, now = before.at(KEY).data, after.at(KEY).data
        if late.call.name == "put_aside" and not answer.changed:
            self._check_change(was, None, late, after)
        elif was != now:
            self._check_change(was, now, late, after)
        programs = list(world.programs)
        if was != now:
            for who, program in enumerate(programs):
                doing = program.doing
                mine = who == late.who
                programs[who] = program._replace(
                    doing=doing._replace(
                        seen=doing.seen | {now},
                        own=mine,
                        wrote=doing.wrote or (mine and late.call.name != "put_aside"),
                        aside=doing.aside or (mine and late.call.name == "put_aside"),
                    )
                )
        elif late.call.name == "write" and late.call.args[0] != LOCK and was is not None:
            # A copy beside it.
            program = programs[late.who]
            programs[late.who] = program._replace(doing=program.doing._replace(aside=True))
        world = world._replace(programs=tuple(programs))
        if after.holder(world.now) != before.holder(world.now):
            world = world._replace(passed=world.now)
        return world, answer

    # What must hold.

    def _check_change(
        self, was: bytes | None, now: bytes | None, late: Late, after: Service
    ) -> None:
        kind = kind_of(was)
        if kind in ("newer", "foreign"):
            raise Violation(f"left: {kind} content was changed")
        if kind == "corrupt" and was not in [each.data for _, each in after.records]:
            raise Violation("corrupt: content was lost")
        fits = late.expected in (ANY_REVISION, revision(was)) or (was is None and late.aside)
        if not fits:
            raise Violation("lost: what was replaced is not what was expected")

    def _check(self, world: World) -> None:
        inside = [
            who
            for who, program in enumerate(world.programs)
            if program.alive
            and isinstance(asks := self._asks(world, who), Inside)
            and self._clock(world, who) < asks.ends
        ]
        if len(inside) > 1:
            raise Violation("two holders: within their leases")
        if inside:
            asks = self._asks(world, inside[0])
            if world.service.holder(world.now) != asks.owner:
                raise Violation("two holders: the service would let another in")

    def _check_end(self, world: World, who: int, end: End) -> None:
        doing = world.programs[who].doing
        result = end.result
        kinds = {kind_of(data) for data in doing.seen}
        if isinstance(result, Interrupt):
            return
        if isinstance(result, TokenUnavailableError):
            if _survives(doing.faults):
                raise Violation("result: one lost connection is a failure")
            return
        if end.op.name in ("take", "release"):
            self._check_lock(world, who, end)
        elif isinstance(result, TokenConflictError):
            if doing.own and kind_of(world.service.at(KEY).data) == "ours":
                raise Violation("result: what it wrote itself is a conflict")
            if doing.own and doing.aside and world.service.at(KEY).data is None:
                raise Violation("result: what it put aside itself is a conflict")
            if doing.wrote and not doing.faults:
                raise Violation("result: a conflict, though it was done")
            if all(revision(data) == end.expected for data in doing.seen):
                raise Violation("result: a conflict without one")
        elif isinstance(result, TokenIdentityError):
            if "foreign" not in kinds:
                raise Violation("result: nothing foreign was stored")
        elif isinstance(result, TokenCorruptError):
            refused = {"newer"} if end.op.name != "get" else {"corrupt", "newer"}
            if not kinds & refused:
                raise Violation("result: nothing corrupt was stored")
        elif end.op.name == "get":
            revisions = {revision(data) for data in doing.seen if kind_of(data) in _READABLE}
            if (None if result is None else revision_of(result)) not in revisions:
                raise Violation("result: this was not stored")
        elif end.op.name == "put":
            if not doing.wrote:
                raise Violation("result: a save that was not done")
        elif not doing.wrote and None not in doing.seen and not doing.aside:
            raise Violation("result: a removal that was not done")

    def _check_lock(self, world: World, who: int, end: End) -> None:
        doing = world.programs[who].doing
        holder = world.service.holder(world.now)
        mine = holder is not None and holder.startswith(f"p{who}-")
        if end.op.name == "release":
            # A service's own lease may end after the holder's count, which then asks nothing.
            late = self.config.rules.native and self.config.slow
            if mine and not world.delayed and not late and _survives(doing.faults):
                raise Violation("stuck: a lock that was released is held")
            return
        if isinstance(end.result, Held):
            return
        assert isinstance(end.result, TokenLockTimeoutError), end.result
        if mine and not world.delayed:
            raise Violation("stuck: a program waits for itself")
        if doing.free and holder is None and world.passed < doing.began:
            raise Violation("stuck: the lock was free")
        if self.config.slow:
            return
        lasts = LEASE + PAUSE
        waited = world.now - doing.began - world.programs[who].lag
        since = world.now - max(world.passed, doing.began)
        if waited >= lasts and since >= lasts:
            raise Violation("stuck: nobody has had the lock for a lease")
        clear = self.config.rules.clock and world.service.skew == 0
        told = self.config.rules.native or clear
        if told and world.now - world.passed >= LEASE + TICK + SURE + 1:
            raise Violation("stuck: the lease ended long ago, by the service's clock")


_READABLE = {"nothing", "ours", "foreign"}


def _survives(faults: tuple[str, ...]) -> bool:
    return (
        set(faults) <= ONCE
        and len(set(faults)) == len(faults)
        and not {"lost", "late"} <= set(faults)
    )


def _with(world: World, who: int, **changes: Any) -> World:
    programs = list(world.programs)
    programs[who] = programs[who]._replace(**changes)
    return world._replace(programs=tuple(programs))
