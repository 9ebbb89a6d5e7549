"""The published wire formats, read from their page."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from flex_tokenstore import Secret, Token, TokenIdentity, revision_of

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"
# The rest of the page is the format of a plugin, whose tests read it.
OURS = PAGE.read_text(encoding="utf-8").partition("## An encrypted token")[0]
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("| \n").split(" | ")]
    for line in OURS.splitlines()
    if line.startswith("| `")
]


@pytest.mark.parametrize("row", [row for row in ROWS if len(row) == 5])
def test_identity_vectors(row: list[str]) -> None:
    base_url, client_id, scope, profile, key = row
    assert TokenIdentity(base_url, client_id, scope, profile).key == key


@pytest.mark.parametrize("row", [row for row in ROWS if len(row) == 3])
def test_revision_vectors(row: list[str]) -> None:
    access, refresh, revision = row
    assert revision_of({"access_token": access, "refresh_token": refresh or None}) == revision


def test_the_page_has_vectors() -> None:
    assert {len(row) for row in ROWS} == {3, 5}


def test_clients_servers_and_profiles_are_kept_apart() -> None:
    one = TokenIdentity("https://a.example", "client", "integ")
    assert one == TokenIdentity("HTTPS://A.example:443/", "client", "integ")
    others = [
        TokenIdentity("https://b.example", "client", "integ"),
        TokenIdentity("https://a.example", "Client", "integ"),
        TokenIdentity("https://a.example", "client", "other"),
        TokenIdentity("https://a.example", "client", "integ", "staging"),
    ]
    assert len({one.key, *(other.key for other in others)}) == 5


@pytest.mark.parametrize("url", ["", "example.com", "ftp://x", "https://u:p@x", "https://x/?q=1"])
def test_a_base_url_must_be_one(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        TokenIdentity(url, "client")


def test_a_token_is_frozen_and_shows_nothing() -> None:
    token = Token.issued(
        {"access_token": "SENTINEL-a", "refresh_token": "SENTINEL-r", "expires_in": 60, "x": [1]},
        identity_key="k",
        obtained_at=1000.0,
    )
    assert "SENTINEL" not in f"{token!r}{token}{token.to_dict()!r}{token.access_token!r}"
    assert token.expires_at == 1060.0
    assert token.to_dict()["x"] == [1]
    assert copy.deepcopy(token) == token
    with pytest.raises(AttributeError):
        token.expires_at = 5
    with pytest.raises(TypeError):
        pickle.dumps(token)


@pytest.mark.parametrize(
    "data",
    [
        [],
        "x",
        {},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "a", "flex_tokenstore": 1},
    ],
)
def test_what_is_no_token_is_refused_without_its_value(data: object) -> None:
    with pytest.raises(ValueError, match=r"expected|missing|empty|must be"):
        Token(data)  # type: ignore[arg-type]  # that is the point


def test_a_secret_is_equal_to_its_like_and_never_shown() -> None:
    assert Secret("SENTINEL") == Secret("SENTINEL") != Secret("other")
    assert "SENTINEL" not in f"{Secret('SENTINEL')!r} {Secret('SENTINEL')} {Secret('SENTINEL'):>20}"
