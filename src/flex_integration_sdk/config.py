"""Settings: from arguments, then from the environment. No file of the working folder is read."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flex_tokenstore import Secret, TokenIdentity, store_config_from_env

from .errors import ConfigurationError

DEFAULT_BASE_URL = "https://flex-integ-api.sharetribe.com"
SCOPE = "integ"
PREFIX = "FLEX_INTEGRATION_"


@dataclass(frozen=True)
class Settings:
    """What an SDK instance is made from."""

    identity: TokenIdentity
    client_secret: Secret[str] | None
    token_store: Any

    @property
    def base_url(self) -> str:
        """Address of the server, without a trailing slash."""
        return self.identity.base_url

    @property
    def client_id(self) -> str:
        """The OAuth client id."""
        return self.identity.client_id


def resolve(
    *,
    client_id: str | None = None,
    client_secret: str | Secret[str] | None = None,
    client_secret_file: str | Path | None = None,
    token_store: Any = None,
    base_url: str | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from arguments, and for what is not given from ``FLEX_INTEGRATION_…`` variables.

    Raises:
        ConfigurationError: The client id is missing; the base URL is none, or plain http to
            another host; the secret is given twice, or its file cannot be read.
        StoreOptionsError: The variables of the token store contradict each other.
    """
    environ = os.environ if environ is None else environ
    client_id = client_id or environ.get(f"{PREFIX}CLIENT_ID")
    if not client_id:
        raise ConfigurationError(
            f"client_id must be provided: pass client_id=… or set {PREFIX}CLIENT_ID; you find it "
            "in Console, with the application of type Integration API"
        )
    address = base_url or environ.get(f"{PREFIX}BASE_URL") or DEFAULT_BASE_URL
    name = profile or environ.get(f"{PREFIX}PROFILE") or "default"
    try:
        identity = TokenIdentity(address, client_id, SCOPE, name)
    except ValueError as error:
        raise ConfigurationError(f"{error} (argument or {PREFIX}BASE_URL)") from None
    _check_private(identity.base_url)
    if token_store is None:
        token_store = store_config_from_env(f"{PREFIX}TOKEN_STORE", environ) or "memory"
    return Settings(identity, _secret(client_secret, client_secret_file, environ), token_store)


def _secret(
    given: str | Secret[str] | None, file: str | Path | None, environ: Mapping[str, str]
) -> Secret[str] | None:
    if given and file:
        raise ConfigurationError("client_secret and client_secret_file are both given: pass one")
    if given:
        return Secret(given)
    variable, file_variable = f"{PREFIX}CLIENT_SECRET", f"{PREFIX}CLIENT_SECRET_FILE"
    if not file:
        if environ.get(variable) and environ.get(file_variable):
            raise ConfigurationError(f"{variable} and {file_variable} are both set: unset one")
        if environ.get(variable):
            return Secret(environ[variable])
        file = environ.get(file_variable)
    if not file:
        return None
    try:
        secret = Secret(Path(file).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the client secret's file {file} cannot be read: {type(error).__name__}"
        ) from None
    if not secret:
        raise ConfigurationError(f"the client secret's file {file} is empty")
    return secret


def _check_private(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme == "https":
        return
    host = parts.hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise ConfigurationError(
            f"base_url {base_url} is plain http: the client secret would travel in the clear; use "
            "https (http is for this machine alone)"
        )
