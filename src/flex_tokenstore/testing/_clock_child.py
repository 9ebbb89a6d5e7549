"""The clocks of a child process, which a test can change; no effect on those of the system."""

from __future__ import annotations

import datetime
import os
import time
from typing import Any

_offsets = {"wall": 0.0, "monotonic": 0.0}


def install() -> None:
    """Puts functions in the place of those of ``time`` and ``datetime``; before others import."""
    for name, clock in (("time", "wall"), ("monotonic", "monotonic")):
        for suffix, unit in (("", 1), ("_ns", 1_000_000_000)):
            _replace(name + suffix, clock, unit)
    datetime.datetime = _Datetime  # type: ignore[misc]
    datetime.date = _Date  # type: ignore[misc]


def set_clocks(wall: float = 0.0, monotonic: float = 0.0, zone: str | None = None) -> None:
    """Seconds by which the clocks differ from those of the system, and the time zone."""
    _offsets.update(wall=wall, monotonic=monotonic)
    if hasattr(time, "tzset"):
        if zone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = zone
        time.tzset()


def _replace(name: str, clock: str, unit: int) -> None:
    real = getattr(time, name)

    def now() -> Any:
        return real() + type(real())(_offsets[clock] * unit)

    setattr(time, name, now)


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


class _Date(datetime.date):
    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(time.time())
