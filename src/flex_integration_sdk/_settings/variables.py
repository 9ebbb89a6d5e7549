"""The SDK's environment variables: their names, and what a value may look like."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore._config.env_text import clean, is_quoted, misspelt, warn_once
from flex_tokenstore._config.store_config import OptionValues

PREFIX = "FLEX_INTEGRATION_"
STORE = f"{PREFIX}TOKEN_STORE"
CLIENT_ID = f"{PREFIX}CLIENT_ID"
CLIENT_SECRET = f"{PREFIX}CLIENT_SECRET"
CLIENT_SECRET_FILE = f"{PREFIX}CLIENT_SECRET_FILE"
BASE_URL = f"{PREFIX}BASE_URL"
PROFILE = f"{PREFIX}PROFILE"
ALLOW_HTTP = f"{PREFIX}ALLOW_HTTP"
KNOWN = (CLIENT_ID, CLIENT_SECRET, CLIENT_SECRET_FILE, BASE_URL, PROFILE, ALLOW_HTTP, STORE)

_ONE_UNDERSCORE = re.compile(rf"{PREFIX}TOKEN_?STORE_+(.+)")
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True}
_SWITCHES |= {"0": False, "false": False, "no": False, "off": False}

logger = logging.getLogger("flex_integration_sdk")


def ours(environ: Mapping[str, str]) -> OptionValues:
    """The variables of the SDK, in a form that shows no value."""
    return OptionValues((name, environ[name]) for name in environ if name.startswith(PREFIX))


def value_of(variable: str, environ: OptionValues) -> str:
    """The value without blanks and line ends around it; "" if it is not set, or is empty.

    Raises:
        ConfigurationError: It is in quotes.
    """
    if is_quoted(clean(environ.get(variable, ""))):
        raise ConfigurationError(
            f"the value of {variable} is in quotes, which count as part of it: set it without them "
            "(a shell removes them; docker --env-file, systemd and YAML may not)"
        )
    return clean(environ.get(variable, ""))


def switch_of(variable: str, environ: OptionValues) -> bool:
    """Whether a variable that is a switch is on; unset is off."""
    value = value_of(variable, environ).lower()
    if not value:
        return False
    if value not in _SWITCHES:
        raise ConfigurationError(f"{variable} takes 1 (on) or 0 (off), got {value[:40]!r}")
    return _SWITCHES[value]


def check_names(names: Iterable[str]) -> None:
    """Warns of variables that this version does not know.

    Raises:
        ConfigurationError: One is likely a misspelt name of another.
    """
    for name in names:
        if not name.upper().startswith("FLEX") or name in KNOWN or name.startswith(f"{STORE}__"):
            continue
        meant = _meant(name)
        if meant is not None:
            raise ConfigurationError(
                f"the variable {name} is not known; did you mean {meant}? Rename it, or unset it"
            )
        if name.startswith(PREFIX):
            warn_once(
                logger,
                f"the variable {name} is not known to this version and is not used (known are: "
                f"{', '.join(KNOWN)}, and {STORE}__<OPTION>)",
            )


def _meant(name: str) -> str | None:
    upper = name.upper()
    if found := _ONE_UNDERSCORE.fullmatch(upper):
        return f"{STORE}__{found[1]}"
    head, underscores, option = upper.partition("__")
    if not underscores:
        return misspelt(name, KNOWN)
    near = head == STORE or misspelt(head, [STORE]) is not None
    return f"{STORE}__{option}" if near else None
