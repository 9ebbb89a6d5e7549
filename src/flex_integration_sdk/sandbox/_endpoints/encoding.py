"""The bytes of a response, in both formats. Strict: what is not JSON is refused, not written."""

from __future__ import annotations

import json
from typing import Any

from flex_integration_sdk._transit import dumps
from flex_integration_sdk.sandbox._data.database import Resource

from .forms import to_json, to_transit


def as_transit(body: Any, *, verbose: bool) -> bytes:
    """A body as Transit.

    Raises:
        ValueError: It holds a value that Transit has no form for.
    """
    return dumps(to_transit(body), verbose=verbose).encode()


def as_json(body: Any) -> bytes:
    """A body as plain JSON.

    Raises:
        ValueError, TypeError: It holds a value that JSON has no form for, such as infinity, bytes,
            or half a surrogate pair.
    """
    text = json.dumps(to_json(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def check_stored(changed: Resource) -> None:
    """Checks that a resource can be sent in both formats, before it is there for good.

    The body of a command was checked on arrival. This is the second look: whatever slipped through
    costs one command, not each later query.

    Raises:
        ValueError, TypeError: It cannot.
    """
    as_json({"data": changed})
    as_transit({"data": changed}, verbose=False)
