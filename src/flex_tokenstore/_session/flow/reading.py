"""Reading the store, also where what it holds is not a token."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple

from flex_tokenstore.errors import TokenConflictError, TokenCorruptError

from .steps import Load, Pause, Remove, Reply, Step, do

if TYPE_CHECKING:
    from flex_tokenstore._values.token import Token

    from .state import State

SECOND_LOOK = 0.5  # seconds before corrupt content is believed to stay so
MOST_LOOKS = 4  # at corrupt content that is another one each time: somebody is writing it


class Found(NamedTuple):
    """What the store holds: a token, nothing, or (``corrupt``) something that is not a token."""

    token: Token | None
    corrupt: TokenCorruptError | None = None

    @property
    def revision(self) -> str | None:
        return None if self.token is None else self.token.revision


def load(state: State) -> Generator[Step, Reply, Found]:
    reply = yield from do(state, Load())
    if isinstance(reply.error, TokenCorruptError):
        return Found(None, reply.error)
    if reply.error is not None:
        raise reply.error
    return Found(reply.value)


def read_locked(state: State) -> Generator[Step, Reply, Found]:
    """Reads the store once more, under the lock: another may have refreshed the token before.

    Corrupt content is moved aside, if it stays the same: it is not just being written.
    """
    found = yield from load(state)
    before = None
    for look in range(MOST_LOOKS):
        if found.corrupt is None:
            return found
        before = found.corrupt.revision
        yield from do(state, Pause(SECOND_LOOK))
        found = yield from load(state)
        if look > 0 and found.corrupt is not None and found.corrupt.revision == before:
            break
    corrupt = found.corrupt
    if corrupt is None:
        return found
    if corrupt.revision is None or corrupt.revision != before:
        raise corrupt  # it must be left where it is, or somebody is writing it
    # The lease is short: the caller releases the lock and begins again.
    if not state.may_move_aside():
        return found
    reply = yield from do(state, Remove(corrupt.revision))
    if isinstance(reply.error, TokenConflictError):
        found = yield from load(state)
        if found.corrupt is not None:
            raise found.corrupt  # not to be taken for an empty store
        return found
    if reply.error is not None:
        raise reply.error
    state.note("quarantined", error=corrupt)
    return Found(None)
