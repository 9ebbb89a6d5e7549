"""What a person at the terminal meets: one line for each error, and a hint at what was meant."""

from __future__ import annotations

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
