"""Whether a token could be saved: asked for in one request, without a change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flex_tokenstore import TokenPermissionError
from tests.servers.openbao import OpenBao
from tests.support.handles import Open, opener, token
from vault_support import DATA, KEY, POLICY, POLICY_KV1, config


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


@pytest.fixture(params=["vault", "vault-kv1"])
def store_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def configured(server: OpenBao, name: str, **options: Any) -> dict[str, Any]:
    mount = "secret" if name == "vault" else "kv1"
    return config(server, mount=mount, **options) | {"name": name}


def user(server: OpenBao, policy: str, **settings: Any) -> str:
    """A Vault token with this policy; the policy may be changed under it."""
    server.run("PUT", "sys/policies/acl/app", {"policy": policy})
    made = server.run("POST", "auth/token/create", {"policies": ["app"], **settings})
    return str(made["auth"]["client_token"])


def policy_of(name: str, rights: str | None = None) -> str:
    """The README's; or with these rights on the secret itself."""
    whole = POLICY if name == "vault" else POLICY_KV1
    if rights is None:
        return whole
    path = "secret/data" if name == "vault" else "kv1"
    rest = [line for line in whole.splitlines() if f'"{path}/flex' not in line]
    return "\n".join([*rest, f'path "{path}/flex-tokenstore/*" {{ capabilities = [{rights}] }}'])


def test_it_changes_nothing(opened: Open, openbao_server: OpenBao, store_name: str) -> None:
    store = opened(configured(openbao_server, store_name))
    store.prepare_save(None)
    assert store.get_token() is None
    stored = token("a")
    store.set_token(stored)
    for expected in (stored.revision, None, "*"):
        store.prepare_save(expected)
        assert store.get_token() == stored
    if store_name == "vault":
        found = openbao_server.run("GET", DATA)["data"]["metadata"]
        assert found["version"] == 1
        assert openbao_server.names(f"secret/metadata/{KEY}") == []


def test_the_policy_of_the_readme_is_enough(
    opened: Open, openbao_server: OpenBao, store_name: str
) -> None:
    given = user(openbao_server, policy_of(store_name))
    store = opened(configured(openbao_server, store_name, token=given))
    store.prepare_save(None)
    store.set_token(token("a"))
    store.prepare_save(token("a").revision)
    store.remove_token()
    store.prepare_save(None)


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("rights", "stored"),
    [('"read"', False), ('"read"', True), ('"deny"', False), ('"read", "create"', True)],
)
def test_a_lost_right_is_found(
    opened: Open, openbao_server: OpenBao, store_name: str, rights: str, stored: bool
) -> None:
    given = user(openbao_server, policy_of(store_name))
    store = opened(configured(openbao_server, store_name, token=given))
    if stored:
        store.set_token(token("a"))
    expected = token("a").revision if stored else None
    store.prepare_save(expected)
    user(openbao_server, policy_of(store_name, rights))
    with pytest.raises(
        TokenPermissionError, match="add to the policy of its Vault token"
    ) as caught:
        store.prepare_save(expected)
    assert '"create", "read", "update"' in str(caught.value)
    assert (caught.value.store, caught.value.place) == (store_name, store.place)


def test_what_cannot_be_told_is_no_refusal(
    opened: Open, openbao_server: OpenBao, store_name: str
) -> None:
    """A Vault token without the default policy may not ask what it may do."""
    given = user(openbao_server, policy_of(store_name), no_default_policy=True)
    store = opened(configured(openbao_server, store_name, token=given))
    store.prepare_save()
    store.set_token(token("a"))
    user(openbao_server, policy_of(store_name, '"read"'))
    store.prepare_save()


@pytest.mark.slow
def test_an_outage_is_no_refusal(opened: Open, durable_openbao: OpenBao) -> None:
    server = durable_openbao
    store = opened(config(server, timeout=0.5))
    store.set_token(token("a"))
    server.pause()
    try:
        store.prepare_save()
    finally:
        server.resume()
    server.seal()
    try:
        store.prepare_save()
    finally:
        server.unseal()
    opened(config(server, timeout=0.5) | {"address": "http://127.0.0.1:9"}).prepare_save()
