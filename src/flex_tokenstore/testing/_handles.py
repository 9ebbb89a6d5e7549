"""A store under test: opened in any process, used alike whether sync or async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, Literal, TypeVar

from flex_tokenstore import AsyncTokenStore, Token, TokenIdentity, TokenStore, open_store
from flex_tokenstore._config.store_config import OptionValues, parse
from flex_tokenstore._registry.catalogue import load_store_class
from flex_tokenstore._registry.discovery import BUILT_IN
from flex_tokenstore._store.aio import async_store
from flex_tokenstore._store.opening import opened, ready
from flex_tokenstore._values.token import ANY_REVISION

Kind = Literal["sync", "async"]
KINDS: tuple[Kind, ...] = ("sync", "async")

T = TypeVar("T")

# The names are those of the whole process, and tests open handles in threads.
_registering = threading.RLock()
_under_test = SimpleNamespace()


class Handle:
    """What both kinds of handle do, in plain methods; see ``TokenStore``."""

    kind: Kind = "sync"

    def __init__(self, store: TokenStore) -> None:
        self.store: TokenStore | AsyncTokenStore = store

    @property
    def plugin(self) -> object:
        """The store object itself."""
        return self.store._opened.binding.plugin

    def run(self, value: Any) -> Any:
        """A method's result; for an async handle, its coroutine run to the end."""
        return value

    def get(self) -> Token | None:
        return self.run(self.store.get_token())  # type: ignore[no-any-return]  # of either kind

    def set(self, token: Token, expected: str | None = ANY_REVISION) -> None:
        self.run(self.store.set_token(token, expected))

    def remove(self, expected: str | None = ANY_REVISION) -> None:
        self.run(self.store.remove_token(expected))

    def prepare(self, expected: str | None = ANY_REVISION) -> None:
        self.run(self.store.prepare_save(expected))

    @contextmanager
    def lock(self, wait: float, lease: float) -> Iterator[float | None]:
        manager: Any = self.store.token_lock(wait, lease)
        with manager as end:
            yield end

    def hook(self, name: str, **arguments: Any) -> Any:
        """Calls the store's own method, past the framework."""
        hook: Any = getattr(self.store._opened.binding, name)
        return self.run(self.store._call(hook, hook.keywords(**arguments)))

    def close(self) -> None:
        assert isinstance(self.store, TokenStore)
        self.store.close()


class AsyncHandle(Handle):
    """Runs each call in an event loop of its own; for one thread at a time."""

    kind: Kind = "async"

    def __init__(self, store: AsyncTokenStore) -> None:
        self.store: TokenStore | AsyncTokenStore = store
        # One loop for all calls: asyncio.run makes another each time, and clients belong to one.
        self._runner = asyncio.Runner()
        self._closed = False

    def run(self, value: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            value.close()  # else it warns that nobody awaited it
            raise RuntimeError("this handle is closed")

        async def started() -> T:
            return await value

        return self._runner.run(started())

    @contextmanager
    def lock(self, wait: float, lease: float) -> Iterator[float | None]:
        manager: Any = self.store.token_lock(wait, lease)
        end = self.run(manager.__aenter__())
        try:
            yield end
        finally:
            self.run(manager.__aexit__(None, None, None))

    def close(self) -> None:
        assert isinstance(self.store, AsyncTokenStore)
        if not self._closed:
            try:
                self.run(self.store.aclose())
            finally:
                self._closed = True
                self._runner.close()

    def drop(self) -> None:
        """Ends its event loop, and does not close the store."""
        self._closed = True
        self._runner.close()


def _open(config: Any, identity: TokenIdentity, kind: Kind) -> Handle:
    if kind == "async":
        return AsyncHandle(async_store(config, identity))
    return Handle(open_store(config, identity))


@contextmanager
def _registered(cls: type) -> Iterator[str]:
    """The class by a name, as if its distribution were installed; within the block only."""
    name = cls.__name__
    with _registering:
        before = BUILT_IN.get(name)
        # Not by its own module: it may have been made in a function, or by type().
        setattr(_under_test, name, cls)
        BUILT_IN[name] = f"{__name__}:_under_test.{name}"
        try:
            yield name
        finally:
            delattr(_under_test, name)
            if before is None:
                del BUILT_IN[name]
            else:
                BUILT_IN[name] = before


def _by_names(config: Any, stack: ExitStack) -> Any:
    """The config, and those of inner stores, with a name wherever there is a class."""
    if not isinstance(config, Mapping):
        return config
    named = OptionValues(config)
    if isinstance(named.get("inner"), Mapping):
        named["inner"] = _by_names(named["inner"], stack)
    if isinstance(named.get("name"), type):
        named["name"] = stack.enter_context(_registered(named["name"]))
    return named


class Setup:
    """How the store under test is opened; pickled for child processes.

    Args:
        config: A store config; one whose ``name`` is a store class instead of a text; or a
            function at the top level of a module that returns one of these.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    def open(self, identity: TokenIdentity, kind: Kind = "sync") -> Handle:
        with ExitStack() as stack:
            return _open(_by_names(self._made(), stack), identity, kind)

    def opener(self, identity: TokenIdentity) -> Callable[[], Handle]:
        """What an event loop runs of opening an async store; the rest is done in a thread."""
        with ExitStack() as stack:
            config = parse(_by_names(self._made(), stack))
            chosen = ready(config, identity, prefer_async=True, require_encrypted=False)
        return lambda: AsyncHandle(AsyncTokenStore(opened(chosen, identity, "on")))

    @property
    def is_object(self) -> bool:
        """The config is an object with the three methods, not a store that is made."""
        return not isinstance(self._made(), (str, Mapping))

    def store_class(self) -> type:
        """The class of the store."""
        config = self._made()
        if isinstance(config, Mapping):
            config = config["name"]
        if isinstance(config, type):
            return config
        return load_store_class(config) if isinstance(config, str) else type(config)

    def _made(self) -> Any:
        config = self.config
        if callable(config) and not hasattr(config, "get_token"):
            make: Callable[[], Any] = config
            return make()
        return config
