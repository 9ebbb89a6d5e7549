"""Which store and record messages are about, and calls to its primitives, repeated where safe."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .._values.identity import TokenIdentity
from ..errors import TokenPermissionError, TokenUnavailableError
from ._record import Answer, Call, Kind, Sleep, Steps

PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds between two tries of what the server refuses for now
_MOVES = (Kind.LOST, Kind.SILENT, Kind.WRONG_SERVER)


class Words(NamedTuple):
    """How a store's messages name its parts."""

    record: str
    """What it keeps, such as "row" or "secret"."""
    elsewhere: str
    """The option to change if a record belongs to somebody else, such as "table"."""


class Where:
    """One record of one store.

    Args:
        store: The store's name, for messages.
        place: Where the record is, for people.
        identity: Whose token it is.
        timeout: Seconds that one call may take, with its repetitions.
        words: For messages.
        perform: Carries out one call.
    """

    def __init__(
        self,
        store: str,
        place: str,
        identity: TokenIdentity,
        timeout: float,
        words: Words,
        perform: Callable[[Call], Steps[Answer]],
    ) -> None:
        self.store = store
        self.place = place
        self.identity = identity
        self.timeout = timeout
        self.words = words
        self._perform = perform

    @property
    def about(self) -> dict[str, Any]:
        """What errors are made with."""
        return {"store": self.store, "place": self.place}

    def unavailable(self, reason: str, *, denied: bool = False) -> TokenUnavailableError:
        """The error to raise."""
        kind = TokenPermissionError if denied else TokenUnavailableError
        return kind(f"token store {self.store!r} at {self.place}: {reason}", **self.about)

    def call(self, name: str, *args: Any) -> Steps[Answer]:
        """Calls a primitive. Repeats it where that is safe; a refusal or an outage is raised.

        Every primitive may be repeated: a read changes nothing, a write compares, and a lock knows
        its owner. Who gets the answer to a repeated write must look whether the first was done.
        """
        step = Call(name, args)
        ends = time.monotonic() + self.timeout
        pauses = iter(PAUSES)
        moved: set[Kind] = set()
        again = False
        said = ""  # by a server that has closed the connection since, as one that is full does
        while True:
            answer = yield from self._perform(step)
            if answer.problem is None:
                return answer._replace(again=True) if again else answer
            kind = answer.problem.kind
            if kind is Kind.CHANGED:
                return Answer(answer.problem.found, changed=True, again=again)
            # Of BUSY too: a primitive may ask for several things, and a proxy may lose an answer.
            again = again or kind is not Kind.WRONG_SERVER
            # Once for each: when a server has died, its name may still lead to a former primary.
            in_time = kind is Kind.SILENT or time.monotonic() < ends
            if kind in _MOVES and kind not in moved and in_time:
                moved.add(kind)
                continue
            pause = next(pauses, None) if kind is Kind.BUSY else None
            if pause is not None:
                pause = answer.problem.pause + random.uniform(pause / 2, pause)  # noqa: S311 - a jitter
            if pause is None or time.monotonic() + pause > ends:
                denied = kind in (Kind.DENIED, Kind.WRONG_SERVER)
                text = said if kind is Kind.LOST and said else answer.problem.text
                raise self.unavailable(text, denied=denied)
            said = answer.problem.text
            yield Sleep(pause)
