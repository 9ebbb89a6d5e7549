"""Attributes of an SDK instance that import their module when they are first used.

A program uses few of the API's resources; the methods of the others would cost it time and memory.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Any

from .response import Response

Send = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Response[Any]]
"""Sends a call: the endpoint's name, its arguments by the API's names, and further arguments."""
AsyncSend = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Awaitable[Response[Any]]]
"""The same in an event loop."""

if TYPE_CHECKING:
    # Editors and type checkers know this one, and to them both are the same.
    from functools import cached_property

    resource = cached_property
else:

    class resource:
        """Like ``functools.cached_property``, whose lock (before Python 3.12) a fork could copy.

        Threads that use the attribute first at the same moment get the same object.
        """

        def __init__(self, make: Callable[[Any], Any]) -> None:
            self._make = make
            self._name = make.__name__
            self.__doc__ = make.__doc__

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            if instance is None:
                return self
            with ExitStack() as copies:
                made = _imported(lambda: self._make(instance), copies)
            # From now on Python finds it there, without this descriptor.
            return instance.__dict__.setdefault(self._name, made)


def _is_being_imported(name: str | None) -> bool:
    """Whether this thread is importing the module; another thread's import was waited for."""
    spec = getattr(sys.modules.get(name or ""), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _imported(work: Callable[[], Any], copies: ExitStack) -> Any:
    """What ``work`` returns, which imports modules.

    A signal handler or finalizer may have interrupted the import of one of them, and cannot wait
    for its own thread. Until ``copies`` ends, a whole copy replaces that module.
    """
    while True:
        try:
            return work()
        except ImportError as error:
            if error.name is None or not _is_being_imported(error.name):
                raise
            _copy(error.name, copies)


def _copy(name: str, copies: ExitStack) -> None:
    interrupted = sys.modules[name]
    spec = interrupted.__spec__
    assert spec is not None
    assert spec.loader is not None
    loader, copy = spec.loader, module_from_spec(ModuleSpec(name, spec.loader, origin=spec.origin))
    _imported(lambda: loader.exec_module(copy), copies)
    sys.modules[name] = copy
    # The interrupted import goes on later, and must find its own module.
    copies.callback(sys.modules.__setitem__, name, interrupted)
