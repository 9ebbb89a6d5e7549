"""How long something may take, as a type of options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

LONGEST = 3600.0  # seconds: as for the time limits of remote stores; nobody waits longer for one
_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|ms)\s*", re.ASCII)
_SIZES = {"s": 1.0, "m": 60.0, "h": 3600.0}


if TYPE_CHECKING:
    _Type = click.ParamType[float]
else:
    _Type = click.ParamType  # of older versions of click it has no type of its own


class Seconds(_Type):
    """A number of seconds above 0."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Reads the number; a default is one already."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= LONGEST:  # so written, since NaN is refused too
            self.fail(
                f"takes a number of seconds above 0 and at most {LONGEST:g}, got "
                f"{str(value)[:40]!r}{_meant(str(value))}",
                param,
                ctx,
            )
        return seconds


def _meant(text: str) -> str:
    """For a number with a unit, as other programs take it."""
    found = _UNIT.fullmatch(text.lower())
    if found is None:
        return ""
    unit = 0.001 if found[2] == "ms" else _SIZES[found[2][0]]
    seconds = float(found[1]) * unit
    return f": type {seconds:g}" if 0 < seconds <= LONGEST else ""
