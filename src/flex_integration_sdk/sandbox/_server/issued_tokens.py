"""The tokens that the authorization server has issued."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

from flex_integration_sdk.sandbox._data.database import Database
from flex_integration_sdk.sandbox._settings import SandboxSettings

COUNTERS = (
    "client_credentials",
    "refresh_token",
    "refresh_rejected",
    "revoke",
    "api_calls",
    "unauthorized",
    "faults",
    "peak_token_requests_in_flight",
)

# What came of one sign-in is a family. Times are Unix seconds, since a sandbox that is started
# again on its file goes on with its tokens.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS access_token (
    digest TEXT PRIMARY KEY, family INTEGER NOT NULL, ends REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS access_token_ends ON access_token (ends);
CREATE TABLE IF NOT EXISTS refresh_token (
    digest TEXT PRIMARY KEY, family INTEGER NOT NULL, live INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS refresh_token_family ON refresh_token (family);
"""


class Tokens:
    """Issues, rotates and revokes tokens; counts the requests.

    Args:
        settings: The client and the rules.
        db: Keeps the tokens' SHA-256 digests, never the tokens.
    """

    def __init__(self, settings: SandboxSettings, db: Database) -> None:
        self.settings = settings
        self._db = db
        db.add_tables(_SCHEMA)
        self.stats = dict.fromkeys(COUNTERS, 0)
        self.in_flight = 0

    def reset(self) -> None:
        """Forgets everything."""
        self.stats = dict.fromkeys(COUNTERS, 0)
        with self._db.transaction():
            self._db.execute("DELETE FROM access_token")
            self._db.execute("DELETE FROM refresh_token")

    def expire(self) -> None:
        """Makes all access tokens expire now."""
        self._db.execute("DELETE FROM access_token")

    def accepts(self, access_token: str) -> bool:
        """Whether an access token works."""
        found = self._db.execute(
            "SELECT 1 FROM access_token WHERE digest = ? AND ends > ?",
            self._digest(access_token),
            time.time(),
        )
        return bool(found)

    def sign_in(self) -> dict[str, Any]:
        """The token response of the client-credentials grant."""
        with self._db.transaction():
            ((last,),) = self._db.execute("SELECT max(family) FROM refresh_token")
            return self._issue((last or 0) + 1, None)

    def refresh(self, refresh_token: str) -> dict[str, Any] | None:
        """The token response of the refresh grant; None: the refresh token is rejected."""
        with self._db.transaction():
            family, live = self._find(refresh_token)
            if not live:
                if self.settings.reuse_revokes_family:
                    self._revoke(family)
                return None
            if not self.settings.rotate:
                return self._issue(family, refresh_token)
            self._db.execute(
                "UPDATE refresh_token SET live = 0 WHERE digest = ?", self._digest(refresh_token)
            )
            return self._issue(family, None)

    def revoke(self, refresh_token: str) -> bool:
        """Revokes a token; True if it worked until now."""
        with self._db.transaction():
            family, live = self._find(refresh_token)
            if live:
                self._revoke(family)
            return live

    def _find(self, refresh_token: str) -> tuple[int, bool]:
        """The family of a refresh token, and whether it works."""
        rows = self._db.execute(
            "SELECT family, live FROM refresh_token WHERE digest = ?", self._digest(refresh_token)
        )
        return (rows[0][0], bool(rows[0][1])) if rows else (-1, False)

    def _revoke(self, family: int) -> None:
        self._db.execute("UPDATE refresh_token SET live = 0 WHERE family = ?", family)
        self._db.execute("DELETE FROM access_token WHERE family = ?", family)

    def _issue(self, family: int, refresh_token: str | None) -> dict[str, Any]:
        access, now = f"access-{secrets.token_urlsafe(240)}", time.time()
        if refresh_token is None:
            refresh_token = f"refresh-{secrets.token_urlsafe(90)}"
            self._db.execute(
                "INSERT INTO refresh_token VALUES (?, ?, 1)", self._digest(refresh_token), family
            )
        self._db.execute("DELETE FROM access_token WHERE ends <= ?", now)
        self._db.execute(
            "INSERT INTO access_token VALUES (?, ?, ?)",
            self._digest(access),
            family,
            now + self.settings.access_ttl,
        )
        return {
            "access_token": access,
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": self.settings.access_ttl,
            "scope": "integ",
        }

    def _digest(self, token: str) -> str:
        """A digest of token and client id: a token is never found for another client."""
        return hashlib.sha256(f"{self.settings.client_id}\n{token}".encode()).hexdigest()
