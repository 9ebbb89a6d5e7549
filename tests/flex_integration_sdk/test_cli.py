"""``flex-sdk``, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flex_integration_sdk.sandbox import RunningSandbox

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-c", "from flex_integration_sdk.cli import main; main()"]


@pytest.fixture
def run(flex_sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", flex_sandbox.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", flex_sandbox.client_secret)
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", flex_sandbox.base_url)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr
        assert flex_sandbox.client_secret not in done.stdout + done.stderr
        return done

    return run


def test_call_then_show_then_remove(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    called = run("call", "listings.query", "per_page=2")
    assert called.returncode == 0
    assert len(json.loads(called.stdout)["data"]) == 2
    shown = run("token", "show", "--json")
    facts = json.loads(shown.stdout)
    assert (facts["store"], facts["saved"], facts["grant_type"]) == ("file", True, "refresh_token")
    stored = json.loads(Path(facts["place"]).read_text())
    for output in (shown.stdout, run("token", "show").stdout):
        assert stored["access_token"] not in output
        assert stored["refresh_token"] not in output
    assert run("token", "remove", "--yes").returncode == 0
    gone = run("token", "show")
    assert gone.returncode == 1
    assert "no token is stored" in gone.stderr


def test_stores_list(run: Run) -> None:
    plain = run("stores", "list").stdout
    assert plain.splitlines()[0].split("\t")[0] == "name"
    stores = {
        each["name"]: each for each in json.loads(run("stores", "list", "--json", "--check").stdout)
    }
    assert stores["file"]["compare_and_set"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["call", "listings.quer"], 2, "listings.query"),
        (["call", "users.query", "nonsense"], 2, "key=value"),
        (["call", "users.show", "email=x@example.com"], 1, "not-found"),
        (["call", "users.query", "--store", "fil"], 2, "did you mean 'file'"),
        (["token", "show"], 2, "memory"),
        (["token", "remove", "--yes"], 2, "--store file"),
        (["nonsense"], 2, "nonsense"),
        (["call", "users.query", "--base-url", "http://127.0.0.1:1"], 1, "no answer"),
        (["call", "users.query", "--base-url", "http://example.com"], 2, "plain http"),
    ],
)
def test_errors_are_a_line_or_two(run: Run, arguments: list[str], code: int, says: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_sandbox_prints_one_line_and_ends_on_ctrl_c() -> None:
    process = subprocess.Popen(
        [*COMMAND, "sandbox", "--client-id", "me", "--client-secret", "s", "--access-ttl", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts["client_id"] == "me"
        assert facts["base_url"].startswith("http://127.0.0.1:")
        if os.name != "nt":
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
            assert "Traceback" not in errors
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_demo() -> None:
    done = subprocess.run([*COMMAND, "demo"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line][1:]
    assert [row[-1] for row in rows] == ["yes"] * 4
