"""Where the command line keeps its token: in a file unless told otherwise, and it says so once."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_integration_sdk.cli._app import run
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

FOLDER = "flex-integration-sdk"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and nothing in the environment that chooses a store."""
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path / ".config"))
    return tmp_path


@pytest.fixture
def sandbox(running: RunningSandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    running.reset()
    use(running, monkeypatch)
    return running


def use(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", sandbox.client_secret)


def call(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """One call that works; what it said on stderr."""
    assert run(["call", "marketplace.show", *options]) == 0
    return capsys.readouterr().err


def sign_ins(sandbox: RunningSandbox) -> int:
    return sandbox.stats()["client_credentials"]


def test_three_calls_in_a_row_sign_in_once_and_the_first_says_where(
    sandbox: RunningSandbox, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (call(capsys) for _ in range(3))
    path = home / ".config" / FOLDER / "file-store-token.json"
    (line,) = first.splitlines()
    assert str(path) in line
    assert (second, third) == ("", "")
    assert (sign_ins(sandbox), sandbox.stats()["api_calls"]) == (1, 3)
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    sandbox.expire()
    assert call(capsys) == ""  # a refresh, which is not the first save
    assert (sign_ins(sandbox), sandbox.stats()["refresh_token"]) == (1, 1)

    assert run(["token", "show"]) == 0
    assert str(path) in capsys.readouterr().out
    assert run(["token", "remove", "--yes"]) == 0
    assert not path.exists()


@pytest.mark.parametrize("by", ["option", "variable"])
def test_who_chooses_a_store_gets_it_and_no_line(
    sandbox: RunningSandbox,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    if by == "variable":
        monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "memory")
    options = ["--store", "memory"] if by == "option" else []
    assert [call(capsys, *options), call(capsys, *options)] == ["", ""]
    assert sign_ins(sandbox) == 2
    assert not (home / ".config").exists()

    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(home / "mine.json"))
    assert [call(capsys), call(capsys)] == ["", ""]
    assert sign_ins(sandbox) == 3
    assert (home / "mine.json").exists()


def test_two_marketplaces_and_two_clients_do_not_mix(
    sandbox: RunningSandbox,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = SandboxSettings(client_id="other-client")
    with serve() as second, serve(other) as third:
        everyone = [sandbox, second, third]
        told = []
        for _ in range(2):
            for each in everyone:
                use(each, monkeypatch)
                told.append(call(capsys))
        assert [each.stats()["unauthorized"] for each in everyone] == [0, 0, 0]
        assert [sign_ins(each) for each in everyone] == [1, 1, 1]
    assert [len(each.splitlines()) for each in told] == [1, 1, 1, 0, 0, 0]
    assert len({line for line in told if line}) == 3  # three files
    assert len(list((home / ".config" / FOLDER).glob("*token*.json"))) == 3


def no_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home folder and without a passwd entry."""
    monkeypatch.delenv("HOME")
    pwd = pytest.importorskip("pwd")

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)


def no_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the way: nobody can make the folder, root included."""
    (home / ".config").write_text("")


@pytest.mark.parametrize("trouble", [no_home, no_folder])
def test_where_no_folder_can_be_used_a_call_works_from_memory_and_says_so(
    sandbox: RunningSandbox,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    trouble: object,
) -> None:
    assert callable(trouble)
    trouble(home, monkeypatch)
    for _ in range(2):
        (line,) = call(capsys).splitlines()
        assert "kept in memory only" in line
        assert "FLEX_INTEGRATION_TOKEN_STORE__PATH" in line
    assert sign_ins(sandbox) == 2

    # Who chose the store wants it, or an error.
    assert run(["call", "marketplace.show", "--store", "file"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of the size of files")
@pytest.mark.parametrize(("options", "code"), [((), 0), (("--store", "file"), 1)])
def test_a_store_that_was_chosen_and_cannot_save_fails_the_call(
    sandbox: RunningSandbox, home: Path, options: tuple[str, ...], code: int
) -> None:
    """After its response: as on a full disk, which shows only when the token is written."""
    program = (
        "import resource, sys; from flex_integration_sdk.cli._app import run\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); sys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "call", "marketplace.show", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert json.loads(done.stdout)["data"]["type"] == "marketplace"
    (line,) = done.stderr.splitlines()
    assert "kept in memory only" in line


def test_nothing_of_the_log_is_left_behind(
    sandbox: RunningSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("flex_tokenstore", "flex_integration_sdk")
    before = [list(logging.getLogger(name).handlers) for name in names]
    call(capsys)
    assert [list(logging.getLogger(name).handlers) for name in names] == before
