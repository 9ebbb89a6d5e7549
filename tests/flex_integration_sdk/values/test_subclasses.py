"""A value of a subclass is sent as the plain value that it is, whatever the subclass prints."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk import FarTime, LatLng, Money, create_async_instance, create_instance
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._transit import dumps
from flex_integration_sdk._wire.query import object_query_string, query_string
from flex_integration_sdk._wire.requests import prepare
from flex_integration_sdk.errors import FlexError, ParameterError
from flex_integration_sdk.names import AnyName
from flex_integration_sdk.sandbox import RunningSandbox
from tests.support.sent_form import sent_files


class Loud:
    """Prints itself in every way as something else."""

    def __str__(self) -> str:
        return "LOUD"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return "LOUD"

    def __int__(self) -> int:
        return 666

    __index__ = __int__

    def __float__(self) -> float:
        return 6.66

    def __bytes__(self) -> bytes:
        return b"LOUD"

    def isoformat(self, *_: object, **__: object) -> str:
        return "LOUD"

    def astimezone(self, _: object = None) -> Any:
        return self

    def __radd__(self, other: object) -> str:
        return "LOUD"

    def encode(self, *_: object) -> bytes:
        return b"LOUD"


class LoudText(Loud, str):
    pass


class LoudInt(Loud, int):  # type: ignore[misc]  # on purpose
    pass


class LoudFloat(Loud, float):  # type: ignore[misc]  # on purpose
    pass


class LoudDecimal(Loud, Decimal):  # type: ignore[misc]  # on purpose
    pass


class LoudUUID(Loud, UUID):
    pass


class LoudTime(Loud, datetime):  # type: ignore[misc]  # on purpose
    pass


class LoudBytes(Loud, bytes):
    pass


def loud_time(moment: datetime) -> LoudTime:
    parts = moment.timetuple()[:6]
    return LoudTime(*parts, moment.microsecond, moment.tzinfo)


def member(kind: Any, value: Any) -> Any:
    return kind("Kind", {"MEMBER": value}).MEMBER


class TextEnum(str, enum.Enum):  # noqa: UP042 - the older form prints itself otherwise
    CLOSED = "closed"


class Wide(int, enum.Enum):
    ONE = 1


class Described(str, enum.Enum):  # noqa: UP042 - as above
    """The value and the member's text are different things."""

    CLOSED = ("closed", "Shut down")

    def __new__(cls, text: str, about: str) -> Described:
        made = str.__new__(cls, text)
        made._value_ = about
        return made


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.one_of(
    texts.map(lambda value: (LoudText(value), value)),
    texts.filter(bool).map(lambda value: (member(enum.StrEnum, value), value)),
    st.integers(-(2**70), 2**70).map(lambda value: (LoudInt(value), value)),
    st.integers(-(2**70), 2**70).map(lambda value: (member(enum.IntEnum, value), value)),
    st.integers(0, 255).map(lambda value: (member(enum.IntFlag, value), value)),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: (LoudFloat(value), value)),
    st.uuids().map(lambda value: (LoudUUID(int=value.int), value)),
    st.datetimes(timezones=st.just(UTC)).map(lambda value: (loud_time(value), value)),
    st.just((TextEnum.CLOSED, "closed")),
    st.just((Described.CLOSED, "closed")),
    st.just((Wide.ONE, 1)),
)
BODY_ONLY = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda v: (LoudDecimal(v), v)),
    st.binary(max_size=9).map(lambda value: (LoudBytes(value), value)),
)


def body(value: Any, verbose: bool) -> bytes | None:
    given = {"id": UUID(int=1), "publicData": {"x": value, "list": [value, (value,)]}}
    return prepare("https://x", ENDPOINTS["listings.update"], given, {}, verbose=verbose).content


@given(PAIRS)
def test_a_subclass_has_the_bytes_of_its_plain_value_in_a_query(pair: tuple[Any, Any]) -> None:
    own, plain = pair
    assert query_string({"pub_x": own}) == query_string({"pub_x": plain})
    assert query_string({"pub_x": [own, {own: 1}.keys()]}) == query_string({"pub_x": [plain] * 2})
    assert object_query_string({"w": own}) == object_query_string({"w": plain})


@given(PAIRS | BODY_ONLY, st.booleans())
def test_a_subclass_has_the_bytes_of_its_plain_value_in_a_body(
    pair: tuple[Any, Any], verbose: bool
) -> None:
    own, plain = pair
    assert body(own, verbose) == body(plain, verbose)


@given(texts)
def test_so_do_names_and_keys(name: str) -> None:
    for own in (LoudText(name), *([member(enum.StrEnum, name)] if name else [])):
        assert query_string({"fields": {own: own}}) == query_string({"fields": {name: name}})
        assert object_query_string({own: 1}) == object_query_string({name: 1})
        assert query_string({own: 1}) == query_string({name: 1})
        for verbose in (False, True):
            assert dumps({own: 1}, verbose=verbose) == dumps({name: 1}, verbose=verbose)


def test_parts_of_our_types_are_plain_values() -> None:
    money = Money(LoudInt(5), LoudText("EUR"))
    assert (type(money.amount), type(money.currency)) == (int, str)
    assert str(money) == "0.05 EUR"
    assert Money.from_decimal(LoudDecimal("1.5"), "EUR") == Money(150, "EUR")
    assert LatLng(LoudFloat(1.5), LoudInt(2)) == LatLng(1.5, 2.0)
    with pytest.raises(ValueError, match="three capital"):
        Money(1, LoudText("euro"))


def test_a_path_of_a_subclass_is_that_path(tmp_path: Path) -> None:
    (tmp_path / "pic.webp").write_bytes(b"data")
    for own in (LoudText(tmp_path / "pic.webp"), member(enum.StrEnum, str(tmp_path / "pic.webp"))):
        request = prepare("https://x", ENDPOINTS["images.upload"], {"image": own}, {})
        assert sent_files(request.body) == {"image": ("pic.webp", b"data", "image/webp")}


class Pair(NamedTuple):
    low: int
    high: int


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, 2],
        lambda: (1, 2),
        lambda: Pair(1, 2),
        lambda: deque([1, 2]),
        lambda: range(1, 3),
        lambda: {1: 0, 2: 0}.keys(),
        lambda: {0: 1, 1: 2}.values(),
        lambda: {1, 2},
        lambda: frozenset([1, 2]),
    ],
)
def test_lists_of_all_kinds(make: Callable[[], Any]) -> None:
    assert query_string({"ids": make()}) == "ids=1,2"
    assert dumps({"ids": make()}) == '["^ ","~:ids",[1,2]]'


@dataclass
class Record:
    x: int


class Plain(enum.Enum):
    MEMBER = "value"


class NotATime(datetime):
    """As ``pandas.NaT``: an instance of datetime without a time."""

    year = float("nan")  # type: ignore[assignment]  # the point


class NoOffset(tzinfo):
    def utcoffset(self, _: datetime | None) -> timedelta | None:
        return None

    dst = utcoffset

    def tzname(self, _: datetime | None) -> str | None:
        return None


REFUSED: list[tuple[Any, str]] = [
    (Record(1), "Record"),
    (Plain.MEMBER, r"Plain.*\.value"),
    (iter([1]), "list_iterator.*list"),
    ((each for each in "ab"), "generator.*list"),
    (object(), "object"),
    (1j, "complex"),
    (Fraction(1, 3), "Fraction"),
    (date(2026, 1, 1), "date"),
    (datetime(2026, 1, 1), "time zone"),  # noqa: DTZ001 - the point
    (datetime(2026, 1, 1, tzinfo=NoOffset()), "time zone"),
    (NotATime(2026, 1, 1), "NotATime"),
    (timedelta(1), "timedelta"),
    (10**5000, "digits"),
    (Record, "type"),
]


@pytest.mark.parametrize(("value", "says"), REFUSED, ids=[type(v).__name__ for v, _ in REFUSED])
def test_what_has_no_form_names_its_parameter_and_its_type(value: Any, says: str) -> None:
    for endpoint, name, given_ in (
        ("listings.query", "pub_x", {"pub_x": value}),
        ("listings.query", "fields.listing", {"fields": {"listing": [value]}}),
        ("listings.update", "publicData", {"id": "x", "publicData": {"a": [value]}}),
        ("listings.update", "include", {"id": "x", "include": value}),
    ):
        with pytest.raises(ParameterError, match=f"{name}.*{says}") as caught:
            prepare("https://x", ENDPOINTS[endpoint], given_, {})
        assert isinstance(caught.value, (TypeError, ValueError, FlexError))


def test_numpys_scalars() -> None:
    """Not a dependency; where it is, its whole numbers are sent and other scalars are too, or
    refused with their name."""
    numpy = pytest.importorskip("numpy")
    assert query_string({"x": [numpy.int64(5), numpy.float64(1.5)]}) == "x=5,1.5"
    assert dumps([numpy.int64(5), numpy.str_("a")]) == '[5,"a"]'
    with pytest.raises(ParameterError, match=r"'x'.*ndarray.*list"):
        query_string({"x": numpy.array([1])})
    with pytest.raises(ParameterError, match=r"'x'.*float32.*item"):
        query_string({"x": numpy.float32(1)})


class Whole:
    """As numpy's: not an int, but registered as a whole number."""

    def __index__(self) -> int:
        return 7


def test_whole_numbers_that_are_not_int() -> None:
    import numbers

    numbers.Integral.register(Whole)
    assert query_string({"x": Whole()}) == "x=7"
    assert dumps([Whole()]) == "[7]"


def test_the_sdk_sends_them_alike_in_queries_and_commands(
    flex_sandbox: RunningSandbox,
) -> None:
    options: Any = {
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "base_url": flex_sandbox.base_url,
    }
    with create_instance(**options) as sdk:
        plain = sdk.listings.query(states="closed", per_page=1).meta["totalItems"]
        for state in (TextEnum.CLOSED, LoudText("closed"), Described.CLOSED):
            found = sdk.listings.query(states=[AnyName(state)], per_page=Wide.ONE)
            assert found.meta["totalItems"] == plain != 0
        listing = found.data[0].id
        sdk.listings.update(id=LoudUUID(int=listing.int), public_data={"category": TextEnum.CLOSED})
        assert sdk.listings.query(pub_category=TextEnum.CLOSED).data[0].id == listing


def test_asyncio_programs_too(flex_sandbox: RunningSandbox) -> None:
    import asyncio

    async def main() -> None:
        async with create_async_instance(
            flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
        ) as sdk:
            found = await sdk.listings.query(states=[AnyName(TextEnum.CLOSED)], per_page=Wide.ONE)
            assert found.meta["totalItems"]
            with pytest.raises(ParameterError, match=r"'states'.*Plain"):
                await sdk.listings.query(states=[Plain.MEMBER])  # type: ignore[list-item]  # the point

    asyncio.run(main())


def test_a_far_time_in_a_query() -> None:
    moment = FarTime(253402300800000)
    assert query_string({"end": moment}) == "end=%2B010000-01-01T00%3A00%3A00.000Z"
