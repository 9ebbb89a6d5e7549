"""A store that was found and imported, and is not made yet."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from .. import hookspecs
from .._values.secret import Secret
from ..errors import StoreOptionsError, TokenStoreError

FALLBACK = "fallback"
"""The store whose inner one is chosen among several when it is opened."""


class Chosen(NamedTuple):
    """Which store to open, and with what: found and imported, but not made yet."""

    name: str
    cls: Any
    """The class to make; None for an object of the user's own."""
    own: object | None
    options: Any
    secrets: tuple[Secret[Any], ...]
    distribution: str
    inner: Chosen | None
    variables: Mapping[str, Any]
    """By option: the environment variable that it came from, for error messages."""

    candidates: tuple[Candidate, ...] = ()
    """Of a ``fallback`` that has not chosen yet: what it may take as its inner store."""

    @property
    def is_async(self) -> bool:
        """Its ``__init__`` may want the event loop in which its coroutines will run."""
        if self.own is not None or (self.inner is not None and self.inner.is_async):
            return True
        hooks = (inspect.getattr_static(self.cls, name, None) for name in hookspecs.HOOKS)
        return any(inspect.iscoroutinefunction(hook) for hook in hooks)

    @property
    def innermost(self) -> Chosen:
        """Itself, or the store at the bottom of its wrappers."""
        return self if self.inner is None else self.inner.innermost

    def settled(self, inner: Chosen) -> Chosen:
        """A ``fallback`` that has chosen this one."""
        return self._replace(inner=inner, candidates=())

    def for_asyncio(self) -> Chosen:
        """The same for an asyncio program, where a store has another class for those."""
        cls = getattr(self.cls, "async_class", None) or self.cls
        inner = None if self.inner is None else self.inner.for_asyncio()
        return self._replace(cls=cls, inner=inner)


class Candidate(NamedTuple):
    """One of the stores of a ``fallback``."""

    number: int
    name: str
    """Empty: the entry does not tell it."""
    chosen: Chosen | None
    """What to make; None: it cannot be loaded."""
    why: str = ""
    """Why it cannot be loaded."""

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors within are of this entry of the option ``stores``."""
        try:
            yield
        except TokenStoreError as error:
            self.name_in(error)
            raise

    def name_in(self, error: TokenStoreError) -> None:
        """Adds to the message which entry it is about."""
        entry = f"stores.{self.number}"
        which = f"{entry!r} ({self.name!r})" if self.name else repr(entry)
        error.message = f"option {which} of token store {FALLBACK!r}: {error.message}"
        error.args = (error.message,)
        if isinstance(error, StoreOptionsError):
            error.option = entry if error.option is None else f"{entry}.{error.option}"


Choose: TypeAlias = Callable[..., Chosen]
"""``choose`` of ``opening``: from a parsed config to what it names."""
