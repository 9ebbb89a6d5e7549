"""``flex-sdk token refresh`` and ``token revoke``: with the stored token, never with the secret."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_tokenstore import Token

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(
    running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunningSandbox:
    """A sandbox that the environment names, and a home of its own."""
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path / ".config"))
    running.reset()
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", running.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", running.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", running.client_secret)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(tmp_path / "token.json"))
    return running


@pytest.fixture
def signed_in(sandbox: RunningSandbox, capsys: Captured) -> RunningSandbox:
    assert run(["call", "marketplace.show"]) == 0
    capsys.readouterr()
    return sandbox


def stored() -> Token | None:
    with create_instance() as sdk:
        return sdk.session.peek()


def counted(sandbox: RunningSandbox) -> tuple[int, int, int]:
    found = sandbox.stats()
    return found["client_credentials"], found["refresh_token"], found["revoke"]


def test_a_token_that_works_is_refreshed_once_and_saved(
    signed_in: RunningSandbox, capsys: Captured, tmp_path: Path
) -> None:
    before = stored()
    assert run(["token", "refresh"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("refreshed the token of ")
    assert f"in {tmp_path / 'token.json'}; it expires in 60 minutes (2" in out
    after = stored()
    assert before is not None
    assert after is not None
    assert before.access_token != after.access_token
    assert counted(signed_in) == (1, 1, 0)
    for token in (before, after):
        assert token.access_token.reveal() not in out
    assert run(["call", "marketplace.show"]) == 0
    assert counted(signed_in) == (1, 1, 0)


def test_an_expired_token_is_refreshed_once(signed_in: RunningSandbox, capsys: Captured) -> None:
    _expire()
    assert run(["token", "refresh", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refreshed"] is True
    assert 3500 < found["expires_in"] <= 3600
    assert counted(signed_in) == (1, 1, 0)


def test_a_server_that_does_not_rotate(
    sandbox: RunningSandbox, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(SandboxSettings(rotate=False)) as other:
        monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", other.base_url)
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", other.client_id)
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", other.client_secret)
        assert run(["call", "marketplace.show"]) == 0
        before = stored()
        assert run(["token", "refresh"]) == 0
        after = stored()
        assert counted(other) == (1, 1, 0)
    assert before is not None
    assert after is not None
    assert before.refresh_token == after.refresh_token
    assert before.access_token != after.access_token


def test_two_at_once_both_end_well(signed_in: RunningSandbox) -> None:
    command = [sys.executable, "-m", "flex_integration_sdk.cli", "token", "refresh"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [each.wait(60) for each in both] == [0, 0]
    assert signed_in.stats()["refresh_rejected"] == 0
    assert signed_in.stats()["client_credentials"] == 1
    assert run(["call", "marketplace.show"]) == 0


def _expire() -> None:
    """The stored token is as old as can be; its refresh token is the same."""
    with create_instance() as sdk:
        token = sdk.session.peek()
        assert token is not None
        assert token.refresh_token is not None
        answer = {
            "access_token": token.access_token.reveal(),
            "refresh_token": token.refresh_token.reveal(),
            "token_type": "bearer",
            "expires_in": 3600,
        }
        old = Token.issued(answer, identity_key=sdk.token_store.identity.key, obtained_at=0)
        sdk.token_store.set_token(old, token.revision)


def test_nothing_stored_is_told_and_nothing_is_sent(
    sandbox: RunningSandbox, capsys: Captured, tmp_path: Path
) -> None:
    assert run(["token", "refresh"]) == 1
    assert capsys.readouterr() == (
        "",
        f"flex-sdk: nothing to refresh: {tmp_path / 'token.json'} is empty. The next call signs "
        "in: `flex-sdk call marketplace.show`\n",
    )
    assert run(["token", "revoke"]) == 0
    assert capsys.readouterr().out == f"nothing to revoke: {tmp_path / 'token.json'} is empty\n"
    assert counted(sandbox) == (0, 0, 0)


def test_a_rejected_refresh_token_costs_no_sign_in(
    signed_in: RunningSandbox, capsys: Captured
) -> None:
    signed_in.reset()
    before = stored()
    assert run(["token", "refresh"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()  # not as a warning, too
    assert "rejects the refresh token" in line
    assert "The next call signs in" in line
    assert counted(signed_in) == (0, 1, 0)
    assert stored() == before


@pytest.mark.parametrize("command", ["refresh", "revoke"])
def test_a_server_that_fails_changes_nothing(
    signed_in: RunningSandbox, capsys: Captured, command: str
) -> None:
    before = stored()
    signed_in.fault(target="any", count=5, status=503)
    yes = ["--yes"] * (command == "revoke")
    assert run(["token", command, *yes]) == 1
    assert "503" in capsys.readouterr().err
    assert stored() == before
    assert signed_in.stats()["client_credentials"] == 1


@pytest.mark.parametrize("command", ["refresh", "revoke"])
def test_the_secret_is_not_needed(
    signed_in: RunningSandbox, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("FLEX_INTEGRATION_CLIENT_SECRET")
    assert run(["token", command, *["--yes"] * (command == "revoke")]) == 0


@pytest.mark.parametrize("command", ["refresh", "revoke"])
@pytest.mark.parametrize("store", ["memory", "read-only"])
def test_a_store_that_cannot_do_it_is_refused(
    signed_in: RunningSandbox, capsys: Captured, command: str, store: str, tmp_path: Path
) -> None:
    options = ["--store", store]
    if store == "read-only":
        path = tmp_path / "token.json"
        options += ["--store-option", "inner.name=file", "--store-option", f"inner.path={path}"]
    assert run(["token", command, *options]) == 2
    said = "keeps a token only inside" if store == "memory" else "only reads"
    assert said in capsys.readouterr().err
    assert counted(signed_in) == (1, 0, 0)


@pytest.mark.parametrize("command", ["refresh", "revoke", "remove"])
def test_a_lock_that_another_program_holds_is_waited_for_as_long_as_the_user_wants(
    signed_in: RunningSandbox, capsys: Captured, command: str
) -> None:
    with create_instance() as sdk, sdk.token_store.token_lock(1.0, 60.0):
        yes = [] if command == "refresh" else ["--yes"]
        assert run(["token", command, "--timeout", "0.2", *yes]) == 1
    assert "lock" in capsys.readouterr().err
    assert counted(signed_in) == (1, 0, 0)


def test_a_token_that_was_revoked_is_gone_from_server_and_store(
    signed_in: RunningSandbox, capsys: Captured, tmp_path: Path
) -> None:
    assert run(["token", "revoke", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("revoked the token of ")
    assert out.endswith(f" in {tmp_path / 'token.json'}, and removed it\n")
    assert stored() is None
    assert counted(signed_in) == (1, 0, 1)


def test_a_revocation_asks_first(
    signed_in: RunningSandbox, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert run(["token", "revoke"]) == 2
    assert "pass --yes to revoke the token of" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert run(["token", "revoke"]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert stored() is not None
    assert run(["token", "revoke"]) == 0
    assert counted(signed_in) == (1, 0, 1)


def test_what_cannot_be_read_is_removed_and_not_said_to_be_revoked(
    signed_in: RunningSandbox, capsys: Captured, tmp_path: Path
) -> None:
    (tmp_path / "token.json").write_text("{}", encoding="utf-8")
    assert run(["token", "revoke", "--yes"]) == 0
    assert "it could not be read, and so was not revoked" in capsys.readouterr().out
    assert counted(signed_in) == (1, 0, 0)


def test_a_token_that_the_server_does_not_know_is_removed(
    signed_in: RunningSandbox, capsys: Captured
) -> None:
    signed_in.reset()
    assert run(["token", "revoke", "--yes", "--json"]) == 0
    found: Any = json.loads(capsys.readouterr().out)
    assert (found["revoked"], found["removed"]) == (False, True)
    assert stored() is None
