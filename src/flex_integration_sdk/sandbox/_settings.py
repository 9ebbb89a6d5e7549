"""How a sandbox behaves."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from ._limits import Limits

AuthErrors = Literal["json", "text", "html"]
Seed = Literal["rich", "small"]
# Listings that a seed has by itself: others refer to them.
SEED_LISTINGS: dict[Seed, int] = {"rich": 250, "small": 12}
MOST_LISTINGS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """One sandbox's client and rules.

    Raises:
        ValueError: An id or secret is empty, the id is not valid Unicode, or a time is negative or
            not finite.
    """

    client_id: str = "sandbox-client"
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    access_ttl: float = 3600
    """Seconds that an access token lives; ``expires_in`` is this, rounded up to whole seconds."""
    rotate: bool = True
    """A refresh returns a new refresh token, and the old one is dead."""
    reuse_revokes_family: bool = False
    """The use of a dead refresh token revokes all that came of it (RFC 9700 section 4.14.2)."""
    latency_ms: float = 0
    """Milliseconds until a token request is answered; it is decided on arrival."""

    limits: Limits = "off"
    """Rate limits: ``dev``, as in development and test environments; ``live``; ``off``."""
    auth_errors: AuthErrors = "json"
    """How the authentication endpoints answer 401: ``json``, an OAuth error (RFC 6749 section 5.2);
    ``text``, the bare word ``Unauthorized``; ``html``, a page such as a gateway sends."""
    allow_hosts: tuple[str, ...] = ()
    """Names that clients may use for this machine, beside those of its loopback interface and the
    address that the sandbox listens on. A request for another host is refused: see
    ``browser_guard``."""
    strict: bool = False
    """Refuse with 400 what the live API only might refuse, such as an ``include`` of a relationship
    that its reference does not name. Without, such things are accepted."""
    file_verification: float = 0.5
    """Seconds that an uploaded file is ``pendingVerification`` before it is ``available``."""
    seed: Seed = "rich"
    """What a new marketplace has: ``rich``, 20 users and 250 listings in every state, and events of
    the last days; ``small``, a handful of each type, and no events."""
    listings: int | None = None
    """Number of listings of a new marketplace; None: as many as its seed has. The further ones are
    older than those of the seed. Up to 300 of them share one moment of creation, as after an
    import: a program that reads a large marketplace must take that."""
    page_wall: int = 10_000
    """A query that filters or sorts reaches so many items, however many it finds. Its ``meta`` has
    ``paginationLimit`` then, and a page beyond that is 400."""
    db: str | None = None
    """SQLite file that keeps the marketplace's data and the tokens (only their SHA-256 digests);
    None: all is gone when the sandbox ends. Only this user may read it (mode 0600)."""

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ValueError("client_id and client_secret must not be empty")
        # Each event holds the id, so a byte of another locale would cost every query of events.
        if self.client_id != self.client_id.encode(errors="replace").decode():
            raise ValueError("client_id contains characters that are not valid Unicode")
        if isinstance(given := cast("object", self.allow_hosts), str):
            raise ValueError(f"allow_hosts must be a tuple of names, not the string {given!r}")
        for name in ("access_ttl", "latency_ms", "file_verification"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{name} must be a number, 0 or more")
        if self.limits not in get_args(Limits):
            raise ValueError(f"limits must be one of {', '.join(get_args(Limits))}")
        if self.auth_errors not in get_args(AuthErrors):
            raise ValueError(f"auth_errors must be one of {', '.join(get_args(AuthErrors))}")
        if self.seed not in get_args(Seed):
            raise ValueError(f"seed must be one of {', '.join(get_args(Seed))}")
        least = SEED_LISTINGS[self.seed]
        if self.listings is not None and not is_whole(self.listings, least, MOST_LISTINGS):
            raise ValueError(
                f"listings must be a whole number from {least}, those of the seed {self.seed}, "
                f"to {MOST_LISTINGS}"
            )
        if not is_whole(self.page_wall, 1):
            raise ValueError("page_wall must be a whole number, 1 or more")

    @property
    def event_days(self) -> int:
        """Days that an event is kept: 7 in development and test environments, 90 in live ones."""
        return 7 if self.limits == "dev" else 90


def is_whole(value: object, least: int, most: float = math.inf) -> bool:
    """Whether it is a whole number in these bounds."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
