"""Parameters as other SDKs call them."""

from __future__ import annotations

import pytest

from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._vocabulary.elsewhere import _MEANT, called_here

KNOWN = {each.python_name for row in ENDPOINTS.values() for each in row.arguments}


@pytest.mark.parametrize("name", ["page_size", "pageSize", "pagesize", "page-size", "PAGE_SIZE"])
def test_capitals_and_dashes_do_not_count(name: str) -> None:
    assert called_here(name, KNOWN) == "per_page"


def test_each_is_a_name_here_and_none_of_the_others_is() -> None:
    assert {*_MEANT.values()} <= KNOWN
    assert not {*_MEANT} & {each.replace("_", "") for each in KNOWN}


def test_only_what_is_known_is_named() -> None:
    assert called_here("page_size", ["page"]) == ""
    assert called_here("colour", KNOWN) == ""
