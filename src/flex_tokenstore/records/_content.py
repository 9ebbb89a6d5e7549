"""The token in a record: its bytes, and the names that a compare-and-set knows it by."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from .._values.secret import Secret
from .._values.token import Token, is_newer
from ._record import ABSENT, Record

NEWER = "a newer version of this package wrote it; upgrade flex-integration-sdk"


class Content(NamedTuple):
    """A record that was read, and what it holds. With neither token nor problem: nothing."""

    record: Record
    token: Token | None = None
    revision: str | None = None
    """What ``expected`` must be to have it replaced or put aside; None: nothing is stored."""
    problem: str = ""
    newer: bool = False
    """A newer version of this package wrote it: neither replaced nor put aside."""


NOTHING = Content(ABSENT)


def read_content(record: Record) -> Content:
    """What a record holds; the revision is right whoever wrote it. Nothing is raised."""
    if record.data is None:
        return Content(record)
    token, problem = (None, record.problem) if record.problem else _parse(record.data)
    if problem is NEWER:
        return Content(record, None, None, NEWER, newer=True)
    if token is not None:
        return Content(record, token, token.revision)
    # With the problem: bytes may be the same as those that stand for content of another type.
    digest = hashlib.sha256(problem.encode() + b":" + record.data.reveal()).hexdigest()
    return Content(record, None, f"corrupt:{digest}", problem)


def encode(token: dict[str, Any]) -> Secret[bytes]:
    """The bytes to store: JSON in ASCII, so that every tool shows them."""
    return Secret(json.dumps(token, separators=(",", ":")).encode())


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
