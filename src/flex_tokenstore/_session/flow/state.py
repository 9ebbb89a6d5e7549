"""What a session knows, as plain data. Times are in seconds; no clock is read here."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from flex_tokenstore._events.event import Note
from flex_tokenstore._values.token import digest_of

if TYPE_CHECKING:
    from flex_tokenstore._events.event import EventName
    from flex_tokenstore._values.secret import Secret
    from flex_tokenstore._values.token import Token

Origin = Literal["adopted", "refreshed", "signed_in"]

CLOCK_SKEW = 60.0  # seconds that the clocks of two hosts may differ by
MINUTE = 60.0  # seconds: the time in which refreshes and sign-ins after 401s are counted
REMEMBERED = 256  # digests of each kind; an old one is of a token that nobody sends any more


@dataclass(frozen=True, slots=True)
class Policy:
    """How a session behaves; see :class:`TokenSession` for the meaning and the units."""

    request_timeout: float = 15.0
    failure_window: float = 5.0
    lock_timeout: float | None = None
    on_store_error: Literal["raise", "memory"] = "raise"

    @property
    def lease(self) -> float:
        """Two tries of one request, and time to save."""
        return 2 * self.request_timeout + 5

    @property
    def lock_wait(self) -> float:
        """Long enough for the lease of a holder that died to expire."""
        return self.lock_timeout if self.lock_timeout is not None else self.lease + 10


@dataclass(frozen=True, slots=True)
class Held:
    """The token in memory. The times are monotonic; ``None``: not known.

    ``ahead`` is how far the wall clock was ahead of the monotonic one, which stands still while
    the machine sleeps: whichever is later counts.
    """

    token: Token
    renew_at: float
    expires_at: float | None
    ahead: float

    def alive(self, monotonic: float, wall: float) -> bool:
        """It has not expired, as far as is known."""
        return self.expires_at is None or self.now(monotonic, wall) < self.expires_at

    def due(self, monotonic: float, wall: float) -> bool:
        """It should be refreshed."""
        return self.now(monotonic, wall) >= self.renew_at

    def now(self, monotonic: float, wall: float) -> float:
        """The time to compare its times with."""
        return max(monotonic, wall - self.ahead)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A token whose save failed, and the revision that the save expected."""

    token: Token
    expected: str | None
    retry_at: float
    quiet: float
    """Seconds for which further failures are not reported."""
    quiet_until: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a token request, or of a look at the store."""

    token: Token
    origin: Origin
    held: Held | None
    """None: the token serves the waiting calls and is then forgotten."""
    final: bool = False
    """No other token is better, though the API refused it: its 401 is to be believed."""


class Digests:
    """The last few secrets of a kind, by digest; threads may use it at once."""

    def __init__(self) -> None:
        self._digests: dict[str, None] = {}

    def add(self, secret: Secret[str]) -> None:
        self._digests[digest_of(secret.reveal())] = None
        while len(self._digests) > REMEMBERED:
            # Another thread may add or drop one between these steps; the next round sees it.
            with contextlib.suppress(RuntimeError, StopIteration):
                self._digests.pop(next(iter(self._digests)), None)

    def discard(self, secret: Secret[str]) -> None:
        self._digests.pop(digest_of(secret.reveal()), None)

    def __contains__(self, secret: Secret[str]) -> bool:
        return digest_of(secret.reveal()) in self._digests


@dataclass(slots=True)
class State:
    """One session's knowledge. ``monotonic`` and ``wall`` are the times of the last reply."""

    identity_key: str
    compare_and_set: bool
    policy: Policy
    read_only: bool = False
    """It uses the token that another program renews, and changes nothing."""
    held: Held | None = None
    refused: Digests = field(default_factory=Digests)
    """Access tokens that the API answered with 401."""
    dead: Digests = field(default_factory=Digests)
    """Refresh tokens that the server rejected."""
    spent: Digests = field(default_factory=Digests)
    """Refresh tokens that brought an access token which the API refused at once."""
    benched: Held | None = None
    """The token that was held when the API refused it, until there is a better one."""
    believed: dict[str, float] = field(default_factory=dict)
    """Endpoints whose 401 is believed, and until when (monotonic)."""
    fruitless: list[float] = field(default_factory=list)
    """Monotonic times of the last refreshes whose token the API refused at once."""
    sign_ins: list[float] = field(default_factory=list)
    """Wall times of the last sign-ins that 401s of the API caused, of all this process's sessions
    of this token."""
    doubt: tuple[Secret[str], float, int] | None = None
    """A refresh token whose refusal may be a gateway's, since when (monotonic), and how often."""
    rejection: str | None = None
    """What the server said when it last rejected a refresh token."""
    unsaved: Unsaved | None = None
    own: Token | None = None
    """The token this session got while the store was down (``on_store_error="memory"``)."""
    failure: Exception | None = None
    failure_until: float = 0.0
    monotonic: float = 0.0
    wall: float = 0.0
    lease_end: float | None = None
    notes: list[Note] | None = None
    """What happened, for whoever drives the flow to take and report; None: nobody does."""

    def note(self, name: EventName, token: Token | None = None, **fields: Any) -> None:
        """Notes an event, for operators; no decision depends on it."""
        if self.notes is not None:
            digest = None if token is None else token.digest
            self.notes.append(Note(name, digest=digest, **fields))

    def lease_is_short(self) -> bool:
        """Less of the lease is left than one request may take: no request is sent, since another
        program's could be sent before it ends."""
        end = self.lease_end
        return end is not None and end - self.monotonic < self.policy.request_timeout

    def may_move_aside(self) -> bool:
        """Whether corrupt content may be moved aside: another program may hold the lock, and have
        replaced that content, by the time it is moved."""
        return not self.lease_is_short()

    def may_write(self) -> bool:
        """Whether a save may be tried. Without compare-and-set only the lock keeps a newer token
        from being overwritten, and the lease must not be over."""
        # Not lease_is_short(): that is about a request, which takes longer than a save.
        over = self.lease_end is not None and self.monotonic >= self.lease_end
        return self.compare_and_set or not over
