"""From what is typed on a command line to the arguments of an endpoint."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from ._usage import curly_quotes_in

if TYPE_CHECKING:
    from flex_integration_sdk import FarTime
    from flex_integration_sdk._endpoints.endpoint import Endpoint, Param


class _Form(NamedTuple):
    text: str
    """How it is typed, for help and errors; empty: as it is."""
    read: Callable[[str], Any]


def endpoints() -> dict[str, Endpoint]:
    """All endpoints, by the API's names."""
    from flex_integration_sdk._endpoints.table import ENDPOINTS

    return ENDPOINTS


def endpoint_of(name: str) -> Endpoint | None:
    """The endpoint of a name in the API's spelling or in Python's, ``users.update_profile``."""
    from flex_integration_sdk._endpoints.endpoint import snake

    found = endpoints()
    python = {f"{snake(each.resource)}.{snake(each.action)}": each for each in found.values()}
    return found.get(name) or python.get(name)


class _SaidError(ValueError):
    """An error whose message says all, so that none is put in its place."""


def value_of(param: Param | None, text: str, *, is_json: bool) -> Any:
    """The value of a string from the command line.

    Args:
        param: The parameter; None: one that the table does not have.
        text: What was typed.
        is_json: It is JSON, whatever the parameter is.

    Raises:
        ValueError: It stands for none, or the file that it names cannot be read; the message says
            what is taken.
    """
    if is_json:
        return _json(text)
    if param is None:
        return text
    if param.null and text == "null":
        return None
    form = _FORMS.get(param.type)
    if form is None:
        return text
    try:
        return form.read(text)
    except _SaidError:
        raise
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"takes {form_of(param)}, got {text[:60]!r}") from None


def form_of(param: Param) -> str:
    """How a user types values of the parameter; empty: unchanged."""
    form = _FORMS.get(param.type)
    found = "" if form is None else form.text
    return f"{found or 'text'}, or null" if param.null else found


def _json(text: str, kind: str = "JSON") -> Any:
    path = text[1:] if text.startswith("@") else None
    try:
        # Of bytes it tells the encoding itself, with a byte order mark: as Windows tools write it.
        return json.loads(text if path is None else read_file(path))
    except UnicodeError:
        raise _SaidError(
            f"{path} is not UTF-8 text; save it as UTF-8, or with a byte order mark"
        ) from None
    except (json.JSONDecodeError, RecursionError) as error:
        where = "" if path is None else f" in {path}"
        raise _SaidError(f"takes {kind}, or @FILE with it: {error}{where}{_hint(text)}") from None


def _hint(text: str) -> str:
    """What is likely wrong with JSON that was typed."""
    if curly_quotes_in(text):
        return "; its quotes are curly, as in copied text: type straight ones"
    if "'" in text and '"' not in text:
        return "; strings have double quotes in JSON"
    if re.search(r"[{,]\s*\w+\s*:", text):
        return """; keys have double quotes in JSON, and the shell needs single ones around all: \
'{"key": 1}'"""
    return ""


def _object(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith(("{", "[", "@")):
        raise ValueError  # nobody tried to type JSON
    found = _json(text, "a JSON object")
    if not isinstance(found, dict):
        raise ValueError
    return found


def _id(text: str) -> str:
    UUID(text)
    return text


def _ids(text: str) -> list[str]:
    return [_id(part) for part in _list(text)]


def _upload(text: str) -> Any:
    """The path of a file that can be read: a wrong one is told before anything is requested."""
    if text == "-":
        if sys.stdin is None or sys.stdin.isatty():
            what = "closed" if sys.stdin is None else "a terminal"
            raise _SaidError(f"- is standard input, which is {what}: pipe a file, or name one")
        return sys.stdin.buffer
    path = text.removeprefix("@")  # as curl has it; a file of such a name: ./@name
    if not path:
        raise ValueError
    read_file(path, 0)
    return str(Path(path).expanduser())


def read_file(path: str, size: int = -1) -> bytes:
    """The content of a file.

    Args:
        path: Its path; a ``~`` at the start is expanded.
        size: How many bytes to read at most; -1: all.

    Raises:
        ValueError: It cannot be read; the message names it and says why.
    """
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        raise _SaidError(f"there is no file {path!r}") from None
    except IsADirectoryError:
        raise _SaidError(f"{path!r} is a folder, and a file is needed") from None
    except (OSError, ValueError, RuntimeError) as error:  # a null byte; a user without a home
        why = getattr(error, "strerror", None) or str(error)
        raise _SaidError(f"{path!r} cannot be read: {why}") from None


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _time(text: str) -> datetime | FarTime:
    from flex_integration_sdk._values.far_time import time_of

    return time_of(text)


def _money(text: str) -> Any:
    from flex_integration_sdk.types import Money

    amount, currency = text.replace(",", " ").split()
    return Money(int(amount), currency.upper())


def _point(text: str) -> Any:
    from flex_integration_sdk.types import LatLng

    lat, lng = (float(part) for part in text.split(","))
    return LatLng(lat, lng)


def _box(text: str) -> Any:
    from flex_integration_sdk.types import LatLng, LatLngBounds

    north, east, south, west = (float(part) for part in text.split(","))
    return LatLngBounds(LatLng(north, east), LatLng(south, west))


def _range(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def ranged(text: str) -> Any:
        if "," not in text:
            return read(text)
        low, high = text.split(",")
        return (read(low) if low else None, read(high) if high else None)

    return ranged


def _list(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


_ID = "00000003-0000-4000-8000-000000000001"
_FORMS = {
    "Id": _Form(f"an id such as {_ID}", _id),
    "Ids": _Form("ids, separated by commas", _ids),
    "Names": _Form("names, separated by commas", _list),
    "bool": _Form("true or false", _boolean),
    "int": _Form("a whole number", int),
    "datetime": _Form("a time such as 2026-01-31T12:00Z; without a zone: UTC", _time),
    "Money": _Form("minor units and currency, such as '1999 EUR'", _money),
    "LatLng": _Form("LAT,LNG in degrees", _point),
    "LatLngBounds": _Form("NE_LAT,NE_LNG,SW_LAT,SW_LNG in degrees", _box),
    "PriceRange": _Form(
        "minor units: PRICE, or FROM,BELOW (one of the two may be empty)", _range(int)
    ),
    "TimeRange": _Form("a time, or FROM,BELOW (one of the two may be empty)", _range(_time)),
    "ExtendedData": _Form("a JSON object, or @FILE with one", _object),
    "Fields": _Form('a JSON object; or fields.TYPE=names, as in "fields.user=email"', _object),
    "Limits": _Form("a JSON object; or limit.RELATIONSHIP=number", _object),
    "ImageVariants": _Form("a JSON object; or imageVariant.NAME='w:320;h:240;fit:scale'", _object),
    "Upload": _Form("FILE, @FILE, or - for standard input", _upload),
}
