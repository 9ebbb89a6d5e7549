"""``flex-sdk token move`` and ``token rekey``: what they ask, print, refuse and return."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from flex_integration_sdk.cli import _waiting
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.config import resolve
from flex_tokenstore import StoreOptionsError, Token, open_store
from tests.support import sealed

Captured = pytest.CaptureFixture[str]
ONE, TWO = "https://one.example.com", "https://two.example.com"
SENTINEL = "SENTINEL-secret"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "me")
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", ONE)
    sealed.register(monkeypatch)
    return tmp_path


def a_file(path: Path) -> dict[str, str]:
    return {"name": "file", "path": str(path)}


def store_of(config: Any, base_url: str = ONE) -> Any:
    return open_store(config, resolve(token_store="file", base_url=base_url).identity)


def plant(config: Any, name: str, *, age: float = 0.0, base_url: str = ONE) -> Token:
    with store_of(config, base_url) as store:
        token = Token.issued(
            {"access_token": f"a-{name}-{SENTINEL}", "refresh_token": f"r-{name}-{SENTINEL}"},
            identity_key=store.identity.key,
            obtained_at=time.time() - age,
        )
        store.set_token(token)
    return token


def held(config: Any, base_url: str = ONE) -> Token | None:
    with store_of(config, base_url) as store:
        found: Token | None = store.get_token()
    return found


def flex_sdk(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    out, err = capsys.readouterr()
    assert SENTINEL not in out + err
    return code, out, err


def to(path: Path) -> list[str]:
    return ["--to", "file", "--to-option", f"path={path}"]


def test_a_token_moves_and_a_second_run_says_so(capsys: Captured, home: Path) -> None:
    token, there = plant("file", "one"), home / "b.json"
    code, out, err = flex_sdk(capsys, "token", "move", *to(there), "--dry-run")
    assert (code, out[:10]) == (0, "would move")
    assert "will find it empty" in err
    assert held("file") == token

    code, out, err = flex_sdk(capsys, "token", "move", *to(there), "--yes")
    assert code == 0
    assert out.startswith("moved the token of me-")
    assert str(there) in out
    (line,) = err.splitlines()
    assert "will find it empty" in line
    assert (held("file"), held(a_file(there))) == (None, token)

    code, out, err = flex_sdk(capsys, "token", "move", *to(there))
    assert (code, err) == (0, "")
    assert out.startswith("already moved: ")
    assert str(there) in out


def test_programs_get_json(capsys: Captured, home: Path) -> None:
    plant("file", "one")
    facts = []
    for more in (["--dry-run"], ["--yes"], []):
        code, out, _ = flex_sdk(capsys, "token", "move", *to(home / "b.json"), *more, "--json")
        assert code == 0
        facts.append(json.loads(out))
    found = [(each["found"], each["moved"], each["dry_run"]) for each in facts]
    assert found == [("ready", False, True), ("ready", True, False), ("moved", False, False)]
    assert facts[0]["to"] == {"store": "file", "place": str(home / "b.json")}
    assert (facts[0]["client_id"], facts[0]["base_url"]) == ("me", ONE)


def test_nothing_stored_is_a_failure(capsys: Captured, home: Path) -> None:
    code, out, err = flex_sdk(capsys, "token", "move", *to(home / "b.json"), "--yes")
    assert (code, out) == (1, "")
    assert "nothing to move: neither" in err
    code, out, _ = flex_sdk(capsys, "token", "move", *to(home / "b.json"), "--json")
    assert (code, json.loads(out)["found"]) == (1, "empty")


def test_nobody_is_there_to_ask(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = plant("file", "one")
    code, _, err = flex_sdk(capsys, "token", "move", *to(home / "b.json"))
    assert code == 2
    assert "pass --yes to move" in err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, ends in ((False, 1), (True, 0)):
        asked: list[str] = []

        def confirm(question: str, answer: bool = answer, asked: Any = asked, **_: Any) -> bool:
            asked.append(question)
            return answer

        monkeypatch.setattr(click, "confirm", confirm)
        assert run(["token", "move", *to(home / "b.json")]) == ends
        assert ONE in asked[0]
        assert held(a_file(home / "b.json")) == (token if answer else None)


@pytest.mark.parametrize("newer", ["file", "b"])
def test_two_different_tokens_are_refused_and_the_newer_one_is_named(
    capsys: Captured, home: Path, newer: str
) -> None:
    path = home / "b.json"
    here = plant("file", "one", age=0 if newer == "file" else 100)
    there = plant(a_file(path), "two", age=0 if newer == "b" else 100)
    code, out, err = flex_sdk(capsys, "token", "move", *to(path), "--yes")
    assert (code, out) == (1, "")
    assert "hold different tokens" in err
    named = f"the one in {path}" if newer == "b" else "file-store-token.json is newer"
    assert named in err
    assert "--overwrite" in err
    assert (held("file"), held(a_file(path))) == (here, there)
    code, out, err = flex_sdk(capsys, "token", "move", *to(path), "--overwrite", "--dry-run")
    assert (code, held("file"), held(a_file(path))) == (0, here, there)
    assert "it would be replaced, and lost" in err
    assert ("which is newer" in err) is (newer == "b")
    code, out, err = flex_sdk(capsys, "token", "move", *to(path), "--overwrite", "--yes")
    assert code == 0
    assert ("which is newer" in err) is (newer == "b")
    assert (held("file"), held(a_file(path))) == (None, here)


def test_a_second_marketplace_keeps_its_token(capsys: Captured, home: Path) -> None:
    first, second = plant("file", "one"), plant("file", "two", base_url=TWO)
    path = home / "b.json"
    assert flex_sdk(capsys, "token", "move", *to(path), "--base-url", TWO, "--yes")[0] == 0
    assert (held("file"), held(a_file(path), TWO)) == (first, second)
    code, _, err = flex_sdk(capsys, "token", "move", *to(path), "--yes")
    assert code == 1, "that file is another marketplace's now"
    assert "neither used nor overwritten" in err
    assert held("file") == first


WRONG = {
    "": "say where the token is to go",
    "--to fil": "did you mean 'file'?",
    "--to fallback --to-option stores=file --to-option stores.2=file": "the list, stores.1=NAME",
    "--from fil --to file": "did you mean 'file'?",
    "--to file": "same location",
    "--to memory": "keeps a token only inside the program",
    "--from memory --to file": "keeps a token only inside the program",
    "--to fallback": "`fallback` chooses one of several",
    "--to sealed --to-option keys=k --to-option inner=memory": "keeps a token only inside",
    "--to sealed --to-option keys=k": (
        "`flex-sdk token rekey --store sealed --store-option keys=k` encrypts"
    ),
    f"--to redis://:{SENTINEL}@host": "not an address",
    f"--to redis --to-option url=redis://:{SENTINEL}@h": "MY_STORE=redis and MY_STORE__URL",
    f"--to redis --to-option url=redis://h?password={SENTINEL}": "may hold a secret",
    f"--to redis --to-option sentinel_password={SENTINEL}": "MY_STORE__SENTINEL_PASSWORD",
    f"--to sealed --to-option inner.name=redis --to-option inner.url=redis://:{SENTINEL}@h": (
        "MY_STORE__INNER__URL"
    ),
    "--to file --to-option path": "KEY=VALUE",
    f"--to file --to-option {SENTINEL}": "KEY=VALUE",
    "--to file --to-option path=a --to-option path=b": "path twice",
    "--to sealed --to-option inner=file --to-option inner.path=a": "inner.name=NAME",
    "--to file --to-option name=file": "the value of --to",
    "--to file --to-option pth=x": "did you mean 'path'?",
    "--to-option path=x": "needs --to NAME",
    "--to file --from-option path=x": "needs --from NAME",
    "--to-env NOWHERE": "NOWHERE is not set",
    "--to file --to-env NOWHERE": "without --to and --to-option",
    "--store file --to file": "--store",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_line_and_changes_nothing(capsys: Captured, arguments: str) -> None:
    token = plant("file", "one")
    code, out, err = flex_sdk(capsys, "token", "move", *arguments.split(), "--yes")
    assert (code, out) == (2, ""), err
    (line,) = err.splitlines()
    assert WRONG[arguments] in line
    assert held("file") == token


def test_the_environment_names_either_store_with_its_secrets(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = plant("file", "one")
    monkeypatch.setenv("NEW", "file")
    monkeypatch.setenv("NEW__PATH", str(home / "new.json"))
    assert flex_sdk(capsys, "token", "move", "--to-env", "NEW", "--yes")[0] == 0
    assert held(a_file(home / "new.json")) == token
    back = ["token", "move", "--from-env", "NEW", "--to", "file", "--yes"]
    assert flex_sdk(capsys, *back)[0] == 0
    assert held("file") == token


@pytest.mark.parametrize("side", ["from", "default", "to", "both"])
def test_variables_of_the_configured_store_are_of_one_side_only(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    configured = home / "configured.json"
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(configured))
    sealed_one = ["--from", "sealed", "--from-option", "keys=k", "--from-option", "inner.name=file"]
    sealed_one += ["--from-option", f"inner.path={home / 'sealed.json'}"]
    arguments = {
        "from": ["--from", "file", *to(home / "b.json")],
        "default": to(home / "b.json"),
        "to": [*sealed_one, "--to", "file"],
        "both": ["--from", "file", "--to", "file"],
    }[side]
    code, out, _ = flex_sdk(capsys, "token", "move", *arguments, "--dry-run", "--json")
    places = json.loads(out)
    assert code == 1, "nothing is stored"
    assert (places["from"]["place"] == str(configured)) is (side != "to")
    assert (places["to"]["place"] == str(configured)) is (side == "to")


def test_a_long_wait_for_a_lock_is_told(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waiting, "QUIET", 0.0)
    monkeypatch.setattr(_waiting, "LOCK_WAIT", 0.05)
    token = plant("file", "one")
    with store_of("file") as store, store.token_lock(1, 30):
        code, out, err = flex_sdk(capsys, "token", "move", *to(home / "b.json"), "--yes")
    assert (code, out) == (1, "")
    assert "waiting up to 0.05 s for the token lock" in err
    assert "another process or thread holds it" in err
    assert held("file") == token


def test_a_move_that_was_stopped_says_how_to_go_on(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flex_tokenstore import embedding

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    plant("file", "one")
    monkeypatch.setattr(embedding, "move_token", stopped)
    code, _, err = flex_sdk(capsys, "token", "move", *to(home / "b.json"), "--yes")
    assert code == 130
    assert "Run the same command again" in err


def test_where_encryption_is_required_a_token_leaves_plain_text_but_does_not_enter_it(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, path = plant("file", "one"), home / "b.json"
    into = ["--to", "sealed", "--to-option", "keys=k", "--to-option", "inner.name=file"]
    into += ["--to-option", f"inner.path={path}"]
    monkeypatch.setenv("FLEX_INTEGRATION_REQUIRE_ENCRYPTED", "1")
    code, _, err = flex_sdk(capsys, "token", "move", *to(path), "--yes")
    assert code == 2
    assert "plain text" in err
    assert ("as --to choose" in err, "--store" in err) == (True, False)
    assert held("file") == token
    assert flex_sdk(capsys, "token", "move", *into, "--yes")[0] == 0
    assert json.loads(path.read_text())["access_token"].startswith("k:")
    assert held("file") is None


@pytest.mark.parametrize("side", ["--from", "--to"])
def test_a_store_that_is_only_read_is_refused(capsys: Captured, home: Path, side: str) -> None:
    path = home / "b.json"
    token = plant(a_file(path) if side == "--from" else "file", "one")
    arguments = [side, "read-only", f"{side}-option", "inner.name=file"]
    arguments += [f"{side}-option", f"inner.path={path}"]
    arguments += ["--to", "file"] if side == "--from" else []
    code, _, err = flex_sdk(capsys, "token", "move", *arguments, "--yes")
    assert code == 1
    assert "read-only" in err
    assert ("so nothing was copied" in err) is (side == "--from")
    assert held(a_file(path) if side == "--from" else "file") == token


def test_a_token_is_encrypted_with_the_first_key(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "FLEX_INTEGRATION_TOKEN_STORE"
    monkeypatch.setenv(variable, "sealed")
    monkeypatch.setenv(f"{variable}__KEYS", "k1")
    code, out, _ = flex_sdk(capsys, "token", "rekey")
    assert (code, out) == (1, "")
    token = plant({"name": "sealed", "keys": ["k1"]}, "one")
    monkeypatch.setenv(f"{variable}__KEYS", "k2,k1")
    code, out, _ = flex_sdk(capsys, "token", "rekey", "--dry-run", "--json")
    facts = json.loads(out)
    assert (code, facts["key_before"], facts["key"]) == (1, "k1", "k2")
    assert flex_sdk(capsys, "token", "rekey", "--dry-run")[0] == 1
    assert (facts["needed"], facts["rekeyed"]) == (True, False)
    code, out, _ = flex_sdk(capsys, "token", "rekey")
    assert code == 0
    assert "was encrypted with the key k1; now it is encrypted with the first key, k2" in out
    for more in ([], ["--dry-run"]):
        code, out, _ = flex_sdk(capsys, "token", "rekey", *more)
        assert (code, "nothing to do" in out) == (0, True)
    assert held({"name": "sealed", "keys": ["k2"]}) == token


def test_a_store_that_does_not_encrypt_has_nothing_to_rekey(capsys: Captured) -> None:
    code, out, err = flex_sdk(capsys, "token", "rekey", "--store", "file")
    assert (code, out) == (2, "")
    assert "does not encrypt" in err


def test_a_removal_says_why_a_token_cannot_be_read(capsys: Captured, home: Path) -> None:
    plant({"name": "sealed", "keys": ["k1"]}, "one")
    os.environ["FLEX_INTEGRATION_TOKEN_STORE__KEYS"] = "k2"
    try:
        code, out, err = flex_sdk(capsys, "token", "remove", "--yes", "--store", "sealed")
    finally:
        del os.environ["FLEX_INTEGRATION_TOKEN_STORE__KEYS"]
    assert (code, out[:7]) == (0, "removed")
    assert "no key k1" in err


def test_a_store_that_cannot_be_opened_is_told_with_its_own_options(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreOptionsError("as token_store choose file_store(path=…) or set the option 'path'")

    monkeypatch.setattr(sealed.Sealed, "__init__", refuse)
    for side in ("--from", "--to"):
        arguments = [side, "sealed", f"{side}-option", "keys=k"]
        arguments += ["--to", "file"] if side == "--from" else []
        code, _, err = flex_sdk(capsys, "token", "move", *arguments)
        assert code == 2
        assert f"as {side} choose {side} file {side}-option path=… or" in err
        assert f"the option 'path' ({side}-option path=…)" in err
        assert "FLEX_INTEGRATION_TOKEN_STORE" not in err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--to", "sealed", "--to-option", "keys=k"], "rekey --store sealed"),
        (["--from", "sealed", "--from-option", "keys=k", "--to", "file"], "in the clear, move"),
        (["--from", "read-only", "--from-option", "inner=file", "--to", "file"], None),
    ],
)
def test_one_location_is_told_with_what_serves_there(
    capsys: Captured, arguments: list[str], hint: str | None
) -> None:
    code, _, err = flex_sdk(capsys, "token", "move", *arguments, "--yes")
    assert code == 2
    assert "same location" in err
    assert (hint or "nothing was changed") in err
    assert ("rekey" in err) is ("rekey" in (hint or ""))


@pytest.mark.parametrize(("key", "ends"), [(EOFError, 1), (KeyboardInterrupt, 130)])
def test_a_question_that_is_left_changes_nothing_and_says_so(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch, key: type, ends: int
) -> None:
    def leave(*_: Any, **__: Any) -> str:
        raise key

    token = plant("file", "one")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click.termui, "visible_prompt_func", leave)
    code, _, err = flex_sdk(capsys, "token", "move", *to(home / "b.json"))
    assert code == ends
    assert err.endswith("\nnothing was changed\n")
    assert held("file") == token
