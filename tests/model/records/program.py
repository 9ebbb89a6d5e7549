"""One program as an automaton: the shipped generators, made anew from what they were told."""

from __future__ import annotations

import types
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import Enum
from types import GeneratorType
from typing import Any, NamedTuple

from flex_tokenstore import Secret, TokenStoreError
from flex_tokenstore._values.token import revision_of
from flex_tokenstore.errors import TokenCorruptError
from flex_tokenstore.records import _lease, _policy, _where
from flex_tokenstore.records._record import Answer, Call

from ..shipped import Fault, planted
from .service import IDENTITY, KEY, LOCK, Rules, token

LEASE = 2.0
PAUSE = 1.0  # seconds between two looks at a lock, in place of the shipped random ones


class Op(NamedTuple):
    """A call that a program makes."""

    name: str
    """``get``, ``put``, ``remove``, ``take``."""
    token: str = ""
    expected: str | None = None
    """``seen``: what the program's last ``get`` brought; ``*``; None; or a revision."""
    wait: float = 0.0


class Begin(NamedTuple):
    """The program is about to make this call."""

    op: Op


class Inside(NamedTuple):
    """It holds the lock until then, by its own clock."""

    ends: float
    owner: str


class Releasing(NamedTuple):
    """It left."""


class End(NamedTuple):
    """The call has ended with this result or error."""

    op: Op
    expected: str | None
    result: Any


class Interrupt(BaseException):
    """Ctrl-C, or a cancelled task."""


class Told(NamedTuple):
    """What a program is told: an answer or an interrupt, and its own time."""

    now: float
    answer: Any = None
    interrupted: bool = False


class _Clock:
    now = 0.0
    owners = 0
    name = ""

    def monotonic(self) -> float:
        return self.now

    def token_hex(self, size: int) -> str:
        self.owners += 1
        return f"{self.name}-{self.owners}"

    def strftime(self, *_: Any) -> str:
        return "now"

    def gmtime(self) -> None: ...


clock = _Clock()


class _Patience:
    def __init__(self, brisk: float) -> None: ...
    def begin(self) -> None: ...
    def end(self) -> None: ...

    def pause(self) -> float:
        return PAUSE


STAND_INS = (
    *(Fault(module, "time", clock) for module in (_lease, _policy, _where)),
    Fault(_lease, "secrets", clock),
    Fault(_policy, "secrets", clock),
    Fault(_lease, "Patience", _Patience),
    Fault(_lease, "SURE", 2.0),
    Fault(_policy, "UNCOMPARED", 2),
    Fault(_where, "random", types.SimpleNamespace(uniform=lambda low, high: high)),
)


@contextmanager
def exploring(faults: tuple[Fault, ...] = ()) -> Iterator[None]:
    """The shipped code has the explorer's clock and names, and these faults."""
    with planted(STAND_INS), planted(faults):
        yield


def steps_of(ops: tuple[Op, ...], rules: Rules) -> Generator[Any, Any, None]:
    words = _where.Words("record", "prefix")
    where = _where.Where("model", "the model", IDENTITY, 5.0, words, _ask)
    policy = _policy.Policy(
        where, KEY, separator=":", moves=rules.moves, overwrites=rules.overwrites
    )
    lease = _lease.Lease(where, LOCK, native=rules.native, wakes=rules.wakes)
    seen = None
    for op in ops:
        expected = None
        yield Begin(op)
        expected = seen if op.expected == "seen" else op.expected
        try:
            result = yield from _call(policy, lease, op, expected)
        except (TokenStoreError, Interrupt) as error:
            # Neither its frames nor their values are needed: a state is as small as can be.
            result = error.with_traceback(None)
            result.__context__ = None
        if op.name == "get":
            seen = None
            if isinstance(result, TokenCorruptError):
                seen = result.revision or "newer"
            elif isinstance(result, dict):
                seen = revision_of(result)
        yield End(op, expected, result)
        if isinstance(result, _lease.Held):
            yield Inside(result.ends, result.owner)
            yield Releasing()
            op = Op("release")
            try:
                yield from lease.release(result)
                result = None
            except Interrupt as error:
                result = error.with_traceback(None)
            yield End(op, None, result)


def _ask(call: Call) -> Generator[Any, Any, Answer]:
    answer: Answer = yield call
    return answer


def _call(
    policy: _policy.Policy, lease: _lease.Lease, op: Op, expected: str | None
) -> Generator[Any, Any, Any]:
    if op.name == "get":
        return (yield from policy.get())
    if op.name == "take":
        return (yield from lease.take(op.wait, LEASE))
    return (yield from policy.put(None if op.name == "remove" else token(op.token), expected))


class Machine:
    """All local states of one program met so far, numbered."""

    def __init__(self, name: str, ops: tuple[Op, ...], rules: Rules) -> None:
        self._name, self._ops, self._rules = name, ops, rules
        self._told: list[tuple[Told, ...]] = []
        self.asks: list[Any] = []
        """What it waits for in each state; None: it has ended."""
        self.about: list[tuple[Op, str | None]] = []
        """The call that it makes in each state, and what is expected to be stored."""
        self._numbers: dict[Any, int] = {}
        self._edges: dict[tuple[int, Told], int] = {}
        self.initial = self._number(())

    def step(self, local: int, told: Told) -> int:
        known = self._edges.get((local, told))
        if known is None:
            known = self._edges[local, told] = self._number((*self._told[local], told))
        return known

    def _number(self, told: tuple[Told, ...]) -> int:
        clock.name, clock.owners, clock.now = self._name, 0, 0.0
        steps: Any = steps_of(self._ops, self._rules)
        asks: Any = next(steps)
        for each in told:
            clock.now = each.now
            try:
                asks = steps.throw(Interrupt()) if each.interrupted else steps.send(each.answer)
            except StopIteration:
                asks = None
        key = (repr(asks) if isinstance(asks, End) else asks, clock.owners, frames_of(steps))
        number = self._numbers.setdefault(key, len(self._told))
        if number == len(self._told):
            self._told.append(told)
            self.asks.append(asks)
            frame = None if steps.gi_frame is None else steps.gi_frame.f_locals
            self.about.append((frame["op"], frame["expected"]) if frame else (Op(""), None))
        return number


def frames_of(steps: Any) -> Any:
    """All that a generator's future depends on: where it is, and what its variables hold."""
    found: list[Any] = []
    while isinstance(steps, GeneratorType) and steps.gi_frame is not None:
        frame = steps.gi_frame
        found.append((frame.f_code.co_name, frame.f_lasti, frozen(dict(frame.f_locals))))
        steps = steps.gi_yieldfrom
    return tuple(found)


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((str(key), frozen(each)) for key, each in value.items()))
    if isinstance(value, tuple):
        return (type(value).__name__, *map(frozen, value))
    if isinstance(value, list):
        return ("list", *map(frozen, value))
    if isinstance(value, (str, bytes, int, float, bool, type(None))):
        return repr(value)
    if isinstance(value, Secret):
        return repr(value.reveal())
    if isinstance(value, (_policy.Policy, _lease.Lease)):
        # What was parsed last saves time, and changes nothing.
        kept = {key: each for key, each in vars(value).items() if key not in ("_where", "_parsed")}
        return frozen(kept)
    if isinstance(value, BaseException):
        return repr(value)
    if hasattr(value, "__length_hint__"):  # an iterator
        return value.__length_hint__()
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(map(repr, value)))
    return repr(value) if isinstance(value, Enum) else type(value).__name__
