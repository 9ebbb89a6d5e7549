"""OAuth libraries that know nothing of Sharetribe get and refresh tokens, as their pages say.

Where a library's default is HTTP Basic, the sandbox refuses it, and what the library then raises
says what to do; the option that its documentation names for that works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from httpx_oauth.oauth2 import OAuth2, RefreshTokenError, RevokeTokenError
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError, OAuth2Error
from requests_oauthlib import OAuth2Session

from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

SECRET = "s3cret & more+ü"
HINT = "send client_id and client_secret in the form"


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_id="the client", client_secret=SECRET)) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    shared.reset()
    # Each library refuses plain http but with its own variable.
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    return shared


@pytest.fixture
def soon_expired(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    """Its tokens expire within the minute in which authlib already refreshes them."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    settings = SandboxSettings(client_id="the client", client_secret=SECRET, access_ttl=30)
    with serve(settings) as running:
        yield running


def token_url(sandbox: RunningSandbox) -> str:
    return f"{sandbox.base_url}/v1/auth/token"


def show(sandbox: RunningSandbox) -> str:
    return f"{sandbox.base_url}/v1/integration_api/marketplace/show"


def revoke_url(sandbox: RunningSandbox) -> str:
    return f"{sandbox.base_url}/v1/auth/revoke"


def grants(sandbox: RunningSandbox) -> tuple[int, int, int]:
    """Sign-ins, refreshes, and refreshes that were rejected."""
    stats = sandbox.stats()
    return stats["client_credentials"], stats["refresh_token"], stats["refresh_rejected"]


# authlib: https://docs.authlib.org, "OAuth 2 Session", "OAuth for HTTPX"

OfAuthlib = type[OAuth2Client] | type[AuthlibSession]
each_sync_client = pytest.mark.parametrize("kind", [OAuth2Client, AuthlibSession])


def authlib_client(kind: Any, sandbox: RunningSandbox, **options: Any) -> Any:
    """A client as documented, which sends the secret in the form."""
    return kind(
        sandbox.client_id,
        SECRET,
        scope="integ",
        token_endpoint=token_url(sandbox),
        token_endpoint_auth_method="client_secret_post",
        **options,
    )


@each_sync_client
def test_authlib_sends_http_basic_unless_told(kind: OfAuthlib, sandbox: RunningSandbox) -> None:
    with (
        kind(sandbox.client_id, SECRET, scope="integ") as client,
        pytest.raises(OAuthError, match=HINT) as caught,
    ):
        client.fetch_token(token_url(sandbox), grant_type="client_credentials")
    assert caught.value.error == "invalid_client"
    assert "client_secret_post" in caught.value.description
    assert SECRET not in str(caught.value)


@each_sync_client
def test_authlib_gets_and_refreshes_a_token(kind: OfAuthlib, sandbox: RunningSandbox) -> None:
    with authlib_client(kind, sandbox) as client:
        first = client.fetch_token(token_url(sandbox), grant_type="client_credentials")
        assert (first["token_type"], first["scope"]) == ("bearer", "integ")
        assert client.get(show(sandbox)).json()["data"]["type"] == "marketplace"
        second = client.refresh_token(token_url(sandbox), refresh_token=first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        assert client.get(show(sandbox)).status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant: The refresh token is unknown"):
            client.refresh_token(token_url(sandbox), refresh_token=first["refresh_token"])
    assert grants(sandbox) == (1, 2, 1)


@each_sync_client
def test_authlib_refreshes_by_itself(kind: OfAuthlib, soon_expired: RunningSandbox) -> None:
    updates: list[str] = []

    def update(token: Any, refresh_token: Any = None, access_token: Any = None) -> None:
        updates.append(token["access_token"])

    with authlib_client(kind, soon_expired, update_token=update) as client:
        client.fetch_token(grant_type="client_credentials")
        for _ in range(2):
            assert client.get(show(soon_expired)).status_code == 200
    assert len(set(updates)) == 2
    assert grants(soon_expired) == (1, 2, 0)


def test_authlib_with_asyncio(sandbox: RunningSandbox) -> None:
    async def main() -> None:
        async with AsyncOAuth2Client(sandbox.client_id, SECRET) as client:
            with pytest.raises(OAuthError, match=HINT):
                await client.fetch_token(token_url(sandbox), grant_type="client_credentials")
        async with authlib_client(AsyncOAuth2Client, sandbox) as client:
            first = await client.fetch_token(grant_type="client_credentials")
            assert (await client.get(show(sandbox))).status_code == 200
            second = await client.refresh_token(refresh_token=first["refresh_token"])
            assert second["access_token"] != first["access_token"]
            assert (await client.get(show(sandbox))).status_code == 200

    asyncio.run(main())
    assert grants(sandbox) == (2, 1, 0)


@each_sync_client
def test_authlib_tells_what_the_form_lacks(kind: OfAuthlib, sandbox: RunningSandbox) -> None:
    with authlib_client(kind, sandbox) as client:
        with pytest.raises(OAuthError, match=r"invalid_scope.*send scope=integ"):
            client.fetch_token(grant_type="client_credentials", scope="user")
        with pytest.raises(OAuthError, match="unsupported_grant_type"):
            client.fetch_token(grant_type="password", username="u", password="p")
    with (
        kind(sandbox.client_id, "wrong", token_endpoint_auth_method="client_secret_post") as client,
        pytest.raises(OAuthError, match="invalid_client"),
    ):
        client.fetch_token(token_url(sandbox), grant_type="client_credentials")


@each_sync_client
def test_authlib_revokes_with_the_access_token_only(
    kind: OfAuthlib, sandbox: RunningSandbox
) -> None:
    with authlib_client(kind, sandbox) as client:
        token = client.fetch_token(grant_type="client_credentials")
        # Its revoke_token sends the client secret: the API wants the access token.
        answer = client.revoke_token(revoke_url(sandbox), token=token["refresh_token"])
        assert answer.status_code == 401
        assert "Authorization: Bearer" in answer.json()["error_description"]
        answer = client.post(revoke_url(sandbox), data={"token": token["refresh_token"]})
        assert (answer.status_code, answer.json()) == (200, {"action": "revoked"})


# requests-oauthlib: https://requests-oauthlib.readthedocs.io, "Backend Application Flow",
# "Refreshing tokens"


def requests_session(sandbox: RunningSandbox, **options: Any) -> OAuth2Session:
    client = BackendApplicationClient(client_id=sandbox.client_id, scope=["integ"])
    return OAuth2Session(client=client, **options)


def test_requests_oauthlib_sends_http_basic_unless_told(sandbox: RunningSandbox) -> None:
    auth = requests.auth.HTTPBasicAuth(sandbox.client_id, SECRET)
    ways: list[dict[str, Any]] = [{"client_secret": SECRET}, {"auth": auth}]
    for way in ways:
        with (
            requests_session(sandbox) as session,
            pytest.raises(InvalidClientError, match=HINT) as caught,
        ):
            session.fetch_token(token_url(sandbox), **way)
        assert SECRET not in str(caught.value)


def test_requests_oauthlib_gets_and_refreshes_a_token(sandbox: RunningSandbox) -> None:
    with requests_session(sandbox) as session:
        first = session.fetch_token(
            token_url(sandbox), client_secret=SECRET, include_client_id=True
        )
        assert first["scope"] == ["integ"]
        assert session.get(show(sandbox)).json()["data"]["type"] == "marketplace"
        named = {"client_id": sandbox.client_id}
        for extra in (named, {**named, "client_secret": SECRET}):
            session.refresh_token(token_url(sandbox), **extra)
            assert session.get(show(sandbox)).status_code == 200
        with pytest.raises(InvalidGrantError, match="The refresh token is unknown, used up"):
            session.refresh_token(token_url(sandbox), refresh_token=first["refresh_token"], **named)
        with pytest.raises(InvalidClientError, match="client_id is missing"):
            session.refresh_token(token_url(sandbox), refresh_token=first["refresh_token"])
    assert grants(sandbox) == (1, 4, 2)


def test_requests_oauthlib_refreshes_by_itself(sandbox: RunningSandbox) -> None:
    """Its third way of refreshing: a token that has expired, and a function that keeps the new."""
    with requests_session(sandbox) as session:
        token = session.fetch_token(
            token_url(sandbox), client_secret=SECRET, include_client_id=True
        )
    updates: list[Any] = []
    expired = {**token, "expires_in": -30, "expires_at": 1}
    with OAuth2Session(
        sandbox.client_id,
        token=expired,
        auto_refresh_url=token_url(sandbox),
        auto_refresh_kwargs={"client_id": sandbox.client_id, "client_secret": SECRET},
        token_updater=updates.append,
    ) as session:
        assert session.get(show(sandbox)).status_code == 200
    assert len(updates) == 1
    assert grants(sandbox) == (1, 1, 0)


def test_requests_oauthlib_tells_what_is_wrong(sandbox: RunningSandbox) -> None:
    with requests_session(sandbox) as session:
        in_form: dict[str, Any] = {"client_secret": SECRET, "include_client_id": True}
        with pytest.raises(OAuth2Error, match="belong in the body as a form"):
            session.fetch_token(token_url(sandbox), force_querystring=True, **in_form)
        with pytest.raises(OAuth2Error, match="This path takes another method: OPTIONS, POST"):
            session.fetch_token(token_url(sandbox), method="GET", **in_form)
        with pytest.raises(OAuth2Error, match="The only scope is integ"):
            session.fetch_token(token_url(sandbox), scope="user", **in_form)


# httpx-oauth: https://frankie567.github.io/httpx-oauth/usage. Only asyncio, and no
# client-credentials grant: its refresh_token and revoke_token are what fits.


def test_httpx_oauth_refreshes_a_token(sandbox: RunningSandbox) -> None:
    form = {
        "client_id": sandbox.client_id,
        "client_secret": SECRET,
        "grant_type": "client_credentials",
        "scope": "integ",
    }
    first = httpx.post(token_url(sandbox), data=form).json()
    places = (f"{sandbox.base_url}/authorize", token_url(sandbox), token_url(sandbox))

    async def main() -> None:
        basic = OAuth2(
            sandbox.client_id, SECRET, *places, token_endpoint_auth_method="client_secret_basic"
        )
        with pytest.raises(RefreshTokenError) as caught:
            await basic.refresh_token(first["refresh_token"])
        assert caught.value.response is not None
        assert HINT in caught.value.response.json()["error_description"]
        client = OAuth2(sandbox.client_id, SECRET, *places)  # it sends the form by default
        second = await client.refresh_token(first["refresh_token"])
        assert not second.is_expired()
        assert second["refresh_token"] != first["refresh_token"]
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        async with httpx.AsyncClient(headers=bearer) as api:
            assert (await api.get(show(sandbox))).status_code == 200
        with pytest.raises(RefreshTokenError, match="401"):
            await client.refresh_token(first["refresh_token"])

    asyncio.run(main())
    assert grants(sandbox) == (1, 3, 1)


def test_httpx_oauth_cannot_revoke_with_the_client_secret(sandbox: RunningSandbox) -> None:
    client = OAuth2(
        sandbox.client_id,
        SECRET,
        f"{sandbox.base_url}/authorize",
        token_url(sandbox),
        revoke_token_endpoint=revoke_url(sandbox),
        revocation_endpoint_auth_method="client_secret_post",
    )
    with pytest.raises(RevokeTokenError) as caught:
        asyncio.run(client.revoke_token("some-token"))
    assert caught.value.response is not None
    assert "Authorization: Bearer" in caught.value.response.json()["error_description"]
    with pytest.raises(RefreshTokenError) as refused:
        asyncio.run(
            OAuth2(
                sandbox.client_id, SECRET, "http://unused", token_url(sandbox), token_url(sandbox)
            ).refresh_token("")
        )
    assert refused.value.response is not None
    assert refused.value.response.json()["error"] == "invalid_request"
