"""Options that name one store and its options, and the config that they make."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ._complete import complete_store, complete_store_option
from ._refused_store import check_name, refuse_secrets
from ._side import Side

if TYPE_CHECKING:
    from flex_tokenstore import TokenStoreError

Command = TypeVar("Command", bound=Callable[..., Any])
STORE_VARIABLE = "FLEX_INTEGRATION_TOKEN_STORE"
_COMMAND = re.compile(r"`flex-sdk token (\w+)`(?: with the option (\w+=\w+))?")


def side_options(flag: str, about: str, default: str = "") -> Callable[[Command], Command]:
    """Adds ``--<flag>``, ``--<flag>-option`` and ``--<flag>-env``.

    The command gets them as arguments for :func:`side_of`.

    Args:
        flag: ``"from"``, ``"to"`` or ``"store"``.
        about: Which store it is, for the help.
        default: Which one it is if none of the options is given, for the help.
    """
    name, options, prefix = _names(flag)
    made = (
        click.option(
            f"--{flag}",
            name,
            metavar="NAME",
            help=f"{about}{default}",
            shell_complete=complete_store(lasting=flag != "store"),
        ),
        click.option(
            f"--{flag}-option",
            options,
            metavar="KEY=VALUE",
            multiple=True,
            shell_complete=complete_store_option(flag),
            help="An option of that store, which is not secret; of a store that it wraps as "
            "inner.KEY=VALUE. Can be given several times.",
        ),
        click.option(
            f"--{flag}-env",
            prefix,
            metavar="PREFIX",
            help=f"In place of --{flag}: the variable PREFIX names the store, and PREFIX__<OPTION> "
            "its options, secret ones too.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(made):
            command = option(command)
        return command

    return decorate


def side_of(flag: str, chosen: dict[str, Any]) -> Side:
    """Takes the options of one store out of the arguments of the command."""
    return Side(flag, *(chosen.pop(name) for name in _names(flag)))


def command_for(side: Side, client: Sequence[str], action: str, option: str = "") -> str:
    """The command of another action on the same token: ``flex-sdk token remove --store …``.

    Args:
        side: What the user said about the store.
        client: The arguments that say whose token it is.
        action: ``"remove"``, say.
        option: One more option of the store, as ``key=value``.
    """
    options, variable = side.options, ""
    if option:
        named = os.environ.get(STORE_VARIABLE, "").strip()
        if side.options or (side.prefix is None and named and named != (side.name or named)):
            options = (*options, option)
        else:
            key, _, value = option.partition("=")
            variable = f"{side.prefix or STORE_VARIABLE}__{key.upper()}={value} "
    arguments = [] if side.name is None else ["--store", side.name]
    for each in options:  # none is secret
        arguments += ["--store-option", each]
    if side.prefix is not None:
        arguments += ["--store-env", side.prefix]
    return variable + shlex.join(["flex-sdk", "token", action, *arguments, *client])


def inner_of(config: Any) -> Side | None:
    """The store that a store config wraps, as options would name it; None: they cannot."""
    inner = _as_mapping(config.get("inner")) if isinstance(config, Mapping) else {}
    if not isinstance(inner.get("name"), str):
        return None
    side = Side("store", inner["name"].strip(), tuple(_flat(inner)), None)
    try:
        with_options(side, side.name)
    except click.UsageError:
        return None  # one of them may be secret
    return side


def _flat(config: Mapping[str, Any], within: str = "") -> Iterator[str]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{within}{key}.")
        elif within or key != "name":
            yield f"{within}{key}={value}"


@contextmanager
def full_commands(command: Callable[[TokenStoreError, str, str], str]) -> Iterator[None]:
    """A block whose errors name commands with all arguments that they need.

    Without them ``flex-sdk token remove`` would remove the token of another store.

    Args:
        command: Given an error, an action and an option as ``key=value`` (""), the command.
    """
    try:
        yield
    except Exception as error:
        from flex_tokenstore import TokenStoreError

        if isinstance(error, TokenStoreError):
            found: TokenStoreError = error
            error.message = _COMMAND.sub(
                lambda match: f"`{command(found, match[1], match[2] or '')}`", error.message
            )
            error.args = (error.message,)
        raise


def _names(flag: str) -> tuple[str, str, str]:
    return f"{flag}_name", f"{flag}_options", f"{flag}_env"


def given_config(side: Side) -> Any:
    """The config that the user gave; None: none.

    Raises:
        UsageError: The options contradict each other, or one is a secret.
    """
    from flex_tokenstore import store_config_from_env
    from flex_tokenstore.embedding import OptionValues

    flag = f"--{side.flag}"
    if side.prefix is not None:
        if side.name is not None or side.options:
            raise click.UsageError(
                f"{flag}-env takes the store and its options from the environment; use it without "
                f"{flag} and {flag}-option"
            )
        prefix = side.prefix.strip()
        config = store_config_from_env(prefix) if prefix else None
        if config is None:
            shown = prefix or "PREFIX"
            meant = f". To name a store: {flag} {shown}" if prefix and prefix.islower() else ""
            raise click.UsageError(
                f"{flag}-env: the variable {shown} is not set. It names the store; {shown}__URL is "
                f"its option url{meant}"
            )
        return config
    if side.name is None:
        if side.options:
            raise click.UsageError(f"{flag}-option needs {flag} NAME, the store that it is of")
        return None
    check_name(side)
    return with_options(side, OptionValues(name=side.name.strip()))


def with_options(side: Side, base: Any) -> Any:
    """A store config with the options of a side, which replace those that it has.

    Args:
        side: What the user gave.
        base: The config: the name of a store, or a mapping.

    Raises:
        UsageError: The options contradict each other, or one is a secret.
    """
    from flex_tokenstore.embedding import OptionValues

    given = OptionValues()
    side = side._replace(name=_as_mapping(base).get("name"))
    for text in side.options:
        _put(side, given, text)
    config, given = OptionValues(_as_mapping(base)), _named(_as_mapping(base), given)
    refuse_secrets(side, given, ())
    return _merged(config, given)


def _as_mapping(config: Any) -> Mapping[str, Any]:
    from flex_tokenstore.embedding import OptionValues

    return config if isinstance(config, Mapping) else OptionValues(name=config)


def _named(base: Mapping[str, Any], given: Any) -> Any:
    """What was given, with the names of the stores that it is of."""
    for key, value in given.items():
        if isinstance(value, Mapping) and key in base:
            given[key] = _named(_as_mapping(base[key]), value)
    if "name" in base:
        given.setdefault("name", base["name"])
    return given


def _merged(base: Any, given: Any) -> Any:
    """Both configs as one. Of another inner store none of the options of the first one count."""
    for key, value in given.items():
        before = _as_mapping(base[key]) if isinstance(value, Mapping) and key in base else None
        if before is not None and before.get("name") == value.get("name"):
            base[key] = _merged(type(base)(before), value)
            continue
        base[key] = value
        base.variables = {name: base.variables[name] for name in base.variables if name != key}
    return base


def _put(side: Side, config: Any, text: str) -> None:
    from flex_tokenstore.embedding import OptionValues

    flag = f"--{side.flag}-option"
    key, equals, value = text.partition("=")
    *parents, last = path = [part.strip().lower() for part in key.split(".")]
    if not equals or not all(path):
        # Not the text itself, which may be a secret.
        raise click.UsageError(f"{flag} takes KEY=VALUE, such as path=/srv/token.json")
    shown = ".".join(path)
    if path == ["name"]:
        raise click.UsageError(f"{flag} name=…: the name is the value of --{side.flag}")
    for parent in parents:
        config = config.setdefault(parent, OptionValues())
        if not isinstance(config, OptionValues):
            raise click.UsageError(
                f"{flag} gives both {parent} and {shown}: "
                + (
                    f"number all stores of the list, {parent}.1=NAME"
                    if last.isdecimal() or any(each.isdecimal() for each in parents)
                    else f"for a store with options, name it by {parent}.name=NAME"
                )
            )
    if last in config:
        raise click.UsageError(f"{flag} gives {shown} twice; give it once")
    config[last] = value.strip()
