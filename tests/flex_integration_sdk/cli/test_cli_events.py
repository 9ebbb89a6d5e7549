"""``flex-sdk events follow``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner

from flex_integration_sdk.cli._app import flex_sdk
from flex_integration_sdk.sandbox import RunningSandbox, serve

SINCE = "2026-01-01T00:00Z"
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def environment(running: RunningSandbox, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "FLEX_INTEGRATION_BASE_URL": running.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": running.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": running.client_secret,
        "XDG_CONFIG_HOME": str(tmp_path),
    }


def follow(environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flex_integration_sdk.cli", "events", "follow", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def after(cursor: Path) -> Any:
    return json.loads(cursor.read_text()).get("after")


@posix
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_line_for_each_event_until_a_signal(
    environment: dict[str, str], tmp_path: Path, number: int
) -> None:
    cursor = tmp_path / "cursor"
    with follow(environment, "--cursor", str(cursor), "--since", SINCE, "--type", "user") as run:
        assert run.stdout is not None
        first = json.loads(run.stdout.readline())
        run.send_signal(number)
        rest, said = run.communicate(timeout=60)
    assert run.returncode == 0
    assert first["type"] == "event"
    assert first["attributes"]["eventType"].startswith("user/")
    lines = [first, *map(json.loads, rest.splitlines())]
    assert after(cursor) == lines[-1]["attributes"]["sequenceId"]
    assert "Traceback" not in said


@posix
def test_an_event_that_nobody_reads_is_not_handled(
    environment: dict[str, str], tmp_path: Path
) -> None:
    cursor = tmp_path / "cursor"
    with follow(environment, "--cursor", str(cursor), "--since", SINCE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        # As `head -1` does; how many lines are written before it shows, nobody knows.
        first = json.loads(run.stdout.readline())
        run.stdout.close()
        said = run.stderr.read()
        assert run.wait(60) == 141
    assert "Traceback" not in said
    with follow(environment, "--cursor", str(cursor)) as run:
        assert run.stdout is not None
        kept, number = after(cursor), first["attributes"]["sequenceId"]
        again = json.loads(run.stdout.readline())["attributes"]["sequenceId"]
        run.terminate()
        run.communicate(timeout=60)
    assert number <= kept < again


@posix
def test_of_two_replicas_each_says_whether_it_works(
    environment: dict[str, str], tmp_path: Path
) -> None:
    shared = ("--cursor", str(tmp_path / "c"), "--store", "file")
    options = (*shared, "--worker", "orders", "--takeover", "1")
    with follow(environment, *options) as first:
        assert first.stderr is not None
        works = "flex-sdk: worker 'orders': this replica works now\n"
        until(first.stderr, works)
        with follow(environment, *options) as second:
            assert second.stderr is not None
            waits = "another replica works, and this one waits to take over"
            until(second.stderr, f"flex-sdk: worker 'orders': {waits}\n")
            first.terminate()
            until(second.stderr, works)
            second.terminate()
            assert second.wait(60) == 0
        assert first.wait(60) == 0


@posix
def test_it_says_when_a_failure_is_over(
    environment: dict[str, str], running: RunningSandbox
) -> None:
    running.fault("status", path="events/query", status=503, count=1)
    with follow(environment) as run:
        assert run.stderr is not None
        until(run.stderr, "flex-sdk: the events can be queried again\n")
        run.terminate()
        assert run.wait(60) == 0


def until(stream: IO[str], line: str) -> None:
    read: list[str] = []
    while line not in read:
        read.append(stream.readline())
        assert read[-1], read


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--worker", "orders"], "--worker needs --cursor"),
        (["--since", "yesterday"], "takes a time such as 2026-01-31T12:00Z, got 'yesterday'"),
        (["--cursor", "no/folder/cursor"], "--cursor: there is no folder no/folder"),
        (["--interval", "0"], "a number of seconds above 0"),
    ],
)
def test_wrong_input(
    running: RunningSandbox, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", running.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", running.client_id)
    done = CliRunner().invoke(flex_sdk, ["events", "follow", *options])
    assert done.exit_code != 0
    assert said in (done.output or str(done.exception)) or said in str(done.exception)


def test_types_are_completed() -> None:
    done = CliRunner().invoke(
        flex_sdk,
        [],
        prog_name="flex-sdk",
        env={
            "_FLEX_SDK_COMPLETE": "bash_complete",
            "COMP_WORDS": "flex-sdk events follow --type listing/",
            "COMP_CWORD": "4",
        },
    )
    assert "plain,listing/created" in done.output
