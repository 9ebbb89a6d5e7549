"""What may happen next, and what comes of it: the moves of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from flex_tokenstore import ANY_REVISION

from . import invariants
from .machine import Machine
from .process import Asked, Begin, Input, Send, Spec
from .shipped import Edit, Shipped
from .values import (
    CORRUPT_REVISION,
    LIFETIME,
    Answer,
    Corrupt,
    Ends,
    Error,
    Granted,
    Rec,
    revision_of,
)
from .world import (
    FAILED,
    Flying,
    Proc,
    ServerKind,
    Slot,
    World,
    grant,
    pass_time,
    revoke,
)

SHORT = 16.0  # leaves less of a lease of 25 s than a request may take
LONG = 26.0  # ends it
ALL_FAULTS = frozenset(
    ["crash", "jump", "late", "loss", "refuse", "error", "done", "down", "cancel", "corrupt"]
)


class Config(NamedTuple):
    """One configuration to explore."""

    name: str
    specs: tuple[Spec, ...]
    server: ServerKind = "rotating"
    lease: bool = True
    """The lock's kind: with a lease (as Redis), or held until its holder dies (as a file)."""
    stored: str = "expired"
    """What is stored at first: nothing, expired, aging (within the margin), dead, corrupt."""
    faults: frozenset[str] = frozenset()
    budget: int = 0

    @property
    def compare_and_set(self) -> bool:
        return self.specs[0].compare_and_set


class Move(NamedTuple):
    """Something that happens. ``proc`` -1: to the world."""

    proc: int
    task: str
    what: str

    def __str__(self) -> str:
        where = "" if self.proc < 0 else f"P{self.proc} {self.task} "
        return f"{where}{self.what}"


class Model:
    """A configuration with the machines of its processes."""

    def __init__(self, config: Config, edits: tuple[Edit, ...] = ()) -> None:
        self.config = config
        shipped = Shipped(edits)
        kinds = list(dict.fromkeys((*config.specs, config.specs[0]._replace(callers=((0, ()),)))))
        self.fresh = len(kinds) - 1
        self.machines = [Machine(shipped, spec) for spec in kinds]
        self._kinds = [kinds.index(spec) for spec in config.specs]

    def initial(self) -> World:
        owners = dict.fromkeys(owner for spec in self.config.specs for owner in spec.owners)
        world = World(
            now=LIFETIME * 2,
            slots=(),
            live=frozenset(),
            access=frozenset(),
            rejected=frozenset(),
            revoked=frozenset(),
            issued=0,
            down=False,
            budget=self.config.budget,
            procs=tuple(Proc(kind, self.machines[kind].initial) for kind in self._kinds),
        )
        for number, owner in enumerate(owners, 1):
            world = self._with_stored(world, owner, number)
        return world

    def _with_stored(self, world: World, owner: str, number: int) -> World:
        kind = self.config.stored
        age = 95.0 if kind == "aging" else LIFETIME + 1
        access, refresh = f"{owner}:a#{number}.{number}", f"{owner}:r#{number}.{number}"
        rec: Rec | Corrupt | None = Rec(owner, access, refresh, world.now - age)
        if kind == "nothing":
            rec = None
        elif kind == "corrupt":
            rec = Corrupt()
        elif kind == "corrupt, not ours":
            rec = Corrupt(movable=False)
        elif kind != "dead":
            world = world._replace(
                live=world.live | {refresh},
                access=world.access | {(access, world.now - age + LIFETIME)},
            )
        slots = (*world.slots, Slot(owner, rec))
        return world._replace(slots=slots, issued=len(slots))

    # What may happen

    def moves(self, world: World, *, recovery: int | None = None) -> Iterator[Move]:
        """``recovery``: only this process goes on, without faults, and makes one more call."""
        faults = self.config.faults if world.budget and recovery is None else frozenset()
        for index, proc in enumerate(world.procs):
            if recovery is not None and index != recovery:
                continue
            if proc.alive:
                yield from self._moves_of(world, index, proc, faults, recovery is not None)
            elif proc.request is not None:
                yield Move(index, "", "act")
                yield Move(index, "", "drop")
        if recovery is None and world.down:
            yield Move(-1, "", "up")
        if any(
            slot.end is not None
            and slot.holder is not None
            and (slot.holder < 0 or not world.procs[slot.holder].alive)
            for slot in world.slots
        ):
            yield Move(-1, "", "the lease of the dead ends")
        yield from self._world_faults(world, faults)

    def _world_faults(self, world: World, faults: frozenset[str]) -> Iterator[Move]:
        if not faults or not self._busy(world):
            return
        if "jump" in faults:
            yield Move(-1, "", f"{SHORT} s pass")
            yield Move(-1, "", f"{LONG} s pass")
        if "down" in faults and not world.down:
            yield Move(-1, "", "down")
        if "corrupt" in faults and not isinstance(world.slots[0].stored, Corrupt):
            yield Move(-1, "", "corrupt")

    def _busy(self, world: World) -> bool:
        return any(
            proc.alive and any(name.startswith("f") for name, *_ in self.view(proc).tasks)
            for proc in world.procs
        )

    def view(self, proc: Proc) -> Any:
        return self.machines[proc.kind].view(proc.local)

    def _moves_of(
        self, world: World, index: int, proc: Proc, faults: frozenset[str], recovery: bool
    ) -> Iterator[Move]:
        for task, asks, session, _ in self.view(proc).tasks:
            if proc.late is not None and proc.late[0] == task:
                yield Move(index, task, "receive late")
            elif isinstance(asks, Begin):
                if asks.op == "expire" and self._busy(world):
                    continue  # time passes between calls; in one it is a fault
                if not asks.extra or recovery:
                    yield Move(index, task, f"begin {asks.op}")
            elif isinstance(asks, Asked):
                if asks.landed:
                    yield Move(index, task, "wake")
                if "cancel" in faults:
                    yield Move(index, task, "cancel")
            elif isinstance(asks, Send):
                yield Move(index, task, "send")
            else:
                owner = self.view(proc).sessions[session].owner
                yield from self._steps(world, index, task, asks, owner, faults)
        if "crash" in faults and any(not isinstance(t[1], Begin) for t in self.view(proc).tasks):
            yield Move(index, "", "crash")

    def _steps(
        self, world: World, index: int, task: str, asks: Any, owner: str, faults: frozenset[str]
    ) -> Iterator[Move]:
        step = asks[0]
        if step == "request":
            yield from self._request_moves(world.procs[index], index, task, faults)
            return
        if step == "lock":
            slot = world.slot(owner)
            if slot.holder is not None and not world.down:
                yield Move(index, task, "lock: busy")
                return
        yield Move(index, task, step)
        if step == "pause":
            return
        if step == "revoke":
            if "loss" in faults:
                yield Move(index, task, "revoke: lost before")
                yield Move(index, task, "revoke: lost after")
            return
        if "late" in faults and step != "unlock":
            yield Move(index, task, f"{step}: late by {SHORT}")
            yield Move(index, task, f"{step}: late by {LONG}")
        if "error" in faults and (self.config.lease or step not in ("lock", "unlock")):
            yield Move(index, task, f"{step}: error")
        told_wrong = step in ("save", "remove") or (step == "lock" and self.config.lease)
        if "done" in faults and told_wrong and not world.down:
            yield Move(index, task, f"{step}: done, but error")

    def _request_moves(
        self, proc: Proc, index: int, task: str, faults: frozenset[str]
    ) -> Iterator[Move]:
        flying = proc.request
        if flying is None or flying.task != task:
            yield Move(index, task, "request")
        elif flying.stage == "sent":
            yield Move(index, task, "act")
            if "loss" in faults:
                yield Move(index, task, "act: lost before")
            if "refuse" in faults:
                yield Move(index, task, "act: invalid_client")
        else:
            yield Move(index, task, "receive")
            if "loss" in faults and not isinstance(flying.answer, Error):
                yield Move(index, task, "receive: lost after")

    # What comes of it

    def apply(self, world: World, move: Move) -> World:
        """The world after ``move``; raises :class:`Violation`."""
        if _is_fault(move):
            world = world._replace(budget=world.budget - 1)
        if move.proc < 0:
            return self._apply_to_world(world, move.what)
        index, task = move.proc, move.task
        proc = world.procs[index]
        if move.what == "crash":
            return self._crash(world, index)
        if not proc.alive:
            if move.what == "act":
                assert proc.request is not None
                world, _ = self._act(world, index, proc.request)
            return world.with_proc(index, request=None)
        asks, session, flow = next(
            (asks, session, flow)
            for name, asks, session, flow in self.view(proc).tasks
            if name == task
        )
        what = move.what.split(":")[0].split(" ")[0]
        handler = getattr(self, f"_do_{what}")
        result: World = handler(world, index, task, asks, session, flow, move.what)
        return result

    def _apply_to_world(self, world: World, what: str) -> World:
        if what == "up" or what == "down":
            return world._replace(down=what == "down")
        if what == "corrupt":
            return world.with_slot(world.slots[0].owner, stored=Corrupt())
        if what == "the lease of the dead ends":
            end = max(slot.end for slot in world.slots if slot.end is not None)
            return pass_time(world, end - world.now)
        return pass_time(world, float(what.split()[0]))

    def _crash(self, world: World, index: int) -> World:
        for slot in world.slots:
            if slot.holder == index and slot.end is None:
                world = world.with_slot(slot.owner, holder=None)
        proc = world.procs[index]
        request = proc.request if proc.request and proc.request.stage == "sent" else None
        if request is not None:
            request = request._replace(task="")
        dead = Proc(proc.kind, -1, alive=False, request=request)
        return world.with_proc(index, **dead._asdict())

    def feed(self, world: World, index: int, task: str, answer: Answer) -> World:
        """The process goes on with ``answer``, at the world's time."""
        return self._feed(world, index, Input(task, answer, world.now))

    def _feed(self, world: World, index: int, given: Input) -> World:
        proc = world.procs[index]
        local, events = self.machines[proc.kind].step(proc.local, given)
        proc = proc._replace(local=local)
        facts = self.view(proc).sessions
        for event in events:
            invariants.at_end(world, proc, facts[event.session], event)
            if event.kind == "flight":
                world = world.with_proc(index, granted=None, conflict=False)
            if event.kind == "call":
                self.last_result = event.result
        return world.with_proc(index, local=local)

    def _do_begin(self, world: World, index: int, task: str, *_: Any) -> World:
        asks = _[0]
        if asks.op == "expire":
            world = pass_time(world, LIFETIME)
        return self.feed(world, index, task, None)

    def _do_wake(self, world: World, index: int, task: str, *_: Any) -> World:
        return self.feed(world, index, task, None)

    def _do_cancel(self, world: World, index: int, task: str, *_: Any) -> World:
        return self._feed(world, index, Input(task, None, world.now, cancel=True))

    def _do_send(
        self, world: World, index: int, task: str, asks: Send, session: int, *_: Any
    ) -> World:
        proc = world.procs[index]
        invariants.at_send(proc, session, self.view(proc).sessions[session], asks)
        taken = world.takes(asks.rec.access)
        if not taken:
            refused = proc.refused | {(session, asks.rec.access)}
            world = world.with_proc(index, refused=refused)
            if asks.origin == "refreshed" and asks.rec.refresh is not None:
                world = world._replace(rejected=world.rejected | {asks.rec.refresh})
        return self.feed(world, index, task, taken)

    def _do_receive(
        self, world: World, index: int, task: str, asks: Any, session: int, flow: str, what: str
    ) -> World:
        proc = world.procs[index]
        if what == "receive late":
            assert proc.late is not None
            answer = proc.late[1]
            world = world.with_proc(index, late=None)
            return self._got(world, index, task, asks, answer)
        assert proc.request is not None
        answer = Error("transient") if what.endswith("lost after") else proc.request.answer
        world = world.with_proc(index, request=None)
        if isinstance(answer, Granted):
            world = world.with_proc(index, granted=answer.refresh, conflict=False)
        return self.feed(world, index, task, answer)

    def _do_request(
        self, world: World, index: int, task: str, asks: Any, session: int, *_: Any
    ) -> World:
        proc = world.procs[index]
        facts = self.view(proc).sessions[session]
        limit = self.machines[proc.kind].spec.request_timeout
        invariants.at_request(world, index, facts, asks[1], limit)
        flying = Flying(task, session, asks[1], "sent", None)
        return world.with_proc(index, request=flying)

    def _do_act(
        self, world: World, index: int, task: str, asks: Any, session: int, flow: str, what: str
    ) -> World:
        flying = world.procs[index].request
        assert flying is not None
        if what == "act":
            world, answer = self._act(world, index, flying)
        else:
            answer = Error("transient" if what.endswith("lost before") else "failed")
        return world.with_proc(index, request=flying._replace(stage="answered", answer=answer))

    def _act(self, world: World, index: int, flying: Flying) -> tuple[World, Any]:
        spec = self.machines[world.procs[index].kind].spec
        return grant(world, self.config.server, spec.owners[flying.session], flying.refresh)

    def _do_revoke(
        self, world: World, index: int, task: str, asks: Any, session: int, flow: str, what: str
    ) -> World:
        answer: Error | None = Error("transient")
        if what != "revoke: lost before":
            world, done = revoke(world, asks[1])
            answer = answer if what == "revoke: lost after" else done
        return self.feed(world, index, task, answer)

    def _do_pause(self, world: World, index: int, task: str, asks: Any, *_: Any) -> World:
        return self.feed(pass_time(world, asks[1]), index, task, None)

    def _do_load(self, world: World, *rest: Any) -> World:
        return self._store_step(world, *rest)

    _do_save = _do_remove = _do_lock = _do_unlock = _do_load

    def _store_step(
        self, world: World, index: int, task: str, asks: Any, session: int, flow: str, what: str
    ) -> World:
        step, _, fault = what.partition(": ")
        owner = self.view(world.procs[index]).sessions[session].owner
        if fault == "busy":
            world = pass_time(world, asks[1])
            return self.feed(world, index, task, Error("busy"))
        if fault == "error" or world.down:
            answer: Answer = Error("unavailable")
            if step == "unlock":
                # A driver only logs it; the lock stays until its lease ends.
                answer = None
                if self.config.lease and world.slot(owner).holder == index:
                    world = world.with_slot(owner, holder=-1)
                elif world.slot(owner).holder == index:
                    world = world.with_slot(owner, holder=None)
                world = world.with_proc(index, hold="no")
            return self._got(world, index, task, asks, answer)
        world, answer = getattr(self, f"_{step}")(world, index, asks, session, flow)
        if fault.startswith("done"):
            if step == "lock":
                world = world.with_slot(owner, holder=-1)
                world = world.with_proc(index, hold="no")
            answer = Error("unavailable")
        if fault.startswith("late"):
            world = pass_time(world, float(fault.split()[-1]))
            return world.with_proc(index, late=(task, answer))
        return self._got(world, index, task, asks, answer)

    def _got(self, world: World, index: int, task: str, asks: Any, answer: Answer) -> World:
        """The answer of the store reaches the process."""
        if asks[0] == "load":
            read: Any = FAILED if isinstance(answer, Error) else answer
            if isinstance(answer, Error) and answer.kind.startswith("corrupt"):
                read = Corrupt(answer.kind == "corrupt")
            world = world.with_proc(index, read=read)
        elif asks[0] == "save":
            failed = isinstance(answer, Error) and answer.kind != "conflict"
            conflict = isinstance(answer, Error) and not failed
            world = world.with_proc(
                index,
                conflict=conflict or world.procs[index].conflict,
                granted=world.procs[index].granted if isinstance(answer, Error) else None,
                save_failed=asks[1] if failed else None,
                read=world.procs[index].read if isinstance(answer, Error) else asks[1],
            )
        elif asks[0] == "remove" and not isinstance(answer, Error):
            world = world.with_proc(index, read=None)
        return self.feed(world, index, task, answer)

    def _load(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        stored = world.slot(self._owner(world, index, session)).stored
        if isinstance(stored, Corrupt):
            return world, Error("corrupt" if stored.movable else "corrupt, not ours")
        return world, stored

    def _save(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        owner = self._owner(world, index, session)
        slot = world.slot(owner)
        if self.config.compare_and_set and not _matches(slot.stored, asks[2]):
            return world, Error("conflict")
        facts = self.view(world.procs[index]).sessions[session]
        cas = self.config.compare_and_set
        invariants.at_save(world, index, facts, asks[1], slot, cas)
        rogue = not cas and world.procs[index].hold != "yes"
        return world.with_slot(owner, stored=asks[1], rogue=rogue), None

    def _remove(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        owner = self._owner(world, index, session)
        before = world.slot(owner).stored
        if self.config.compare_and_set and before is not None and not _matches(before, asks[1]):
            return world, Error("conflict")
        invariants.at_remove(flow, before)
        return world.with_slot(owner, stored=None), None

    def _lock(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        owner = self._owner(world, index, session)
        end = world.now + asks[2] if self.config.lease else None
        world = world.with_slot(owner, holder=index, end=end).with_proc(index, hold="yes")
        return world, Ends(end)

    def _unlock(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        owner = self._owner(world, index, session)
        if world.slot(owner).holder == index:
            world = world.with_slot(owner, holder=None, end=None)
        return world.with_proc(index, hold="no"), None

    def _owner(self, world: World, index: int, session: int) -> str:
        owner: str = self.view(world.procs[index]).sessions[session].owner
        return owner


def _matches(before: Rec | Corrupt | None, expected: str | None) -> bool:
    if expected == ANY_REVISION:
        return True
    if isinstance(before, Corrupt):
        return before.movable and expected == CORRUPT_REVISION
    return revision_of(before) == expected


def _is_fault(move: Move) -> bool:
    what = move.what
    if move.proc < 0:
        return what in ("down", "corrupt") or what.endswith("s pass")
    return what in ("crash", "cancel") or (": " in what and what != "lock: busy")
