"""What sync and async sessions share: their state, and who may use which outcome."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .._events.dispatch import OnEvent, Reporter, refuse_within_report
from ..errors import GrantError, SessionClosedError, fresh_copy
from .flow import held_token, refusals
from .flow.state import Outcome, Policy, State
from .flow.steps import Reply, Save, Step
from .flow.unsaved_token import SAVE_PAUSE
from .single_flight import Abandoned, Flight, gate_for

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import FrameType

    from .._values.identity import TokenIdentity
    from .._values.secret import Secret
    from .._values.token import Token

OnStoreError = Literal["raise", "memory"]
FlowOf = Callable[[State], "Generator[Step, Reply, Any]"]
Report = Callable[["Step | None"], None]


class SessionBase:
    """See :class:`TokenSession`."""

    def __init__(
        self,
        store: Any,
        grants: Any,
        *,
        request_timeout: float = 15.0,
        failure_window: float = 5.0,
        lock_timeout: float | None = None,
        on_store_error: OnStoreError = "raise",
        on_event: OnEvent | None = None,
    ) -> None:
        if on_store_error not in ("raise", "memory"):
            raise ValueError('on_store_error must be "raise" or "memory"')
        if request_timeout <= 0:
            raise ValueError("request_timeout must be a positive number of seconds")
        # So written, since NaN is not less than 0 either.
        if lock_timeout is not None and not lock_timeout >= 0:
            raise ValueError("lock_timeout must be a number of seconds, or None")
        self.store = store
        self._grants = grants
        policy = Policy(request_timeout, failure_window, lock_timeout, on_store_error)
        identity, abilities, lock_key = store.identity, store.abilities, store.lock_key
        self._state = State(
            identity.key, abilities.compare_and_set, policy, read_only=abilities.read_only
        )
        self._limit = request_timeout
        # A session that renews must not wait for one that cannot, nor get its error.
        self._gate = gate_for(("read-only", lock_key) if abilities.read_only else lock_key)
        self._state.sign_ins = self._gate.sign_ins
        self._reporter = Reporter(store, on_event)
        self._closed = False  # no token request is begun any more
        self._ended = False  # the store is closed

    @property
    def identity(self) -> TokenIdentity:
        """Whose token it is."""
        identity: TokenIdentity = self.store.identity
        return identity

    @property
    def saved(self) -> bool:
        """False while a token is in use that could not be saved."""
        return self._state.unsaved is None and self._state.own is None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.identity.key} in {self.store.name!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a token session cannot be pickled: make one in each process")

    def _is_beneath(self, frame: FrameType | None) -> bool:
        """Whether a function of this session is on the stack that ends with ``frame``."""
        while (frame := frame.f_back if frame is not None else None) is not None:
            if frame.f_locals.get("self") is self:
                return True
        return False

    def _at_hand(self) -> Token | None:
        """The token in memory, if it needs no look at the store and the session is open."""
        # Each API call comes through here, so no lock is taken: 0.17 µs (docs/decisions/012). It is
        # read once, since another thread may replace it.
        held = self._state.held
        if held is None or self._closed:
            return None
        now = time.monotonic()
        unsaved = self._state.unsaved
        if held.due(now, time.time()) or (unsaved is not None and now >= unsaved.retry_at):
            return None
        return held.token

    def _until_save(self) -> float | None:
        """Seconds until an unsaved token is to be tried again; None: never."""
        unsaved = self._state.unsaved
        if unsaved is None or self._closed:
            return None
        # At random, so that the programs that a store's outage left behind do not come all at once.
        return random.uniform(SAVE_PAUSE, 2 * SAVE_PAUSE)  # noqa: S311 - a jitter

    def _meanwhile(self) -> Outcome | None:
        """For a call that finds a refresh under way: the old token, while it still works."""
        held = self._state.held
        if held is not None and held.alive(time.monotonic(), time.time()):
            return Outcome(held.token, "adopted", held)
        return None

    def _start(self, flow: Generator[Any, Reply, Any]) -> Generator[Any, Reply, Any]:
        self._state.monotonic, self._state.wall = time.monotonic(), time.time()
        self._state.lease_end = None
        self._state.notes = []
        return flow

    def _report(self, step: Step | None) -> None:
        """Hands on what the flow has noted so far; called before ``step`` and at the end."""
        # Nothing of the program's own runs between the server's response and its save.
        if self._state.notes and not isinstance(step, Save):
            notes, self._state.notes = self._state.notes, []
            self._reporter.report(notes)

    def _outcome(self, flight: Flight, leads: bool, tried: Sequence[Secret[str]]) -> Outcome | None:
        """A finished flight's outcome, if it is of use to this caller.

        Args:
            flight: What the caller waited for.
            leads: The caller started it.
            tried: Access tokens that the API refused to this caller.
        """
        if self._is_personal(flight, leads):
            return None
        error = flight.exception()
        if error is not None:
            raise fresh_copy(error)
        outcome: Outcome = flight.result()
        if self._came_too_soon(outcome, tried):
            return None
        return outcome if self._takes(outcome, own=flight.owner is self) else None

    def _takes(self, outcome: Outcome, *, own: bool) -> bool:
        """Takes the outcome of another caller's refresh; False: it is of no use here.

        Args:
            outcome: Of a refresh that a caller waited for.
            own: It was this session's own: its memory took it then, and may know more now.
        """
        state = self._state
        if not held_token.is_ours(state, outcome.token):
            return False
        # Another call may have got a 401 with it meanwhile, at another endpoint perhaps. This one
        # tries it all the same: a call to the API costs less than another token request.
        if outcome.final:
            if state.held is None or not own:
                refusals.settle_for(state, outcome.token)
        elif (
            outcome.held is not None and not own and held_token.is_acceptable(state, outcome.token)
        ):
            state.held = outcome.held
        return True

    def _is_personal(self, flight: Flight, leads: bool) -> bool:
        """Whether a finished flight's outcome is only for another caller.

        A revocation and a removal are only for their caller. So is Ctrl-C, in the thread of whoever
        led. A refused client secret is the matter of the session that has it, as is its loop.
        """
        error = flight.exception()
        if flight.private or isinstance(error, Abandoned):
            return True
        if error is not None and not isinstance(error, Exception):
            return not leads
        return flight.owner is not self and isinstance(error, (GrantError, SessionClosedError))

    def _came_too_soon(self, outcome: Outcome, tried: Sequence[Secret[str]]) -> bool:
        """Whether its token was obtained before the API refused that token to this caller.

        A 401 that only another call had does not count: that one may call another endpoint.
        """
        return not outcome.final and outcome.token.access_token in tried

    def _give_up(self) -> None:
        """Ends the token request under way at once, if the grants can."""
        abandon = getattr(self._grants, "abandon", None)
        if abandon is not None:
            abandon()

    def _check_open(self) -> None:
        refuse_within_report()
        if self._closed:
            raise SessionClosedError("this session is closed; make a new one")


def reply_to(value: Any, error: Exception | None) -> Reply:
    """A step's result, with the time at which it was there."""
    return Reply(value, error, time.monotonic(), time.time())
