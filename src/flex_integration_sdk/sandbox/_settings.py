"""How a sandbox behaves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """One sandbox's client and rules."""

    client_id: str = "sandbox-client"
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    access_ttl: float = 3600
    """Seconds that an access token lives."""
    rotate: bool = True
    """A refresh gives a new refresh token, and the old one is dead."""
    reuse_revokes_family: bool = False
    """The use of a dead refresh token revokes all that came of it (RFC 9700 section 4.14.2)."""
    latency_ms: float = 0
    """Milliseconds until a token request is answered; it is decided on arrival."""
