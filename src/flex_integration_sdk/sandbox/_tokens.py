"""The authorization server's memory."""

from __future__ import annotations

import itertools
import secrets
import time
from typing import Any

from ._settings import SandboxSettings

COUNTERS = (
    "client_credentials",
    "refresh_token",
    "refresh_rejected",
    "revoke",
    "api_calls",
    "unauthorized",
    "peak_token_requests_in_flight",
)


class Tokens:
    """Issues, rotates and revokes; counts what came over the wire."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self.stats = dict.fromkeys(COUNTERS, 0)
        self.in_flight = 0
        self._families = itertools.count(1)
        self._access: dict[str, tuple[int, float]] = {}
        self._live: dict[str, int] = {}
        self._dead: dict[str, int] = {}

    def expire(self) -> None:
        """All access tokens expire now."""
        self._access.clear()

    def accepts(self, access_token: str) -> bool:
        """Whether it is live."""
        found = self._access.get(access_token)
        return found is not None and time.monotonic() < found[1]

    def sign_in(self) -> dict[str, Any]:
        """The client-credentials grant's answer."""
        return self._issue(next(self._families), None)

    def refresh(self, refresh_token: str) -> dict[str, Any] | None:
        """The refresh grant's answer; None: rejected."""
        family = self._live.get(refresh_token)
        if family is None:
            if self.settings.reuse_revokes_family and refresh_token in self._dead:
                self._revoke(self._dead[refresh_token])
            return None
        if not self.settings.rotate:
            return self._issue(family, refresh_token)
        self._dead[refresh_token] = self._live.pop(refresh_token)
        return self._issue(family, None)

    def revoke(self, refresh_token: str) -> bool:
        """True if it was live."""
        family = self._live.get(refresh_token)
        if family is None:
            return False
        self._revoke(family)
        return True

    def _revoke(self, family: int) -> None:
        for token in [token for token, owner in self._live.items() if owner == family]:
            self._dead[token] = self._live.pop(token)
        for token in [token for token, found in self._access.items() if found[0] == family]:
            del self._access[token]

    def _issue(self, family: int, refresh_token: str | None) -> dict[str, Any]:
        access = f"access-{secrets.token_urlsafe(240)}"
        if refresh_token is None:
            refresh_token = f"refresh-{secrets.token_urlsafe(90)}"
            self._live[refresh_token] = family
        self._access[access] = (family, time.monotonic() + self.settings.access_ttl)
        return {
            "access_token": access,
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": self.settings.access_ttl,
            "scope": "integ",
        }
