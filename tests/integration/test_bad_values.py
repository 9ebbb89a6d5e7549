"""Python values that have no place on the wire: refused by the SDK, or by the sandbox with 400.

No other exception leaves a call, and whatever was accepted is read in every format.
"""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, LatLng, Money, create_instance
from flex_integration_sdk.errors import BadRequestError, NotFoundError, ParameterError
from flex_integration_sdk.sandbox import RunningSandbox, serve
from flex_integration_sdk.types import FarTime, TaggedValue, TooDeep
from tests.support.asgi_client import FORMATS, OverSocket

GIF = b"GIF89a\x02\x00\x03\x00\x00\x00\x00"
WITHIN_ITSELF: list[Any] = []
WITHIN_ITSELF.append(WITHIN_ITSELF)

# A value within extended data: the SDK refuses it, or the sandbox does, or it is stored.
BY_SDK, BY_SANDBOX, STORED = ParameterError, BadRequestError, None
VALUES: dict[str, tuple[Any, type[Exception] | None]] = {
    "nan": (math.nan, BY_SDK),
    "infinity": (-math.inf, BY_SDK),
    "infinity within": ({"a": [math.inf]}, BY_SDK),
    "half a surrogate pair": ("a\ud800", BY_SDK),
    "half a surrogate pair as a key": ({"\udfff": 1}, BY_SDK),
    "bytes": (b"x", BY_SANDBOX),
    "bytearray": (bytearray(b"x"), BY_SANDBOX),
    "memoryview": (memoryview(b"x"), BY_SDK),
    "fraction": (Fraction(1, 3), BY_SDK),
    "complex": (1j, BY_SDK),
    "decimal nan": (Decimal("sNaN"), BY_SDK),
    "decimal infinity": (Decimal("-Infinity"), BY_SDK),
    "huge exponent": (Decimal("1e999999"), BY_SANDBOX),
    "decimal": (Decimal("1.50"), STORED),
    "64 bits": (2**63 - 1, STORED),
    "more than 64 bits": (2**63, BY_SANDBOX),
    "beyond a double": (10**400, BY_SANDBOX),
    "too many digits": (10**5000, BY_SDK),
    "time without a zone": (datetime(2026, 1, 1), BY_SDK),  # noqa: DTZ001 - that is the test
    "time beyond UTC": (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), BY_SDK),
    "the last time": (datetime.max.replace(tzinfo=UTC), STORED),
    "date": (date(2026, 1, 1), BY_SDK),
    "time of day": (time(1), BY_SDK),
    "duration": (timedelta(1), BY_SDK),
    "far time": (FarTime(253402300800000), BY_SANDBOX),
    "tag of a URI": (TaggedValue("r", "http://a"), BY_SANDBOX),
    "unknown tag": (TaggedValue("unknown", 1), BY_SANDBOX),
    "too deep": (TooDeep(), BY_SDK),
    "object": (object(), BY_SDK),
    "function": (len, BY_SDK),
    "generator": ((each for each in "ab"), BY_SDK),
    "stream": (BytesIO(b"x"), BY_SDK),
    "path": (Path("x"), BY_SDK),
    "within itself": (WITHIN_ITSELF, BY_SDK),
    "number as a key": ({1: "a"}, BY_SDK),
    "bytes as a key": ({b"a": 1}, BY_SDK),
    "empty key": ({"": 1}, STORED),
    "set": ({1, 2}, STORED),
    "range": (range(3), STORED),
    "array": (array("i", [1, 2]), STORED),
    "id": (UUID(int=1), STORED),
    "point": (LatLng(60, 24), STORED),
    "money": (Money(1, "EUR"), STORED),
    "too much money": (Money(2**70, "EUR"), BY_SANDBOX),
    "null character": ("\x00", STORED),
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    with create_instance(
        running.client_id, running.client_secret, base_url=running.base_url
    ) as found:
        yield found


@pytest.fixture(scope="module")
def client(running: RunningSandbox) -> OverSocket:
    return OverSocket(running)


@pytest.fixture(scope="module")
def listing(sdk: IntegrationSDK) -> Any:
    return sdk.listings.query(per_page=1).data[0].id


@pytest.mark.parametrize("name", VALUES)
def test_within_extended_data(
    sdk: IntegrationSDK, client: OverSocket, listing: Any, name: str
) -> None:
    value, refused = VALUES[name]
    if refused is None:
        sdk.listings.update(id=listing, public_data={"x": value})
        for form in FORMATS:
            assert client.query("listings/show", f"id={listing}", form).read()["data"]
        assert sdk.listings.show(id=listing).data.attributes["publicData"]["x"] is not None
        return
    with pytest.raises(refused, match="publicData"):
        sdk.listings.update(id=listing, public_data={"x": value})


@pytest.mark.parametrize("name", VALUES)
def test_as_an_argument(sdk: IntegrationSDK, listing: Any, name: str) -> None:
    value = VALUES[name][0]
    commands: list[Callable[[], Any]] = [
        lambda: sdk.listings.update(id=listing, price=value),
        lambda: sdk.listings.update(id=listing, geolocation=value),
        lambda: sdk.listings.update(id=listing, images=[value]),
        lambda: sdk.stock_adjustments.create(listing_id=listing, quantity=value),
        lambda: sdk.users.update_profile(id=value, first_name=value),
    ]
    allowed = {"money": 0, "point": 1, "id": 2}.get(name)  # there the value is right
    for number, command in enumerate(commands):
        if number != allowed:
            with pytest.raises((ParameterError, BadRequestError)):
                command()


@pytest.mark.parametrize("name", VALUES)
def test_in_a_query(sdk: IntegrationSDK, name: str) -> None:
    value = VALUES[name][0]
    queries: list[Callable[[], Any]] = [
        lambda: sdk.listings.query(pub_x=value),
        lambda: sdk.listings.query(ids=[value], keywords=value, price=value),
        lambda: sdk.listings.query(created_at_start=value, sort=value),
        lambda: sdk.listings.query(fields={"listing": value}, limit={"images": value}),
        lambda: sdk.users.show(email=value),
    ]
    for query in queries:
        with suppress(ParameterError, BadRequestError, NotFoundError):
            query()


@pytest.mark.skipif(os.name == "nt", reason="names of files are Unicode there")
@pytest.mark.parametrize(
    "name", [b"\xff.gif", "\u00e4\n.gif".encode(), b'q"\\.gif', b"\r\nX: y.gif"]
)
def test_a_file_with_an_odd_name_is_uploaded(
    sdk: IntegrationSDK, tmp_path: Path, name: bytes
) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    try:
        with open(path, "wb") as file:
            file.write(GIF)
    except OSError:
        pytest.skip("the file system takes Unicode names only")
    assert sdk.images.upload(image=os.fsdecode(path), expand=True).data.attributes["variants"]
    with open(os.fsdecode(path), "rb") as file:
        assert sdk.images.upload(image=file).data.id


def test_a_field_whose_name_cannot_be_sent(sdk: IntegrationSDK) -> None:
    with pytest.raises(ParameterError, match=r"'a\\ud800': its name is not valid Unicode"):
        sdk.images.upload(image=GIF, **{"a\ud800": b"x"})  # type: ignore[arg-type]  # the mistake
