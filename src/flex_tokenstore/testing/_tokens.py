"""Tokens for the tests; every secret in them holds :data:`SENTINEL`."""

from __future__ import annotations

import time
import uuid
from typing import Any

from flex_tokenstore import Token, TokenIdentity

from ._differences import same

__all__ = ["MEGABYTE", "SENTINEL", "SHAPES", "new_identity", "new_token", "same"]

SENTINEL = "S3NT1NEL"
"""No text that the store shows may hold it."""

MEGABYTE = 1_000_000  # bytes


def new_identity(client: str = "contract") -> TokenIdentity:
    """An identity that no test has used, so that a shared server need not be emptied."""
    return TokenIdentity("https://api.example.com", f"{client}-{uuid.uuid4().hex[:8]}", "integ")


def new_token(
    identity: TokenIdentity, which: object = 0, /, *, age: float = 0.0, **fields: Any
) -> Token:
    """A token of ``identity``; another ``which`` makes another revision."""
    name = str(which).replace(" ", "-")  # a header carries the access token
    answer = {
        "access_token": f"access-{name}-{SENTINEL}",
        "refresh_token": f"refresh-{name}-{SENTINEL}",
        "token_type": "bearer",
        "expires_in": 3600,
        **fields,
    }
    return Token.issued(answer, identity_key=identity.key, obtained_at=time.time() - age)


def _nested(depth: int) -> Any:
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"inner": value}
    return value


SHAPES: dict[str, Any] = {
    "unicode": {"ä": "日本語 🗝 ﷽ \u200f", "🔑": "e\u0301 é", "control": "\t\n\x1f\x7f\u2028"},
    "quoting": ["'", '"', "\\", "\\u0041", "%s", "$1", "{}", "?", ":name", "<&>", "-- ;"],
    "empty": {"text": "", "list": [], "object": {}, "nested": [[], {}, [{}]], "": ""},
    "scalars": [True, False, None, 0, 1, -1, 1.5, -0.25, 1e-7, 1.7976931348623157e308],
    "big integers": [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**64 + 1, 10**30],
    "deep": _nested(60),
    "unknown fields": {"scope": "x", "_private": 1, "class": "y", "0": 0, "a.b/c": [1, "1"]},
}
"""Values that JSON can hold (RFC 8259) and a store must give back as they were."""
