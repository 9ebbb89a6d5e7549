"""Identities that differ in one part only: each part counts, for the token and for the lock."""

from __future__ import annotations

import uuid

import pytest

from flex_tokenstore import TokenIdentity, TokenLockTimeoutError

from ._bench import PROMPT, Bench, ContractFixtures
from ._tokens import new_token, same

_URL = "https://api.example.com"

PARTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "scope": ({"scope": "integ"}, {"scope": "integ user"}),
    "empty scope": ({"scope": "integ"}, {"scope": ""}),
    "profile": ({"profile": "default"}, {"profile": "second"}),
    "case of the profile": ({"profile": "second"}, {"profile": "Second"}),
    "client id": ({"client_id": "$a"}, {"client_id": "$b"}),
    "case of the client id": ({"client_id": "$abc"}, {"client_id": "$abC"}),
    "end of a long client id": (
        {"client_id": "$" + "c" * 200 + "1"},
        {"client_id": "$" + "c" * 200 + "2"},
    ),
    "symbols of the client id": ({"client_id": "$a/b"}, {"client_id": "$a_b"}),
    "host": ({"base_url": _URL}, {"base_url": "https://eu.api.example.com"}),
    "port": ({"base_url": _URL}, {"base_url": f"{_URL}:8443"}),
    "scheme": ({"base_url": "http://localhost:8080"}, {"base_url": "https://localhost:8080"}),
    "path": ({"base_url": _URL}, {"base_url": f"{_URL}/v1"}),
    **{
        f"border between {one} and {other}": (
            {one: f"$a{separator}b", other: "c"},
            {one: "$a", other: f"b{separator}c"},
        )
        for one, other, separator in (
            ("client_id", "scope", ":"),
            ("scope", "client_id", ":"),
            ("client_id", "profile", ":"),
            ("profile", "client_id", "-"),
            ("scope", "profile", ":"),
            ("profile", "scope", "/"),
        )
    },
}
"""A part of an identity, and two identities that differ in it only; "$" is new for each test."""


class IdentityPartTests(ContractFixtures):
    """A store with a key of its own, or columns, instead of ``identity.key``."""

    @pytest.mark.parametrize("part", PARTS)
    def test_identities_that_differ_in_one_part_share_nothing(
        self, bench: Bench, part: str
    ) -> None:
        bench.need_identities()
        ours, theirs = (bench.open(each) for each in _identities(part))
        token = new_token(ours.store.identity, "ours")
        ours.set(token)
        # The hook itself: the framework would refuse another identity's token.
        assert theirs.hook("get_token") is None, (
            f"two identities that differ only in the {part} share one token: use identity.key"
        )
        theirs.remove()
        theirs.set(new_token(theirs.store.identity, "theirs"))
        assert same(ours.get(), token), f"the {part} does not count where a token is written"
        with ours.lock(PROMPT, 60.0):
            try:
                with theirs.lock(0.0, 60.0):
                    pass
            except TokenLockTimeoutError:
                pytest.fail(f"two identities that differ only in the {part} share one lock")
        if ours.store._opened.binding.lock_id is not None:
            assert ours.hook("lock_id") != theirs.hook("lock_id"), (
                f"two identities that differ only in the {part} have the same lock_id"
            )


def _identities(part: str) -> list[TokenIdentity]:
    salt = uuid.uuid4().hex[:8]
    fields = {"base_url": _URL, "client_id": "$-client", "scope": "integ", "profile": "default"}
    both = ({**fields, **changed} for changed in PARTS[part])
    return [
        _identity({name: value.replace("$", salt) for name, value in each.items()}) for each in both
    ]


def _identity(fields: dict[str, str]) -> TokenIdentity:
    return TokenIdentity(
        fields["base_url"], fields["client_id"], fields["scope"], fields["profile"]
    )
