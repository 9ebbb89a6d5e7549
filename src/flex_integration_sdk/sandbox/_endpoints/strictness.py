"""What only a strict sandbox refuses in the values of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.types import LatLng, Money

from .parameters import Arguments

_KEYS = {"Money": {"amount", "currency"}, "LatLng": {"lat", "lng"}}


def check_values(endpoint: Endpoint, body: Mapping[str, Any], asked: Arguments) -> None:
    """Refuses prices and points that the API might refuse.

    Args:
        endpoint: What the request is for.
        body: As it was sent.
        asked: The same, read.

    Raises:
        ApiFault: 400; one has an unknown key, a price is negative, or a point is not on the earth.
    """
    for param in endpoint.params:
        raw, value = body.get(param.name), asked.get(param.name)
        for key in raw if isinstance(raw, Mapping) and param.type in _KEYS else ():
            if key not in _KEYS[param.type]:
                raise _refused("validation-disallowed-key", (param.name, key), "is not a known key")
        if isinstance(value, Money) and value.amount < 0:
            raise _refused("validation-invalid-value", (param.name,), "is negative")
        if isinstance(value, LatLng) and not (abs(value.lat) <= 90 and abs(value.lng) <= 180):
            what = "needs a latitude within 90 degrees and a longitude within 180"
            raise _refused("validation-invalid-value", (param.name,), what)


def _refused(code: str, path: tuple[str, ...], what: str) -> ApiFault:
    return ApiFault(400, code, f"{'.'.join(path)} {what}", path=path, where="body")
