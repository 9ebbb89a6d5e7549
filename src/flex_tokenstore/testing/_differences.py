"""Whether two tokens are the same, and if not, where they differ: paths and kinds, no values.

pytest shows the result of a comparison that fails by its ``repr``. Two tokens look alike there, as
their values are masked; so what is compared tells by itself what is different.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flex_tokenstore import Token

_SHOWN = 3  # differences; pytest cuts a repr at some 240 characters
_LONGEST = 60  # characters of a path


class Comparison:
    """True if nothing differs; its ``repr`` names what does."""

    def __init__(self, differences: list[str]) -> None:
        self._differences = differences

    def __bool__(self) -> bool:
        return not self._differences

    def __repr__(self) -> str:
        if not self._differences:
            return "the same token"
        more = len(self._differences) - _SHOWN
        shown = self._differences[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        return "; ".join(shown)


def same(found: object, expected: object) -> Comparison:
    """Equal to the letter: ``==`` takes 1 for 1.0 and for true.

    Args:
        found: What the store returned: a token, a token's fields, or None.
        expected: The token that was stored, in the same forms.
    """
    return Comparison([*_differences("token", _plain(found), _plain(expected))])


def _plain(token: object) -> object:
    return token.to_dict() if isinstance(token, Token) else token


def _differences(path: str, found: Any, expected: Any) -> Iterator[str]:
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in [*expected, *(key for key in found if key not in expected)]:
            inner = f"{path}[{json.dumps(key)}]"
            if key not in found:
                yield f"{_short(inner)}: was {_kind(expected[key])}, is missing"
            elif key not in expected:
                yield f"{_short(inner)}: was not there, is {_kind(found[key])}"
            else:
                yield from _differences(inner, found[key], expected[key])
    elif isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        if len(found) != len(expected):
            yield f"{_short(path)}: was {_kind(expected)}, is {_kind(found)}"
        for number, (ours, theirs) in enumerate(zip(found, expected, strict=False)):
            yield from _differences(f"{path}[{number}]", ours, theirs)
    elif type(found) is not type(expected) or found != expected:
        yield f"{_short(path)}: was {_kind(expected)}, is {_kind(found)}{_where(found, expected)}"


def _kind(value: object) -> str:
    """What it is, without what a secret may be in."""
    if isinstance(value, (str, bytes)):
        unit = "character" if isinstance(value, str) else "byte"
        return f"{type(value).__name__} of {_count(value, unit)}"
    if isinstance(value, Mapping):
        return f"an object of {_count(value, 'field')}"
    if isinstance(value, (list, tuple)):
        return f"a list of {_count(value, 'item')}"
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        text = f"{type(value).__name__} {value!r}"
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return type(value).__name__


def _where(found: Any, expected: Any) -> str:
    """For two texts that are as long: at which character they part."""
    if not isinstance(found, str) or not isinstance(expected, str) or len(found) != len(expected):
        return ""
    at = next(at for at, (one, two) in enumerate(zip(found, expected, strict=True)) if one != two)
    return f", and another one from character {at} on"


def _count(value: Any, unit: str) -> str:
    return f"{len(value)} {unit}{'' if len(value) == 1 else 's'}"


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST else f"{path[: _LONGEST // 2]}…{path[-_LONGEST // 2 :]}"
