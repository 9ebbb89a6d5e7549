"""What a session knows, as plain data, and the judgements made on it.

No I/O, no clock: times come in as arguments, in seconds.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from .._events.event import Note
from .._values.token import digest_of
from ..errors import GrantError

if TYPE_CHECKING:
    from .._events.event import EventName
    from .._values.secret import Secret
    from .._values.token import Token

Origin = Literal["adopted", "refreshed", "signed_in"]

MARGIN = 30.0
MARGIN_SHARE = 0.1
CLOCK_SKEW = 60.0
BUSY_PAUSE = 1.0  # between tries to refresh early while another holds the lock
# Between two tries to save a token that exists nowhere else: the store may come back after the
# lock's lease has expired, and then whoever finds it first uses up the old refresh token.
SAVE_PAUSE = 0.5
QUIET = 1.0  # seconds until a failed save is reported again; doubled each time
MOST_QUIET = 60.0
REMEMBERED = 256
# A 401 that a fresh sign-in did not help against is believed for so long, for its endpoint.
BELIEVED = 60.0
# In a minute: sign-ins of one identity, and refreshes of one session, that only 401s of the API
# caused. A server in need answers 401 to everyone, and the secret must not go out for each call.
MINUTE = 60.0
MOST_SIGN_INS = 6
MOST_FRUITLESS = 6
# Refusals of a refresh token that may be a gateway's: so many, over so many seconds, are believed.
DOUBTS = 3
DOUBTED = 60.0
MOST_RETRY_AFTER = 300.0  # seconds that a server can make us wait, whatever it asks for


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
    """There is no better one, though the API refused it: its 401 is to be believed."""


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
        if self.held is not None and self.held.token.access_token != token.access_token:
            self.believed.clear()  # they may accept this one
        self.unsaved = None
        self.forget_own()
        return Outcome(token, "adopted", self.hold(token))

    def note_adopted(self, token: Token) -> None:
        """Notes that a token from the store is taken, unless it is the one in memory."""
        if self.held is None or self.held.token.access_token != token.access_token:
            self.note("adopted", token)

    def share(self, outcome: Outcome, *, own: bool) -> bool:
        """Takes the outcome of another caller's refresh; False: it is of no use here.

        Args:
            outcome: Of a refresh that a caller waited for.
            own: It was this session's own: its memory took it then, and may know more now.
        """
        if not self._is_ours(outcome.token):
            return False
        # Another call may have got a 401 with it meanwhile, at another endpoint perhaps. This one
        # tries it all the same: a call to the API costs less than another token request.
        if outcome.final:
            if self.held is None or not own:
                self.settle_for(outcome.token)
        elif outcome.held is not None and not own and self._acceptable(outcome.token):
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
        self.benched = None
        self.held = Held(token, renew, expires, self.wall - self.monotonic)
        return self.held

    def postpone(self, until: float) -> None:
        """Lets the held token serve without another look until then, or until it expires."""
        held = self.held
        if held is not None:
            # What is left of its life, on a monotonic clock that may have stood still.
            left = held.now(self.monotonic, self.wall) - self.monotonic
            expires = None if held.expires_at is None else held.expires_at - left
            until = until if expires is None else min(until, expires)
            self.held = Held(held.token, until, expires, self.wall - self.monotonic)

    def refuse(self, token: Token, origin: Origin, monotonic: float, wall: float) -> None:
        """The API answered 401 to ``token``, which the call got by ``origin``."""
        self.refused.add(token.access_token)
        held = self.held
        if held is not None and held.token.access_token == token.access_token:
            self.held, self.benched = None, held
            if origin == "refreshed" and held.alive(monotonic, wall):
                self.fruitless[:] = [*self.fruitless[1 - MOST_FRUITLESS :], monotonic]
                if token.refresh_token is not None:
                    self.spent.add(token.refresh_token)

    def believes(self, endpoint: str, monotonic: float) -> bool:
        """This endpoint's 401 is not the token's fault."""
        return monotonic < self.believed.get(endpoint, 0.0)

    def believe(self, endpoint: str, monotonic: float) -> None:
        """No better token can be obtained: for a while this endpoint's 401 is passed on."""
        self.believed[endpoint] = monotonic + BELIEVED

    def refreshes_in_vain(self, monotonic: float) -> bool:
        """So often in the last minute that another refresh would not help either."""
        recent = [at for at in self.fruitless if monotonic - at < MINUTE]
        return len(recent) >= MOST_FRUITLESS

    def spend(self, refresh: Secret[str], token: Token) -> None:
        """The server repeats an access token that the API refused (a cache before it, perhaps):
        these refresh tokens are of no use."""
        self.spent.add(refresh)
        if token.refresh_token is not None:
            self.spent.add(token.refresh_token)

    def reinstate(self) -> None:
        """No better token could be obtained: the one that the API refused serves those endpoints
        that take it."""
        held, self.benched = self.benched, None
        if self.held is None and held is not None and held.alive(self.monotonic, self.wall):
            self.refused.discard(held.token.access_token)
            if held.token.refresh_token is not None:
                self.spent.discard(held.token.refresh_token)
            self.held = held

    def settle_for(self, token: Token) -> Outcome:
        """Goes on with a token that the API refused: there is no better one, and other endpoints
        may take it."""
        self.refused.discard(token.access_token)
        if token.refresh_token is not None:
            self.spent.discard(token.refresh_token)
        self.failure = None
        return Outcome(token, "adopted", self.hold(token), final=True)

    def caused_by_api(self, stored: Token | None) -> bool:
        """A sign-in now is due to a 401 of the API, and not to an empty store or to time."""
        pending = self.unsaved.token if self.unsaved is not None else None
        # The last one is all that is known of a store that is down by now.
        benched = self.benched.token if self.benched is not None else None
        tokens = (pending, stored, benched)
        return any(token is not None and token.access_token in self.refused for token in tokens)

    def recent_sign_ins(self, stored: Token | None) -> list[float]:
        """Wall times of what :attr:`sign_ins` means, of other processes too, in the last minute."""
        # If the store is down by now: what the last token from it says.
        tokens = [stored, *(held.token for held in (self.held, self.benched) if held is not None)]
        known = self._known_sign_ins([token for token in tokens if token is not None])
        # Clocks of hosts differ: what seems to be of the near future counts too.
        return sorted(at for at in known if -CLOCK_SKEW <= self.wall - at < MINUTE)[-MOST_SIGN_INS:]

    def _known_sign_ins(self, tokens: list[Token]) -> set[float]:
        """Those of this process, and those of other programs, which wrote them into the tokens
        that they stored."""
        return {*self.sign_ins, *(at for token in tokens for at in token.sign_ins)}

    def believes_refusal(self, error: GrantError, refresh: Secret[str]) -> bool:
        """Whether this token request's failure is the server's refusal of the refresh token.

        One that somebody else may have given ("doubtful") counts once nothing else has come for a
        minute and three tries, so that nobody is locked out for good.
        """
        if error.reason == "rejected":
            return True
        if error.reason != "doubtful":
            self.doubt = None
            return False
        since, times = self.monotonic, 0
        if self.doubt is not None and self.doubt[0] == refresh:
            _, since, times = self.doubt
        self.doubt = (refresh, since, times + 1)
        return times + 1 >= DOUBTS and self.monotonic - since >= DOUBTED

    def choose(self, stored: Token | None) -> Secret[str] | None:
        """The refresh token to use next; None: only the client credentials are left."""
        pending = self.unsaved.token if self.unsaved is not None else None
        for token in (pending, stored):
            refresh = token.refresh_token if token is not None else None
            if refresh is not None and refresh not in self.dead and refresh not in self.spent:
                return refresh
        return None

    def note_issued(
        self, token: Token, refresh: Secret[str] | None, seconds: float, why: str
    ) -> None:
        """Notes that the server issued ``token`` for ``refresh`` or, without one, the secret."""
        if refresh is not None:
            self.note("refreshed", token, seconds=seconds, grant_type="refresh_token")
            return
        grant: Any = {"grant_type": "client_credentials", "secret_sent": True}
        self.note("signed_in", token, reason=why, seconds=seconds, **grant)

    def renew_trust(self, token: Token) -> None:
        """A sign-in brought ``token``: its refresh token is as good as new, even if it is one that
        was of no use before. There are servers that have one for each client."""
        if token.refresh_token is not None:
            self.dead.discard(token.refresh_token)
            self.spent.discard(token.refresh_token)

    def note_not_issued(
        self, error: Exception, refresh: Secret[str] | None, seconds: float
    ) -> None:
        """Notes that a token request failed."""
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
        before, now = self.unsaved, self.monotonic
        quiet, quiet_until = QUIET, now + QUIET
        loud = True
        if before is not None and before.token.revision == token.revision:
            quiet, quiet_until, loud = before.quiet, before.quiet_until, now >= before.quiet_until
            if loud:  # less and less often: a store may be down for hours
                quiet = min(2 * quiet, MOST_QUIET)
                quiet_until = now + quiet
        self.unsaved = Unsaved(token, expected, now + SAVE_PAUSE, quiet, quiet_until)
        if loud:
            self.note("save_failed", token, seconds=SAVE_PAUSE, error=error)

    def keep_own(self, token: Token, refresh: Secret[str] | None) -> None:
        """Remembers a token obtained while the store was down, with ``refresh`` or a sign-in."""
        unsaved = self.unsaved
        if refresh is not None and unsaved is not None and unsaved.token.refresh_token == refresh:
            # The refresh token of the unsaved one is used up: this one is to be saved instead.
            self.unsaved = replace(unsaved, token=token)
        else:
            self.own = token

    def forget_own(self) -> None:
        """The store is back and holds a token, or will: all programs share that one."""
        self.own = None

    def forget(self) -> None:
        """Nothing is known any more: revoked or removed."""
        self.held = self.unsaved = self.own = self.benched = None

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
        over = self.lease_end is not None and self.monotonic >= self.lease_end
        return self.compare_and_set or not over

    def _acceptable(self, token: Token) -> bool:
        return self._is_ours(token) and token.access_token not in self.refused

    def _is_ours(self, token: Token) -> bool:
        """Programs with different identities may share a store, and a process: no token of one
        serves another."""
        return token.identity_key == self.identity_key

    def _seconds_left(self, token: Token) -> float | None:
        if token.expires_at is None or token.obtained_at is None:
            return None
        if token.obtained_at > self.wall + CLOCK_SKEW:
            return None  # one of the clocks is wrong: the token is used until refused
        return token.expires_at - self.wall


def _margin(token: Token) -> float:
    return MARGIN if token.lifetime is None else min(MARGIN, MARGIN_SHARE * token.lifetime)
