"""Every token that a server may issue can be stored, and the last one that was written counts."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flex_tokenstore import (
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenStoreError,
)

from ._bench import Bench, ContractFixtures
from ._tokens import SENTINEL, new_token, same

_ABSENT = object()
_SYMBOLS = "+/=%2B%~._-!*'();:@&$,?#[]{}|^`<>"

FORMS: dict[str, dict[str, Any]] = {
    "an access token of 300 characters": {"access_token": "a" * 300},
    "an access token of 4 KB": {"access_token": "aB3-" * 1024},
    "a refresh token of 4 KB": {"refresh_token": "rT0_" * 1024},
    "both tokens of 20 KB": {"access_token": "a1" * 10_000, "refresh_token": "r2" * 10_000},
    "an access token full of symbols": {"access_token": f"a{_SYMBOLS}=="},
    "a refresh token full of symbols": {"refresh_token": f'{_SYMBOLS} "\\r~=='},
    "tokens that look like base64": {"access_token": "YQ==", "refresh_token": "+/+/=="},
    "tokens that look percent-encoded": {"access_token": "%41%2B+", "refresh_token": "a%00%zz"},
    "tokens that look like numbers": {"access_token": "0012", "refresh_token": "1e5"},
    "tokens that look like words of JSON": {"access_token": "null", "refresh_token": "true"},
    "no refresh_token": {"refresh_token": _ABSENT},
    "refresh_token null": {"refresh_token": None},
    "no expires_in": {"expires_in": _ABSENT},
    "expires_in null": {"expires_in": None},
    "no refresh_token and no expires_in": {"refresh_token": _ABSENT, "expires_in": _ABSENT},
    "no token_type": {"token_type": _ABSENT},
    "only an access_token": dict.fromkeys(("refresh_token", "expires_in", "token_type"), _ABSENT),
    "a scope null, another field empty": {"scope": None, "state": ""},
    "a scope that is not ASCII": {"scope": "integ lecture:données 読む 🔑"},
    "a large expires_in": {"expires_in": 2**33},
    "a fractional expires_in": {"expires_in": 3599.75},
    "expires_in 0": {"expires_in": 0},
    "expires_in as a string": {"expires_in": "3600"},
    "extra fields": {"id_token": "e30." * 700, "user": {"id": 7, "tags": ["a", None]}},
    "fields named as those of a store": {
        **{name: f"the server's {name}" for name in ("key", "id", "identity", "revision", "token")},
        "expires_at": "tomorrow",
        "obtained_at": None,
        "version": [1],
    },
}
"""Token responses that RFC 6749 allows, or that servers give; what differs from a common one."""

_OLDER: dict[str, dict[str, Any]] = {
    "was obtained earlier": {"age": 7200.0},
    "expires earlier": {"expires_in": 60},
    "expires never": {"expires_in": _ABSENT},
    "is shorter": {"refresh_token": "r"},
    "has no refresh token": {"refresh_token": _ABSENT},
}
"""How the token that is written second may look older than the first; it still replaces it."""


class TokenFormTests(ContractFixtures):
    """Not one of these may be cut, completed, converted or refused."""

    @pytest.mark.parametrize("form", FORMS)
    def test_a_token_of_every_form_comes_back(self, bench: Bench, form: str) -> None:
        token = _issued(bench.identity, "form", FORMS[form])
        _save(bench, token, f"a token response with {form} could not be saved")
        reader = bench.handle if self.shared_by == "nobody" else bench.open()
        try:
            found = reader.get()
        except TokenCorruptError as error:
            pytest.fail(f"a token response with {form} came back as none: {error}")
        assert same(found, token), f"a token response with {form} came back as another one"
        if bench.abilities.compare_and_set:
            try:
                bench.handle.set(new_token(bench.identity, "next"), token.revision)
            except TokenConflictError:
                pytest.fail(f"a token response with {form} has another revision in the store")

    @pytest.mark.parametrize("older", _OLDER)
    def test_the_last_token_written_counts(self, bench: Bench, older: str) -> None:
        """Which token is the newer one, the writer knows; its clock may be slow."""
        first = new_token(bench.identity, "first", expires_in=36_000)
        second = _issued(bench.identity, "second", _OLDER[older])
        for expected in (first.revision, "*"):
            bench.handle.set(first)
            bench.handle.set(second, expected)
            found = bench.handle.get()
            assert found is not None and found.revision == second.revision, (
                f"a token did not replace the stored one, since it {older}: the last one counts"
            )
            assert same(found, second), f"a token that {older} was changed when it was written"

    def test_long_tokens_that_differ_at_their_end_are_two(self, bench: Bench) -> None:
        """A revision of the first characters only would take one for the other."""
        bench.need("compare_and_set")
        start = "x" * 5000
        one, other = (_issued(bench.identity, "", {"access_token": start + end}) for end in "ab")
        bench.handle.set(one)
        try:
            bench.handle.set(new_token(bench.identity, "late"), other.revision)
        except TokenConflictError:
            assert same(bench.handle.get(), one)
        else:
            pytest.fail(
                "a token was replaced that differs from the expected one only after 5,000 "
                "characters: the whole token counts, as in revision_of()"
            )


def _issued(identity: TokenIdentity, which: str, fields: dict[str, Any]) -> Token:
    answer = {
        "access_token": f"access-{which}-{SENTINEL}",
        "refresh_token": f"refresh-{which}-{SENTINEL}",
        "token_type": "bearer",
        "expires_in": 3600,
        **fields,
    }
    age = answer.pop("age", 0.0)
    kept = {name: value for name, value in answer.items() if value is not _ABSENT}
    return Token.issued(kept, identity_key=identity.key, obtained_at=time.time() - age)


def _save(bench: Bench, token: Token, otherwise: str) -> None:
    try:
        bench.handle.set(token)
    except TokenStoreError as error:
        pytest.fail(f"{otherwise}: {type(error).__name__}: {error}")
