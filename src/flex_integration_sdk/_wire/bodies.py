"""The body of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flex_integration_sdk import _transit
from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk._values.exact import is_list
from flex_integration_sdk.errors import ParameterError


def encoded(body: dict[str, Any], verbose: bool) -> bytes:
    """The body of a command as it is sent.

    Args:
        body: Arguments by the API's names.
        verbose: In Transit's readable form.

    Raises:
        ParameterError: A value cannot be sent; the message names the parameter, and where in it the
            value is.
    """
    try:
        return _transit.dumps(body, verbose=verbose).encode()
    except _transit.TransitError as error:
        from flex_integration_sdk._values.where import path_to

        # Each for itself, to name the parameter that cannot be sent.
        for name, value in body.items():
            if said := _refusal(value):
                path, _ = path_to(value, lambda part: bool(_refusal(part)))
                where = f" (at {name}{path})" if path else ""
                raise ParameterError(f"parameter {name!r}{where}: {said}") from None
        # A name that cannot be sent.
        raise ParameterError(str(error)) from None


def refuse_maps_as_ids(endpoint: Endpoint, body: Mapping[str, Any]) -> None:
    """Refuses a resource, or another map, in place of an id.

    It would be sent whole, and the API would only say that it is not an id.

    Args:
        endpoint: What is called.
        body: Arguments by the API's names.

    Raises:
        ParameterError: There is one.
    """
    for param in endpoint.params:
        value = body.get(param.name)
        if value is None or param.type not in ("Id", "Ids"):
            continue
        for number, each in enumerate(value if is_list(value) else [value]):
            if isinstance(each, Mapping):
                from flex_integration_sdk._values.advice import kind_of

                where = f" (at {param.name}[{number}])" if is_list(value) else ""
                raise ParameterError(
                    f"parameter {param.name!r}{where}: a value of type {kind_of(each)} is not an "
                    f"id; pass {'its id' if 'id' in each else 'a UUID or a string'}"
                )


def _refusal(value: Any) -> str:
    """Why it cannot be sent; empty: it can."""
    try:
        _transit.dumps({"": value})
    except _transit.TransitError as error:
        return str(error)
    return ""
