"""The attributes of a resource of which the response has only id and type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class AbsentAttributes(dict[str, Any]):
    """An empty dict that says, where one of its keys is looked up, how to get the attributes.

    Copies and pickles are plain dicts.

    Args:
        error: Makes the error for a name.
    """

    __slots__ = ("_error",)

    def __init__(self, error: Callable[[str], KeyError]) -> None:
        super().__init__()
        self._error = error

    def __missing__(self, name: str) -> Any:
        raise self._error(name)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return dict, (dict(self),)

    def copy(self) -> dict[str, Any]:
        """A plain dict of the same."""
        return dict(self)
