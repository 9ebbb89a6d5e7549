"""What a row holds."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from flex_tokenstore import Secret, Token


class Content(NamedTuple):
    """What was read."""

    token: Token | None
    revision: str
    """What ``expected`` must be to have it replaced or put aside."""
    problem: str = ""


def read_content(text: Secret[str]) -> Content:
    """What this text holds; what is wrong with it is in ``problem``, and nothing is raised."""
    try:
        token = Token(json.loads(text.reveal()))
    except json.JSONDecodeError:  # it keeps the whole text
        problem = "it is not JSON, or cut short"
    except (ValueError, TypeError) as error:  # says which part, never a value
        problem = str(error)
    except RecursionError:
        problem = "it is nested too deeply"
    else:
        return Content(token, token.revision)
    digest = hashlib.sha256(text.reveal().encode("utf-8", "surrogatepass")).hexdigest()
    return Content(None, f"corrupt:{digest}", problem)


def encode(token: dict[str, Any]) -> Secret[str]:
    """The text to store: ASCII alone, so that no database's encoding can change it."""
    return Secret(json.dumps(token, separators=(",", ":")))
