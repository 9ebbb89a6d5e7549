"""Reads the query and the body of a request."""

from __future__ import annotations

import json
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk._transit import loads
from flex_integration_sdk.sandbox._endpoints.media import Upload
from flex_integration_sdk.sandbox._refusal import ApiFault

from .body_values import check_transit, check_values, strict_json

V = TypeVar("V")

TRANSIT = "application/transit+json"
MOST_BODY = 64 * 1024 * 1024  # bytes of one part
# Commas and brackets, before they are decoded: each value takes many times its bytes of memory.
MOST_VALUES = 1_000_000
MOST_DEPTH = 100  # of a body; what is stored is nested a little deeper, and read by recursion


def read_query(request: Request) -> dict[str, str]:
    """The query's parameters.

    Raises:
        ApiFault: 400; they are not UTF-8, or one is given twice: the API's form of several values
            is one, with commas.
    """
    raw: bytes = request.scope["query_string"]
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        title = "The query is not UTF-8, percent-encoded"
        raise ApiFault(400, "validation-invalid-value", title) from None
    hint = ": several values are written {}=one,two"
    return _once(pairs, "query", hint)


async def read_body(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    """The members of a command's body, decoded by its media type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if endpoint.multipart:
        if kind != "multipart/form-data":
            raise ApiFault(400, "unsupported-content-type", "multipart/form-data is required")
        return await _parts(request)
    if kind not in (TRANSIT, "application/json"):
        raise ApiFault(400, "unsupported-content-type", f"Transit or JSON is required, not {kind}")
    sent = await request.body()
    if sum(map(sent.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ApiFault(400, "bad-request", f"The body has more than {MOST_VALUES:,} values")
    try:
        document = strict_json(sent)
        found = loads(sent) if kind == TRANSIT else document
    except ValueError:
        raise ApiFault(400, "bad-request", "The body cannot be decoded") from None
    if not isinstance(found, dict):
        raise ApiFault(400, "bad-request", "The body is not a map")
    if _is_deep(found):
        raise ApiFault(400, "bad-request", f"The body is nested deeper than {MOST_DEPTH}")
    check_values(found)
    if kind == TRANSIT:
        check_transit(document, found)
    return found


def read_json(body: bytes) -> Any:
    """Decodes JSON.

    Raises:
        ValueError: It is not JSON, nested too deep to be read, or holds what cannot be sent again:
            infinity, or what is not Unicode text.
    """
    found = strict_json(body)
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    return found


def _is_deep(value: Any) -> bool:
    """Whether a value is nested deeper than a stored resource may be; without recursion."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [
            each for values in inner for each in values if isinstance(each, (dict, list, tuple))
        ]
        depth += 1
    return bool(level)


async def _parts(request: Request) -> dict[str, Any]:
    try:
        async with request.form(max_part_size=MOST_BODY) as form:
            parts = [
                (
                    name,
                    part
                    if isinstance(part, str)
                    else Upload(part.filename or name, await part.read()),
                )
                for name, part in form.multi_items()
            ]
    except HTTPException:
        raise ApiFault(400, "bad-request", "The body cannot be decoded") from None
    found = _once(parts, "body")
    check_values(found)
    return found


def _once(pairs: list[tuple[str, V]], where: str, hint: str = "") -> dict[str, V]:
    found: dict[str, V] = {}
    for name, value in pairs:
        if name in found:
            title = f"{name} is given twice{hint.format(name)}"
            raise ApiFault(400, "validation-invalid-value", title, path=(name,), where=where)
        found[name] = value
    return found
