"""Remedies in the words of the config file, where a setting comes from that."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from flex_integration_sdk._settings.variables import CLIENT_SECRET_FILE, STORE

if TYPE_CHECKING:
    from flex_integration_sdk.config import Settings

_VARIABLE = re.compile(
    rf"(?P<unset>its variable is )?\b(?:{CLIENT_SECRET_FILE}|{STORE}(?P<option>__\w+)?)\b"
    r"(?P<value>=[a-z]\w*)?(?P<to>(?= to ))?"
)


def in_file_words(remedy: str, settings: Settings) -> str:
    """The remedy, with keys of the config file in place of variables that nobody has set.

    Args:
        remedy: It names variables.
        settings: Where the settings come from.
    """

    def said(found: re.Match[str]) -> str:
        variable = re.sub(r"^its variable is |=.*$", "", found[0])
        setting = "client_secret" if variable == CLIENT_SECRET_FILE else "token_store"
        origin = settings.origins.get(setting, "")
        if variable in os.environ or "/" not in origin:  # not of a file
            return found[0]
        if setting == "client_secret":
            return _placed("client_secret_file", origin, found)
        path = (found["option"] or "").removeprefix("__").lower().split("__")
        if path == [""]:
            return _placed("token_store", origin, found)
        known = _origin(settings.token_store, path)
        if known is None and found["unset"]:
            return f"add {'.'.join(path)} to token_store in {origin}"
        if known is None:
            return _placed(f"{'.'.join(path)} of token_store", origin, found)
        return _placed(".".join(path), known, found)

    return _VARIABLE.sub(said, remedy)


def _placed(key: str, origin: str, found: re.Match[str]) -> str:
    value = f" = {found['value'][1:]!r}" if found["value"] else ""
    return f"{key}{value} in {origin}" + ("," if found["to"] is not None else "")


def _origin(config: object, path: list[str]) -> str | None:
    """Where that option of a store comes from; None: nobody has set it."""
    *above, option = path
    for each in above:
        config = config.get(each) if isinstance(config, dict) else None
    origin = getattr(config, "variables", {}).get(option)
    return origin if origin is not None and "/" in origin else None
