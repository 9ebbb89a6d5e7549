"""``flex-sdk export`` and ``flex-sdk call --all``."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flex_integration_sdk.cli._app import flex_sdk
from flex_integration_sdk.sandbox import RunningSandbox, serve


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def run(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", running.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", running.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", running.client_secret)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "memory")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(flex_sdk, arguments)

    return call


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("kind", "count", "type_"),
    [
        ("listings", 250, "listing"),
        ("users", 20, "user"),
        ("transactions", 25, "transaction"),
        ("messages", 21, "message"),
        ("bookings", 17, "booking"),
        ("reviews", 6, "review"),
        ("marketplace", 1, "marketplace"),
    ],
)
def test_each_kind(run: Any, tmp_path: Path, kind: str, count: int, type_: str) -> None:
    target = tmp_path / "out.jsonl"
    done = run("export", kind, "--to", str(target))
    assert done.exit_code == 0, done.output
    rows = lines(target)
    assert {row["type"] for row in rows} == {type_}
    assert len({row["id"] for row in rows}) == len(rows) == count
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert f"{count} {kind} in {target}" in done.stderr
    if kind in ("messages", "bookings", "reviews"):
        assert all(row["relationships"]["transaction"]["data"]["id"] for row in rows)


def test_events_are_in_their_order(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "events.jsonl"
    assert run("export", "events", "--to", str(target)).exit_code == 0
    numbers = [row["attributes"]["sequenceId"] for row in lines(target)]
    assert numbers == sorted(set(numbers))
    assert numbers


def test_what_include_names_is_in_place(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    told = run("export", "listings", "states=closed", "include=author", "--to", str(target))
    assert told.exit_code == 0, told.output
    rows = lines(target)
    assert {row["attributes"]["state"] for row in rows} == {"closed"}
    authors = [row["relationships"]["author"]["data"] for row in rows]
    assert all(author["attributes"]["email"].endswith("@example.com") for author in authors)


def test_csv(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    assert run("export", "listings", "--to", str(target)).exit_code == 0
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 250
    assert rows[0]["type"] == "listing"
    assert rows[0]["price.amount"] == "1010"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_only_the_user_may_read_it_unless_others_could(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    run("export", "users", "--to", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.chmod(0o640)
    run("export", "users", "--to", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["listings", "--to", "out.txt"], "--to must end in .jsonl or .csv"),
        (["listings", "--to", "no/folder/out.csv"], "there is no folder"),
        (["listings", "page=2", "--to", "out.csv"], "an export has all pages"),
        (["listing", "--to", "out.csv"], "listings"),
        (["listings", "sates=closed", "--to", "out.csv"], "Did you mean states?"),
    ],
)
def test_wrong_use_leaves_no_file(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("export", *arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert not list(tmp_path.iterdir())


def test_a_failed_export_keeps_the_older_file(
    run: Any, running: RunningSandbox, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("older\n", encoding="utf-8")
    running.fault("status", target="api", status=403)
    done = run("export", "listings", "--to", str(target))
    assert done.exit_code != 0
    assert target.read_text(encoding="utf-8") == "older\n"
    assert run("export", "listings", "--to", str(target)).exit_code == 0
    assert len(lines(target)) == 250


def test_all_pages_of_a_call(run: Any) -> None:
    done = run("call", "listings.query", "per_page=40", "--all")
    assert done.exit_code == 0, done.output
    assert len({json.loads(line)["id"] for line in done.stdout.splitlines()}) == 250
    table = run("call", "users.query", "per_page=7", "--all", "--output", "csv")
    assert len(table.stdout.splitlines()) == 21
    assert run("call", "users.show", "--all").exit_code == 2
    assert run("call", "users.query", "page=2", "--all").exit_code == 2
