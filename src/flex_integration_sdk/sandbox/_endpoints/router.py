"""The Integration API of the sandbox: from a request to its response."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.sandbox._data.database import Database
from flex_integration_sdk.sandbox._data.seed.content import seed, seed_name
from flex_integration_sdk.sandbox._notices import tell
from flex_integration_sdk.sandbox._refusal import ApiFault, not_found
from flex_integration_sdk.sandbox._settings import SandboxSettings

# Imported for their endpoints, which they register.
from . import availability, events, listings, media, stock, transactions, users
from .context import HANDLERS, Context
from .encoding import check_stored
from .image_variants import with_addresses
from .pages import one, reference
from .parameters import Arguments, read_arguments
from .strictness import check_query, check_values
from .tolerated import no_filter, unknown_include

__all__ = ["Api", "allowed"]

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS.values()}
_MODULES = (availability, events, listings, media, stock, transactions, users)

# A program that makes up names must not fill the memory.
_MOST_TOLD = 100

E = TypeVar("E")


def allowed(endpoint: Endpoint) -> str:
    """The header ``Allow`` of an endpoint."""
    return "GET, HEAD, OPTIONS" if endpoint.method == "GET" else "OPTIONS, POST"


def _meant(path: str) -> str:
    if path.rstrip("/") in BY_PATH:
        return ": omit the slash at the end"
    resource, _, action = path.partition("/")
    near = difflib.get_close_matches(resource, [known.partition("/")[0] for known in BY_PATH], n=1)
    if not near:
        return ""
    actions = {p.partition("/")[2]: p for p in BY_PATH if p.startswith(f"{near[0]}/")}
    meant = difflib.get_close_matches(action, actions, n=1)
    if meant:
        return f": did you mean {actions[meant[0]]}?"
    return f"; there are {', '.join(actions.values())}"


class Api:
    """All endpoints, on one database.

    Args:
        settings: The sandbox's rules, its file and its client's id.
        sign: Gives the signature of a text, for URLs.
    """

    def __init__(self, settings: SandboxSettings, sign: Callable[[str], str]) -> None:
        self.db = Database(settings.db, partial(seed, settings.seed, settings.listings))
        self.db.add_tables(media.SCHEMA)
        wanted = seed_name(settings.seed, settings.listings)
        if (made_with := self.db.seed_name or "rich") != wanted:
            tell(
                f"{settings.db} has data already, made with the seed {made_with}, so the seed "
                f"{wanted} is not used; POST /_sandbox/reset replaces the data by it"
            )
        self._settings = settings
        self._told: set[str] = set()
        self._sign = sign

    def find(self, method: str, path: str) -> Endpoint:
        """The endpoint that a request is for. HEAD is for what GET is for (RFC 9110 section 9.3.2).

        Raises:
            ApiFault: 404; there is none. 405; it takes another method.
        """
        endpoint = self.known(path)
        if endpoint.method != ("GET" if method == "HEAD" else method):
            kind = "query" if endpoint.method == "GET" else "command"
            title = f"This endpoint is a {kind}: send {endpoint.method}, not {method}"
            raise ApiFault(405, "method-not-allowed", title, headers={"Allow": allowed(endpoint)})
        return endpoint

    def known(self, path: str) -> Endpoint:
        """The endpoint of a path, whatever the method.

        Raises:
            ApiFault: 404; there is none.
        """
        endpoint = BY_PATH.get(path)
        if endpoint is None:
            raise not_found(f"There is no such endpoint{_meant(path)}")
        return endpoint

    def answer(
        self,
        endpoint: Endpoint,
        query: Mapping[str, str],
        given: Mapping[str, Any] | None,
        base_url: str,
        encode: Callable[[dict[str, Any]], E],
        request_id: UUID,
    ) -> E:
        """Does what the request asks for, as a whole or not at all.

        Args:
            endpoint: What it is for.
            query: Its query parameters.
            given: Its body, for commands.
            base_url: Address that signed URLs begin with.
            encode: Makes the response of the body. It is called before the command is kept: what
                cannot be sent was not done.
            request_id: What events tell of the request.

        Raises:
            ApiFault: The request is refused.
        """
        asked = self._read(endpoint, query, given)
        media.finish_verification(self.db, self._settings.file_verification)
        context = Context(self.db, base_url, self._sign, self._settings, request_id)
        handler = HANDLERS[endpoint.name]
        if endpoint.method == "GET":
            found = handler(context, asked)
            body = found if endpoint.many else one(self.db, found, asked)
            return encode(with_addresses(body, base_url))
        keep = endpoint.action != "transitionSpeculative"
        with self.db.transaction(keep=keep):
            found = handler(context, asked)
            # A copy: writing the events adds to the changes.
            changes = list(self.db.changes)
            effects = endpoint.resource == "transactions"
            # In the same transaction: who polls events must not miss a change.
            events.emit(context, changes, self._settings.client_id, effects=effects)
            # What is given is what is there now, after all effects.
            found = self.db.get(found["type"], found["id"]) or found
            for _, after in self.db.changes:
                if after is not None:
                    check_stored(after)
            body = one(self.db, found, asked) if asked.expand else reference(found)
            return encode(with_addresses(body, base_url))

    def _read(
        self, endpoint: Endpoint, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> Arguments:
        asked = read_arguments(endpoint, query, body, strict=self._settings.strict)
        self._tell_of_ignored(endpoint, asked)
        if self._settings.strict:
            check_query(endpoint, asked)
            check_values(endpoint, body or {}, asked)
        if asked.filters and not (endpoint.method == "GET" and endpoint.many):
            name = next(iter(asked.filters))
            raise ApiFault(400, "validation-disallowed-key", f"Unknown key {name}", path=(name,))
        return asked

    def _tell_of_ignored(self, endpoint: Endpoint, asked: Arguments) -> None:
        """Tells the developer, once, whose program takes each user for the wanted one, say."""
        notices = [no_filter(endpoint, name) for name in asked.ignored]
        for path in asked.include:
            unknown = unknown_include(endpoint, path)
            notices.append(unknown and f"{endpoint.name} ignores a part of include: {unknown}")
        for notice in notices:
            if notice and notice not in self._told and len(self._told) < _MOST_TOLD:
                self._told.add(notice)
                tell(notice)
