"""The token in a record: its bytes, and the names that a compare-and-set knows it by."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from .._values.secret import Secret
from .._values.token import (
    TAG,
    CheckedToken,
    TokenObject,
    checked_token,
    is_newer,
    revision_of,
)
from ._record import ABSENT, Record

NEWER = "a newer version of this package wrote it; upgrade flex-integration-sdk"


class Content(NamedTuple):
    """A record that was read, and what it holds. With neither token nor problem: nothing."""

    record: Record
    token: TokenObject | None = None
    named: str | None = None
    """What names it if it holds no token."""
    problem: str = ""
    newer: bool = False
    """A newer version of this package wrote it: neither replaced nor put aside."""

    @property
    def revision(self) -> str | None:
        """What ``expected`` must be to have it replaced or put aside; None: nothing is stored."""
        # Made when it is asked for: a read does not ask, and it costs as much as the parsing.
        return self.named if self.token is None else revision_of(self.token)

    @property
    def owner(self) -> str | None:
        """``TokenIdentity.key`` of whose token it is; None: the token does not say."""
        tag = {} if self.token is None else self.token.get(TAG, {})
        owner: str | None = tag.get("identity")
        return owner


NOTHING = Content(ABSENT)


def read_content(record: Record, known: Content = NOTHING) -> Content:
    """What a record holds; the revision is right whoever wrote it. Nothing is raised.

    Args:
        record: What was read.
        known: What was read before; the same bytes are not parsed again.
    """
    if record.data is None:
        return Content(record)
    if (record.data, record.problem) == (known.record.data, known.record.problem):
        return Content(record, *known[1:])
    token, problem = (None, record.problem) if record.problem else _parse(record.data)
    if problem is NEWER:
        return Content(record, None, None, NEWER, newer=True)
    if token is not None:
        return Content(record, token)
    # With the problem: bytes may be the same as those that stand for content of another type.
    digest = hashlib.sha256(problem.encode() + b":" + record.data.reveal()).hexdigest()
    return Content(record, None, f"corrupt:{digest}", problem)


def encode(token: dict[str, Any]) -> Secret[bytes]:
    """The bytes to store: JSON in ASCII, so that every tool shows them."""
    return Secret(_to_json(token).encode())


_to_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes one at each call


def _parse(data: Secret[bytes]) -> tuple[CheckedToken | None, str]:
    # A JSONDecodeError keeps the whole text: nothing is raised from here. Of bytes, json.loads
    # takes off a byte order mark, which some tools write.
    try:
        parsed = Secret(json.loads(data.reveal()))
        return (None, NEWER) if is_newer(parsed.reveal()) else (checked_token(parsed.reveal()), "")
    except UnicodeDecodeError:
        return None, "it is not UTF-8"
    except json.JSONDecodeError:
        return None, "it is not JSON, or it is truncated"
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError as error:  # says which part, never a value
        return None, str(error)
