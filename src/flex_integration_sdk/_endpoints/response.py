"""What a method of an endpoint returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NoReturn, NotRequired, TypedDict, TypeVar, cast

from flex_integration_sdk.resources import Resource
from flex_integration_sdk.resources._resource import key_of, resource_of

T = TypeVar("T", covariant=True)


class PageMeta(TypedDict):
    """Position and size of a page of results. The totals are None where the API does not count."""

    totalItems: int | None
    totalPages: int | None
    page: int
    perPage: int
    paginationLimit: NotRequired[int]
    """Number of the last page that can be requested."""
    paginationUnsupported: NotRequired[bool]
    """True: only the first page can be requested."""


@dataclass(frozen=True, repr=False)
class Response(Generic[T]):
    """A successful response, decoded to dicts, lists and Python types such as :class:`Money`.

    ``repr`` shows status, types, ids and counts, which are harmless in a log.
    """

    status: int
    """HTTP status."""
    body: dict[str, Any]
    """The whole decoded response, as plain dicts and lists."""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The response's headers, by their names in any case."""

    _unhandled: dict[str, Any] | None = field(default=None, compare=False)
    """The body before type handlers read it; None: there are none."""

    def __repr__(self) -> str:
        from flex_integration_sdk.resources._short import short_data, short_page

        data, page = short_data(self.body.get("data")), short_page(self.body.get("meta"))
        return f"<Response {self.status}, {data}{page}>"

    @property
    def request_id(self) -> str | None:
        """What the API calls the request: tell it if you ask for support. None: it did not say."""
        return self.headers.get("x-request-id")

    @cached_property
    def data(self) -> T:
        """The resource, or the list of resources, that the call asked for.

        Each has the class of its type, such as :class:`Listing` of
        :mod:`flex_integration_sdk.resources`.
        """
        data = self.body.get("data")
        found: Any = (
            [resource_of(each, self._index, "") for each in data]
            if isinstance(data, list)
            else resource_of(data, self._index, "")
            if isinstance(data, dict)
            else data
        )
        return cast(T, found)

    @cached_property
    def included(self) -> list[Resource[Any]]:
        """Related resources that were asked for with ``include``, each of its type's class."""
        return [resource_of(each, self._index) for each in self.body.get("included") or []]

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

    if not TYPE_CHECKING:  # a type checker finds the mistake, since it knows none of these

        def __iter__(self) -> NoReturn:
            raise _no_container("iterated over")

        def __getitem__(self, key: object) -> NoReturn:
            raise _no_container("indexed")

        def __contains__(self, item: object) -> NoReturn:
            raise _no_container("searched with in")

        def __len__(self) -> NoReturn:
            raise _no_container("measured with len()")

        def __bool__(self) -> bool:
            return True  # Python would ask `__len__`


def _no_container(done: str) -> TypeError:
    return TypeError(
        f"a Response cannot be {done}: what the call asked for is in its attribute .data, such as "
        "sdk.listings.query().data; sdk.listings.iterate() walks through all pages"
    )
