"""From an endpoint and its arguments to what is sent."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import _transit
from ._arguments import UNSET
from ._endpoints import API_PATH, Endpoint
from ._failures import host_of
from ._query import query_string, wire_name

TRANSIT = "application/transit+json"


class ApiRequest(NamedTuple):
    """One API request, without its token; it can be sent more than once."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = None
    files: dict[str, tuple[str, bytes, str]] | None = None
    """Of ``multipart/form-data``: file name, bytes and type by the part's name."""

    def __repr__(self) -> str:
        # A traceback may show locals. The query has personal values, or an upload's signature.
        return f"<ApiRequest {self.method} to {host_of(self.url)}>"

    def __rich_repr__(self) -> Iterator[str]:
        yield f"{self.method} to {host_of(self.url)}"


def prepare(
    base_url: str,
    endpoint: Endpoint,
    named: Mapping[str, Any],
    others: Mapping[str, Any],
    *,
    verbose: bool = False,
) -> ApiRequest:
    """The request for one call.

    Args:
        base_url: Address of the server.
        endpoint: What to call.
        named: Arguments by the API's names.
        others: Further ones by Python's names: of the query for GET, of the body for POST, where
            those that shape the answer (``fields.user``) are of the query too.
        verbose: Sends Transit in its readable form, and asks for it.

    Raises:
        TypeError: A value has no form on the wire.
        ValueError: A value is a number that is none, or nested too deep.
        OSError: A file to be uploaded cannot be read.
    """
    given = {name: value for name, value in named.items() if value is not UNSET}
    url = f"{base_url}{API_PATH}{endpoint.path}"
    headers = {"Accept": TRANSIT, **({"X-Transit-Verbose": "true"} if verbose else {})}
    if endpoint.method == "GET":
        query = query_string({**given, **{wire_name(name): others[name] for name in others}})
        return ApiRequest("GET", f"{url}?{query}" if query else url, headers)
    in_query = {param.name for param in endpoint.query}
    given |= {wire_name(name): others[name] for name in others}
    # ``fields.user`` is a parameter as ``fields`` is; no body has a key with a dot.
    shaping = {name for name in given if name.partition(".")[0] in in_query}
    query = query_string({name: value for name, value in given.items() if name in shaping})
    url = f"{url}?{query}" if query else url
    body = {name: value for name, value in given.items() if name not in shaping}
    if endpoint.multipart:
        files = {name: _part(name, value) for name, value in body.items()}
        return ApiRequest("POST", url, headers, files=files)
    content = _encoded(body, verbose)
    return ApiRequest("POST", url, {**headers, "Content-Type": TRANSIT}, content)


def _encoded(body: dict[str, Any], verbose: bool) -> bytes:
    try:
        return _transit.dumps(body, verbose=verbose).encode()
    except _transit.TransitError as error:
        for name, value in body.items():
            try:
                _transit.dumps({name: value})
            except _transit.TransitError as found:
                raise _transit.TransitError(f"parameter {name!r}: {found}") from None
        raise error from None


def _part(name: str, value: Any) -> tuple[str, bytes, str]:
    """A file to upload, read whole: after a 401 it is sent again, and a stream would be at its
    end."""
    if isinstance(value, (bytes, bytearray)):
        return name, bytes(value), "application/octet-stream"
    if isinstance(value, (str, os.PathLike)):
        path = Path(value)
        return path.name, path.read_bytes(), type_of(path.name)
    content = value.read() if hasattr(value, "read") else None
    if not isinstance(content, bytes):
        raise TypeError(
            f"{name} takes a file's path, its bytes, or a file opened for reading bytes; got "
            f"{type(value).__name__}"
        )
    source = getattr(value, "name", None)
    file = Path(source).name if isinstance(source, (str, os.PathLike)) else name
    return file, content, type_of(file)


def type_of(file: str) -> str:
    """The media type that a file's name tells."""
    return mimetypes.guess_type(file)[0] or "application/octet-stream"
