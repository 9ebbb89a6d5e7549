"""What a token's key holds, and the names that a compare-and-set knows it by."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from flex_tokenstore import Secret, Token, is_newer, revision_of

NEWER = "a newer version of this package wrote it; upgrade flex-integration-sdk"


class Content(NamedTuple):
    """What was read. With neither token nor problem there is nothing."""

    mark: str
    """SHA-1 of the bytes, which a script can compute too; empty: nothing."""
    token: Token | None
    revision: str | None
    """What ``expected`` must be to have it replaced or put aside; None: nothing is stored."""
    problem: str = ""
    newer: bool = False
    """A newer version of this package wrote it: neither replaced nor put aside."""


NOTHING = Content("", None, None)


def read_content(kind: str, data: Secret[bytes]) -> Content:
    """What these bytes hold: the value of a string, the dump of a key of another type.

    The revision is always computed from the content, so that it is right whoever wrote it.
    """
    mark = mark_of(data)
    token, problem = _parse(data) if kind == "string" else (None, f"it is a Redis {kind}")
    if problem is NEWER:
        return Content(mark, None, None, NEWER, newer=True)
    if token is not None:
        return Content(mark, token, token.revision)
    # With the kind: a string may hold the very bytes that are the DUMP of another type.
    digest = hashlib.sha256(kind.encode() + b":" + data.reveal()).hexdigest()
    return Content(mark, None, f"corrupt:{digest}", problem)


def encode(token: dict[str, Any]) -> tuple[Secret[bytes], str]:
    """The bytes to store, and their revision."""
    return Secret(json.dumps(token, separators=(",", ":")).encode()), revision_of(token)


def mark_of(data: Secret[bytes]) -> str:
    """Names these bytes to a script; Redis knows SHA-1 only."""
    return hashlib.sha1(data.reveal(), usedforsecurity=False).hexdigest()


def _parse(data: Secret[bytes]) -> tuple[Token | None, str]:
    # A JSONDecodeError keeps the whole text: nothing is raised from here. Of bytes, json.loads
    # takes off a byte order mark, which some tools write.
    try:
        parsed = Secret(json.loads(data.reveal()))
        return (None, NEWER) if is_newer(parsed.reveal()) else (Token(parsed.reveal()), "")
    except UnicodeDecodeError:
        return None, "it is not UTF-8"
    except json.JSONDecodeError:
        return None, "it is not JSON, or it is truncated"
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError as error:  # says which part, never a value
        return None, str(error)
