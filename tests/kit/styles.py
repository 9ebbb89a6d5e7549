"""Correct stores, each written in an unusual style that is allowed: the kit must pass them all."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import threading
import uuid
from collections import UserDict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Generic, TypeVar

from flex_tokenstore import (
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenLockTimeoutError,
    WrapperStore,
    hookimpl,
    revision_of,
)

from .zoo.full import FullStore

T = TypeVar("T")


class DownError(Exception):
    """The backend's own; none of the framework's, and none of Python's."""


class Files:
    """The backend: a file for each key; down while the file ``down`` is there."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        if (self.folder / "down").exists():
            raise DownError(f"{self.folder} is down")
        return self.folder / f"{key}.json"

    def read(self, key: str) -> Any:
        try:
            return json.loads(self.path(key).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise TokenCorruptError("it does not contain JSON") from None

    def write(self, key: str, token: Any) -> None:
        path = self.path(key)
        new = path.with_name(f"{uuid.uuid4().hex}.tmp")
        new.touch(mode=0o600)
        new.write_text(json.dumps(token), encoding="utf-8")
        os.replace(new, path)

    def remove(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)


@dataclass(kw_only=True, frozen=True, slots=True)
class Options:
    """Outside of the class, frozen, and with slots."""

    folder: str  #: where the files are


class AsyncOnly:
    """Coroutines, no other class, and exceptions of its own."""

    Options = Options

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self._files, self._key = Files(options.folder), identity.key

    @hookimpl
    async def get_token(self) -> Any:
        return await asyncio.to_thread(self._files.read, self._key)

    @hookimpl
    async def set_token(self, token: dict[str, Any]) -> None:
        await asyncio.to_thread(self._files.write, self._key, token)

    @hookimpl
    async def remove_token(self) -> None:
        await asyncio.to_thread(self._files.remove, self._key)

    @hookimpl
    async def close(self) -> None:
        await asyncio.sleep(0)


class WithSlots:
    """No ``__dict__``, and nobody can refer to it weakly."""

    __slots__ = ("_files", "_key")
    Options = Options

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self._files, self._key = Files(options.folder), identity.key

    @property
    def place(self) -> str:
        """Computed each time."""
        return str(self._files.folder / self._key)

    @hookimpl
    def get_token(self) -> Any:
        return self._files.read(self._key)

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        self._files.write(self._key, token)

    @hookimpl
    def remove_token(self) -> None:
        self._files.remove(self._key)


@dataclass
class DataClass:
    """Its ``__init__`` is made, and it has an ``==`` but no hash."""

    options: Any
    identity: TokenIdentity
    calls: int = field(default=0, compare=False)

    Options = Options

    @property
    def files(self) -> Files:
        return Files(self.options.folder)

    @hookimpl
    def get_token(self) -> Any:
        return self.files.read(self.identity.key)

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        self.files.write(self.identity.key, token)

    @hookimpl
    def remove_token(self) -> None:
        self.files.remove(self.identity.key)


@dataclass(frozen=True, slots=True)
class FrozenDataClass:
    """Nothing can be set on it."""

    options: Any
    identity: TokenIdentity

    Options: ClassVar[type] = Options

    @hookimpl
    def get_token(self) -> Any:
        return Files(self.options.folder).read(self.identity.key)

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        Files(self.options.folder).write(self.identity.key, token)

    @hookimpl
    def remove_token(self) -> None:
        Files(self.options.folder).remove(self.identity.key)


class Forwards(WithSlots):
    """Answers for its backend to whatever is asked."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._files, name, None)


def _counted(function: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(function)
    def count(self: Any, *args: Any, **kwargs: Any) -> T:
        self.calls += 1
        return function(self, *args, **kwargs)

    return count


class Decorated(DataClass):
    """Decorators above and below the mark."""

    @_counted
    @hookimpl
    def get_token(self) -> Any:
        return super().get_token()

    @hookimpl
    @_counted
    def set_token(self, token: dict[str, Any]) -> None:
        super().set_token(token)

    @hookimpl(tryfirst=True)
    @_counted
    def remove_token(self) -> None:
        super().remove_token()


class Generics(DataClass, Generic[T]):
    """A parameter of no meaning, and hooks that take more than they are passed."""

    @hookimpl
    def get_token(self, deep: bool = True) -> Any:
        return super().get_token()

    @hookimpl
    def set_token(self, token: dict[str, Any], *, deep: bool = True) -> None:
        super().set_token(token)

    @hookimpl
    def remove_token(self) -> None:
        super().remove_token()


class OtherMappings(DataClass):
    """Returns mappings that are no dicts, and takes what is passed for one."""

    @hookimpl
    def get_token(self) -> Any:
        found = super().get_token()
        if not isinstance(found, dict):
            return found
        self.calls += 1
        return MappingProxyType(found) if self.calls % 2 else UserDict(found)

    @hookimpl
    def set_token(self, token: Any) -> None:
        super().set_token(dict(token))

    @hookimpl
    def remove_token(self) -> None:
        super().remove_token()


class _Turn:
    """A lock as a class, whose ``__exit__`` is called in any thread."""

    __slots__ = ("_lock", "_wait")

    def __init__(self, lock: threading.Lock, wait: float) -> None:
        self._lock, self._wait = lock, wait

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._wait):
            raise TokenLockTimeoutError("another holds the lock")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()


class InMemory:
    """Static methods, no options, a lock of its own; for the handles of one process."""

    _tokens: ClassVar[dict[str, Any]] = {}
    _locks: ClassVar[dict[str, threading.Lock]] = {}
    _mutex: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self._key = identity.key

    @hookimpl
    def get_token(self) -> Any:
        return self._tokens.get(self._key)

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None = None) -> None:
        with self._mutex:
            self._compare(expected)
            self._tokens[self._key] = token

    @hookimpl
    def remove_token(self, expected: str | None = None) -> None:
        with self._mutex:
            self._compare(expected)
            self._tokens.pop(self._key, None)

    @hookimpl
    def token_lock(self, wait: float, lease: float) -> Any:
        return _Turn(self._locks.setdefault(self._key, threading.Lock()), wait)

    @hookimpl
    def lock_id(self) -> str:
        return f"in-memory:{self._key}"

    @hookimpl
    @staticmethod
    def close() -> None:
        """It keeps nothing open."""

    def _compare(self, expected: str | None) -> None:
        stored = self._tokens.get(self._key)
        if expected not in ("*", None if stored is None else revision_of(stored)):
            raise TokenConflictError("another token is stored")


class _AsyncTurn:
    """The same for ``async with``."""

    def __init__(self, lock: threading.Lock, wait: float) -> None:
        self._lock, self._wait = lock, wait

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait
        while not self._lock.acquire(blocking=False):
            if loop.time() >= deadline:
                raise TokenLockTimeoutError("another holds the lock")
            await asyncio.sleep(0.002)

    async def __aexit__(self, *error: object) -> None:
        self._lock.release()


class AsyncInMemory(InMemory):
    """Plain hooks, and a lock for ``async with`` only, from a class."""

    @hookimpl
    def token_lock(self, wait: float, lease: float) -> Any:
        return _AsyncTurn(self._locks.setdefault(self._key, threading.Lock()), wait)


class AsyncGenerator(InMemory):
    """A lock by ``@asynccontextmanager``, and hooks that return awaitables."""

    @hookimpl
    def get_token(self) -> Any:
        return self._later(InMemory.get_token, self)

    async def _later(self, function: Callable[..., T], *args: Any) -> T:
        await asyncio.sleep(0)
        return function(*args)

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None = None) -> Any:
        return self._later(InMemory.set_token, self, token, expected)

    @hookimpl
    @contextlib.asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
        async with _AsyncTurn(self._locks.setdefault(self._key, threading.Lock()), wait):
            yield None


class StackLock(InMemory):
    """Its lock is an ``ExitStack``, entered when it is asked for ``__enter__``."""

    @hookimpl
    def token_lock(self, wait: float, lease: float) -> Any:
        return self._held(wait)

    @contextlib.contextmanager
    def _held(self, wait: float) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_Turn(self._locks.setdefault(self._key, threading.Lock()), wait))
            yield


class Heir(FullStore):
    """Inherits all its hooks, and calls its ``__init__`` something else."""

    def __init__(self, settings: Any, whose: TokenIdentity) -> None:
        super().__init__(settings, whose)


class HeirWithMixin(contextlib.AbstractContextManager["HeirWithMixin"], Heir):
    """Has a base with a metaclass of its own, and can be used in a ``with`` block itself."""

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""


class Wrapper(WrapperStore):
    """Over a store with an async class."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any  #: the store that it wraps

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        return {"access_token": json.dumps(token).encode().hex()}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(bytes.fromhex(token["access_token"]))
        return plain


@dataclass(frozen=True)
class FrozenWrapper(WrapperStore):
    """A wrapper on which nothing can be set."""

    options: Any
    identity: TokenIdentity

    Options: ClassVar[type] = Wrapper.Options


def made(suffix: str) -> type:
    """A class that is made in a function, for a module of its own: nobody can import it."""

    class Local(WithSlots):
        __slots__ = ()

    Local.__doc__ = f"Made for {suffix}."
    return Local


def dynamic() -> type:
    """A class that ``type()`` makes."""
    return type("Dynamic", (DataClass,), {"__doc__": "Made at run time."})


class OwnObject:
    """The three methods unmarked, set on the object one by one."""

    def __init__(self, folder: str) -> None:
        files = Files(folder)
        self._files = files

        def get_token() -> Any:
            return files.read("mine")

        def set_token(token: dict[str, Any]) -> None:
            files.write("mine", token)

        self.get_token, self.set_token = get_token, set_token

    def remove_token(self) -> None:
        self._files.remove("mine")
