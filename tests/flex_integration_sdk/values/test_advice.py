"""A value that cannot be sent is refused by type, with what to pass in its place."""

from __future__ import annotations

import enum
import io
from collections import UserString
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import Money, Response
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._values.advice import advice
from flex_integration_sdk._wire.requests import prepare
from flex_integration_sdk.errors import ParameterError
from flex_integration_sdk.resources import User
from flex_tokenstore import Secret


class State(enum.Enum):
    OPEN = "s3cret"


@dataclass
class Record:
    name: str = "s3cret"


class Index:
    def __index__(self) -> int:
        raise AssertionError("nobody asks")

    __float__ = __index__


class Scalar(Index):
    """As numpy's float32."""

    ndim = 0

    def __array__(self) -> object:
        raise AssertionError("nobody asks")


class Array(Scalar):
    ndim = 1


bool_ = type("bool", (Scalar,), {"__module__": "numpy"})
missing = type("NAType", (), {"__module__": "pandas"})


class NotATime(datetime):
    """As pandas.NaT."""

    year = float("nan")  # type: ignore[assignment]  # the point


class SecretStr:
    """As pydantic's."""

    def get_secret_value(self) -> str:
        raise AssertionError("nobody asks")

    def __repr__(self) -> str:
        return "s3cret"


class Model:
    """As pydantic's."""

    model_dump = SecretStr.get_secret_value


async def coroutine() -> None:
    """Never awaited."""


async def generator() -> AsyncIterator[int]:
    yield 1


@pytest.fixture
def waiting() -> Any:
    found = coroutine()
    yield found
    found.close()


VALUES: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: State.OPEN, "State", "its .value"),
    (lambda: (each for each in "ab"), "generator", "a list"),
    (lambda: map(str, [1]), "map", "a list"),
    (lambda: zip([1], [2], strict=True), "zip", "a list"),
    (lambda: iter({1: 2}), "dict_keyiterator", "a list"),
    (generator, "async_generator", "a list"),
    (lambda: Scalar(), "Scalar", "its .item()"),
    (lambda: bool_(), "numpy.bool", "its .item()"),
    (lambda: Array(), "Array", "a list, such as its .tolist()"),
    (lambda: Index(), "Index", "int(…)"),
    (lambda: Fraction(1, 3), "Fraction", "float(…)"),
    (lambda: missing(), "NAType", "None"),
    (lambda: NotATime(2026, 1, 1), "NotATime", "a datetime with a time zone, or None"),
    (lambda: date(2026, 1, 1), "date", "a datetime with a time zone"),
    (lambda: time(1), "time", "a datetime with a time zone"),
    (lambda: timedelta(1), "timedelta", "a whole number"),
    (lambda: Path("s3cret"), "Path", "a string"),
    (lambda: UserString("s3cret"), "UserString", "a string"),
    (lambda: SecretStr(), "SecretStr", ".get_secret_value()"),
    (lambda: Secret("s3cret"), "Secret", ".reveal()"),
    (lambda: Model(), "Model", ".model_dump()"),
    (lambda: Record(), "Record", "its parts"),
    (lambda: memoryview(b"s3cret"), "memoryview", "bytes(…)"),
    (lambda: io.BytesIO(b"s3cret"), "BytesIO", ".read()"),
    (lambda: len, "builtin_function_or_method", "call it"),
    (lambda: SecretStr().get_secret_value, "method", "call it"),
    (lambda: Response[Any](200, {"data": "s3cret"}), "Response", "its .data"),
    (lambda: object(), "object", "TypeHandler"),
    (lambda: Record, "type", "TypeHandler"),
    (lambda: 1j, "complex", "TypeHandler"),
]
IN_QUERIES: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: b"s3cret", "bytes", "a string"),
    (lambda: Decimal("1.5"), "Decimal", "an int, a float or a string"),
    (lambda: Decimal("NaN"), "Decimal", "an int, a float or a string"),
    (lambda: Money(1, "EUR"), "Money", "its .amount"),
    (lambda: {"s3cret": 1}, "dict", "a string"),
    (lambda: User({"id": "s3cret", "type": "user"}), "User", "its id"),
]


def refused(name: str, **given: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        prepare("https://x", ENDPOINTS[name], given, {})
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("make", "kind", "instead"), VALUES + IN_QUERIES)
def test_in_a_query(make: Callable[[], Any], kind: str, instead: str) -> None:
    for value, where in ((make(), ""), ([1, [make()]], " (at pub_x[1][0])")):
        said = refused("listings.query", pub_x=value)
        assert said.startswith(f"query parameter 'pub_x'{where}: ")
        told, _, advised = said.partition("; pass ")
        assert kind in told
        assert instead in advised


@pytest.mark.parametrize(("make", "kind", "instead"), VALUES)
def test_in_a_body(make: Callable[[], Any], kind: str, instead: str) -> None:
    for value, where in (
        (make(), ""),
        ({"sizes": [1, {"w": make()}]}, " (at publicData['sizes'][1]['w'])"),
    ):
        said = refused("listings.update", id="x", publicData=value)
        assert said.startswith(f"parameter 'publicData'{where}: ")
        told, _, advised = said.partition("; pass ")
        assert kind in told
        assert instead in advised


def test_what_was_not_awaited(waiting: Any) -> None:
    assert "await" in refused("listings.query", pub_x=waiting)
    assert "await" in advice(waiting)


@pytest.mark.parametrize("make", [lambda: iter([1]), lambda: io.BytesIO(b"ab")])
def test_nothing_is_read_of_what_is_refused(make: Callable[[], Any]) -> None:
    value = make()
    refused("listings.query", pub_x=[value])
    refused("listings.update", id="x", publicData={"a": value})
    assert list(value) == list(make())
