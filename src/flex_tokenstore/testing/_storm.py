"""A model authorization server, and callers who all need a token at the same moment."""

from __future__ import annotations

import asyncio
import json
import socket
import socketserver
import threading
import time
from collections.abc import Mapping
from typing import Any

from flex_tokenstore import (
    AsyncTokenSession,
    AsyncTokenStore,
    GrantError,
    Secret,
    Token,
    TokenIdentity,
    TokenSession,
)

from ._handles import AsyncHandle, Handle
from ._tokens import SENTINEL

REQUEST_TIMEOUT = 10.0  # seconds


class AuthorizationServer:
    """Rotates refresh tokens and counts what it is asked, on loopback; JSON, a line each way.

    Args:
        latency: Seconds that a response takes.
    """

    def __init__(self, latency: float = 0.05) -> None:
        self.requests: list[str] = []
        self._latency = latency
        self._live: set[str] = set()
        self._issued = 0
        self._mutex = threading.Lock()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                question = json.loads(self.rfile.readline())
                time.sleep(outer._latency)
                self.wfile.write(json.dumps(outer._answer(question)).encode() + b"\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            # All callers of a storm connect at once; socketserver's default is 5.
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address: tuple[str, int] = ("127.0.0.1", self._server.server_address[1])
        # 0.05 s: how often it looks whether it is to shut down; the default is 0.5 s.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def issue(self, identity: TokenIdentity, *, age: float) -> Token:
        """A token as another program stored it ``age`` seconds ago."""
        return Token.issued(self._new(), identity_key=identity.key, obtained_at=time.time() - age)

    def _answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self._mutex:
            refresh_token = question.get("refresh_token")
            self.requests.append("sign_in" if refresh_token is None else "refresh")
            if refresh_token is not None:
                if refresh_token not in self._live:
                    return {"error": "invalid_grant"}
                self._live.discard(refresh_token)
        return self._new()

    def _new(self) -> dict[str, Any]:
        with self._mutex:
            self._issued += 1
            refresh_token = f"refresh-{self._issued}-{SENTINEL}"
            self._live.add(refresh_token)
            return {
                "access_token": f"access-{self._issued}-{SENTINEL}",
                "refresh_token": refresh_token,
                "token_type": "bearer",
                "expires_in": 3600,
            }


class Grants:
    """How a session asks that server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        return self._ask({"refresh_token": refresh_token.reveal()})

    def sign_in(self) -> Mapping[str, Any]:
        return self._ask({})

    def revoke(self, token: Token) -> None:
        """Not asked for in a storm."""

    def _ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        with socket.create_connection(self._address, timeout=REQUEST_TIMEOUT) as connection:
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as stream:
                return _checked(stream.readline())


class AsyncGrants:
    """The same, with coroutines."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        return await self._ask({"refresh_token": refresh_token.reveal()})

    async def sign_in(self) -> Mapping[str, Any]:
        return await self._ask({})

    async def revoke(self, token: Token) -> None:
        """Not asked for in a storm."""

    async def _ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        async with asyncio.timeout(REQUEST_TIMEOUT):
            reader, writer = await asyncio.open_connection(*self._address)
            try:
                writer.write(json.dumps(question).encode() + b"\n")
                return _checked(await reader.readline())
            finally:
                writer.close()
                await writer.wait_closed()


def _checked(line: bytes) -> Mapping[str, Any]:
    if not line:
        raise GrantError("no response", reason="transient")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise GrantError("the refresh token was rejected", reason="rejected")
    return answer


def storm(handles: list[Handle], address: tuple[str, int], callers: int) -> list[str]:
    """``callers`` ask for a token at once, spread over a session for each handle.

    Returns:
        The digests of the tokens that they got; the handles are closed.
    """
    if isinstance(handles[0], AsyncHandle):
        first: Handle = handles[0]
        stores: list[Any] = [handle.store for handle in handles]
        digests: list[str] = first.run(_storm_of_tasks(stores, address, callers))
        for handle in handles:
            handle.close()
        return digests
    return _storm_of_threads([handle.store for handle in handles], address, callers)


def _storm_of_threads(stores: list[Any], address: tuple[str, int], callers: int) -> list[str]:
    sessions = [_session(TokenSession, store, Grants(address)) for store in stores]
    results: list[str | Exception] = []
    barrier = threading.Barrier(callers)

    def call(session: TokenSession) -> None:
        barrier.wait(30)
        try:
            results.append(session.token().digest)
        except Exception as error:
            results.append(error)

    threads = [
        threading.Thread(target=call, args=(sessions[number % len(sessions)],))
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for session in sessions:
        session.close()
    return _digests(results)


async def _storm_of_tasks(
    stores: list[AsyncTokenStore], address: tuple[str, int], callers: int
) -> list[str]:
    sessions = [_session(AsyncTokenSession, store, AsyncGrants(address)) for store in stores]
    calls = [sessions[number % len(sessions)].token() for number in range(callers)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    for session in sessions:
        await session.aclose()
    return _digests([each.digest if isinstance(each, Token) else each for each in results])


def _session(cls: Any, store: Any, grants: Any) -> Any:
    return cls(store, grants, request_timeout=REQUEST_TIMEOUT, lock_timeout=60.0)


def _digests(results: list[Any]) -> list[str]:
    for each in results:
        if isinstance(each, BaseException):
            raise each
    return results
