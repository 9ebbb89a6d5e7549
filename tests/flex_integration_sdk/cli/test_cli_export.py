"""``flex-sdk export`` and ``flex-sdk call --all``."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from flex_integration_sdk.cli._app import flex_sdk
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from tests.support.terminal import on_terminal


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


def test_a_link_stays_and_its_file_is_replaced(run: Any, tmp_path: Path) -> None:
    real = tmp_path / "real" / "data.jsonl"
    real.parent.mkdir()
    real.write_text("older\n", encoding="utf-8")
    link = tmp_path / "link.jsonl"
    link.symlink_to(real)
    assert run("export", "users", "--to", str(link)).exit_code == 0
    assert link.is_symlink()
    assert len(lines(real)) == 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
def test_what_is_no_file_is_refused(run: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.jsonl")
    done = run("export", "users", "--to", str(tmp_path / "out.jsonl"))
    assert done.exit_code == 2
    assert "is not a regular file" in done.output
    os.mkfifo(tmp_path / "users.jsonl.part")
    done = run("export", "users", "--to", str(tmp_path / "users.jsonl"))
    assert done.exit_code == 1
    assert "users.jsonl.part is not a regular file" in str(done.exception)


@pytest.mark.parametrize(
    "state",
    ["", "{", "[]", '{"version": 1}', '{"version": 1, "of": "x", "size": -1}', '{"version": 9}'],
)
def test_a_damaged_state_starts_again(run: Any, tmp_path: Path, state: str) -> None:
    target = tmp_path / "out.jsonl"
    (tmp_path / "out.jsonl.part.json").write_text(state, encoding="utf-8")
    (tmp_path / "out.jsonl.part").write_text("rubbish\n", encoding="utf-8")
    done = run("export", "users", "--to", str(target))
    assert done.exit_code == 0, done.output
    assert "starts again" in done.stderr
    assert len(lines(target)) == 20


@pytest.mark.parametrize("kind", ["users", "marketplace", "listings"])
def test_a_whole_part_is_only_put_in_place(
    run: Any, running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """As after a kill, or on a full disk, between the last row and the finished file."""
    target = tmp_path / "out.csv"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("flex_integration_sdk.cli._export_csv.make_csv", full)
    done = run("export", kind, "--to", str(target))
    assert isinstance(done.exception, OSError)
    assert done.exception.filename == f"{target}.new"
    monkeypatch.undo()
    for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"FLEX_INTEGRATION_{name}", getattr(running, name.lower()))
    before = running.stats()["api_calls"]
    assert run("export", kind, "--to", str(target)).exit_code == 0
    assert running.stats()["api_calls"] == before
    with target.open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert len(ids) == len(set(ids)) == {"users": 20, "marketplace": 1, "listings": 250}[kind]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_what_can_never_be_whole_leaves_nothing(run: Any, tmp_path: Path) -> None:
    with serve(SandboxSettings(page_wall=100)) as small:
        address = ["--base-url", small.base_url]
        secret = tmp_path / "secret"
        secret.write_text(small.client_secret, encoding="utf-8")
        done = run(
            "export",
            "listings",
            "sort=price",
            "--to",
            str(tmp_path / "out.jsonl"),
            "--client-secret-file",
            str(secret),
            *address,
        )
    assert done.exit_code == 1
    assert "omit sort" in str(done.exception)
    assert "the same command" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_link_that_leads_nowhere_is_refused(run: Any, tmp_path: Path) -> None:
    loop = tmp_path / "loop.jsonl"
    loop.symlink_to(loop)
    done = run("export", "users", "--to", str(loop))
    assert done.exit_code == 1
    assert "leads back to itself" in str(done.exception)


def test_an_old_part_is_not_used_however_often_it_was_gone_on_with(
    run: Any, running: RunningSandbox, tmp_path: Path
) -> None:
    target, state = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part.json"
    running.fault("status", target="api", status=403, after=2, count=1)
    assert run("export", "listings", "--to", str(target)).exit_code == 1
    running.fault("status", target="api", status=403)
    assert run("export", "listings", "--to", str(target)).exit_code == 1
    said = json.loads(state.read_text(encoding="utf-8"))
    assert said["rows"] >= 100
    state.write_text(json.dumps(said | {"begun": said["begun"] - 13 * 3600}), encoding="utf-8")
    done = run("export", "listings", "--to", str(target))
    assert done.exit_code == 0
    assert "over 12 hours ago: starts again" in done.stderr


def test_the_next_run_may_begin_while_one_is_put_in_place(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: the end of one run removed what the next one had just begun."""
    target = tmp_path / "out.jsonl"
    replace = Path.replace

    def slowly(path: Path, to: Path) -> Path:
        made = replace(path, to)
        if to == target:
            for name in ("out.jsonl.part", "out.jsonl.part.json"):
                (tmp_path / name).write_text("of the next run", encoding="utf-8")
        return made

    monkeypatch.setattr(Path, "replace", slowly)
    assert run("export", "users", "--to", str(target)).exit_code == 0
    assert (tmp_path / "out.jsonl.part").read_text(encoding="utf-8") == "of the next run"
    assert (tmp_path / "out.jsonl.part.json").read_text(encoding="utf-8") == "of the next run"


@pytest.mark.slow
def test_it_outwaits_a_token_endpoint_that_fails(
    run: Any, running: RunningSandbox, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    running.fault("status", target="token", status=429, headers={"Retry-After": "0"})
    done = run("export", "users", "--to", str(target))
    assert done.exit_code == 0, done.output
    assert "goes on in 1 s (1 of 8)" in done.stderr
    running.fault("drop", target="token", count=2)  # a second request is made at once
    done = run("export", "users", "--to", str(target))
    assert done.exit_code == 0, done.output
    assert "the proxy and --base-url" in done.stderr
    assert len(lines(target)) == 20


def test_csv_has_what_include_names(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    done = run("export", "listings", "include=author.profileImage,images", "--to", str(target))
    assert done.exit_code == 0, done.output
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["relationships.author.email"].endswith("@example.com") for row in rows)
    assert "relationships.author.profile.firstName" in rows[0]


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_the_terminal_shows_repetitions_above_the_bar_and_is_left_tidy(
    run: Any, running: RunningSandbox, tmp_path: Path
) -> None:
    again = {"Retry-After": "0.01"}
    running.fault("status", target="api", status=503, headers=again, after=1)
    running.fault("delay", target="api", seconds=60, after=2)
    command = [sys.executable, "-m", "flex_integration_sdk.cli", "export", "listings"]
    try:
        with on_terminal(
            [*command, "--to", str(tmp_path / "out.jsonl")],
            {**os.environ, "FLEX_INTEGRATION_LOG": "info"},
        ) as terminal:
            terminal.until("100/250")
            terminal.type("\x03")
            assert terminal.ended() == 128 + signal.SIGINT
    finally:
        running.clear_faults()
    screen = [line for line in terminal.screen if line]
    assert screen[-1].startswith("flex-sdk: what is done so far is in ")
    assert "flex-sdk: HTTP 503, again in 0.0 s (attempt 2 of 9)" in screen
    logged = [line for line in screen if " INFO GET /v1/integration_api/listings/query (" in line]
    assert len(logged) >= 2
    assert all(" ms" in line for line in logged), "a line of the log is broken"
    assert not [line for line in screen if "━" in line], "the bar stays"
    assert terminal.written.count("\x1b[?25l") == terminal.written.count("\x1b[?25h") == 1


def test_the_file_and_the_parameters_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "last.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    completions = ShellComplete(flex_sdk, {}, "flex-sdk", "_FLEX_SDK_COMPLETE")

    def offered(*words: str) -> list[str]:
        return [item.value for item in completions.get_completions([*words[:-1]], words[-1])]

    assert offered("export", "listings", "--to", "la") == ["last.jsonl"]
    assert offered("events", "follow", "--cursor", "la") == ["last.jsonl"]
    assert "states=" in offered("export", "listings", "sta")
