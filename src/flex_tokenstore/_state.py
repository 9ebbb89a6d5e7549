"""What a session knows, as plain data, and the judgements made on it.

No I/O, no clock: times come in as arguments, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ._events import Note
from ._token import digest_of
from .errors import GrantError

if TYPE_CHECKING:
    from ._events import EventName
    from ._secret import Secret
    from ._token import Token

Origin = Literal["adopted", "refreshed", "signed_in"]

MARGIN = 30.0
MARGIN_SHARE = 0.1
CLOCK_SKEW = 60.0
BUSY_PAUSE = 1.0  # between tries to renew early while another holds the lock
FIRST_BACK_OFF = 1.0
LAST_BACK_OFF = 5.0  # once the store is back, others wait for the token
REMEMBERED = 256


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
        """Long enough for the lease of a holder that died to end."""
        return self.lock_timeout if self.lock_timeout is not None else self.lease + 10


@dataclass(frozen=True, slots=True)
class Held:
    """The token in memory; the times are monotonic, None: not known."""

    token: Token
    renew_at: float
    expires_at: float | None

    def alive(self, monotonic: float) -> bool:
        return self.expires_at is None or monotonic < self.expires_at


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A token whose save failed, and the revision that the save expected."""

    token: Token
    expected: str | None
    retry_at: float
    back_off: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a renewal came to."""

    token: Token
    origin: Origin
    held: Held | None
    """None: the token serves the waiting calls and is then forgotten."""


class Digests:
    """The last few secrets of a kind, by digest."""

    def __init__(self) -> None:
        self._digests: dict[str, None] = {}

    def add(self, secret: Secret[str]) -> None:
        self._digests[digest_of(secret.reveal())] = None
        while len(self._digests) > REMEMBERED:
            del self._digests[next(iter(self._digests))]

    def __contains__(self, secret: Secret[str]) -> bool:
        return digest_of(secret.reveal()) in self._digests


@dataclass(slots=True)
class State:
    """One session's knowledge. ``monotonic`` and ``wall`` are the times of the last reply."""

    identity_key: str
    compare_and_set: bool
    policy: Policy
    held: Held | None = None
    refused: Digests = field(default_factory=Digests)
    """Access tokens that the API answered with 401."""
    dead: Digests = field(default_factory=Digests)
    """Refresh tokens that the server rejected."""
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

    def usable(self, token: Token) -> bool:
        """Of this identity, not refused, and not within the margin of its expiry."""
        if not self._acceptable(token):
            return False
        left = self._seconds_left(token)
        return left is None or left > _margin(token)

    def still_works(self, token: Token) -> bool:
        """Not refused and not expired, though perhaps within the margin."""
        if not self._acceptable(token):
            return False
        left = self._seconds_left(token)
        return left is None or left > 0

    def adopt(self, token: Token | None) -> Outcome | None:
        """Takes a token that another stored, if usable."""
        if token is None or not self.usable(token):
            return None
        self.note_adopted(token)
        self.note_settled(token.revision)
        self.unsaved = self.own = None
        return Outcome(token, "adopted", self.hold(token))

    def note_adopted(self, token: Token) -> None:
        """Notes that a token from the store is taken, unless it is the one in memory."""
        if self.held is None or self.held.token.access_token != token.access_token:
            self.note("adopted", token)

    def share(self, outcome: Outcome, *, own: bool) -> bool:
        """Takes what a flight came to; False: it is of no use here.

        Args:
            outcome: Of a flight that a caller waited for.
            own: It was this session's, whose memory had it when it landed, and may know more now.
        """
        if not self._acceptable(outcome.token):
            return False
        if outcome.held is not None and not own:
            self.held = outcome.held
        return True

    def hold(self, token: Token, sent_at: float | None = None) -> Held:
        """Keeps ``token`` in memory.

        Args:
            token: A token of this identity.
            sent_at: Monotonic time at which this process asked for it; None: another did, and
                only the wall clock tells its age.
        """
        if sent_at is not None and token.lifetime is not None:
            expires: float | None = sent_at + token.lifetime
        else:
            left = self._seconds_left(token)
            expires = None if left is None else self.monotonic + left
        renew = float("inf") if expires is None else expires - _margin(token)
        self.held = Held(token, renew, expires)
        return self.held

    def postpone(self, until: float) -> None:
        """Lets the held token serve without another look until then, or until it expires."""
        held = self.held
        if held is not None:
            until = until if held.expires_at is None else min(until, held.expires_at)
            self.held = Held(held.token, until, held.expires_at)

    def refuse(self, token: Token, origin: Origin, monotonic: float) -> None:
        """The API answered 401 to ``token``, which the call got by ``origin``."""
        self.refused.add(token.access_token)
        held = self.held
        if held is not None and held.token.access_token == token.access_token:
            self.held = None
            in_its_life = held.alive(monotonic)
            if origin == "refreshed" and in_its_life and token.refresh_token is not None:
                self.dead.add(token.refresh_token)

    def choose(self, stored: Token | None) -> Secret[str] | None:
        """The refresh token to use next; None: only the client credentials are left."""
        pending = self.unsaved.token if self.unsaved is not None else None
        for token in (pending, stored):
            refresh = token.refresh_token if token is not None else None
            if refresh is not None and refresh not in self.dead:
                return refresh
        return None

    def note_issued(
        self, token: Token, refresh: Secret[str] | None, seconds: float, why: str
    ) -> None:
        """Notes that the server gave ``token`` for ``refresh`` or, without one, the secret."""
        if refresh is not None:
            self.note("refreshed", token, seconds=seconds, grant_type="refresh_token")
            return
        grant: Any = {"grant_type": "client_credentials", "secret_sent": True}
        self.note("signed_in", token, reason=why, seconds=seconds, **grant)

    def note_not_issued(
        self, error: Exception, refresh: Secret[str] | None, seconds: float
    ) -> None:
        """Notes that a token request gave none."""
        reason = error.reason if isinstance(error, GrantError) else "failed"
        sent = error.sent if isinstance(error, GrantError) else True
        self.note(
            "refresh_rejected"
            if reason == "rejected" and refresh is not None
            else "request_failed",
            reason=reason if sent else "not_sent",
            seconds=seconds,
            grant_type="client_credentials" if refresh is None else "refresh_token",
            secret_sent=sent and refresh is None,
            error=error,
        )

    def why_sign_in(self, stored: Token | None) -> str:
        """Why :meth:`choose` found no refresh token."""
        pending = self.unsaved.token if self.unsaved is not None else None
        tokens = [token for token in (pending, stored) if token is not None]
        if any(token.refresh_token is not None for token in tokens):
            return "rejected"
        return "no_refresh_token" if tokens else "empty"

    def settle_unsaved(self, stored: str | None) -> None:
        """Drops the unsaved token if the store holds it after all, or has changed."""
        unsaved = self.unsaved
        if unsaved is None or stored == unsaved.expected:
            return
        self.note_settled(stored)
        self.unsaved = None

    def note_settled(self, stored: str | None) -> None:
        """Notes what became of the unsaved token, if there is one: the store was read."""
        unsaved = self.unsaved
        if unsaved is None:
            return
        if stored == unsaved.token.revision:
            self.note("saved", unsaved.token, reason="after_all")
        else:
            reason = "removed" if stored is None else "replaced"
            self.note("discarded", unsaved.token, reason=reason)

    def keep_unsaved(self, token: Token, expected: str | None, error: Exception) -> None:
        """Remembers a token whose save failed, to be saved later."""
        again = self.unsaved is not None and self.unsaved.token.revision == token.revision
        back_off = FIRST_BACK_OFF
        if again and self.unsaved is not None:
            back_off = min(2 * self.unsaved.back_off, LAST_BACK_OFF)
        self.unsaved = Unsaved(token, expected, self.monotonic + back_off, back_off)
        self.note("save_failed", token, seconds=back_off, error=error)

    def keep_own(self, token: Token, refresh: Secret[str] | None) -> None:
        """Remembers a token had while the store was down, with ``refresh`` or a sign-in."""
        unsaved = self.unsaved
        if refresh is not None and unsaved is not None and unsaved.token.refresh_token == refresh:
            # The refresh token of the unsaved one is used up: this one is to be saved instead.
            self.unsaved = replace(unsaved, token=token)
        else:
            self.own = token

    def forget(self) -> None:
        """Nothing is known any more: revoked or removed."""
        self.held = self.unsaved = self.own = None

    def lease_is_short(self) -> bool:
        """Less of the lease is left than one request may take."""
        end = self.lease_end
        return end is not None and end - self.monotonic < self.policy.request_timeout

    def lease_is_over(self) -> bool:
        return self.lease_end is not None and self.monotonic >= self.lease_end

    def _acceptable(self, token: Token) -> bool:
        return token.identity_key == self.identity_key and token.access_token not in self.refused

    def _seconds_left(self, token: Token) -> float | None:
        if token.expires_at is None or token.obtained_at is None:
            return None
        if token.obtained_at > self.wall + CLOCK_SKEW:
            return None  # one of the clocks is wrong: the token is used until refused
        return token.expires_at - self.wall


def _margin(token: Token) -> float:
    return MARGIN if token.lifetime is None else min(MARGIN, MARGIN_SHARE * token.lifetime)
