"""The options that say whose token and which store, the same for all commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ._given_store import (
    Side,
    command_for,
    full_commands,
    given_config,
    inner_of,
    side_of,
    side_options,
    with_options,
)
from ._progress import hidden, waiting_for

if TYPE_CHECKING:
    from flex_integration_sdk.config import Settings
    from flex_tokenstore import TokenStore

DEFAULT_STORE = "file"

Command = TypeVar("Command", bound=Callable[..., Any])

_CLIENT = (
    click.option("--client-id", metavar="ID", help="Default: FLEX_INTEGRATION_CLIENT_ID."),
    click.option(
        "--client-secret-file",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help=(
            "File with the client secret. (Do not pass the secret itself: other users can see "
            "arguments.)"
        ),
    ),
    click.option("--base-url", metavar="URL", help="Default: FLEX_INTEGRATION_BASE_URL."),
    click.option(
        "--allow-http",
        is_flag=True,
        help="Accept plain http to another host: the client secret travels unencrypted. "
        "Default: FLEX_INTEGRATION_ALLOW_HTTP.",
    ),
    click.option(
        "--profile",
        metavar="NAME",
        help="Section [profiles.NAME] of the config file. Default: FLEX_INTEGRATION_PROFILE, else "
        "`default`.",
    ),
    click.option(
        "--config",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Config file. Default: FLEX_INTEGRATION_CONFIG, else "
        "~/.config/flex-integration-sdk/config.toml.",
    ),
)
_ABOUT_STORE = (
    "Token store. Default: FLEX_INTEGRATION_TOKEN_STORE, else `file`. Options come from "
    "FLEX_INTEGRATION_TOKEN_STORE__<OPTION>, unless the environment names another store"
)
_EXACT = " or --store-option is given."
_STORE = click.option("--store", metavar="NAME", help=f"{_ABOUT_STORE}.")


def settings_options(command: Command) -> Command:
    """Adds the common options; the command gets them as ``**chosen`` for :func:`settings_of`."""
    return client_options(_STORE(command))


def store_options(command: Command) -> Command:
    """Adds the common options, and those of the store, for :func:`open_lasting_store`."""
    return client_options(side_options("store", _ABOUT_STORE, _EXACT)(command))


def client_options(command: Command) -> Command:
    """Adds those that say whose token it is, for a command with other options for the store."""
    # The last one first, as decorators are applied: then click lists them in the order above.
    for option in reversed(_CLIENT):
        command = option(command)
    return command


def is_chosen(settings: Settings) -> bool:
    """Whether an option, the environment or the config file names the token store."""
    return settings.origins["token_store"] != "default"  # noqa: S105 - not a password


def settings_of(chosen: dict[str, Any]) -> Settings:
    """Settings from the options, then from the environment and the config file.

    A command ends with its process. In memory, as the SDK keeps it by default, a token would
    serve one call, and each would send the client secret.

    Raises:
        ConfigurationError: See ``flex_integration_sdk.config.resolve``.
    """
    from flex_integration_sdk.config import resolve

    return resolve(**arguments_of(chosen), default_store=DEFAULT_STORE, strict=True)


def arguments_of(chosen: dict[str, Any]) -> dict[str, Any]:
    """The options as arguments of ``resolve``."""
    rest = {name: value for name, value in chosen.items() if name != "store"}
    # Not given is not the same as off: the environment decides.
    return {**rest, "allow_http": chosen["allow_http"] or None, "token_store": chosen.get("store")}


def client_arguments(chosen: dict[str, Any]) -> list[str]:
    """The options that say whose token it is, as they were given."""
    found = []
    for name in ("client_id", "base_url", "profile", "config"):
        if chosen[name] is not None:
            found += [f"--{name.replace('_', '-')}", chosen[name]]
    return [*found, "--allow-http"] if chosen["allow_http"] else found


def commands_with(chosen: dict[str, Any]) -> AbstractContextManager[None]:
    """A block whose errors name other commands on the same token with these options."""
    side, client = Side("store", chosen["store"], (), None), client_arguments(chosen)
    return full_commands(lambda _, action, option: command_for(side, client, action, option))


@contextmanager
def open_lasting_store(
    chosen: dict[str, Any], *, may_be_plain: bool = True, removes: bool = False
) -> Iterator[TokenStore]:
    """The chosen token store, until the block ends.

    Not ``memory``, which holds nothing between programs.

    Args:
        chosen: The options of the command.
        removes: The command removes the token, which the store that is wrapped can do alone.
        may_be_plain: It may be a store that does not encrypt, whatever the settings require: else
            nobody could look at a token that must not be there, remove or encrypt it.

    Raises:
        UsageError: It is ``memory``.
    """
    from flex_tokenstore import open_store

    side = side_of("store", chosen)
    client = client_arguments(chosen)
    config = given = None if side.is_bare or _is_of_default(side) else given_config(side)
    settings = settings_of({**chosen, "store": side.name if given is None else None})
    if config is None:
        config = settings.token_store
        if side.options:
            config = with_options(side, config)
    remedy = "Choose another with --store NAME or FLEX_INTEGRATION_TOKEN_STORE"
    refuse_memory(names_in(config), remedy)
    encrypted = settings.require_encrypted and not may_be_plain
    with (
        full_commands(lambda _, action, option: command_for(side, client, action, option)),
        _without_wrapper(config, client) if removes else nullcontext(),
        waiting_for(f"the token store {' over '.join(names_in(config))}"),
        open_store(config, settings.identity, require_encrypted=encrypted) as store,
    ):
        refuse_memory(store.layers, remedy)  # what `fallback` has chosen
        yield store


@contextmanager
def _without_wrapper(config: Any, client: list[str]) -> Iterator[None]:
    """A block whose errors of a wrapper, such as a missing key, say how to do without it."""
    try:
        yield
    except Exception as error:
        from flex_tokenstore import TokenStoreError

        inner = inner_of(config)
        if isinstance(error, TokenStoreError) and error.store == names_in(config)[0] and inner:
            command = command_for(inner, client, "remove")
            error.message += f". Without that store's keys: `{command}`"
            error.args = (error.message,)
        raise


def _is_of_default(side: Side) -> bool:
    """No store was named, so that the options belong to the one of the environment."""
    return side.name is None and side.prefix is None


def refuse_memory(names: Sequence[str], remedy: str) -> None:
    """Refuses a store that holds nothing between programs.

    Args:
        names: The name of a store, and of those that it wraps, the innermost one last.
        remedy: What the user can do: "Choose another with …".

    Raises:
        UsageError: It is ``memory``, or a wrapper of that.
    """
    if [*names][-1:] == ["memory"]:
        raise click.UsageError(
            "the token store `memory` keeps a token only inside the program that uses it. "
            f"{remedy}; see `flex-sdk stores list`."
        )


def names_in(config: Any) -> list[str]:
    """The name of a store, and of those that it wraps, the innermost one last."""
    names = []
    while isinstance(config, Mapping):
        names.append(config.get("name"))
        config = config.get("inner")
    names.append(config)
    return [name.strip() for name in names if isinstance(name, str)]


def confirm(question: str, what: str, *, yes: bool) -> None:
    """Asks, unless the user has said yes already; ends the command if the answer is no.

    Args:
        question: Without its question mark.
        what: What ``--yes`` would do: "remove the token of …".
        yes: The option ``--yes``.

    Raises:
        UsageError: Nobody is there to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            "standard input is not a terminal, so nobody can confirm: pass --yes to " + what
        )
    try:
        with hidden():
            agreed = click.confirm(f"{question}?", err=True)
        if agreed:
            return
    except click.Abort as abort:  # Ctrl-D, or Ctrl-C
        click.echo(err=True)
        click.echo("nothing was changed", err=True)
        raise abort from abort.__context__
    click.echo("nothing was changed", err=True)
    raise click.exceptions.Exit(1)
