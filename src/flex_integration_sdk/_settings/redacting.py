"""Which values of a config nobody else may see."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HIDDEN = "**********"
_SECRET = re.compile(r"pass|secret|token|key|credential|pin$", re.IGNORECASE)
_SECRET_IN_QUERY = re.compile(f"{_SECRET.pattern}|pwd|auth|sig", re.IGNORECASE)
_PATHS = ("_file", "_dir", "_folder")


def is_secret(path: Sequence[str], value: Any, known: Mapping[str, bool] | None = None) -> bool:
    """Whether a value may be secret.

    Args:
        path: The keys that lead to it: ``("token_store", "password")``.
        value: The value.
        known: Of the options of its store, whether they are secret; None: the store is not known.
    """
    name = path[-1] if path else ""
    if isinstance(value, str) and "://" in value and not is_open_address(value):
        return True
    if known is not None and name in known:
        # An address may have a password, and so its option is secret; this one has none.
        return known[name] and not (isinstance(value, str) and "://" in value and "@" not in value)
    if name in ("token_store", "name") or name.endswith(_PATHS) or isinstance(value, bool):
        return False
    return name.endswith(("_cmd", "_command")) or _SECRET.search(name) is not None


def is_open_address(value: str) -> bool:
    """Whether everybody may see an address: it has no password in it."""
    try:
        address = urlsplit(value)
        names = [name for name, _ in parse_qsl(address.query, keep_blank_values=True)]
    except ValueError:
        return False
    if address.password is not None or address.netloc.count("@") > 1:
        return False
    return not any(_SECRET_IN_QUERY.search(name) for name in names)
