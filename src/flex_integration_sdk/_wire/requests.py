"""Makes a request from an endpoint and its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from flex_integration_sdk._endpoints.endpoint import API_PATH, Endpoint
from flex_integration_sdk._endpoints.param_types import given as only_given
from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import ParameterError

from .bodies import encoded, refuse_maps_as_ids
from .query import query_string, wire_name

if TYPE_CHECKING:
    from flex_integration_sdk._sources.body import Body

TRANSIT = "application/transit+json"


class ApiRequest(NamedTuple):
    """One API request, without its token; it can be sent more than once."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = None
    body: Body | None = None
    """Of an upload, in place of ``content``: it is read while it is sent."""
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
        from .form import LOCAL, form_of

        names = tuple(name for name in names if name not in LOCAL)
        return ApiRequest("POST", url, headers, body=form_of(body), parameters=names)
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
