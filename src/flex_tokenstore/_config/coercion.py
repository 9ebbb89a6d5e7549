"""The types that an option may have, and how a value or a text becomes one of them."""

from __future__ import annotations

import enum
import math
import os
import types
import typing
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from .._values.secret import Secret

_WORDS: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
}
# Beside true, false, 1 and 0, which msgspec takes itself.
_SWITCHES = {"yes": True, "on": True, "no": False, "off": False}
# Sequence and the like as well: what else would a list in the environment become?
_LISTS = (list, tuple, set, frozenset, Sequence, Set, Collection)


def convert(kind: Any, options: Mapping[str, Any], name: str) -> Any:
    """The option as ``kind``; NotImplemented if it is not one.

    It takes the mapping and does not raise, so that no frame of a traceback holds the value.
    """
    if kind in (Any, object):
        return options[name]
    members = _members(kind)
    if options[name] is None:
        return None if type(None) in members else NotImplemented
    for member in members:
        result = NotImplemented if member is type(None) else _as(member, options[name])
        if result is not NotImplemented:
            return result
    return NotImplemented


def has_secret(kind: Any) -> bool:
    """A part of the type is a ``Secret``."""
    return _origin(kind) is Secret or any(map(has_secret, typing.get_args(kind)))


def takes(kind: Any) -> str:
    """What the option takes, in words."""
    return " or ".join(dict.fromkeys(_takes_one(member) for member in _members(kind)))


def is_path(kind: Any) -> bool:
    """A part of the type is a path."""
    return any(
        isinstance(_origin(member), type) and issubclass(_origin(member), PurePath)
        for member in _members(kind)
    )


def type_name(kind: Any) -> str:
    """The type as one would write it, without module names."""
    members = _members(kind)
    if len(members) > 1:
        return " | ".join(map(type_name, members))
    if kind is type(None):
        return "None"
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " | ".join(map(repr, arguments))
    if origin is not None and arguments:
        parts = ("..." if part is Ellipsis else type_name(part) for part in arguments)
        return f"{getattr(origin, '__name__', origin)}[{', '.join(parts)}]"
    return kind.__name__ if isinstance(kind, type) else str(kind).removeprefix("typing.")


def _members(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) is typing.Annotated:
        return _members(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(part for member in typing.get_args(kind) for part in _members(member))
    return (kind,)


def _takes_one(kind: Any) -> str:
    origin = _origin(kind)
    if kind is type(None):
        return "nothing"
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(kind)))
    if origin is Secret:
        return "a secret string"
    if origin in _LISTS:
        values = typing.get_args(kind)
        fixed = origin is tuple and values and Ellipsis not in values
        return f"a list of {len(values)} values" if fixed else "a list"
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return " or ".join(repr(member.value) for member in origin)
    if origin is timedelta:
        return "a number of seconds, or a duration such as PT5S"
    if isinstance(origin, type) and issubclass(origin, PurePath):
        return "a path"
    return _WORDS.get(origin) or type_name(kind)


def _as(kind: Any, value: Any) -> Any:
    """The value as ``kind``; NotImplemented if it is not one. ``kind`` is not a union."""
    # Imported late: docs/decisions/017.
    import msgspec

    origin = _origin(kind)
    if origin is Secret:
        return Secret(value) if isinstance(value, (str, Secret)) else NotImplemented
    # msgspec does not know paths; a string for one goes through _custom.
    if isinstance(origin, type) and isinstance(value, os.PathLike):
        if issubclass(origin, PurePath):
            return origin(value)
        return os.fspath(value) if origin is str else NotImplemented
    if isinstance(value, str):
        if origin in (bool, int, float):
            value = value.strip()
        if origin is bool:
            value = _SWITCHES.get(value.strip().lower(), value)
        elif origin in _LISTS:  # the environment has texts only
            value = [part.strip() for part in value.split(",") if part.strip()]
    # msgspec would take the number 1 for true; in Python and TOML that is rather a slip.
    if origin is bool and not isinstance(value, (bool, str)):
        return NotImplemented
    try:
        # Not strict: a variable of the environment says "5" where TOML says 5.
        converted = msgspec.convert(value, kind, strict=False, dec_hook=_custom)
    except (msgspec.ValidationError, TypeError):
        return NotImplemented
    if isinstance(converted, float) and math.isnan(converted):
        return NotImplemented  # it passes every check of a range
    return converted


def _custom(kind: Any, value: Any) -> Any:
    """msgspec's hook for types that it does not know, such as ``Secret`` within a list."""
    origin = _origin(kind)
    if isinstance(origin, type):
        if issubclass(origin, Secret) and isinstance(value, (str, Secret)):
            return Secret(value)
        if issubclass(origin, PurePath) and isinstance(value, (str, PurePath)):
            return origin(value)
        if origin is object or isinstance(value, origin):
            return value
    raise TypeError


def _origin(kind: Any) -> Any:
    return typing.get_origin(kind) or kind
