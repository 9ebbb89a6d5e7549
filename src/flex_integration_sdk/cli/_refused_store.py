"""What the options of a store must not be: another thing than a name, or a secret."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

import click

from flex_integration_sdk._settings.redacting import is_open_address

if TYPE_CHECKING:
    from ._side import Side


def check_name(side: Side) -> None:
    """Refuses what is not the name of a store, and says where it belongs.

    Raises:
        UsageError: It is an address, a path or an option.
    """
    flag, name = f"--{side.flag}", side.name or ""
    if "://" in name:
        raise click.UsageError(
            f"{flag} takes the name of a store, not an address. Give the address as an option: "
            f"{flag}-option url=…"
            + (f"; one with a password in the environment: see {flag}-env" if side.has_env else "")
        )
    if "=" in name:
        raise click.UsageError(
            f"{flag} takes the name of a store; an option of a store is {flag}-option KEY=VALUE"
        )
    if re.search(r"[/\\]|\.json$", name):
        raise click.UsageError(
            f"{flag} takes the name of a store, not a path; for a file: {flag} file {flag}-option "
            f"path={name}"
        )


def refuse_secrets(side: Side, config: Mapping[str, Any], within: tuple[str, ...]) -> None:
    """Refuses what other users of the machine could see among the arguments of this program.

    Args:
        side: What the user said about the store.
        config: The config that it makes.
        within: The keys of the stores that wrap it.

    Raises:
        UsageError: An option may hold a secret.
    """
    from flex_tokenstore import describe_store

    known = None
    for key, value in config.items():
        if isinstance(value, Mapping):
            if value.get("name"):
                refuse_secrets(side, value, (*within, key))
            continue
        if key == "name":
            continue
        if known is None:
            known = {each.name: each for each in describe_store(config["name"]).options or ()}
        secret = key in known and known[key].secret
        if not _is_open(value, secret=secret):
            _check_scheme(side, config["name"], key, value)
            raise click.UsageError(
                f"--{side.flag}-option {'.'.join((*within, key))}: this may hold a secret, and "
                f"other users can see arguments. {_instead(side, (*within, key), known)}"
            )


def _instead(side: Side, path: tuple[str, ...], known: Container[str]) -> str:
    """What the user can do with a secret option."""
    if side.has_env:
        variable = "__".join(part.upper() for part in path)
        return (
            f"Use --{side.flag}-env MY_STORE in place of --{side.flag}, with the variables "
            f"MY_STORE={side.name} and MY_STORE__{variable}"
        )
    *within, key = path
    is_address = key in ("url", "address")
    file = "password_file" if is_address else f"{key}_file"
    if file not in known:
        return "Omit it, and write it into the config file afterwards"
    without = f"{'.'.join(path)} without the password and " if is_address else ""
    return (
        f"Put it into a file that only you can read, and use {without}"
        f"--{side.flag}-option {'.'.join((*within, file))}=FILE"
    )


def _check_scheme(side: Side, store: str, key: str, value: str) -> None:
    """Says what is missing in ``url=host:6379``, which is refused as a secret may be."""
    if key == "url" and re.fullmatch(r"[\w.-]+(:\d+)?(/\d*)?", value):
        raise click.UsageError(
            f"--{side.flag}-option url: an address begins with its scheme, such as {store}://"
        )


def _is_open(value: str, *, secret: bool) -> bool:
    """Everybody may see it: an address without a password, or an option that is not secret."""
    return is_open_address(value) if "://" in value else not secret
