"""Which stores the user's environment excludes: ``FLEX_TOKENSTORE_ALLOW`` and ``…_BLOCK``."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable

from .._config.env_text import misspelt, strip_value, warn_once
from .._values.host_program import current
from ..errors import StoreOptionsError

ALLOW = "FLEX_TOKENSTORE_ALLOW"
BLOCK = "FLEX_TOKENSTORE_BLOCK"
_PREFIX = "FLEX_TOKENSTORE_"
_KNOWN = (ALLOW, BLOCK)

_is_name = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE).fullmatch

logger = logging.getLogger("flex_tokenstore")


def normal_name(name: str) -> str:
    """A distribution name in its normal form (packaging.python.org, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Rules:
    """The two lists, as they are now. Each entry is a store's or a distribution's name.

    Raises:
        StoreOptionsError: A list cannot be read, or a variable's name is misspelt: a rule that
            keeps nothing out must not look like one that does.
    """

    def __init__(self) -> None:
        _refuse_misspelt(tuple(os.environ))
        self.allow = _names(ALLOW)
        self.block = _names(BLOCK) or {}

    def keep_out(self, store: str, distribution: str, *, built_in: bool) -> bool:
        """Whether the store of this name and distribution must not be used.

        A built-in store need not be allowed, but can be blocked.
        """
        names = {normal_name(store), normal_name(distribution)}
        if names & self.block.keys():
            return True
        return self.allow is not None and not built_in and not names & self.allow.keys()

    def warn_of_unmatched(self, installed: Iterable[tuple[str, str]]) -> None:
        """Warns of entries that match none of the installed stores (name and distribution)."""
        found = {normal_name(name) for pair in installed for name in pair}
        for variable, names in ((ALLOW, self.allow or {}), (BLOCK, self.block)):
            for name, written in names.items():
                if name not in found:
                    warn_once(
                        logger,
                        f"{written!r} in {variable} matches no installed token store and no "
                        f"distribution of one, so it does nothing; see {current.get().listing}",
                    )


def _names(variable: str) -> dict[str, str] | None:
    """The names in normal form, each with how it is written; None if the variable is not set."""
    text = os.environ.get(variable)
    # Unset, and not empty: an empty allow list allows no plugin.
    if text is None:
        return None
    written = [part for part in map(strip_value, text.split(",")) if part]
    for part in written:
        if not _is_name(part):
            raise StoreOptionsError(
                f"{variable} must be a list of names of stores or distributions, separated by "
                f"commas; {part[:80]!r} is not a name ({_hint(part)})"
            )
    return {normal_name(part): part for part in written}


def _hint(part: str) -> str:
    if "*" in part or "?" in part:
        return "there are no wildcards: write each name"
    if part[0] in "\"'`" or part[-1] in "\"'`":
        return "write it without quotes"
    return "separate names by commas"


def _refuse_misspelt(names: Iterable[str]) -> None:
    for name in names:
        # Before a distance is computed: an environment may have hundreds of variables.
        if name in _KNOWN or not name.upper().startswith("FLEX"):
            continue
        # FLEX_TOKEN_STORE_BLOCK too: "TOKEN_STORE" is how a program's own variable may be written.
        meant = misspelt(name, _KNOWN) or misspelt(
            name.upper().replace("_TOKEN_STORE", "_TOKENSTORE"), _KNOWN
        )
        if meant is None and name.upper().replace("_TOKEN_STORE", "_TOKENSTORE") in _KNOWN:
            meant = name.upper().replace("_TOKEN_STORE", "_TOKENSTORE")
        if meant is not None:
            raise StoreOptionsError(
                f"the variable {name} is not known; did you mean {meant}? Rename it, or unset it"
            )
        if name.startswith(_PREFIX):
            warn_once(
                logger,
                f"the variable {name} is not known to this version and is not used (known are: "
                f"{', '.join(_KNOWN)})",
            )
