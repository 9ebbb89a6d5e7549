"""What a row holds."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from flex_tokenstore import Secret, Token, is_newer


class Content(NamedTuple):
    """What was read."""

    raw: Secret[Any]
    """The column's value as it came; a row is replaced only while it holds exactly this."""
    token: Token | None
    revision: str | None
    """What ``expected`` must be to have it replaced or put aside; None: no row."""
    problem: str = ""
    newer: bool = False
    """A newer version of this package wrote it: neither replaced nor put aside."""


NEWER = "a newer version of this package wrote it; upgrade flex-integration-sdk"
NOTHING = Content(Secret(None), None, None)


def read_content(raw: Secret[Any]) -> Content:
    """What this value holds; what is wrong with it is in ``problem``, and nothing is raised."""
    try:
        parsed = Secret(json.loads(_unmarked(raw).reveal()))
        if is_newer(parsed.reveal()):
            return Content(raw, None, None, NEWER, newer=True)
        token = Token(parsed.reveal())
    except json.JSONDecodeError:  # it keeps the whole text
        problem = "it is not JSON, or it is truncated"
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except (ValueError, TypeError) as error:  # says which part, never a value
        problem = str(error)
    except RecursionError:
        problem = "it is nested too deeply"
    else:
        return Content(raw, token, token.revision)
    return Content(raw, None, f"corrupt:{_digest(raw)}", problem)


def _unmarked(raw: Secret[Any]) -> Secret[Any]:
    """Without a byte order mark, which some tools write; of bytes, ``json.loads`` takes it off."""
    text = isinstance(raw.reveal(), str)
    return Secret(raw.reveal().removeprefix("\ufeff")) if text else raw


def encode(token: dict[str, Any]) -> Secret[bytes]:
    """The bytes to store: ASCII only, so that every tool shows them."""
    return Secret(json.dumps(token, separators=(",", ":")).encode())


def _digest(raw: Secret[Any]) -> str:
    # SQLite keeps a value of any type in any column: a text is not the same as its bytes.
    if isinstance(raw.reveal(), bytes):
        return hashlib.sha256(raw.reveal()).hexdigest()
    return hashlib.sha256(repr(raw.reveal()).encode()).hexdigest()
