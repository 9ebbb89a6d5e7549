"""Plain values from values of subclasses.

A member of ``class State(str, Enum)`` is the string ``closed`` and prints itself as
``State.CLOSED``; other classes override ``__str__``, ``__format__`` or ``__int__``. What is sent is
the value, so the base class's own methods are asked, never those of the subclass.
"""

from __future__ import annotations

import operator
from collections import UserString
from collections.abc import Callable, Collection, Sequence, Set, ValuesView
from datetime import datetime
from decimal import Decimal
from numbers import Integral
from typing import Any, TypeGuard
from uuid import UUID

_TEXTS = (str, bytes, bytearray, memoryview, UserString)


def exact(value: Any) -> Any:
    """A plain ``str``, ``int`` and so on, if ``value`` is of a subclass; other values unchanged.

    Raises:
        TypeError: It is a ``datetime`` without a time, such as ``pandas.NaT``.
    """
    kind = type(value)
    # Nearly all values are plain: most calls end here.
    if kind in PLAIN:
        return value
    for base, make in _BASES:
        if isinstance(value, base):
            return make(value)
    if isinstance(value, Integral):  # numpy's whole numbers, and others that register as such
        return operator.index(value)  # pyright: ignore[reportArgumentType]  # all of them have it
    return value


def text(value: str) -> str:
    """A plain ``str``, whatever the subclass prints."""
    return str.__str__(value)


def is_list(value: object) -> TypeGuard[Collection[Any]]:
    """Whether it is sent as a list: a sequence except a string, a set, or the view of a dict."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return True
    return isinstance(value, (Sequence, Set, ValuesView)) and not isinstance(value, _TEXTS)


def _datetime(value: datetime) -> datetime:
    try:
        return datetime(
            value.year,
            value.month,
            value.day,
            value.hour,
            value.minute,
            value.second,
            value.microsecond,
            value.tzinfo,
            fold=value.fold,
        )
    except (TypeError, ValueError):
        raise TypeError(
            f"a value of type {type(value).__name__} is not a time; pass a datetime with a time "
            "zone, or None"
        ) from None


# By the exact type: a subclass of these goes on to _BASES.
PLAIN = frozenset({str, int, bool, float, type(None), dict, list, tuple, UUID, Decimal, datetime})
"""Types of which a value is what :func:`exact` returns for it."""
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, text),
    (int, int.__int__),
    (float, float.__float__),
    (UUID, lambda value: UUID(int=value.int)),
    (datetime, _datetime),
    (Decimal, Decimal),
    (bytes, lambda value: memoryview(value).tobytes()),
)
