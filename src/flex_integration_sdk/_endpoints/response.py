"""What a method of an endpoint returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NotRequired, TypedDict, TypeVar, cast

from flex_integration_sdk.resources import Resource, key_of

T = TypeVar("T", covariant=True)


class PageMeta(TypedDict):
    """Where a page is. Totals are None where the API does not count."""

    totalItems: int | None
    totalPages: int | None
    page: int
    perPage: int
    paginationLimit: NotRequired[int]
    """Last page that may be asked for."""
    paginationUnsupported: NotRequired[bool]
    """There is the first page alone."""


@dataclass(frozen=True)
class Response(Generic[T]):
    """A successful answer, decoded to dicts, lists and the types of ``types``."""

    status: int
    """HTTP status."""
    body: dict[str, Any]
    """The whole decoded answer, plain."""

    @cached_property
    def data(self) -> T:
        """The resource, or the list of resources; see :mod:`flex_integration_sdk.resources`."""
        data = self.body.get("data")
        found: Any = (
            [Resource(each, self._index) for each in data]
            if isinstance(data, list)
            else Resource(data, self._index)
            if isinstance(data, dict)
            else data
        )
        return cast(T, found)

    @cached_property
    def included(self) -> list[Resource[Any]]:
        """Related resources that were asked for with ``include``."""
        return [Resource(each, self._index) for each in self.body.get("included") or []]

    @property
    def meta(self) -> PageMeta:
        """Paging."""
        return cast(PageMeta, self.body.get("meta") or {})

    @cached_property
    def _index(self) -> dict[tuple[str, Any], dict[str, Any]]:
        data = self.body.get("data")
        own = data if isinstance(data, list) else [data]
        # What was included comes last and wins: a resource of ``data`` is there whole as well.
        return {
            key_of(each): each
            for each in [*own, *(self.body.get("included") or [])]
            if isinstance(each, dict)
        }
