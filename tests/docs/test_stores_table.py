"""The README's table of token stores says what the installed stores can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flex_tokenstore import StoreInfo, list_stores
from tests.docs.test_docs import ROOT

HEADER = "| store | where the token is | lock | compare-and-set | prepare_save | async | hosts |"
ON_ONE_HOST = {"memory", "file", "SQLite"}
"""Of the stores and the databases, those that a second host cannot reach. No class says so."""

Row = list[str]


@pytest.fixture(scope="module")
def stores() -> dict[str, StoreInfo]:
    """Our own: a plugin of somebody else may be installed beside them."""
    return {info.name: info for info in list_stores(check=True) if is_ours(info)}


def is_ours(info: StoreInfo) -> bool:
    return info.origin == "built-in" or (ROOT / "plugins" / info.distribution).is_dir()


def rows_of(readme: str) -> list[Row]:
    """The cells of each row of the table, without its header."""
    lines = readme.partition(HEADER)[2].splitlines()[2:]
    end = next(number for number, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:end]]


def store_of(row: Row) -> str:
    name = re.search(r"`([\w-]+)`", row[0])
    assert name, f"no store is named in {row[0]!r}"
    return name[1]


def expected(row: Row, info: StoreInfo) -> Row:
    """The row as the installed store has it."""
    page = f"plugins/{info.distribution}/README.md"
    name = f"`{info.name}`" if info.origin == "built-in" else f"[`{info.name}`]({page})"
    if info.lock is None and info.status == "ok":  # a wrapper
        return [name, row[1], *["inner"] * 5]
    abilities = [info.lock, info.compare_and_set, info.prepare_save, info.native_async]
    # Without both of them two hosts can overwrite each other's token.
    hosts = info.lock and info.compare_and_set and not {info.name, row[1]} & ON_ONE_HOST
    return [name, row[1], *("yes" if each else "no" for each in (*abilities, hosts))]


def problems(readme: str, stores: dict[str, StoreInfo]) -> list[str]:
    """Each row that is wrong, as it must be, and each store that has no row."""
    rows = rows_of(readme)
    named = {store_of(row) for row in rows}
    unknown = [f"no installed store is named {name!r}" for name in sorted(named - {*stores})]
    missing = [f"the store {name!r} has no row" for name in sorted({*stores} - named)]
    right = [(row, expected(row, stores[store_of(row)])) for row in rows if store_of(row) in stores]
    wrong = [f"should be: | {' | '.join(good)} |" for row, good in right if row != good]
    return [*unknown, *missing, *wrong]


def readme_text() -> str:
    return Path(ROOT, "README.md").read_text(encoding="utf-8")


def test_the_table_says_what_the_stores_can_do(stores: dict[str, StoreInfo]) -> None:
    found = problems(readme_text(), stores)
    assert not found, "README.md, table of stores:\n" + "\n".join(found)


def test_a_wrong_row_and_a_missing_row_are_noticed(stores: dict[str, StoreInfo]) -> None:
    lines = readme_text().splitlines(keepends=True)
    (memory,) = [line for line in lines if line.startswith("| `memory` |")]
    (file,) = [line for line in lines if line.startswith("| `file` |")]
    changed = readme_text().replace(memory, "").replace(file, file.replace("yes", "no", 1))
    assert problems(changed, stores) == ["the store 'memory' has no row", f"should be: {file}"[:-1]]
    assert problems(readme_text().replace("`file` |", "`flie` |"), stores) == [
        "no installed store is named 'flie'",
        "the store 'file' has no row",
    ]
