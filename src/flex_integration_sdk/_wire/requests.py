"""Makes a request from an endpoint and its arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flex_integration_sdk._endpoints.endpoint import API_PATH, Endpoint
from flex_integration_sdk._endpoints.param_types import given as only_given
from flex_integration_sdk._values.exact import exact
from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import ParameterError

from .bodies import encoded, refuse_maps_as_ids
from .media_types import type_of
from .query import query_string, wire_name

TRANSIT = "application/transit+json"
# RFC 9110 section 8.3.1, with its parameters.
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s*;[ -~]*)?")


class ApiRequest(NamedTuple):
    """One API request, without its token; it can be sent more than once."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = None
    files: dict[str, tuple[str, bytes, str]] | None = None
    """Of ``multipart/form-data``: file name, bytes and type by the part's name."""
    timeout: float | None = None
    """Seconds to wait for a response, and then for each further 64 KB; None: the client's."""
    parameters: tuple[str, ...] = ()
    """The names of its parameters, as the API has them."""

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
    unknown: str = "refuse",
) -> ApiRequest:
    """The request for one call.

    Args:
        base_url: Address of the server.
        endpoint: What to call.
        named: Arguments by the API's names.
        others: Further ones by Python's names: of the query for GET, of the body for POST, where
            those that shape the answer (``fields.user``) are of the query too.
        verbose: Sends Transit in its readable form, and asks for it.
        unknown: ``"refuse"``: a name that is near to a known one is an error; ``"send"``: it is
            sent.

    Raises:
        ParameterError: A value has no form on the wire, or is nested too deep, or a parameter is
            misspelt, or given twice, by both its names.
        OSError: A file to be uploaded cannot be read.
    """
    if unknown == "refuse":
        _check_names(endpoint, named, others)
    given = _together(only_given(named), only_given(others))
    names = tuple(name for name, value in given.items() if value is not None)
    url = f"{base_url}{API_PATH}{endpoint.path}"
    headers = {"Accept": TRANSIT, **({"X-Transit-Verbose": "true"} if verbose else {})}
    if endpoint.method == "GET":
        query = query_string(given)
        return ApiRequest("GET", f"{url}?{query}" if query else url, headers, parameters=names)
    in_query = {param.name for param in endpoint.query}
    # ``fields.user`` is a parameter as ``fields`` is; no body has a key with a dot.
    shaping = {name for name in given if name.partition(".")[0] in in_query}
    query = query_string({name: value for name, value in given.items() if name in shaping})
    url = f"{url}?{query}" if query else url
    body = {name: value for name, value in given.items() if name not in shaping}
    if endpoint.multipart:
        label = {name: body.pop(name, None) for name in ("name", "mimeType")}
        files = {name: _part(name, value, **label) for name, value in body.items()}
        return ApiRequest("POST", url, headers, files=files, parameters=names)
    refuse_maps_as_ids(endpoint, body)
    content = encoded(body, verbose)
    headers["Content-Type"] = TRANSIT
    return ApiRequest("POST", url, headers, content, parameters=names)


def _check_names(endpoint: Endpoint, named: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    if others or any(named.get(each) is not None for each in ("fields", "limit", "imageVariant")):
        from .parameter_names import check_names  # here: the first call of a program comes sooner

        check_names(endpoint, named, others)


def _together(given: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments, under the API's names."""
    for name, value in others.items():
        wire = wire_name(name)
        if given.get(wire) is not None:
            raise ParameterError(f"the parameter {wire!r} is given twice, once as {name!r}")
        given = {**given, wire: value}
    return given


def _part(name: str, value: Any, /, **label: Any) -> tuple[str, bytes, str]:
    """A file to upload: its name, its bytes and its type."""
    if name != _sendable(name):
        raise ParameterError(f"parameter {name!r}: its name is not valid Unicode")
    given_name, given_type = (checked_label(each, label[each]) for each in ("name", "mimeType"))
    own_name, content = _read(name, value)
    file = given_name or own_name
    # The name of bytes is then the parameter's own, which tells no type.
    known = given_name or (own_name if own_name != name else "")
    return file, content, given_type or type_of(known)


def _read(name: str, value: Any) -> tuple[str, bytes]:
    """A file's name and its bytes, read whole: after a 401 it is sent again, and a stream would be
    at its end."""
    value = exact(value)
    if isinstance(value, (bytes, bytearray)):
        return name, bytes(value)
    if isinstance(value, (str, os.PathLike)):
        path = Path(value)
        return _sendable(path.name), path.read_bytes()
    content = value.read() if hasattr(value, "read") else None
    if not isinstance(content, bytes):
        raise ParameterError(
            f"{name} must be a path, bytes, or a file opened in binary mode; got "
            f"{type(value).__name__}"
        )
    source = getattr(value, "name", None)
    own = Path(source).name if isinstance(source, (str, os.PathLike)) else name
    return _sendable(own), content


def _sendable(file: str) -> str:
    """A file's own name; a question mark for each byte of it that is not of the locale."""
    return file.encode(errors="replace").decode()


def checked_label(parameter: str, value: Any) -> str | None:
    """A file's name or type as it can be sent; None if it was not given.

    Raises:
        ParameterError: It is not a string, or has a character that a header cannot carry.
    """
    if value is None:
        return None
    text = exact(value)
    if not isinstance(text, str):
        raise ParameterError(
            f"parameter {parameter!r} must be a string, got {type(value).__name__}"
        )
    if parameter == "name":
        if text and text.isprintable():
            return text
        raise ParameterError("parameter 'name' is empty, or contains a control character")
    if _MEDIA_TYPE.fullmatch(text):
        return text
    raise ParameterError(
        f"parameter 'mime_type' must be a media type such as 'image/webp', got {text[:60]!r}"
    )
