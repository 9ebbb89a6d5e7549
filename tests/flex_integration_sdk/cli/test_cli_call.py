"""``flex-sdk call``: every endpoint, its help, its completion and its values."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from flex_integration_sdk import LatLng, LatLngBounds, Money
from flex_integration_sdk._endpoints.endpoint import Endpoint, Param
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.cli._app import flex_sdk
from flex_integration_sdk.cli._argument_values import form_of, value_of
from flex_integration_sdk.sandbox import RunningSandbox, serve


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def run(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", running.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", running.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", running.client_secret)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(flex_sdk, ["call", *arguments])

    return call


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_commands_take_typed_values(run: Any, tmp_path: Path) -> None:
    author = answer(run("users.query", "per_page=1"))["data"][0]["id"]
    data = tmp_path / "data.json"
    data.write_text('{"gears": 22}', encoding="utf-8")
    made = answer(
        run(
            "listings.create",
            "title=A bike = fun",
            f"authorId={author}",
            "state=published",
            "price=1999 EUR",
            "geolocation=60.1,24.9",
            f"public_data=@{data}",
            'metadata:={"list": [1, null]}',
            "expand=true",
        )
    )["data"]
    assert made["attributes"]["title"] == "A bike = fun"
    assert made["attributes"]["price"] == {"amount": 1999, "currency": "EUR"}
    assert made["attributes"]["geolocation"] == {"lat": 60.1, "lng": 24.9}
    assert made["attributes"]["publicData"] == {"gears": 22}
    assert made["attributes"]["metadata"] == {"list": [1, None]}
    cleared = answer(run("listings.update", f"id={made['id']}", "price=null", "expand=true"))
    assert cleared["data"]["attributes"]["price"] is None
    found = answer(run("listings.query", "pub_gears=22", "fields.listing=title", "minStock=0"))
    assert found["data"] == []
    found = answer(run("listings.query", "pub_gears=22", "fields.listing=title"))
    assert [each["attributes"] for each in found["data"]] == [{"title": "A bike = fun"}]


def test_commands_take_what_shapes_the_answer_by_its_dotted_name(run: Any) -> None:
    user = "id=00000002-0000-4000-8000-000000000003"
    for name in ("users.updateProfile", "users.update_profile"):
        changed = run(name, user, "bio=x", "expand=true", "fields.user=email,profile.bio")
        assert answer(changed)["data"]["attributes"] == {
            "email": "user3@example.com",
            "profile": {"bio": "x"},
        }


@pytest.mark.parametrize("filter", ["pub_a", "meta_a", "priv_a", "prot_a"])
def test_filters_by_extended_data_go_over_the_wire_as_they_are(run: Any, filter: str) -> None:
    assert answer(run("users.query", f"{filter}=b=c,d"))["data"] == []


def test_an_image_is_uploaded_by_its_path(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1, 1) + bytes(5))
    assert answer(run("images.upload", f"image={path}"))["data"]["type"] == "image"
    result = run("images.upload", f"image={tmp_path / 'absent.png'}")
    assert result.exit_code != 0


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
def test_every_endpoint_has_help_and_completion(endpoint: Endpoint) -> None:
    result = CliRunner().invoke(flex_sdk, ["call", endpoint.name, "--help"], terminal_width=200)
    assert result.exit_code == 0
    for param in endpoint.all_params:
        assert f"{param.python_name}=" in result.output
    completions = ShellComplete(flex_sdk, {}, "flex-sdk", "_FLEX_SDK_COMPLETE")
    items = completions.get_completions(["call"], endpoint.name[:-1])
    assert endpoint.name in [item.value for item in items]
    params = [item.value for item in completions.get_completions(["call", endpoint.name], "")]
    assert params == [f"{param.python_name}=" for param in endpoint.all_params]


def test_help_lists_all_calls() -> None:
    result = CliRunner().invoke(flex_sdk, ["call", "--help"], terminal_width=200)
    assert all(name in result.output for name in ENDPOINTS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["listings.update", "title=x"], "needs id"),
        (["availabilityExceptions.create"], "needs listing_id and seats and start and end"),
        (["listings.query", "page=two"], "page: takes a whole number, got 'two'"),
        (["listings.update", "id=1", "price=19.99"], "'1999 EUR', or null"),
        (["listings.update", "id=1", "publicData=[1]"], "JSON object"),
        (["listings.update", "id=1", "publicData=@/no/such/file"], "No such file"),
        (["listings.update", "id=1", "metadata:={"], "takes JSON"),
        (["listings.query", "perPage=1", "per_page=2"], "given twice"),
        (["users.show", "email"], "not have the form key=value"),
        (["users.shwo"], "Did you mean users.show?"),
    ],
)
def test_wrong_use_says_what_is_taken(run: Any, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Id", "abc", "abc"),
        ("Ids", "a,b", ["a", "b"]),
        ("bool", "FALSE", False),
        ("int", "-3", -3),
        ("datetime", "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("datetime", "2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("Money", "1999,eur", Money(1999, "EUR")),
        ("LatLng", "1,-2", LatLng(1, -2)),
        ("LatLngBounds", "2,2,1,1", LatLngBounds(LatLng(2, 2), LatLng(1, 1))),
        ("PriceRange", "5", 5),
        ("PriceRange", "5,", (5, None)),
        ("TimeRange", ",2026-01-31", (None, datetime(2026, 1, 31, tzinfo=UTC))),
        ("Fields", '{"user": ["email"]}', {"user": ["email"]}),
    ],
)
def test_values(kind: str, text: str, value: Any) -> None:
    assert value_of(Param("x", kind, ""), text, is_json=False) == value


def test_every_type_of_the_table_has_a_form_or_is_text() -> None:
    kinds = {param.type: param for each in ENDPOINTS.values() for param in each.all_params}
    assert {name for name, param in kinds.items() if not form_of(param)} == {"Id", "str"}


def test_the_command_is_what_click_knows() -> None:
    assert isinstance(flex_sdk.commands["call"], click.Command)
