"""Breadth first through all interleavings of a configuration; the first failure is a shortest."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from . import invariants
from .machine import Endless
from .model import LONG, Config, Model, Move, is_fault
from .process import Begin
from .shipped import Fault, exploring
from .world import MINUTE, Proc, Violation, World, pass_time

MOST_MOVES = 2000  # of one random schedule


class Count(NamedTuple):
    """What an exploration came to."""

    name: str
    states: int
    transitions: int
    leaves: int
    local_states: int
    longest: int
    """Most inputs that one process had before its operations ended."""
    seconds: float
    most: invariants.Most


class Broken(AssertionError):
    """An invariant does not hold; the message is a shortest schedule that shows it."""

    def __init__(self, config: Config, moves: list[Move], violation: BaseException) -> None:
        self.moves = moves
        self.invariant = str(violation).partition(":")[0]
        lines = "\n".join(f"  {n:3} {move}" for n, move in enumerate(moves, 1))
        super().__init__(f"{violation}\nin {config.name}, after\n{lines}")


P = ParamSpec("P")
R = TypeVar("R")


def _explores(
    method: Callable[Concatenate[Explorer, P], R],
) -> Callable[Concatenate[Explorer, P], R]:
    """This method of the explorer's lets the shipped code run, with the planted faults."""

    @wraps(method)
    def explore(self: Explorer, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with exploring(self.faults):
            return method(self, *args, **kwargs)

    return explore


class Explorer:
    """One exploration of one configuration."""

    def __init__(self, config: Config, faults: tuple[Fault, ...] = ()) -> None:
        self.config = config
        self.faults = faults
        with exploring(faults):
            self.model = Model(config)
        self._came: dict[World, tuple[World, Move, tuple[int, ...]] | None] = {}
        self._recovered: dict[Any, str | None] = {}
        self.transitions = self.leaves = 0

    @_explores
    def run(self, most: int = 5_000_000) -> Count:
        """Explores all; raises :class:`Broken` at the first failure."""
        started = time.perf_counter()
        first, _ = _canonical(self.model.initial())
        self._came[first] = None
        queue = deque([first])
        while queue:
            world = queue.popleft()
            leaf = True
            for move in self.model.moves(world):
                leaf = leaf and is_fault(move)
                self.transitions += 1
                try:
                    after, order = _canonical(self.model.apply(world, move))
                except Violation as violation:
                    raise self._broken(world, [move], violation) from None
                if after not in self._came:
                    self._came[after] = (world, move, order)
                    queue.append(after)
            if leaf:
                self.leaves += 1
                self._recover(world)
            if len(self._came) > most:
                raise AssertionError(f"{self.config.name} has more than {most} states")
        return Count(
            self.config.name,
            len(self._came),
            self.transitions,
            self.leaves,
            sum(machine.states for machine in self.model.machines),
            self._longest_path(),
            time.perf_counter() - started,
            self.model.most,
        )

    def _longest_path(self) -> int:
        longest = 0
        for kind, machine in enumerate(self.model.machines):
            try:
                longest = max(longest, machine.longest_path())
            except Endless as endless:
                raise self._broken(self._first_with(kind, endless.local), [], endless) from None
        return longest

    def _first_with(self, kind: int, local: int) -> World:
        for world in self._came:
            if any((proc.kind, proc.local) == (kind, local) for proc in world.procs):
                return world
        return self.model.initial()  # met in a recovery only

    @_explores
    def replay(self, moves: list[Move]) -> World:
        """Goes through a schedule; raises :class:`Broken` where an invariant does not hold."""
        world = self.model.initial()
        for number, move in enumerate(moves, 1):
            world = self._go(world, move, moves[:number])
        return world

    @_explores
    def walk(self, choices: list[int]) -> None:
        """Takes one schedule, by number among the possible moves, to a leaf; checks it all."""
        world = self.model.initial()
        taken: list[Move] = []
        numbers = iter(choices)
        while True:
            moves = list(self.model.moves(world))
            number = next(numbers, None)
            if number is None:
                moves = [move for move in moves if not is_fault(move)]
            if not moves:
                break
            taken.append(moves[(number or 0) % len(moves)])
            world = self._go(world, taken[-1], taken)
            if len(taken) > MOST_MOVES:
                raise Broken(self.config, taken, Violation("I5: the calls do not end"))
        try:
            self._recover(world)
        except Broken as broken:
            raise Broken(self.config, taken, Violation(str(broken).splitlines()[0])) from None

    def _go(self, world: World, move: Move, so_far: list[Move]) -> World:
        try:
            return self.model.apply(world, move)
        except Violation as violation:
            raise Broken(self.config, so_far, violation) from None

    def _recover(self, leaf: World) -> None:
        """I6: once leases have ended, each process and a fresh one has a token with one call.

        Where a 401 is believed just then, that must be worth its while (I5), and the call after it.
        """
        world = pass_time(leaf._replace(down=False, budget=0), LONG)
        beliefs = {
            (index, op)
            for index, proc in enumerate(leaf.procs)
            for op in self.config.endpoints()
            if invariants.believes(proc, op, world.now)
        }
        self._recover_all(leaf, world)
        if beliefs:
            self._recover_all(leaf, pass_time(world, MINUTE), beliefs)

    def _recover_all(self, leaf: World, world: World, only: Any = None) -> None:
        fresh = self.model.machines[self.model.fresh].initial
        bare = tuple(
            Proc(p.kind, p.local, p.alive, refused=p.refused, failed=p.failed, told=p.told)
            for p in world.procs
        )
        world = world._replace(procs=(*bare, Proc(self.model.fresh, fresh)))
        for index, proc in enumerate(world.procs):
            if proc.alive:
                for op in self.config.endpoints():
                    if only is None or (index, op) in only:
                        self._recover_one(leaf, world, index, op)

    def _recover_one(self, leaf: World, world: World, index: int, op: str) -> None:
        mine = world.procs[index]
        key = (world._replace(procs=()), mine, op)
        if key not in self._recovered:
            alone = tuple(
                proc if n == index else Proc(0, -1, alive=False)
                for n, proc in enumerate(world.procs)
            )
            self._recovered[key] = self._call_once(world._replace(procs=alone), index, op)
        problem = self._recovered[key]
        if problem is not None:
            raise self._broken(leaf, [], Violation(problem))

    def _call_once(self, world: World, index: int, op: str) -> str | None:
        before = world
        for _ in range(200):
            moves = list(self.model.moves(world, recovery=index, op=op))
            try:
                world = self.model.apply(world, moves[0])
            except Violation as violation:
                return f"{violation} (in recovery)"
            tasks = self.model.view(world.procs[index]).tasks
            if all(isinstance(doing.asks, Begin) for doing in tasks):
                break
        else:
            return "I6: the next call does not end"
        facts = self.model.view(world.procs[index]).sessions[0]
        try:
            invariants.at_recovered(world, facts, self.config.repeats)
            invariants.at_next_end(
                before,
                world,
                before.procs[index],
                facts,
                op,
                self.model.last_result,
                self.model.last_tab,
                self.config.repeats,
            )
        except Violation as violation:
            return f"{violation} (P{index})"
        return None

    def _broken(self, world: World, rest: list[Move], violation: BaseException) -> Broken:
        return Broken(self.config, self._path(world, rest), violation)

    def _path(self, world: World, rest: list[Move]) -> list[Move]:
        """The moves from the start to ``world``, in terms of the processes as first numbered."""
        if world not in self._came:
            return rest  # a single schedule, that its walker knows
        steps: list[tuple[Move, tuple[int, ...]]] = []
        came = self._came[world]
        while came is not None:
            before, move, order = came
            steps.append((move, order))
            came = self._came[before]
        _, names = _canonical(self.model.initial())
        moves = []
        for move, order in reversed(steps):
            moves.append(move._replace(proc=names[move.proc]) if move.proc >= 0 else move)
            names = tuple(names[n] for n in order)
        return moves + [
            move._replace(proc=names[move.proc]) if move.proc >= 0 else move for move in rest
        ]


def _canonical(world: World) -> tuple[World, tuple[int, ...]]:
    """Equal for worlds that differ only by the order of like processes; and the order taken."""
    procs = world.procs
    if len(procs) < 2:
        return world, tuple(range(len(procs)))
    ranks: list[Any] = [(proc.kind, proc.local) for proc in procs]
    if len(set(ranks)) < len(ranks):
        ranks = [(*rank, repr(proc)) for rank, proc in zip(ranks, procs, strict=True)]
    order = tuple(sorted(range(len(procs)), key=ranks.__getitem__))
    if order == tuple(range(len(procs))):
        return world, order
    place = {old: new for new, old in enumerate(order)}
    slots = tuple(
        slot if slot.holder is None or slot.holder < 0 else slot._replace(holder=place[slot.holder])
        for slot in world.slots
    )
    return world._replace(procs=tuple(procs[n] for n in order), slots=slots), order
