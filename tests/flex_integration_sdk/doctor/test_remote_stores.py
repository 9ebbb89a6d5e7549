"""Where a remote store works, doctor says so: it can be read, locked and saved, and how quick."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flex_integration_sdk import create_instance

from .faults.vault import choose as choose_vault
from .faults.world import World


def redis(world: World) -> None:
    world.store("redis", url=world.server("valkey_server").url)


def redis_cluster(world: World) -> None:
    port = world.server("valkey_cluster").port
    world.store("redis", url=f"redis://127.0.0.1:{port}/0", cluster="on")


def postgresql(world: World) -> None:
    world.store("sql", url=world.server("postgres_server").url)


def vault(world: World) -> None:
    choose_vault(world, world.server("openbao_server"))


def vault_kv1(world: World) -> None:
    choose_vault(world, world.server("openbao_server"), "vault-kv1", mount="kv1")


def stored() -> str:
    """Revision of the stored token."""
    with create_instance() as sdk:
        token = sdk.token_store.get_token()
    assert token is not None
    assert token.revision is not None
    return token.revision


@pytest.mark.parametrize(
    "choose",
    [
        redis,
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in (redis_cluster, postgresql, vault, vault_kv1)
        ),
    ],
    ids=lambda each: each.__name__,
)
def test_nothing_is_wrong(choose: Callable[[World], None], world: World) -> None:
    choose(world)
    world.sign_in()
    before = stored()
    diagnosis = world.examine()
    assert stored() == before
    assert diagnosis.ids("error", "warning") == set(), diagnosis.output
    diagnosis = world.examine("--online")
    assert stored() != before  # the refreshed one
    assert diagnosis.exit_code == 0, diagnosis.output
    assert diagnosis.ids("error", "warning") == set(), diagnosis.output
    seen = {"store.open", "store.read", "store.save", "store.lock", "store.latency"}
    assert seen <= diagnosis.ids("ok"), diagnosis.output
    assert " ms" in diagnosis.of("store.latency")[0]["message"]
    assert not [secret for secret in world.secrets if secret in diagnosis.output]


@pytest.mark.parametrize("choose", [redis, postgresql, vault], ids=lambda each: each.__name__)
def test_nothing_is_stored_by_it(choose: Callable[[World], None], world: World) -> None:
    choose(world)
    diagnosis = world.examine()
    assert diagnosis.ids("error", "warning") == set(), diagnosis.output
    with create_instance() as sdk:
        assert sdk.token_store.get_token() is None
