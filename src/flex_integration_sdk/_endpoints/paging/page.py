"""What a walk reads of a response: its resources with their ids and moments, and its totals.

A program's own types may have replaced ids and times in the resources; what is read here is what
the API sent.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from flex_integration_sdk._endpoints.param_types import OwnText
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._values.far_time import FarTime, time_at, time_of
from flex_integration_sdk.errors import TransportError

MOST = 100
"""Resources on a page, at most: the API's limit, and what it returns if nothing is said."""
Ask = dict[str, Any]
"""The arguments of the query for one page, by the API's names."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ID_BYTES = 16


@dataclass(slots=True)
class Row:
    """A resource of a page."""

    resource: Any
    key: bytes
    """Its id, as 16 bytes."""
    moment: int | None
    """Its ``createdAt``, in milliseconds since 1970; None: it has none."""
    sequence: int | None
    """Its ``sequenceId``, of an event."""
    part: int = 0
    """Which part of a long list of ids it belongs to."""
    at: int = 0
    """How many resources come up to it, itself included, where pages are numbered."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a query."""

    rows: list[Row]
    total: int | None
    """How many resources the query finds; None: the API does not count them."""
    pages: int | None
    """How many pages there are; None: not known."""
    limit: int | None
    """Number of the last page that the API returns; None: it does not say."""
    size: int | None
    """How many resources a page of this query has, as the API says."""
    first_only: bool
    """The API returns the first page only."""

    def but(self, seen: set[bytes]) -> list[Row]:
        """Its resources without those of these ids, each once."""
        return [*{row.key: row for row in self.rows if row.key not in seen}.values()]


Plan = Generator[tuple[list[Row], Ask], Page | None, list[Row]]
"""A walk, or a part of it.

It yields the new resources of the page before, and what to ask for next; it gets that page, or None
if the API refused it as too deep. At the end it returns the new resources of the last page.
"""


def page_of(response: Response[Any]) -> Page:
    """What a walk needs of a response.

    Raises:
        TransportError: It is not the response of a query.
    """
    body = response._unhandled or response.body
    data, meta = body.get("data"), body.get("meta") or {}
    if not isinstance(data, list):
        raise TransportError(
            "the API's response has no list of resources, so it is not that of a query",
            status=response.status,
        )
    rows = [_row(*pair) for pair in zip(response.data, data, strict=True)]
    total, size = _whole(meta.get("totalItems")), _whole(meta.get("perPage")) or None
    pages = _whole(meta.get("totalPages"))
    if pages is None and total is not None:
        pages = -(-total // (size or MOST))
    first_only = meta.get("paginationUnsupported") is True
    return Page(rows, total, pages, _whole(meta.get("paginationLimit")) or None, size, first_only)


def moment_text(moment: int) -> OwnText:
    """A moment as a query has it."""
    found = time_at(moment)
    if isinstance(found, FarTime):
        return OwnText(found)
    return OwnText(found.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _row(resource: Any, plain: Any) -> Row:
    attributes = plain.get("attributes") or {}
    sequence = _whole(attributes.get("sequenceId"))
    return Row(resource, _key(plain.get("id")), _moment(attributes.get("createdAt")), sequence)


def _key(found: Any) -> bytes:
    if isinstance(found, str):
        with suppress(ValueError):
            found = UUID(found)  # JSON has no type for ids
    if isinstance(found, UUID):
        return found.bytes
    return blake2b(repr(found).encode(errors="replace"), digest_size=_ID_BYTES).digest()


def _moment(found: Any) -> int | None:
    """In whole milliseconds, which is all that a query can say."""
    if isinstance(found, str):
        try:
            found = time_of(found)
        except ValueError:
            return None
    if isinstance(found, FarTime):
        return found.milliseconds
    if isinstance(found, datetime):
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MILLISECOND
    return None


def _whole(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) else None
