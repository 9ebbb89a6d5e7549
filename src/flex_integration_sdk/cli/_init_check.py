"""Whether a new profile works: the store opens, the client signs in, the API takes the token."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flex_tokenstore import Secret

from ._progress import waiting_for
from ._shared_options import DEFAULT_STORE
from ._waiting import patient_lock
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_integration_sdk.config import Settings


def settings_of_profile(path: Path, profile: str) -> Settings:
    """The settings as the config file has them, without the variables of this shell.

    Raises:
        ConfigurationError: They cannot be used.
    """
    from flex_integration_sdk.config import resolve

    return resolve(
        config=path, profile=profile, environ={}, default_store=DEFAULT_STORE, strict=True
    )


def check_profile(path: Path, profile: str, commands: str) -> str:
    """Signs in once, and keeps the token in the store; returns what it did, for people.

    Args:
        path: The config file.
        profile: Name of the profile.
        commands: The options of other commands for this profile.

    Raises:
        ClickException: It does not work. The message says what to mend.
    """
    with _mending(profile, commands):
        settings = settings_of_profile(path, profile)
        with waiting_for("the token store and the sign-in"):
            return _signed_in(settings)


def check_settings(path: Path, profile: str, commands: str) -> None:
    """Reads the profile as other commands do; arguments and errors as of :func:`check_profile`."""
    with _mending(profile, commands):
        settings_of_profile(path, profile)


def try_secret(settings: Settings) -> None:
    """Signs in with a new secret before it takes the place of one that may work.

    Nothing is stored: the token is dropped.

    Raises:
        ClickException: It does not work. The message says what to mend.
    """
    from flex_integration_sdk._client.builder import InstanceOptions
    from flex_integration_sdk._client.oauth import SyncGrants
    from flex_integration_sdk._transport.sync import Http
    from flex_integration_sdk.errors import FlexError
    from flex_tokenstore import TokenStoreError, open_store

    options = InstanceOptions()
    try:
        with waiting_for("the sign-in"), open_store("memory", settings.identity) as store:
            http = Http(
                settings.base_url,
                options.timeout,
                options.request_timeout,
                connection=options.connection("sync"),
            )
            with closing(http):
                SyncGrants(settings, http, store).sign_in()
            return
    except (FlexError, TokenStoreError, OSError, ValueError) as error:
        why = in_cli_words(str(error)).rstrip(".")
    raise click.ClickException(
        f"the profile was not changed, since the new settings do not work: {why}. Fix that, or "
        "use --no-check to write them as they are"
    )


@contextmanager
def _mending(profile: str, commands: str) -> Iterator[None]:
    """A block whose errors say that the profile does not work, and what to do."""
    from flex_integration_sdk.errors import FlexError
    from flex_tokenstore import TokenStoreError

    try:
        yield
        return
    except (FlexError, TokenStoreError, OSError, ValueError) as error:
        why = in_cli_words(str(error)).rstrip(".")
    raise click.ClickException(
        f"the profile {profile!r} does not work yet: {why}. Fix that, or run "
        f"`flex-sdk init{commands}` again; `flex-sdk doctor{commands}` looks at everything"
    )


def _signed_in(settings: Settings) -> str:
    from flex_integration_sdk._client.builder import InstanceOptions, build
    from flex_integration_sdk._client.sync import PARTS

    _replace_token(settings)
    with build(PARTS, InstanceOptions(max_retries=0), settings) as sdk:
        found = sdk.marketplace.show().data["attributes"].get("name")
        place = sdk.token_store.place
    return (
        f"signed in as {settings.client_id} at {settings.base_url} (the marketplace {found!r}); "
        f"the token is kept in {place}"
    )


def _replace_token(settings: Settings) -> None:
    """Signs in if a token is stored: with that one a call would say nothing about the secret."""
    from flex_integration_sdk._client.builder import InstanceOptions
    from flex_integration_sdk._client.oauth import SyncGrants
    from flex_integration_sdk._transport.sync import Http
    from flex_tokenstore import Token, open_store

    identity, options = settings.identity, InstanceOptions()
    with open_store(
        settings.token_store, identity, require_encrypted=settings.require_encrypted
    ) as store:
        if settings.secret_source is None or store.get_token() is None:
            return
        http = Http(
            settings.base_url,
            options.timeout,
            options.request_timeout,
            connection=options.connection("sync"),
        )
        try:
            with patient_lock(store):
                before = store.get_token()
                begun = time.time()
                answer = Secret(SyncGrants(settings, http, store).sign_in())
                token = Token.issued(answer.reveal(), identity_key=identity.key, obtained_at=begun)
                store.set_token(token, None if before is None else before.revision)
        finally:
            http.close()


def overriding(path: Path, profile: str) -> list[str]:
    """The variables of this shell that would be used in place of the profile."""
    from flex_integration_sdk._settings.config_file import KEYS
    from flex_integration_sdk._settings.table import VARIABLES
    from flex_integration_sdk._settings.variables import CONFIG, PROFILE, STORE
    from flex_tokenstore.embedding import expand_path, strip_value

    names = {VARIABLES[key] for key in KEYS} - {"", VARIABLES["require_encrypted"]}
    found = [
        name
        for name in os.environ
        if (name in names or name.startswith(f"{STORE}__")) and strip_value(os.environ[name])
    ]
    if strip_value(os.environ.get(PROFILE, "")) not in ("", profile):
        found.append(PROFILE)
    named = strip_value(os.environ.get(CONFIG, ""))
    if named and Path(expand_path(named)) != path:
        found.append(CONFIG)
    return sorted(found)
