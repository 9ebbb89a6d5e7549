"""``--output``: what each format shows, and that a spreadsheet computes nothing of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import click
import pytest

from flex_integration_sdk.cli._app import run
from flex_integration_sdk.cli._output import output_option, show
from flex_integration_sdk.cli._resources import pages_of, records_of
from flex_integration_sdk.sandbox import RunningSandbox, serve

Captured = pytest.CaptureFixture[str]
FORMULAS = [
    "=1+1",
    "+46 70",
    "-1+1",
    "@sum(A1)",
    " =1",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
    "-",
    "+",
]


def as_csv(capsys: Captured, data: Any, **more: Any) -> list[list[str]]:
    show("csv", data, **more)
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(capsys: Captured, text: str) -> None:
    (header, cells) = as_csv(capsys, [{text: text, "list": [text], "deep": {text: text}}])
    for cell in [*header, *cells]:
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))
        assert cell[:1] not in {"\t", "\r", "\n"}
    assert cells[0][0] == "'"
    assert cells[0][1:].strip() == text.strip()


@pytest.mark.parametrize("value", [-5, -1.5, "-5", "+1.5e3", "a=b", "2-1", "it's", "'quoted'"])
def test_other_values_are_as_they_are(capsys: Captured, value: object) -> None:
    assert as_csv(capsys, [{"a": value}]) == [["a"], [str(value)]]


def test_the_columns_are_those_of_all_records(capsys: Captured) -> None:
    records = [
        {"id": 1, "price": {"amount": 5, "currency": "EUR"}, "tags": ["a", "b"], "none": None},
        {"id": 2, "ok": True, "text": 'two\r\nlines, "quoted"', "price": {}},
    ]
    assert as_csv(capsys, records) == [
        ["id", "price.amount", "price.currency", "tags", "none", "ok", "text", "price"],
        ["1", "5", "EUR", '["a", "b"]', "", "", "", ""],
        ["2", "", "", "", "", "true", 'two\nlines, "quoted"', "{}"],
    ]


def test_an_object_that_is_null_somewhere_has_no_column_of_its_own(capsys: Captured) -> None:
    records = [{"id": 1, "price": None}, {"id": 2, "price": {"amount": 5, "of": {"a": 1}}}]
    assert as_csv(capsys, records) == [
        ["id", "price.amount", "price.of.a"],
        ["1", "", ""],
        ["2", "5", "1"],
    ]
    assert as_csv(capsys, [{"id": 1, "price": None}]) == [["id", "price"], ["1", ""]]


def test_a_header_line_is_there_without_records(capsys: Captured) -> None:
    assert as_csv(capsys, [], columns=("id", "status")) == [["id", "status"]]


def test_control_characters_do_not_reach_a_terminal(capsys: Captured) -> None:
    show("csv", [{"a": "\x1b[2Jx\x9b1m\x00\ud800"}])
    assert capsys.readouterr().out == "a\n [2Jx 1m \\ud800\n"
    show("json", {"a": "\x1b[2Jx\x9b1m\x7f"})
    assert capsys.readouterr().out == '{\n  "a": "\\u001b[2Jx\\u009b1m\\u007f"\n}\n'


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "table"),
        (["--json"], "json"),
        (["--output", "csv"], "csv"),
        (["--json", "--output", "json"], "json"),
        (["--json", "--output", "csv"], "contradict"),
        (["--output", "table", "--json"], "contradict"),
        (["--output", "xml"], "'xml'"),
    ],
)
def test_the_format_is_chosen_once(arguments: list[str], expected: str) -> None:
    chosen: list[str] = []

    @click.command()
    @output_option()
    def command(output: str) -> None:
        chosen.append(output)

    try:
        command.main(arguments, standalone_mode=False)
    except click.UsageError as error:
        chosen.append(error.format_message())
    assert expected in chosen[0]


def test_a_command_can_have_another_default() -> None:
    chosen: list[str] = []

    @click.command()
    @output_option("json")
    def command(output: str) -> None:
        chosen.append(output)

    command.main([], standalone_mode=False)
    assert chosen == ["json"]


@pytest.mark.parametrize("command", [["stores", "list"], ["stores", "show", "file"]])
def test_stores_in_each_format(capsys: Captured, command: list[str]) -> None:
    assert run([*command, "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = [each["name"] for each in found] if isinstance(found, list) else [found["name"]]
    assert run([*command, "--output", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["name"] for row in rows] == names
    assert "file" in names
    assert {row["origin"] for row in rows if row["name"] == "file"} == {"built-in"}
    assert run([*command, "--json", "--output", "table"]) == 2


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", sandbox.client_secret)


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with serve() as running:
        yield running


@pytest.mark.usefixtures("client")
def test_a_call_as_csv_has_a_line_for_each_resource(capsys: Captured) -> None:
    query = ["call", "listings.query", "per_page=3", "include=author", "--store", "memory"]
    assert run(query) == 0
    found = json.loads(capsys.readouterr().out)["data"]
    assert run([*query, "--output", "csv"]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["id"], row["type"]) for row in rows] == [(e["id"], e["type"]) for e in found]
    assert [row["title"] for row in rows] == [each["attributes"]["title"] for each in found]
    prices = [str(each["attributes"]["price"]["amount"]) for each in found]
    assert [row["price.amount"] for row in rows] == prices
    assert "page 1 of" in err
    assert {row["relationships.author"][:8] for row in rows} == {"00000002"}


@pytest.mark.usefixtures("client")
def test_what_has_no_rows_is_told_and_has_no_header(capsys: Captured) -> None:
    query = ["call", "users.query", "page=99", "per_page=2", "--store", "memory"]
    assert run([*query, "--output", "table"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no page 99: the last of" in err
    assert run([*query, "--output", "csv"]) == 0
    assert capsys.readouterr().out == "id,type\n"
    none = ["call", "listings.query", "keywords=nonsense-nonsense", "--store", "memory"]
    assert run([*none, "--output", "table"]) == 0
    out, err = capsys.readouterr()
    assert (out, "flex-sdk: nothing was found\n" in err) == ("", True)
    one = ["call", "users.show", "email=nobody@example.com", "--store", "memory"]
    assert run([*one, "--output", "table"]) == 1
    assert "check the id or email address" in capsys.readouterr().err


@pytest.mark.usefixtures("client")
def test_a_call_as_a_table(capsys: Captured) -> None:
    query = ["call", "users.query", "fields.user=email", "per_page=2", "--output", "table"]
    assert run([*query, "--store", "memory"]) == 0
    out = capsys.readouterr().out
    assert "user20@example.com" in out
    assert "relationships" not in out
    assert run(["call", "marketplace.show", "--output", "table", "--store", "memory"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1] == "type         marketplace"
    assert err == ""


@pytest.mark.usefixtures("client")
def test_a_call_that_finds_nothing_has_a_header_line(capsys: Captured) -> None:
    query = ["call", "listings.query", "keywords=nothing-of-that-name", "--store", "memory"]
    assert run([*query, "--output", "csv"]) == 0
    assert capsys.readouterr().out == "id,type\n"


def test_attributes_do_not_hide_the_id() -> None:
    body = {
        "data": {
            "id": "1",
            "type": "event",
            "attributes": {"id": "x", "type": "y", "name": "n"},
            "relationships": {
                "author": {"data": {"id": "2", "type": "user"}},
                "images": {"data": [{"id": "3", "type": "image"}]},
                "stock": {"data": None},
            },
        }
    }
    assert records_of(body) == [
        {
            "id": "1",
            "type": "event",
            "attributes.id": "x",
            "attributes.type": "y",
            "name": "n",
            "relationships.author": "2",
            "relationships.images": ["3"],
            "relationships.stock": None,
        }
    ]
    assert records_of({"data": None}) == []


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (None, None),
        ({}, None),
        ({"page": 1, "totalPages": 1, "totalItems": 5}, None),
        ({"page": 2, "totalPages": 3, "totalItems": 7}, "page 2 of 3, 3 of 7;"),
        ({"page": 2, "totalPages": 3}, "page 2 of 3, 3;"),
        ({"page": 9, "totalPages": 3, "totalItems": 7}, "there is no page 9: the last of 7 is on"),
    ],
)
def test_a_page_of_several_is_told(meta: object, said: str | None) -> None:
    told = pages_of({"meta": meta}, 3)
    assert told is None if said is None else (told or "").startswith(said)


@pytest.mark.usefixtures("client")
def test_findings_of_the_doctor_in_each_format(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", "http://127.0.0.1:9")
    assert run(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert run(["doctor", "--output", "csv"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["id"] for row in rows] == [each["id"] for each in found["findings"]]
    assert {"id", "status", "message", "remedy"} == set(rows[0])
    assert run(["doctor"]) == 1
    shown = capsys.readouterr().out
    # Only a path that is longer than a line has a longer one.
    assert all(len(line) <= 80 or len(line.split()) == 1 for line in shown.splitlines())
    assert "network.reach: " in shown
