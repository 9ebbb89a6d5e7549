"""``flex-sdk config``: each value with its origin, no secret, and what is wrong."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flex_integration_sdk.cli import _config
from flex_integration_sdk.cli._app import run

P = "FLEX_INTEGRATION_"
SECRET = "SENTINEL-of-a-secret"
STARS = "*" * 10
Captured = pytest.CaptureFixture[str]
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def at(text: str) -> Path:
        path = Path(os.environ["XDG_CONFIG_HOME"]) / "flex-integration-sdk" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return at


def shown(capsys: Captured, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run(["config", "show", "--json", *arguments])
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    data = json.loads(out)
    assert data["ok"] is (code == 0)
    return code, data


def values(data: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["setting"]: (each["value"], each["origin"]) for each in data["settings"]}


def problems(data: dict[str, Any]) -> dict[str, str]:
    return {each["setting"]: each["problem"] for each in data["settings"] if each["problem"]}


def test_each_value_has_its_origin(
    capsys: Captured, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        f'[profiles.live]\nclient_id = "c"\nclient_secret = "{SECRET}"\n'
        f'[profiles.live.token_store]\nname = "redis"\npassword = "{SECRET}"\n'
        'url = "redis://127.0.0.1:6379"\n'
    )
    monkeypatch.setenv(f"{P}PROFILE", "live")
    monkeypatch.setenv(f"{P}TOKEN_STORE__PREFIX", "p:")
    code, data = shown(capsys, "--base-url", "https://x.example")
    assert code == 0
    found = values(data)
    assert found["config"] == (str(path), "default")
    assert found["profile"] == ("live", f"{P}PROFILE")
    assert found["client_id"] == ("c", f"{path}, line 2")
    assert found["client_secret"] == (STARS, f"{path}, line 3")
    assert found["base_url"] == ("https://x.example", "argument")
    assert found["token_store"] == ("redis", f"{path}, line 5")
    assert found["token_store.password"] == (STARS, f"{path}, line 6")
    assert found["token_store.url"] == ("redis://127.0.0.1:6379", f"{path}, line 7")
    assert found["token_store.prefix"] == ("p:", f"{P}TOKEN_STORE__PREFIX")


def test_the_table_and_csv(capsys: Captured, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(f'client_id = "c"\nclient_secret = "{SECRET}"\nof_a_newer_version = 1\n')
    assert run(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert SECRET not in out
    file, blank, headers, *_ = out.splitlines()
    assert (file, blank) == (f"config file: {path} (default)", "")
    assert headers.split() == ["setting", "value", "origin"]
    assert re.search(r"^client_id +c +config.toml, line 1$", out, re.MULTILINE)
    assert "note  " in out
    assert "'of_a_newer_version'" in out
    assert run(["config", "show", "--output", "csv"]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {"setting": "client_id", "value": "c"}.items() <= rows[2].items()
    assert "of_a_newer_version" in err


def test_the_store_is_file_and_options_can_be_given(capsys: Captured, write: Write) -> None:
    write('client_id = "c"\n')
    assert values(shown(capsys)[1])["token_store"] == ("file", "default")
    _, data = shown(capsys, "--store-option", "path=/srv/t.json")
    assert values(data)["token_store.path"][0] == "/srv/t.json"
    _, data = shown(capsys, "--store", "redis", "--store-option", "prefix=x:")
    assert values(data)["token_store"] == ("redis", "argument")


@pytest.mark.parametrize(
    ("text", "environ", "setting", "said"),
    [
        ("", {}, "client_id", "run `flex-sdk init`"),
        ("", {"CLIENT_ID": '"c"'}, "client_id", "is in quotes"),
        ("client_id = \"'c'\"", {}, "client_id", "has quotes within its quotes"),
        ("", {"CLIENT_ID": "c\x01"}, "client_id", "control character"),
        ("", {"CLIENT_SECRET": f'"{SECRET}"'}, "client_secret", "is in quotes"),
        ('base_url = "example.com"', {}, "base_url", "did you mean https://example.com?"),
        ("", {"BASE_URL": "'https://x.example'"}, "base_url", "is in quotes"),
        ("", {"ALLOW_HTTP": "maybe"}, "allow_http", "must be 1 (on) or 0 (off)"),
        ("", {"TOKEN_STORE": "rediss"}, "token_store", "did you mean 'redis'?"),
        ("", {"TOKEN_STORE": '"redis"'}, "token_store", "is in quotes"),
        ('client_secret_file = "/no/such"', {}, "client_secret", "/no/such"),
    ],
)
def test_a_problem_is_shown_and_stops_nothing(
    capsys: Captured,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    environ: dict[str, str],
    setting: str,
    said: str,
) -> None:
    write(text)
    for name, value in environ.items():
        monkeypatch.setenv(f"{P}{name}", value)
    code, data = shown(capsys)
    assert code == 2
    assert said in problems(data)[setting]
    assert run(["config", "show"]) == 2
    assert setting in capsys.readouterr().out


def test_a_quoted_client_id_hides_no_other_problem(
    capsys: Captured, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('[profiles.live]\nclient_id = "c"\n')
    monkeypatch.setenv(f"{P}CLIENT_ID", '"c"')
    monkeypatch.setenv(f"{P}CLIENT_SECRET", f'"{SECRET}"')
    _, data = shown(capsys, "--profile", "live", "--base-url", "x")
    assert {*problems(data)} == {"client_id", "client_secret", "base_url"}


def test_other_profiles_are_looked_at(capsys: Captured, write: Write) -> None:
    path = write(
        '[profiles.default]\nclient_id = "c"\n[profiles.typo]\nclient_sercet = "x"\n'
        '[profiles.store]\ntoken_store = "rediss"\n[profiles.ok]\nbase_url = "https://x.example"\n'
        '[profiles.secret]\nclient_id = "d"\nclient_secret_file = "/no/such"\n'
    )
    code, data = shown(capsys)
    assert code == 2
    found = problems(data)
    assert {*found} == {
        "profiles.typo",
        "profiles.store.token_store",
        "profiles.secret.client_secret",
    }
    assert f"{path}, line 4" in found["profiles.typo"]
    path.write_text('[profiles.default]\nclient_id = "c"\n[profiles.ok]\n')
    assert shown(capsys)[0] == 0


def test_notes(capsys: Captured, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f'[profiles.live]\nclient_id = "c"\nclient_secret = "{SECRET}"\ntoken_store = "file"\n')
    monkeypatch.setenv(f"{P}CLIENT_ID", "another")
    monkeypatch.setenv(f"{P}TOKEN_STORE", "redis")
    monkeypatch.setenv(f"{P}TOKEN_STORE__URL", "redis://h")
    _, data = shown(capsys, "--profile", "live", "--store", "memory")
    notes = "\n".join(data["notes"])
    assert "is another client than that in" in notes, "a secret is withheld"
    assert f"{P}CLIENT_ID is used in place of client_id" in notes
    assert f"is not used: {P}TOKEN_STORE, {P}TOKEN_STORE__URL" in notes


def test_options_of_a_store_that_is_not_installed_are_hidden(
    capsys: Captured, write: Write
) -> None:
    write(f'client_id = "c"\ntoken_store = {{ name = "nobodys", place = "{SECRET}" }}\n')
    _, data = shown(capsys)
    assert values(data)["token_store.place"][0] == STARS


def test_of_a_command_only_the_program_is_shown(capsys: Captured, write: Write) -> None:
    write(
        f'client_id = "c"\nclient_secret_cmd = ["op", "{SECRET}"]\n'
        f'[token_store]\nname = "encrypted"\ninner = "file"\nkey_command = ["age", "{SECRET}"]\n'
    )
    _, data = shown(capsys)
    assert values(data)["client_secret"][0] == "printed by op"
    assert values(data)["token_store.key_command"][0] == "printed by age"


def test_on_windows_it_says_what_is_not_looked_at(
    capsys: Captured, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('client_id = "c"\n')
    monkeypatch.setattr(_config, "WINDOWS", True)
    assert "on Windows" in shown(capsys)[1]["notes"][-1]


class TestPath:
    def test_where_it_is_or_would_be(
        self, capsys: Captured, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run(["config", "path"]) == 0
        out, err = capsys.readouterr()
        assert "flex-sdk init" in err
        path = write("this is not TOML")
        assert out == f"{path}\n"
        assert run(["config", "path"]) == 0
        assert capsys.readouterr() == (f"{path}\n", "")
        monkeypatch.setenv(f"{P}CONFIG", str(tmp_path / "other.toml"))
        run(["config", "path"])
        assert capsys.readouterr().out == f"{tmp_path / 'other.toml'}\n"
        monkeypatch.setenv(f"{P}CONFIG", os.devnull)
        run(["config", "path"])
        assert capsys.readouterr().out == f"{os.devnull}\n"
        monkeypatch.setenv(f"{P}CONFIG", "relative.toml")
        assert run(["config", "path"]) == 2


class TestSchema:
    def test_it_works_with_a_broken_file(self, capsys: Captured, write: Write) -> None:
        write("this is not TOML")
        assert run(["config", "schema"]) == 0
        schema = json.loads(capsys.readouterr().out)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "store_redis" in schema["$defs"]

    def test_a_store_that_cannot_be_used_is_left_out(
        self, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "redis")
        assert run(["config", "schema"]) == 0
        out, err = capsys.readouterr()
        assert "store_redis" not in out
        assert "the token store redis is not in the schema: blocked by" in err
