"""The API's answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
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
            "wrong, or a proxy may have answered"
        )
    return Response(status, body)


def _decode(response: Any) -> Any:
    kind = response.headers.get("content-type", "")
    try:
        if kind.startswith("application/transit+json"):
            return _transit.loads(response.content)
        if kind.startswith("application/json"):
            return json.loads(response.content)
    except (ValueError, RecursionError):
        if 200 <= response.status_code < 300:
            raise TransportError("the API's answer is damaged: it cannot be decoded") from None
    return response.text


def _error(status: int, body: Any, method: str, path: str, retry_after: str | None) -> ApiError:
    error = class_for(status)(status=status, body=body, method=method, path=path)
    first = error.errors[0] if error.errors else {}
    said = ", ".join(str(first[name]) for name in ("code", "title") if first.get(name))
    error.message = f"{method} {path} failed: HTTP {status}" + (f", {said}" if said else "")
    if status == 401:
        error.message += "; sign in anew, and check that the application still exists in Console"
    if isinstance(error, RateLimitedError):
        error.retry_after = _seconds(retry_after)
        wait = "" if error.retry_after is None else f" {error.retry_after:g} s"
        error.message += f"; wait{wait} before the next request"
    error.args = (error.message,)
    return error


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip().isdecimal() else None
