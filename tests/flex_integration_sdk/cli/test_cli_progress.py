"""What a command waits for: seen on a terminal, gone at the end, and never in the way."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_integration_sdk.cli._progress import waiting_for
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from tests.support.terminal import Terminal, on_terminal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
COMMAND = [sys.executable, "-m", "flex_integration_sdk.cli"]
KEPT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("FLEX_", "XDG_", "COLUMNS", "NO_COLOR"))
}
# `go()` waits for the test. The thread looks as often as it can, and tells the test of each look.
START = """
import getpass, os, sys, time
import click
from flex_integration_sdk.cli import _progress
from flex_integration_sdk.cli._output import plugins_apart
from flex_integration_sdk.cli._progress import hidden, waiting_for
_progress.AFTER, _progress.PERIOD = 0, 0.01
def go():
    assert os.read(GO, 1)
draw = _progress._Line._draw
def look(line):
    draw(line)
    os.write(LOOKED, b".")
_progress._Line._draw = look
"""


class Program:
    """A program on a terminal, that goes on when it is told so."""

    def __init__(self, terminal: Terminal, go: int, looked: int) -> None:
        self.terminal, self._go, self._looked = terminal, go, looked

    def go(self) -> None:
        os.write(self._go, b".")

    def asks(self, question: str, answer: str) -> None:
        """Waits for a question, which stays as it is while the thread looks; answers it."""
        self.terminal.until(question)
        os.read(self._looked, 65536)  # of before
        for _ in range(3):
            os.read(self._looked, 1)
        self.terminal.read_all()
        assert "waiting" not in self.terminal.written.partition(question)[2]
        self.terminal.type(f"{answer}\n")


@pytest.fixture
def started(request: pytest.FixtureRequest) -> Iterator[Program]:
    (reader, go), (looked, writer) = os.pipe(), os.pipe()
    program = START.replace("GO", str(reader)).replace("LOOKED", str(writer)) + request.param
    command = [sys.executable, "-c", program]
    try:
        with on_terminal(command, KEPT, pass_fds=[reader, writer]) as terminal:
            yield Program(terminal, go, looked)
    finally:
        for each in (reader, go, looked, writer):
            os.close(each)


@pytest.mark.parametrize(
    "started",
    [
        """
with waiting_for("one"):
    go()
    click.echo("a warning", err=True)
    print("a result")
    with waiting_for("two"), plugins_apart():
        print("a plugin")
        go()
click.echo("the end")
"""
    ],
    indirect=True,
)
def test_what_is_printed_meanwhile_stays_and_the_line_is_gone(started: Program) -> None:
    started.terminal.until("waiting for one (0 s)")
    started.go()
    started.terminal.until("waiting for two (0 s)")
    started.go()
    assert started.terminal.ended() == 0
    assert started.terminal.screen == ["a warning", "a result", "a plugin", "the end", ""]


@pytest.mark.parametrize(
    "started",
    [
        """
with waiting_for("it"):
    go()
    with hidden():
        name = click.prompt("Name", err=True)
    secret = getpass.getpass()
    sys.stderr.write("Own question: ")
    answer = sys.stdin.readline()
click.echo(f"{name} {secret} {answer}")
"""
    ],
    indirect=True,
)
def test_questions_are_left_alone(started: Program) -> None:
    started.terminal.until("waiting for it (0 s)")
    started.go()
    started.asks("Name: ", "me")
    started.asks("Password: ", "hush")
    started.asks("Own question: ", "yes")
    assert started.terminal.ended() == 0
    assert "me hush yes" in started.terminal.screen
    assert "waiting" not in "".join(started.terminal.screen[-3:])


def test_nothing_is_drawn_where_no_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_integration_sdk.cli._progress.AFTER", 0)
    monkeypatch.setattr("flex_integration_sdk.cli._progress.PERIOD", 0.001)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with waiting_for("it") as say:
        assert sys.stderr is stream
        say("more")
    assert stream.getvalue() == ""


@pytest.fixture(scope="module")
def slow() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(latency_ms=1500)) as running:
        yield running


def environment_for(sandbox: RunningSandbox, home: Path) -> dict[str, str]:
    return {
        **KEPT,
        "HOME": str(home),
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
    }


def test_a_slow_call_says_what_it_waits_for(tmp_path: Path, slow: RunningSandbox) -> None:
    command = [*COMMAND, "call", "marketplace.show"]
    with on_terminal(command, environment_for(slow, tmp_path)) as terminal:
        terminal.until(f"waiting for {slow.base_url} (token store: file) (1 s)")
        assert terminal.ended() == 0
    assert "Sandbox marketplace" in terminal.written
    assert "waiting" not in "\n".join(terminal.screen)
    done = subprocess.run(
        command, env=environment_for(slow, tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.slow
def test_an_upload_says_how_much_was_sent(tmp_path: Path, flex_sandbox: RunningSandbox) -> None:
    gif = bytes.fromhex("474946383961010001008000000000000000002c00000000010001000002024401003b")
    (tmp_path / "bike.gif").write_bytes(gif + bytes(2_000_000))
    flex_sandbox.fault("delay", path="images/upload", seconds=2)
    command = [*COMMAND, "call", "images.upload", f"image={tmp_path / 'bike.gif'}"]
    with on_terminal(command, environment_for(flex_sandbox, tmp_path)) as terminal:
        terminal.until(f"waiting for the upload [{'#' * 20}] 100% of 2.0 MB (")
        assert terminal.ended() == 0
    assert "waiting" not in "\n".join(terminal.screen)


def test_standard_input_that_is_a_terminal_is_not_waited_for(tmp_path: Path) -> None:
    command = [*COMMAND, "call", "images.upload", "image=-"]
    with on_terminal(command, {**KEPT, "HOME": str(tmp_path)}) as terminal:
        assert terminal.ended() == 2
    assert "which is a terminal: pipe a file" in " ".join(terminal.written.split())


@pytest.mark.slow
def test_the_line_is_gone_after_ctrl_c(tmp_path: Path, slow: RunningSandbox) -> None:
    command = [*COMMAND, "call", "marketplace.show", "--store", "memory"]
    with on_terminal(command, environment_for(slow, tmp_path)) as terminal:
        terminal.until("waiting for http")
        terminal.type("\x03")
        assert terminal.ended() == 130
    assert "waiting" not in "\n".join(terminal.screen)


def test_a_quick_command_shows_nothing(tmp_path: Path) -> None:
    with on_terminal([*COMMAND, "token", "show"], {**KEPT, "HOME": str(tmp_path)}) as terminal:
        terminal.ended()
    assert "waiting" not in terminal.written
