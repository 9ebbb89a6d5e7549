"""What a token file holds, and whose it is."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from flex_tokenstore._values.secret import Secret
from flex_tokenstore._values.token import FORMAT, TAG, TokenObject, checked_token
from flex_tokenstore.stores.file.private_files import Signature
from flex_tokenstore.stores.file.raw import LIMIT

NEWER = "a newer version of this package wrote it; upgrade flex-integration-sdk"


class Content(NamedTuple):
    """What was read. Without a token, ``problem`` says why."""

    token: TokenObject | None
    identity: str | None
    """Key of the identity that it is tagged with, even if it is not a whole token."""
    problem: str = ""
    newer: bool = False
    """A newer version of this package wrote it: not to be repaired."""
    revision: str = ""
    """Names exactly this content, written at that time, if it holds no token."""


def read_content(data: Secret[bytes], signature: Signature) -> Content:
    """What these bytes hold. The result, and no exception, says what is wrong with them."""
    parsed, problem = _parse(data)
    tag = parsed.get(TAG) if parsed is not None else None
    identity = tag.get("identity") if isinstance(tag, dict) else None
    version = tag.get("format") if isinstance(tag, dict) else None
    newer = isinstance(version, (int, float)) and version > FORMAT
    token: TokenObject | None = None
    if newer:
        problem = NEWER
    elif parsed is not None:
        try:
            token = checked_token(parsed)
        except ValueError as error:
            problem = str(error)
        except RecursionError:
            problem = "it is nested too deeply"
    return Content(
        token,
        identity if isinstance(identity, str) else None,
        problem,
        newer,
        "" if token is not None else _revision(data, signature),
    )


def encode(token: dict[str, Any]) -> Secret[bytes]:
    """One line of JSON without a line end, as the JavaScript SDK writes it.

    ASCII only, other characters escaped: a lone surrogate has no UTF-8.
    """
    return Secret(json.dumps(token, separators=(",", ":")).encode())


def _revision(data: Secret[bytes], signature: Signature) -> str:
    # With the time: a file that is empty again and again, for a moment each, is being written.
    inode, size, modified, _ = signature
    # Not with the ctime: moving the file aside changes it, and the content is compared after that.
    digest = hashlib.sha256(f"{inode} {size} {modified} ".encode() + data.reveal())
    return f"corrupt:{digest.hexdigest()}"


def _parse(data: Secret[bytes]) -> tuple[TokenObject | None, str]:
    # JSONDecodeError keeps the whole text: it must not be the context of an error that leaves.
    # Bytes, not text: so a byte order mark, which some editors write, is not part of the JSON.
    try:
        if len(data.reveal()) > LIMIT:
            return None, "it is larger than 1 MiB"
        if not data.reveal().strip():
            return None, "it is empty"
        parsed = TokenObject(_object(json.loads(data.reveal())))
    except UnicodeDecodeError:
        return None, "it is not UTF-8"
    except TypeError:
        return None, "it is not a JSON object"
    except (ValueError, RecursionError):
        return None, "it is not JSON, or it is truncated"
    return parsed, ""


def _object(parsed: Any) -> dict[str, Any]:
    if not isinstance(parsed, dict):
        raise TypeError
    return parsed
