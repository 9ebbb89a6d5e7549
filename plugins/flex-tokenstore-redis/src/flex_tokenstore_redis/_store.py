"""The store, for sync and for asyncio programs; they differ only by ``await``."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar, TypeVar

import redis
from redis.exceptions import NoScriptError

from flex_tokenstore import (
    Secret,
    TokenIdentity,
    TokenPermissionError,
    TokenUnavailableError,
    hookimpl,
)

from ._clients import ASYNC, SYNC, Kit, Made, let_go, make_client, reason_of
from ._keeper import Command, Keeper, Refused, Reply, Steps, server_of
from ._loops import Key, here, is_over, is_running
from ._options import STORE
from ._options import Options as RedisOptions
from ._refusals import is_refusal, only_refusals

T = TypeVar("T")

# At the start of the answer; within a script, servers before Redis 7 put where it happened first.
_is_wrong_type = re.compile(
    r"(ERR Error running script \(call to f_[0-9a-f]{40}\): @user_script:\d+: -?)?WRONGTYPE "
).match


class _Base:
    """What both have in common."""

    Options = RedisOptions
    _kit: ClassVar[Kit]

    def __init__(self, options: RedisOptions, identity: TokenIdentity) -> None:
        self._options = options
        self._keeper = Keeper(options, identity, server_of(options))
        self._made: dict[Key, Made] = {}
        if options.client is not None:
            # Both kinds of program have these options, so only the store knows which client it
            # needs.
            make_client(options, self._kit)  # says now that it is of the wrong kind

    @property
    def place(self) -> str:
        """Address and key, without user and password."""
        return self._keeper.place

    @hookimpl
    def lock_id(self) -> str:
        return f"{STORE}:{self.place}"

    def _connected(self) -> Made:
        # One for each process and event loop: a forked child does not use what its parent made,
        # sockets and all, and a loop cannot wait for what belongs to another.
        key = self._key()
        made = self._made.get(key)
        if made is None:
            self._let_go()
            # Of two threads that come here at once, both use the client that was set first.
            made = self._made.setdefault(key, make_client(self._options, self._kit))
        return made

    def _key(self) -> Key:
        return here()

    def _let_go(self) -> None:
        """Closes what belongs to event loops that are closed."""
        for key in [key for key in list(self._made) if is_over(key)]:
            made = self._made.pop(key, None)
            if made is not None:
                let_go(made)

    def _expected(self, error: Exception) -> Refused | None:
        if isinstance(error, NoScriptError):
            return Refused.NO_SCRIPT
        if isinstance(error, redis.ResponseError) and _is_wrong_type(str(error)):
            return Refused.WRONG_TYPE
        return None

    def _unavailable(self, reason: str, refused: bool) -> TokenUnavailableError:
        kind = TokenPermissionError if refused else TokenUnavailableError
        return kind(
            f"token store {STORE!r} at {self.place}: {reason}", store=STORE, place=self.place
        )


class RedisStore(_Base):
    """Keeps the token in Redis or Valkey, for all hosts that reach it."""

    _kit = SYNC
    async_class: ClassVar[type]  # set below: it is defined after this class

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return self._do(self._keeper.get())

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._do(self._keeper.put(token, expected))

    @hookimpl
    def prepare_save(self) -> None:
        with only_refusals():
            self._do(self._keeper.prepare())

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        self._do(self._keeper.put(None, expected))

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float]:
        with self._keeper.value() as value:
            end = self._do(self._keeper.take(value, wait, lease))
        pid = os.getpid()
        try:
            yield end
        finally:
            # After its end the lock may be held by another, and a forked child never holds it.
            if time.monotonic() < end and os.getpid() == pid:
                self._do(self._keeper.release(value))

    @hookimpl
    def close(self) -> None:
        made = self._made.pop(self._key(), None)
        for client in made.closing if made is not None else ():
            client.close()

    def _key(self) -> Key:
        return os.getpid(), None  # in an event loop too: threads may share it

    def _do(self, steps: Steps[T]) -> T:
        try:
            command = next(steps)
            while True:
                command = steps.send(self._send(command))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _send(self, command: Command) -> Reply:
        try:
            # A program's own client may decode replies; here bytes are hashed and parsed.
            return Secret(
                self._connected().client.execute_command(*_plain(command), NEVER_DECODE=True)
            )
        except Exception as error:  # noqa: BLE001 - whatever the driver raises
            expected = self._expected(error)
            if expected is not None:
                return expected
            reason, refused = reason_of(error, self._options), is_refusal(error)
        raise self._unavailable(reason, refused)  # outside: the driver's frames hold tokens


class AsyncRedisStore(_Base):
    """Keeps the token in Redis or Valkey, for all hosts that reach it."""

    _kit = ASYNC

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await self._do(self._keeper.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await self._do(self._keeper.put(token, expected))

    @hookimpl
    async def prepare_save(self) -> None:
        with only_refusals():
            await self._do(self._keeper.prepare())

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        await self._do(self._keeper.put(None, expected))

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float]:
        with self._keeper.value() as value:
            end = await self._do(self._keeper.take(value, wait, lease))
        pid = os.getpid()
        try:
            yield end
        finally:
            # As in the sync store: the lock may be held by another, or by the parent process.
            if time.monotonic() < end and os.getpid() == pid:
                await self._do(self._keeper.release(value))

    @hookimpl
    async def close(self) -> None:
        self._let_go()
        made = self._made.pop(here(), None)
        for client in made.closing if made is not None else ():
            await client.aclose()
        # What other loops that still run have open is closed by them.
        for key in [key for key in list(self._made) if is_running(key)]:
            for client in self._made.pop(key).closing:
                asyncio.run_coroutine_threadsafe(client.aclose(), key[1])  # type: ignore[arg-type]  # it runs

    async def _do(self, steps: Steps[T]) -> T:
        try:
            command = next(steps)
            while True:
                command = steps.send(await self._send(command))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _send(self, command: Command) -> Reply:
        try:
            return Secret(
                await self._connected().client.execute_command(*_plain(command), NEVER_DECODE=True)
            )
        except Exception as error:  # noqa: BLE001 - whatever the driver raises
            expected = self._expected(error)
            if expected is not None:
                return expected
            reason, refused = reason_of(error, self._options), is_refusal(error)
        raise self._unavailable(reason, refused)  # outside: the driver's frames hold tokens


RedisStore.async_class = AsyncRedisStore


def _plain(command: Command) -> Iterator[Any]:
    # What wraps redis-py (tracing, error trackers, a subclass that logs) records a command's
    # arguments: their repr, their str, or bytes decoded. A memoryview shows its content in none.
    return (memoryview(part.reveal()) if isinstance(part, Secret) else part for part in command)
