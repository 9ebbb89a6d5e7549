"""What a secret holds, and how a token is put into it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from flex_tokenstore import Secret, Token, is_newer

FIELD = "token"
"""The field of the secret that holds the token's JSON, as text: Vault itself would round large
integers in a JSON object and replace lone surrogates."""
NEWER = "a newer version of this package wrote it; upgrade flex-integration-sdk"
TOMBSTONE: Secret[dict[str, Any]] = Secret({FIELD: None})
"""Written in place of a token that is removed."""


class Content(NamedTuple):
    """What was read. With neither token nor problem there is nothing."""

    version: int
    """Of the secret, for check-and-set; 0: there has never been one."""
    token: Token | None = None
    revision: str | None = None
    """What ``expected`` must be to have it replaced or put aside; None: nothing is stored."""
    problem: str = ""
    data: Secret[Any] = Secret(None)
    """What a problem was found in."""
    newer: bool = False
    """A newer version of this package wrote it: neither replaced nor put aside."""


def read_versioned(body: Secret[dict[str, Any]]) -> Content | None:
    """The content of a KV version 2 response; None if it is not such a response."""
    outer = body.reveal().get("data")
    if not outer:  # there is no such secret
        return Content(0)
    version = outer["metadata"].get("version") if _is_versioned(outer) else None
    if not isinstance(version, int):
        return None
    return read_data(Secret(outer["data"]), version)


def read_data(data: Secret[Any], version: int) -> Content:
    """What the fields of a secret hold; the revision is right whoever wrote them."""
    if data.reveal() is None or data == TOMBSTONE:
        return Content(version)
    token, problem = _parse(data)
    if problem is NEWER:
        return Content(version, None, None, NEWER, newer=True)
    if token is not None:
        return Content(version, token, token.revision)
    return Content(version, None, f"corrupt:{_digest(data)}", problem, data)


def encode(token: dict[str, Any]) -> Secret[dict[str, Any]]:
    """The fields of the secret."""
    return Secret({FIELD: json.dumps(token, separators=(",", ":"))})


def _is_versioned(outer: Any) -> bool:
    return isinstance(outer, dict) and isinstance(outer.get("metadata"), dict) and "data" in outer


def _parse(data: Secret[Any]) -> tuple[Token | None, str]:
    # A JSONDecodeError keeps the whole text: nothing is raised from here.
    if not isinstance(data.reveal(), dict) or not isinstance(data.reveal().get(FIELD), str):
        return None, f"it has no string field `{FIELD}`"
    try:  # some tools write a byte order mark
        parsed = Secret(json.loads(data.reveal()[FIELD].removeprefix("\ufeff")))
        return (None, NEWER) if is_newer(parsed.reveal()) else (Token(parsed.reveal()), "")
    except json.JSONDecodeError:
        return None, "it is not JSON, or it is truncated"
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError as error:  # says which part, never a value
        return None, str(error)


def _digest(data: Secret[Any]) -> str:
    canonical = json.dumps(data.reveal(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
