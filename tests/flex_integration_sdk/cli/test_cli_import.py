"""``flex-sdk token import --from-js``: the JavaScript SDK's token, from either of its folders."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk.cli import _import_token
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.config import resolve
from flex_tokenstore import Token, open_store

Captured = pytest.CaptureFixture[str]
SENTINEL = "SENTINEL-secret"
TOKEN = {
    "access_token": f"a-{SENTINEL}",
    "refresh_token": f"r-{SENTINEL}",
    "token_type": "bearer",
    "expires_in": 3600,
    "scope": "integ",
}
FILE = "file-store-token.json"
FOLDERS = ("flex-integration-sdk-nodejs", "flex-integration-sdk")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders are other ones there")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "me")
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", "https://one.example.com")
    monkeypatch.setattr(_import_token, "PAUSE", 0.01)
    return tmp_path


def javascript(home: Path, folder: str = FOLDERS[0], **more: Any) -> Path:
    """Writes the file as the JavaScript SDK does: one line, no tag."""
    path = home / ".config" / folder / FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps({**TOKEN, **more}, separators=(",", ":")))
    path.chmod(0o600)
    return path


def held(config: Any) -> Token | None:
    with open_store(config, resolve(token_store="file").identity) as store:
        return store.get_token()


def flex_sdk(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = run(["token", "import", *arguments])
    out, err = capsys.readouterr()
    assert SENTINEL not in out + err
    return code, out, err


def fields(token: Token | None) -> dict[str, Any]:
    assert token is not None
    return {name: value for name, value in token.to_dict().items() if name != "flex_tokenstore"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_is_found_in_either_folder_and_left_there(
    capsys: Captured, home: Path, folder: str
) -> None:
    path = javascript(home, folder)
    before = path.read_bytes()
    code, out, err = flex_sdk(capsys, "--from-js", "--yes")
    assert code == 0, err
    assert out.startswith(f"copied the token in {path} into ")
    assert "does not say whose token it has" in err
    assert "share_with_js" in err
    assert fields(held("file")) == TOKEN
    assert path.read_bytes() == before
    code, out, err = flex_sdk(capsys, "--from-js", "--json")
    assert (code, json.loads(out)["imported"], err) == (0, False, "")


def test_a_file_of_another_name_goes_into_any_store(capsys: Captured, home: Path) -> None:
    path = javascript(home).rename(home / "elsewhere.json")
    code, out, _ = flex_sdk(capsys, "--from-js", str(path), "--yes", "--json")
    assert (code, json.loads(out)["file"]) == (0, str(path))
    assert fields(held("file")) == TOKEN


def test_two_files_are_both_named(capsys: Captured, home: Path) -> None:
    paths = [javascript(home, each, access_token=f"{SENTINEL}-{each}") for each in FOLDERS]
    code, _, err = flex_sdk(capsys, "--from-js", "--yes")
    assert code == 2
    assert all(str(each) in err for each in paths)
    assert flex_sdk(capsys, "--from-js", str(paths[1]), "--yes")[0] == 0
    assert fields(held("file"))["access_token"] == f"{SENTINEL}-{FOLDERS[1]}"


def test_a_different_token_stays_unless_it_is_to_be_replaced(capsys: Captured, home: Path) -> None:
    javascript(home)
    assert flex_sdk(capsys, "--from-js", "--yes")[0] == 0
    javascript(home, access_token=f"new-{SENTINEL}")
    code, out, err = flex_sdk(capsys, "--from-js", "--yes")
    assert (code, out) == (1, "")
    assert "--overwrite" in err
    assert fields(held("file")) == TOKEN
    assert flex_sdk(capsys, "--from-js", "--yes", "--overwrite")[0] == 0
    assert fields(held("file"))["access_token"] == f"new-{SENTINEL}"


def test_our_own_tokens_are_not_javascripts(capsys: Captured, home: Path) -> None:
    identity = resolve(token_store="file").identity
    with open_store("file", identity) as store:
        store.set_token(Token.issued(TOKEN, identity_key=identity.key, obtained_at=time.time()))
    for more in ([], ["--client-id", "somebody-else"]):
        code, _, err = flex_sdk(capsys, "--from-js", "--yes", *more)
        assert code == 1
        assert "there is no token of the JavaScript SDK in" in err
        assert all(folder in err for folder in FOLDERS)


@pytest.mark.parametrize("content", ["", '{"access_token": "SENT', "[]", '{"access_token": 5}'])
def test_what_is_not_a_token_is_not_copied(capsys: Captured, home: Path, content: str) -> None:
    path = javascript(home)
    path.write_text(content)
    code, _, err = flex_sdk(capsys, "--from-js", "--yes")
    assert code == 1
    assert str(path) in err
    assert path.read_text() == content
    assert held("file") is None


def test_a_file_that_is_being_written_is_read_again(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = javascript(home)
    whole = path.read_text()
    path.write_text("")
    monkeypatch.setattr(time, "sleep", lambda _: path.write_text(whole))
    assert flex_sdk(capsys, "--from-js", "--yes")[0] == 0
    assert fields(held("file")) == TOKEN


def test_the_shared_file_itself_is_not_copied(
    capsys: Captured, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = javascript(home)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__SHARE_WITH_JS", "1")
    before = path.read_bytes()
    code, _, err = flex_sdk(capsys, "--from-js", "--yes")
    assert code == 2
    assert "nothing to copy" in err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--from-js [FILE]"),
        (["--from-js", "nowhere.json"], "no file nowhere.json"),
        (["--from-js", "--store", "memory"], "keeps a token only inside the program"),
        (["--from-js"], "pass --yes to copy"),
        (["--from-js", "--yes", "--profile", "encrypted only"], "plain text"),
    ],
)
def test_wrong_use_is_one_line(
    capsys: Captured,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    javascript(home)
    if "--profile" in arguments:
        monkeypatch.setenv("FLEX_INTEGRATION_REQUIRE_ENCRYPTED", "1")
    code, out, err = flex_sdk(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert held("file") is None


def test_the_rights_of_the_file_stay_and_are_told(capsys: Captured, home: Path) -> None:
    path = javascript(home)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    for more in ([], ["--yes"], [str(path)]):
        code, _, err = flex_sdk(capsys, "--from-js", *more)
        assert code == (0 if more else 2)
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
        assert (f"other users can read or change {path}" in err) is (str(path) not in more)


@pytest.mark.parametrize(
    "tag", [{}, {"obtained_at": 5.0}, {"revision": "a"}, {"identity": "other"}]
)
def test_what_a_python_program_stored_is_not_copied(
    capsys: Captured, home: Path, tag: dict[str, Any]
) -> None:
    key = {"identity": resolve(token_store="file").identity.key}
    if "revision" in tag:
        key = {}
    path = javascript(home, flex_tokenstore={"format": 1, **key, **tag})
    before = path.read_bytes()
    for more in ([], [str(path)]):
        code, out, err = flex_sdk(capsys, "--from-js", *more, "--yes")
        assert (code, out) == (2, "")
        assert f"token move --from file --from-option path={path} --to" in err
    assert (held("file"), path.read_bytes()) == (None, before)
