"""What a response of the API means."""

from __future__ import annotations

from typing import Any, TypeVar

from flex_integration_sdk import _transit
from flex_integration_sdk._endpoints.endpoint import snake
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._values.shown import shown
from flex_integration_sdk.errors import ApiError, TransportError, class_for
from flex_tokenstore.embedding import is_page, retry_after

from .origin import BETWEEN

T = TypeVar("T", covariant=True)


def interpret(response: Any, method: str, path: str, *, again: bool = True) -> Response[Any]:
    """Decodes an HTTP response.

    Args:
        response: What came.
        method: ``"GET"`` or ``"POST"``.
        path: Of the endpoint.
        again: An error may advise to make the call once more.

    Raises:
        ApiError: The API answered with an error; a subclass by status.
        TransportError: What came is not the API's answer.
    """
    status: int = response.status_code
    body = _decode(response, again=again)
    if not 200 <= status < 300:
        raise _error(response, body, method, path, again=again)
    if not isinstance(body, dict):
        raise TransportError(
            f"{method} {path} returned something that is not a response of the API: base_url may "
            "be wrong, or a proxy may have responded",
            status=status,
        )
    return Response(status, body, response.headers)


def _decode(response: Any, *, again: bool) -> Any:
    # The beginning counts, as in the official SDK: a charset may follow.
    kind = response.headers.get("content-type", "").lower()
    try:
        if kind.startswith("application/transit+json"):
            return _transit.loads(response.content)
        if kind.startswith("application/json"):
            return _transit.loads_json(response.content)
    except (ValueError, RecursionError):
        # An error whose body cannot be read still has its status, which says enough.
        if 200 <= response.status_code < 300:
            raise TransportError(
                "the API's response is damaged: it cannot be decoded"
                + ("; try again" if again else ""),
                status=response.status_code,
                passing=True,
            ) from None
    return response.content.decode(errors="replace")


def refuses_token(response: Any) -> bool:
    """Whether the API refuses the access token: a 401 that is not an HTML page of a gateway.

    A page says nothing about the token, so a refresh or a sign-in would not help.
    """
    return response.status_code == 401 and not _is_page(response)


def _error(response: Any, body: Any, method: str, path: str, *, again: bool) -> ApiError:
    status: int = response.status_code
    error = class_for(status)(
        status=status, body=body, method=method, path=path, headers=response.headers
    )
    first = error.errors[0] if error.errors else {}
    said = ", ".join(shown(first[name]) for name in ("code", "title") if first.get(name))
    error.message = f"{method} {path} failed: HTTP {status}" + (f", {said}" if said else "")
    wait = retry_after(response.headers.get("retry-after"))
    error.retry_after = wait
    if status == 429:
        pause = "" if wait is None else f" {wait:g} s"
        error.message += f"; wait{pause} before the next request"
    elif status >= 500:
        when = "later" if wait is None else f"in {wait:g} s, or later"
        error.message += "; the server failed" + (f": try again {when}" if again else "")
    elif advice := _advice(status, error.errors, path, page=_is_page(response)):
        error.message += f"; {advice}"
    # An exception is copied and pickled from its `args`.
    error.args = (error.message,)
    return error


def _is_page(response: Any) -> bool:
    return is_page(response.headers.get("content-type", ""), response.content)


def _advice(status: int, errors: list[dict[str, Any]], path: str, *, page: bool) -> str:
    if page:
        return f"this page is not a response of the API: base_url may be wrong, or {BETWEEN}"
    if status == 401:
        return "sign in again, and check that the application still exists in Console"
    if not errors:
        return (
            "this is not a response of the API: base_url may be wrong, or a proxy may have "
            "responded"
        )
    if status == 409 and (advice := _of_absent(errors[0].get("code"), path)):
        return advice
    return _ADVICE.get(status, "")


def _of_absent(code: object, path: str) -> str:
    """The advice if a command names what does not exist; the API answers 409, not 404."""
    kind = _ABSENT.get(code, "") if isinstance(code, str) else ""
    if not kind:
        return ""
    sent = {each.name for row in ENDPOINTS.values() if row.path == path for each in row.params}
    own = ["id"] if path.startswith(f"{kind}s/") else []
    names = [name for name in own + _ARGUMENTS[kind] if name in sent]
    existing = (
        "an existing image that can be used here" if kind == "image" else f"an existing {kind}"
    )
    if not names:
        return f"the command needs {existing}"
    return f"check {' and '.join(map(snake, names))}: it must name {existing}"


_ADVICE = {
    400: "check the parameters",
    402: "the payment failed",
    403: "this application may not do that",
    404: "check the id or email address, and that the marketplace is the right one",
    409: "the resource is not in a state that allows this",
    413: "send less in one request",
}
_ABSENT = {
    "image-invalid": "image",
    "listing-not-found": "listing",
    "transaction-not-found": "transaction",
    "user-not-found": "user",
}
_ARGUMENTS = {
    "image": ["images", "profileImageId"],
    "listing": ["listingId"],
    "transaction": ["transactionId"],
    "user": ["authorId", "userId"],
}
