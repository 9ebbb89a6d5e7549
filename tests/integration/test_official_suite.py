"""What the official JavaScript SDK tests of itself, in our words, where no other file does.

Its ``context_runner`` has no counterpart: what it runs is here the one loop over the tokens of a
call, tested in ``test_request_order``.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest

from flex_integration_sdk import (
    LatLng,
    LatLngBounds,
    Money,
    _transit,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk._endpoints.endpoint import snake
from flex_integration_sdk._transport.clients import Shared
from flex_integration_sdk._wire.query import form, wire_name
from flex_integration_sdk.errors import ConfigurationError, ServerError
from flex_integration_sdk.sandbox import RunningSandbox
from flex_integration_sdk.types import json_default, json_object_hook

ID = UUID("5f1d1a6e-0000-4000-8000-000000000001")
VALUES = {
    "uuid": ID,
    "at": LatLng(60.5, -24),
    "box": LatLngBounds(LatLng(2, 2), LatLng(1, 1)),
    "price": Money(-5, "EUR"),
    "number": Decimal("1.50"),
}
IN_JAVASCRIPT = (
    '{"uuid":{"_sdkType":"UUID","uuid":"5f1d1a6e-0000-4000-8000-000000000001"},'
    '"at":{"_sdkType":"LatLng","lat":60.5,"lng":-24},'
    '"box":{"_sdkType":"LatLngBounds","ne":{"_sdkType":"LatLng","lat":2,"lng":2},'
    '"sw":{"_sdkType":"LatLng","lat":1,"lng":1}},'
    '"price":{"_sdkType":"Money","amount":-5,"currency":"EUR"},'
    '"number":{"_sdkType":"BigDecimal","value":"1.50"}}'
)


def test_types_survive_json() -> None:
    text = json.dumps(VALUES, default=json_default)
    assert json.loads(text) == json.loads(IN_JAVASCRIPT)
    assert json.loads(text, object_hook=json_object_hook) == VALUES
    assert json.loads(IN_JAVASCRIPT, object_hook=json_object_hook) == VALUES


def test_other_objects_stay_as_they_are() -> None:
    for text in ('{"a": 1}', '{"_sdkType": "Something", "a": 1}'):
        assert json.loads(text, object_hook=json_object_hook) == json.loads(text)
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert json.dumps(moment, default=json_default) == '"2026-01-31T12:00:00.000Z"'
    with pytest.raises(TypeError, match="object has no form"):
        json.dumps(object(), default=json_default)


@pytest.mark.parametrize("verbose", [False, True])
def test_maps_with_any_key_are_read_again(verbose: bool) -> None:
    value = {"length": 3, "a b": {"": [1, {"fields.listing": None}]}, "~x": "^y"}
    assert _transit.loads(_transit.dumps(value, verbose=verbose)) == value
    assert '"~:length"' in _transit.dumps(value, verbose=verbose)


def test_names_on_the_wire() -> None:
    assert snake("fileUploads") == "file_uploads"
    assert wire_name("created_at_start") == "createdAtStart"
    assert wire_name("pub_some_key") == "pub_some_key"


def test_forms_are_escaped() -> None:
    assert form({"length": "1", "a b": "c&d=e+"}) == "length=1&a%20b=c%26d%3De%2B"


def test_the_client_id_and_the_server_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="client_id must be provided"):
        create_instance()
    with pytest.raises(ConfigurationError, match="https://"):
        create_instance("id", base_url="example.com")
    with create_instance("id") as sdk:
        assert sdk.settings.base_url == "https://flex-integ-api.sharetribe.com"
    with create_instance("id", base_url="https://example.com/api//") as sdk:
        assert sdk.settings.base_url == "https://example.com/api"


class Wire:
    """The headers and bodies of the API's requests, and a canned answer to each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[httpx2.Request] = []
        transit = {"Content-Type": "application/transit+json"}
        self.answer: dict[str, Any] = {"content": b'["^ ","~:data",null]', "headers": transit}
        transport = httpx2.MockTransport(self._handle)
        makes = {"sync": httpx2.Client, "async": httpx2.AsyncClient}
        monkeypatch.setattr(
            Shared, "_made", lambda shared: makes[shared.key.kind](transport=transport)
        )

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/auth/token"):
            token = {"access_token": "a", "refresh_token": "r", "token_type": "bearer"}
            return httpx2.Response(200, json=token)
        self.seen.append(request)
        return httpx2.Response(**{"status_code": 200, **self.answer})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


@pytest.mark.parametrize("verbose", [False, True])
def test_transit_is_asked_for_and_sent(wire: Wire, verbose: bool) -> None:
    with create_instance("id", "secret", transit_verbose=verbose) as sdk:
        sdk.marketplace.show()
        sdk.users.approve(id=ID)

    async def main() -> None:
        async with create_async_instance("id", "secret", transit_verbose=verbose) as sdk:
            await sdk.users.approve(id=ID)

    asyncio.run(main())
    query, command, other = wire.seen
    assert other.content == command.content
    for request in (query, command):
        assert request.headers["Accept"] == "application/transit+json"
        assert request.headers["Authorization"] == "Bearer a"
        assert request.headers.get("X-Transit-Verbose") == ("true" if verbose else None)
    assert command.headers["Content-Type"] == "application/transit+json"
    assert command.content.startswith(b'{"~:id"' if verbose else b'["^ ","~:id"')


def test_an_error_with_a_text_body_keeps_it(wire: Wire) -> None:
    wire.answer = {"status_code": 500, "text": "Internal server error"}
    with create_instance("id", "secret") as sdk, pytest.raises(ServerError) as error:
        sdk.listings.show(id=ID)
    assert (error.value.status, error.value.body) == (500, "Internal server error")


def test_a_body_that_claims_to_be_transit_is_decoded_by_its_type_alone(wire: Wire) -> None:
    wire.answer = {"json": {"data": {"id": "x", "type": "marketplace"}}}
    with create_instance("id", "secret") as sdk:
        data: Any = sdk.marketplace.show().data
    assert data == {"id": "x", "type": "marketplace"}  # where the JavaScript SDK gives a string


def test_a_stored_token_is_enough(flex_sandbox: RunningSandbox) -> None:
    options: dict[str, Any] = {"base_url": flex_sandbox.base_url + "/", "token_store": "file"}
    with create_instance(flex_sandbox.client_id, flex_sandbox.client_secret, **options) as sdk:
        sdk.marketplace.show()
    with create_instance(flex_sandbox.client_id, "a wrong secret", **options) as sdk:
        sdk.marketplace.show()
        assert sdk.auth_info().grant_type == "refresh_token"
        assert sdk.revoke() is True
        assert sdk.auth_info().grant_type is None
        assert sdk.revoke() is False
