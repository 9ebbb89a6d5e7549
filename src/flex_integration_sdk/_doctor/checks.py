"""What a check is, and how a function becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from .finding import Outcome
from .ground import Ground

Look: TypeAlias = Callable[[Ground], Iterator[Outcome]]


class Check(NamedTuple):
    """One check: a function that looks at one thing and changes nothing."""

    id: str
    look: Look
    extra: float
    """Seconds that it may take beyond the time limit of the examination."""


def check(id: str, *, extra: float = 0.0) -> Callable[[Look], Check]:
    """Makes a check of a function, which yields ``ok``, ``warning`` or ``error``.

    It yields at least once, or raises ``SkipCheck``. Errors of the SDK and of the framework
    may pass: their message becomes a finding, with a remedy from ``remedies``.

    Args:
        id: The id of its findings.
        extra: Seconds that it may take beyond the time limit of the examination.
    """

    def decorate(look: Look) -> Check:
        return Check(id, look, extra)

    return decorate
