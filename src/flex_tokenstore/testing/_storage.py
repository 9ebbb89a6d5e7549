"""What is stored comes back: whole, as it was, to its owner only."""

from __future__ import annotations

import string
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenUnavailableError,
)

from ._bench import Bench, ContractFixtures, examples
from ._tokens import MEGABYTE, SHAPES, new_identity, new_token, same

# UTF-8 has no lone surrogates ("Cs"), and PostgreSQL's text has no NUL.
_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_TEXTS = st.text(_LETTERS, max_size=20)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    # JSON does not tell 1.0 from 1.
    | st.floats(-1e15, 1e15).filter(lambda number: not number.is_integer())
    | _TEXTS
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=15,
)
_CLIENTS = st.text(string.ascii_letters + string.digits + "-_.:/*?%'\"\\ \näß日", min_size=1)


class StorageTests(ContractFixtures):
    """Reading, replacing and removing, by one handle."""

    def test_nothing_is_stored_at_first(self, bench: Bench) -> None:
        assert bench.handle.get() is None

    @pytest.mark.parametrize("shape", SHAPES)
    def test_every_json_shape_comes_back(self, bench: Bench, shape: str) -> None:
        value = SHAPES[shape]
        fields = value if isinstance(value, dict) else {}
        token = new_token(bench.identity, shape, field=value, **fields)
        bench.handle.set(token)
        assert same(bench.handle.get(), token)

    def test_any_json_comes_back(self, bench: Bench) -> None:
        @examples(25)
        @given(st.dictionaries(_TEXTS.filter(bool), _JSON, max_size=5))
        def check(fields: dict[str, Any]) -> None:
            token = new_token(bench.identity, field=fields)
            bench.handle.set(token)
            assert same(bench.handle.get(), token)

        check()

    def test_a_large_token_comes_back(self, bench: Bench) -> None:
        size = min(self.largest, MEGABYTE)
        if bench.wraps:
            size //= 2  # what a wrapper makes of a token, such as base64, is larger
        token = new_token(bench.identity, "large")
        left = size - len(str(token.to_dict().items())) - 100
        token = new_token(bench.identity, "large", filling="x" * max(left, 0))
        bench.handle.set(token)
        assert same(bench.handle.get(), token)

    def test_a_token_that_is_too_large_is_refused(self, bench: Bench) -> None:
        if self.largest >= MEGABYTE:
            pytest.skip("it keeps a megabyte")
        kept = new_token(bench.identity, "kept")
        bench.handle.set(kept)
        with pytest.raises(TokenUnavailableError):
            bench.handle.set(new_token(bench.identity, "large", filling="x" * MEGABYTE))
        assert same(bench.handle.get(), kept)

    def test_a_token_is_replaced_whole(self, bench: Bench) -> None:
        bench.handle.set(new_token(bench.identity, 1, only_here="x", nested={"old": 1}))
        second = new_token(bench.identity, 2, nested={"new": 1})
        bench.handle.set(second)
        assert same(bench.handle.get(), second)

    def test_a_shorter_token_leaves_no_rest(self, bench: Bench) -> None:
        bench.handle.set(new_token(bench.identity, "long", filling="x" * 5000))
        short = new_token(bench.identity, "short")
        bench.handle.set(short)
        assert same(bench.handle.get(), short)

    def test_an_expired_token_comes_back(self, bench: Bench) -> None:
        """Only its access token has expired; the refresh token is what the store is for."""
        token = new_token(bench.identity, age=100 * 86400.0)
        bench.handle.set(token)
        assert same(bench.handle.get(), token), "an expired token is still the stored one"

    def test_a_token_stays_when_its_access_token_expires(self, bench: Bench) -> None:
        token = new_token(bench.identity, expires_in=1)
        bench.handle.set(token)
        time.sleep(1.3)
        assert same(bench.handle.get(), token), "it was kept for `expires_in` seconds only"

    def test_a_removed_token_is_gone(self, bench: Bench) -> None:
        bench.handle.set(new_token(bench.identity))
        bench.handle.remove()
        assert bench.handle.get() is None

    def test_removing_twice_is_fine(self, bench: Bench) -> None:
        bench.handle.remove()
        bench.handle.set(new_token(bench.identity))
        bench.handle.remove()
        bench.handle.remove()
        again = new_token(bench.identity, "again")
        bench.handle.set(again)
        assert same(bench.handle.get(), again)

    @pytest.mark.parametrize("action", ["set", "remove"])
    def test_a_token_of_a_newer_format_is_left_alone(self, bench: Bench, action: str) -> None:
        fields = new_token(bench.identity, "newer").to_dict()
        fields["flex_tokenstore"]["format"] = 1000
        bench.handle.set(Token(fields))
        replace = (
            partial(bench.handle.set, new_token(bench.identity, "older"))
            if action == "set"
            else bench.handle.remove
        )
        for call in (bench.handle.get, replace, bench.handle.get):
            with pytest.raises(TokenCorruptError, match="upgrade"):
                call()

    def test_the_object_given_is_not_changed(self, bench: Bench) -> None:
        token = new_token(bench.identity, field={"inner": [1]})
        given_object = token.to_dict()
        bench.handle.hook("set_token", token=given_object, expected=ANY_REVISION)
        assert same(given_object, token), "set_token changed the object that it was given"

    def test_what_a_caller_does_to_a_token_stays_with_it(self, bench: Bench) -> None:
        token = new_token(bench.identity, field={"inner": [1]})
        bench.handle.set(token)
        first = bench.handle.get()
        assert first is not None
        first.to_dict()["field"]["inner"].append(2)
        assert same(bench.handle.get(), token)

    def test_closing_twice_is_fine(self, bench: Bench) -> None:
        handle = bench.open()
        handle.get()
        handle.run(_close(handle.store))
        handle.run(_close(handle.store))
        bench.handle.set(new_token(bench.identity))  # the others are still open


class IdentityTests(ContractFixtures):
    """One token for each identity, and no two ever meet."""

    def test_two_identities_have_a_token_each(self, bench: Bench) -> None:
        bench.need_identities()
        handles = [bench.open(new_identity()) for _ in range(2)]
        for number, handle in enumerate(handles):
            handle.set(new_token(handle.store.identity, number))
        tokens = [handle.get() for handle in handles]
        expected = [f"access-{number}-" for number in range(2)]
        for token, text in zip(tokens, expected, strict=True):
            assert token is not None and token.access_token.reveal().startswith(text)
        handles[0].remove()
        assert handles[0].get() is None
        assert same(handles[1].get(), tokens[1])

    def test_a_place_for_one_identity_refuses_another(self, bench: Bench) -> None:
        if not bench.one_identity:
            pytest.skip("each identity has its own location")
        mine = new_token(bench.identity, "mine")
        bench.handle.set(mine)
        other = bench.open(new_identity())
        with pytest.raises(TokenIdentityError):
            other.get()
        if bench.abilities.compare_and_set:  # without it, whoever has not read just replaces
            with pytest.raises((TokenIdentityError, TokenConflictError)):
                other.set(new_token(other.store.identity, "yours"), None)
        assert same(bench.handle.get(), mine)

    def test_two_identities_never_meet(self, bench: Bench) -> None:
        bench.need_identities()
        urls = st.sampled_from(["https://api.example.com", "http://api.example.com:8080/v1"])
        word = st.sampled_from(["", "integ", "integ read", "a:b", "default", "Default"])

        @examples(20)
        @given(st.tuples(urls, _CLIENTS, word), st.tuples(urls, _CLIENTS, word), st.booleans())
        def check(one: tuple[str, str, str], two: tuple[str, str, str], swap: bool) -> None:
            salt = new_identity().client_id
            identities = [
                TokenIdentity(url, salt + client, scope, "default")
                for url, client, scope in (one, two)
            ]
            if swap:  # they differ in upper and lower case, or in the profile only
                url, client, scope = one
                identities[1] = TokenIdentity(url, salt + client.swapcase(), scope, "other")
            if identities[0] != identities[1]:
                _check_apart(bench, identities)

        check()


def _check_apart(bench: Bench, identities: list[TokenIdentity]) -> None:
    handles = [bench.setup.open(identity, bench.kind) for identity in identities]
    try:
        handles[0].set(new_token(identities[0], "mine"))
        assert handles[1].get() is None, f"{identities[1]} sees the token of {identities[0]}"
        handles[1].set(new_token(identities[1], "yours"))
        kept = handles[0].get()
        assert kept is not None and kept.access_token.reveal().startswith("access-mine-")
        handles[1].remove()
        assert isinstance(handles[0].get(), Token)
        handles[0].remove()
    finally:
        for handle in handles:
            handle.close()


def _close(store: Any) -> Any:
    close: Callable[[], Any] = store.aclose if hasattr(store, "aclose") else store.close
    return close()
