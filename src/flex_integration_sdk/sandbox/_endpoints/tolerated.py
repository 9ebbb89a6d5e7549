"""What the sandbox takes although no reference says that the live API does.

Published workflow nodes, sync connectors and type packages send it. A strict sandbox refuses it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from flex_integration_sdk._endpoints.endpoint import Endpoint, Param
from flex_integration_sdk._endpoints.shared_params import PAGING
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS

# Sent with each show, query and command; ignored where they mean nothing.
_EVERYWHERE = frozenset({"page", "perPage", "per_page", "expand"})
# A published program found out that the live API returns every user, whatever they say.
_NO_FILTERS = {"users.query": frozenset({"email", "ids"})}
_SHAPE = ("fields.", "limit.", "imageVariant.")
_WITHIN = {
    "fields": "fields.listing=title, for example",
    "limit": "limit.images=1, for example; perPage is the size of a page",
    "imageVariant": "imageVariant.small=w:320;h:240;fit:scale, for example",
}
_MOST_OF_A_KEY = 100
_NO_STRINGS = {"bool", "int"}
_TIMES = {"datetime", "TimeRange"}
_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+)?")
_BRACKETS = re.compile(r"(\w+)\[\w*\]")


def known_in_query(endpoint: Endpoint, *, strict: bool) -> tuple[Param, ...]:
    """The query parameters that mean something."""
    params = endpoint.params if endpoint.method == "GET" else endpoint.query
    # Sync connectors ask for pages of events too, until one is not full. How large a page is they
    # cannot say: there is one, of 100 events.
    page, _ = PAGING
    return params if strict or not endpoint.many else (*params, page)


def is_tolerated(endpoint: Endpoint, name: str) -> bool:
    """Whether a query parameter that the endpoint does not have is ignored."""
    if name in _EVERYWHERE or name in _NO_FILTERS.get(endpoint.name, ()):
        return True
    # Of commands, deletions alone have no resource to shape.
    deletes = endpoint.method == "POST" and not endpoint.query
    return deletes and (name == "include" or name.startswith(_SHAPE))


def refusal(endpoint: Endpoint, name: str) -> str:
    """Why a query parameter is refused, and what to write in its place."""
    if filter_like := no_filter(endpoint, name):
        return filter_like
    for param in known_in_query(endpoint, strict=True):
        if name == param.python_name:
            return f"Unknown key {name}: write {_WITHIN.get(param.name, param.name)}"
    if brackets := _BRACKETS.fullmatch(name):
        return f"Unknown key {name}: several values are written {brackets[1]}=one,two"
    return unknown_key(name, known_in_query(endpoint, strict=True))


def unknown_key(name: str, params: Iterable[Param]) -> str:
    """That a key is unknown, and which it may be meant for."""
    if len(name) > _MOST_OF_A_KEY:  # a body's key can have megabytes, which take seconds to compare
        return f"Unknown key {name[:_MOST_OF_A_KEY]}…"
    # Not the default of 0.6, by which "state" is near to "title".
    near = difflib.get_close_matches(name, [param.name for param in params], n=1, cutoff=0.65)
    return f"Unknown key {name}" + (f": did you mean {near[0]}?" if near else "")


def unknown_include(endpoint: Endpoint, path: str) -> str | None:
    """What to say of a path of ``include`` that the reference does not name."""
    kind, known = endpoint.result_type, ""
    for name in path.split("."):
        relations = RELATIONSHIPS.get(kind, {})
        if name in relations:
            kind, known = relations[name].target, f"{known}{name}."
            continue
        near = difflib.get_close_matches(name[:_MOST_OF_A_KEY], relations, n=1)
        meant = f": did you mean {known}{near[0]}?" if near else ""
        return f"{endpoint.result_type} has no relationship {path[:_MOST_OF_A_KEY]}{meant}"
    return None


def no_filter(endpoint: Endpoint, name: str) -> str | None:
    """What to say of a parameter that looks like a filter and is none."""
    if name not in _NO_FILTERS.get(endpoint.name, ()):
        return None
    return f"{endpoint.name} has no filter {name}, so it finds every user; use users.show"


def has_no_zone(raw: Any) -> bool:
    """Whether it is a time without a zone, or a date, which is its midnight."""
    return isinstance(raw, str) and _NO_ZONE.fullmatch(raw) is not None


def is_loose(param: Param, raw: Any, where: str) -> bool:
    """Whether a value is of a form that the live API only might read as it is meant."""
    if param.type in _TIMES and isinstance(raw, str):
        return any(map(has_no_zone, raw.split(",")))
    if param.type == "Money" and isinstance(raw, Mapping):
        return isinstance(raw.get("amount"), str)
    return where == "body" and param.type in _NO_STRINGS and isinstance(raw, str)
