"""Refuses requests that a web page in a browser of this machine makes.

A page may send requests to any address, and its owner may make a name of theirs lead to 127.0.0.1
(DNS rebinding); then the browser takes the sandbox for that page's own server. So the name that a
request was sent to must be one of ours, and so must be the page that it comes from, if any.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from flex_integration_sdk.sandbox._notices import tell

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OTHER_SITES = {"cross-site", "same-site"}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/@\s]+)(?::(\d{1,5}))?")
_WILDCARDS = {"", "0.0.0.0", "::"}  # noqa: S104 - not bound here
_MOST_TOLD = 20  # names, so that nobody can fill a log


class Guard:
    """An ASGI application around another one, which refuses requests with 403.

    Args:
        app: What answers all other requests.
        names: Names, beside those of this machine's loopback interface, that clients may use.
    """

    def __init__(self, app: Any, names: Iterable[str]) -> None:
        self._app = app
        self._names = {_plain(name) for name in names}
        self._told: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuses the request, or passes it on."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        self._tell(refusal)
        body = {"error": "refused_by_sandbox", "error_description": refusal}
        await JSONResponse(body, 403)(scope, receive, send)

    def _refusal(self, scope: Any) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        # A request with two is not valid (RFC 9112 section 3.2).
        host = hosts[0].lower() if len(hosts) == 1 else ""
        found = _HOST.fullmatch(host)
        if found is None:
            return "the sandbox refused a request without one valid Host header"
        if not self._is_ours(found[1], scope):
            return (
                f"the sandbox refused a request for the host {found[1][:100]!r}: if it is this "
                f"machine's, start the sandbox with --allow-host {found[1][:100]}"
            )
        origins = headers.getlist("origin")
        if any(origin.lower() != f"{scope['scheme']}://{host}" for origin in origins):
            return "the sandbox refused a request that a web page sent from another origin"
        site = headers.get("sec-fetch-site", "").lower()
        if scope["method"] not in _SAFE and site in _OTHER_SITES:
            return "the sandbox refused a request that a web page sent from another site"
        return None

    def _is_ours(self, host: str, scope: Any) -> bool:
        name = _plain(host)
        if name in self._names or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # Listening on all addresses, --host names each of them. No name leads there by rebinding.
        here = (scope.get("server") or ("",))[0]
        return address.is_loopback or (bool(self._names & _WILDCARDS) and name == here)

    def _tell(self, refusal: str) -> None:
        """Tells the person who started the sandbox, who can allow the host."""
        if refusal not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(refusal)
            tell(refusal)


def _plain(name: str) -> str:
    """A host in the form that is compared: lower case, without brackets and the root's dot."""
    return name.lower().removeprefix("[").removesuffix("]").removesuffix(".")
