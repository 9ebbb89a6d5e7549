"""A model authorization server and stores for the tests of the session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flex_tokenstore import GrantError, Secret, Token, TokenIdentity

IDENTITY = TokenIdentity("https://api.example.com", "my-client", "integ")


class Server:
    """Rotates refresh tokens, counts what it is asked, fails on demand."""

    def __init__(self, *, lifetime: float = 3600, rotate: bool = True) -> None:
        self.lifetime = lifetime
        self.rotate = rotate
        self.live: set[str] = set()
        self.access: set[str] = set()
        self.calls: list[str] = []
        self.failures: list[Exception | None] = []
        self.before: Callable[[], None] = lambda: None
        self.extra: dict[str, Any] = {}
        self._count = 0
        self._mutex = threading.Lock()

    def _issue(self) -> dict[str, Any]:
        self._count += 1
        access, refresh = f"access-{self._count}-SENTINEL", f"refresh-{self._count}-SENTINEL"
        self.live.add(refresh)
        self.access.add(access)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "bearer",
            "expires_in": self.lifetime,
            **self.extra,
        }

    def _enter(self, call: str) -> None:
        self.before()
        with self._mutex:
            self.calls.append(call)
            failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        self._enter("refresh")
        with self._mutex:
            if refresh_token.reveal() not in self.live:
                raise GrantError("the refresh token was rejected", reason="rejected")
            if not self.rotate:
                answer = self._issue()
                self.live.discard(answer.pop("refresh_token"))
                return answer
            self.live.discard(refresh_token.reveal())
            return self._issue()

    def sign_in(self) -> Mapping[str, Any]:
        self._enter("sign_in")
        with self._mutex:
            return self._issue()

    def revoke(self, token: Token) -> None:
        self._enter("revoke")
        with self._mutex:
            if token.access_token.reveal() not in self.access:
                raise GrantError("the access token was not accepted", reason="rejected")
            self.access.discard(token.access_token.reveal())
            if token.refresh_token is not None:
                self.live.discard(token.refresh_token.reveal())


class AsyncServer:
    """The same, with coroutines."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        return self.server.refresh(refresh_token)

    async def sign_in(self) -> Mapping[str, Any]:
        return self.server.sign_in()

    async def revoke(self, token: Token) -> None:
        self.server.revoke(token)


class DictStore:
    """The three methods and nothing else: no compare-and-set, no lock."""

    def __init__(self) -> None:
        self.token: dict[str, Any] | None = None
        self.reads = 0
        self.get_error: Exception | None = None
        self.set_errors: list[Exception] = []

    def get_token(self) -> dict[str, Any] | None:
        self.reads += 1
        if self.get_error is not None:
            raise self.get_error
        return self.token

    def set_token(self, token: dict[str, Any]) -> None:
        if self.set_errors:
            raise self.set_errors.pop(0)
        self.token = token

    def remove_token(self) -> None:
        self.token = None


def stored(server: Server, *, age: float = 0.0) -> dict[str, Any]:
    """A token of the server as another process stored it ``age`` seconds ago."""
    token = Token.issued(server._issue(), identity_key=IDENTITY.key, obtained_at=time.time() - age)
    return token.to_dict()
