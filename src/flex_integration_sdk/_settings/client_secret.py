"""Where the client secret comes from; a file or a callable is read again at each sign-in."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from typing import Any

from flex_integration_sdk.errors import ClientSecretError, ConfigurationError
from flex_tokenstore import Secret
from flex_tokenstore.embedding import (
    expand_path,
    problem_of_path,
    strip_value,
)

from .given import Given
from .layers import Layers
from .secret_source import SecretSource, problem_of_secret
from .section import Section
from .variables import CLIENT_SECRET, CLIENT_SECRET_FILE

ClientSecret = str | Secret[str] | Callable[[], "str | Secret[str]"]
"""A client secret, or a callable that returns one."""
AsyncClientSecret = ClientSecret | Callable[[], Awaitable["str | Secret[str]"]]
"""The same for asyncio programs, where the callable may be a coroutine function."""


def secret_source(layers: Layers) -> tuple[SecretSource | None, str]:
    """Where the secret comes from, and who says so; None: nobody does.

    Raises:
        ConfigurationError: It is given twice, cannot be one, or its file cannot be read.
    """
    if found := _of_arguments(layers.given):
        return found, "argument"
    variables = layers.variables
    secret = Secret(variables.value(CLIENT_SECRET))
    path = Secret(variables.value(CLIENT_SECRET_FILE))
    if secret and path:
        raise ConfigurationError(
            f"{CLIENT_SECRET} and {CLIENT_SECRET_FILE} are both set: unset one"
        )
    if secret:
        return _fixed(secret, CLIENT_SECRET), CLIENT_SECRET
    if path:
        return _in_file(path, CLIENT_SECRET_FILE, relative=False), CLIENT_SECRET_FILE
    section = layers.secret_section()
    return (None, "") if section is None else _of_section(section)


def _of_arguments(given: Given) -> SecretSource | None:
    if given.client_secret and given.client_secret_file:
        raise ConfigurationError("client_secret and client_secret_file are both given: pass one")
    if given.client_secret:
        return _given(Secret(given.client_secret))
    if not given.client_secret_file:
        return None
    file = Secret(given.client_secret_file)
    if not isinstance(file.reveal(), (str, os.PathLike)):
        kind = type(file.reveal()).__name__
        raise ConfigurationError(f"client_secret_file must be a path, got {kind}")
    return _in_file(Secret(os.fspath(file.reveal())), "client_secret_file", relative=True)


def _of_section(section: Section) -> tuple[SecretSource, str]:
    if secret := Secret(section.get("client_secret")):
        name, stripped = "client_secret", Secret(strip_value(secret.reveal()))
        return _fixed(stripped, section.subject(name)), section.origin(name)
    if path := Secret(section.get("client_secret_file")):
        name = "client_secret_file"
        return _in_file(path, section.subject(name), relative=False), section.origin(name)
    name = "client_secret_cmd"
    command = tuple(section.get(name))
    return SecretSource(section.subject(name), command=command), section.origin(name)


def _given(secret: Secret[Any]) -> SecretSource:
    if callable(secret.reveal()):
        return SecretSource("client_secret", function=secret.reveal())
    kind = type(secret.reveal())
    if not issubclass(kind, str):
        raise ConfigurationError(
            f"client_secret must be a string, or a callable that returns one, got {kind.__name__}"
        )
    return _fixed(Secret(strip_value(secret.reveal())), "client_secret")


def _fixed(secret: Secret[str], source: str) -> SecretSource:
    problem = problem_of_secret(secret, quotes=source != "client_secret")
    # `Path.is_file` raises for a text that is too long for a file name; `os.path.isfile` does not.
    if not problem and secret.reveal().startswith("/") and os.path.isfile(secret.reveal()):  # noqa: PTH113
        other = CLIENT_SECRET_FILE if source == CLIENT_SECRET else "client_secret_file"
        problem = f"is the path of a file: use {other}"
    if problem:
        raise ConfigurationError(f"{source} {problem}")
    return SecretSource(source, value=secret)


def _in_file(path: Secret[str], source: str, *, relative: bool) -> SecretSource:
    """The path is kept from tracebacks: somebody may have put the secret in its place."""
    path = Secret(strip_value(path.reveal()))
    problem = problem_of_path(path.reveal(), relative=relative)
    if problem:
        raise ConfigurationError(f"{source} {problem}{_shown(path)}")
    found = SecretSource(source, file=expand_path(path.reveal()))
    try:
        found.read()  # so that a wrong path is told at once
    except ClientSecretError as error:
        text = Secret(str(error))
    else:
        return found
    if not _shown(path):
        other = source.replace("_FILE", "").replace("_file", "", 1).partition(" ")[0]
        raise ConfigurationError(
            f"{source} names a file that does not exist (its value is not shown, since it may be "
            f"the secret itself; if it is, use {other})"
        )
    raise ConfigurationError(text.reveal())


def _shown(path: Secret[str]) -> str:
    """A path, for a message, unless it may be the secret itself."""
    said = path.reveal()
    is_path = re.search(r"[/\\.]", said) or os.path.lexists(said)
    return f"; got {said[:200]!r}" if is_path and not re.search("[\ud800-\udfff]", said) else ""
