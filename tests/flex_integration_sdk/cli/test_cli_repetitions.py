"""``flex-sdk call`` repeats a call, and says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_integration_sdk._wire import repetition
from flex_integration_sdk.cli._app import run
from tests.support.scripted_api import Answer, ScriptedApi, scripted_api

Captured = pytest.CaptureFixture[str]
BUSY = Answer(503, headers={"Retry-After": "0.01"}, body=b'{"errors": []}')
REFUSED = Answer(401, body=b'{"errors": [{"code": "auth-invalid-access-token"}]}')

SHOW = ["call", "marketplace.show", "--store", "memory"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ScriptedApi]:
    monkeypatch.setattr(repetition, "FIRST", 0.01)
    with scripted_api() as found:
        monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", found.base_url)
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "cid")
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", "s3cret")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        yield found


def test_each_repetition_is_a_line(api: ScriptedApi, capsys: Captured) -> None:
    api.answers = [BUSY, REFUSED, Answer(0), Answer()]
    assert run([*SHOW]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"data": {}}
    assert err.splitlines() == [
        "flex-sdk: HTTP 503, again in 0.0 s (attempt 2 of 3)",
        "flex-sdk: no response, again in 0.0 s (attempt 3 of 3)",
    ]


def test_a_damaged_response_is_a_line(api: ScriptedApi, capsys: Captured) -> None:
    api.answers = [Answer(body=b"{"), Answer()]
    assert run([*SHOW]) == 0
    assert "a damaged response, again in" in capsys.readouterr().err


@pytest.mark.parametrize("retries", [0, 1])
def test_the_user_says_how_often(api: ScriptedApi, capsys: Captured, retries: int) -> None:
    api.answers = [BUSY]
    assert run([*SHOW, "--max-retries", str(retries)]) == 1
    assert len(api.calls) == retries + 1
    err = capsys.readouterr().err
    assert err.count("again in") == retries + 1  # the error has these words, too
    assert ("(tried 2 times)" in err) == (retries == 1)


def test_a_command_that_could_do_harm_is_sent_once(api: ScriptedApi) -> None:
    api.answers = [BUSY]
    assert run(["call", "listings.close", "id=00000003-0000-4000-8000-000000000001"]) == 1
    assert len(api.calls) == 1


def test_what_looks_at_the_server_repeats_nothing(api: ScriptedApi, tmp_path: Path) -> None:
    api.answers = [BUSY]
    secret = tmp_path / "secret"
    secret.write_text("s3cret", encoding="utf-8")
    secret.chmod(0o600)
    given = ["--client-id", "cid", "--base-url", api.base_url, "--client-secret-file", str(secret)]
    assert run(["init", *given]) == 1
    assert [name for name, _ in api.calls] == ["marketplace/show"]
    api.calls.clear()
    run(["doctor", "--online"])
    # One request on a new connection, one on that connection: their times are compared.
    assert [name for name, _ in api.calls] == ["marketplace/show"] * 2


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one process")
def test_ctrl_c_ends_the_wait(api: ScriptedApi) -> None:
    api.answers = [Answer(503, headers={"Retry-After": "50"})]
    command = [sys.executable, "-m", "flex_integration_sdk.cli", *SHOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        watch = threading.Timer(60, process.kill)
        watch.start()
        line = process.stderr.readline()  # it is printed before the wait
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            # Python overlooks a signal that comes just before it waits for a lock.
            process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        code = process.wait()
        watch.cancel()
    assert b"HTTP 503, again in 50.0 s" in line
    assert code == 130
    assert b"Traceback" not in rest
    assert len(api.calls) == 1
