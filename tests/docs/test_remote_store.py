"""The page "A store for a remote service": its excerpts and its tables are what the code says."""

from __future__ import annotations

import re
from dataclasses import fields

from flex_tokenstore import list_stores, records
from flex_tokenstore.records import Kind, Record, RecordStore, RemoteOptions
from tests.docs.test_docs import blocks
from tests.support.environments import ROOT

RecordBase = RecordStore.__mro__[1]
PATH = ROOT / "docs" / "how-to" / "remote-store.md"
PAGE = PATH.read_text(encoding="utf-8")
FILES = {
    path.name: path for folder in ("docs", "tests/docs") for path in (ROOT / folder).rglob("*.py")
}


def rows(section: str, table: int = 0) -> list[list[str]]:
    """The cells of each row of a table of a section."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)[table]
    return [re.split(r" \| ?", line.strip("| ")) for line in found.splitlines()[2:]]


def names(section: str, table: int = 0) -> list[str]:
    return [name for row in rows(section, table) for name in re.findall(r"`([\w-]+)", row[0])]


def test_what_is_quoted_stands_in_the_file() -> None:
    quoted = [block for block in blocks(PATH, "python") if re.match(r"# \S+\.py\n", block)]
    assert len(quoted) == 3
    for block in quoted:
        first, _, text = block.partition("\n")
        assert text in FILES[first.removeprefix("# ")].read_text(encoding="utf-8"), first


def test_the_table_of_options_is_the_class() -> None:
    options = {row[0].strip("`"): row for row in rows("Options of a connection")}
    assert [*options] == [each.name for each in fields(RemoteOptions)]
    for each in fields(RemoteOptions):
        default = {"ca_file": "the system's"}.get(each.name, each.default or "none")
        assert options[each.name][1] == (f"{default:g}" if isinstance(default, float) else default)
        again = len(options[each.name]) > 3 and options[each.name][3] == "yes"
        assert again == each.name.endswith("_file")


def test_each_remote_store_is_in_the_second_table() -> None:
    takers = {
        info.name
        for info in list_stores(check=True)
        if info.options and {"timeout", "ca_file"} <= {option.name for option in info.options}
    }
    assert takers <= {*names("Options of a connection", 1)}


def test_the_other_tables_are_whole() -> None:
    documented = RecordBase.__doc__ or ""
    primitives = {*names("Primitives"), *names("Primitives", 1), "send", "abandon"}
    sync = records.RecordStore.__doc__ or ""
    assert {*re.findall(r"^        (\w+)\(", documented + sync, re.MULTILINE)} <= primitives
    assert [row[0].strip("`") for row in rows("A record")] == [*Record._fields]
    assert {row[0].strip("`") for row in rows("Errors")} == {kind.name for kind in Kind}
    attributes = {name for name in RecordBase.__annotations__ if name in vars(RecordBase)}
    assert {*names("Primitives", 2)} == attributes
