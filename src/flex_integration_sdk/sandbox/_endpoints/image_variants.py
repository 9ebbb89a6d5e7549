"""Image variants: their addresses, and those that a request names itself.

Such as ``imageVariant.small=w:320;h:240;fit:scale``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from flex_integration_sdk.sandbox._data.database import IMAGES, Resource

# The API's limit is not published; no camera makes wider images.
MOST_PIXELS = 100_000
_SHAPE = re.compile(r"w:[^;]*|h:[^;]*|fit:(?:scale|crop)")


class Variant(NamedTuple):
    """What a variant is to fit in, in pixels; None: as wide or high as the image."""

    width: int | None
    height: int | None
    crop: bool


def read_variant(text: str) -> Variant:
    """The variant that a parameter describes.

    Raises:
        ValueError: It is not ``w``, ``h`` (whole numbers from 1) and ``fit`` (scale or crop), or
            has neither ``w`` nor ``h``.
    """
    parts = text.split(";")
    if not all(map(_SHAPE.fullmatch, parts)):
        raise ValueError
    size = dict(part.split(":") for part in parts)
    width, height = (_pixels(size[side]) if side in size else None for side in "wh")
    if len(size) != len(parts) or width == height is None:
        raise ValueError
    return Variant(width, height, size.get("fit") == "crop")


def _pixels(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= MOST_PIXELS:
        raise ValueError
    return int(text)


def with_variants(image: Resource, wanted: Mapping[str, Variant]) -> Resource:
    """The image with further variants."""
    variants = dict(image["attributes"]["variants"])
    whole = variants["default"]
    for name, (given_width, given_height, crop) in wanted.items():
        width, height = given_width or whole["width"], given_height or whole["height"]
        if not crop:
            ratio = min(width / whole["width"], height / whole["height"], 1)
            sides = (max(1, round(whole[side] * ratio)) for side in ("width", "height"))
            width, height = sides
        variants[name] = {**whole, "name": name, "width": width, "height": height}
    return {**image, "attributes": {**image["attributes"], "variants": variants}}


def with_addresses(body: dict[str, Any], base_url: str) -> dict[str, Any]:
    """The body of a response, in which images are at the address of this sandbox."""

    def complete(found: Any) -> Any:
        if isinstance(found, list):
            return [complete(each) for each in found]
        variants = found.get("attributes", {}).get("variants") if found["type"] == "image" else None
        if not variants:
            return found
        own = {name: _at(each, base_url) for name, each in variants.items()}
        return {**found, "attributes": {**found["attributes"], "variants": own}}

    has_resources = {"data", "included"}
    return {name: complete(part) if name in has_resources else part for name, part in body.items()}


def _at(variant: dict[str, Any], base_url: str) -> dict[str, Any]:
    url = variant["url"]
    # An older database has whole addresses.
    return {**variant, "url": base_url + url} if url.startswith(IMAGES) else variant
