"""What a person at the terminal meets: one line for each error, and a hint at what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from flex_integration_sdk.cli._app import run

Captured = pytest.CaptureFixture[str]


def told(capsys: Captured, *arguments: str) -> tuple[int, str]:
    """Exit code and the one line on stderr."""
    code = run(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("flex-sdk")
    return code, line


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["stoers", "list"], "`flex-sdk stores`"),
        (["tokn", "show"], "`flex-sdk token`"),
        (["stores", "lst"], "`flex-sdk stores list`"),
        (["token", "shwo"], "`flex-sdk token show`"),
        (["remove"], "`flex-sdk token remove`"),
        (["show"], "`flex-sdk stores show` or `flex-sdk token show`"),
        (["listings.query"], "`flex-sdk call listings.query`"),
        (["call", "listing.query"], "listings.query?"),
        (["call", "listings"], "listings.query"),
        (["call", "nonsense"], "RESOURCE.ACTION"),
        (["help"], "`flex-sdk --help`?"),
        (["call", "marketplace.show", "--stor", "file"], "--store?"),
        (["call", "marketplace.show", "--format", "table"], "--output?"),
        (["token", "delete"], "`flex-sdk token remove`?"),
        (["login"], "`flex-sdk init`?"),
        (["logout"], "`flex-sdk token revoke`?"),
        (["version"], "`flex-sdk --version`?"),
        (["profiles"], "`flex-sdk config show`?"),
        (["config", "set"], "`flex-sdk init` or `flex-sdk config path`?"),
        (["doctor", "online"], "--online?"),
        (["token", "show", "file"], "--store file?"),
        (["token", "show", "--path", "/x"], "`--store-option path=…`"),
        (["token", "show", "--url", "x"], "--base-url URL"),
        (["init", "live"], "--profile NAME"),
    ],
)
def test_a_wrong_word_is_one_line_with_what_was_meant(
    capsys: Captured, arguments: list[str], meant: str
) -> None:
    code, line = told(capsys, *arguments)
    assert code == 2
    assert meant in line
    assert "--help`" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["call"],
        ["call", "users.show", "email"],
        ["sandbox", "x"],
        ["sandbox", "--port", "x"],
        ["sandbox", "--client-id", ""],
        ["sandbox", "--access-ttl", "nan"],
        ["sandbox", "--latency-ms", "inf"],
        ["demo", "--processes", "1"],
        ["stores", "new", "My Store"],
        ["stores", "show", "fiel"],
        ["-V"],
    ],
)
def test_wrong_use_is_one_line(capsys: Captured, arguments: list[str]) -> None:
    assert told(capsys, *arguments)[0] == 2


@pytest.mark.parametrize(
    "param", ['x:={"a": [1, {"b": 2}]}', "perPage:=1e999", "ids:=" + "[" * 600 + "]" * 600]
)
def test_json_that_a_query_cannot_hold_is_one_line(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, param: str
) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "c")
    arguments = ["call", "users.query", param, "--store", "memory"]
    assert told(capsys, *arguments, "--base-url", "http://127.0.0.1:9")[0] == 2


def test_without_arguments_there_is_help(capsys: Captured) -> None:
    run([])
    out, err = capsys.readouterr()
    assert "Commands:" in out + err


def test_the_version_is_told(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("flex-sdk, version ")


@pytest.mark.parametrize(
    "command", ["config show", "token show", "doctor", "init", "call users.show"]
)
@pytest.mark.parametrize(
    ("option", "needed"),
    [
        ("--profile", "a name"),
        ("--config", "a file"),
        ("--store", "a name"),
        ("--base-url", "a value"),
    ],
)
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_is_not_the_default(
    capsys: Captured, command: str, option: str, needed: str, value: str
) -> None:
    code, line = told(capsys, *command.split(), option, value)
    assert code == 2
    assert f"{option} needs {needed}, and what was given is empty" in line


@pytest.mark.parametrize(
    "option", ["--store=file", "--profile=a", "--base-url=https://a", "--timeout=3", "--output=csv"]
)
def test_an_option_that_is_there_twice_is_refused(capsys: Captured, option: str) -> None:
    name = option.partition("=")[0]
    code, line = told(capsys, "token", "show", option, option)
    assert (code, f"{name} is there twice; give it once" in line) == (2, True)


def test_a_profile_of_the_config_file_is_an_option(capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[profiles.live]\n", encoding="utf-8")
    file.chmod(0o600)
    assert "--profile live?" in told(capsys, "token", "show", "--config", str(file), "live")[1]
    file.write_text("not TOML", encoding="utf-8")
    assert "'live'" in told(capsys, "token", "show", "--config", str(file), "live")[1]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--redis-url", "`--store redis --store-option url=…`"),
        ("--redis-password", "set FLEX_INTEGRATION_TOKEN_STORE__PASSWORD"),
    ],
)
def test_an_option_of_a_store_is_typed_otherwise(capsys: Captured, option: str, said: str) -> None:
    pytest.importorskip("flex_tokenstore_redis")
    code, line = told(capsys, "init", option, "s3cr3t", "--store", "redis")
    assert (code, said in line, "s3cr3t" in line) == (2, True, False)
