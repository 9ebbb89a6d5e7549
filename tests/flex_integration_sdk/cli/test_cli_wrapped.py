"""The commands on a file that holds what an encrypting store wrote, without that store."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flex_integration_sdk.cli._app import run
from flex_integration_sdk.config import resolve
from flex_tokenstore import Token, open_store
from tests.support import sealed

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The token file that the sealed store wrote, as the default store's."""
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    path = tmp_path / "t.json"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "me")
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", "SENTINEL-secret")
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(path))
    sealed.register(monkeypatch)
    identity = resolve().identity
    inner = {"name": "file", "path": str(path)}
    with open_store({"name": "sealed", "inner": inner, "keys": ["k"]}, identity) as store:
        token = Token.issued(
            {"access_token": "a-SENTINEL", "refresh_token": "r-SENTINEL"},
            identity_key=identity.key,
            obtained_at=time.time(),
        )
        store.set_token(token)
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["token", "show"],
        ["call", "marketplace.show"],
        ["token", "move", "--to", "file", "--to-option", "path=other/t.json", "--yes"],
    ],
)
def test_no_command_uses_it(
    path: Path, command: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    before = path.read_bytes()
    assert run(command) == 1
    out, err = capsys.readouterr()
    assert not out
    assert "another store wrapped" in err
    assert "SENTINEL" not in err
    assert path.read_bytes() == before
    assert not Path("other").exists()


def test_a_person_who_is_told_what_it_is_removes_it(path: Path, capsys: Captured) -> None:
    assert run(["token", "remove"]) == 2  # nobody to ask
    assert path.exists()
    assert "another store wrapped" in capsys.readouterr().err
    assert run(["token", "remove", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert "removed the token" in out
    assert "another store wrapped" in err
    assert not path.exists()
