"""``flex-sdk stores``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ._group import Group
from ._new_store import new
from ._output import plugins_apart, print_facts, print_json, print_table
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_tokenstore import OptionInfo, StoreInfo


@click.group(cls=Group)
def stores() -> None:
    """The installed token stores, and new ones."""


stores.add_command(new)


@stores.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option(
    "--check",
    is_flag=True,
    help="Import each store that is not blocked; show its options and abilities.",
)
def list_(as_json: bool, check: bool) -> None:
    """List the installed token stores, including those that cannot be used."""
    from flex_tokenstore import list_stores

    with plugins_apart():
        infos = list_stores(check=check)
    if as_json:
        print_json([_as_json(info) for info in infos])
        return
    headers = ["store", "from", "version", "origin", "status", "about"]
    rows: list[list[Any]] = [_row(info) for info in infos]
    if check:
        headers += ["compare-and-set", "lock", "native async", "prepares saves"]
        headers += ["encrypted at rest", "options"]
        for row, info in zip(rows, infos, strict=True):
            abilities = [info.compare_and_set, info.lock, info.native_async, info.prepare_save]
            row += [*abilities, info.encrypted_at_rest, _options(info)]
    print_table(headers, rows)


@stores.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def show(name: str, as_json: bool) -> None:
    """Show one store: where it is from, its options and its abilities."""
    from flex_tokenstore import describe_store

    with plugins_apart():
        info = describe_store(name)
    if as_json:
        print_json(_as_json(info))
        return
    facts: dict[str, object] = {
        "store": info.name,
        "distribution": f"{info.distribution} {info.version}".strip() or None,
        "origin": info.origin,
        "status": info.status,
    }
    if info.reason:
        facts |= {"note" if info.status == "ok" else "reason": info.reason}
    if info.status == "ok":
        facts |= {
            "about": info.summary,
            "compare-and-set": info.compare_and_set,
            "lock": info.lock,
            "native async": info.native_async,
            "prepares saves": info.prepare_save,
            "encrypted at rest": info.encrypted_at_rest,
        }
    print_facts(facts)
    if info.options:
        click.echo()
        headers = ["option", "type", "default", "about"]
        print_table(headers, [_option(option) for option in info.options])


def _option(option: OptionInfo) -> list[Any]:
    default = "(required)" if option.required else option.default
    return [option.name, option.type, default, in_cli_words(option.doc)]


def _row(info: StoreInfo) -> list[Any]:
    about = info.reason or info.summary
    return [
        *(info.name, info.distribution or None, info.version or None),
        *(info.origin, info.status, about),
    ]


def _options(info: StoreInfo) -> str | None:
    if info.options is None:
        return None
    return ", ".join(
        f"{option.name} (required)" if option.required else option.name for option in info.options
    )


def _as_json(info: StoreInfo) -> dict[str, Any]:
    found = asdict(info)
    if info.options is not None:
        found["options"] = [option._asdict() for option in info.options]
    return found
