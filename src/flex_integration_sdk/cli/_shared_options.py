"""The options that say whose token and which store, the same for all commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from ._complete import complete_profile
from ._given_store import (
    command_for,
    full_commands,
    given_config,
    inner_of,
    side_of,
    side_options,
    with_options,
)
from ._notices import be_verbose, is_verbose
from ._progress import hidden, waiting_for
from ._refused_store import check_name
from ._side import Side
from ._tables import wrapped
from ._time_limit import time_limit, with_time_limit
from ._told_settings import tell_settings, tell_store

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
        type=click.Path(),
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
        shell_complete=complete_profile,
        help="Section [profiles.NAME] of the config file. Default: FLEX_INTEGRATION_PROFILE, else "
        "`default`.",
    ),
    click.option(
        "--config",
        metavar="FILE",
        type=click.Path(),
        help="Config file. Default: FLEX_INTEGRATION_CONFIG, else "
        "~/.config/flex-integration-sdk/config.toml.",
    ),
)
_ABOUT_STORE = (
    "Token store. Default: FLEX_INTEGRATION_TOKEN_STORE, else `file`. Options come from "
    "FLEX_INTEGRATION_TOKEN_STORE__<OPTION>, unless the environment names another store"
)
_ANOTHER = "Choose another with --store NAME or FLEX_INTEGRATION_TOKEN_STORE"
_EXACT = " or --store-option is given."


def _be_verbose(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        be_verbose()


_VERBOSE = click.option(
    "--verbose",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_be_verbose,
    help="Tell on stderr where each setting comes from, and what happens to the token.",
)


def store_options(command: Command) -> Command:
    """Adds the options that all commands have which use a token store; see :func:`chosen_of`."""
    return client_options(side_options("store", _ABOUT_STORE, _EXACT)(command))


def client_options(command: Command) -> Command:
    """Adds those that say whose token it is, for a command with other options for the store."""
    # The last one first, as decorators are applied: then click lists them in the order above.
    for option in reversed((*_CLIENT, _VERBOSE)):
        command = option(command)
    return command


class Chosen(NamedTuple):
    """What the options of a command say, completed by the environment and the config file."""

    settings: Settings
    side: Side
    """What was said about the token store."""
    client: list[str]
    """The options that say whose token it is, as they were given."""
    timeout: float | None
    """Seconds; None: the SDK's own limits."""

    @property
    def is_store_chosen(self) -> bool:
        """Whether an option, the environment or the config file names the token store."""
        return self.settings.origins["token_store"] != "default"  # noqa: S105 - no password

    def command(self, action: str, option: str = "") -> str:
        """The command of another action on the same token."""
        return command_for(self.side, self.client, action, option)


def chosen_of(options: dict[str, Any], *, lasting: bool = False) -> Chosen:
    """The options of a command, completed by the environment and the config file.

    A command ends with its process. In memory, as the SDK keeps it by default, a token would
    serve one call, and each would send the client secret: so the store is `file` by default.

    Args:
        options: Those of :func:`store_options`, or of :func:`client_options`.
        lasting: The token store must keep a token between programs.

    Raises:
        ConfigurationError: See ``flex_integration_sdk.config.resolve``.
        UsageError: The options of the store contradict each other, or it is ``memory``.
    """
    from dataclasses import replace

    from flex_integration_sdk.config import resolve

    timeout, client = time_limit(), client_arguments(options)
    has_store = "store_name" in options
    side = side_of("store", options) if has_store else Side("store", None, (), None)
    if side.is_bare:
        check_name(side)
    given = None if side.is_bare or _is_of_default(side) else given_config(side)
    # Not given is not the same as off: the environment decides.
    arguments = {**options, "allow_http": options["allow_http"] or None}
    if given is None:
        arguments["token_store"] = side.name
    if is_verbose():
        tell_settings(arguments, DEFAULT_STORE)
    settings = resolve(**arguments, default_store=DEFAULT_STORE, strict=True)
    config = settings.token_store if given is None else given
    if given is None and side.options:
        config = with_options(side, config)
    if config is not settings.token_store:
        origins = {**settings.origins, "token_store": "argument"}
        settings = replace(settings, token_store=config, origins=origins)
    if timeout is not None:
        settings = replace(settings, token_store=with_time_limit(settings.token_store, timeout))
    if is_verbose():
        tell_store(settings.token_store, settings.origins["token_store"])
    if lasting:
        refuse_memory(names_in(settings.token_store), _ANOTHER)
    return Chosen(settings, side, client, timeout)


def client_arguments(chosen: dict[str, Any]) -> list[str]:
    """The options that say whose token it is, as they were given."""
    found = []
    for name in ("client_id", "base_url", "profile", "config"):
        if chosen[name] is not None:
            found += [f"--{name.replace('_', '-')}", chosen[name]]
    return [*found, "--allow-http"] if chosen["allow_http"] else found


def commands_of(chosen: Chosen) -> AbstractContextManager[None]:
    """A block whose errors name other commands on the same token with these options."""
    return full_commands(lambda _, action, option: chosen.command(action, option))


@contextmanager
def open_lasting_store(
    options: dict[str, Any], *, may_be_plain: bool = True, removes: bool = False
) -> Iterator[TokenStore]:
    """The chosen token store, until the block ends.

    Not ``memory``, which holds nothing between programs.

    Args:
        options: The options of the command.
        removes: The command removes the token, which the store that is wrapped can do alone.
        may_be_plain: It may be a store that does not encrypt, whatever the settings require: else
            nobody could look at a token that must not be there, remove or encrypt it.

    Raises:
        UsageError: It is ``memory``.
    """
    from flex_tokenstore import open_store

    chosen = chosen_of(options, lasting=True)
    settings, config = chosen.settings, chosen.settings.token_store
    encrypted = settings.require_encrypted and not may_be_plain
    with (
        commands_of(chosen),
        _without_wrapper(config, chosen.client) if removes else nullcontext(),
        waiting_for(f"the token store {' over '.join(names_in(config))}"),
        open_store(config, settings.identity, require_encrypted=encrypted) as store,
    ):
        refuse_memory(store.layers, _ANOTHER)  # what `fallback` has chosen
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


def refuse_memory(names: Sequence[str], remedy: str = _ANOTHER) -> None:
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
            agreed = click.confirm(wrapped(f"{question}?", " [y/N]: "), err=True)
        if agreed:
            return
    except click.Abort as abort:  # Ctrl-D, or Ctrl-C
        click.echo(err=True)
        click.echo("nothing was changed", err=True)
        raise abort from abort.__context__
    click.echo("nothing was changed", err=True)
    raise click.exceptions.Exit(1)
