"""Arguments that queries have in common, as a type for ``**options``."""

from __future__ import annotations

from typing import Generic, TypedDict, TypeVar

from .param_types import Fields, ImageVariants, Limits, NamesOf

Include = TypeVar("Include")


class QueryOptions(TypedDict, Generic[Include], total=False):
    """Arguments that all queries take, to be passed on as ``**options``; each may be omitted.

    ``QueryOptions[ListingInclude]`` has the paths of ``include`` that listings have.
    """

    page: int
    """Page number, from 1."""
    per_page: int
    """Resources on a page, 1 to 100 (default 100)."""
    include: NamesOf[Include]
    """Relationships to include, such as ``author.profileImage``."""
    fields: Fields
    """Attributes to return, by type: ``{"user": ["email"]}``."""
    limit: Limits
    """Maximum of resources for each relationship: ``{"images": 1}``."""
    image_variant: ImageVariants
    """Image variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit": "scale"}}``."""
