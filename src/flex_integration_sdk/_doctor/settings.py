"""Checks of the settings: the config file, each setting with its origin, the client secret."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flex_integration_sdk._settings.config_file import (
    check_section,
    config_path,
    read_config,
)
from flex_integration_sdk._settings.table import PROFILES
from flex_integration_sdk._settings.variables import CLIENT_ID, CONFIG, PROFILE, Variables
from flex_integration_sdk.config import PROGRAM, Settings, explain, resolve
from flex_integration_sdk.errors import ClientSecretError, ConfigurationError
from flex_tokenstore.embedding import owner_named

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .places import closed_folder
from .remedies import remedy_for, remedy_of_setting

if TYPE_CHECKING:
    from flex_integration_sdk._settings.explaining import SettingInfo

# Given where the secret itself cannot be read, so that the rest can be looked at. Never sent.
_STAND_IN = "unreadable"


@check("config.file")
def file(ground: Ground) -> Iterator[Outcome]:
    """Whether the config file can be used, and knows its keys."""
    variables, given = Variables(), ground.arguments.get("config")
    file_path, origin = config_path(given, CONFIG, variables.value(CONFIG), PROGRAM)
    try:
        found = read_config(file_path, must_exist=origin != "default")
    except ConfigurationError as failed:
        ground.file_problem = str(failed)
        raise
    if found.problem:
        yield _of_unused(ground, file_path, found.problem)
        return
    if found.path is None:
        what = (
            "No config file is read"
            if file_path is None
            else f"There is no config file {file_path}"
        )
        yield ok(f"{what}: settings come from options and from the environment")
        return
    chosen = ground.arguments.get("profile") or variables.value(PROFILE) or "default"
    for path in ((), *((PROFILES, name) for name in found.profiles)):
        try:
            check_section(found, path)  # its notes are told with the settings
        except ConfigurationError as failed:
            used = path in ((), (PROFILES, chosen))
            if used:
                ground.file_problem = str(failed)
            yield (error if used else warning)(str(failed), remedy_for(failed, ground))
    if ground.file_problem:
        return
    named = f"profiles {', '.join(found.profiles)}" if found.profiles else "no profiles"
    yield ok(f"The config file {file_path} can be used; it has {named}")


def _of_unused(ground: Ground, path: Path, problem: str) -> Outcome:
    """A file at the default location that is another user's, or that this user may not look at."""
    ground.file_problem = text = f"the config file {path} {problem}"
    remedy = remedy_for(ConfigurationError(text), ground)
    text = text.partition(": run it as")[0]
    if closed := closed_folder(path):
        there, me = closed.stat(), owner_named(os.geteuid())
        text = (
            f"{text}. The folder {closed} belongs to {owner_named(there.st_uid)} and has the mode "
            f"{stat.S_IMODE(there.st_mode):04o}, and this program runs as {me}"
        )
        remedy = (
            "Run it as the user to whom that folder belongs, or give this user the right: chmod "
            f"u+rwx {closed}; or name a config file in FLEX_INTEGRATION_CONFIG"
        )
    # Who gives the client in other ways may not need the file.
    is_needed = not (ground.arguments.get("client_id") or Variables().value(CLIENT_ID))
    return (error if is_needed else warning)(text, remedy)


@check("config.settings")
def complete(ground: Ground) -> Iterator[Outcome]:
    """Whose token, at which server; and what is wrong with a setting."""
    arguments: dict[str, Any] = {**ground.arguments}
    choice: dict[str, Any] = {"default_store": ground.default_store, "strict": True}
    try:
        rows, _ = explain(**arguments, **choice)
    except ConfigurationError as failed:
        ground.known_server = _server_without_file(ground)
        if str(failed) == ground.file_problem:
            raise SkipCheck("The config file cannot be used; see config.file.") from None
        raise
    ground.known_server = _server_in(rows)
    wrong = [row for row in rows if row.problem and not _is_elsewhere(row)]
    if ground.file_problem and [(row.name, row.value) for row in wrong] == [("client_id", "")]:
        raise SkipCheck("The config file cannot be used; see config.file.")
    for row in wrong:
        missing = row.name == "client_id" and not row.value
        yield error(f"{row.name} {row.problem}" if missing else row.problem, remedy_of_setting(row))
    if wrong:
        return
    ground.settings = settings = _without_secret(rows, ground, arguments, choice)
    ground.store_origin = _chosen(settings.origins.get("token_store", "default"))
    identity = settings.identity
    yield ok(
        f"The client is {identity.client_id} ({_of(settings, 'client_id')}) with the profile "
        f"{identity.profile!r}, at {identity.base_url} ({_of(settings, 'base_url')})"
    )


@check("secret", extra=10.0)  # a command may take that long
def secret(ground: Ground) -> Iterator[Outcome]:
    """Whether there is a client secret, and whether it can be read."""
    if ground.secret_problem is not None:
        yield error(str(ground.secret_problem), remedy_for(ground.secret_problem, ground))
        return
    source = ground.settings.secret_source
    if source is None:
        yield _without(ground)
        return
    source.read(ground.timeout + 10.0)
    origin = _of(ground.settings, "client_secret")
    yield ok(f"There is a client secret ({origin}), and it can be read")
    path = Path(source.described.removeprefix("in the file "))
    if path.is_absolute() and _is_open(path):
        yield warning(
            f"Other users can read the file {path} with the client secret",
            f"Take that right away: chmod 600 {path}",
        )


CHECKS = (file, complete)

_ANYBODY = 0o007


def _is_open(path: Path) -> bool:
    """Whether everybody may read a file of this user; root's are as the system mounts them."""
    try:
        found = path.stat()
    except OSError:
        return False
    if os.name == "nt" or found.st_uid != os.geteuid():
        return False
    return bool(found.st_mode & _ANYBODY)


SECRET = (secret,)


def _server_in(rows: list[SettingInfo]) -> tuple[str, str] | None:
    found = (row for row in rows if row.name == "base_url" and not row.problem)
    return next(((row.value, row.origin) for row in found), None)


def _server_without_file(ground: Ground) -> tuple[str, str] | None:
    """The server that an option or a variable names: what the config file says is not known."""
    names = ("FLEX_INTEGRATION_BASE_URL", "FLEX_INTEGRATION_ALLOW_HTTP")
    environ = {name: os.environ[name] for name in names if name in os.environ}
    given: dict[str, Any] = {
        name: ground.arguments.get(name) for name in ("base_url", "allow_http")
    }
    try:
        found = _server_in(explain(**given, config=os.devnull, environ=environ)[0])
    except ConfigurationError:
        return None
    return None if found is None or found[1] == "default" else found


def _is_elsewhere(row: SettingInfo) -> bool:
    """The check of the secret, or of the store, tells it."""
    if row.name == "client_secret":
        return True
    return row.name.startswith("token_store") and bool(row.value)


def _without_secret(
    rows: list[SettingInfo], ground: Ground, arguments: dict[str, Any], choice: dict[str, Any]
) -> Settings:
    """The settings. If only the secret is wrong, they are without it."""
    problem = next((row.problem for row in rows if row.name == "client_secret"), "")
    if not problem:
        return resolve(**arguments, **choice)
    unread = "the client secret cannot be read" in problem
    ground.secret_problem = (ClientSecretError if unread else ConfigurationError)(problem)
    # An argument comes before all other layers, so that none of them is read.
    given = {**arguments, "client_secret": _STAND_IN, "client_secret_file": None}
    return replace(resolve(**given, **choice), secret_source=None)


def _without(ground: Ground) -> Outcome:
    """No secret is configured; what that means depends on the stored token."""
    try:
        token = ground.token
    except SkipCheck:
        return ok("No client secret is configured: a stored refresh token has to do")
    if token is not None:
        return ok("No client secret is configured: the stored token has to do")
    return error(
        "Nothing is stored, and no client secret is configured: no call can sign in",
        "Set FLEX_INTEGRATION_CLIENT_SECRET_FILE, use --client-secret-file FILE, or run "
        "`flex-sdk init`",
    )


def _of(settings: Settings, name: str) -> str:
    origin = settings.origins.get(name, "default")
    if origin == "default":
        return "the default"
    return "given to this command" if origin == "argument" else f"from {origin}"


def _chosen(origin: str) -> str:
    if origin == "default":
        return "the default, since nothing names another"
    return "which this command names" if origin == "argument" else f"which {origin} names"
