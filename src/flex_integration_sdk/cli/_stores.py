"""``flex-sdk stores``."""

from __future__ import annotations

import dataclasses

import click

from flex_tokenstore import list_stores

from ._output import as_json, table


@click.group()
def stores() -> None:
    """The token stores that are installed."""


@stores.command("list")
@click.option("--json", "json_", is_flag=True, help="For programs.")
@click.option("--check", is_flag=True, help="Import each, and tell whether it works.")
def list_(json_: bool, check: bool) -> None:
    """List the stores, and say what is wrong with those that cannot be used."""
    infos = list_stores(check=check)
    if json_:
        as_json(
            [
                {
                    **dataclasses.asdict(info),
                    "options": None
                    if info.options is None
                    else [option._asdict() for option in info.options],
                }
                for info in infos
            ]
        )
        return
    rows = [
        [info.name, info.origin, f"{info.distribution} {info.version}", info.status, info.reason]
        for info in infos
    ]
    table(["name", "origin", "distribution", "status", "reason"], rows)
