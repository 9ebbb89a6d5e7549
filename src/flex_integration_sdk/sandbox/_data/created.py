"""Resources by when they were created: read a page at a time, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from .rows import Resource, decoded, decoded_anew, milliseconds

Order = Literal["", "createdAt", "-createdAt"]
"""As the API's ``sort``: without, the last added first; a plain key has the newest first."""

# The last added of equals is first, as where Python sorts.
_ORDERS: dict[str, str] = {
    "": "ORDER BY position DESC",
    "createdAt": "ORDER BY created DESC, position DESC",
    "-createdAt": "ORDER BY created, position DESC",
}


class Created:
    """The resources of a type that were created within a time span.

    Args:
        connection: To the database.
        kind: The type.
        start: The first moment; None: from the oldest on.
        end: What is created at this moment or later is not of it; None: to the newest.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        kind: str,
        start: datetime | None,
        end: datetime | None,
    ) -> None:
        self._connection = connection
        limits = [(">=", start), ("<", end)]
        spans = [(sign, milliseconds(at)) for sign, at in limits if at is not None]
        self._where = " AND ".join(["type = ?", *(f"created {sign} ?" for sign, _ in spans)])
        self._values = (kind, *(at for _, at in spans))

    def __len__(self) -> int:
        ((found,),) = self._rows("count(*)")
        return int(found)

    def __iter__(self) -> Iterator[Resource]:
        """All of them, the last added first."""
        return (decoded(body) for (body,) in self._rows("body", _ORDERS[""]))

    def page(self, order: Order, first: int, most: int) -> list[Resource]:
        """At most ``most`` of them, from the one at place ``first`` on; the first place is 0."""
        # The places alone come from the index, which has no bodies, however many are left out.
        places = self._rows("position", f"{_ORDERS[order]} LIMIT {most:d} OFFSET {first:d}")
        one = "SELECT body FROM resource WHERE position = ?"
        found = [self._connection.execute(one, place).fetchone() for place in places.fetchall()]
        # Not kept: a program that reads all pages reads each once.
        return [decoded_anew(body) for (body,) in found]

    def _rows(self, what: str, rest: str = "") -> sqlite3.Cursor:
        # Nothing but the values comes from a request.
        statement = f"SELECT {what} FROM resource WHERE {self._where} {rest}"  # noqa: S608
        return self._connection.execute(statement, self._values)
