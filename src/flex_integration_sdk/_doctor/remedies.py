"""What to do about an error of the SDK or of a token store, from its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_integration_sdk.errors import ClientSecretError, ConfigurationError
from flex_tokenstore import (
    StoreLoadError,
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenReadOnlyError,
    TokenUnavailableError,
    UnknownStoreError,
)

if TYPE_CHECKING:
    from .ground import Ground

_OPTION = "FLEX_INTEGRATION_TOKEN_STORE__"
_BY_CLASS: tuple[tuple[type[Exception], str], ...] = (
    # The narrower class first.
    (ClientSecretError, "Fix the file or the command that the client secret comes from"),
    (ConfigurationError, "Correct that setting, and run `flex-sdk doctor` again"),
    (
        UnknownStoreError,
        "Choose one of the installed stores (`flex-sdk stores list`), or install the plugin in "
        "this environment",
    ),
    (StoreLoadError, "See `flex-sdk stores list --check`; install the plugin again, or block it"),
    (TokenReadOnlyError, "Have the program that renews this token run"),
    (TokenPermissionError, "Give this user the right that is missing, or choose another location"),
    (TokenIdentityError, "Choose another location or another profile for this client"),
    (TokenLockTimeoutError, "Find the program that holds the lock, and end or resume it"),
    (TokenConflictError, "Run `flex-sdk doctor` again: another program saved a token meanwhile"),
    (
        TokenCorruptError,
        "Remove it with `flex-sdk token remove`; the next call signs in",
    ),
    (TokenUnavailableError, "Make the token store reachable, and run `flex-sdk doctor` again"),
)


def remedy_for(error: Exception, ground: Ground) -> str:
    """What to do next, as an imperative sentence."""
    if isinstance(error, StoreOptionsError):
        return _of_option(error)
    return next((text for kind, text in _BY_CLASS if isinstance(error, kind)), "")


def _of_option(error: StoreOptionsError) -> str:
    option = error.option
    if option is None or option in ("require_encrypted", "host_lock"):
        return "Correct that setting of the token store, and run `flex-sdk doctor` again"
    variable = _OPTION + "__".join(part.upper() for part in option.split("."))
    return f"Correct the option {option!r} of the token store ({variable}, or --store-option)"
