"""What ``on_request`` is called with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    """One HTTP request and what came of it: an API call's, a token request or an upload."""

    method: str
    """``"GET"`` and so on."""
    host: str
    """Host and port of the server."""
    path: str
    """Such as ``/v1/integration_api/listings/query``; ``/…`` for another server's."""
    parameters: tuple[str, ...] = ()
    """The names of the parameters, as the API has them; never their values."""
    attempt: int = 1
    """1, or more if the call is repeated: after an error, or with another token after a 401."""
    status: int | None = None
    """HTTP status; None: there was no response."""
    error: str | None = None
    """The class of the error, such as ``"TransportError"``, if there was no response."""
    seconds: float = 0.0
    """Until the whole response was there, with the wait for a free connection."""
    request_id: str | None = None
    """What the server calls the request, for support; None: it did not say."""
    retry_in: float | None = None
    """Seconds until the request is repeated; None: it is not, or only with another token."""
