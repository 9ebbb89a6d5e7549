"""A service in memory that fails as told, and stores on it: sync and async, and as generators."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from flex_tokenstore import Secret
from flex_tokenstore.records import (
    ANY_VERSION,
    AsyncRecordStore,
    Busy,
    Changed,
    Kind,
    Problem,
    Record,
    RecordStore,
    Steps,
)
from tests.support.fakes import IDENTITY

Style = Literal["sync", "async", "sync generators", "async generators"]
STYLES: tuple[Style, ...] = ("sync", "async", "sync generators", "async generators")


class Failure(Exception):
    """What the driver raises."""

    def __init__(self, kind: Kind) -> None:
        super().__init__("SENTINEL, which the driver quotes")
        self.kind = kind


class Fails(NamedTuple):
    """What happens to one call."""

    error: BaseException
    done: bool = False
    """The request was carried out, and its answer lost."""


def lost(*, done: bool) -> Fails:
    return Fails(Failure(Kind.LOST), done)


def unavailable(*, done: bool = False) -> Fails:
    return Fails(Failure(Kind.UNAVAILABLE), done)


class Client:
    """One connection."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = 0


class Service:
    """Bytes with versions, and locks that never expire by themselves."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[bytes | None, int]] = {}
        self.locks: dict[str, str] = {}
        self.clients: list[Client] = []
        self.calls: list[str] = []
        self.plan: dict[str, list[Fails | None]] = {}
        """For each primitive, what happens to the next calls."""
        self.before: Callable[[str], None] = lambda name: None
        """Called before each call with the primitive's name."""
        self.clock: float | None = None
        self.count = 0

    def perform(self, client: Client, name: str, *args: Any) -> Any:
        self.calls.append(name)
        self.before(name)
        assert not client.closed, f"{name} on a client that is closed"
        planned = self.plan.get(name)
        failure = planned.pop(0) if planned else None
        answer = None
        if failure is None or failure.done:
            answer = getattr(self, name)(*args)
        if failure is not None:
            raise failure.error
        return answer

    def record(self, key: str) -> Record:
        if key not in self.records:
            return Record(None, None, self.clock)
        data, version = self.records[key]
        return Record(None if data is None else Secret(data), version, self.clock)

    def read(self, key: str) -> Record:
        return self.record(key)

    def write(self, key: str, data: Secret[bytes], version: Any) -> int:
        return self.put(key, data.reveal(), version)

    def delete(self, key: str, version: Any) -> None:
        self.put(key, None, version)
        del self.records[key]

    def put(self, key: str, data: bytes | None, version: Any = ANY_VERSION) -> int:
        if version not in (ANY_VERSION, self.record(key).version):
            raise Changed
        self.count += 1
        self.records[key] = (data, self.count)
        return self.count

    def acquire(self, key: str, owner: str, seconds: float) -> Busy | None:
        holder = self.locks.setdefault(key, owner)
        return None if holder == owner else Busy()

    def release(self, key: str, owner: str) -> None:
        if self.locks.get(key) == owner:
            del self.locks[key]

    def put_aside(self, key: str, name: str, record: Record) -> None:
        if self.record(key).version != record.version:
            raise Changed
        self.records[name] = self.records.pop(key)

    def prove(self, key: str, expected: str | None) -> None: ...


@dataclass
class ServiceOptions:
    service: Service
    timeout: float = 5.0
    paths: tuple[str, ...] = ()
    connecting: Callable[[], None] = field(default=lambda: None)

    def files(self) -> tuple[str, ...]:
        return self.paths


class _Common:
    Options = ServiceOptions
    store = "memory service"
    options: ServiceOptions

    def locate(self, key: str) -> str:
        return f"the service, record {key}"

    def describe(self, error: Exception) -> Problem | None:
        if isinstance(error, Failure):
            return Problem(error.kind, f"it is {error.kind.name}")
        return None

    def new_client(self) -> Client:
        self.options.connecting()
        client = Client(len(self.options.service.clients))
        self.options.service.clients.append(client)
        return client


class Plain(_Common, RecordStore):
    def connect(self) -> Client:
        return self.new_client()

    def disconnect(self, client: Client) -> None:
        client.closed += 1

    def read(self, client: Client, *args: Any) -> Any:
        return self.options.service.perform(client, "read", *args)

    def write(self, client: Client, *args: Any) -> Any:
        return self.options.service.perform(client, "write", *args)

    def delete(self, client: Client, *args: Any) -> Any:
        return self.options.service.perform(client, "delete", *args)

    def prove(self, client: Client, *args: Any) -> Any:
        return self.options.service.perform(client, "prove", *args)


class Coroutines(_Common, AsyncRecordStore):
    async def connect(self) -> Client:
        await asyncio.sleep(0)
        return self.new_client()

    async def disconnect(self, client: Client) -> None:
        await asyncio.sleep(0)
        client.closed += 1

    async def _perform_there(self, client: Client, name: str, *args: Any) -> Any:
        await asyncio.sleep(0)
        found = self.options.service.perform(client, name, *args)
        await asyncio.sleep(0)
        return found

    async def read(self, client: Client, *args: Any) -> Any:
        return await self._perform_there(client, "read", *args)

    async def write(self, client: Client, *args: Any) -> Any:
        return await self._perform_there(client, "write", *args)

    async def delete(self, client: Client, *args: Any) -> Any:
        return await self._perform_there(client, "delete", *args)

    async def prove(self, client: Client, *args: Any) -> Any:
        return await self._perform_there(client, "prove", *args)


class _Generators(_Common):
    """The same as generators of commands."""

    def read(self, client: Client, key: str) -> Steps[Any]:
        return (yield ("read", key))

    def write(self, client: Client, key: str, data: Any, version: Any) -> Steps[Any]:
        return (yield ("write", key, data, version))

    def delete(self, client: Client, key: str, version: Any) -> Steps[Any]:
        return (yield ("delete", key, version))

    def prove(self, client: Client, key: str, expected: Any) -> Steps[Any]:
        return (yield ("prove", key, expected))


class SyncGenerators(_Generators, RecordStore):
    def connect(self) -> Client:
        return self.new_client()

    def disconnect(self, client: Client) -> None:
        client.closed += 1

    def send(self, client: Client, command: Any) -> Any:
        return self.options.service.perform(client, *command)


class AsyncGenerators(_Generators, AsyncRecordStore):
    async def connect(self) -> Client:
        return self.new_client()

    def disconnect(self, client: Client) -> None:
        client.closed += 1

    async def send(self, client: Client, command: Any) -> Any:
        await asyncio.sleep(0)
        return self.options.service.perform(client, *command)


class _Locks:
    """A lock of the service's own, by a plain or a coroutine function as the store is."""

    def acquire(self, client: Client, *args: Any) -> Any:
        return self._lock(client, "acquire", *args)

    def release(self, client: Client, *args: Any) -> Any:
        return self._lock(client, "release", *args)

    def _lock(self: Any, client: Client, name: str, *args: Any) -> Any:
        return self.options.service.perform(client, name, *args)


class _Moves:
    def put_aside(self: Any, client: Client, *args: Any) -> Any:
        return self.options.service.perform(client, "put_aside", *args)


CLASSES: dict[Style, type[Any]] = {
    "sync": Plain,
    "async": Coroutines,
    "sync generators": SyncGenerators,
    "async generators": AsyncGenerators,
}


def class_of(style: Style, *, locks: bool = False, moves: bool = False) -> type[Any]:
    extra = (_Locks,) * locks + (_Moves,) * moves
    return type("Chosen", (*extra, CLASSES[style]), {})


class Program:
    """A program that has such a store; its calls return when they are done, in async ones too."""

    def __init__(
        self,
        style: Style,
        service: Service,
        *,
        locks: bool = False,
        moves: bool = False,
        **options: Any,
    ) -> None:
        self.store = class_of(style, locks=locks, moves=moves)(
            ServiceOptions(service, **options), IDENTITY
        )
        self.key = IDENTITY.key
        self._runner = asyncio.Runner() if style.startswith("async") else None

    def run(self, given: Any) -> Any:
        if not inspect.isawaitable(given):
            return given

        async def wait() -> Any:
            return await given

        assert self._runner is not None
        return self._runner.run(wait())

    def get(self) -> Any:
        return self.run(self.store.get_token())

    def set(self, token: dict[str, Any], expected: str | None) -> None:
        self.run(self.store.set_token(token, expected))

    def remove(self, expected: str | None) -> None:
        self.run(self.store.remove_token(expected))

    def prove(self, expected: str | None = None) -> None:
        self.run(self.store.prepare_save(expected))

    def close(self) -> None:
        self.run(self.store.close())

    @contextmanager
    def lock(self, wait: float = 0.0, lease: float = 30.0) -> Iterator[float]:
        manager = self.store.token_lock(wait, lease)
        if self._runner is None:
            with manager as ends:
                yield ends
            return
        ends = self.run(manager.__aenter__())
        try:
            yield ends
        finally:
            self.run(manager.__aexit__(None, None, None))

    def end(self) -> None:
        self.close()
        if self._runner is not None:
            self._runner.close()


def in_threads(count: int, target: Callable[[], object]) -> None:
    """Runs it in so many threads at once; raises what the first of them raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            target()
        except BaseException as error:  # for the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
