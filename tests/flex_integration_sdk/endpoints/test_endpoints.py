"""The table of endpoints, the methods made from it, and what goes over the wire for them."""

from __future__ import annotations

import dataclasses
import inspect
import json
import runpy
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, get_overloads
from uuid import UUID

import pytest

from flex_integration_sdk import (
    LatLng,
    LatLngBounds,
    Money,
    _transit,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk import resources as resource_types
from flex_integration_sdk._client.builder import InstanceOptions
from flex_integration_sdk._endpoints import table
from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake
from flex_integration_sdk._endpoints.generated.namespace import AsyncEndpoints, Endpoints
from flex_integration_sdk._endpoints.generated.users import UsersEndpoints
from flex_integration_sdk._endpoints.param_types import UNSET
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._wire.requests import prepare
from tests.support.sent_form import sent_files

ROOT = Path(__file__).resolve().parents[3]
ID = UUID("5f1d1a6e-0000-4000-8000-000000000001")
BASE = "https://api.example.com"
all_endpoints = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)


def spied(send: Any, kind: Any = Endpoints) -> Any:
    """All endpoints, which call ``send``."""
    sdk = kind()
    sdk._send = send
    sdk._upload = None
    return sdk


def method(kind: Any, endpoint: Endpoint) -> Any:
    return getattr(getattr(kind, snake(endpoint.resource)), snake(endpoint.action))


def test_the_methods_are_what_the_table_gives() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_stale_missing_or_left_over_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(ROOT / "tools" / "generate.py"))["main"]
    generated = tmp_path / "src" / "flex_integration_sdk" / "_endpoints" / "generated"
    generated.mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    for folder in ("_client", "_vocabulary", "resources"):
        (tmp_path / "src" / "flex_integration_sdk" / folder).mkdir()
    assert main(["--check"], tmp_path) == 1
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    for name in ("users.py", "no_such_resource.py"):
        capsys.readouterr()
        (generated / name).write_text("stale")
        assert main(["--check"], tmp_path) == 1
        assert f"generated/{name}" in capsys.readouterr().out
        assert main([], tmp_path) == 0
        assert main(["--check"], tmp_path) == 0


def test_a_wrong_row_of_the_table_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main = runpy.run_path(str(ROOT / "tools" / "generate.py"))["main"]
    params = (
        Param("listingId", "UUID", "Of this listing."),
        Param("states", "Names", "In these states.", names="OddState"),
        Param("rating", "int", "So good."),
    )
    row = Endpoint("odd", "query", "GET", "odd/query", "NoSuchThing", "Oddities.", params=params)
    monkeypatch.setattr(table, "_TABLE", (row, row))
    assert main([], tmp_path) == 1
    said = capsys.readouterr().out
    assert "odd.query is in _endpoints/table.py more than once" in said
    assert (
        "odd.query returns NoSuchThing, which is not in resources/__init__.py: add noSuchThing to"
        in said
    )
    assert "the parameter listingId has the type UUID, which is not in" in said
    assert "values of the parameter states are of OddState, which is not in _vocabulary" in said
    assert "rating" not in said
    assert [*tmp_path.iterdir()] == []


def test_a_resource_is_imported_when_it_is_first_used() -> None:
    program = (
        "import sys\n"
        "from flex_integration_sdk import create_instance\n"
        "loaded = lambda: [n.rpartition('.')[2] for n in sys.modules if '.generated.' in n]\n"
        "with create_instance('id', token_store='memory') as sdk:\n"
        "    print(*loaded())\n"
        "    assert 'users' in dir(sdk) and loaded() == ['namespace']\n"
        "    assert sdk.users is sdk.users\n"
        "    print(*loaded())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n") == ["namespace", "namespace users", ""]


def test_an_attribute_can_be_replaced_as_in_a_programs_tests() -> None:
    sdk = spied(lambda *what: what)
    sdk.users = "a fake"
    assert sdk.users == "a fake"
    assert isinstance(spied(None).users, UsersEndpoints)
    assert inspect.getdoc(Endpoints.users)


def test_both_create_functions_have_the_arguments_and_all_their_docs() -> None:
    fields = [each.name for each in dataclasses.fields(InstanceOptions)]
    for function in (create_instance, create_async_instance):
        assert [*inspect.signature(function).parameters] == fields
        doc = inspect.getdoc(function)
        assert doc is not None
        for name in fields:
            assert f"\n    {name}: " in doc


def test_none_is_lost_and_the_docs_have_them() -> None:
    assert len(ENDPOINTS) >= 34
    page = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
    for endpoint in ENDPOINTS.values():
        assert f"`sdk.{snake(endpoint.resource)}.{snake(endpoint.action)}`" in page


@all_endpoints
def test_sync_and_async_have_the_same_method_with_docs(endpoint: Endpoint) -> None:
    sync, other = spied(None), spied(None, AsyncEndpoints)
    one, two = method(sync, endpoint), method(other, endpoint)
    # An event loop can read files that only it has.
    assert str(inspect.signature(one)) == str(inspect.signature(two)).replace("AsyncU", "U")
    assert inspect.iscoroutinefunction(two)
    assert not inspect.iscoroutinefunction(one)
    doc = inspect.getdoc(one)
    assert doc is not None
    assert doc == inspect.getdoc(two)
    parameters = inspect.signature(one).parameters
    for param in endpoint.arguments:
        assert parameters[param.python_name].kind is inspect.Parameter.KEYWORD_ONLY
        assert (parameters[param.python_name].default is inspect.Parameter.empty) is param.required
        assert f"{param.python_name}: " in doc
    assert hasattr(resource_types, endpoint.result)


@pytest.mark.parametrize("kind", [Endpoints, AsyncEndpoints])
def test_a_method_that_needs_one_of_several_has_a_form_for_each(kind: Any) -> None:
    found = {each.name for each in ENDPOINTS.values() if each.one_of}
    assert found == {"users.show", "messages.query", "fileDownloads.create"}
    for name in found:
        endpoint = ENDPOINTS[name]
        function = method(spied(None, kind), endpoint).__func__
        forms = [inspect.signature(each).parameters for each in get_overloads(function)]
        assert len(forms) == len(endpoint.one_of)
        for needed, parameters in zip(endpoint.one_of, forms, strict=True):
            assert {*parameters} == {*inspect.signature(function).parameters}
            empty = [n for n, each in parameters.items() if each.default is inspect.Parameter.empty]
            assert snake(needed) in empty
            assert not {snake(each) for each in endpoint.one_of if each != needed} & {*empty}


@all_endpoints
def test_every_argument_reaches_the_request(endpoint: Endpoint) -> None:
    sent: list[Any] = []
    sdk = spied(lambda *what: sent.append(what))
    given = {param.python_name: object() for param in endpoint.arguments}
    method(sdk, endpoint)(**given, something_new=1)
    ((name, named, further),) = sent
    assert name == endpoint.name
    assert named == {param.name: given[param.python_name] for param in endpoint.arguments}
    assert further == {"something_new": 1}


def call(name: str, **arguments: Any) -> Any:
    """The request that a call makes."""
    endpoint = ENDPOINTS[name]
    made: list[Any] = []

    def send(_: str, named: Any, further: Any) -> Any:
        made.append(prepare(BASE, endpoint, named, further))

    method(spied(send), endpoint)(**arguments)
    return made[0]


def test_a_query() -> None:
    request = call(
        "listings.query",
        ids=[ID, "x"],
        bounds=LatLngBounds(LatLng(1, 2), LatLng(-1, -2)),
        price=(1000, None),
        fields={"listing": ["title", "price"]},
        limit={"images": 1},
        image_variant={"small": {"w": 320, "fit": "scale"}},
        pub_category="bike,boat",
        per_page=10,
        new_one=True,
    )
    assert request.method == "GET"
    assert request.content is None
    assert request.url == (
        f"{BASE}/v1/integration_api/listings/query?ids={ID},x&bounds=1,2,-1,-2&price=1000,"
        "&perPage=10&fields.listing=title,price&limit.images=1"
        "&imageVariant.small=w%3A320%3Bfit%3Ascale&pub_category=bike,boat&newOne=true"
    )


def test_a_command_sends_what_is_given_and_null_where_it_clears() -> None:
    request = call(
        "listings.update",
        id=ID,
        price=Money(5000, "EUR"),
        geolocation=None,
        public_data={"some_key": 1, "camelKey": {"inner_key": None}},
        expand=True,
        include=["author"],
        brand_new=3,
    )
    assert request.url == f"{BASE}/v1/integration_api/listings/update?expand=true&include=author"
    assert request.headers["Content-Type"] == "application/transit+json"
    assert _transit.loads(request.content) == {
        "id": ID,
        "price": Money(5000, "EUR"),
        "geolocation": None,
        "publicData": {"some_key": 1, "camelKey": {"inner_key": None}},
        "brandNew": 3,
    }


def test_what_shapes_a_commands_answer_is_of_its_query_by_its_dotted_name_too() -> None:
    shape = {"fields.user": "email", "limit.images": 1, "imageVariant.my_one": "w:1"}
    request = call("users.approve", id=ID, expand=True, brand_new=3, **shape)
    assert request.url == (
        f"{BASE}/v1/integration_api/users/approve?expand=true&fields.user=email&limit.images=1"
        "&imageVariant.my_one=w%3A1"
    )
    assert _transit.loads(request.content) == {"id": ID, "brandNew": 3}


def test_a_command_without_arguments_sends_an_empty_map() -> None:
    request = prepare(BASE, ENDPOINTS["users.approve"], {"id": UNSET, "expand": None}, {})
    assert request.content == b'["^ "]'
    assert "?" not in request.url


def test_a_value_without_a_form_names_its_parameter() -> None:
    for value in (object(), {1: 2}, {"at": datetime(2026, 1, 1)}):  # noqa: DTZ001 - the point
        with pytest.raises(ValueError, match=r"parameter 'publicData' \(at publicData\['x'\]"):
            call("listings.update", id=ID, title="x", public_data={"x": value})


def test_null_is_sent_for_a_stock_that_was_never_set() -> None:
    request = call("stock.compareAndSet", listing_id=ID, old_total=None, new_total=3)
    assert json.loads(request.content)[3:5] == ["~:oldTotal", None]


def test_an_upload_can_be_a_path_bytes_or_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "pic.jpg"
    path.write_bytes(b"\xff\xd8data")

    def sent(image: Any) -> Any:
        return sent_files(call("images.upload", image=image).body)["image"]

    expected = ("pic.jpg", b"\xff\xd8data", "image/jpeg")
    assert sent(path) == sent(str(path)) == expected
    assert sent(b"raw") == ("image", b"raw", "application/octet-stream")
    with path.open("rb") as file:
        assert sent(file) == expected
    with path.open(encoding="latin-1") as text, pytest.raises(TypeError, match="text mode"):
        sent(text)
    with pytest.raises(FileNotFoundError):
        sent(tmp_path / "absent.png")
