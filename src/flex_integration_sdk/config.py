"""Settings: from arguments, then from the environment. No `.env` file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_tokenstore import Secret, TokenIdentity
from flex_tokenstore.embedding import HostProgram, complete_store_config, warn_once

from ._settings.base_url import DEFAULT_BASE_URL, is_loopback, server
from ._settings.client_secret import (
    AsyncClientSecret,
    SecretSource,
    problem_of_secret,
    secret_source,
)
from ._settings.given import Given
from ._settings.variables import (
    CLIENT_ID,
    PREFIX,
    PROFILE,
    REQUIRE_ENCRYPTED,
    STORE,
    Variables,
    logger,
)
from .errors import ConfigurationError

__all__ = ["DEFAULT_BASE_URL", "PREFIX", "SCOPE", "Settings", "is_loopback", "resolve"]

# The scope of applications of type Integration API; the Marketplace API has others.
SCOPE = "integ"
PROGRAM = HostProgram("flex-integration-sdk", command="flex-sdk", store_variable=STORE)
"""What the framework calls the SDK in messages, and in folders."""


@dataclass(frozen=True)
class Settings:
    """What an SDK instance is made from."""

    identity: TokenIdentity
    """Whose token is used, and where."""
    secret_source: SecretSource | None = field(repr=False)
    """Where the client secret comes from. None: a stored refresh token must do."""
    token_store: Any = field(repr=False)  # its options may hold a password
    """The config of the token store, as ``open_store`` takes it."""
    require_encrypted: bool = False
    """Whether a store that would keep the token as plain text is refused."""

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
    require_encrypted: bool | None = None,
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
    given = Given(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        allow_http=allow_http,
        require_encrypted=require_encrypted,
    )
    variables = Variables(environ)
    # From here on `given` alone holds them, and its `repr` shows nothing.
    del client_secret, client_secret_file, token_store, base_url, environ
    return complete(given, variables)


def complete(given: Given, variables: Variables) -> Settings:
    """See :func:`resolve`."""
    # First: a misspelt name is often the cause of what is found below.
    variables.check_names()
    # Either requires it: whoever sets the variable does not want the program to switch it off.
    require_encrypted = variables.switch(REQUIRE_ENCRYPTED) or given.require_encrypted is True
    for name in ("allow_http", "require_encrypted"):
        value = getattr(given, name)
        if not isinstance(value, bool | None):
            raise ConfigurationError(f"{name} must be True or False, got {value!r:.40}")
    client_id, profile = _client_id(given, variables), _profile(given, variables)
    base_url = server(given, variables)
    try:
        identity = TokenIdentity(base_url, client_id, SCOPE, profile, PROGRAM)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    token_store, notes = complete_store_config(given.token_store, STORE, variables)
    for note in notes:
        warn_once(logger, note)
    source = secret_source(given, variables)
    store = "memory" if token_store is None else token_store
    return Settings(identity, source, store, require_encrypted)


def _client_id(given: Given, variables: Variables) -> str:
    client, source = variables.text("client_id", given.client_id, CLIENT_ID)
    if not client:
        raise ConfigurationError(
            f"client_id must be provided: pass client_id=… or set {CLIENT_ID}; you find it in "
            "Console, with the application of type Integration API"
        )
    problem = problem_of_secret(Secret(client), quotes=source == CLIENT_ID)
    if problem:
        raise ConfigurationError(f"{source} {problem}")
    return client


def _profile(given: Given, variables: Variables) -> str:
    name, source = variables.text("profile", given.profile, PROFILE)
    if any(not letter.isprintable() for letter in name):
        raise ConfigurationError(
            f"{source} contains a control character, or bytes that cannot be decoded; check that "
            "the locale is UTF-8"
        )
    return name or "default"
