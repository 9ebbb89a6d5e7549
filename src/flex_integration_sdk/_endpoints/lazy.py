"""Attributes of an SDK instance that import their module when they are first used.

A program uses few of the API's resources; the methods of the others would cost it time and memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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
            return instance.__dict__.setdefault(self._name, self._make(instance))
