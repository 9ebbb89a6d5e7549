"""Planned failures: what the next requests get in place of a proper response."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

KINDS = ("status", "delay", "drop", "lose_answer", "html", "token_type")
TARGETS = ("token", "api", "revoke", "any")
# Seconds that a response can be delayed at most.
_LONGEST = 600.0


@dataclass
class Fault:
    """What the next ``count`` requests to ``target`` get.

    Args:
        kind: ``status``: an error answer, nothing done. ``delay``: done on arrival, answered
            late. ``drop``: the connection ends, nothing done. ``lose_answer``: done, then the
            connection ends. ``html``: a page with status 200, nothing done. ``token_type``: a
            token of type ``mac``.
        target: ``token``, ``api``, ``revoke`` or ``any``.
        count: Requests to fail.
        status: HTTP status from 400 to 599, for ``status``.
        seconds: For ``delay``.
    """

    kind: str = "status"
    target: str = "any"
    count: int = 1
    status: int = 500
    seconds: float = 0.1


class Faults:
    """The planned faults, in their order."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, wanted: Any) -> Fault:
        """Adds a fault, from a JSON object.

        Raises:
            ValueError: It is not a fault; the message says why.
        """
        fault = _checked(wanted)
        self._planned.append(fault)
        return fault

    def next(self, target: str) -> Fault | None:
        """The fault for a request that arrives now at ``target``; its count goes down by one."""
        for fault in self._planned:
            if fault.target in (target, "any"):
                fault.count -= 1
                if not fault.count:
                    self._planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._planned.clear()


def _checked(wanted: Any) -> Fault:
    if not isinstance(wanted, dict):
        raise ValueError("a fault must be a JSON object")
    known = [field.name for field in fields(Fault)]
    if unknown := sorted(set(wanted) - set(known)):
        raise ValueError(f"unknown: {', '.join(unknown)}; a fault has {', '.join(known)}")
    fault = Fault(**wanted)
    if fault.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if fault.target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}")
    if fault.kind == "token_type" and fault.target != "token":
        raise ValueError("kind token_type needs target token")
    if not _whole(fault.count, 1, 1_000_000):
        raise ValueError("count must be a whole number, 1 or more")
    if not _whole(fault.status, 400, 599):
        raise ValueError("status must be a whole number from 400 to 599")
    number = isinstance(fault.seconds, (int, float)) and not isinstance(fault.seconds, bool)
    if not number or not 0 <= fault.seconds <= _LONGEST:
        raise ValueError(f"seconds must be a number from 0 to {_LONGEST:.0f}")
    return fault


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
