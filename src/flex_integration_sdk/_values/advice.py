"""What to pass in place of a value that cannot be sent."""

from __future__ import annotations

import builtins
import os
from collections import UserString
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType)
_OTHERWISE = (
    "a string, a number, a bool, a time, an id, or a list or dict of them; or write the type with "
    "a TypeHandler"
)


def advice(value: object) -> str:
    """What to pass instead, to follow the word "pass".

    It says nothing of the value itself, which may be a secret, and reads no stream.

    Args:
        value: What cannot be sent.
    """
    return next((says for fits, says in _CASES if fits(value)), _OTHERWISE)


def kind_of(value: object) -> str:
    """The name of a value's type; with its module if it is called as one of Python's is.

    Args:
        value: Of numpy's ``bool`` it is ``numpy.bool``.
    """
    kind = type(value)
    is_misleading = hasattr(builtins, kind.__name__) and kind.__module__ != "builtins"
    return f"{kind.__module__}.{kind.__name__}" if is_misleading else kind.__name__


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda value: all(hasattr(type(value), name) for name in names)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _is_scalar(value: Any) -> bool:
    """A scalar of numpy's."""
    return hasattr(type(value), "__array__") and not getattr(value, "ndim", 1)


def _is_resource(value: Any) -> bool:
    return isinstance(value, Mapping) and "id" in value and "type" in value


_CASES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (_is(Enum), "its .value"),
    (lambda value: type(value).__name__ == "NAType", "None"),  # pandas.NA
    (_is_scalar, "its .item()"),
    (_has("__array__"), "a list, such as its .tolist()"),
    (_is(Awaitable), "its result: `await` it first"),
    (_has("read"), "its text, such as what its .read() returns"),
    (_is(Iterator), "a list: list(…) of it"),
    (_is(AsyncIterable), "a list: [each async for each in …]"),
    (_is(*_FUNCTIONS), "what it returns: call it"),
    (_is(datetime), "a datetime with a time zone, or None"),  # such as pandas.NaT
    (_is(date), "a datetime with a time zone"),
    (_is(time), "a datetime with a time zone, or a string"),
    (_is(timedelta), "a whole number of the parameter's unit"),
    (_is_resource, "its id"),
    (_has("data", "included", "meta"), "its .data, or the id in it"),  # a Response
    (_has("amount", "decimal"), "its .amount"),  # Money
    (_has("get_secret_value"), "the string that its .get_secret_value() returns"),
    (_has("reveal"), "the string that its .reveal() returns"),
    (_is(os.PathLike, UserString), "a string: str(…) of it"),
    (_is(memoryview), "bytes(…) of it"),
    (_is(bytes, bytearray), "a string, such as its .decode()"),
    (_has("model_dump"), "its parts, or its .model_dump()"),
    (lambda value: is_dataclass(value) and not isinstance(value, type), "its parts"),
    (_is(Decimal), "an int, a float or a string"),
    (_has("__index__"), "a whole number: int(…) of it"),
    (_has("__float__"), "a number: float(…) of it"),
    (_is(Mapping), "a string, a number, a time, an id, or a list of them"),
)
