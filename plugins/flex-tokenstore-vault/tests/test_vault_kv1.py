"""The store on KV version 1, which has no check-and-set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from flex_tokenstore import (
    TokenCorruptError,
    TokenIdentityError,
    TokenUnavailableError,
    open_store,
)
from tests.servers.openbao import OpenBao
from tests.support.handles import IDENTITY, OTHER, Open, opener, token
from vault_support import KEY, config, fields

URL = f"kv1/{KEY}"


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def kv1(server: OpenBao) -> dict[str, object]:
    return config(server, mount="kv1") | {"name": "vault-kv1"}


def test_a_token_is_kept_whole_replaced_and_removed(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(kv1(openbao_server))
    assert store.get_token() is None
    first = token("a")
    store.set_token(first)
    assert opened(kv1(openbao_server)).get_token() == first
    assert json.loads(openbao_server.run("GET", URL)["data"]["token"]) == first.to_dict()
    store.set_token(token("b"))
    store.remove_token()
    store.remove_token()
    assert store.get_token() is None
    assert openbao_server.names("kv1/flex-tokenstore") == []


def test_its_lock_is_the_hosts_own(openbao_server: OpenBao) -> None:
    with open_store(kv1(openbao_server), IDENTITY) as store:
        assert not store.abilities.compare_and_set
        assert not store.abilities.lock
        with store.token_lock(0, 5) as end:
            assert end is None


def test_corrupt_content_is_told_and_put_aside(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(kv1(openbao_server))
    ways: list[Callable[[], None]] = [store.remove_token, lambda: store.set_token(token("a"))]
    for replace in ways:
        openbao_server.run("POST", URL, {"token": "broken SENTINEL", "more": [1]})
        with pytest.raises(TokenCorruptError) as caught:
            store.get_token()
        assert "SENTINEL" not in str(caught.value)
        replace()
    kept = store.get_token()
    assert kept is not None
    aside = openbao_server.names(URL)
    assert len(aside) == 2
    for name in aside:
        assert openbao_server.run("GET", f"{URL}/{name}")["data"] == {
            "token": "broken SENTINEL",
            "more": [1],
        }


def test_a_token_of_another_identity_is_neither_used_nor_overwritten(
    opened: Open, openbao_server: OpenBao
) -> None:
    foreign = fields(token("b", OTHER))
    openbao_server.run("POST", URL, foreign)
    store = opened(kv1(openbao_server))
    for action in (store.get_token, store.remove_token, lambda: store.set_token(token("a"))):
        with pytest.raises(TokenIdentityError):
            action()
    assert openbao_server.run("GET", URL)["data"] == foreign


@pytest.mark.parametrize(
    ("name", "mount", "words"),
    [
        ("vault", "kv1", "kv1/ is KV version 1: use the store vault-kv1"),
        ("vault-kv1", "secret", "secret/ is not a mount of this KV version"),
        ("vault", "cubbyhole", "of the type cubbyhole, not kv"),
        ("vault", "nowhere", "no secrets engine is mounted at nowhere/"),
        ("vault", "secret/team", "a folder in a mount belongs in the option prefix"),
    ],
)
def test_a_wrong_mount_is_not_taken_for_an_empty_one(
    opened: Open, openbao_server: OpenBao, name: str, mount: str, words: str
) -> None:
    store = opened(config(openbao_server, mount=mount) | {"name": name})
    with pytest.raises(TokenUnavailableError) as caught:
        store.get_token()
    assert words in str(caught.value)
    assert store.place in str(caught.value)


def test_a_mount_of_version_1_read_as_version_2_is_told(
    opened: Open, openbao_server: OpenBao
) -> None:
    openbao_server.run("POST", f"kv1/data/{KEY}", {"data": json.dumps("other")})
    store = opened(config(openbao_server, mount="kv1"))
    with pytest.raises(TokenUnavailableError, match="vault-kv1"):
        store.get_token()
    with pytest.raises(TokenUnavailableError, match="vault-kv1"), store.token_lock(0, 5):
        pass
