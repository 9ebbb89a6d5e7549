"""Planned failures: what the next requests get in place of a proper response."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

FaultKind = Literal["status", "delay", "drop", "lose_answer", "cut", "html", "token_type"]
FaultTarget = Literal["token", "api", "revoke", "any"]


@dataclass
class Fault:
    """What some of the next requests to ``target`` get.

    Args:
        kind: ``status``: an error answer, nothing done. ``delay``: done on arrival, answered
            late. ``drop``: the connection ends, nothing done. ``lose_answer``: done, then the
            connection ends. ``cut``: done, then the connection ends in the middle of the answer's
            body. ``html``: a page with status 200, nothing done. ``token_type``: a token of type
            ``mac``.
        target: ``token``, ``api``, ``revoke`` or ``any``.
        path: An endpoint of the API, such as ``listings/query``: no other request fails.
        count: Requests to fail. None: one; with ``every``, there is no end.
        after: Requests to let through first.
        every: If given, one request in so many fails, at random.
        seed: Of what is random. The same requests in the same order fail with the same seed.
        status: HTTP status from 400 to 599, for ``status``.
        code: Error code of the answer, for ``status``; None: one that goes with the status.
        body: Body of the answer, for ``status``: a string as it is, anything else as JSON; None:
            that of an error of the API, or of OAuth.
        headers: Headers of the answer, such as ``Retry-After``, beside or in place of its own.
        seconds: For ``delay``.
    """

    kind: FaultKind = "status"
    target: FaultTarget = "any"
    path: str | None = None
    count: int | None = None
    after: int = 0
    every: int | None = None
    seed: int = 0
    status: int = 500
    code: str | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.1

    def __post_init__(self) -> None:
        # The same each time, but not the same as another fault: of two that draw the same numbers,
        # one would always strike right after the other.
        own = (self.seed, self.kind, self.target, self.path, self.status, self.code)
        self._random = Random(repr(own))  # noqa: S311 - nothing secret
        if self.count is None and self.every is None:
            self.count = 1

    def is_for(self, target: str, path: str) -> bool:
        """Whether a request can be met by it.

        Args:
            target: What the request is for, one of ``target``.
            path: The endpoint of the API that it is for; empty for token requests.
        """
        return self.target in (target, "any") and self.path in (path, None)

    def strikes(self) -> bool:
        """Whether the request that it is for now fails; the request is counted."""
        if self.after:
            self.after -= 1
            return False
        if self.every is not None and self._random.randrange(self.every):
            return False
        if self.count is not None:
            self.count -= 1
        return True


class Faults:
    """The planned faults, in their order."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        """Adds a fault."""
        self._planned.append(fault)

    def next(self, target: str, path: str = "") -> Fault | None:
        """The fault that a request meets which arrives now; one that it meets is counted.

        Args:
            target: What the request is for, one of ``target`` of a fault.
            path: The endpoint of the API that it is for.
        """
        for fault in self._planned:
            if fault.is_for(target, path) and fault.strikes():
                if fault.count == 0:
                    self._planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forgets them all."""
        self._planned.clear()
