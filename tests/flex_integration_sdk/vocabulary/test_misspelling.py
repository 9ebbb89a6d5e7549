"""Which known name was meant by one that is misspelt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk._vocabulary.misspelling import near

KNOWN = ["page", "per_page", "ids", "end", "states", "seats", "start", "min_stock", "user_id"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("perpage", ["per_page"]),
        ("PER-PAGE", ["per_page"]),
        ("pre_page", ["per_page"]),
        ("state", ["states"]),
        ("statr", ["start"]),
        ("stats", ["states", "seats"]),
        ("id", ["ids"]),
        ("user", ["user_id"]),
        ("user_ids", ["user_id"]),
        ("edn", ["end"]),
        ("ends", ["end"]),
        ("mni_sotck", ["min_stock"]),
    ],
)
def test_a_near_name_finds_the_nearest(typed: str, meant: list[str]) -> None:
    assert near(typed, KNOWN) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "_", "and", "en", "age", "size", "stage_two", "max_stock", "created_at", "p" * 100_000],
)
def test_another_name_is_near_to_none(typed: str) -> None:
    assert near(typed, KNOWN) == []


def test_loosely_also_finds_what_is_only_alike() -> None:
    assert near("max_stock", KNOWN, loosely=True) == ["min_stock"]
    assert near("zzz", KNOWN, loosely=True) == []


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=5))
def test_any_text_finds_known_names_only(typed: str, known: list[str]) -> None:
    for loosely in (False, True):
        assert {*near(typed, known, loosely=loosely)} <= {*known}
