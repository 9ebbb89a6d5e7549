"""Settings: from arguments, then from the environment. No `.env` file is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_tokenstore import Secret, TokenIdentity
from flex_tokenstore._config.env_text import clean, warn_once
from flex_tokenstore._config.merge import completed
from flex_tokenstore._config.store_config import OptionValues, hidden

from ._settings import variables
from ._settings.base_url import (
    DEFAULT_BASE_URL,
    check_private,
    checked_base_url,
    is_loopback,
    masked,
)
from ._settings.client_secret import (
    AsyncClientSecret,
    SecretSource,
    problem_of_secret,
    secret_source,
)
from ._settings.variables import PREFIX, logger
from .errors import ConfigurationError

__all__ = ["DEFAULT_BASE_URL", "PREFIX", "SCOPE", "Settings", "is_loopback", "resolve"]

SCOPE = "integ"


@dataclass(frozen=True)
class Settings:
    """What an SDK instance is made from."""

    identity: TokenIdentity
    """Whose token is used, and where."""
    secret_source: SecretSource | None = field(repr=False)
    """Where the client secret comes from. None: a stored refresh token must do."""
    token_store: Any = field(repr=False)  # its options may hold a password
    """The config of the token store, as ``open_store`` takes it."""

    @property
    def client_secret(self) -> Secret[str] | None:
        """The client secret as it is now: its file is read, its callable called.

        Raises:
            ClientSecretError: It cannot be read.
        """
        return None if self.secret_source is None else self.secret_source.read()

    @property
    def base_url(self) -> str:
        """Address of the server, without a trailing slash."""
        return self.identity.base_url

    @property
    def client_id(self) -> str:
        """The OAuth client id."""
        return self.identity.client_id

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            "settings cannot be pickled or copied: the secret would travel in the clear"
        )


def resolve(
    *,
    client_id: str | None = None,
    client_secret: AsyncClientSecret | None = None,
    client_secret_file: str | Path | None = None,
    token_store: Any = None,
    base_url: str | None = None,
    profile: str | None = None,
    allow_http: bool | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from arguments, and for what is not given from ``FLEX_INTEGRATION_…`` variables.

    Blanks and line ends around a value are not a part of it; an empty variable counts as unset.

    Raises:
        ConfigurationError: The client id is missing; an argument or a variable has a value that it
            cannot have; the secret is given twice, or its file cannot be read; a variable's name is
            misspelt.
        StoreOptionsError: The variables of the token store contradict each other.
    """
    secret, file, token_store, base_url = shown_to_nobody(
        client_secret, client_secret_file, token_store, base_url
    )
    del client_secret, client_secret_file
    environ = os.environ if environ is None else environ
    names, environ = tuple(environ), variables.ours(environ)
    variables.check_names(names)
    identity = _identity(environ, client_id, base_url, profile, allow_http)
    token_store, notes = completed(token_store, variables.STORE, environ)
    for note in notes:
        warn_once(logger, note)
    source = secret_source(secret, file, environ)
    return Settings(identity, source, "memory" if token_store is None else token_store)


def _identity(
    environ: OptionValues,
    client_id: str | None,
    base_url: str | None,
    profile: str | None,
    allow_http: bool | None,
) -> TokenIdentity:
    client, source = _text("client_id", client_id, variables.CLIENT_ID, environ)
    if not client:
        raise ConfigurationError(
            f"client_id must be provided: pass client_id=… or set {variables.CLIENT_ID}; you find "
            "it in Console, with the application of type Integration API"
        )
    problem = problem_of_secret(Secret(client), quotes=source == variables.CLIENT_ID)
    if problem:
        raise ConfigurationError(f"{source} {problem}")
    name, source = _text("profile", profile, variables.PROFILE, environ)
    if any(not letter.isprintable() for letter in name):
        raise ConfigurationError(
            f"{source} contains a control character, or bytes that cannot be decoded; check that "
            "the locale is UTF-8"
        )
    address, source = _text("base_url", base_url, variables.BASE_URL, environ)
    address = checked_base_url(address or DEFAULT_BASE_URL, source)
    if allow_http is None:
        allow_http = variables.switch_of(variables.ALLOW_HTTP, environ)
    elif not isinstance(allow_http, bool):
        raise ConfigurationError(f"allow_http takes True or False, got {allow_http!r:.40}")
    check_private(address, source, allow_http=allow_http)
    try:
        return TokenIdentity(address, client, SCOPE, name or "default")
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _text(argument: str, given: Any, variable: str, environ: OptionValues) -> tuple[str, str]:
    """The value ("" if there is none), and the argument or the variable that it comes from."""
    if given is not None and not isinstance(given, str):
        raise ConfigurationError(f"{argument} must be a string, got {type(given).__name__}")
    if given and (value := clean(given)):
        return value, argument
    value = variables.value_of(variable, environ)
    if variable == variables.BASE_URL:
        value = str(masked(value))
    return value, variable if value else argument


def shown_to_nobody(
    client_secret: Any, client_secret_file: Any, token_store: Any, base_url: Any
) -> tuple[Secret[Any] | None, Any, Any, Any]:
    """The arguments that may hold a secret, so that locals in a traceback do not show it.

    First of all in each function that takes them. In the place of a file's path somebody may have
    put the secret itself. A password in a base URL is only masked: it is refused, whatever it is.
    """
    secret = Secret(client_secret) if client_secret else None
    file = Secret(client_secret_file) if client_secret_file else None
    return secret, file, hidden(token_store), masked(base_url)
