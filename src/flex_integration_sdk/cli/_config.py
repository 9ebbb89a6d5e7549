"""``flex-sdk config``: where each setting comes from, and what a config file may have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._given_store import given_config, side_of, with_options
from ._group import Group
from ._notices import tell
from ._output import output_option, plugins_apart, print_json
from ._output import show as show_data
from ._shared_options import DEFAULT_STORE, store_options
from ._tables import Shown, clean, print_facts, print_table
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_integration_sdk._settings.explaining import SettingInfo

WINDOWS = os.name == "nt"
_COLUMNS: tuple[str, ...] = ("setting", "value", "origin", "problem")


@click.group(cls=Group)
def config() -> None:
    """The settings: where each value comes from, and what config.toml may have."""


@config.command(short_help="Show each setting, and where it comes from.")
@store_options
@output_option()
def show(output: str, **chosen: Any) -> None:
    """Show each setting, and where it comes from; no secret is shown.

    An option wins over a variable, a variable over the config file. It also looks at the other
    profiles of the config file, and says what is wrong with them.

    Exit codes: 0 nothing is wrong, 2 a setting has a problem.
    """
    with plugins_apart():
        rows, notes = _explained(chosen)
    if WINDOWS:
        notes.append("on Windows nobody looks at who may read or change the config file")
    records = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    fine = not any(row.problem for row in rows)
    data = {"settings": records, "notes": notes, "ok": fine}
    if output == "csv":
        for note in notes:
            tell(note)
    show_data(output, data, table=lambda: _print(rows, notes), records=records, columns=_COLUMNS)
    if not fine:
        raise click.exceptions.Exit(2)


def _explained(chosen: dict[str, Any]) -> tuple[list[SettingInfo], list[str]]:
    from flex_integration_sdk.config import explain

    side = side_of("store", chosen)
    # Options without a name are of the store that is configured.
    of_configured = bool(side.options) and side.name is None and side.prefix is None
    store = side.name if side.is_bare else None if of_configured else given_config(side)
    rows, notes = explain(
        default_store=DEFAULT_STORE,
        strict=True,
        others=True,
        with_options=(lambda base: with_options(side, base)) if of_configured else None,
        **{**chosen, "allow_http": chosen["allow_http"] or None, "token_store": store},
    )
    rows = [row._replace(problem=in_cli_words(row.problem)) for row in rows]
    return rows, [in_cli_words(note) for note in notes]


def _print(rows: list[SettingInfo], notes: list[str]) -> None:
    file, *others = rows
    click.echo(f"config file: {clean(file.value)} ({file.origin})\n")
    name = Path(file.value).name
    cells = [
        # The path once: with it in each line, no table would fit the terminal.
        [row.name, row.value or None, row.origin.replace(f"{file.value}, ", f"{name}, ")]
        for row in others
        if row.value or row.origin or not row.problem
    ]
    print_table(_COLUMNS[:3], cells)
    for row in rows:
        if row.problem:
            click.echo()
            print_facts({row.name: Shown(row.problem, "red")})
    for note in notes:
        click.echo()
        print_facts({"note": note})


@config.command(short_help="Print where the config file is.")
@click.option(
    "--config",
    "given",
    metavar="FILE",
    type=click.Path(),
    help="Config file. Default: FLEX_INTEGRATION_CONFIG, else the one of this user.",
)
def path(given: str | None) -> None:
    """Print where the config file is, or would be; `flex-sdk init` writes it."""
    from flex_integration_sdk.config import config_path

    found, origin = config_path(given)
    if found is None and origin == "default":
        raise click.ClickException(
            "this user has no home folder, and so no config file in it: name one with --config "
            "FILE or FLEX_INTEGRATION_CONFIG"
        )
    if found is None:
        tell(f"no config file is read, as {os.devnull} says ({origin})")
    elif not found.exists():
        tell(f"there is no file {found} yet; `flex-sdk init` writes it")
    click.echo(os.devnull if found is None else found)


@config.command(short_help="Print a JSON schema of config.toml.")
def schema() -> None:
    """Print a JSON schema of config.toml, with the options of the installed token stores.

    Editors complete and check config.toml with it: save it beside the file, and write `#:schema
    ./config.schema.json` into its first line.
    """
    from flex_integration_sdk._settings.json_schema import schema_of
    from flex_tokenstore import list_stores

    with plugins_apart():
        stores = list_stores(check=True)
    usable = [store for store in stores if store.status == "ok" and store.options is not None]
    for store in stores:
        if store not in usable:
            tell(f"the token store {store.name} is not in the schema: {store.reason}")
    print_json(schema_of(usable))
