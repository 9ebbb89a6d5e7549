"""The endpoints of the Integration API, as data."""

from __future__ import annotations

from typing import Final, NamedTuple

API_PATH: Final = "/v1/integration_api/"
TOKEN_PATH: Final = "/v1/auth/token"  # noqa: S105 - a path
REVOKE_PATH: Final = "/v1/auth/revoke"


class Endpoint(NamedTuple):
    """One endpoint of the Integration API."""

    resource: str
    """Attribute of the SDK, such as ``"users"``."""
    action: str
    """Method of that attribute, such as ``"query"``."""
    method: str
    """HTTP method: ``"GET"`` for queries, ``"POST"`` for commands."""
    path: str
    """Path under ``/v1/integration_api/``."""


MARKETPLACE_SHOW = Endpoint("marketplace", "show", "GET", "marketplace/show")
USERS_SHOW = Endpoint("users", "show", "GET", "users/show")
USERS_QUERY = Endpoint("users", "query", "GET", "users/query")
LISTINGS_QUERY = Endpoint("listings", "query", "GET", "listings/query")

ENDPOINTS = {
    f"{each.resource}.{each.action}": each
    for each in (MARKETPLACE_SHOW, USERS_SHOW, USERS_QUERY, LISTINGS_QUERY)
}
"""All of them, by ``resource.action``."""
