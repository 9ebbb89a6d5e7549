"""Types of the endpoints' arguments."""

from __future__ import annotations

import enum
import os
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import IO, Any, TypedDict, TypeVar, Union
from uuid import UUID

from flex_integration_sdk._vocabulary.names import AnyName
from flex_integration_sdk.types import AsyncReadable, LatLng, LatLngBounds, Money, Readable

__all__ = [
    "UNSET",
    "AnyName",
    "AnyNames",
    "AsyncReadable",
    "AsyncUpload",
    "ExtendedData",
    "Fields",
    "Id",
    "Ids",
    "ImageVariants",
    "LatLng",
    "LatLngBounds",
    "Limits",
    "Money",
    "Names",
    "NamesOf",
    "NothingMore",
    "PriceRange",
    "Progress",
    "Readable",
    "TimeRange",
    "Unset",
    "UnusedPaging",
    "Upload",
    "datetime",
]


class Unset(enum.Enum):
    """Type of :data:`UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset.UNSET
"""Of a command's argument: not sent, so that what is stored stays. (None clears it.)"""


class OwnText(str):
    """A value of the SDK's own among the arguments of a call: no type handler sees it."""

    __slots__ = ()


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the program passed."""
    return {name: value for name, value in arguments.items() if value is not UNSET}


Id = UUID | str
"""A resource's id."""
Ids = Sequence[Id] | Set[Id]
"""Several ids, in a list or a set."""
Names = str | Sequence[str]
"""One name, or several: ``"author"``, ``["author", "images"]``."""
_Name = TypeVar("_Name")
NamesOf = Union[_Name, AnyName, Sequence[Union[_Name, AnyName]]]  # noqa: UP007 - of a variable
"""One name of a closed set, or several: ``NamesOf[ListingState]``."""
AnyNames = AnyName | Sequence[AnyName]
"""Names where the types list none."""
Fields = Mapping[str, Names]
"""Names by type."""
Limits = Mapping[str, int]
"""A number by relationship."""
ImageVariants = Mapping[str, str | Mapping[str, Any]]
"""An image variant by name."""
ExtendedData = Mapping[str, Any]
"""An object of your own."""
PriceRange = int | tuple[int | None, int | None]
"""A price, or from and below, in minor units."""
TimeRange = datetime | tuple[datetime | None, datetime | None]
"""A time, or from and below."""
Upload = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Readable | Iterable[bytes]
)
"""A file's path, its bytes, the open file, a stream, or an iterable of bytes."""
AsyncUpload = Upload | AsyncReadable | AsyncIterable[bytes]
"""The same, and the async ones."""
Progress = Callable[[int, int | None], object]
"""Called with the bytes that were sent, and with their number, if that is known."""


class NothingMore(TypedDict):
    """Type of further arguments where the types know all: a type checker refuses any other name.

    A ``dict[str, Any]`` as ``**`` passes one that is newer than this SDK.
    """


class UnusedPaging(TypedDict, total=False):
    """The same for queries without pages, which ignore what ``QueryOptions`` may have of them."""

    page: int
    per_page: int
