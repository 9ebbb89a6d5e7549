"""Faults of the stores ``vault`` and ``vault-kv1``, on a real OpenBao."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.servers import free_port

from . import fault
from .world import World

AFTER_IT = ("store.lock", "store.save")  # each asks the server, and meets the same
LOCKS = 'path "secret/data/flex-tokenstore/*" { capabilities = ["read"] }'


def choose(world: World, server: Any, store: str = "vault", **options: str) -> None:
    """The store on this server, with a Vault token of its own unless the options have one."""
    if "token" not in options:
        # Not the root token itself: it is the word "root" here.
        made = server.run("POST", "auth/token/create", {})
        options["token"] = str(made["auth"]["client_token"])
    world.secrets.add(options["token"])
    world.store(store, address=server.url, **options)


def _token(server: Any, policy: str, **settings: Any) -> str:
    """A Vault token with this policy."""
    server.run("PUT", "sys/policies/acl/doctor", {"policy": policy})
    made = server.run("POST", "auth/token/create", {"policies": ["doctor"], **settings})
    return str(made["auth"]["client_token"])


@fault(
    "Vault: it is sealed",
    finds="store.read",
    says="it is sealed",
    remedy="Unseal it",
    also=AFTER_IT,
)
def vault_sealed(world: World) -> Iterator[None]:
    server = world.server("durable_openbao")
    choose(world, server)
    server.seal()
    try:
        yield
    finally:
        server.unseal()


@fault(
    "Vault: the token has expired",
    finds="store.read",
    says="it does not accept the Vault token, which may have expired",
    remedy="The option token comes from FLEX_INTEGRATION_TOKEN_STORE__TOKEN",
    also=AFTER_IT,
)
def vault_expired(world: World) -> Iterator[None]:
    server = world.server("openbao_server")
    token = _token(server, 'path "secret/*" { capabilities = ["create", "read", "update"] }')
    choose(world, server, token=token)
    server.run("POST", "auth/token/revoke", {"token": token})  # as the end of its life does
    yield


@fault(
    "Vault: no token is set",
    finds="store.open",
    says="token",
    remedy="TOKEN",
    also=AFTER_IT,
)
def vault_no_token(world: World) -> Iterator[None]:
    world.store("vault", address=world.server("openbao_server").url)
    yield


@fault(
    "Vault: nothing is mounted at the path",
    finds="store.read",
    says="no secrets engine is mounted at wrong/",
    remedy="The option mount comes from FLEX_INTEGRATION_TOKEN_STORE__MOUNT",
    also=AFTER_IT,
)
def vault_mount(world: World) -> Iterator[None]:
    choose(world, world.server("openbao_server"), mount="wrong")
    yield


@fault(
    "Vault: the mount is KV version 1",
    finds="store.read",
    says="kv1/ is KV version 1",
    remedy="Use the store vault-kv1, or another mount",
    also=AFTER_IT,
)
def vault_version(world: World) -> Iterator[None]:
    choose(world, world.server("openbao_server"), mount="kv1")
    yield


@fault(
    "Vault: the policy of the token allows nothing there",
    finds="store.read",
    says="permission denied",
    remedy='Add to the policy of its Vault token: path "secret/data/flex-tokenstore/*"',
    also=AFTER_IT,
)
def vault_policy(world: World) -> Iterator[None]:
    server = world.server("openbao_server")
    token = _token(server, 'path "other/*" { capabilities = ["read"] }')
    choose(world, server, token=token)
    yield


@fault(
    "Vault: the policy of the token allows reading only",
    finds="store.save",
    says="a token could not be saved",
    remedy="Add to the policy of its Vault token",
    also=("store.lock",),
)
def vault_policy_to_write(world: World) -> Iterator[None]:
    server = world.server("openbao_server")
    token = _token(server, LOCKS)
    choose(world, server, token=token)
    yield


@fault(
    "Vault: the server is down, or the port is wrong",
    finds="store.read",
    says="it cannot be reached",
    remedy="The option address comes from FLEX_INTEGRATION_TOKEN_STORE__ADDRESS",
    also=AFTER_IT,
)
def vault_down(world: World) -> Iterator[None]:
    world.store("vault", address=f"http://127.0.0.1:{free_port()}", token="a-vault-t0ken")
    world.secrets.add("a-vault-t0ken")
    yield


@fault(
    "Vault: https:// to a server without TLS",
    finds="store.read",
    says="TLS failed",
    remedy="Check that the server supports TLS",
    also=AFTER_IT,
)
def vault_plain(world: World) -> Iterator[None]:
    server = world.server("openbao_server")
    choose(world, server)
    world.store("vault", address=server.url.replace("http://", "https://"))
    yield


@fault(
    "Vault: the address is that of another service",
    finds="store.read",
    says="not in the form of Vault or OpenBao",
    remedy="The option address comes from FLEX_INTEGRATION_TOKEN_STORE__ADDRESS",
    also=AFTER_IT,
)
def vault_other_service(world: World) -> Iterator[None]:
    world.store("vault", address=f"{world.sandbox.base_url}", token="a-vault-t0ken")
    world.secrets.add("a-vault-t0ken")
    yield
