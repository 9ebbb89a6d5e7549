"""A command that answers 500 has done nothing: no change, no event, and the next one is as before.

The faults are planted in handlers, in the encoding and in the database, as mistakes of the
sandbox's own would be.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from flex_integration_sdk._transit import TaggedValue
from flex_integration_sdk.sandbox._data.database import Database
from flex_integration_sdk.sandbox._endpoints import encoding
from flex_integration_sdk.sandbox._endpoints.context import HANDLERS, Context
from flex_integration_sdk.sandbox._endpoints.parameters import Arguments
from flex_integration_sdk.types import LatLng
from tests.support.asgi_client import FORMATS, InProcess

NOT_SENT = [math.inf, math.nan, b"x", "\ud800", {1}, TaggedValue("r", "http://a"), object()]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[InProcess]:
    found = InProcess()
    yield found
    found.close()


def listing(sandbox: InProcess) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.query("listings/query", "perPage=1").read()["data"][0]
    return found


def everything(sandbox: InProcess) -> Any:
    """What was read of it; an event's own id and time would differ if there was one more."""
    found = sandbox.query("listings/query", "perPage=3").read()["data"]
    last = sandbox.query("events/query").read()["data"]
    return found, [each["id"] for each in last]


def planted(monkeypatch: pytest.MonkeyPatch, name: str, handler: Callable[..., Any]) -> None:
    monkeypatch.setitem(HANDLERS, name, handler)


def change(sandbox: InProcess, found: dict[str, Any], form: str, query: str = "") -> int:
    body = {"id": found["id"], "title": "Changed"}
    return sandbox.command("listings/update", body, form=form, query=query).status


@pytest.mark.parametrize("form", FORMATS)
def test_a_handler_that_fails_after_its_change(
    sandbox: InProcess, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    found, before = listing(sandbox), everything(sandbox)
    whole = HANDLERS["listings.update"]

    def fails(context: Context, asked: Arguments) -> Any:
        whole(context, asked)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        planted(patch, "listings.update", fails)
        assert change(sandbox, found, form) == 500
    assert everything(sandbox) == before


@pytest.mark.each_value
@pytest.mark.parametrize("value", NOT_SENT, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("form", FORMATS)
def test_a_handler_that_stores_what_one_of_the_formats_cannot_say(
    sandbox: InProcess, monkeypatch: pytest.MonkeyPatch, form: str, value: Any
) -> None:
    found, before = listing(sandbox), everything(sandbox)

    def stores(context: Context, asked: Arguments) -> Any:
        return context.change(context.shown("listing", asked["id"]), {"metadata": {"x": value}})

    with monkeypatch.context() as patch:
        planted(patch, "listings.update", stores)
        # Only a reference is sent, but the next query would send it all.
        assert change(sandbox, found, form) == 500
    assert everything(sandbox) == before


@pytest.mark.parametrize("form", FORMATS)
def test_a_response_that_cannot_be_encoded(
    sandbox: InProcess, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    found, before = listing(sandbox), everything(sandbox)

    def fails(*given: Any, **more: Any) -> Any:
        raise ValueError

    with monkeypatch.context() as patch:
        # What is stored is found good; then the response of the format asked for fails.
        for name in ("as_json", "as_transit"):
            patch.setattr(f"flex_integration_sdk.sandbox._server.answers.{name}", fails)
        for query in ("", "expand=true"):
            assert change(sandbox, found, form, query) == 500
    assert everything(sandbox) == before
    assert encoding.as_json(LatLng(1, 2)) == b'{"lat":1.0,"lng":2.0}'


def test_an_event_that_cannot_be_kept(sandbox: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    found, before = listing(sandbox), everything(sandbox)
    put = Database.put

    def full(self: Database, resource: dict[str, Any]) -> dict[str, Any]:
        if resource["type"] == "event":
            raise sqlite3.OperationalError("database or disk is full")
        return put(self, resource)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "put", full)
        assert change(sandbox, found, "json") == 507
    assert everything(sandbox) == before
    assert change(sandbox, found, "json") == 200  # and the next one is done
    assert everything(sandbox) != before


def test_a_file_that_cannot_be_kept(sandbox: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"name": "a.txt", "mimeType": "text/plain", "size": 3}
    file = sandbox.command("files/create", body).read()["data"]["id"]
    link = sandbox.command("file_uploads/create", {"fileId": file}).read()["data"]["attributes"]
    url, kind = urlsplit(link["url"]), {"content-type": "text/plain"}

    def put() -> int:
        return sandbox.send("PUT", url.path, b"abc", kind, url.query.encode()).status

    def full(self: Database, resource: dict[str, Any]) -> dict[str, Any]:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "put", full)
        assert put() == 507
    # Any stored bytes are at this path too, which needs no signature.
    assert sandbox.send("GET", f"/_sandbox/images/{file}").status == 404
    assert put() == 200
