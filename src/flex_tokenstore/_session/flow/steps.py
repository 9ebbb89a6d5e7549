"""What the flow asks of its driver, and what it is told.

The flow yields steps and is sent replies; it does no I/O and reads no clock. A
driver performs each step on a port, whose methods are plain for a sync program and coroutines
for an async one: the two drivers differ only by ``await``.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from flex_tokenstore._values.secret import Secret
    from flex_tokenstore._values.token import Token

    from .state import State


class Port(Protocol):
    """Where steps are performed. A driver's port; each method returns a value or a coroutine."""

    def load(self) -> Any: ...
    def save(self, token: Token, expected: str | None) -> Any: ...
    def prepare(self, expected: str | None) -> Any: ...
    def remove(self, expected: str | None) -> Any: ...
    def lock(self, wait: float, lease: float) -> Any: ...
    def unlock(self) -> Any: ...
    def refresh(self, refresh_token: Secret[str]) -> Any: ...
    def sign_in(self) -> Any: ...
    def revoke(self, token: Token) -> Any: ...
    # Positional only, as time.sleep has it.
    def pause(self, seconds: float, /) -> Any: ...


class Reply(NamedTuple):
    """What came of a step, and when it had come.

    ``monotonic`` and ``wall`` are in seconds, as ``time.monotonic()`` and ``time.time()``.
    """

    value: Any
    error: Exception | None
    monotonic: float
    wall: float


@dataclass(frozen=True, slots=True)
class Load:
    """Read the store."""

    def perform(self, port: Port) -> Any:
        return port.load()


@dataclass(frozen=True, slots=True)
class Save:
    """Replace what is stored, if its revision is ``expected``."""

    token: Token
    expected: str | None

    def perform(self, port: Port) -> Any:
        return port.save(self.token, self.expected)


@dataclass(frozen=True, slots=True)
class Prepare:
    """Find out whether a save that expects ``expected`` would be refused for good."""

    expected: str | None

    def perform(self, port: Port) -> Any:
        return port.prepare(self.expected)


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove what is stored; corrupt content is moved aside."""

    expected: str | None

    def perform(self, port: Port) -> Any:
        return port.remove(self.expected)


@dataclass(frozen=True, slots=True)
class Lock:
    """Acquire the token lock; returns the monotonic time at which its lease expires, or None."""

    wait: float
    lease: float

    def perform(self, port: Port) -> Any:
        return port.lock(self.wait, self.lease)


@dataclass(frozen=True, slots=True)
class Unlock:
    """Release it."""

    def perform(self, port: Port) -> Any:
        return port.unlock()


@dataclass(frozen=True, slots=True)
class Request:
    """Ask for a token, with the refresh token or, without one, the client secret."""

    refresh_token: Secret[str] | None

    def perform(self, port: Port) -> Any:
        if self.refresh_token is None:
            return port.sign_in()
        return port.refresh(self.refresh_token)


@dataclass(frozen=True, slots=True)
class Revoke:
    """Have the server revoke the token."""

    token: Token

    def perform(self, port: Port) -> Any:
        return port.revoke(self.token)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float

    def perform(self, port: Port) -> Any:
        return port.pause(self.seconds)


Step = Load | Save | Prepare | Remove | Lock | Unlock | Request | Revoke | Pause


def do(state: State, step: Step) -> Generator[Step, Reply, Reply]:
    """Has a step performed, and notes the time of its reply."""
    reply = yield step
    state.monotonic, state.wall = reply.monotonic, reply.wall
    return reply


def must(state: State, step: Step) -> Generator[Step, Reply, None]:
    """Has a step performed; raises its error."""
    reply = yield from do(state, step)
    if reply.error is not None:
        raise reply.error
