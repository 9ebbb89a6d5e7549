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
from flex_integration_sdk.cli._call_parameters import arguments
from flex_integration_sdk.sandbox import RunningSandbox, serve

ID = "id=00000003-0000-4000-8000-000000000001"


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
    for typed in (f"image={path}", f"image=@{path}"):
        assert answer(run("images.upload", typed))["data"]["type"] == "image"
    result = run("images.upload", f"image={tmp_path / 'absent.png'}")
    assert result.exit_code != 0
    words = ["call", "images.upload", "image=-", "name=a.png"]
    assert answer(CliRunner().invoke(flex_sdk, words, path.read_bytes()))["data"]["id"]
    result = CliRunner().invoke(flex_sdk, words, b"")
    assert "image is empty" in str(result.exception)


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
        (["users.show"], "needs id or email"),
        (["users.show", ID, "email=x"], "only one of id and email"),
        (["availabilityExceptions.create"], "needs listing_id and seats and start and end"),
        (["listings.query", "page=two"], "page: takes a whole number, got 'two'"),
        (["listings.query", "limit.images=two"], "limit.images: takes a whole number, got 'two'"),
        (["listings.query", "fields=title"], 'fields.TYPE=names, as in "fields.user=email"'),
        (["listings.show", "id=1"], "takes an id such as"),
        (["listings.query", "ids=1,2"], "takes ids, separated by commas, got '1,2'"),
        (["listings.update", ID, "price=19.99"], "'1999 EUR', or null"),
        (["listings.update", ID, "publicData=[1]"], "JSON object"),
        (["listings.update", ID, "publicData=@/no/such/file"], "there is no file '/no/such/file'"),
        (["listings.update", ID, "publicData=@/"], "'/' is a folder"),
        (["listings.update", ID, "publicData={'a': 1}"], "double quotes in JSON"),
        (["listings.update", ID, "publicData={a: 1}"], """'{"key": 1}'"""),
        (["listings.update", ID, "publicData={\u201ca\u201d: 1}"], "curly"),
        (["listings.update", ID, "metadata:={"], "takes JSON"),
        (["images.upload", "image=@/no/such/file"], "there is no file '/no/such/file'"),
        (["images.upload", "image=@"], "takes FILE, @FILE, or - for standard input, got '@'"),
        (["listings.query", "perPage=1", "per_page=2"], "given twice; give it once"),
        (
            ["listings.query", f"ids={ID[3:]}", "ids="],
            "given twice; separate its values with commas",
        ),
        (["users.show", "email"], "email needs a value: email=VALUE"),
        (["listings.query", "page", "=", "2"], "page needs a value: page=VALUE, without blanks"),
        (["listings.create", "=x"], "does not have the form KEY=VALUE"),
        (["users.shwo"], "Did you mean users.show?"),
        (["users.query.page"], "Did you mean users.query?"),
        (["users", "query"], "Did you mean users.query?"),
        (["users/query"], "Did you mean users.query?"),
        (["query.users"], "Did you mean users.query?"),
        (["user"], "Name its action too: users.approve"),
        (["page=2", "users.query"], "the call first, and its parameters after it: users.query"),
    ],
)
def test_wrong_use_says_what_is_taken(run: Any, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("call", "typed", "meant"),
    [
        ("listings.query", "perpage", "per_page"),
        ("listings.query", "per-page", "per_page"),
        ("listings.query", "PER_PAGE", "per_page"),
        ("listings.query", "pages", "page"),
        ("listings.query", "feilds.listing", "fields.listing"),
        ("listings.query", "imageVariants.small", "image_variant.small"),
        ("listings.query", "fields.", "fields.NAME=…"),
        ("listings.query", "fields.listings", "fields.listing"),
        ("listings.query", "fields_listing", "fields.listing"),
        ("listings.query", "stats", "states or seats"),
        ("listings.query", "max_stock", "min_stock"),
        ("listings.query", "publicData.gears", "pub_gears"),
        ("listings.query", "pub-gears", "pub_gears"),
        ("listings.query", "pub_", "pub_KEY=…"),
        ("listings.update", "pub_gears", "public_data"),
        ("listings.update", "titel", "title"),
    ],
)
def test_an_unknown_parameter_is_an_error_with_the_nearest_name(
    run: Any, running: RunningSandbox, call: str, typed: str, meant: str
) -> None:
    before = running.stats()
    result = run(call, ID, f"{typed}=1") if call == "listings.update" else run(call, f"{typed}=1")
    assert result.exit_code == 2
    assert f"{call} has no parameter {typed!r}. Did you mean {meant}?" in result.output
    assert running.stats() == before


def test_an_option_that_is_typed_as_a_parameter_is_told(run: Any) -> None:
    result = run("users.query", "timeout=5")
    assert result.exit_code == 2
    assert "It is an option of the command: --timeout SECONDS" in result.output


def test_the_key_of_a_filter_is_sent_as_it_is_typed() -> None:
    given = arguments(ENDPOINTS["listings.query"], ["pub_wheelSize=26"])
    assert given == {"pub_wheelSize": "26"}


def test_a_near_name_is_passed_as_json_too(run: Any) -> None:
    result = run("users.query", "perpage:=1")
    assert result.exit_code == 1
    assert "Unknown key perpage" in str(result.exception)  # so says the sandbox


def test_a_name_that_is_near_none_is_passed_as_json_only(run: Any) -> None:
    result = run("users.query", "zzzz=1")
    assert result.exit_code == 2
    assert "(to pass one that this version does not know: zzzz:=JSON)" in result.output
    assert run("users.query", "zzzz:=1").exit_code == 1  # the server says what it thinks of it


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Id", ID[3:], ID[3:]),
        ("Ids", f"{ID[3:]},{ID[3:]}", [ID[3:], ID[3:]]),
        ("Names", "a,b", ["a", "b"]),
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
    assert {name for name, param in kinds.items() if not form_of(param)} == {"str"}


def test_the_command_is_what_click_knows() -> None:
    assert isinstance(flex_sdk.commands["call"], click.Command)
