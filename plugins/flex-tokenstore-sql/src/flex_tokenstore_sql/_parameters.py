"""Parameters in forms that a driver takes and that nobody who records parameters can show.

Tracing and error trackers wrap a driver's ``execute`` and keep its parameters: their ``repr`` or
``str`` (OpenTelemetry), bytes decoded and strings as they are (Sentry, Datadog).
"""

from __future__ import annotations

from typing import Any

from flex_tokenstore import Secret

MYSQL = ("mysql", "mariadb")
_SHOWN = "<hidden>"


def parameter(value: Secret[Any], backend: str) -> Any:
    """What to hand to the driver of this database."""
    raw = value.reveal()
    if backend in MYSQL:  # its drivers make the statement's text from parameters: strings only
        return QuietText(raw.hex())
    if isinstance(raw, bytes):
        return memoryview(raw)
    # Not of this store's making: SQLite keeps a value of any type in any column.
    return Conforming(value) if backend == "sqlite" else QuietText(raw)


class Conforming:
    """Only the module for SQLite knows what it stores."""

    def __init__(self, value: Secret[Any]) -> None:
        self._value = value

    def __conform__(self, protocol: object) -> Any:
        return self._value.reveal()

    def __repr__(self) -> str:
        return _SHOWN


class QuietText(str):
    """A string that drivers read and that does not print itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__
    __sentry_repr__ = __repr__  # Sentry keeps strings as they are, but for this

    def __format__(self, spec: str) -> str:
        return _SHOWN
