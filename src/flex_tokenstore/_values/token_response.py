"""What a token endpoint's response means (RFC 6749 section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import GrantError, GrantReason
from .origin import is_refusal, json_object
from .retry_after import retry_after
from .secret import Secret

_CODE = re.compile(r"[a-z][a-z_.-]{1,39}")  # what else stands there may be anything: not shown


def read_token_response(response: Any, *, refreshing: bool) -> Mapping[str, Any]:
    """Reads a token response (RFC 6749 section 5), for the ``Grants`` that you write.

    Args:
        response: A response of httpx2, httpx or requests to a token request, read to its end.
        refreshing: Whether the request had a refresh token: then its rejection is one for good.

    Returns:
        The JSON object; its ``repr`` shows nothing.

    Raises:
        GrantError: The server refused or failed, or it is not a token response. Its ``reason``
            tells the session what to do; no message shows what the server sent, but for an error
            code such as ``invalid_client``.
    """
    status: int = response.status_code
    kind: str = response.headers.get("content-type") or ""
    body: Secret[bytes] = Secret(response.content or b"")
    found = json_object(body)
    if 200 <= status < 300:
        return _checked_token(found)
    code = _code_in(found)
    reason: GrantReason = "failed"
    if status >= 500:
        reason = "transient"
    elif refreshing and status == 400 and code == "invalid_grant":
        reason = "rejected"
    elif refreshing and status == 401 and code != "invalid_client":
        reason = "rejected" if is_refusal(kind, body) else "doubtful"
    said = f"HTTP {status}" + (f", {code}" if code else "")
    advice = "too many requests: try again later" if status == 429 else _ADVICE[reason]
    error = GrantError(f"the token request failed: {said}; {advice}", reason=reason)
    error.retry_after = retry_after(response.headers.get("retry-after"))
    raise error


_ADVICE: Mapping[GrantReason, str] = {
    "rejected": "the refresh token does not work any more",
    "doubtful": (
        "it does not look like the token endpoint's own response: a gateway, a proxy or a firewall "
        "may have sent it"
    ),
    "transient": "the server failed; try again later",
    "failed": "check the address, client id and client secret",
}


def _checked_token(found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if found is None or not isinstance(found.get("access_token"), str):
        raise GrantError(
            "the response to the token request is not a token: check the address; a proxy may have "
            "responded"
        )
    if not _is_bearer(found):
        raise GrantError("the server issued a token that is not a bearer token; it was not saved")
    return found


# Functions of their own: what stands there may be a token, and a traceback shows variables.
def _code_in(found: Mapping[str, Any] | None) -> str | None:
    code = found.get("error") if found is not None else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _is_bearer(found: Mapping[str, Any]) -> bool:
    # RFC 6749 section 5.1 requires it, in any case. Without one it can only be a bearer token: to
    # refuse it would lose the refresh token that came with it.
    kind = found.get("token_type")
    return kind is None or (isinstance(kind, str) and kind.strip().lower() == "bearer")
