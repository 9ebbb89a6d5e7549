"""A walk through all pages of a query, without any request.

A driver asks for ``following``, passes the page to ``take``, and passes on what is in ``ready``. An
exception from a signal handler may end any of these steps halfway. Then the walk is not ``sound``,
and goes on from the last resource that the program got.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk.errors import PaginationLimitError

from .arguments import arranged
from .by_moment import Unordered, by_moment
from .by_number import DEPTH, by_number
from .by_sequence import by_sequence
from .limits import limit_error, unordered_error
from .page import MOST, Ask, Page, Plan, Row, page_of
from .position import Position

Verdict = Callable[[Position], PaginationLimitError | None]


class Walk:
    """The state of one walk.

    Args:
        name: The endpoint's, such as ``"listings.query"``.
        arguments: Those of the query that its table has, by the API's names.
        further: The others.
        resume: A position of an earlier walk.

    Raises:
        ParameterError: An argument is wrong, or the position is one of another query.
    """

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any],
        further: Mapping[str, Any],
        resume: str | None = None,
    ) -> None:
        self.name = name
        self._arguments = arranged(name, arguments, further)
        self.further = self._arguments.further
        self.position = Position(name, self._arguments.digests, self._arguments.mode)
        if resume is not None:
            self.position = self.position.resumed(resume)
        self.ready: deque[Row] = deque()
        """What the program gets next."""
        self.following: Ask | None = None
        """The arguments of the next page; None after the last one."""
        self._verdict: Verdict | None = None
        self.sound = False
        self.closed = False
        """The program has ended the walk."""
        self.repair()

    def __repr__(self) -> str:
        # Without the arguments, which may be personal, such as an e-mail address.
        total = self.position.total
        of = "" if total is None else f" of {total}"
        return f"{self.name}: {self.position.done}{of}" + (", closed" if self.closed else "")

    def repair(self) -> None:
        """Makes the walk go on from the last resource that the program got."""
        self.ready.clear()
        self._plan = self._parts()
        try:
            _, self.following = next(self._plan)
        except StopIteration:  # the program has all that the API returns
            self.following, self._verdict = None, limit_error
        self.sound = True

    def take(self, response: Response[Any]) -> None:
        """Takes the page that was asked for.

        Raises:
            TransportError: It is not the response of a query. The walk asks for it again.
        """
        page = page_of(response)
        if page.limit is not None:
            size = page.size or int((self.following or {}).get("perPage", MOST))
            self.position.wall = max(self.position.wall or 0, page.limit * size)
        if self.position.total is None and not self.position.done:
            self.position.total = page.total if len(self._arguments.parts) == 1 else None
        self._go_on(page)

    def is_too_deep(self) -> bool:
        """Whether the API may have refused the page because its number is too high."""
        asked = self.following or {}
        number, size = int(asked.get("page", 1)), int(asked.get("perPage", 1))
        return number > 1 and number * size > (self.position.wall or DEPTH)

    def skip(self) -> None:
        """Goes on without the page that was asked for: its number is too high for the API."""
        self._go_on(None)

    def pass_on(self) -> Any:
        """The next resource, for the program."""
        row = self.ready[0]
        # Before it is removed: if an exception strikes in between, it is passed on once more.
        self.position.pass_on(row)
        self.ready.popleft()
        return row.resource

    def failure(self) -> PaginationLimitError | None:
        """After the last resource, the error to raise, once; None: all were returned."""
        verdict, self._verdict = self._verdict, None
        return None if verdict is None else verdict(self.position)

    def _go_on(self, page: Page | None) -> None:
        self.sound = False
        following = None
        try:
            rows, following = self._plan.send(page)
        except StopIteration as end:
            rows = end.value
            self._verdict = limit_error
        except Unordered:
            rows = []
            self._verdict = unordered_error
        self.ready.extend(rows)
        self.following = following
        self.sound = True

    def _parts(self) -> Plan:
        """The plan of all parts, from the position on."""
        rows: list[Row] = []
        for number in range(self.position.part, len(self._arguments.parts)):
            rows = yield from self._part(number, rows)
        return rows

    def _part(self, number: int, rows: list[Row]) -> Plan:
        plan = self._plan_of(number)
        try:
            asked: Ask | None = next(plan)[1]
        except StopIteration:  # the program has all that the API returns of it
            asked = None
        while asked is not None:
            page = yield rows, asked
            try:
                rows, asked = plan.send(page)
            except StopIteration as end:
                rows, asked = end.value, None
            for row in rows:
                row.part = number
        return rows

    def _plan_of(self, number: int) -> Plan:
        base, most = self._arguments.parts[number], self._arguments.most
        start = self.position.start_of(number)
        if self.position.mode == "sequence":
            return by_sequence(base, start)
        if self.position.mode == "moment":
            newest_first = self._arguments.newest_first
            return by_moment(base, most, start, self.position, newest_first=newest_first)
        limits = self.position.limits_of(None)
        return by_number(base, most, set(start.ids), [], limits, start.at)
