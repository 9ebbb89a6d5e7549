"""``require_encrypted`` of the SDK and its variable: either requires it, none switches it off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import StoreOptionsError

VARIABLE = "FLEX_INTEGRATION_REQUIRE_ENCRYPTED"


@pytest.mark.parametrize(
    ("argument", "variable", "required"),
    [
        (None, None, False),
        (False, None, False),
        (False, "0", False),
        (True, None, True),
        (True, "off", True),
        (None, "1", True),
        (False, "yes", True),
    ],
)
def test_either_requires_it(argument: bool | None, variable: str | None, required: bool) -> None:
    environ = {} if variable is None else {VARIABLE: variable}
    settings = resolve(client_id="c", require_encrypted=argument, environ=environ)
    assert settings.require_encrypted is required


@pytest.mark.parametrize("value", ["2", "maybe", "'1'", "encrypted"])
def test_a_value_that_is_not_a_switch_is_an_error_and_never_off(value: str) -> None:
    with pytest.raises(ConfigurationError, match=VARIABLE):
        resolve(client_id="c", environ={VARIABLE: value})


def test_a_misspelt_variable_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=f"did you mean {VARIABLE}"):
        resolve(client_id="c", environ={"FLEX_INTEGRATION_REQUIRE_ENCRYPTION": "1"})


@pytest.mark.parametrize("wrong", ["1", 1])
def test_an_argument_of_another_type_is_an_error(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="require_encrypted must be True or False"):
        resolve(client_id="c", require_encrypted=wrong, environ={})


@pytest.mark.parametrize("make", [create_instance, create_async_instance])
@pytest.mark.parametrize("how", ["argument", "variable"])
def test_an_instance_refuses_a_store_of_plain_text(
    make: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"require_encrypted": True}
    if how == "variable":
        monkeypatch.setenv(VARIABLE, "1")
        options = {"require_encrypted": False}
    with pytest.raises(StoreOptionsError, match="'file' would keep the token as plain text"):
        make("c", token_store="file", **options)
    sdk = make("c", token_store="memory", **options)
    sdk._closed = True  # nothing was opened


def test_the_command_line_obeys_it_where_a_token_would_be_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(["call", "marketplace.show", "--client-id", "c"]) != 0
    said = capsys.readouterr().err
    assert "'file' would keep the token as plain text" in said
    assert "as --store choose 'encrypted'" in said
    for command in (["token", "show"], ["token", "remove", "--yes"]):
        assert run([*command, "--client-id", "c"]) == 0, "one must be able to clean up"
