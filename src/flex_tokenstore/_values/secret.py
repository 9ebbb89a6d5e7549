"""A value that is never printed."""

from __future__ import annotations

import hmac
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """Contains a secret and never shows it: its ``repr``, ``str`` and format are ten stars.

    It cannot be pickled or copied. Two secrets are equal if their values are.

    Args:
        value: The secret, such as a client secret or a passphrase. A ``Secret`` is unwrapped.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T | Secret[T]) -> None:
        inner: Any = value._value if isinstance(value, Secret) else value
        self._value: T = inner

    def reveal(self) -> T:
        """Returns the secret itself.

        Use it within one expression and keep it in no variable: error trackers print variables.
        """
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"

    def __str__(self) -> str:
        return "**********"

    def __format__(self, format_spec: str) -> str:
        return str(self).__format__(format_spec)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret cannot be pickled or copied: it would travel in the clear")

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine: Any = self._value
        theirs: Any = other._value
        if isinstance(mine, str) and isinstance(theirs, str):
            # compare_digest: the time that it takes says nothing about the values.
            # A lone surrogate, which JSON can hold, has no UTF-8.
            return hmac.compare_digest(
                mine.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass")
            )
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))
