"""Settings: from arguments, then from the environment. No file of the working folder is read."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flex_tokenstore import Secret, TokenIdentity, store_config_from_env
from flex_tokenstore._config import OptionValues, hidden

from .errors import ConfigurationError

DEFAULT_BASE_URL = "https://flex-integ-api.sharetribe.com"
SCOPE = "integ"
PREFIX = "FLEX_INTEGRATION_"


@dataclass(frozen=True)
class Settings:
    """What an SDK instance is made from."""

    identity: TokenIdentity
    """Whose token is used, and where."""
    client_secret: Secret[str] | None
    """None: a stored refresh token must do."""
    token_store: Any = field(repr=False)  # its options may hold a password
    """The config of the token store, as ``open_store`` takes it."""

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
    client_secret, token_store, base_url = shown_to_nobody(client_secret, token_store, base_url)
    environ = _ours(os.environ if environ is None else environ)
    client_id = client_id or environ.get(f"{PREFIX}CLIENT_ID")
    if not client_id:
        raise ConfigurationError(
            f"client_id must be provided: pass client_id=… or set {PREFIX}CLIENT_ID; you find it "
            "in Console, with the application of type Integration API"
        )
    address = base_url or _masked(environ.get(f"{PREFIX}BASE_URL")) or DEFAULT_BASE_URL
    name = profile or environ.get(f"{PREFIX}PROFILE") or "default"
    for argument, text in (("client_id", client_id), ("base_url", address), ("profile", name)):
        if not isinstance(text, str):
            raise ConfigurationError(f"{argument} must be a text, got {type(text).__name__}")
    try:
        identity = TokenIdentity(address, client_id, SCOPE, name)
    except ValueError as error:
        variable = PREFIX + str(error).partition(" ")[0].upper()  # it begins with the argument
        raise ConfigurationError(f"{error} (argument or {variable})") from None
    _check_private(identity.base_url)
    if token_store is None:
        token_store = store_config_from_env(f"{PREFIX}TOKEN_STORE", environ) or "memory"
    return Settings(identity, _secret(client_secret, client_secret_file, environ), token_store)


def shown_to_nobody(
    client_secret: str | Secret[str] | None, token_store: Any, base_url: str | None
) -> tuple[Secret[str] | None, Any, str | None]:
    """The arguments that may hold a secret, so that locals in a traceback do not show it.

    First of all in each function that takes them. A password in a base URL is only masked: it is
    refused, whatever it is.
    """
    secret = Secret(client_secret) if client_secret else None
    return secret, hidden(token_store), _masked(base_url)


def _masked(url: Any) -> Any:
    return re.sub(r"//[^/]*@", "//…@", url) if isinstance(url, str) else url


def _ours(environ: Mapping[str, str]) -> Mapping[str, str]:
    return OptionValues((name, environ[name]) for name in environ if name.startswith(PREFIX))


def _secret(
    given: Secret[str] | None, file: str | Path | None, environ: Mapping[str, str]
) -> Secret[str] | None:
    secret = _found_secret(given, file, environ)
    # Encoding it for the wire would fail, with an error that shows it.
    if secret is not None and re.search("[\ud800-\udfff]", secret.reveal()):
        raise ConfigurationError(
            "the client secret holds what is no text; check the locale (UTF-8), or whether it was "
            "copied whole"
        )
    return secret


def _found_secret(
    given: Secret[str] | None, file: str | Path | None, environ: Mapping[str, str]
) -> Secret[str] | None:
    if given and file:
        raise ConfigurationError("client_secret and client_secret_file are both given: pass one")
    if given:
        kind = type(given.reveal())
        if not issubclass(kind, str):
            raise ConfigurationError(f"client_secret must be a text, got {kind.__name__}")
        return given
    variable, file_variable = f"{PREFIX}CLIENT_SECRET", f"{PREFIX}CLIENT_SECRET_FILE"
    if not file:
        if environ.get(variable) and environ.get(file_variable):
            raise ConfigurationError(f"{variable} and {file_variable} are both set: unset one")
        if environ.get(variable):
            return Secret(environ[variable])
        file = environ.get(file_variable)
    if not file:
        return None
    if not isinstance(file, (str, os.PathLike)):
        raise ConfigurationError(f"client_secret_file must be a path, got {type(file).__name__}")
    # Outside of any ``except``: a decoding error holds the bytes that it could not decode.
    secret, problem = _read_secret(Path(file))
    if secret is None:
        raise ConfigurationError(
            f"the client secret's file {file} {problem} (argument client_secret_file or "
            f"{file_variable})"
        )
    return secret


def _read_secret(file: Path) -> tuple[Secret[str] | None, str]:
    try:
        secret = Secret(file.read_text(encoding="utf-8-sig").rstrip("\r\n"))
    except UnicodeDecodeError:
        return None, "is not a UTF-8 text"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return None, f"cannot be read: {reason or type(error).__name__}"
    return (secret, "") if secret else (None, "is empty")


def is_loopback(base_url: str) -> bool:
    """Whether ``base_url`` is of this machine."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_private(base_url: str) -> None:
    if urlsplit(base_url).scheme != "https" and not is_loopback(base_url):
        raise ConfigurationError(
            f"base_url {base_url} is plain http: the client secret would travel in the clear; use "
            "https (http is for this machine alone)"
        )
