"""The endpoints, written once for sync and async: ``R`` is what a call gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from ._endpoints import (
    ENDPOINTS,
    LISTINGS_QUERY,
    MARKETPLACE_SHOW,
    USERS_QUERY,
    USERS_SHOW,
    Endpoint,
)

__all__ = ["ENDPOINTS", "Endpoint", "Listings", "Marketplace", "Send", "Users"]

R = TypeVar("R")

Ids = Sequence[UUID | str]
Names = str | Sequence[str]


Send = Callable[[Endpoint, Mapping[str, Any]], R]


class _Resource(Generic[R]):
    def __init__(self, send: Send[R]) -> None:
        self._send = send

    def _call(self, endpoint: Endpoint, named: Mapping[str, Any], others: Mapping[str, Any]) -> R:
        return self._send(endpoint, {**named, **others})


class Marketplace(_Resource[R]):
    """The marketplace itself."""

    def show(self, /, **params: Any) -> R:
        """The marketplace that the client belongs to."""
        return self._call(MARKETPLACE_SHOW, {}, params)


class Users(_Resource[R]):
    """The marketplace's users."""

    def show(
        self,
        /,
        *,
        id: UUID | str | None = None,
        email: str | None = None,
        include: Names | None = None,
        fields: Mapping[str, Names] | None = None,
        **params: Any,
    ) -> R:
        """One user, by ``id`` or ``email``.

        Args:
            id: The user's id.
            email: The user's e-mail address, instead.
            include: Relationships to include, such as ``"profileImage"``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            params: Further parameters of the API, passed through.

        Raises:
            NotFoundError: There is no such user.
        """
        named = {"id": id, "email": email, "include": include, "fields": fields}
        return self._call(USERS_SHOW, named, params)

    def query(
        self,
        /,
        *,
        page: int | None = None,
        per_page: int | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: Names | None = None,
        include: Names | None = None,
        fields: Mapping[str, Names] | None = None,
        **params: Any,
    ) -> R:
        """Users, newest first.

        Args:
            page: Page number from 1.
            per_page: Users on a page, 1 to 100.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 attributes; ``-`` reverses.
            include: Relationships to include.
            fields: Attributes to give, by type.
            params: Further parameters, such as ``pub_…`` filters, passed through.
        """
        named = {
            "page": page,
            "per_page": per_page,
            "created_at_start": created_at_start,
            "created_at_end": created_at_end,
            "sort": sort,
            "include": include,
            "fields": fields,
        }
        return self._call(USERS_QUERY, named, params)


class Listings(_Resource[R]):
    """The marketplace's listings."""

    def query(
        self,
        /,
        *,
        page: int | None = None,
        per_page: int | None = None,
        ids: Ids | None = None,
        author_id: UUID | str | None = None,
        states: Names | None = None,
        keywords: str | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: Names | None = None,
        include: Names | None = None,
        fields: Mapping[str, Names] | None = None,
        **params: Any,
    ) -> R:
        """Listings, in all states unless ``states`` is given.

        Args:
            page: Page number from 1.
            per_page: Listings on a page, 1 to 100.
            ids: These listings only, at most 100.
            author_id: Of this user only.
            states: ``draft``, ``pendingApproval``, ``published``, ``closed``.
            keywords: Words to search for.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 attributes; ``-`` reverses.
            include: Relationships to include, such as ``"author"``.
            fields: Attributes to give, by type.
            params: Further parameters, such as ``pub_…`` filters, passed through.
        """
        named = {
            "page": page,
            "per_page": per_page,
            "ids": ids,
            "author_id": author_id,
            "states": states,
            "keywords": keywords,
            "created_at_start": created_at_start,
            "created_at_end": created_at_end,
            "sort": sort,
            "include": include,
            "fields": fields,
        }
        return self._call(LISTINGS_QUERY, named, params)
