"""Checks of the settings: whether they can be read, and where the client secret is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from flex_integration_sdk.config import PREFIX, Settings, resolve
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import store_config_from_env

from .checks import check
from .finding import Outcome, error, ok
from .ground import Ground
from .remedies import remedy_for

_SECRET = ("client_secret", "client_secret_file")


@check("config.settings")
def complete(ground: Ground) -> Iterator[Outcome]:
    """Whose token, and at which server."""
    settings = ground.settings = _resolved(ground)
    identity = settings.identity
    yield ok(
        f"The client is {identity.client_id} with the profile {identity.profile!r}, at "
        f"{identity.base_url}."
    )


@check("secret")
def secret(ground: Ground) -> Iterator[Outcome]:
    """Whether there is a client secret, and whether it can be read."""
    if ground.secret_problem is not None:
        problem = ground.secret_problem
        yield error(f"{problem}.", remedy_for(problem, ground))
        return
    source = ground.settings.secret_source
    if source is None:
        yield ok("No client secret is configured: a stored refresh token has to do.")
        return
    source.read(ground.timeout)
    yield ok("There is a client secret, and it can be read.")


CHECKS = (complete, secret)


def _resolved(ground: Ground) -> Settings:
    """The settings; without the secret, if only that is wrong: the check ``secret`` says so."""
    arguments: dict[str, Any] = {**ground.arguments}
    if (
        arguments.get("token_store") is None
        and store_config_from_env(f"{PREFIX}TOKEN_STORE") is None
    ):
        arguments["token_store"] = ground.default_store
    try:
        return resolve(**arguments)
    except ConfigurationError as failed:
        rest = {name: value for name, value in arguments.items() if name not in _SECRET}
        hidden = {f"{PREFIX}{name.upper()}" for name in _SECRET}
        environ = {name: value for name, value in os.environ.items() if name not in hidden}
        try:
            found = resolve(**rest, environ=environ)
        except ConfigurationError:
            raise failed from None
        ground.secret_problem = failed
        return found
