"""A model of the API's queries: pages, the limit of their numbers, order, spans of creation.

It knows moments to the microsecond, and shows and filters by milliseconds as the API does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from flex_integration_sdk._endpoints.paging.walk import Walk
from flex_integration_sdk._endpoints.response import Response

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class PagedApi:
    """What there is, and how it is paged."""

    rows: dict[int, int] = field(default_factory=dict)
    """Microseconds since BEGIN by number."""
    wall: int | None = None
    """So many resources can be reached by page numbers; None: all."""
    says_limit: bool = True
    """It says ``paginationLimit``; otherwise it only refuses pages beyond it."""
    counts: bool = True
    """It says the totals."""
    first_only: bool = False
    """It returns the first page only, and says so."""
    hidden: frozenset[int] = frozenset()
    """Rows that it counts and does not show: it filters after it has made the page."""
    sorts: bool = True
    """It keeps to ``sort``."""
    shuffles: Random | None = None
    """Equal rows come in another order with each request."""
    in_place_of: dict[int, int] = field(default_factory=dict)
    """Rows that another one takes the place of, on whatever page."""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def query(self, asked: dict[str, Any]) -> Response[Any] | None:
        """One page; None: it refuses the page's number."""
        self.asked.append(asked)
        number, size = int(asked.get("page", 1)), int(asked.get("perPage", 100))
        found = self._found(asked)
        if number > 1 and (
            self.first_only or (self.wall is not None and number * size > self.wall)
        ):
            return None
        meta: dict[str, Any] = {"page": number, "perPage": size}
        counts = self.counts and not self.first_only
        meta["totalItems"] = len(found) if counts else None
        meta["totalPages"] = -(-len(found) // size) if counts else None
        if self.first_only:
            meta["paginationUnsupported"] = True
        if self.wall is not None and self.says_limit:
            meta["paginationLimit"] = max(1, self.wall // size)
        shown = found[(number - 1) * size : number * size]
        shown = [self.in_place_of.get(each, each) for each in shown if each not in self.hidden]
        data = [self._resource(each) for each in shown]
        return Response(200, {"data": data, "meta": meta})

    def _found(self, asked: dict[str, Any]) -> list[int]:
        first, end = _moment(asked, "createdAtStart"), _moment(asked, "createdAtEnd")
        found = [
            number
            for number, at in self.rows.items()
            if (first is None or at >= first) and (end is None or at < end)
        ]
        if not self.sorts:
            return sorted(found, key=lambda number: hash((number, 7)))
        found.sort()  # equal ones keep this order
        if self.shuffles is not None:
            self.shuffles.shuffle(found)
        reverse = not str(asked.get("sort", "createdAt")).startswith("-")
        return sorted(found, key=self.rows.__getitem__, reverse=reverse)

    def _resource(self, number: int) -> dict[str, Any]:
        at = BEGIN + timedelta(milliseconds=self.rows[number] // 1000)
        return {"id": UUID(int=number), "type": "listing", "attributes": {"createdAt": at}}


def _moment(asked: dict[str, Any], name: str) -> int | None:
    value = asked.get(name)
    if value is None:
        return None
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (at - BEGIN) // timedelta(milliseconds=1) * 1000


Change = tuple[int, int | None]
"""A row's number, and when it was created; None: it goes."""


class Guide:
    """Takes a walk through the model, which changes after each request.

    Args:
        api: The model.
        changes: For each request, what changes after it. A row that comes back was created when it
            was created at first.
        most: Requests, at most.
    """

    def __init__(
        self, api: PagedApi, changes: Sequence[Sequence[Change]] = (), most: int = 1_000
    ) -> None:
        self._api, self._changes, self._most = api, list(changes), most
        self._created = dict(api.rows)

    def through(self, walk: Walk) -> Iterator[int]:
        """The numbers of the rows that the walk returns."""
        while True:
            while not walk.ready:
                if walk.following is None:
                    return
                self._fetch(walk, walk.following)
            yield walk.pass_on()["id"].int

    def _fetch(self, walk: Walk, asked: dict[str, Any]) -> None:
        page = self._api.query(asked)
        assert len(self._api.asked) <= self._most, "too many requests"
        if page is not None:
            walk.take(page)
        else:
            assert walk.is_too_deep()
            walk.skip()
        for number, created in self._changes.pop(0) if self._changes else ():
            if created is None:
                self._api.rows.pop(number, None)
            else:
                self._api.rows[number] = self._created.setdefault(number, created)
