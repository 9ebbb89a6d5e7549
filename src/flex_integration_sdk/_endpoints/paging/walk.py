"""Which pages to ask for, and which of their resources are new; without any request.

Newest last: what is created meanwhile comes at the end. Each page begins at the moment of creation
where the last one ended, so nothing depends on how many resources come before it: none is missed
because an earlier one went, and the API's limit of 10,000 for page numbers is not met.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flex_integration_sdk._endpoints.param_types import given
from flex_integration_sdk._endpoints.response import Response

PAGE = 100


class Walk:
    """The state of one walk.

    Args:
        arguments: Of the query, by the API's names.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.total: int | None = None
        self._base = {name: value for name, value in given(arguments).items() if value is not None}
        self._page = 1
        self._start: Any = self._base.get("createdAtStart")
        self._seen: set[Any] = set()
        self.following: dict[str, Any] | None = self._asked()
        """The arguments of the next page; None after the last one."""

    def take(self, response: Response[Any]) -> list[Any]:
        """The new resources of the page that was asked for; sets ``following``."""
        if self.total is None:
            self.total = response.meta.get("totalItems")
        new = [each for each in response.data if each["id"] not in self._seen]
        if len(response.data) < response.meta.get("perPage", PAGE):
            self.following = None
            return new
        last = response.data[-1]["attributes"]["createdAt"]
        if last == self._start:
            self._page += 1
            self._seen |= {each["id"] for each in new}
        else:
            self._page, self._start = 1, last
            self._seen = {
                each["id"] for each in response.data if each["attributes"]["createdAt"] == last
            }
        self.following = self._asked()
        return new

    def _asked(self) -> dict[str, Any]:
        asked = {**self._base, "sort": "-createdAt", "page": self._page}
        return asked if self._start is None else {**asked, "createdAtStart": self._start}
