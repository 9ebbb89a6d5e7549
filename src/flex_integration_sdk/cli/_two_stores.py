"""The options of a command that has two stores, and the configs that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

import click

from ._shared_options import names_in, refuse_memory

Command = TypeVar("Command", bound=Callable[..., Any])
_SECRET = re.compile(r"pass|secret|token|key", re.IGNORECASE)


class Side(NamedTuple):
    """What the user said about one of the two stores."""

    flag: str
    name: str | None
    options: tuple[str, ...]
    prefix: str | None

    @property
    def is_bare(self) -> bool:
        """Only a name was given, so that options may come from the environment."""
        return self.name is not None and not self.options


def side_options(flag: str, about: str, default: str = "") -> Callable[[Command], Command]:
    """Adds ``--<flag>``, ``--<flag>-option`` and ``--<flag>-env``.

    The command gets them as arguments for :func:`side_of`.

    Args:
        flag: ``"from"`` or ``"to"``.
        about: Which store it is, for the help.
        default: Which one it is if none of the options is given, for the help.
    """
    name, options, prefix = _names(flag)
    made = (
        click.option(f"--{flag}", name, metavar="NAME", help=f"{about}{default}"),
        click.option(
            f"--{flag}-option",
            options,
            metavar="KEY=VALUE",
            multiple=True,
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


def configs_of(source: Side, destination: Side, configured: Any) -> tuple[Any, Any]:
    """The configs of both stores.

    ``FLEX_INTEGRATION_TOKEN_STORE__…`` belong to the store that they are of: to one of the two
    that is given by its name only, never to both.

    Args:
        source: What was said about the first one.
        destination: What was said about the second one.
        configured: The config of the store that the other commands use.

    Raises:
        UsageError: The options contradict each other, or one is a secret.
    """
    first, second = _given(source), _given(destination)
    if second is None:
        raise click.UsageError("say where the token is to go: --to NAME or --to-env PREFIX")
    own_name = configured if isinstance(configured, str) else configured.get("name")
    if first is None or (source.is_bare and first["name"] == own_name):
        first = configured
    elif destination.is_bare and second["name"] == own_name:
        second = configured
    for side, config in ((source, first), (destination, second)):
        _refuse_fleeting(side, config)
    return first, second


def _names(flag: str) -> tuple[str, str, str]:
    return f"{flag}_store", f"{flag}_options", f"{flag}_env"


def _given(side: Side) -> Any:
    """The config that the user gave; None: none."""
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
            raise click.UsageError(
                f"{flag}-env: the variable {prefix or 'PREFIX'} is not set. It names the store; "
                f"{prefix or 'PREFIX'}__URL is its option url"
            )
        return config
    if side.name is None:
        if side.options:
            raise click.UsageError(f"{flag}-option needs {flag} NAME, the store that it is of")
        return None
    if "://" in side.name:
        raise click.UsageError(
            f"{flag} takes the name of a store, not an address. Give the address as an option: "
            f"{flag}-option url=…; one with a password in the environment: see {flag}-env"
        )
    config = OptionValues(name=side.name.strip())
    for text in side.options:
        _put(side, config, text)
    _refuse_secrets(side, config, ())
    return config


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
                f"{flag} gives both {parent} and {shown}: for a store with options, name it by "
                f"{parent}.name=NAME"
            )
    if last in config:
        raise click.UsageError(f"{flag} gives {shown} twice")
    config[last] = value.strip()


def _refuse_secrets(side: Side, config: Mapping[str, Any], within: tuple[str, ...]) -> None:
    """Refuses what other users of the machine could see among the arguments of this program."""
    from flex_tokenstore import describe_store

    known = None
    for key, value in config.items():
        if isinstance(value, Mapping):
            if value.get("name"):
                _refuse_secrets(side, value, (*within, key))
            continue
        if key == "name":
            continue
        if known is None:
            known = {each.name: each for each in describe_store(config["name"]).options or ()}
        secret = key in known and known[key].secret
        if not _is_open(value, secret=secret):
            variable = "__".join(part.upper() for part in (*within, key))
            raise click.UsageError(
                f"--{side.flag}-option {'.'.join((*within, key))}: this may hold a secret, and "
                f"other users can see arguments. Use --{side.flag}-env MY_STORE in place of "
                f"--{side.flag}, with the variables MY_STORE={side.name} and MY_STORE__{variable}"
            )


def _is_open(value: str, *, secret: bool) -> bool:
    """Everybody may see it: an address without a password, or an option that is not secret."""
    if "://" not in value:
        return not secret
    try:
        address = urlsplit(value)
        names = [name for name, _ in parse_qsl(address.query, keep_blank_values=True)]
    except ValueError:
        return False
    if address.password is not None or address.netloc.count("@") > 1:
        return False
    return not any(_SECRET.search(name) for name in names)


def _refuse_fleeting(side: Side, config: Any) -> None:
    refuse_memory(names_in(config), f"Choose another with --{side.flag} NAME")
    if "fallback" in names_in(config):
        raise click.UsageError(
            f"--{side.flag}: the store `fallback` chooses one of several each time it is opened, "
            "and may choose another the next time. Name the one that is meant"
        )
