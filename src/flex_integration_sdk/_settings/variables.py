"""The SDK's environment variables: their names, and what a value may look like."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore.embedding import OptionValues, is_quoted, misspelt, strip_value, warn_once

from .table import PREFIX, SETTINGS, VARIABLES

STORE = VARIABLES["token_store"]
CLIENT_ID = VARIABLES["client_id"]
CLIENT_SECRET = VARIABLES["client_secret"]
CLIENT_SECRET_FILE = VARIABLES["client_secret_file"]
BASE_URL = VARIABLES["base_url"]
PROFILE = VARIABLES["profile"]
CONFIG = VARIABLES["config"]
ALLOW_HTTP = VARIABLES["allow_http"]
REQUIRE_ENCRYPTED = VARIABLES["require_encrypted"]
LOG = f"{PREFIX}LOG"
"""Not a setting of an instance: it asks for a log of the requests of all instances."""
_ONLY_IN_FILE = {
    f"{PREFIX}{each.name.upper()}": each.name for each in SETTINGS if each.only_in_file
}
KNOWN = (*(each.variable for each in SETTINGS if each.variable), LOG)

_ONE_UNDERSCORE = re.compile(rf"{PREFIX}TOKEN_?STORE_+(.+)")
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True}
_SWITCHES |= {"0": False, "false": False, "no": False, "off": False}

logger = logging.getLogger("flex_integration_sdk")


class Variables(OptionValues):
    """The variables of the SDK as they are now, read once; it shows no value.

    Args:
        environ: The environment; ``os.environ`` if omitted.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._names = tuple(environ)
        # Values of our own variables only. The other names are for finding misspelt ones.
        # With ``get``: another thread may remove a variable meanwhile.
        names = (name for name in self._names if name.startswith(PREFIX))
        super().__init__({name: environ.get(name, "") for name in names})

    def value(self, variable: str) -> str:
        """The value without blanks and line ends around it; "" if it is not set, or is empty.

        Raises:
            ConfigurationError: It is in quotes.
        """
        if not self.get(variable):
            return ""
        if is_quoted(strip_value(self[variable])):
            raise ConfigurationError(
                f"the value of {variable} is in quotes, which count as part of it: set it without "
                "them (a shell removes them; docker --env-file, systemd and YAML may not)"
            )
        return strip_value(self[variable])

    def switch(self, variable: str) -> bool:
        """Whether a variable that is a switch is on; unset is off.

        Raises:
            ConfigurationError: Its value is neither.
        """
        value = self.value(variable).lower()
        if not value:
            return False
        if value not in _SWITCHES:
            raise ConfigurationError(f"{variable} must be 1 (on) or 0 (off), got {value[:40]!r}")
        return _SWITCHES[value]

    def check_names(self) -> None:
        """Warns of variables that this version does not know.

        Raises:
            ConfigurationError: One is likely a misspelt name of another, or the one that asks for a
                log has a value that it cannot have.
        """
        _check_names(self._names)
        log_level(self.value(LOG))


def log_level(value: str) -> str:
    """What the variable that asks for a log says: ``"info"``, ``"debug"``, or "" for no log.

    Raises:
        ConfigurationError: It says something else.
    """
    level = value.strip().lower()
    if level not in ("", "info", "debug"):
        raise ConfigurationError(
            f"{LOG} must be info or debug, got {level[:40]!r}; unset it for no log"
        )
    return level


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not name.upper().startswith("FLEX") or name in KNOWN or name.startswith(f"{STORE}__"):
            continue
        if key := _ONLY_IN_FILE.get(name):
            raise ConfigurationError(
                f"the variable {name} is not known: {key} is a key of the config file only, so "
                f"that nobody else can choose a program; unset it, or use {CLIENT_SECRET}"
            )
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
    # However it is written: a rule that keeps nothing out must not look like one that does.
    if upper.startswith(f"{PREFIX}REQUIRE"):
        return REQUIRE_ENCRYPTED
    head, underscores, option = upper.partition("__")
    if not underscores:
        return misspelt(name, KNOWN)
    near = head == STORE or misspelt(head, [STORE]) is not None
    return f"{STORE}__{option}" if near else None
