"""A store's options, checked against its ``Options`` dataclass."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple

from ._secret import Secret
from .errors import StoreOptionsError

_WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


class OptionInfo(NamedTuple):
    """One option of a store, for people."""

    name: str
    type: str
    default: str
    required: bool
    secret: bool
    doc: str


def check_options(cls: type, options: Mapping[str, Any], *, store: str) -> Any:
    """An instance of ``cls.Options``.

    Args:
        cls: The store class.
        options: Values of Python or TOML, or texts from the environment.
        store: The store's name, for messages.

    Raises:
        StoreOptionsError: An option is unknown, missing or of a wrong type. The message names
            the option, never its value.
    """
    schema = getattr(cls, "Options", None)
    fields = _fields(cls)
    for name in options:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(sorted(fields)) or "none"
            raise StoreOptionsError(
                f"token store {store!r} has no option {name!r}{hint} (it takes: {known})",
                option=name,
                store=store,
            )
    for name, field in fields.items():
        if name not in options and _required(field):
            raise StoreOptionsError(
                f"token store {store!r} needs the option {name!r}", option=name, store=store
            )
    if schema is None:
        return None
    hints = typing.get_type_hints(schema)
    values = {name: _convert(hints[name], options[name], name, store) for name in options}
    try:
        return schema(**values)
    except ValueError:
        raise StoreOptionsError(
            f"token store {store!r} refuses its options: a value is out of range", store=store
        ) from None


def describe_options(cls: type) -> list[OptionInfo]:
    """The options of a store class."""
    found = []
    hints = typing.get_type_hints(getattr(cls, "Options", object)) if _fields(cls) else {}
    for name, field in _fields(cls).items():
        kind = hints[name]
        required = _required(field)
        default = "" if required or field.default is dataclasses.MISSING else repr(field.default)
        text = kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")
        secret = "Secret" in str(kind)
        found.append(
            OptionInfo(name, text, default, required, secret, str(field.metadata.get("doc", "")))
        )
    return found


def _fields(cls: type) -> dict[str, dataclasses.Field[Any]]:
    schema = getattr(cls, "Options", None)
    if schema is None or not dataclasses.is_dataclass(schema):
        return {}
    return {field.name: field for field in dataclasses.fields(schema) if field.init}


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _convert(kind: Any, value: Any, name: str, store: str) -> Any:
    if kind in (Any, object):
        return value
    options = typing.get_args(kind) if _is_union(kind) else (kind,)
    if value is None and type(None) in options:
        return None
    for option in options:
        if option is type(None):
            continue
        if (typing.get_origin(option) or option) is Secret:
            if isinstance(value, (str, Secret)):
                return Secret(value)
        else:
            try:
                return _converted(value, option)
            except ValueError:
                continue
    takes = " or ".join(_named(option) for option in options if option is not type(None))
    raise StoreOptionsError(
        f"option {name!r} of token store {store!r} takes {takes}, got a value of type "
        f"{type(value).__name__}" + (" that is not one" if isinstance(value, str) else ""),
        option=name,
        store=store,
    )


def _converted(value: Any, kind: Any) -> Any:
    import msgspec

    if isinstance(value, bool) is not (kind is bool) and not isinstance(value, str):
        raise ValueError
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        raise ValueError from None  # its messages may hold the value


def _named(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(repr(choice) for choice in typing.get_args(kind))
    return _WORDS.get(kind) or ("a secret text" if "Secret" in str(kind) else str(kind))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)
