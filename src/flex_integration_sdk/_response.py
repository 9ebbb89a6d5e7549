"""The API's answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from . import _transit
from .errors import ApiError, RateLimitedError, TransportError, class_for


@dataclass(frozen=True)
class Response:
    """A successful answer, decoded to dicts, lists and the types of :mod:`.types`."""

    status: int
    """HTTP status."""
    body: dict[str, Any]
    """The whole decoded answer."""

    @property
    def data(self) -> Any:
        """The resource, or the list of resources."""
        return self.body.get("data")

    @property
    def included(self) -> list[dict[str, Any]]:
        """Related resources that were asked for with ``include``."""
        found: list[dict[str, Any]] = self.body.get("included") or []
        return found

    @property
    def meta(self) -> dict[str, Any]:
        """Paging: ``totalItems``, ``totalPages``, ``page``, ``perPage``."""
        found: dict[str, Any] = self.body.get("meta") or {}
        return found


def interpret(response: Any, method: str, path: str) -> Response:
    """An HTTP response as an answer.

    Raises:
        ApiError: The API answered with an error; a subclass by status.
        TransportError: What came is not the API's answer.
    """
    status: int = response.status_code
    body = _decode(response)
    if not 200 <= status < 300:
        raise _error(status, body, method, path, response.headers.get("retry-after"))
    if not isinstance(body, dict):
        raise TransportError(
            f"{method} {path} was answered with something that is not the API's: base_url may be "
            "wrong, or a proxy may have answered",
            status=status,
        )
    return Response(status, body)


def _decode(response: Any) -> Any:
    kind = response.headers.get("content-type", "").lower()
    try:
        if kind.startswith("application/transit+json"):
            return _transit.loads(response.content)
        if kind.startswith("application/json"):
            return json.loads(response.content)
    except (ValueError, RecursionError):
        if 200 <= response.status_code < 300:
            raise TransportError(
                "the API's answer is damaged: it cannot be decoded; try again",
                status=response.status_code,
            ) from None
    return response.text


def _error(status: int, body: Any, method: str, path: str, retry_after: str | None) -> ApiError:
    error = class_for(status)(status=status, body=body, method=method, path=path)
    first = error.errors[0] if error.errors else {}
    said = ", ".join(str(first[name]) for name in ("code", "title") if first.get(name))
    error.message = f"{method} {path} failed: HTTP {status}" + (f", {said}" if said else "")
    if isinstance(error, RateLimitedError):
        error.retry_after = seconds(retry_after)
        wait = "" if error.retry_after is None else f" {error.retry_after:g} s"
        error.message += f"; wait{wait} before the next request"
    elif advice := _advice(status, error.errors):
        error.message += f"; {advice}"
    error.args = (error.message,)
    return error


def _advice(status: int, errors: list[dict[str, Any]]) -> str:
    if status == 401:
        return "sign in anew, and check that the application still exists in Console"
    if status < 500 and not errors:
        return (
            "this is not an answer of the API: base_url may be wrong, or a proxy may have answered"
        )
    if status >= 500:
        return "the server failed: try again later"
    return _ADVICE.get(status, "")


_ADVICE = {
    400: "check the parameters",
    402: "the payment failed",
    403: "this application may not do that",
    404: "check the id and that the marketplace is the right one",
    409: "the resource is not in a state that allows this",
    413: "send less at once",
}


def seconds(text: str | None) -> float | None:
    """``Retry-After`` (RFC 9110 section 10.2.3) in seconds from now; None: none, or unreadable."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, moment.timestamp() - time.time())
