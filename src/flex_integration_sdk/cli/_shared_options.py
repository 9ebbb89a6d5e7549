"""The options that say whose token and which store, the same for all commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

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
    click.option("--profile", metavar="NAME", help="Default: FLEX_INTEGRATION_PROFILE."),
)
_STORE = click.option(
    "--store",
    metavar="NAME",
    help="Token store. Default: FLEX_INTEGRATION_TOKEN_STORE, else `file`. Options come from "
    "FLEX_INTEGRATION_TOKEN_STORE__<OPTION>, unless the environment names another store.",
)


def settings_options(command: Command) -> Command:
    """Adds the common options; the command gets them as ``**chosen`` for :func:`settings_of`."""
    return client_options(_STORE(command))


def client_options(command: Command) -> Command:
    """Adds those that say whose token it is, for a command with other options for the store."""
    # The last one first, as decorators are applied: then click lists them in the order above.
    for option in reversed(_CLIENT):
        command = option(command)
    return command


def store_is_chosen(chosen: dict[str, Any]) -> bool:
    """Whether an option or the environment names the token store.

    Raises:
        StoreOptionsError: The variables of the token store contradict each other.
    """
    from flex_integration_sdk.config import PREFIX
    from flex_tokenstore import store_config_from_env

    return (
        chosen.get("store") is not None or store_config_from_env(f"{PREFIX}TOKEN_STORE") is not None
    )


def store_of(chosen: dict[str, Any]) -> str | None:
    """The argument ``token_store``; None: the environment decides.

    A command ends with its process. In memory, as the SDK keeps it by default, a token would
    serve one call, and each would send the client secret.
    """
    return chosen.get("store") if store_is_chosen(chosen) else DEFAULT_STORE


def settings_of(chosen: dict[str, Any]) -> Settings:
    """Settings from the options, then from the environment.

    Raises:
        ConfigurationError: See ``flex_integration_sdk.config.resolve``.
    """
    from flex_integration_sdk.config import resolve

    return resolve(**arguments_of(chosen))


def arguments_of(chosen: dict[str, Any]) -> dict[str, Any]:
    """The options as arguments of ``resolve`` and ``create_instance``."""
    rest = {name: value for name, value in chosen.items() if name != "store"}
    # Not given is not the same as off: the environment decides.
    return {**rest, "allow_http": chosen["allow_http"] or None, "token_store": store_of(chosen)}


def open_lasting_store(chosen: dict[str, Any], *, may_be_plain: bool = True) -> TokenStore:
    """The chosen token store, unless it is ``memory``, which holds nothing between programs.

    Args:
        chosen: The options of the command.
        may_be_plain: It may be a store that does not encrypt, whatever the settings require: else
            nobody could look at a token that must not be there, remove or encrypt it.

    Raises:
        UsageError: It is ``memory``.
    """
    from flex_tokenstore import open_store

    from ._notices import show_log

    show_log()
    settings = settings_of(chosen)
    remedy = "Choose another with --store NAME or FLEX_INTEGRATION_TOKEN_STORE"
    refuse_memory(names_in(settings.token_store), remedy)
    encrypted = settings.require_encrypted and not may_be_plain
    store = open_store(settings.token_store, settings.identity, require_encrypted=encrypted)
    try:
        refuse_memory(store.layers, remedy)  # what `fallback` has chosen
    except click.UsageError:
        store.close()
        raise
    return store


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
    if not click.confirm(f"{question}?", err=True):
        click.echo("nothing was changed", err=True)
        raise click.exceptions.Exit(1)
