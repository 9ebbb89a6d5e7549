"""The command line's errors name its own options, not arguments of Python."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flex_integration_sdk
import flex_tokenstore
from flex_integration_sdk import create_instance
from flex_integration_sdk.cli._app import flex_sdk, run
from flex_integration_sdk.cli._words import _ADVICE, OPTIONS, in_cli_words
from flex_integration_sdk.sandbox import RunningSandbox

# Of which no command can be about: it has neither the argument nor what it is for.
PYTHON_ONLY = {"type_handlers", "rate_limits", "on_event", "transit_verbose"}
ARGUMENTS = {name for name in inspect.signature(create_instance).parameters if "_" in name}
NAMES = re.compile(
    rf"(?<![-\w])({'|'.join(sorted(ARGUMENTS - PYTHON_ONLY))})\b|(?<!option )\b\w+=…|pass \w+="
)
# What only a program of the user's own can meet.
NEVER = (
    "on_store_error must be",
    "request_timeout must be",
    "host_lock must be",
    "are both given: pass one",
    "a coroutine function",
    "bytes have no file name",
    "must be a string",
    "must be a path",
    "must be True or False",
    "in the program",
    "lock_timeout must be",
    "max_retries must be",
    "total_timeout",
    "client_cert cannot be",
    "client_cert must be",
    "argument client_cert",
    "http_client",
    "on_request must",
    "TokenIdentity(",
)


PLUGINS = sorted((Path(__file__).resolve().parents[3] / "plugins").glob("*/src/*"))


@functools.cache
def everything() -> list[tuple[str, str]]:
    """Each string of the packages and the plugins, and where it is."""
    packages = [Path(str(each.__file__)).parent for each in (flex_integration_sdk, flex_tokenstore)]
    return [found for root in (*packages, *PLUGINS) for found in of(root)]


def texts() -> list[tuple[str, str]]:
    """Those in which there are words and an argument."""
    return [(where, text) for where, text in everything() if " " in text and NAMES.search(text)]


def of(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(root.rglob("*.py")):
        if {"sandbox", "cli", "testing"} & {*file.relative_to(root).parts}:
            continue
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        docs = {
            id(node.value)
            for node in nodes
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        parts = {
            id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in nodes:
            if id(node) in docs or id(node) in parts:
                continue
            text = ""
            if isinstance(node, ast.JoinedStr):
                values = (getattr(part, "value", "") for part in node.values)
                text = "".join(each if isinstance(each, str) else "X" for each in values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            if text:
                yield f"{file.relative_to(root)}:{getattr(node, 'lineno', 0)}", text


def test_the_walk_finds_them() -> None:
    assert len(texts()) > 15
    assert any("pass client_id=…" in text for _, text in texts())


def test_no_argument_of_python_is_left() -> None:
    left = [
        (where, in_cli_words(text))
        for where, text in texts()
        if not any(part in text for part in NEVER) and NAMES.search(in_cli_words(text))
    ]
    assert left == []


def test_each_advice_is_given_somewhere() -> None:
    """What no message says any more is no longer replaced."""
    said = [text for _, text in everything()]
    assert [pattern.pattern for pattern, _ in _ADVICE if not any(map(pattern.search, said))] == []


def test_each_option_that_takes_the_place_of_an_argument_is_there() -> None:
    option = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
    named = {
        name
        for _, text in everything()
        for name in {*option.findall(in_cli_words(text))} - {*option.findall(text)}
    }
    assert {each for each in OPTIONS.values() if each.startswith("--")} <= named
    for command in (flex_sdk.commands["call"], flex_sdk.commands["token"].commands["show"]):  # type: ignore[attr-defined]
        assert named <= {name for param in command.params for name in param.opts}


@pytest.mark.parametrize(
    "text",
    [
        "the file /srv/client_id/token.json is empty",
        "the file /run/client_secret.txt is empty",
        "the file client_secret is empty: C:\\client_secret",
        "got 'client_id'",
        "client_id (in /home/me/config.toml, line 3) has quotes within its quotes",
        "the key 'client_idd' is not known; did you mean client_id?",
        "so client_secret of that file is not used",
        "profile (in /home/me/config.toml, line 3) is empty",
        "set FLEX_INTEGRATION_CLIENT_ID",
    ],
)
def test_what_only_looks_like_an_argument_stays(text: str) -> None:
    if "C:" in text:
        assert in_cli_words(text).endswith(r"C:\client_secret")
    else:
        assert in_cli_words(text) == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "use --client-id ID or set FLEX_INTEGRATION_CLIENT_ID"),
        (["--client-id", "caf\u00e9"], "--client-id contains a letter"),
        (["--client-id", "c", "--base-url", "h"], "--base-url must start with https://"),
        (["--client-id", "c", "--base-url", "http://h"], "use --allow-http or set"),
        (["--client-id", "c", "--profile", "a\nb"], "--profile contains a control"),
        (["--client-id", "c", "--client-secret-file", "/no/such"], "--client-secret-file"),
        (["--client-id", "c", "--store", "redis://:SENTINEL@h"], "name of a store, not an address"),
        (["--client-id", "c", "--store", "a/b.json"], "--store file --store-option path="),
        (["--client-id", "c", "--store", "path=/a"], "an option of a store is --store-option"),
    ],
)
def test_wrong_options_are_named(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["call", "marketplace.show", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert not NAMES.search(said), said
    assert "SENTINEL" not in said


def test_plain_http_can_be_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--client-id", "c", "--base-url", "http://sandbox.invalid", "--allow-http"]
    assert run(["token", "show", "--store", "file", *arguments]) == 0
    assert "http://sandbox.invalid" in capsys.readouterr().out


def test_warnings_are_in_the_words_of_the_command_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flex_sandbox: RunningSandbox,
) -> None:
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", flex_sandbox.client_secret)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    client = ["--client-id", flex_sandbox.client_id, "--base-url", flex_sandbox.base_url]
    assert run(["call", "marketplace.show", *client, "--store", "memory"]) == 0
    assert "flex-sdk: --store chooses 'memory'" in capsys.readouterr().err
    plain = ["--client-id", "me", "--base-url", "http://backend.example", "--allow-http"]
    run(["token", "show", *plain, "--store", "file"])
    assert "which --allow-http or" in capsys.readouterr().err


def test_a_warning_of_a_list_of_stores_names_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "nothing-of-that-name")
    assert run(["stores", "list"]) == 0
    assert capsys.readouterr().err.startswith("flex-sdk: 'nothing-of-that-name'")
