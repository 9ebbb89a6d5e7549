"""What was probably meant by words that other programs have, and this one does not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import click

# By what was typed: what follows the group's own name; a whole command is between backquotes.
_COMMANDS = {
    "auth": ["init"],
    "cat": ["show"],
    "check": ["doctor"],
    "clear": ["remove"],
    "completions": ["completion"],
    "configure": ["init"],
    "copy": ["move"],
    "create": ["new", "init"],
    "delete": ["remove"],
    "diagnose": ["doctor"],
    "edit": ["`flex-sdk init`", "`flex-sdk config path`"],
    "get": ["show"],
    "help": ["--help"],
    "login": ["init"],
    "logout": ["token revoke"],
    "ls": ["list"],
    "profile": ["config show"],
    "profiles": ["config show"],
    "renew": ["refresh"],
    "rm": ["remove"],
    "server": ["sandbox"],
    "set": ["`flex-sdk init`", "`flex-sdk config path`"],
    "setup": ["init"],
    "signin": ["init"],
    "signout": ["token revoke"],
    "status": ["doctor"],
    "version": ["--version"],
    "whoami": ["token show"],
}
# By the name of an option, without its dashes.
_OPTIONS = {
    "format": "--output",
    "host": "--base-url",
    "server": "--base-url",
    "token-store": "--store",
    "debug": "--verbose",
    "v": "--verbose",
    "o": "--output",
    "f": "--output",
    "y": "--yes",
    "no-input": "--yes",
}
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,40}")


def other_command(word: str, commands: Collection[str]) -> list[str]:
    """The commands, of a group with these ones, that are called otherwise here."""
    return [
        each
        for each in _COMMANDS.get(word.lower(), ())
        if each.startswith(("-", "`")) or each.split()[0] in commands
    ]


def other_option(name: str, known: Collection[str]) -> str:
    """The option that another program calls ``name``; "" if the command does not have it."""
    found = _OPTIONS.get(name.lower().lstrip("-"), "")
    return found if found in known else ""


def of_word(word: str, ctx: click.Context) -> str:
    """The option that was meant by an argument without dashes; "": none is near."""
    known = {name for param in ctx.command.params for name in param.opts}
    if f"--{word}" in known:
        return f"--{word}"
    if not _NAME.fullmatch(word):
        return ""
    if "--profile" in known and (ctx.command.name == "init" or word in _profiles(ctx)):
        return f"--profile {word}"
    return f"--store {word}" if "--store" in known and word in _stores() else ""


def store_option(name: str, ctx: click.Context) -> str:
    """How an option of a token store is typed; "": none is called so.

    Args:
        name: What was typed: ``--redis-url`` or ``--url``.
        ctx: The command's context.
    """
    known = {each for param in ctx.command.params for each in param.opts}
    if "--store-option" not in known:
        return ""
    if name == "--url":
        return "The server is --base-url URL, the address of a token store --store-option url=URL"
    for store, key, is_secret in _store_options(name):
        prefix = f"--store {store} " if store else ""
        if not is_secret:
            return f"An option of a token store is typed so: `{prefix}--store-option {key}=…`"
        if store:  # without its name it may be the client secret
            return "Other users can see arguments: set FLEX_INTEGRATION_TOKEN_STORE__" + key.upper()
    return ""


def _store_options(name: str) -> Iterator[tuple[str, str, bool]]:
    """The name of a store ("": of several), its option, and whether that may be secret."""
    from flex_tokenstore import describe_store

    from ._output import plugins_apart

    word = name.lstrip("-").replace("_", "-").lower()
    for store in _stores():
        rest = word.removeprefix(f"{store}-")
        key = rest.replace("-", "_")
        with plugins_apart():
            options = describe_store(store).options or ()
        for option in options:
            if option.name == key:
                yield store if rest != word else "", key, option.secret and "://" not in option.doc


def _stores() -> list[str]:
    from flex_tokenstore import list_stores

    from ._output import plugins_apart

    with plugins_apart():
        return [each.name for each in list_stores() if each.status == "ok"]


def _profiles(ctx: click.Context) -> Collection[str]:
    from flex_integration_sdk.config import profile_names
    from flex_integration_sdk.errors import ConfigurationError

    try:
        return profile_names(ctx.params.get("config"))
    except (ConfigurationError, OSError):
        return ()  # this is a hint only
