"""Breadth first through all interleavings of a configuration; the first failure is a shortest."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, NamedTuple

from . import invariants
from .model import LONG, Config, Model, Move
from .process import Begin
from .shipped import Edit
from .world import Proc, Violation, World, pass_time


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


class Broken(AssertionError):
    """An invariant does not hold; the message is a shortest schedule that shows it."""

    def __init__(self, config: Config, moves: list[Move], violation: BaseException) -> None:
        self.moves = moves
        self.invariant = str(violation).partition(":")[0]
        lines = "\n".join(f"  {n:3} {move}" for n, move in enumerate(moves, 1))
        super().__init__(f"{violation}\nin {config.name}, after\n{lines}")


class Explorer:
    """One exploration of one configuration."""

    def __init__(self, config: Config, edits: tuple[Edit, ...] = ()) -> None:
        self.config = config
        self.model = Model(config, edits)
        self._came: dict[World, tuple[World, Move, tuple[int, ...]] | None] = {}
        self._recovered: dict[Any, str | None] = {}
        self.transitions = self.leaves = 0

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
                leaf = leaf and _is_fault_only(self.model, world, move)
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
            max(machine.longest_path() for machine in self.model.machines),
            time.perf_counter() - started,
        )

    def _recover(self, leaf: World) -> None:
        """I6: once leases have ended, each process and a fresh one has a token with one call."""
        world = pass_time(leaf._replace(down=False, budget=0), LONG)
        fresh = self.model.machines[self.model.fresh].initial
        bare = tuple(Proc(p.kind, p.local, p.alive, refused=p.refused) for p in world.procs)
        world = world._replace(procs=(*bare, Proc(self.model.fresh, fresh)))
        for index, proc in enumerate(world.procs):
            if proc.alive:
                self._recover_one(leaf, world, index)

    def _recover_one(self, leaf: World, world: World, index: int) -> None:
        mine = world.procs[index]
        key = (world._replace(procs=()), mine)
        if key not in self._recovered:
            alone = tuple(
                proc if n == index else Proc(0, -1, alive=False)
                for n, proc in enumerate(world.procs)
            )
            self._recovered[key] = self._call_once(world._replace(procs=alone), index)
        problem = self._recovered[key]
        if problem is not None:
            raise self._broken(leaf, [], Violation(problem))

    def _call_once(self, world: World, index: int) -> str | None:
        families = {name.split(".")[0] for name, _ in world.access}
        for _ in range(200):
            moves = list(self.model.moves(world, recovery=index))
            try:
                world = self.model.apply(world, moves[0])
            except Violation as violation:
                return f"{violation} (in recovery)"
            tasks = self.model.view(world.procs[index]).tasks
            if all(isinstance(asks, Begin) for _, asks, *_ in tasks):
                break
        else:
            return "I6: the next call does not end"
        for facts in self.model.view(world.procs[index]).sessions:
            try:
                invariants.at_recovered(world, facts)
            except Violation as violation:
                return str(violation)
        result = self.model.last_result
        if not isinstance(result, tuple):
            return f"I6: the next call of P{index} ends with {result!r}"
        signed_in = len({name.split(".")[0] for name, _ in world.access} - families)
        return None if signed_in <= 1 else f"I6: the next call signed in {signed_in} times"

    def _broken(self, world: World, rest: list[Move], violation: BaseException) -> Broken:
        return Broken(self.config, self._path(world, rest), violation)

    def _path(self, world: World, rest: list[Move]) -> list[Move]:
        """The moves from the start to ``world``, in terms of the processes as first numbered."""
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


def _is_fault_only(model: Model, world: World, move: Move) -> bool:
    from .model import _is_fault

    return _is_fault(move)


def _canonical(world: World) -> tuple[World, tuple[int, ...]]:
    """Equal for worlds that differ only by the order of like processes; and the order taken."""
    procs = world.procs
    if len(procs) < 2:
        return world, tuple(range(len(procs)))
    keys = [(proc.kind, proc.local) for proc in procs]
    ranks: list[Any] = (
        keys
        if len(set(keys)) == len(keys)
        else [(*k, repr(p)) for k, p in zip(keys, procs, strict=True)]
    )
    order = tuple(sorted(range(len(procs)), key=ranks.__getitem__))
    if order == tuple(range(len(procs))):
        return world, order
    place = {old: new for new, old in enumerate(order)}
    slots = tuple(
        slot if slot.holder is None or slot.holder < 0 else slot._replace(holder=place[slot.holder])
        for slot in world.slots
    )
    return world._replace(procs=tuple(procs[n] for n in order), slots=slots), order
