"""Values of the wire that JSON or Python lack, on the command line."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest

from flex_integration_sdk import FarTime, create_instance, to_json
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.cli._argument_values import value_of
from flex_integration_sdk.cli._output import print_json
from flex_integration_sdk.sandbox import RunningSandbox

PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
LISTING = "00000003-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def client(flex_sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", flex_sandbox.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", flex_sandbox.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", flex_sandbox.client_secret)


def test_a_time_that_was_printed_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    far = FarTime(253402300800000)
    print_json({"end": far})
    typed = json.loads(capsys.readouterr().out)["end"]
    params = {param.name: param for param in ENDPOINTS["availabilityExceptions.create"].params}
    assert value_of(params["end"], typed, is_json=False) == far


def test_numbers_and_texts_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"x": [float("nan"), float("-inf"), "\ud83d"]})
    assert json.loads(capsys.readouterr().out) == {"x": ["NaN", "-Infinity", "\ud83d"]}


def test_call_prints_what_to_json_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["call", "listings.query", "per_page=2", "include=author"]) == 0
    printed = capsys.readouterr().out
    with create_instance() as sdk:
        assert printed == to_json(sdk.listings.query(per_page=2, include="author"), indent=2) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_any_console_can_print_it(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"é😀": "\x7f\x9b\ud83d\n"}
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    monkeypatch.setattr("sys.stdout", stream)
    print_json(value)
    text = stream.buffer.getvalue().decode(encoding)
    assert json.loads(text) == value
    assert all(each.isprintable() or each == "\n" for each in text)
    assert ("é😀" in text) == (encoding == "utf-8")


@pytest.mark.parametrize(
    ("argument", "says"), [(r'metadata:={"a":"\ud83d"}', "'metadata'"), ("include:={}", "include")]
)
def test_what_cannot_be_sent_is_wrong_use_in_one_line(
    argument: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["call", "listings.update", f"id={LISTING}", argument]) == 2
    shown = capsys.readouterr().err
    assert says in shown
    assert shown.count("\n") == 1


def test_an_upload_takes_a_name_and_a_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)
    words = ["call", "images.upload", f"image={path}", "name=a.gif", "mime_type=image/gif"]
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out)["data"]["type"] == "image"
    assert run([*words[:-1], "mimeType=gif"]) == 2
    assert "mime_type" in capsys.readouterr().err
