"""One process: shipped sessions and their callers, made anew from the inputs they had."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, NamedTuple

from flex_tokenstore._steps import Load, Lock, Pause, Remove, Request, Revoke, Save, Unlock
from flex_tokenstore.errors import TokenStoreError

from .shipped import Shipped, Wait, ask, dispose
from .values import Answer, Rec, real, rec_of, snapshot


class Begin(NamedTuple):
    """A caller is about to begin this operation; ``extra``: only once all else is done."""

    op: str
    extra: bool = False


class Send(NamedTuple):
    """A caller sends this token to the API."""

    rec: Rec
    origin: str


class Asked(NamedTuple):
    """A caller waits for a flight."""

    landed: bool


class Spec(NamedTuple):
    """What runs in a process. ``callers``: the session each uses, and its operations."""

    callers: tuple[tuple[int, tuple[str, ...]], ...] = ((0, ("call",)),)
    owners: tuple[str, ...] = ("me",)
    """Identity of each session."""
    compare_and_set: bool = True
    memory: bool = False
    lock_timeout: float | None = 0.25
    request_timeout: float = 10.0
    failure_window: float = 5.0


class Input(NamedTuple):
    """One input of a process: the answer to what a task asked, at a time. ``cancel``: it leaves."""

    task: str
    answer: Answer
    now: float
    cancel: bool = False


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


class Event(NamedTuple):
    """Something that ended: ``kind`` is call or flight. Or what is never right: a caller that
    waited for a flight asks ``again``, gets the error of ``another``'s operation, or puts a
    ``stale`` token in the place of what the session holds."""

    kind: str
    session: int
    op: str
    result: Any


class View(NamedTuple):
    """What a process is about to do: each task with what it asks, and the sessions' facts."""

    tasks: tuple[tuple[str, Any, int, str], ...]
    sessions: tuple[Facts, ...]


class _Handle:
    """The store as the shipped session sees it: each method asks the explorer."""

    def __init__(self, key: object, owner: str, compare_and_set: bool) -> None:
        self.lock_key = key
        self.name = "model"
        self.identity = _Named(owner)
        self.abilities = _Abilities(compare_and_set)

    async def get_token(self) -> Any:
        return await ask(Load())

    async def set_token(self, token: Any, expected: str | None) -> None:
        await ask(Save(token, expected))

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


class _Hold:
    def __init__(self, wait: float, lease: float) -> None:
        self.wait, self.lease = wait, lease

    async def __aenter__(self) -> float | None:
        end: float | None = await ask(Lock(self.wait, self.lease))
        return end

    async def __aexit__(self, *error: object) -> None:
        await ask(Unlock())


class _Task:
    def __init__(self, name: str, coroutine: Any, session: int) -> None:
        self.name, self.coroutine, self.session = name, coroutine, session
        self.asks: Any = None
        self.flow = ""


def _nothing() -> None:
    pass


class Process:
    """A live replica. Two that had the same inputs are in the same state."""

    def __init__(self, shipped: Shipped, spec: Spec) -> None:
        self.shipped = shipped
        shipped.loop.new.clear()
        shipped.clock.now = 0.0
        self._key = object()
        self.sessions = []
        for owner in spec.owners:
            handle = _Handle(self._key, owner, spec.compare_and_set)
            session = shipped.async_session.AsyncTokenSession(
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
            self.sessions.append(session)
        self.tasks: dict[str, _Task] = {}
        self.events: list[Event] = []
        self._flows: list[tuple[Any, str]] = []
        for index, (session_index, ops) in enumerate(spec.callers):
            client = self._client(session_index, ops)
            self._run(_Task(f"caller{index}", client, session_index), None)

    def feed(self, given: Input) -> list[Event]:
        """Lets a task go on; gives what ended thereby."""
        self.events = []
        self.shipped.clock.now = given.now
        task = self.tasks[given.task]
        if given.cancel:
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
        for task in self.tasks.values():
            dispose(task.coroutine)

    def view(self) -> View:
        tasks = tuple(
            (task.name, _shown(task.asks), task.session, task.flow) for task in self.tasks.values()
        )
        return View(tasks, tuple(self._facts(session) for session in self.sessions))

    def key(self) -> Any:
        """The whole local state, as plain data."""
        names: dict[int, str] = {id(self): "process", id(self.shipped.loop): "loop"}
        flights: list[Any] = []
        for index, session in enumerate(self.sessions):
            names[id(session)] = f"session{index}"
            names[id(session.store)] = f"store{index}"
            names[id(session._state)] = f"state{index}"
        names[id(self.sessions[0]._gate)] = "gate"
        for flight in self._live_flights():
            names[id(flight)] = f"flight{len(flights)}"
            flights.append(flight)
        for task in self.tasks.values():
            names[id(task)] = task.name
        return (
            tuple(self._flight_key(flight, names) for flight in flights),
            tuple(_state_key(session._state, names) for session in self.sessions),
            tuple(
                (task.name, snapshot(task.coroutine, names), _shown(task.asks))
                for task in self.tasks.values()
            ),
        )

    def _live_flights(self) -> list[Any]:
        found = [self.sessions[0]._gate._flight]
        if found[0] is not None and found[0].future.done():
            found = []  # nobody joins it any more
        found += [task.asks.flight for task in self.tasks.values() if isinstance(task.asks, Wait)]
        for task in self.tasks.values():
            if task.name.startswith("flight"):
                found.append(task.coroutine.cr_frame.f_locals["flight"])
        return list({id(flight): flight for flight in found if flight is not None}.values())

    def _flight_key(self, flight: Any, names: dict[int, str]) -> Any:
        outcome: Any = "under way"
        if flight.future.done():
            error = flight.future.exception()
            outcome = snapshot(error if error is not None else flight.future.result(), names)
        return (names[id(flight)], names.get(id(flight.owner)), flight._waiting, outcome)

    def _facts(self, session: Any) -> Facts:
        state = session._state
        unsaved = state.unsaved
        return Facts(
            state.identity_key,
            None if unsaved is None else (rec_of(unsaved.token), unsaved.expected),
            None if state.own is None else rec_of(state.own),
            None if state.held is None else rec_of(state.held.token),
            state.held is not None and state.held.alive(self.shipped.clock.now),
            session.saved,
            state.monotonic,
            state.lease_end,
            state.policy.on_store_error == "memory",
        )

    async def _client(self, index: int, ops: tuple[str, ...]) -> None:
        session = self.sessions[index]
        for op in ops:
            await ask(Begin(op))
            await self._operate(index, session, op)
        while True:
            await ask(Begin("call", extra=True))
            await self._operate(index, session, "call")

    async def _operate(self, index: int, session: Any, op: str) -> None:
        result: Any = "done"
        try:
            if op == "call":
                result = await self._call(session)
            elif op == "token":
                result = rec_of(await session.token())
            elif op in ("revoke", "remove"):
                result = await getattr(session, op)()
        except TokenStoreError as error:
            result = error
        except CancelledError:
            result = "cancelled"
        self.events.append(Event("call", index, op, result))

    async def _call(self, session: Any) -> Any:
        """One API call of the SDK's: a token to send, another after each 401."""
        call = session.new_call()
        token = await call.token()
        while token is not None:
            rec = rec_of(token)
            if await ask(Send(rec, call._budget._origin)):
                return rec
            token = await call.refused(token)
        return "refused"

    def _run(self, task: _Task, value: Any) -> None:
        self.tasks[task.name] = task
        if isinstance(task.asks, Begin):
            task.flow = task.asks.op
        try:
            task.asks = task.coroutine.send(value)
        except StopIteration:
            del self.tasks[task.name]
            self._landed(task)
        self._start_new(task)

    def _cancel(self, task: _Task) -> None:
        """As ``asyncio.timeout`` does: the caller gives this call up and goes on."""
        task.asks = task.coroutine.throw(CancelledError())
        self._start_new(task)

    def _start_new(self, by: _Task) -> None:
        while self.shipped.loop.new:
            coroutine = self.shipped.loop.new.pop(0)
            flow = coroutine.cr_frame.f_locals["flow"].gi_code.co_name
            self._flows.append((coroutine.cr_frame.f_locals["flight"], flow))
            used = {name for name in self.tasks if name.startswith("flight")}
            name = next(f"flight{n}" for n in range(9) if f"flight{n}" not in used)
            flight = _Task(name, coroutine, by.session)
            flight.flow = flow
            self._run(flight, None)

    def _landed(self, task: _Task) -> None:
        if not task.name.startswith("flight"):
            return
        flight = self.sessions[task.session]._gate._flight
        future = flight.future
        assert future.done()
        error = future.exception()
        if error is not None and not isinstance(error, (TokenStoreError, self._abandoned())):
            raise error
        result = error if error is not None else future.result()
        self.events.append(Event("flight", task.session, task.flow, result))

    def _abandoned(self) -> Any:
        return self.shipped.gate.Abandoned

    def _check_woken(self, task: _Task, flight: Any, held: Any) -> None:
        if task.flow != "call":
            return
        session = self.sessions[task.session]
        flow = next(flow for known, flow in self._flows if known is flight)
        if flow == "obtain":
            if flight.owner is session and session._state.held is not held:
                self.events.append(Event("stale", task.session, flow, None))
            if isinstance(task.asks, Wait):
                self.events.append(Event("again", task.session, flow, flight.future))
        elif any(isinstance(event.result, Exception) for event in self.events):
            self.events.append(Event("another", task.session, flow, None))


def _shown(asks: Any) -> Any:
    """What a task asks, as hashable data."""
    if isinstance(asks, Wait):
        return Asked(asks.flight.future.done())
    if isinstance(asks, Save):
        return ("save", rec_of(asks.token), asks.expected)
    if isinstance(asks, Revoke):
        return ("revoke", rec_of(asks.token))
    if isinstance(asks, Request):
        return ("request", None if asks.refresh_token is None else asks.refresh_token.reveal())
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
