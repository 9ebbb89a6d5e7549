"""``token show``, ``remove``, ``rekey`` and ``import`` on a store with options, and the advice."""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk.cli import _waiting
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.config import resolve
from flex_tokenstore import StoreOptionsError, Token, open_store
from tests.support import sealed

Captured = pytest.CaptureFixture[str]
SENTINEL = "SENTINEL-secret"
VARIABLE = "FLEX_INTEGRATION_TOKEN_STORE"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "me")
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", "https://one.example.com")
    sealed.register(monkeypatch)
    return tmp_path


def a_file(path: Path) -> dict[str, str]:
    return {"name": "file", "path": str(path)}


def plant(config: Any, name: str, profile: str | None = None) -> None:
    identity = resolve(token_store="file", profile=profile).identity
    answer = {"access_token": f"a-{name}-{SENTINEL}", "refresh_token": f"r-{name}-{SENTINEL}"}
    with open_store(config, identity) as store:
        now = time.time()
        store.set_token(Token.issued(answer, identity_key=identity.key, obtained_at=now))


def is_held(config: Any, profile: str | None = None) -> bool:
    identity = resolve(token_store="file", profile=profile).identity
    with open_store(config, identity) as store:
        return store.get_token() is not None


def flex_sdk(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    out, err = capsys.readouterr()
    assert SENTINEL not in out + err
    return code, out, err


def advised(text: str) -> list[str]:
    """The arguments of the command that a message names."""
    command = next(each for each in text.split("`") if "flex-sdk token" in each)
    return shlex.split(command[command.index("flex-sdk") :])[1:]


def test_options_name_the_store_that_is_shown_and_emptied(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = a_file(home / "with blank.json")
    plant("file", "kept")
    plant(there, "other")
    named = ["--store", "file", "--store-option", f"path={there['path']}"]
    assert there["path"] in flex_sdk(capsys, "token", "show", *named)[1]
    assert flex_sdk(capsys, "token", "remove", *named, "--yes")[0] == 0
    assert (is_held("file"), is_held(there)) == (True, False)

    monkeypatch.setenv("OLD", "file")
    monkeypatch.setenv("OLD__PATH", there["path"])
    plant(there, "again")
    code, out, _ = flex_sdk(capsys, "token", "remove", "--store-env", "OLD", "--yes")
    assert (code, out[:7]) == (0, "removed")
    assert (is_held("file"), is_held(there)) == (True, False)


def test_options_of_the_environment_are_not_mixed_with_those_of_a_named_store(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "sealed")
    monkeypatch.setenv(f"{VARIABLE}__KEYS", "k1")
    monkeypatch.setenv(f"{VARIABLE}__INNER__NAME", "file")
    monkeypatch.setenv(f"{VARIABLE}__INNER__PATH", str(home / "configured.json"))

    def place(*more: str) -> str:
        code, out, err = flex_sdk(capsys, "token", "show", "--json", *more)
        assert code == 0, err
        return str(json.loads(out)["place"])

    configured = str(home / "configured.json")
    assert place("--store", "sealed") == configured
    # Without --store they are added to the configured one, here within its inner store too.
    assert place("--store-option", "migrate=true") == configured
    other = str(home / "other.json")
    assert place("--store-option", f"inner.path={other}") == other
    assert place("--store-option", "inner=file").endswith("file-store-token.json")
    assert place("--store", "sealed", "--store-option", "keys=k1") not in (configured, other)


@pytest.mark.parametrize("action", ["show", "remove", "rekey", "import"])
def test_a_secret_among_the_arguments_is_refused(
    capsys: Captured, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "sealed")
    monkeypatch.setenv(f"{VARIABLE}__KEYS", "k1")
    monkeypatch.setenv(f"{VARIABLE}__INNER", "redis")
    end = ["--from-js"] if action == "import" else ["--yes"] if action == "remove" else []
    for arguments in (
        ["--store", "redis", "--store-option", f"url=redis://:{SENTINEL}@h"],
        ["--store-option", f"inner.url=redis://:{SENTINEL}@h"],
        ["--store", f"redis://:{SENTINEL}@h", "--store-option", "prefix=x"],
        ["--store", "file", "--store-env", "OTHER"],
        ["--store", "file", "--store-option", SENTINEL],
        ["--store-env", "NOWHERE"],
    ):
        code, out, err = flex_sdk(capsys, "token", action, *arguments, *end)
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        assert "--store-" in err


def test_the_advice_of_a_move_acts_on_the_store_that_it_speaks_of(
    capsys: Captured, home: Path
) -> None:
    here, there = a_file(home / "it's old.json"), a_file(home / "new.json")
    for config in ("file", here, there):
        plant(config, str(config)[-9:-7], profile="two")
    move = ["--from", "file", "--from-option", f"path={here['path']}", "--profile", "two"]
    move += ["--to", "file", "--to-option", f"path={there['path']}"]
    _, _, err = flex_sdk(capsys, "token", "move", *move, "--yes")
    assert flex_sdk(capsys, *advised(err), "--yes")[0] == 0
    assert [is_held(each, "two") for each in ("file", here, there)] == [True, False, True]


@pytest.mark.parametrize("side", ["--from", "--to"])
def test_the_advice_about_a_file_that_holds_no_token_acts_on_that_file(
    capsys: Captured, home: Path, side: str
) -> None:
    path = home / "corrupt.json"
    path.write_text("x")
    path.chmod(0o600)
    plant("file", "kept")
    arguments = [side, "file", f"{side}-option", f"path={path}"]
    arguments += ["--to", "file"] if side == "--from" else []
    code, _, err = flex_sdk(capsys, "token", "move", *arguments, "--yes")
    assert code == 1
    assert flex_sdk(capsys, *advised(err), "--yes")[0] == 0
    assert (is_held("file"), path.exists()) == (True, False)


def test_the_advice_of_other_commands_names_the_store_too(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "corrupt.json"
    path.write_text("x")
    path.chmod(0o600)
    monkeypatch.setenv("OLD", "file")
    monkeypatch.setenv("OLD__PATH", str(path))
    for store in (["--store", "file", "--store-option", f"path={path}"], ["--store-env", "OLD"]):
        _, _, err = flex_sdk(capsys, "token", "show", *store)
        assert advised(err) == ["token", "remove", *store]
    monkeypatch.setenv(f"{VARIABLE}__PATH", str(path))
    monkeypatch.setenv(f"{VARIABLE}__SHARE_WITH_JS", "1")
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", SENTINEL)
    named = ["--store", "file", "--profile", "two"]
    _, _, err = flex_sdk(capsys, "call", "marketplace.show", *named)
    assert advised(err) == ["token", "remove", *named]


def test_to_encrypt_a_token_where_it_is_the_command_is_named_as_it_works(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Any, token: dict[str, Any]) -> dict[str, Any]:
        from flex_tokenstore import TokenCorruptError

        text = "it is plain: encrypt it by `flex-sdk token rekey` with the option migrate=true"
        raise TokenCorruptError(text, reason="plaintext")

    monkeypatch.setattr(sealed.Sealed, "unwrap", refuse)
    plant("file", "plain")
    command = "flex-sdk token rekey --store sealed"
    named = ["--store", "sealed", "--store-option", "keys=k"]
    said = {
        f"`{command} --store-option keys=k --store-option migrate=true`": named,
        "`OLD__MIGRATE=true flex-sdk token rekey --store-env OLD`": ["--store-env", "OLD"],
        f"`{VARIABLE}__MIGRATE=true {command}`": ["--store", "sealed"],
        f"`{VARIABLE}__MIGRATE=true flex-sdk token rekey`": [],
    }
    for name, value in {"OLD": "sealed", "OLD__KEYS": "k", f"{VARIABLE}__KEYS": "k"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(VARIABLE, "sealed")
    for text, arguments in said.items():
        assert text in flex_sdk(capsys, "token", "rekey", *arguments)[2]


def test_what_a_wrapper_cannot_read_is_removed_without_it(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_key(*_: Any) -> Any:
        raise StoreOptionsError("the key file is not there", store="sealed")

    path = str(home / "a b.json")
    config = {"name": "sealed", "keys": ["k"], "inner": a_file(Path(path))}
    named = ["--store", "sealed", "--store-option", "keys=k", "--store-option", "inner.name=file"]
    named += ["--store-option", f"inner.path={path}"]
    remove = ["token", "remove", "--yes"]
    plant(config, "one")
    with monkeypatch.context() as patch:
        patch.setattr(sealed.Sealed, "unwrap", no_key)
        code, out, err = flex_sdk(capsys, *remove, *named)
    assert (code, out[:7]) == (0, "removed")
    assert "the token cannot be read: the key file is not there" in err
    plant(config, "one")
    with monkeypatch.context() as patch:
        patch.setattr(sealed.Sealed, "__init__", no_key)
        code, out, err = flex_sdk(capsys, *remove, *named)
        assert (code, out) == (2, "")
        assert advised(err) == [*remove[:2], "--store", "file", "--store-option", f"path={path}"]
        assert flex_sdk(capsys, *advised(err), "--yes")[0] == 0
    assert not is_held(config)


def test_a_removal_waits_for_the_lock_and_says_so(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waiting, "QUIET", 0.0)
    monkeypatch.setattr(_waiting, "LOCK_WAIT", 0.05)
    plant("file", "one")
    with open_store("file", resolve(token_store="file").identity) as store, store.token_lock(1, 30):
        code, _, err = flex_sdk(capsys, "token", "remove", "--yes")
    assert code == 1
    assert "waiting up to 0.05 s for the token lock" in err
    assert is_held("file")
