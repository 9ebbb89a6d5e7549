"""Reads the query and the body of a request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk._transit import loads
from flex_integration_sdk.sandbox._endpoints.media import Upload
from flex_integration_sdk.sandbox._refusal import ApiFault

from .body_values import check_transit, check_values, strict_json

V = TypeVar("V")

TRANSIT = "application/transit+json"
_DECODED = (TRANSIT, "application/json")
_IN_MEMORY = 1024 * 1024  # bytes of a file, as for parts of a form; more are on the disk
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


@asynccontextmanager
async def read_body(request: Request, endpoint: Endpoint) -> AsyncIterator[dict[str, Any] | None]:
    """The members of a command's body, decoded by its media type; None for a query.

    Files that were sent are closed, and gone, when the block is left.
    """
    if endpoint.method != "POST":
        yield None
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not endpoint.multipart:
        yield _decoded(kind, await request.body() if kind in _DECODED else b"")
        return
    if kind != "multipart/form-data":
        raise ApiFault(400, "unsupported-content-type", "multipart/form-data is required")
    try:
        form = await request.form(max_part_size=MOST_BODY)
    except HTTPException:
        raise ApiFault(400, "bad-request", "The body cannot be decoded") from None
    try:
        yield _parts(form)
    finally:
        await form.close()


@asynccontextmanager
async def read_file(request: Request) -> AsyncIterator[Upload]:
    """A body that is a file. It is gone when the block is left."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for piece in request.stream():
            file.write(piece)
        yield Upload("", cast("BinaryIO", file), file.tell())


def _decoded(kind: str, sent: bytes) -> dict[str, Any]:
    if kind not in _DECODED:
        raise ApiFault(400, "unsupported-content-type", f"Transit or JSON is required, not {kind}")
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


def _parts(form: FormData) -> dict[str, Any]:
    parts = [
        (
            name,
            part
            if isinstance(part, str)
            else Upload(part.filename or name, part.file, part.size or 0),
        )
        for name, part in form.multi_items()
    ]
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
