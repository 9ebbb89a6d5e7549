"""``flex-sdk stores``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ._complete import complete_store
from ._group import Group
from ._new_store import new
from ._output import output_option, plugins_apart, show
from ._progress import waiting_for
from ._tables import graded, print_facts, print_table
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_tokenstore import OptionInfo, StoreInfo


@click.group(cls=Group)
def stores() -> None:
    """The installed token stores, and new ones."""


stores.add_command(new)


@stores.command("list")
@output_option()
@click.option(
    "--check",
    is_flag=True,
    help="Import each store that is not blocked; show its options and abilities.",
)
def list_(output: str, check: bool) -> None:
    """List the installed token stores, including those that cannot be used."""
    from flex_tokenstore import list_stores

    with plugins_apart(), waiting_for("the installed stores to be imported"):
        infos = list_stores(check=check)
    records = [_as_json(info) for info in infos]
    show(output, records, table=lambda: _print_list(infos, check=check), records=_short(records))


def _print_list(infos: Sequence[StoreInfo], *, check: bool) -> None:
    headers = ["store", "status", "from", "about"]
    rows = [_row(info) for info in infos]
    if check:
        headers += ["abilities", "encrypted at rest", "options"]
        for row, info in zip(rows, infos, strict=True):
            row += [_abilities(info), info.encrypted_at_rest, _options(info)]
    print_table(headers, rows)


@stores.command("show")
@click.argument("name", shell_complete=complete_store())
@output_option()
def show_(name: str, output: str) -> None:
    """Show one store: where it is from, its options and its abilities."""
    from flex_tokenstore import describe_store

    with plugins_apart(), waiting_for(f"the store {name} to be imported"):
        info = describe_store(name)
    record = _as_json(info)
    show(output, record, table=lambda: _print_store(info), records=_short([record]))


def _print_store(info: StoreInfo) -> None:
    facts: dict[str, object] = {
        "store": info.name,
        "distribution": f"{info.distribution} {info.version}".strip() or None,
        "origin": info.origin,
        "status": _status(info),
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
    source = f"{info.distribution} {info.version}".strip() if info.origin != "built-in" else None
    return [info.name, _status(info), source or info.origin, info.reason or info.summary]


def _status(info: StoreInfo) -> str:
    good = {"ok": True, "blocked": None}.get(info.status, False)
    return graded(info.status, good)


def _abilities(info: StoreInfo) -> str | None:
    found = {
        "compare-and-set": info.compare_and_set,
        "lock": info.lock,
        "native async": info.native_async,
        "prepares saves": info.prepare_save,
    }
    if all(has is None for has in found.values()):
        return None
    return ", ".join(name for name, has in found.items() if has) or "none"


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


def _short(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For CSV: without the long text, and of the options their names only."""
    short = []
    for record in records:
        options = record["options"] and [option["name"] for option in record["options"]]
        kept = {name: value for name, value in record.items() if name != "doc"}
        short.append({**kept, "options": options})
    return short
