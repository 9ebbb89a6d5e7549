"""The token: what it keeps, what it shows, and the published revision."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flex_tokenstore import Secret, Token, revision_of
from flex_tokenstore._values import token as _token
from tests.support.vectors import table

VECTORS = table("`revision_of`")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ANSWER = {
    "access_token": "SENTINEL-access",
    "refresh_token": "SENTINEL-refresh",
    "token_type": "bearer",
    "expires_in": 60,
    "scope": "integ",
}


def issued(**changes: Any) -> Token:
    return Token.issued({**ANSWER, **changes}, identity_key="key", obtained_at=1000.0)


@pytest.mark.parametrize("row", VECTORS)
def test_revision_is_as_published(row: dict[str, str]) -> None:
    token = {"access_token": row["access_token"], "refresh_token": row["refresh_token"] or None}
    assert revision_of(token) == row["revision"]
    if row["access_token"].isascii():  # the others are what a wrapper or a stranger may store
        assert Token(token).revision == row["revision"]


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) >= 3


def test_a_missing_an_empty_and_a_null_refresh_token_are_the_same() -> None:
    without = {"access_token": "a"}
    assert (
        revision_of(without)
        == revision_of({**without, "refresh_token": None})
        == revision_of({**without, "refresh_token": ""})
    )


def test_a_wrapped_token_keeps_the_revision_of_the_plain_one() -> None:
    wrapped = {"access_token": "ciphertext", "flex_tokenstore": {"revision": "of the plain one"}}
    assert revision_of(wrapped) == "of the plain one"


@given(one=st.tuples(st.text(), st.text()), other=st.tuples(st.text(), st.text()))
def test_revisions_are_equal_only_if_the_tokens_are(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    revisions = [
        revision_of({"access_token": access, "refresh_token": refresh})
        for access, refresh in (one, other)
    ]
    assert (revisions[0] == revisions[1]) == (one == other)


@given(extra=st.dictionaries(st.text().filter(lambda name: name not in ANSWER), JSON))
def test_all_fields_are_kept_and_copied(extra: dict[str, Any]) -> None:
    extra.pop("flex_tokenstore", None)
    token = issued(**extra)
    given_back = token.to_dict()
    assert given_back.pop("flex_tokenstore")["identity"] == "key"
    assert given_back == {**ANSWER, **extra}
    given_back.clear()
    assert Token(token.to_dict()) == token


def test_its_times_and_grant() -> None:
    token = issued()
    assert (token.obtained_at, token.expires_at, token.lifetime) == (1000.0, 1060.0, 60.0)
    assert token.grant_type == "refresh_token"
    assert issued(refresh_token=None).grant_type == "client_credentials"
    assert issued(expires_in=None).expires_at is None
    assert issued(expires_in=True).lifetime is None


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        ("3600", 3600.0),
        (" 3600.5 ", 3600.5),
        (3600.5, 3600.5),
        (0, 0),
        (-5, -5),
        ("soon", None),
        ([60], None),
        (10**400, None),
        ("9" * 400, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
    ids=[
        "text",
        "fraction-text",
        "fraction",
        "0",
        "negative",
        "word",
        "list",
        "huge",
        "huge-text",
        "infinity",
        "nan",
    ],
)
def test_a_lifetime_that_is_no_number_of_seconds_is_not_known(
    lifetime: Any, seconds: float | None
) -> None:
    token = issued(expires_in=lifetime)
    assert token.lifetime == seconds
    stored = token.to_dict()
    assert repr(stored["expires_in"]) == repr(lifetime), "what the server gave is kept"
    if seconds is None:
        # A writer that computed one all the same.
        stored["flex_tokenstore"]["expires_at"] = lifetime if isinstance(lifetime, float) else 1e99
    assert Token(stored).lifetime == seconds


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("integ", "integ"),
        (["integ", "user:read"], "integ user:read"),
        ([], ""),
        ([1], None),
        ({"integ": True}, None),
        (None, None),
    ],
    ids=repr,
)
def test_a_scope_in_any_form_is_kept(scope: Any, expected: str | None) -> None:
    token = issued(scope=scope)
    assert token.scope == expected
    assert token.to_dict()["scope"] == scope


def test_a_token_type_in_any_form_is_kept() -> None:
    assert issued(token_type=["x"]).token_type is None
    assert issued(token_type="BEARER").token_type == "BEARER"


def test_it_shows_no_secret() -> None:
    token = issued()
    shown = f"{token!r} {token} {token.to_dict()!r} {token.to_dict()} {token.access_token}"
    assert "SENTINEL" not in shown + repr(token.refresh_token)
    assert token.digest in repr(token)
    assert token.access_token.reveal() == "SENTINEL-access"


def test_it_is_frozen_and_does_not_travel() -> None:
    token = issued()
    with pytest.raises(AttributeError):
        token.expires_at = 5
    with pytest.raises(AttributeError):
        del token.expires_at
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(token)
    assert copy.copy(token) is copy.deepcopy(token) is token
    assert hash(token) == hash(issued())


@pytest.mark.parametrize(
    "data",
    [
        [],
        "SENTINEL",
        {},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "a", "refresh_token": ["SENTINEL"]},
        {"access_token": "a", "flex_tokenstore": "SENTINEL"},
        {"access_token": "a", "flex_tokenstore": {"expires_at": "SENTINEL"}},
        {"access_token": "a", "flex_tokenstore": {"expires_at": True}},
    ],
)
def test_what_is_no_token_is_refused_without_its_value(data: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|missing|empty|must be") as caught:
        Token(data)
    assert "SENTINEL" not in str(caught.value)


SENDABLE = "".join(map(chr, range(0x21, 0x7F)))
ENDS = ["\n", "\r\n", " ", "\t", "\0", "\x7f", "\x85", "\u2028", "é", "\ud800", "\x1b[31m"]


def test_every_visible_ascii_character_may_be_in_a_token() -> None:
    token = issued(access_token=SENDABLE, refresh_token=f" {SENDABLE} ")
    assert token.authorization == f"Bearer {SENDABLE}"


@pytest.mark.parametrize("end", ENDS, ids=ascii)
@pytest.mark.parametrize("form", ["SENTINEL{}", "{}SENTINEL", "SENT{}SENTINEL"])
@pytest.mark.parametrize("tag", [{}, {"revision": "r"}], ids=["plain", "as a wrapper tags it"])
def test_what_no_header_can_carry_is_no_access_token(
    end: str, form: str, tag: dict[str, Any]
) -> None:
    data = {**ANSWER, "access_token": form.format(end), "flex_tokenstore": tag}
    with pytest.raises(ValueError, match="access_token contains") as caught:
        Token(data)
    _shows_nothing(caught.value)
    with pytest.raises(ValueError, match="access_token contains") as caught:
        issued(access_token=data["access_token"])
    _shows_nothing(caught.value)


@pytest.mark.parametrize("end", [end for end in ENDS if end != " "], ids=ascii)
def test_what_oauth_does_not_allow_is_no_refresh_token(end: str) -> None:
    with pytest.raises(ValueError, match="refresh_token contains") as caught:
        issued(refresh_token=f"SENTINEL{end}")
    _shows_nothing(caught.value)


def test_a_token_that_is_nested_too_deeply_is_a_typed_error() -> None:
    deep: Any = "SENTINEL"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply") as caught:
        Token({"access_token": "a", "x": deep})
    _shows_nothing(caught.value)


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("me-0123456789abcdef", True), ("SENTINEL", False), ("x\nme", False), ("me" * 50, False)],
)
def test_an_identity_tag_is_shown_only_if_it_may_be_a_key(tag: str, shown: bool) -> None:
    token = Token({"access_token": "a", "flex_tokenstore": {"identity": tag}})
    assert token.identity_key == tag
    assert (tag in repr(token)) is shown


def _shows_nothing(error: BaseException) -> None:
    """No part of it, its chain, and the locals of the frames that it went through."""
    shown = [str(error), repr(error), repr(error.args), repr(error.__cause__)]
    shown.append(repr(error.__context__))
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == _token.__file__:
            shown += [repr(value) for value in frame.f_locals.values()]
    assert "SENTINEL" not in "".join(shown)


@given(st.text(st.characters(), min_size=1))
@example("\ud800")
def test_a_secret_is_never_shown(text: str) -> None:
    secret = Secret(f"SENTINEL{text}")
    assert "SENTINEL" not in f"{secret!r} {secret} {secret:>20}"
    again: Secret[str] = Secret(secret)
    assert secret == again
    assert secret.reveal() == f"SENTINEL{text}"
