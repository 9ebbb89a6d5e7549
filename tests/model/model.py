"""What may happen next, and what comes of it: the moves of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

from flex_tokenstore import ANY_REVISION

from . import invariants
from .machine import Machine
from .process import CALLS, Asked, Begin, Event, Input, Refused, Send, Spec
from .shipped import ends_in_time
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
    Lost,
    Proc,
    ServerKind,
    Slot,
    Tab,
    Told,
    World,
    grant,
    pass_time,
    revoke,
)

SHORT = 16.0  # leaves less of a lease of 25 s than a request may take
LONG = 26.0  # ends it
TICK = 1 / 64  # no two sign-ins are sent at the same time
STEPS = ("load", "save", "prepare", "remove", "lock", "unlock", "request", "revoke", "pause")
ALL_FAULTS = frozenset(
    [
        *("crash", "end", "cancel", "jump"),  # of a program
        *("late", "error", "done", "down", "corrupt", "deny"),  # of the store
        *("loss", "time-out", "refuse", "doubt"),  # of a token request
    ]
)
Api = Literal["takes", "refuses one", "refuses all"]
"""Whether the API takes a good token: everywhere, at all endpoints but ``other``, or nowhere."""


class Config(NamedTuple):
    """One configuration to explore."""

    name: str
    specs: tuple[Spec, ...]
    server: ServerKind = "rotating"
    lease: bool = True
    """The lock's kind: with a lease (as Redis), or held until its holder dies (as a file)."""
    stored: str = "expired"
    """What is stored at first: nothing, expired, aging (within the margin), refused (by the API),
    dead (refresh token and all), corrupt, hunted (refused, and five sign-ins did not help)."""
    api: Api = "takes"
    denied: bool = False
    """Each save is refused for good, from the start."""
    faults: frozenset[str] = frozenset()
    budget: int = 0

    @property
    def compare_and_set(self) -> bool:
        return self.specs[0].compare_and_set

    @property
    def repeats(self) -> bool:
        """A token that the API refused may be all that can be had."""
        return self.api != "takes" or self.server in ("same-access", "same-both")

    def endpoints(self) -> tuple[str, ...]:
        return CALLS[:1] if self.api == "takes" else CALLS


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

    def __init__(self, config: Config) -> None:
        self.config = config
        self._ends_in_time = cache(ends_in_time)
        kinds = list(dict.fromkeys((*config.specs, config.specs[0]._replace(callers=((0, ()),)))))
        self.fresh = len(kinds) - 1
        self.machines = [Machine(spec) for spec in kinds]
        self._kinds = [kinds.index(spec) for spec in config.specs]
        self.most = invariants.Most()
        self.last_result: Any = None
        self.last_tab = Tab("")

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
            denied=self.config.denied,
        )
        for number, owner in enumerate(owners, 1):
            world = self._with_stored(world, owner, number)
        return world

    def _with_stored(self, world: World, owner: str, number: int) -> World:
        kind = self.config.stored
        age = {"aging": 95.0, "refused": 0.0, "hunted": 0.0}.get(kind, LIFETIME + 1)
        access, refresh = f"{owner}:a#{number}.{number}", f"{owner}:r#{number}.{number}"
        good = Rec(owner, access, refresh, world.now - age)
        rec: Rec | Corrupt | None = good
        if kind == "nothing":
            rec = None
        elif kind == "corrupt":
            rec = Corrupt()
        elif kind == "corrupt, not ours":
            rec = Corrupt(movable=False)
        elif kind != "dead":
            world = world._replace(live=world.live | {refresh})
            if kind == "hunted":
                times = tuple(world.now - seconds for seconds in (5.0, 4.0, 3.0, 2.0, 1.0))
                rec = good._replace(sign_ins=times)
                world = world._replace(sign_ins=tuple((owner, at) for at in times))
            elif kind != "refused":
                expires = world.now - age + LIFETIME
                world = world._replace(access=world.access | {(access, expires)})
        slots = (*world.slots, Slot(owner, rec))
        if isinstance(rec, Rec) and self.config.server.startswith("same"):
            world = world._replace(last=(*world.last, (owner, access, refresh)))
        return world._replace(slots=slots, issued=len(slots))

    # What may happen

    def moves(
        self, world: World, *, recovery: int | None = None, op: str = "call"
    ) -> Iterator[Move]:
        """``recovery``: only this process goes on, without faults, and makes one more call."""
        faults = self.config.faults if world.budget and recovery is None else frozenset()
        for index, proc in enumerate(world.procs):
            if recovery is not None and index != recovery:
                continue
            if proc.alive:
                extra = None if recovery is None else op
                yield from self._moves_of(world, index, proc, faults, extra)
        if recovery is None:
            for number in range(len(world.lost)):
                yield Move(-1, str(number), "a lost request arrives")
                yield Move(-1, str(number), "a lost request vanishes")
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
        if "deny" in faults and not world.denied and self.config.specs[0].prepares:
            yield Move(-1, "", "denied")

    def _busy(self, world: World) -> bool:
        return any(
            proc.alive and any(name.startswith("f") for name, *_ in self.view(proc).tasks)
            for proc in world.procs
        )

    def view(self, proc: Proc) -> Any:
        return self.machines[proc.kind].view(proc.local)

    def _moves_of(
        self, world: World, index: int, proc: Proc, faults: frozenset[str], extra: str | None
    ) -> Iterator[Move]:
        for task, asks, session, *_ in self.view(proc).tasks:
            if proc.late is not None and proc.late[0] == task:
                yield Move(index, task, "receive late")
            elif isinstance(asks, Begin):
                if asks.op == "expire" and self._busy(world):
                    continue  # time passes between calls; in one it is a fault
                if not asks.extra:
                    yield Move(index, task, f"begin {asks.op}")
                elif extra is not None and task == "caller0":
                    yield Move(index, task, f"begin {extra}")
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
        ending = self.view(proc)
        if ending.patience is not None and world.now >= ending.patience and not ending.late:
            yield Move(index, "", "ends at last")
        if any(not isinstance(doing.asks, Begin) for doing in self.view(proc).tasks):
            if "crash" in faults:
                yield Move(index, "", "crash")
            if "end" in faults and any(t.name[0] == "c" for t in self.view(proc).tasks):
                yield Move(index, "", "end")

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
        if step in ("pause", "prepare"):
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
        writes = step in ("save", "remove") or (step == "lock" and self.config.lease)
        if "done" in faults and writes and not world.down:
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
            if "doubt" in faults:
                yield Move(index, task, "act: doubtful")
                yield Move(index, task, "act: asks to wait")
            if "time-out" in faults:
                yield Move(index, task, "act: takes too long")
        else:
            yield Move(index, task, "receive")
            if "loss" in faults and not isinstance(flying.answer, Error):
                yield Move(index, task, "receive: lost after")

    # What comes of it

    def apply(self, world: World, move: Move) -> World:
        """The world after ``move``; raises :class:`Violation`."""
        if is_fault(move):
            world = world._replace(budget=world.budget - 1)
        if move.proc < 0:
            return self._apply_to_world(world, move)
        index, task = move.proc, move.task
        proc = world.procs[index]
        if move.what == "crash":
            return self._crash(world, index)
        if move.what == "end":
            return self._feed(world, index, Input("", None, world.now, "end"))
        if move.what == "ends at last":
            return self._feed(world, index, Input("", None, world.now, "late"))
        asks, session, flow = next(
            (doing.asks, doing.session, doing.flow)
            for doing in self.view(proc).tasks
            if doing.name == task
        )
        what = move.what.split(":")[0].split(" ")[0]
        if what in STEPS:
            invariants.at_step(self.view(proc).sessions[session], what)
        handler = getattr(self, f"_do_{what}")
        result: World = handler(world, index, task, asks, session, flow, move.what)
        return result

    def _apply_to_world(self, world: World, move: Move) -> World:
        what = move.what
        if what == "up" or what == "down":
            return world._replace(down=what == "down")
        if what == "denied":
            return world._replace(denied=True)
        if what == "corrupt":
            owner = world.slots[0].owner
            # The list of sign-ins was part of the content: other programs cannot know of them now.
            known = tuple(
                (whose + invariants.WITHOUT_STORE * (whose == owner), at)
                for whose, at in world.sign_ins
            )
            return world._replace(sign_ins=known).with_slot(owner, stored=Corrupt())
        if what.startswith("a lost request"):
            lost = world.lost[int(move.task)]
            rest = (*world.lost[: int(move.task)], *world.lost[int(move.task) + 1 :])
            world = world._replace(lost=rest)
            if what.endswith("arrives"):
                world, _ = grant(world, self.config.server, lost.owner, lost.refresh)
            return world
        if what == "the lease of the dead ends":
            end = max(slot.end for slot in world.slots if slot.end is not None)
            return pass_time(world, end - world.now)
        return pass_time(world, float(what.split()[0]))

    def _crash(self, world: World, index: int) -> World:
        for slot in world.slots:
            if slot.holder == index and slot.end is None:
                world = world.with_slot(slot.owner, holder=None)
        world = self._lose(world, index)
        return world.put(index, Proc(world.procs[index].kind, -1, alive=False))

    def _lose(self, world: World, index: int) -> World:
        """Nobody waits any more for the answer to this process's token request."""
        proc = world.procs[index]
        flying = proc.request
        if flying is None:
            return world
        if flying.stage == "sent":
            owner = self.machines[proc.kind].spec.owners[flying.session]
            lost = Lost(owner, flying.refresh)
            world = world._replace(lost=tuple(sorted((*world.lost, lost), key=repr)))
        return world.with_proc(index, request=None)

    def feed(self, world: World, index: int, task: str, answer: Answer) -> World:
        """The process goes on with ``answer``, at the world's time."""
        return self._feed(world, index, Input(task, answer, world.now))

    def _feed(self, world: World, index: int, given: Input) -> World:
        proc = world.procs[index]
        before = self.view(proc)
        local, events = self.machines[proc.kind].step(proc.local, given)
        proc = proc._replace(local=local)
        view = self.view(proc)
        late = view.late
        for event in events:
            invariants.at_end(world, proc, view.sessions[event.session], event, late)
            if event.kind == "flight":
                if event.op == "obtain":
                    proc = _note_failure(proc, event)
                proc = proc._replace(granted=None, conflict=False, save_failed=None)
            elif event.kind == "call":
                proc = self._end_of_call(world, proc, event)
        for doing in view.tasks:
            if doing.name == given.task and isinstance(doing.asks, Send):
                facts = view.sessions[doing.session]
                # One that only reads has no better token than the refused one.
                hopeless = self.config.repeats or facts.read_only
                invariants.at_hand(proc, doing, facts, doing.asks, hopeless)
        if proc.behind:
            rest = frozenset(each for each in proc.behind if each[0] != given.task)
            proc = proc._replace(behind=rest)
        world = world.put(index, proc)
        if given.what in ("end", "late"):
            world = self._at_the_programs_end(world, index, before, late)
        if view.over:
            if not late:
                invariants.at_over(world, world.procs[index], view.sessions[0])
            return self._crash(world, index)
        return world

    def _end_of_call(self, world: World, proc: Proc, event: Event) -> Proc:
        self.last_result, self.last_tab = event.result, proc.tab(event.task)
        if event.op in CALLS:
            told = tuple(
                each
                for each in proc.told
                if (each.session, each.endpoint) != (event.session, event.op)
            )
            if isinstance(event.result, Refused):
                ended = Told(event.session, event.op, event.result.rec.access, world.now)
                told = tuple(sorted((*told, ended)))
            proc = proc._replace(told=told)
        return proc._replace(tabs=proc.without(event.task))

    def _at_the_programs_end(self, world: World, index: int, before: Any, late: bool) -> World:
        """What a task waited for, it does not wait for any more if it was cancelled."""
        proc = world.procs[index]
        asks = {doing.name: doing.asks for doing in before.tasks}
        goes_on = {d.name for d in self.view(proc).tasks if d.asks == asks[d.name]}
        if proc.request is not None and proc.request.task not in goes_on:
            invariants.at_lost(proc.request, late)
            world = self._lose(world, index)
        if proc.late is not None and proc.late[0] not in goes_on:
            world = world.with_proc(index, late=None)
        return world

    def _do_begin(
        self, world: World, index: int, task: str, asks: Any, session: int, flow: str, what: str
    ) -> World:
        op = what.split()[1]
        if op == "expire":
            world = pass_time(world, LIFETIME)
        return self.feed(world, index, task, op if asks.extra else None)

    def _do_wake(self, world: World, index: int, task: str, *_: Any) -> World:
        return self.feed(world, index, task, None)

    def _do_cancel(self, world: World, index: int, task: str, *_: Any) -> World:
        return self._feed(world, index, Input(task, None, world.now, "cancel"))

    def _do_send(
        self, world: World, index: int, task: str, asks: Send, session: int, *_: Any
    ) -> World:
        proc = world.procs[index]
        api = self.config.api
        broken = api == "refuses all" or (api == "refuses one" and asks.endpoint == "other")
        taken = world.takes(asks.rec.access) and not broken
        if not taken:
            tab = proc.tab(task)
            tab = tab._replace(refused=tab.refused | {asks.rec.access})
            invariants.at_refused(tab)
            refused = proc.refused | {(session, asks.rec.access)}
            world = world.with_proc(
                index,
                refused=refused,
                tabs=proc.with_tab(tab).tabs,
                behind=proc.behind | self._behind(proc, asks.rec.access),
            )
            if asks.origin == "refreshed" and asks.rec.refresh is not None:
                world = world._replace(rejected=world.rejected | {asks.rec.refresh})
        return self.feed(world, index, task, taken)

    def _behind(self, proc: Proc, access: str) -> frozenset[tuple[str, str]]:
        if self.config.repeats:
            return frozenset()  # any token may be sent again then
        asks = {doing.name: doing.asks for doing in self.view(proc).tasks}
        landed = [name for name, what in asks.items() if isinstance(what, Asked) and what.landed]
        return frozenset((name, access) for name in landed)

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
        if asks[1] is None and self.config.api != "takes":
            world = pass_time(world, TICK)
        if isinstance(answer, Granted):
            world = world.with_proc(index, granted=answer.refresh, conflict=False)
            if asks[1] is not None and (session, answer.access) in proc.refused:
                # It brings what the API refused already: no use in it, nor in what comes of it.
                spent = {asks[1], answer.refresh} - {None}
                world = world._replace(rejected=world.rejected | spent)
            elif asks[1] is None and len(world.procs) == 1:
                # As good as new, whatever became of it before; others could not know.
                world = world._replace(rejected=world.rejected - {answer.refresh})
        return self.feed(world, index, task, answer)

    def _do_request(
        self, world: World, index: int, task: str, asks: Any, session: int, *_: Any
    ) -> World:
        proc = world.procs[index]
        view = self.view(proc)
        facts = view.sessions[session]
        limit = self.machines[proc.kind].spec.request_timeout
        invariants.at_request(world, index, facts, asks[1], limit)
        if asks[1] is None:
            world = invariants.at_sign_in(world, proc, session, facts, self._faults(world))
        leader = next(doing.leader for doing in view.tasks if doing.name == task)
        if leader:
            tab = proc.tab(leader)
            tab = tab._replace(requests=tab.requests + 1, secrets=tab.secrets + (asks[1] is None))
            self.most.count(tab, self._faults(world), repeats=self.config.repeats)
            proc = proc.with_tab(tab)
        flying = Flying(task, session, asks[1], "sent", None)
        return world.with_proc(index, request=flying, tabs=proc.tabs)

    def _faults(self, world: World) -> int:
        """How many there were so far."""
        return self.config.budget - world.budget

    def _do_act(
        self, world: World, index: int, task: str, asks: Any, session: int, flow: str, what: str
    ) -> World:
        flying = world.procs[index].request
        assert flying is not None
        fault = what.partition(": ")[2]
        if fault == "takes too long":
            limit = self.machines[world.procs[index].kind].spec.request_timeout
            if self._ends_in_time(limit):
                world = self._lose(pass_time(world, limit), index)
                return self.feed(world, index, task, Error("transient"))
            hold = world.procs[index].hold
            # Its program lives and waits: that its lease has ended meanwhile is no excuse.
            return pass_time(world, LONG).with_proc(index, hold=hold)
        if not fault:
            world, answer = self._act(world, index, flying)
        else:
            answer = Error(_ANSWERS[fault])
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

    def _do_prepare(self, world: World, index: int, task: str, *_: Any) -> World:
        if world.denied:
            return self.feed(world, index, task, Error("denied"))
        return self.feed(world.with_proc(index, prepared=True), index, task, None)

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
        if world.denied and step in ("save", "remove") and not fault:
            return self._got(world, index, task, asks, Error("denied"))
        if fault == "error" or world.down:
            answer: Answer = Error("unavailable")
            if step == "unlock":
                # A driver only logs it; the lock stays until its lease ends.
                answer = None
                if self.config.lease and world.slot(owner).holder == index:
                    world = world.with_slot(owner, holder=-1)
                elif world.slot(owner).holder == index:
                    world = world.with_slot(owner, holder=None)
                world = world.with_proc(index, hold="no", prepared=False)
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
            if read == world.procs[index].save_failed:
                world = world.with_proc(index, save_failed=None)  # it was done
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
        proc = world.procs[index]
        facts = self.view(proc).sessions[session]
        invariants.at_remove(proc, facts, flow, before, self.config.compare_and_set)
        return world.with_slot(owner, stored=None), None

    def _lock(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        owner = self._owner(world, index, session)
        end = world.now + asks[2] if self.config.lease else None
        proc = world.procs[index]
        # Taken anew with a token in hand: the store may have changed, which counts as a conflict.
        conflict = proc.conflict or proc.granted is not None
        world = world.with_slot(owner, holder=index, end=end)
        world = world.with_proc(index, hold="yes", conflict=conflict)
        return world, Ends(end)

    def _unlock(self, world: World, index: int, asks: Any, session: int, flow: str) -> Any:
        owner = self._owner(world, index, session)
        if world.slot(owner).holder == index:
            world = world.with_slot(owner, holder=None, end=None)
        return world.with_proc(index, hold="no", prepared=False), None

    def _owner(self, world: World, index: int, session: int) -> str:
        owner: str = self.view(world.procs[index]).sessions[session].owner
        return owner


def _matches(before: Rec | Corrupt | None, expected: str | None) -> bool:
    if expected == ANY_REVISION:
        return True
    if isinstance(before, Corrupt):
        return before.movable and expected == CORRUPT_REVISION
    return revision_of(before) == expected


def _note_failure(proc: Proc, event: Event) -> Proc:
    if isinstance(event.result, Exception):
        return proc._replace(failed=proc.failed | {event.session})
    got = event.result.token.access_token.reveal()
    better = (event.session, got) not in proc.refused
    return proc._replace(failed=proc.failed - {event.session}) if better else proc


_ANSWERS = {
    "lost before": "transient",
    "invalid_client": "failed",
    "doubtful": "doubtful",
    "asks to wait": "wait",
}


def is_fault(move: Move) -> bool:
    what = move.what
    if move.proc < 0:
        return what in ("down", "corrupt", "denied") or what.endswith("s pass")
    return what in ("crash", "end", "cancel") or (": " in what and what != "lock: busy")
