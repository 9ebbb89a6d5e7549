"""One process: shipped sessions and their callers, made anew from the inputs they had."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from flex_tokenstore._session.aio import AsyncTokenSession
from flex_tokenstore._session.flow.steps import (
    Load,
    Lock,
    Pause,
    Prepare,
    Remove,
    Request,
    Revoke,
    Save,
    Unlock,
)
from flex_tokenstore._session.single_flight import Abandoned, Flight
from flex_tokenstore.errors import TokenStoreError

from .shipped import Done, LoopTask, Wait, ask, clock, dispose, loop
from .values import Answer, Rec, real, rec_of, snapshot

CALLS = ("call", "other")  # operations that are an API call: each calls an endpoint of its own


class Begin(NamedTuple):
    """A caller is about to begin this operation; ``extra``: the explorer may name another one."""

    op: str
    extra: bool = False


class Send(NamedTuple):
    """A caller sends this token to an endpoint of the API."""

    rec: Rec
    origin: str
    endpoint: str


class Refused(NamedTuple):
    """An API call ended with a 401, the one to this token."""

    rec: Rec


class Asked(NamedTuple):
    """A caller waits for a flight."""

    landed: bool


class Spec(NamedTuple):
    """What runs in a process. ``callers``: the session each uses, and its operations."""

    callers: tuple[tuple[int, tuple[str, ...]], ...] = ((0, ("call",)),)
    owners: tuple[str, ...] = ("me",)
    """Identity of each session."""
    compare_and_set: bool = True
    prepares: bool = False
    """Whether the store can tell that a save would be refused."""
    memory: bool = False
    read_only: bool = False
    """It uses the token that others renew."""
    lock_timeout: float | None = 0.25
    request_timeout: float = 10.0
    failure_window: float = 5.0


class Input(NamedTuple):
    """One input of a process: the answer to what a task asked, at a time.

    ``what``: cancel: that caller leaves; end: the program ends, and with it all callers; late: it
    has waited too long for what was under way then.
    """

    task: str
    answer: Answer
    now: float
    what: Literal["answer", "cancel", "end", "late"] = "answer"


class Facts(NamedTuple):
    """What the explorer may know of a session."""

    owner: str
    unsaved: tuple[Rec, str | None] | None
    own: Rec | None
    held: Rec | None
    alive: bool
    """Whether the token in memory still works, by its times."""
    saved: bool
    monotonic: float
    lease_end: float | None
    memory: bool
    read_only: bool


class Event(NamedTuple):
    """Something that ended: ``kind`` is call or flight. Or what is never right: a caller that
    waited for a flight asks ``again``, gets the error of ``another``'s operation, or puts a
    ``stale`` token in the place of what the session holds."""

    kind: str
    session: int
    op: str
    result: Any
    task: str = ""


class Doing(NamedTuple):
    """A task, and what it asks. ``leader``: of a flight, the caller on whose account it is."""

    name: str
    asks: Any
    session: int
    flow: str
    leader: str


class View(NamedTuple):
    """What a process is about to do. ``over``: it ended, as programs do that nobody kills.

    ``patience``: until when it waits for what is under way, while it ends.
    """

    tasks: tuple[Doing, ...]
    sessions: tuple[Facts, ...]
    over: bool = False
    patience: float | None = None
    late: bool = False
    """It has waited for so long, and does not any more."""


class _Handle:
    """The store as the shipped session sees it: each method asks the explorer."""

    def __init__(self, key: object, owner: str, spec: Spec) -> None:
        self.lock_key = key
        self.name = "model"
        self.identity = _Named(owner)
        self.abilities = _Abilities(spec.compare_and_set, spec.read_only)
        self._prepares = spec.prepares

    async def get_token(self) -> Any:
        return await ask(Load())

    async def set_token(self, token: Any, expected: str | None) -> None:
        await ask(Save(token, expected))

    async def prepare_save(self, expected: str | None) -> None:
        if self._prepares:
            await ask(Prepare(expected))

    async def remove_token(self, expected: str | None) -> None:
        await ask(Remove(expected))

    def token_lock(self, wait: float, lease: float) -> _Hold:
        return _Hold(wait, lease)

    async def refresh(self, refresh_token: Any) -> Any:
        return await ask(Request(refresh_token))

    async def sign_in(self) -> Any:
        return await ask(Request(None))

    async def revoke(self, token: Any) -> None:
        await ask(Revoke(token))


class _Named(NamedTuple):
    key: str


class _Abilities(NamedTuple):
    compare_and_set: bool
    read_only: bool


class _Hold:
    def __init__(self, wait: float, lease: float) -> None:
        self.wait, self.lease = wait, lease

    async def __aenter__(self) -> float | None:
        end: float | None = await ask(Lock(self.wait, self.lease))
        return end

    async def __aexit__(self, *error: object) -> None:
        await ask(Unlock())


class _Task:
    def __init__(
        self, name: str, coroutine: Any, session: int, loop_task: LoopTask | None = None
    ) -> None:
        self.name, self.coroutine, self.session = name, coroutine, session
        self.loop_task = loop_task
        self.asks: Any = None
        self.flow = self.leader = ""
        self.cancelled = False

    @property
    def flight(self) -> Any:
        """The flight that this task flies."""
        return self.coroutine.cr_frame.f_locals["flight"]


class _NoReports:
    """Events are for operators: no decision depends on them."""

    def report(self, notes: Any) -> None: ...


def _nothing() -> None:
    pass


class Process:
    """A live replica. Two that had the same inputs are in the same state."""

    def __init__(self, spec: Spec) -> None:
        loop.new.clear()
        clock.now = 0.0
        self._key = object()
        self.sessions = []
        for owner in spec.owners:
            handle: Any = _Handle(self._key, owner, spec)
            session: Any = AsyncTokenSession(
                handle,
                handle,
                request_timeout=spec.request_timeout,
                failure_window=spec.failure_window,
                lock_timeout=spec.lock_timeout,
                on_store_error="memory" if spec.memory else "raise",
            )
            # What it does once a pause is over, a call does here: the pauses of nobody but the
            # callers would make the world endless.
            session._save_later = _nothing
            session._reporter = _NoReports()
            self.sessions.append(session)
        self.tasks: dict[str, _Task] = {}
        self.events: list[Event] = []
        self._attends: list[_Task] = []
        self._patience: float | None = None
        self._over = self._late = False
        self._flows: list[tuple[Any, str]] = []
        for index, (session_index, ops) in enumerate(spec.callers):
            name = f"caller{index}"
            client = self._client(name, session_index, ops)
            self._run(_Task(name, client, session_index), None)

    def feed(self, given: Input) -> list[Event]:
        """Lets a task go on; gives what ended thereby."""
        self.events = []
        clock.now = given.now
        if given.what == "end":
            self._end()
            return self.events
        if given.what == "late":
            self._late = True
            self._all_attend("send", None)
            return self.events
        task = self.tasks[given.task]
        if given.what == "cancel":
            self._cancel(task)
            return self.events
        before = task.asks
        held = self.sessions[task.session]._state.held
        self._run(task, real(given.answer))
        if isinstance(before, Wait):
            self._check_woken(task, before.flight, held)
        return self.events

    def dispose(self) -> None:
        """Ends all tasks: a suspended coroutine would complain when it is collected."""
        for task in (*self.tasks.values(), *self._attends):
            dispose(task.coroutine)

    def view(self) -> View:
        tasks = tuple(
            Doing(task.name, _shown(task.asks), task.session, task.flow, task.leader)
            for task in self._sorted()
        )
        facts = tuple(self._facts(session) for session in self.sessions)
        return View(tasks, facts, self._over, self._patience, self._late)

    def key(self) -> Any:
        """The whole local state, as plain data."""
        names: dict[int, str] = {id(self): "process", id(loop): "loop"}
        for index, session in enumerate(self.sessions):
            names[id(session)] = f"session{index}"
            names[id(session.store)] = f"store{index}"
            names[id(session._state)] = f"state{index}"
        gate = self.sessions[0]._gate
        assert not gate._latest._next, "the gate has lost sight of a flight"
        names[id(gate)] = "gate"
        flights = self._live_flights(gate)
        for number, flight in enumerate(flights):
            names[id(flight)] = f"flight{number}"
        for task in (*self.tasks.values(), *self._attends):
            names[id(task)] = task.name
            if task.loop_task is not None:
                names[id(task.loop_task)] = f"task of {task.name}"
        return (
            None if gate._latest.over() else names[id(gate._latest)],
            tuple(_flight_key(flight, names) for flight in flights),
            tuple(_state_key(session._state, names) for session in self.sessions),
            tuple(
                (task.name, task.leader, snapshot(task.coroutine, names), _shown(task.asks))
                for task in self._sorted()
            ),
            tuple(snapshot(task.coroutine, names) for task in self._attends),
            (self._over, self._patience, self._late),
        )

    def _sorted(self) -> list[_Task]:
        return [self.tasks[name] for name in sorted(self.tasks)]

    def _live_flights(self, gate: Any) -> list[Any]:
        found = [] if gate._latest.over() else [gate._latest]  # over: nobody joins it any more
        for task in (*self._sorted(), *self._attends):
            found += _flights_in(task.coroutine, Flight)
        return list({id(flight): flight for flight in found}.values())

    def _facts(self, session: Any) -> Facts:
        state = session._state
        unsaved = state.unsaved
        return Facts(
            state.identity_key,
            None if unsaved is None else (rec_of(unsaved.token), unsaved.expected),
            None if state.own is None else rec_of(state.own),
            None if state.held is None else rec_of(state.held.token),
            state.held is not None and state.held.alive(clock.now, clock.time()),
            session.saved,
            state.monotonic,
            state.lease_end,
            state.policy.on_store_error == "memory",
            state.read_only,
        )

    async def _client(self, name: str, index: int, ops: tuple[str, ...]) -> None:
        for number, op in enumerate(ops):  # the number shows in the frame, an iterator would not
            await ask(Begin(op))
            await self._operate(name, index, ops[number])
        while True:
            op = await ask(Begin("call", extra=True))
            await self._operate(name, index, op)

    async def _operate(self, name: str, index: int, op: str) -> None:
        session = self.sessions[index]
        result: Any = "done"
        try:
            if op in CALLS:
                result = await self._call(session, op)
            elif op == "token":
                result = rec_of(await session.token())
            elif op in ("revoke", "remove"):
                result = await getattr(session, op)()
        except TokenStoreError as error:
            result = error
        except CancelledError:
            result = "cancelled"
        for task in self.tasks.values():
            if task.leader == name:
                task.leader = ""  # what it still costs is not this caller's next call's
        self.events.append(Event("call", index, op, result, name))

    async def _call(self, session: Any, endpoint: str) -> Any:
        """One API call of the SDK's: a token to send, another after each 401."""
        call = session.new_call(endpoint)
        token = await call.token()
        while token is not None:
            rec = rec_of(token)
            if await ask(Send(rec, call._budget._origin, endpoint)):
                call.accepted()
                return rec
            token = await call.refused(token)
        return Refused(rec)

    def _run(self, task: _Task, value: Any) -> None:
        if isinstance(task.asks, Begin):
            task.flow = value if task.asks.extra else task.asks.op
        self._go_on(task, task.coroutine.send, value)

    def _go_on(self, task: _Task, how: Any, value: Any) -> None:
        """Lets a caller or a flight run until it asks something, and all that this sets going."""
        self.tasks[task.name] = task
        flight = task.flight if task.loop_task is not None else None
        try:
            task.asks = how(value)
        except (StopIteration, CancelledError) as ended:
            del self.tasks[task.name]
            if task.loop_task is None or (
                isinstance(ended, CancelledError) and not task.loop_task.cancelled
            ):
                raise AssertionError(f"{task.name} ends, which it must not") from ended
            self._landed(task, flight)
        self._start_new(task)

    def _cancel(self, task: _Task) -> None:
        """As ``asyncio.timeout`` does: the caller gives this call up and goes on."""
        self._go_on(task, task.coroutine.throw, CancelledError())

    def _end(self) -> None:
        """As ``asyncio.run`` does at its end: all tasks that the loop knows of are cancelled, and
        it runs until they are done. Then the process is over, whatever runs besides."""
        for task in [task for task in self._sorted() if task.loop_task is None]:
            if isinstance(task.asks, Wait):
                self._cancel(task)
            dispose(task.coroutine)
            del self.tasks[task.name]
        for task in list(self.tasks.values()):
            assert task.loop_task is not None
            if not task.loop_task.hidden:
                task.loop_task.cancel()
        self._all_attend("throw", CancelledError())

    def _all_attend(self, how: str, value: Any) -> None:
        for attend in list(self._attends):
            self._attend(attend, getattr(attend.coroutine, how), value)
        for task in self._sorted():
            if task.loop_task is not None and task.loop_task.cancelled and not task.cancelled:
                task.cancelled = True
                self._go_on(task, task.coroutine.throw, CancelledError())
        self._over = not self._attends

    def _attend(self, attend: _Task, how: Any, value: Any) -> None:
        """The task that attends to a flight goes on: never later than it could."""
        assert attend.loop_task is not None
        try:
            asks = how(value)
            assert isinstance(asks, Done)
            if asks.seconds is not None and self._patience is None:
                self._patience = clock.now + asks.seconds
        except (StopIteration, CancelledError):
            self._attends.remove(attend)
            attend.loop_task.end()

    def _start_new(self, by: _Task) -> None:
        while loop.new:
            new = loop.new.pop(0)
            flow = new.coroutine.cr_frame.f_locals.get("flow")
            if flow is None:
                attend = _Task(f"attend{len(self._attends)}", new.coroutine, by.session, new)
                self._attends.append(attend)
                self._attend(attend, new.coroutine.send, None)
                continue
            used = {name for name in self.tasks if name.startswith("flight")}
            name = next(f"flight{n}" for n in range(9) if f"flight{n}" not in used)
            task = _Task(name, new.coroutine, by.session, new)
            task.flow, task.leader = flow.gi_code.co_name, by.name
            self._flows.append((task.flight, task.flow))
            self._run(task, None)

    def _landed(self, task: _Task, flight: Any) -> None:
        assert flight.done(), "a flight ended and told nobody"
        assert task.loop_task is not None
        task.loop_task.end()
        error = flight.exception()
        if error is not None and not isinstance(error, (TokenStoreError, Abandoned)):
            raise error
        result = error if error is not None else flight.result()
        self.events.append(Event("flight", task.session, task.flow, result, task.name))
        for attend in [each for each in self._attends if _attended(each) is task.loop_task]:
            was_ending = self._is_ending(attend)
            self._attend(attend, attend.coroutine.send, None)
            self._over = was_ending and not self._attends

    def _is_ending(self, attend: _Task) -> bool:
        return attend.coroutine.cr_frame.f_locals["cancelled"] is not None

    def _check_woken(self, task: _Task, flight: Any, held: Any) -> None:
        if task.flow not in CALLS:
            return
        session = self.sessions[task.session]
        flow = next(flow for known, flow in self._flows if known is flight)
        if flow == "obtain":
            replaced = held is not None and session._state.held is not held
            if flight.owner is session and replaced:
                self.events.append(Event("stale", task.session, flow, None))
            if isinstance(task.asks, Wait):
                self.events.append(Event("again", task.session, flow, flight, task.name))
        elif any(isinstance(event.result, Exception) for event in self.events):
            self.events.append(Event("another", task.session, flow, None))


def _shown(asks: Any) -> Any:
    """What a task asks, as hashable data."""
    if isinstance(asks, Wait):
        return Asked(asks.flight.over())
    if isinstance(asks, Save):
        return ("save", rec_of(asks.token), asks.expected)
    if isinstance(asks, Revoke):
        return ("revoke", rec_of(asks.token))
    if isinstance(asks, Request):
        return ("request", None if asks.refresh_token is None else asks.refresh_token.reveal())
    if isinstance(asks, Prepare):
        return ("prepare", asks.expected)
    if isinstance(asks, Remove):
        return ("remove", asks.expected)
    if isinstance(asks, Lock):
        return ("lock", asks.wait, asks.lease)
    if isinstance(asks, (Load, Unlock)):
        return (type(asks).__name__.lower(),)
    if isinstance(asks, Pause):
        return ("pause", asks.seconds)
    return asks


def _state_key(state: Any, names: dict[int, str]) -> Any:
    fields = {name: getattr(state, name) for name in type(state).__slots__}
    return snapshot(fields, names)


def _attended(attend: _Task) -> Any:
    return attend.coroutine.cr_frame.f_locals["work"]


def _flights_in(coroutine: Any, kind: type) -> Iterator[Any]:
    """The flights that a task's frames know of."""
    while coroutine is not None and getattr(coroutine, "cr_frame", None) is not None:
        known = coroutine.cr_frame.f_locals
        yield from (known[name] for name in sorted(known) if isinstance(known[name], kind))
        coroutine = coroutine.cr_await


def _flight_key(flight: Any, names: dict[int, str]) -> Any:
    outcome: Any = "under way"
    if flight.done():
        error = flight.exception()
        outcome = snapshot(error if error is not None else flight.result(), names)
    fate = flight._fate.get("fate")
    assert not flight._wakers, "the explorer knows no such wait"
    return (
        names[id(flight)],
        names[id(flight.owner)],
        (flight.private, flight.sent, flight.given_up, flight.warned_at),
        tuple(sorted(names[id(waiter)] for waiter in flight._waiting)),
        fate if isinstance(fate, str) or fate is None else "taken off",
        outcome,
    )
