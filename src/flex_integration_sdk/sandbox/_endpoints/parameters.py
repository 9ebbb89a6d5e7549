"""A request's parameters, checked against the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake
from flex_integration_sdk.sandbox._refusal import ApiFault

from .image_variants import Variant
from .tolerated import (
    is_loose,
    is_tolerated,
    known_in_query,
    refusal,
    unknown_include,
    unknown_key,
)
from .values import KINDS, READERS, SHAPES

EXTENDED = ("pub_", "meta_", "priv_", "prot_")
_LOST_PLUS = re.compile(r"T[\d:.]+ \d\d:?\d\d$")
_SHAPE = {"fields": "fields", "limit": "limit", "imageVariant": "image_variants"}


@dataclass
class Arguments:
    """The arguments of a request."""

    values: dict[str, Any] = field(default_factory=dict)
    """By the API's names, typed."""
    filters: dict[str, str] = field(default_factory=dict)
    """Filters by extended data, such as ``pub_category``."""
    include: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    limit: dict[str, int] = field(default_factory=dict)
    image_variants: dict[str, Variant] = field(default_factory=dict)
    expand: bool = False
    ignored: list[str] = field(default_factory=list)
    """Names of query parameters that mean nothing here."""

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Any = None) -> Any:
        """The argument, or ``default``."""
        return self.values.get(name, default)


def read_arguments(
    endpoint: Endpoint,
    query: Mapping[str, str],
    body: Mapping[str, Any] | None,
    *,
    strict: bool = False,
) -> Arguments:
    """The arguments of one request.

    Args:
        endpoint: What the request is for.
        query: Its query parameters.
        body: Its body, for commands.
        strict: Refuse what the live API only might refuse.

    Raises:
        ApiFault: 400; a key is unknown or missing, or a value is not valid for it.
    """
    found = Arguments()
    _read_query(found, endpoint, query, strict=strict)
    if strict:
        _check_includes(endpoint, found.include)
    if endpoint.method == "POST":
        known = {param.name: param for param in endpoint.params}
        for name, value in (body or {}).items():
            if name not in known:
                title = unknown_key(name, endpoint.params)
                raise _wrong("validation-disallowed-key", name, title, "body")
            found.values[name] = _value(known[name], value, "body", strict=strict)
    where = "query" if endpoint.method == "GET" else "body"
    for param in endpoint.params:
        if param.required and param.name not in found.values:
            raise _wrong("validation-missing-key", param.name, f"{param.name} is missing", where)
    if endpoint.one_of and sum(name in found.values for name in endpoint.one_of) != 1:
        names = " and ".join(endpoint.one_of)
        raise ApiFault(400, "validation-invalid-params", f"Exactly one of {names} is required")
    return found


def _read_query(
    found: Arguments, endpoint: Endpoint, query: Mapping[str, str], *, strict: bool
) -> None:
    known = {param.name: param for param in known_in_query(endpoint, strict=strict)}
    # Official examples also send snake_case (`per_page`).
    spelled = {} if strict else {snake(name): name for name in known}
    for given, value in query.items():
        outer, dot, inner = given.partition(".")
        if dot and inner and outer in _SHAPE and outer in known:
            getattr(found, _SHAPE[outer])[inner] = _shape(given, value)
        elif given.startswith(EXTENDED):
            found.filters[given] = value
        else:
            name = given if given in known else spelled.get(given, "")
            if name == "include":
                found.include = [path for each in value.split(",") if (path := each.strip())]
            elif name == "expand":
                found.expand = _boolean(known[name], value, "query")
            elif name and name not in _SHAPE:
                found.values[name] = _value(known[name], value, "query", strict=strict)
            elif not strict and is_tolerated(endpoint, given):
                found.ignored.append(given)
            else:
                raise _wrong("validation-disallowed-key", given, refusal(endpoint, given), "query")


def _shape(name: str, value: str) -> Any:
    """The value of a parameter that shapes the response."""
    read, what = SHAPES[name.partition(".")[0]]
    try:
        return read(value)
    except ValueError:
        title = f"{name} is not {what}"
        raise _wrong("validation-invalid-value", name, title, "query") from None


def _check_includes(endpoint: Endpoint, paths: list[str]) -> None:
    for path in paths:
        if title := unknown_include(endpoint, path):
            raise _wrong("validation-invalid-value", "include", title, "query")


def _value(param: Param, raw: Any, where: str, *, strict: bool = False) -> Any:
    if raw is None:
        if param.null:
            return None
        raise _wrong("validation-invalid-value", param.name, f"{param.name} is null", where)
    try:
        if strict and is_loose(param, raw, where):
            raise ValueError
        return READERS[param.type](raw)
    except (ValueError, TypeError, LookupError, OverflowError):
        title = f"{param.name} is not {KINDS[param.type]}"
        if where == "query" and isinstance(raw, str) and _LOST_PLUS.search(raw):
            title += "; in a URL, the + of a zone is written %2B"
        raise _wrong("validation-invalid-value", param.name, title, where) from None


def _boolean(param: Param, raw: Any, where: str) -> bool:
    return bool(_value(param, raw, where))


def _wrong(code: str, name: str, title: str, where: str) -> ApiFault:
    return ApiFault(400, code, title, path=(name,), where=where)
