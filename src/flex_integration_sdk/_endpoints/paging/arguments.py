"""What the arguments of ``iterate`` mean for the walk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flex_integration_sdk._endpoints.endpoint import snake
from flex_integration_sdk._endpoints.param_types import OwnText, given
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._values.exact import exact, is_list
from flex_integration_sdk.errors import ParameterError

from .page import MOST, Ask
from .position import Mode

_MOST_IDS = 100  # the API's limit
_PAGING = {"page": "page", "perPage": "perPage", "per_page": "perPage"}
_OWN_ORDER = ("keywords", "origin")  # best matches first, nearest first
_OLDEST_FIRST = OwnText("-createdAt")  # a plain key has the newest first


class Arguments(NamedTuple):
    """A query, ready to be walked through."""

    parts: list[Ask]
    """The query without its page; for more than 100 ids, a query for each 100."""
    further: dict[str, Any]
    """Arguments that the endpoint's table does not have."""
    most: int
    """Resources on a page."""
    mode: Mode
    newest_first: bool
    digests: dict[str, str]
    """Of each argument but the page's size, by its name in Python."""


def arranged(name: str, arguments: Mapping[str, Any], further: Mapping[str, Any]) -> Arguments:
    """Reads the arguments of ``iterate``.

    Args:
        name: The endpoint's, such as ``"listings.query"``.
        arguments: Those of its table, by the API's names.
        further: The others, by any names.

    Raises:
        ParameterError: ``page`` is among them, or ``per_page`` is not from 1 to 100.
    """
    base, further = _together(name, arguments, further)
    digests = {snake(key): _digest(value) for key, value in base.items() if key != "perPage"}
    digests |= {key: _digest(value) for key, value in further.items()}
    most = _size(base.pop("perPage", None))
    mode, newest_first = _mode(name, base)
    if mode == "moment":
        base.setdefault("sort", _OLDEST_FIRST)
        _ask_for(ENDPOINTS[name].result_type, "createdAt", base, further)
    if mode == "sequence":
        _ask_for(ENDPOINTS[name].result_type, "sequenceId", base, further)
    return Arguments(_parts(base), further, most, mode, newest_first, digests)


def _together(
    name: str, arguments: Mapping[str, Any], further: Mapping[str, Any]
) -> tuple[Ask, dict[str, Any]]:
    base = {key: value for key, value in given(arguments).items() if value is not None}
    params = ENDPOINTS[name].params
    known = {spelt: each.name for each in params for spelt in (each.name, each.python_name)}
    rest: dict[str, Any] = {}
    for key, value in further.items():
        wire = known.get(key) or _PAGING.get(key, "")
        if wire == "page":
            raise ParameterError(
                f"page: {name.partition('.')[0]}.iterate walks through all pages by itself, so it "
                "takes no page; omit it. To go on where an earlier walk ended, pass resume"
            )
        if wire and wire not in base:
            base.update({} if value is None else {wire: value})
        else:
            rest[key] = value  # given twice: the call itself says so
    return base, rest


def _size(asked: Any) -> int:
    size = exact(asked)
    if size is None:
        return MOST
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MOST:
        raise ParameterError(f"per_page must be a whole number from 1 to {MOST}, got {asked!r}")
    return size


def _mode(name: str, base: Ask) -> tuple[Mode, bool]:
    """How to walk, and whether the newest comes first."""
    params = {each.name for each in ENDPOINTS[name].params}
    if "startAfterSequenceId" in params:
        return "sequence", False
    by_creation = {"createdAtStart", "createdAtEnd", "sort"} <= params
    if not by_creation or any(each in base for each in _OWN_ORDER):
        return "number", False
    first = _names(base.get("sort", _OLDEST_FIRST))[:1]
    if first == [_OLDEST_FIRST]:
        return "moment", False
    return ("moment", True) if first == ["createdAt"] else ("number", False)


def _names(value: Any) -> list[str]:
    """The names in an argument, which has them as a list or in one string."""
    value = exact(value)
    found = [value] if isinstance(value, str) else list(value) if is_list(value) else []
    texts = [each for each in map(exact, found) if isinstance(each, str)]
    return [name.strip() for text in texts for name in text.split(",")]


def _ask_for(kind: str, attribute: str, base: Ask, further: dict[str, Any]) -> None:
    """Adds an attribute that the walk needs to those that the program asks for."""
    fields = base.get("fields")
    if isinstance(fields, Mapping) and kind in fields:
        base["fields"] = {**fields, kind: _with(fields[kind], attribute)}
    key = f"fields.{kind}"
    if further.get(key) is not None:
        further[key] = _with(further[key], attribute)


def _with(value: Any, attribute: str) -> Any:
    names = _names(value)
    if attribute in names:
        return value
    return [*(name for name in names if name != "none"), OwnText(attribute)]


def _parts(base: Ask) -> list[Ask]:
    ids = exact(base.get("ids"))
    if isinstance(ids, str):
        ids = ids.split(",")
    if not is_list(ids) or len(ids) <= _MOST_IDS:
        return [base]
    # Each once: one that is in two parts would come twice.
    once = list({_id(each): each for each in ids}.values())
    starts = range(0, len(once), _MOST_IDS)
    return [{**base, "ids": once[start : start + _MOST_IDS]} for start in starts]


def _id(value: Any) -> str:
    """Equal for all forms of an id; the API finds ``6C3F…`` and ``6c3f…`` alike."""
    plain = _plain(value)
    with suppress(ValueError):
        return str(UUID(plain.strip())) if isinstance(plain, str) else _canonical(value)
    return _canonical(value)


def _digest(value: Any) -> str:
    return hashlib.sha256(_canonical(value).encode(errors="replace")).hexdigest()[:16]


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    """Equal for equal arguments, also in another process."""
    value = exact(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if is_list(value):
        items = [_plain(item) for item in value]
        unordered = isinstance(value, (set, frozenset))
        return sorted(items, key=json.dumps) if unordered else items
    if isinstance(value, datetime):
        return str(value.astimezone(UTC) if value.tzinfo else value)
    kind: Any = type(value)
    if kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__:
        return str(value)
    # A type of the program's own, of which its default text would say where in memory it is.
    return [kind.__qualname__, _plain(getattr(value, "__dict__", {}))]
