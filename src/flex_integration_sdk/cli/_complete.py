"""What a shell offers at a tab for the values of options: stores, their options, profiles.

Nothing is opened and nothing is sent. What goes wrong is not shown: see ``main``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from ._output import plugins_apart

if TYPE_CHECKING:
    import click

    from flex_tokenstore import OptionInfo

Completer = Callable[["click.Context", "click.Parameter", str], list[CompletionItem]]
# Of wrappers: their options hold other stores.
_INNER = {"inner": "inner", "stores": "stores.1"}
_NEEDS_NO_QUOTES = re.compile(r"[\w.,@%+=:~/-]+")
_NOT_LASTING = ("memory", "fallback")


def complete_store(*, lasting: bool = False) -> Completer:
    """Completes the names of installed stores; those that are blocked are not offered.

    Args:
        lasting: Only those that keep a token between programs, each in one location.
    """

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = _stores(_NOT_LASTING if lasting else ())
        return [item for item in found if item.value.startswith(incomplete)]

    return complete


def complete_store_option(flag: str) -> Completer:
    """Completes ``KEY=`` for the options of the store that was chosen, and some values.

    Args:
        flag: Which store: ``"store"``, ``"from"`` or ``"to"``, as in ``--<flag>-option``.
    """

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        given = ctx.params.get(f"{flag}_options") or ()
        *parents, last = incomplete.partition("=")[0].split(".")
        name = _named(ctx, flag)
        for depth in range(len(parents)):
            name = _inner(parents[: depth + 1], given)
        if not name:
            return []
        before = "".join(f"{parent}." for parent in parents)
        options = list(_options(name, is_inner=bool(parents)))
        if "=" in incomplete:
            values = _values(last, options)
            found = [CompletionItem(f"{before}{last}={value}") for value in values]
        else:
            found = [CompletionItem(f"{before}{key}=", help=doc) for key, _, doc in options]
        return [item for item in found if item.value.startswith(incomplete)]

    return complete


def complete_profile(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes the names of the profiles in the config file."""
    from flex_integration_sdk.config import profile_names

    found = profile_names(ctx.params.get("config"))
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def complete_path(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes the path of a file that is an option's whole value."""
    return complete_file(incomplete, "")


def complete_file(typed: str, before: str) -> list[CompletionItem]:
    """Completes the path of a file; a folder ends with a slash.

    Names that a shell would need quotes for are not offered: each shell quotes otherwise.

    Args:
        typed: What was typed of the path.
        before: What is before it in the word, such as ``image=@``.
    """
    folder, slash, start = typed.rpartition("/")
    try:
        entries = sorted(os.scandir(Path(folder + slash or ".").expanduser()), key=_name)
    except (OSError, ValueError, RuntimeError):  # it is not there; a user without a home
        return []
    found = [
        f"{before}{folder}{slash}{each.name}{'/' * each.is_dir()}"
        for each in entries
        if each.name.startswith(start) and (start or not each.name.startswith("."))
    ]
    return [CompletionItem(path) for path in found if _NEEDS_NO_QUOTES.fullmatch(path)]


def complete_names(closed_set: str, typed: str, key: str, *, several: bool) -> list[CompletionItem]:
    """Completes a name of a closed set, such as a state, or the last one of several.

    Args:
        closed_set: Name of the set; empty: there is none.
        typed: What was typed of the value.
        key: The parameter, which is before it in the word.
        several: Commas separate several names.
    """
    if not closed_set:
        return []
    from typing import get_args

    from flex_integration_sdk import names

    before, comma, start = typed.rpartition(",") if several else ("", "", typed)
    taken = before.split(",")
    return [
        CompletionItem(f"{key}={before}{comma}{name}")
        for name in get_args(getattr(names, closed_set))
        if name.startswith(start) and name not in taken
    ]


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _stores(without: Sequence[str] = ()) -> list[CompletionItem]:
    from flex_tokenstore import list_stores

    with plugins_apart():
        found = [each for each in list_stores() if each.status == "ok"]
    return [
        CompletionItem(each.name, help=each.summary) for each in found if each.name not in without
    ]


def _named(ctx: click.Context, flag: str) -> str:
    """The name of the store that was chosen by an option, the environment or the config file."""
    given = ctx.params.get(f"{flag}_name")
    if given:
        return str(given).strip()
    if prefix := ctx.params.get(f"{flag}_env"):
        return os.environ.get(str(prefix).strip(), "").strip()
    if flag == "to":
        return ""
    from flex_integration_sdk.config import explain

    profile, config = ctx.params.get("profile"), ctx.params.get("config")
    with plugins_apart():
        settings, _ = explain(profile=profile, config=config, default_store="file")
    return next(each.value for each in settings if each.name == "token_store")


def _inner(path: Sequence[str], given: Iterable[str]) -> str:
    """The name of a store within another one, as options gave it: ``inner=file``."""
    keys = (".".join(path), ".".join([*path, "name"]))
    pairs = (text.partition("=") for text in given)
    return next((value.strip() for key, _, value in pairs if key.strip().lower() in keys), "")


def _options(name: str, *, is_inner: bool) -> Iterator[tuple[str, OptionInfo | None, str]]:
    """Of each option that may be typed: its key, what is known of it, and what it means."""
    from flex_tokenstore import describe_store

    with plugins_apart():
        options = describe_store(name).options or ()
    if is_inner:
        yield "name", None, "the store"
    for option in options:
        # A secret one is refused among arguments; an address is not, if it has no password.
        if option.secret and "://" not in option.doc:
            continue
        if option.name in _INNER:
            yield _INNER[option.name], None, option.doc
        elif option.type != "Any":  # an object of the program's
            yield option.name, option, option.doc


def _values(key: str, options: Iterable[tuple[str, OptionInfo | None, Any]]) -> Iterable[str]:
    if key in ("name", *_INNER) or key.isdecimal():
        return [item.value for item in _stores()]
    kind = next((option.type for name, option, _ in options if option and name == key), "")
    return ("true", "false") if kind.startswith("bool") else re.findall(r"'([^']*)'", kind)
