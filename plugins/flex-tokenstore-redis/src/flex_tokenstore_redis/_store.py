"""The store: how Redis keeps a record and a lock. The rest is the base's."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import redis
from redis.exceptions import ClusterError, NoScriptError, TryAgainError

from flex_tokenstore import Secret, TokenIdentity
from flex_tokenstore.records import (
    ABSENT,
    AsyncRecordStore,
    Busy,
    Changed,
    Problem,
    Record,
    RecordStore,
    Sleep,
    Steps,
)

from ._clients import ASYNC, SYNC, Kit, Made, abandon, given_client, make_client, read_files
from ._options import STORE
from ._options import Options as RedisOptions
from ._problems import is_wrong_type, problem_of
from ._scripts import ASIDE, PROVE, RELEASE, REPLACE, TAKE, Script

Version = Secret[bytes] | str | None  # the bytes that are stored; ANY_VERSION; or nothing
UNKNOWN = "?"  # a mark that nothing has
TURN = 0.05  # seconds between two looks at a lock that wakes nobody


class _Redis:
    """What both have in common: the primitives, as generators of commands."""

    Options = RedisOptions
    store = STORE
    record = "key"
    overwrites = True
    options: RedisOptions
    identity: TokenIdentity
    _kit: ClassVar[Kit]

    def __init__(self, options: RedisOptions, identity: TokenIdentity) -> None:
        super().__init__(options, identity)  # type: ignore[call-arg]  # the base's
        if options.client is not None:
            # Both kinds of program have these options, so only the store knows which client it
            # needs.
            given_client(options.client, self._kit)  # says now that it is of the wrong kind

    def key_of(self, identity: TokenIdentity) -> str:
        # In braces: a Cluster then keeps all keys of one identity in one slot.
        return f"{self.options.prefix}{{{identity.key}}}"

    def locate(self, key: str) -> str:
        return f"{self.options.server} key {key}"

    def describe(self, error: Exception) -> Problem | None:
        return problem_of(error, self.options)

    def read(self, client: Made, key: str) -> Steps[Record]:
        try:
            found: Secret[Any] = yield ("GET", key)
        except redis.ResponseError as error:  # GET refuses other types
            if not is_wrong_type(error):
                raise
            # The script reads any type, and writes nothing: no key has this mark.
            found = yield from _run(REPLACE, (key,), UNKNOWN, "", self.identity.key)
            return _record(found)
        # The bytes are their own version: their mark is made if it is to be compared.
        return ABSENT if found.reveal() is None else Record(found, found)

    def write(
        self, client: Made, key: str, data: Secret[bytes], version: Version
    ) -> Steps[Version]:
        yield from self._replace(key, data, version)
        return data

    def delete(self, client: Made, key: str, version: Version) -> Steps[None]:
        yield from self._replace(key, "", version)

    def put_aside(self, client: Made, key: str, name: str, record: Record) -> Steps[None]:
        found = yield from _run(ASIDE, (key, name), mark_of(record.version))
        if found.reveal() is not None:
            raise Changed(_record(found))

    def prove(self, client: Made, key: str, expected: str | None) -> Steps[None]:
        yield from _run(PROVE, (key,))

    def acquire(self, client: Made, key: str, owner: str, seconds: float) -> Steps[Busy | None]:
        # PX takes whole milliseconds above 0.
        milliseconds = max(1, int(seconds * 1000))
        reply = yield from self._locking(TAKE, key, owner, milliseconds)
        if reply.reveal() is None:
            return None
        last, left = reply.reveal()
        # PTTL returns -2 if the key has expired meanwhile, and -1 if it has no end.
        return Busy(last, left / 1000 if left >= 0 else None)

    def release(self, client: Made, key: str, owner: str) -> Steps[None]:
        yield from self._locking(RELEASE, key, owner)

    def await_release(self, client: Made, key: str, hint: bytes, seconds: float) -> Steps[bool]:
        if not hint:  # there is no stream
            yield Sleep(min(TURN, seconds))
            return False
        block = math.ceil(1000 * seconds) or 1  # BLOCK 0 would wait for ever
        news = yield ("XREAD", "BLOCK", block, "STREAMS", _wake_of(key), hint)
        return bool(news.reveal())

    def _replace(self, key: str, data: Secret[bytes] | str, version: Version) -> Steps[None]:
        found = yield from _run(REPLACE, (key,), mark_of(version), data, self.identity.key)
        if found.reveal() is not None:
            raise Changed(_record(found))

    def _locking(self, script: Script, key: str, *args: Any) -> Steps[Secret[Any]]:
        try:
            return (yield from _run(script, (key, _wake_of(key)), *args))
        except (redis.ResponseError, ClusterError) as error:
            # While a Cluster moves a slot, the two may be on two nodes; one is found anywhere.
            if not isinstance(error, (TryAgainError, ClusterError)) and not is_wrong_type(error):
                raise
        return (yield from _run(script, (key,), *args))


class RedisStore(_Redis, RecordStore):
    """Keeps the token in Redis or Valkey, for all hosts that reach it."""

    _kit = SYNC
    async_class: ClassVar[type]  # set below: it is defined after this class

    def connect(self) -> Made:
        if self.given:
            return Made(given_client(self.options.client, SYNC))
        return make_client(self.options, read_files(self.options), SYNC)

    def disconnect(self, client: Made) -> None:
        for pool in client.pools:  # those of a Cluster with TLS it does not close
            pool.disconnect()
        for each in client.closing:
            each.close()

    def drop_idle(self, client: Made) -> None:
        for pool in client.pools:
            pool.disconnect(inuse_connections=False)

    def send(self, client: Made, command: Any) -> Any:
        # A program's own client may decode replies; here bytes are hashed and parsed.
        return Secret(client.client.execute_command(*_plain(command), NEVER_DECODE=True))


class AsyncRedisStore(_Redis, AsyncRecordStore):
    """Keeps the token in Redis or Valkey, for all hosts that reach it."""

    _kit = ASYNC
    abandon = staticmethod(abandon)

    async def connect(self) -> Made:
        if self.given:
            return Made(given_client(self.options.client, ASYNC))
        slow = self.options.tls or self.options.password_file is not None
        read = partial(read_files, self.options)
        return make_client(self.options, await asyncio.to_thread(read) if slow else read(), ASYNC)

    async def disconnect(self, client: Made) -> None:
        for each in client.closing:
            await each.aclose()

    async def drop_idle(self, client: Made) -> None:
        for pool in client.pools:
            if hasattr(pool, "disconnect_free_connections"):  # a node of a Cluster
                await pool.disconnect_free_connections()
            else:
                await pool.disconnect(inuse_connections=False)

    async def send(self, client: Made, command: Any) -> Any:
        return Secret(await client.client.execute_command(*_plain(command), NEVER_DECODE=True))


RedisStore.async_class = AsyncRedisStore


def mark_of(version: Version) -> str:
    """Names what must be stored to a script; Redis knows SHA-1 only."""
    if isinstance(version, Secret):
        return hashlib.sha1(version.reveal(), usedforsecurity=False).hexdigest()
    return version or ""


def _wake_of(lock: str) -> str:
    return lock.removesuffix(":lock") + ":wake"


def _run(script: Script, keys: tuple[str, ...], *args: Any) -> Steps[Secret[Any]]:
    # By its digest, which is shorter. A restart or SCRIPT FLUSH makes the server forget the script.
    reply: Secret[Any]
    try:
        reply = yield ("EVALSHA", script.sha, len(keys), *keys, *args)
    except NoScriptError:
        reply = yield ("EVAL", script.text, len(keys), *keys, *args)
    return reply


def _record(found: Secret[Any]) -> Record:
    """What a script says is stored."""
    kind, data = found.reveal()[0].decode(), Secret(found.reveal()[1])
    if kind == "none":
        return ABSENT
    return Record(data, data, problem="" if kind == "string" else f"it is a Redis {kind}")


def _plain(command: Any) -> Iterator[Any]:
    # What wraps redis-py (tracing, error trackers, a subclass that logs) records a command's
    # arguments: their repr, their str, or bytes decoded. A memoryview shows its content in none.
    return (memoryview(part.reveal()) if isinstance(part, Secret) else part for part in command)
