"""Where in a value a part is that cannot be sent or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .exact import is_list
from .shown import shown

_DEEPEST = 20
"""Steps of a path; a longer one helps nobody, and a list within itself has no end."""


def path_to(value: Any, fails: Callable[[Any], bool], *, into_maps: bool = True) -> tuple[str, Any]:
    """The innermost part of a value that fails, and the path to it: ``['sizes'][0]``.

    The path is empty if it is the value itself, or if it would be too long.

    Args:
        value: What failed as a whole.
        fails: Whether a part of it fails for itself.
        into_maps: False: only lists have parts; a mapping fails whole.
    """
    path, found = "", value
    for _ in range(_DEEPEST):
        for step, part in _parts(found, into_maps):
            if fails(part):
                path, found = path + step, part
                break
        else:
            return path, found
    return "", value


def _parts(value: Any, into_maps: bool) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if not into_maps:
            return []
        # Quoted by `repr`, as a program writes it; what else a key may be is refused itself.
        return [(f"[{shown(repr(k))}]", each) for k, each in value.items() if type(k) is str]
    if is_list(value):
        return [(f"[{number}]", each) for number, each in enumerate(value)]
    return []
