"""Attributes of an SDK instance that import their module when they are first used.

A program uses few of the API's resources; the methods of the others would cost it time and memory.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from flex_integration_sdk.errors import NestedCallError

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
            try:
                made = self._make(instance)
            except ImportError as error:
                if not _is_being_imported(error.name):
                    raise
                raise NestedCallError(
                    f"a signal handler or finalizer interrupted the first use of {self._name!r}, "
                    "and used it too. Let it set a flag, and make the call afterwards"
                ) from None
            return instance.__dict__.setdefault(self._name, made)


def _is_being_imported(name: str | None) -> bool:
    """By this thread: another thread's import would have been waited for."""
    spec = getattr(sys.modules.get(name or ""), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))
