"""The options that all commands with a token store have."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from flex_integration_sdk.cli._app import flex_sdk, run
from flex_integration_sdk.cli._durations import Seconds
from flex_integration_sdk.cli._time_limit import with_time_limit
from flex_integration_sdk.sandbox import RunningSandbox, serve

Captured = pytest.CaptureFixture[str]
CLIENT = {"--client-id", "--client-secret-file", "--base-url", "--allow-http", "--profile"}
COMMON = CLIENT | {"--config", "--timeout", "--verbose"}
STORE = {"--store", "--store-option", "--store-env"}
SECRET = "SENTINEL-secret"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(
    running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunningSandbox:
    for name in os.environ:
        if name.startswith(("FLEX_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path / ".config"))
    running.reset()
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", running.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", running.client_secret)
    return running


def commands() -> dict[str, click.Command]:
    token = flex_sdk.commands["token"]
    assert isinstance(token, click.Group)
    named = {f"token {name}": each for name, each in token.commands.items()}
    return {**named, **{name: flex_sdk.commands[name] for name in ("call", "doctor")}}


@pytest.mark.parametrize("name", commands())
def test_they_are_the_same_everywhere(name: str) -> None:
    options = [name for param in commands()[name].params for name in param.opts]
    assert len(options) == len({*options})
    assert {*options} >= COMMON
    assert {*options} >= (STORE if name != "token move" else {"--from-env", "--to-env"})


def test_verbose_tells_each_setting_its_origin_and_each_event(
    sandbox: RunningSandbox, capsys: Captured, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'base_url = "{sandbox.base_url}"\n', encoding="utf-8")
    config.chmod(0o600)
    path = tmp_path / "token.json"
    options = ["--store", "file", "--store-option", f"path={path}", "--config", str(config)]
    assert run(["call", "marketplace.show", "--verbose", "--profile", "shop", *options]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("{")
    lines = err.splitlines()
    for line in (
        f"config is {config} (from --config)",
        "profile is shop (from --profile)",
        f"client_id is {sandbox.client_id} (from FLEX_INTEGRATION_CLIENT_ID)",
        f"base_url is {sandbox.base_url} (from {config}, line 1)",
        "require_encrypted is no (by default)",
        "token_store is file (from --store)",
        f"token_store.path is {path} (from --store-option)",
        f"the token was saved in {path}",
    ):
        assert f"flex-sdk: {line}" in lines
    assert any(line.startswith("flex-sdk: client_secret is ") for line in lines)
    assert any(line.startswith("flex-sdk: signed in with the client secret") for line in lines)
    assert sandbox.client_secret not in err
    assert run(["token", "refresh", "--verbose", "--profile", "shop", *options]) == 0
    assert "flex-sdk: the server refreshed the token (" in capsys.readouterr().err


def test_verbose_shows_no_secret_of_the_store(
    sandbox: RunningSandbox, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_STORE", "redis")
    monkeypatch.setenv("MY_STORE__URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("MY_STORE__PASSWORD", SECRET)
    assert run(["token", "show", "--verbose", "--store-env", "MY_STORE"]) == 1
    err = capsys.readouterr().err
    assert "flex-sdk: token_store.url is redis://127.0.0.1:1 (from MY_STORE__URL)" in err
    assert "token_store is redis (from MY_STORE)" in err
    assert SECRET not in err


def test_verbose_tells_an_event_once(sandbox: RunningSandbox, capsys: Captured) -> None:
    options = ["--base-url", sandbox.base_url, "--verbose"]
    assert run(["call", "marketplace.show", *options]) == 0
    sandbox.reset()
    capsys.readouterr()
    assert run(["call", "marketplace.show", *options]) == 0
    said = capsys.readouterr().err
    assert said.count("rejects the refresh token") == 1
    assert logging.getLogger().handlers == [
        each for each in logging.getLogger().handlers if "cli" not in type(each).__module__
    ]


def test_verbose_tells_the_settings_that_doctor_looks_at(
    sandbox: RunningSandbox, capsys: Captured
) -> None:
    run(["doctor", "--verbose", "--base-url", sandbox.base_url])
    out, err = capsys.readouterr()
    assert f"flex-sdk: base_url is {sandbox.base_url} (from --base-url)" in err.splitlines()
    assert sandbox.client_secret not in out + err


def test_a_store_of_options_is_used_by_a_call(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ["--base-url", sandbox.base_url]
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    assert run(["call", "marketplace.show", *client, "--store-option", f"path={one}"]) == 0
    monkeypatch.setenv("MY_STORE", "file")
    monkeypatch.setenv("MY_STORE__PATH", str(two))
    assert run(["call", "marketplace.show", *client, "--store-env", "MY_STORE"]) == 0
    assert one.exists()
    assert two.exists()
    assert sandbox.stats()["client_credentials"] == 2


def test_the_server_is_waited_for_as_long_as_the_user_wants(
    sandbox: RunningSandbox, capsys: Captured
) -> None:
    client = ["--base-url", sandbox.base_url]
    assert run(["call", "marketplace.show", *client]) == 0
    for target in ("api", "token"):
        capsys.readouterr()
        sandbox.fault("delay", target=target, seconds=20, count=3)
        command = ["call", "marketplace.show"] if target == "api" else ["token", "refresh"]
        assert run([*command, *client, "--timeout", "0.2"]) == 1
        said = capsys.readouterr().err
        assert "0.2 s" in said
        assert "--timeout" in said
        sandbox.reset()


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ("redis", {"name": "redis", "timeout": 7.0}),
        ({"name": "redis", "timeout": 1}, {"name": "redis", "timeout": 1}),
        ("file", {"name": "file"}),
        ("fiel", {"name": "fiel"}),
        (
            {"name": "read-only", "inner": "redis"},
            {"name": "read-only", "inner": {"name": "redis", "timeout": 7.0}},
        ),
    ],
)
def test_a_remote_store_is_waited_for_as_long(config: Any, found: Any) -> None:
    assert with_time_limit(config, 7.0) == found


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        *[(each, f"got '{each}'") for each in ("0", "-1", "nan", "inf", "soon", "", "3601")],
        ("5s", "got '5s': type 5"),
        ("2 min", "got '2 min': type 120"),
        ("250ms", "got '250ms': type 0.25"),
        ("2h", "got '2h'"),
    ],
)
def test_what_is_not_a_number_of_seconds(typed: str, said: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        Seconds().convert(typed, None, None)
    text = caught.value.message
    assert text.startswith("takes a number of seconds above 0 and at most 3600, ")
    assert text.endswith(said)
