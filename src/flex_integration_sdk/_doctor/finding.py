"""What a check found, and how it says that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

Status = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    id: str
    """Stable, dotted: ``store.read``. ``docs/how-to/diagnose.md`` lists all of them."""
    status: Status
    """``"error"``: something does not work; ``"skipped"``: it could not be looked at."""
    message: str
    """What is so, about which thing, and why; no secret."""
    remedy: str = ""
    """What to do next; empty if there is nothing to do."""

    def as_dict(self) -> dict[str, str]:
        """The finding as JSON has it."""
        return asdict(self)


class Outcome(NamedTuple):
    """A finding before it has the id of its check."""

    status: Status
    message: str
    remedy: str = ""


def ok(message: str) -> Outcome:
    """Nothing is wrong; the message says what was looked at."""
    return Outcome("ok", message)


def warning(message: str, remedy: str) -> Outcome:
    """It works, and may not tomorrow, or not for everybody."""
    return Outcome("warning", message, remedy)


def error(message: str, remedy: str) -> Outcome:
    """It does not work."""
    return Outcome("error", message, remedy)


class SkipCheck(Exception):
    """Raised by a check whose ground is missing; its text is the reason, a whole sentence."""
