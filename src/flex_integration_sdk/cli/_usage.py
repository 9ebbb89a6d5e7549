"""Usage errors in one line: what is wrong with what was typed, and what to type instead.

The texts are our own. click's differ from version to version, and some do not say what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ._meant import other_option, store_option

# The hyphens and dashes of web pages and word processors, which look like the keyboard's own.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
# What an argument is, by command.
_MISSING = {
    "flex-sdk call": "the call, such as listings.query",
    "flex-sdk stores show": "the store's name; `flex-sdk stores list` lists them",
    "flex-sdk stores new": "the name of the new store, such as my-cloud",
}
SUBJECT = "flex-sdk.subject"
"""Key of a context's ``meta``: what the command has a help of its own for."""
_SECRET = re.compile(r"secret|password|passphrase|token|key", re.IGNORECASE)


def usage_text(error: click.UsageError, typed: Sequence[str] = ()) -> str:
    """A usage error as one line: the command, what is wrong, and where its help is.

    Args:
        error: The error.
        typed: The arguments of the whole command.
    """
    path = "flex-sdk" if error.ctx is None else error.ctx.command_path
    text = " ".join((_of_dash(typed) or _said(error, typed)).split())
    if text.endswith("--help`"):
        return f"{path}: {text}"
    end = "" if text.endswith((".", "?", "`")) else "."
    subject = "" if error.ctx is None else error.ctx.meta.get(SUBJECT, "")
    return f"{path}: {text}{end} See `{path}{subject and f' {subject}'} --help`."


def _said(error: click.UsageError, typed: Sequence[str]) -> str:
    if isinstance(error, click.NoSuchOption):
        return _of_unknown_option(error.option_name, error.ctx, typed)
    if isinstance(error, click.BadOptionUsage):
        return _of_value(error.option_name, error.ctx) or error.format_message()
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = _shown(error.param)
        path = error.ctx.command_path if error.ctx else ""
        hint = _MISSING.get(path) or _taken(error.param.type)
        return f"{name} is missing{hint and f': {hint}'}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        name, takes = _shown(error.param), _taken(error.param.type)
        return f"{name} takes {takes}" if takes else f"{name} {error.message}"
    return error.format_message()


def _of_dash(typed: Sequence[str]) -> str:
    """For an option that was copied from a page with typographic dashes."""
    for word in typed:
        if word == "--":
            break
        # Only at the start: within a value a dash may be meant.
        if word.startswith(tuple(_DASHES)) or re.match(rf"-[{_DASHES}]", word):
            name = word.partition("=")[0]
            meant = re.sub(rf"^[-{_DASHES}]+", "--", name)
            return (
                f"{name!r} begins with a dash that is not the keyboard's, as in copied text: type "
                f"{meant}"
            )
    return ""


def curly_quotes_in(text: str) -> bool:
    """Whether it contains a quotation mark of a word processor."""
    return any(quote in text for quote in _QUOTES)


def _of_unknown_option(name: str, ctx: click.Context | None, typed: Sequence[str]) -> str:
    text = f"no option is named {name}"
    if ctx is None:
        return text
    known = _options(ctx.command)
    if hint := getattr(ctx.command, "option_hint", lambda *_: "")(name, ctx):
        return f"{text}. {hint}"
    if option := other_option(name, known):
        return f"{text}. Did you mean {option}?"
    if hint := store_option(name, ctx):
        return f"{text}. {hint}"
    if _SECRET.search(name) and "--client-secret-file" in known:
        stdin = "--client-secret-stdin"
        other = f"use {stdin}" if stdin in known else "set FLEX_INTEGRATION_CLIENT_SECRET"
        return (
            f"{text}: other users can see arguments. Put the client secret into a file and use "
            f"--client-secret-file FILE, or {other}"
        )
    if len(name) == 2:  # one letter, of which we have few
        near = [option for option in known if option.startswith(f"-{name}")]
    else:
        near = difflib.get_close_matches(name.lower(), known, n=1)
    if near:
        return f"{text}. Did you mean {' or '.join(near)}?"
    if isinstance(ctx.command, click.Group):
        return text + _of_order(name, ctx.command, ctx.command_path, typed)
    return text


def _of_order(name: str, group: click.Group, path: str, typed: Sequence[str]) -> str:
    """For an option that was typed before the command that has it."""
    for found, command in _commands(group, ""):
        if name in _options(command) and set(found.split()) <= set(typed):
            return f" before a command; write it after the command: `{path}{found} {name} …`"
    return ""


def _of_value(name: str, ctx: click.Context | None) -> str:
    """For an option whose value is missing, or which has one and takes none."""
    for param in () if ctx is None else ctx.command.params:
        if isinstance(param, click.Option) and name in param.opts:
            if param.is_flag or param.count:
                return f"{name} takes no value"
            takes = _taken(param.type)
            return f"{name} needs a value: {takes or f'{name} {param.metavar}'}"
    return ""


def _shown(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return param.metavar or (param.name or "").upper()


def _taken(kind: Any) -> str:
    """What an option of a kind of click's own takes; "" for our kinds, which say it themselves."""
    if isinstance(kind, click.Choice):
        return "one of " + ", ".join(map(str, kind.choices))
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        number = "a whole number" if isinstance(kind, click.IntRange) else "a number"
        least = f"above {kind.min}" if kind.min_open else f"from {kind.min}"
        if kind.max is None:
            return f"{number} {least}" if kind.min_open else f"{number}, {kind.min} or more"
        return f"{number} {least} to {kind.max}"
    return "a whole number" if kind is click.INT else "a number" if kind is click.FLOAT else ""


def _options(command: click.Command) -> list[str]:
    return [name for param in command.params for name in param.opts if name.startswith("-")]


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command
