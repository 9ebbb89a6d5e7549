"""A program's own types in place of the SDK's."""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import FarTime, LatLng, Money, TypeHandler, create_instance
from flex_integration_sdk._wire.type_handlers import read, write
from flex_integration_sdk.errors import ConfigurationError
from flex_integration_sdk.sandbox import RunningSandbox


@dataclass(frozen=True)
class Key:
    text: str


KEY = TypeHandler(
    UUID, Key, reader=lambda value: Key(str(value)), writer=lambda key: UUID(key.text)
)
PLACE = TypeHandler(
    LatLng,
    can_handle=lambda value: isinstance(value, dict) and set(value) == {"latitude", "longitude"},
    reader=lambda at: {"latitude": at.lat, "longitude": at.lng},
    writer=lambda at: LatLng(at["latitude"], at["longitude"]),
)
TEXT = "5f1d1a6e-0000-4000-8000-000000000001"


def test_values_are_read_and_written_at_any_depth() -> None:
    sdk = {"a": [{"id": UUID(TEXT)}], "at": LatLng(1, 2), "price": Money(1, "EUR"), "n": None}
    own = {
        "a": [{"id": Key(TEXT)}],
        "at": {"latitude": 1.0, "longitude": 2.0},
        "price": Money(1, "EUR"),
        "n": None,
    }
    assert read(sdk, [KEY, PLACE]) == own
    assert write(own, [KEY, PLACE]) == sdk


@pytest.mark.parametrize(
    "several",
    [{Key(TEXT)}, frozenset([Key(TEXT)]), {Key(TEXT): 1}.keys(), {1: Key(TEXT)}.values()],
)
def test_own_types_in_sets_and_views_are_written(several: Any) -> None:
    assert write({"ids": several}, [KEY]) == {"ids": [UUID(TEXT)]}


def test_sets_of_ids_in_a_call(flex_sandbox: RunningSandbox) -> None:
    with create_instance(
        flex_sandbox.client_id,
        flex_sandbox.client_secret,
        base_url=flex_sandbox.base_url,
        type_handlers=[KEY],
    ) as sdk:
        two = {each["id"] for each in sdk.listings.query(per_page=2).data}
        assert {type(each) for each in two} == {Key}
        ids: list[Any] = [two, {UUID(each.text) for each in two}, {each.text for each in two}]
        for each in ids:
            assert {found["id"] for found in sdk.listings.query(ids=each).data} == two


def test_the_first_that_fits_is_used() -> None:
    other = TypeHandler(UUID, reader=str)
    assert read(UUID(TEXT), [other, KEY]) == TEXT
    assert read(UUID(TEXT), [KEY, other]) == Key(TEXT)


def test_a_writer_alone_leaves_reading_as_it_is() -> None:
    cents = TypeHandler(Money, Decimal, writer=lambda value: Money.from_decimal(value, "EUR"))
    assert write({"price": Decimal("1.50")}, [cents]) == {"price": Money(150, "EUR")}
    assert read({"price": Money(150, "EUR")}, [cents]) == {"price": Money(150, "EUR")}


def test_times_can_be_replaced() -> None:
    seconds = TypeHandler(datetime, reader=lambda moment: moment.timestamp())
    assert read([datetime(1970, 1, 2, tzinfo=UTC)], [seconds]) == [86400.0]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"sdk_type": str, "reader": str}, "one of UUID"),
        ({"sdk_type": UUID}, "reader, a writer"),
        ({"sdk_type": UUID, "writer": str}, "app_type or can_handle"),
        ({"sdk_type": UUID, "app_type": Key, "reader": str}, "without a writer takes neither"),
        (
            {"sdk_type": UUID, "app_type": Key, "can_handle": bool, "writer": str},
            "app_type or can_handle",
        ),
    ],
)
def test_a_handler_that_cannot_work_is_refused(arguments: Any, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        TypeHandler(**arguments)


def test_an_instance_uses_them_in_queries_and_answers(flex_sandbox: RunningSandbox) -> None:
    with create_instance(
        flex_sandbox.client_id,
        flex_sandbox.client_secret,
        base_url=flex_sandbox.base_url,
        type_handlers=[KEY],
    ) as sdk:
        listing = sdk.listings.query(per_page=1, include="author").data[0]
        assert isinstance(listing["id"], Key)
        author = listing.related("author")
        assert author is not None
        assert "email" in author.attributes
        user = sdk.users.show(id=author["id"]).data
        assert user["id"] == author["id"]


@dataclass
class Unhashable:
    text: str


class Plain:
    def __init__(self, value: UUID) -> None:
        self.value = value


@pytest.mark.parametrize("reader", [Unhashable, Plain, str, lambda value: {"uuid": str(value)}])
def test_ids_of_any_type_find_what_is_related(
    flex_sandbox: RunningSandbox, reader: Callable[[UUID], Any]
) -> None:
    with create_instance(
        flex_sandbox.client_id,
        flex_sandbox.client_secret,
        base_url=flex_sandbox.base_url,
        type_handlers=[TypeHandler(UUID, reader=reader)],
    ) as sdk:
        for listing in sdk.listings.query(per_page=30, include="author").data:
            author = listing.related("author")
            assert author is not None
            assert "email" in author.attributes


BASES: list[Any] = [object, enum.Enum, Hashable, Sized, Mapping, Sequence, Iterable, str, dict]


@pytest.mark.each_value
@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
@pytest.mark.parametrize("finds", ["app_type", "can_handle"])
def test_a_writer_sees_only_what_the_program_gave(
    flex_sandbox: RunningSandbox, base: type, finds: str
) -> None:
    seen: list[Any] = []

    def note(value: Any) -> Any:
        seen.append(value)
        return value

    def handles(value: Any) -> bool:
        seen.append(value)
        return isinstance(value, base)

    found: Any = {"app_type": base} if finds == "app_type" else {"can_handle": handles}
    handler = TypeHandler(Decimal, writer=note, **found)
    given: list[Any] = [
        UUID("00000003-0000-4000-8000-000000000001"),
        Money(1, "EUR"),
        LatLng(1, 2),
        {"a": ["b", 1]},
        "title",
        True,
    ]
    with create_instance(
        flex_sandbox.client_id,
        flex_sandbox.client_secret,
        base_url=flex_sandbox.base_url,
        type_handlers=[handler],
    ) as sdk:
        id, price, at, data, title, expand = given
        sdk.listings.update(
            id=id, price=price, geolocation=at, public_data=data, title=title, expand=expand
        )
        sdk.listings.query(ids=[id], per_page=1)
        stored = sdk.listings.show(id=id).data.attributes
    parts = [*given, ["b", 1], "b", 1, [id]]
    assert [value for value in seen if value not in parts] == []
    assert (stored["publicData"]["a"], stored["price"], stored["geolocation"]) == (
        ["b", 1],
        price,
        at,
    )


def test_a_handler_for_times_reads_times_only() -> None:
    seconds = TypeHandler(datetime, reader=lambda moment: moment.timestamp())
    far = FarTime(253402300800000)
    assert read([datetime(1970, 1, 2, tzinfo=UTC), far], [seconds]) == [86400.0, far]


def test_a_writer_can_take_functions_and_lists() -> None:
    called = TypeHandler(Decimal, can_handle=callable, writer=lambda make: make())
    first = TypeHandler(UUID, app_type=list, writer=lambda values: UUID(values[0]))
    given = {"a": lambda: Decimal(1), "b": {"c": [TEXT]}}
    assert write(given, [called, first]) == {"a": Decimal(1), "b": {"c": UUID(TEXT)}}
