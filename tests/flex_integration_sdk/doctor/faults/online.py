"""Faults that only ``--online`` can find: of the stored token, the client and its secret."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_tokenstore import Token
from tests.support.slow_servers import Line, SlowServer, listening
from tests.support.way import REFUSAL, Serve, requests_of, respond

from . import fault
from .world import World

OTHER = "another-s3cr3t"


@fault(
    "The client secret is wrong",
    finds="online.sign_in",
    says="HTTP 401, invalid_client",
    remedy="of one and the same application of type Integration API",
)
def wrong_secret(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.set(FLEX_INTEGRATION_CLIENT_SECRET=OTHER)
    world.secrets.add(OTHER)
    yield


@fault(
    "The client secret was replaced in Console; the stored token still works",
    finds="online.sign_in",
    says="HTTP 401, invalid_client",
    remedy="Put the present secret of the application",
)
def replaced_secret(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sign_in()
    world.set(FLEX_INTEGRATION_CLIENT_SECRET=OTHER)
    world.secrets.add(OTHER)
    yield


@fault(
    "The secret in the file that config.toml names was replaced in Console",
    finds="online.sign_in",
    says="HTTP 401, invalid_client",
    remedy=re.compile(r"the file \S*/secret \(client_secret_file in \S*config.toml, line 3\)"),
)
def replaced_secret_in_file(world: World) -> Iterator[None]:
    world.options += ["--online"]
    path, secret = world.folder / "config.toml", world.folder / "secret"
    secret.write_text(OTHER)
    client = os.environ["FLEX_INTEGRATION_CLIENT_ID"]
    text = f'[profiles.default]\nclient_id = "{client}"\nclient_secret_file = "{secret}"\n'
    path.write_text(text)
    for each in (path, secret):
        each.chmod(0o600)
    world.set(FLEX_INTEGRATION_CLIENT_ID=None, FLEX_INTEGRATION_CLIENT_SECRET=None)
    world.set(FLEX_INTEGRATION_CONFIG=path)
    world.secrets.add(OTHER)
    yield


@fault(
    "The client id is wrong",
    finds="online.sign_in",
    says="HTTP 401, invalid_client",
    remedy="Console",
)
def wrong_client(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.set(FLEX_INTEGRATION_CLIENT_ID="another-client")
    yield


@fault(
    "The refresh token was revoked",
    finds="online.refresh",
    says="rejected the refresh token",
    remedy="Make any call: it signs in with the client secret",
)
def revoked(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sign_in()
    with another_program(world) as sdk:
        assert sdk.revoke()
    yield


@fault(
    "The refresh token is dead, though the access token still works",
    finds="online.refresh",
    says="The stored refresh token does not work any more",
    remedy="once the access token does not work either",
)
def dead_refresh_token(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sign_in()
    with create_instance(token_store=world.named_store) as sdk:
        store = sdk.token_store
        token = store.get_token()
        assert token is not None
        answer = {"access_token": token.access_token.reveal(), "refresh_token": "a-dead-t0ken"}
        world.secrets |= {*answer.values()}
        answer |= {"token_type": "bearer", "expires_in": "600"}
        key = store.identity.key
        store.set_token(Token.issued(answer, identity_key=key, obtained_at=time.time()))
    yield


@fault(
    "The refresh token was revoked, and there is no client secret",
    finds="online.refresh",
    says="rejected the refresh token",
    remedy="Configure a client secret",
)
def revoked_without_secret(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sign_in()
    with another_program(world) as sdk:
        assert sdk.revoke()
    world.set(FLEX_INTEGRATION_CLIENT_SECRET=None)
    yield


@fault(
    "A program with a copy of the token has used up its refresh token",
    finds="online.refresh",
    says="rejected the refresh token",
    remedy="find the program that uses this client without sharing this store",
)
def used_up(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sign_in()
    world.sandbox.expire()
    with another_program(world) as sdk:
        sdk.marketplace.show()
    world.sandbox.expire()
    yield


def another_program(world: World) -> IntegrationSDK:
    """One that has a copy of the stored token, in a store of its own."""
    path = world.folder / "copy" / "token.json"
    other = create_instance(token_store={"name": "file", "path": str(path)})
    with create_instance(token_store=world.named_store) as sdk:
        token = sdk.token_store.get_token()
    assert token is not None
    other.token_store.set_token(token)
    return other


@fault(
    "The client is of type Marketplace API: the API refuses its token",
    finds="online.sign_in",
    says="HTTP 403, forbidden",
    remedy="Create an application of type Integration API in Console",
)
def marketplace_client(world: World) -> Iterator[None]:
    world.options += ["--online"]
    token = {"access_token": "an-access-t0ken", "token_type": "bearer", "expires_in": 600}
    world.secrets.add("an-access-t0ken")
    with listening(_api(200, {**token, "scope": "public-read"})) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "The client is of type Marketplace API: it may not sign in",
    finds="online.sign_in",
    says="HTTP 400, unauthorized_client",
    remedy="Create an application of type Integration API in Console",
)
def client_that_may_not(world: World) -> Iterator[None]:
    world.options += ["--online"]
    with listening(_api(400, {"error": "unauthorized_client"})) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


def _api(status: int, body: dict[str, object]) -> Serve:
    """An API that has this token response, and allows nobody anything."""
    forbidden = {"errors": [{"status": 403, "code": "forbidden", "title": "Forbidden"}]}

    def serve(_: SlowServer, line: Line) -> None:
        for request in requests_of(line):
            if "/auth/token" in request.line:
                respond(line, status, body)
            elif "authorization" in request.headers:
                respond(line, 403, forbidden)
            else:
                respond(line, 401, REFUSAL)

    return serve


@fault(
    "The token endpoint limits the rate of requests (429)",
    finds="online.sign_in",
    says="HTTP 429, too many requests",
    remedy="then run `flex-sdk doctor` again",
)
def too_many_sign_ins(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sandbox.fault("status", target="token", status=429, count=100)
    yield


@fault(
    "The token endpoint fails (500)",
    finds="online.sign_in",
    says="HTTP 500",
    remedy="Try again later",
)
def token_endpoint_fails(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sandbox.fault("status", target="token", status=500, count=100)
    yield


@fault(
    "A page responds in place of the token endpoint",
    finds="online.sign_in",
    says="something that is not a token",
    remedy="Check the network",
)
def page_for_a_token(world: World) -> Iterator[None]:
    world.options += ["--online"]
    world.sandbox.fault("html", target="token", count=100)
    yield
