"""Settings: from arguments, the environment and `config.toml`. No `.env` file is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flex_tokenstore import Secret, TokenIdentity
from flex_tokenstore.embedding import HostProgram, warn_once

from ._settings import config_file
from ._settings.base_url import DEFAULT_BASE_URL, is_loopback, server
from ._settings.client_secret import AsyncClientSecret, secret_source
from ._settings.given import Given
from ._settings.layers import Layers
from ._settings.secret_source import SecretSource, problem_of_secret
from ._settings.table import PREFIX
from ._settings.variables import CLIENT_ID, CONFIG, STORE, Variables, logger
from .errors import ConfigurationError

if TYPE_CHECKING:
    from ._settings.explaining import SettingInfo

__all__ = [
    "DEFAULT_BASE_URL",
    "PREFIX",
    "SCOPE",
    "Settings",
    "config_path",
    "explain",
    "is_loopback",
    "profile_names",
    "resolve",
]

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
    origins: Mapping[str, str] = field(default_factory=dict)
    """By name of a setting, where it comes from: ``"argument"``, the name of a variable, file and
    line, or ``"default"``."""
    config_file: Path | None = None
    """The config file that was read; None: there is none."""

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
    config: str | Path | None = None,
    allow_http: bool | None = None,
    require_encrypted: bool | None = None,
    environ: Mapping[str, str] | None = None,
    default_store: str = "memory",
    strict: bool = False,
) -> Settings:
    """Settings from arguments, then from ``FLEX_INTEGRATION_…`` variables, then from config.toml.

    Blanks and line ends around a value are not a part of it; an empty variable counts as unset.

    Args:
        client_id: See ``create_instance``, also for those below.
        client_secret: The secret, or a callable that returns it.
        client_secret_file: Path of a file with the secret.
        token_store: The config of the token store.
        base_url: Address of the server.
        profile: Which section of the config file counts.
        config: Path of the config file.
        allow_http: Accept plain http to another host.
        require_encrypted: Refuse a store that would keep the token as plain text.
        environ: The environment; ``os.environ`` if omitted.
        default_store: The token store if none is chosen.
        strict: A profile that was named must be in the config file, if that has profiles.

    Raises:
        ConfigurationError: The client id is missing; an argument, a variable or the config file has
            a value that it cannot have; the secret is given twice, or its file cannot be read; a
            name is misspelt.
        StoreOptionsError: The variables of the token store contradict each other.
    """
    given = Given(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        config=config,
        allow_http=allow_http,
        require_encrypted=require_encrypted,
    )
    variables = Variables(environ)
    # From here on `given` alone holds them, and its `repr` shows nothing.
    del client_secret, client_secret_file, token_store, base_url, environ
    return complete(given, variables, default_store=default_store, strict=strict)


def explain(
    *,
    environ: Mapping[str, str] | None = None,
    default_store: str = "memory",
    strict: bool = False,
    with_options: Callable[[Any], Any] | None = None,
    others: bool = False,
    **arguments: Any,
) -> tuple[list[SettingInfo], list[str]]:
    """Each setting with its value, redacted, and where it comes from.

    Args:
        environ: The environment; ``os.environ`` if omitted.
        default_store: The token store if none is chosen.
        strict: See :func:`resolve`.
        with_options: Completes the config of the token store.
        others: Also what is wrong with the other profiles of the config file.
        arguments: Those of ``create_instance`` that :func:`resolve` takes.

    Returns:
        The settings, and warnings about some of them. What is wrong with one does not raise: it is
        its ``problem``.

    Raises:
        ConfigurationError: The config file cannot be used, a variable's name is misspelt, or it is
            not clear which profile counts.
    """
    # Here: it needs the registry of stores.
    from ._settings.explaining import explain_layers, explain_others

    given, variables = Given(**arguments), Variables(environ)
    del environ, arguments
    variables.check_names()
    layers = Layers(given, variables, PROGRAM, strict=strict, lenient=True)
    found = list(explain_layers(layers, STORE, default_store, with_options))
    if others:
        found += explain_others(layers, STORE, default_store)
    return found, list(dict.fromkeys(layers.notes))


def config_path(
    given: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Path | None, str]:
    """Where the config file is, whether or not it exists.

    Args:
        given: The argument ``config``.
        environ: The environment; ``os.environ`` if omitted.

    Returns:
        The path, and where it comes from: ``"argument"``, the name of the variable, or
        ``"default"``. The path is None if none is to be read, or this user has no home folder.

    Raises:
        ConfigurationError: It is not a path.
    """
    return config_file.config_path(given, CONFIG, Variables(environ).value(CONFIG), PROGRAM)


def profile_names(config: str | Path | None = None) -> tuple[str, ...]:
    """The profiles in the config file.

    Args:
        config: Path of the config file; if omitted, the one that :func:`resolve` would read.

    Raises:
        ConfigurationError: The config file cannot be used.
    """
    path, _ = config_path(config)
    return config_file.read_config(path, must_exist=False).profiles


def complete(
    given: Given, variables: Variables, *, default_store: str = "memory", strict: bool = False
) -> Settings:
    """See :func:`resolve`."""
    # First: a misspelt name is often the cause of what is found below.
    variables.check_names()
    layers = Layers(given, variables, PROGRAM, strict=strict)
    # Each can require it: whoever does so does not want another to switch it off.
    encrypted, by_encrypted = layers.switch("require_encrypted", any_layer=True)
    client_id, (base_url, by_server) = _client_id(layers), server(layers)
    try:
        identity = TokenIdentity(base_url, client_id, SCOPE, layers.profile.value, PROGRAM)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    store, by_store = layers.store(STORE, default_store)
    source, by_secret = secret_source(layers)
    for note in layers.notes:
        warn_once(logger, note)
    origins = {
        "config": layers.path_origin,
        "profile": layers.profile.origin,
        "client_id": layers.client_id.origin,
        "client_secret": by_secret,
        **by_server,
        "require_encrypted": by_encrypted,
        "token_store": by_store,
    }
    return Settings(identity, source, store, encrypted, origins, layers.file.path)


def _client_id(layers: Layers) -> str:
    found = layers.client_id
    if not found.value:
        looked = f" (looked for in {layers.path}, too)" if layers.path else ""
        raise ConfigurationError(
            f"client_id must be provided: pass client_id=… or set {CLIENT_ID}, or write a config "
            f"file with `flex-sdk init`{looked}; you find it in Console, with the application of "
            "type Integration API"
        )
    problem = problem_of_secret(Secret(found.value), quotes=not found.is_argument)
    if problem:
        raise ConfigurationError(f"{found.subject} {problem}")
    return found.value
