"""Vault fails while one process renews the token and the others wait for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import play, two_kinds, vault_store
from .crowd import Figures
from .trouble import PROCESSES, THREADS, Trouble, brief, play_trouble

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ONE_REFRESH = Figures(1, 0, 0)
ANSWER_AFTER = 3.5  # seconds; the server is up and unsealed again earlier
POLICY = """
path "secret/data/flex-tokenstore/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/flex-tokenstore/*" { capabilities = ["read"] }
path "secret/destroy/flex-tokenstore/*" { capabilities = ["update"] }
"""


@pytest.fixture
def server(durable_openbao: OpenBao) -> OpenBao:
    """Empty, with its storage on disk."""
    from tests.servers import openbao

    openbao.clear(durable_openbao)
    return durable_openbao


def scene_on(server: OpenBao, folder: Path, family: bool, **options: str) -> Any:
    store = {**vault_store(server), **options}
    if set(options) & {"auth", "token_file"}:
        del store["token"]
    return play(store, folder, reuse_revokes_family=family)


@two_kinds
def test_stopped_and_started_again(
    server: OpenBao, tmp_path: Path, kind: str, family: bool
) -> None:
    with scene_on(server, tmp_path, family) as played:
        play_trouble(played, kind, brief(server.restart, ANSWER_AFTER), ONE_REFRESH)


@two_kinds
def test_killed_and_started_again(server: OpenBao, tmp_path: Path, kind: str, family: bool) -> None:
    def crash() -> None:
        server.kill()
        server.restart()

    with scene_on(server, tmp_path, family) as played:
        play_trouble(played, kind, brief(crash, ANSWER_AFTER), ONE_REFRESH)


@two_kinds
def test_down_when_the_token_comes(
    server: OpenBao, tmp_path: Path, kind: str, family: bool
) -> None:
    with scene_on(server, tmp_path, family) as played:
        play_trouble(played, kind, Trouble(server.kill, server.restart), ONE_REFRESH)


@two_kinds
def test_sealed_and_unsealed(server: OpenBao, tmp_path: Path, kind: str, family: bool) -> None:
    def seal() -> None:
        server.seal()
        time.sleep(0.3)  # so that the others notice
        server.unseal()

    with scene_on(server, tmp_path, family) as played:
        play_trouble(played, kind, brief(seal, ANSWER_AFTER), ONE_REFRESH)


@two_kinds
def test_its_own_tokens_are_revoked(
    openbao_server: OpenBao, tmp_path: Path, kind: str, family: bool
) -> None:
    """Whoever signed in to it by a role does so again, and nobody notices."""
    openbao_server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    role = openbao_server.login_role(token_policies=["ours"])

    def revoke() -> None:
        openbao_server.run("PUT", "sys/leases/revoke-prefix/auth/approle/login", {"sync": True})

    with scene_on(openbao_server, tmp_path, family, auth="approle", **role) as played:
        good, _ = play_trouble(played, kind, Trouble(revoke), ONE_REFRESH)
        assert good == PROCESSES * THREADS


@two_kinds
def test_the_token_given_to_it_ends(
    openbao_server: OpenBao, tmp_path: Path, kind: str, family: bool
) -> None:
    """Nobody can do anything about that until its file has another."""
    openbao_server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    file = tmp_path / "vault-token"

    def another() -> str:
        made = openbao_server.run("POST", "auth/token/create", {"policies": ["ours"]})["auth"]
        file.write_text(made["client_token"])
        return str(made["client_token"])

    first = another()

    def revoke() -> None:
        openbao_server.run("POST", "auth/token/revoke", {"token": first})

    with scene_on(openbao_server, tmp_path, family, token_file=str(file)) as played:
        play_trouble(played, kind, Trouble(revoke, another), ONE_REFRESH)
