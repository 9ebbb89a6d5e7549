"""What is sent: nothing secret without ``--online``, and with it no more than the page says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flex_integration_sdk import create_instance
from flex_tokenstore import Token
from tests.support.slow_servers import listening
from tests.support.way import Asked, answering

from .faults.world import CLIENT, SECRET, World


def stored(world: World) -> list[str]:
    """Both tokens that are stored."""
    with create_instance(token_store=world.named_store) as sdk:
        token = sdk.token_store.get_token()
    assert token is not None
    assert token.refresh_token is not None
    return [token.access_token.reveal(), token.refresh_token.reveal()]


def files(folder: Path) -> dict[Path, bytes]:
    """What is in a folder, but for lock files."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "lock" not in path.name
    }


def test_without_online_no_secret_and_no_token_leaves(world: World) -> None:
    tokens = {"access_token": "an-access-t0ken", "refresh_token": "a-refresh-t0ken"}
    secrets = [SECRET, *tokens.values()]
    asked: list[Asked] = []
    with listening(answering(asked=asked)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        with create_instance(token_store="file") as sdk:
            identity = sdk.token_store.identity
            answer = {**tokens, "token_type": "bearer", "expires_in": 1}
            token = Token.issued(answer, identity_key=identity.key, obtained_at=0)
            sdk.token_store.set_token(token)
        diagnosis = world.examine()
    assert "store.read" in diagnosis.ids("ok")
    assert asked
    for request in asked:
        assert request.line.startswith("GET /v1/integration_api/")
        assert "authorization" not in request.headers
        assert request.body == b""
        assert not [each for each in [*secrets, CLIENT] if each in repr(request)]


@pytest.mark.parametrize("life", ["live", "expired", "unknown"])
def test_without_online_the_token_endpoint_gets_no_request(world: World, life: str) -> None:
    world.sign_in()
    if life == "expired":
        world.sandbox.expire()
    elif life == "unknown":
        world.sandbox.reset()
    before = files(world.folder)
    stats = world.sandbox.stats()
    world.examine()
    after = world.sandbox.stats()
    for name in ("client_credentials", "refresh_token", "refresh_rejected", "revoke"):
        assert after[name] == stats[name]
    assert files(world.folder) == before


def test_online_says_that_all_works_and_keeps_no_token_of_its_sign_in(world: World) -> None:
    world.sign_in()
    stats = world.sandbox.stats()
    diagnosis = world.examine("--online")
    assert diagnosis.exit_code == 0, diagnosis.output
    assert {"online.refresh", "online.sign_in"} <= diagnosis.ids("ok")
    after = world.sandbox.stats()
    assert after["client_credentials"] == stats["client_credentials"] + 1
    assert after["refresh_token"] == stats["refresh_token"] + 1
    assert after["revoke"] == 0
    world.set(FLEX_INTEGRATION_CLIENT_SECRET=None)
    world.sign_in()  # with the token that is stored now; there is no secret
    assert world.sandbox.stats()["client_credentials"] == after["client_credentials"]


@pytest.mark.parametrize("is_due", [False, True], ids=["live", "due"])
def test_online_refreshes_the_token_and_saves_it(world: World, is_due: bool) -> None:
    world.sign_in()
    old = stored(world)
    if is_due:
        world.sandbox.expire()
    diagnosis = world.examine("--online")
    assert diagnosis.exit_code == 0, diagnosis.output
    (found,) = diagnosis.of("online.refresh")
    assert "was refreshed and saved" in found["message"]
    assert not {*old} & {*stored(world)}
    assert world.sandbox.stats()["refresh_token"] == 1
    assert not [each for each in (*old, *stored(world)) if each in diagnosis.output]


def test_online_with_a_dead_token_changes_nothing_that_is_stored(world: World) -> None:
    world.sign_in()
    world.sandbox.reset()
    before = files(world.folder)
    diagnosis = world.examine("--online")
    assert diagnosis.ids("error") == {"online.refresh"}, diagnosis.output
    assert len(diagnosis.of("online.refresh")) == 1  # and no line of a log beside it
    assert files(world.folder) == before


def test_online_calls_the_api_with_a_token_that_has_no_refresh_token(world: World) -> None:
    world.sign_in()
    with create_instance(token_store=world.named_store) as sdk:
        store, token = sdk.token_store, sdk.token_store.get_token()
        assert token is not None
        answer = {"access_token": token.access_token.reveal(), "token_type": "bearer"}
        store.set_token(
            Token.issued(answer, identity_key=store.identity.key, obtained_at=time.time())
        )
    diagnosis = world.examine("--online")
    (found,) = diagnosis.of("online.refresh")
    assert found["status"] == "ok"
    assert "has no refresh token" in found["message"]
    assert world.sandbox.stats()["refresh_token"] == 0


def test_online_uses_up_no_refresh_token_if_the_store_only_reads(world: World) -> None:
    world.sign_in()
    with create_instance(token_store="file") as sdk:
        path = sdk.token_store.place
    world.store("read-only", inner__name="file", inner__path=path)
    before = files(world.folder)
    diagnosis = world.examine("--online")
    (found,) = diagnosis.of("online.refresh")
    assert found["status"] == "skipped"
    assert "only reads" in found["message"]
    assert world.sandbox.stats()["refresh_token"] == 0
    assert files(world.folder) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs chown")
def test_online_uses_up_no_refresh_token_of_another_user(world: World) -> None:
    path = world.folder / "tokens" / "token.json"
    path.parent.mkdir(mode=0o700)
    world.store("file", path=path, permissions="off")
    world.sign_in()
    for each in (path.parent, *path.parent.iterdir()):
        os.chown(each, 54321, 54321)
    before = files(world.folder)
    diagnosis = world.examine("--online")
    (found,) = diagnosis.of("online.refresh")
    assert found["status"] == "skipped", diagnosis.output
    assert "sudo -u '#54321' -H flex-sdk doctor --online" in found["message"]
    assert world.sandbox.stats()["refresh_token"] == 0
    assert files(world.folder) == before


def test_online_sends_nothing_to_a_server_that_is_not_the_api(world: World) -> None:
    world.sign_in()
    asked: list[Asked] = []
    with listening(answering(200, {"data": 1}, asked=asked)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        diagnosis = world.examine("--online")
    assert diagnosis.ids("error") == {"network.api"}, diagnosis.output
    assert {"online.refresh", "online.sign_in"} <= diagnosis.ids("skipped")
    assert all("authorization" not in request.headers for request in asked)
    assert all(SECRET.encode() not in request.body for request in asked)
    assert not [request for request in asked if "/auth/" in request.line]
