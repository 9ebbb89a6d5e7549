"""The demo: real processes, and figures that can be wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from flex_integration_sdk import demo
from flex_integration_sdk.cli import _app
from flex_integration_sdk.sandbox import RunningSandbox

SECRETS = "sign-ins with the client secret"
REFRESHES = "refreshes"
DONE = "processes with a response"


def test_signs_in_once_and_refreshes_once() -> None:
    told: list[str] = []
    rounds = demo.run(processes=3, tell=told.append)
    assert [each.failures for each in rounds] == [()] * 4
    assert [each.actual[SECRETS] for each in rounds] == [1, 0, 0, 0]
    assert [each.actual[REFRESHES] for each in rounds] == [0, 0, 1, 1]
    assert [each.actual[DONE] for each in rounds] == [1, 1, 1, 3]
    assert all(each.as_expected for each in rounds)
    assert len(told) == 4


@pytest.mark.slow
def test_a_store_that_forgets_shows_in_the_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = demo.environment_for

    def forgetful(sandbox: RunningSandbox, folder: Path) -> dict[str, str]:
        environment = real(sandbox, folder)
        del environment["FLEX_INTEGRATION_TOKEN_STORE__PATH"]
        return {**environment, "FLEX_INTEGRATION_TOKEN_STORE": "memory"}

    monkeypatch.setattr(demo, "environment_for", forgetful)
    monkeypatch.setenv("COLUMNS", "200")  # each row on one line
    with pytest.raises(SystemExit) as caught:
        sys.exit(_app.run(["demo", "--processes", "2"]))
    assert caught.value.code == 1
    shown = capsys.readouterr()
    second = [line for line in shown.out.splitlines() if line.startswith("2:") and SECRETS in line]
    assert second[0].split()[-3:] == ["0", "1", "no"]
    assert "not as expected" in shown.err


@pytest.mark.slow
def test_processes_that_fail_are_counted_and_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    real = demo.environment_for

    def wrong(sandbox: RunningSandbox, folder: Path) -> dict[str, str]:
        return {**real(sandbox, folder), "FLEX_INTEGRATION_CLIENT_SECRET": "SENTINEL"}

    monkeypatch.setattr(demo, "environment_for", wrong)
    rounds = demo.run(processes=2)
    assert not any(each.as_expected for each in rounds)
    assert rounds[-1].actual[DONE] == 0
    assert "AuthenticationError" in rounds[-1].failures[0]
    assert "SENTINEL" not in "".join(rounds[-1].failures)


def test_the_users_own_settings_play_no_part(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_PROFILE", "mine")
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET_FILE", "/mine")
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "mine")
    sandbox = RunningSandbox("http://127.0.0.1:1", "id", "secret")
    environment = demo.environment_for(sandbox, tmp_path)
    assert "mine" not in {value.strip("/") for value in environment.values()}


def test_a_process_that_is_not_let_go_ends_without_a_call(tmp_path: Path) -> None:
    sandbox = RunningSandbox("http://127.0.0.1:9", "id", "secret")
    done = subprocess.run(
        [sys.executable, "-m", "flex_integration_sdk.demo"],
        env={**os.environ, **demo.environment_for(sandbox, tmp_path)},
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "ready\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.slow
def test_ctrl_c_ends_it_without_a_word_of_its_processes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "flex_integration_sdk.cli", "demo", "--processes", "6"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as child:
        assert child.stderr is not None
        deadline = time.monotonic() + 60
        while len(children_of(child.pid)) < 6:  # only the last round has so many
            assert child.poll() is None
            assert time.monotonic() < deadline
        # Interrupted while it is being imported, any program shows a traceback: they must not be
        # in the group that Ctrl-C reaches.
        deadline = time.monotonic() + 20
        while {child.pid} >= set(map(os.getpgid, children_of(child.pid))):
            assert time.monotonic() < deadline
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does
        assert child.wait(30) == 130
        assert child.stderr.read().strip() == ""
    assert not list(tmp_path.iterdir())


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found += map(int, task.read_text().split())
    return found
