"""Whose token it is: the published key, and what makes two identities one."""

from __future__ import annotations

import copy
import pickle
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_tokenstore import TokenIdentity
from tests.support.vectors import table

VECTORS = table("`TokenIdentity.key`")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize("row", VECTORS)
def test_key_is_as_published(row: dict[str, str]) -> None:
    fields: dict[str, Any] = {name: value for name, value in row.items() if name != "key"}
    assert TokenIdentity(**fields).key == row["key"]


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) >= 5


@given(client_id=TEXT, scope=st.text(st.characters(exclude_categories=["Cs"])), profile=TEXT)
def test_a_key_is_safe_in_any_file_name(client_id: str, scope: str, profile: str) -> None:
    key = TokenIdentity("https://api.example.com", client_id, scope, profile).key
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?-[0-9a-f]{16}", key)


@given(one=st.tuples(TEXT, TEXT), other=st.tuples(TEXT, TEXT))
def test_keys_are_equal_only_if_identities_are(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    first = TokenIdentity("https://api.example.com", one[0], profile=one[1])
    second = TokenIdentity("https://api.example.com", other[0], profile=other[1])
    assert (first.key == second.key) == (one == other) == (first == second)


@given(scopes=st.lists(st.sampled_from(["integ", "user", "read", "write"])), mixed=st.randoms())
def test_order_and_repetition_of_scopes_do_not_matter(scopes: list[str], mixed: Random) -> None:
    shuffled = [*scopes, *scopes]
    mixed.shuffle(shuffled)
    first = TokenIdentity("https://api.example.com", "c", " ".join(scopes))
    second = TokenIdentity("https://api.example.com", "c", "  ".join(shuffled))
    assert first == second
    assert hash(first) == hash(second)
    assert first.key == second.key


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTPS://API.Example.com:443//", "https://api.example.com"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:5000/a/", "http://[::1]:5000/a"),
        ("https://api.example.com/Path", "https://api.example.com/Path"),
    ],
)
def test_a_base_url_has_one_spelling(url: str, normal: str) -> None:
    assert TokenIdentity(url, "c").base_url == normal


@pytest.mark.parametrize(
    "arguments",
    [
        ("", "c"),
        ("api.example.com", "c"),
        ("ftp://api.example.com", "c"),
        ("https://user:SENTINEL@api.example.com", "c"),
        ("https://api.example.com?x=SENTINEL", "c"),
        ("https://api.example.com#x", "c"),
        ("https://api.example.com:99999", "c"),
        ("https://api.example.com", ""),
        ("https://api.example.com", "c", "", ""),
        ("https://[::1", "c"),
        ("https://api.example.com", "caf\udce9"),
        ("https://api.example.com", "c", "", "caf\udce9"),
        ("https://api.example.com/\udce9", "c"),
    ],
)
def test_what_is_no_identity_is_refused(arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"^(base_url|client_id|profile) ") as caught:
        TokenIdentity(*arguments)
    assert caught.type is ValueError, "an error of encoding shows its text"
    assert "SENTINEL" not in str(caught.value)


def test_it_is_frozen_and_travels() -> None:
    identity = TokenIdentity("https://api.example.com", "c", "integ", "staging")
    with pytest.raises(AttributeError):
        identity.profile = "other"
    assert pickle.loads(pickle.dumps(identity)) == copy.deepcopy(identity) == identity
    assert pickle.loads(pickle.dumps(identity)).key == identity.key
    assert "staging" in repr(identity)
    assert identity != "https://api.example.com"
