"""The table of relationships is whole, and paths are followed through it."""

from __future__ import annotations

from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS, follow


def test_each_target_and_each_result_is_a_type_of_the_table() -> None:
    targets = {each.target for names in RELATIONSHIPS.values() for each in names.values()}
    results = {each.result_type for each in ENDPOINTS.values()}
    assert targets | results <= set(RELATIONSHIPS)


def test_a_path_leads_from_type_to_type() -> None:
    assert follow("transaction", "listing.author.profileImage") == "image"
    assert follow("message", "publicFileAttachments.file") == "file"
    assert follow("listing", "auhtor") is None
    assert follow("listing", "author.nothing") is None
