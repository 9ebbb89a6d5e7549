"""Libraries of others, each as its documentation says to keep a refreshed token."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ._clients import Client
from ._server import API_PATH, CLIENT_ID, CLIENT_SECRET

AUTHORITY = "https://login.example.test/t"  # msal insists on https; its requests are mapped


class _JsonFile(Client):
    """A library that hands the new token to a function of the program's."""

    def _load(self) -> Any:
        return json.loads(self.place.path.read_text())

    def _save(self, token: Any, **_: Any) -> None:
        with self.place.path.open("w") as file:
            json.dump(token, file)


class AuthlibRequests(_JsonFile):
    name = "authlib (requests)"
    early = 60.0

    def connect(self) -> Callable[[], Any]:
        from authlib.integrations.requests_client import OAuth2Session

        session = OAuth2Session(
            CLIENT_ID, CLIENT_SECRET, token_endpoint=self.place.token_url, token=self._load(),
            update_token=self._save,
        )  # fmt: skip
        return lambda: session.get(self.place.api_url).raise_for_status()


class AuthlibHttpx(_JsonFile):
    name = "authlib (httpx)"
    early = 60.0

    def connect(self) -> Callable[[], Any]:
        from authlib.integrations.httpx_client import OAuth2Client

        session = OAuth2Client(
            CLIENT_ID, CLIENT_SECRET, token_endpoint=self.place.token_url, token=self._load(),
            update_token=self._save,
        )  # fmt: skip
        return lambda: session.get(self.place.api_url).raise_for_status()


class AuthlibAsync(_JsonFile):
    name = "authlib (httpx, async)"
    modes = ("tasks",)
    early = 60.0

    def connect(self) -> Callable[[], Any]:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        async def save(token: Any, **_: Any) -> None:
            self._save(token)

        session = AsyncOAuth2Client(
            CLIENT_ID, CLIENT_SECRET, token_endpoint=self.place.token_url, token=self._load(),
            update_token=save,
        )  # fmt: skip

        async def call() -> None:
            (await session.get(self.place.api_url)).raise_for_status()

        return call


class RequestsOauthlib(_JsonFile):
    name = "requests-oauthlib"

    def connect(self) -> Callable[[], Any]:
        from requests_oauthlib import OAuth2Session

        token = self._load()
        token["expires_in"] = token["expires_at"] - time.time()
        session = OAuth2Session(
            CLIENT_ID,
            token=token,
            auto_refresh_url=self.place.token_url,
            auto_refresh_kwargs={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            token_updater=self._save,
        )
        return lambda: session.get(self.place.api_url).raise_for_status()


class Spotipy(Client):
    name = "spotipy, file cache"
    early = 59.0  # it takes a token for expired within 60 s, and counts whole seconds

    def connect(self) -> Callable[[], Any]:
        import spotipy
        from spotipy.cache_handler import CacheFileHandler

        spotipy.SpotifyOAuth.OAUTH_TOKEN_URL = self.place.token_url
        manager = spotipy.SpotifyOAuth(
            CLIENT_ID, CLIENT_SECRET, "https://example.test/cb", scope="integ", open_browser=False,
            cache_handler=CacheFileHandler(str(self.place.path)),
        )  # fmt: skip
        api = spotipy.Spotify(auth_manager=manager)
        return lambda: api._get(self.place.api_url)


class Globus(Client):
    name = "globus-sdk, JSON storage"
    early = 60.0

    def _storage(self) -> Any:
        from globus_sdk.token_storage import JSONTokenStorage

        return JSONTokenStorage(str(self.place.path))

    def seed(self, token: dict[str, Any]) -> None:
        from globus_sdk.token_storage import TokenStorageData

        data = TokenStorageData(
            resource_server="rs", identity_id=None, scope="integ", token_type="Bearer",
            access_token=token["access_token"], refresh_token=token["refresh_token"],
            expires_at_seconds=token["expires_at"],
        )  # fmt: skip
        self._storage().store_token_data_by_resource_server({"rs": data})

    def stored_refresh_token(self) -> str:
        return str(self._storage().get_token_data("rs").refresh_token)

    def connect(self) -> Callable[[], Any]:
        import globus_sdk

        storage = self._storage()
        data = storage.get_token_data("rs")
        authorizer = globus_sdk.RefreshTokenAuthorizer(
            data.refresh_token,
            globus_sdk.ConfidentialAppAuthClient(
                CLIENT_ID, CLIENT_SECRET, base_url=self.place.base_url
            ),
            access_token=data.access_token,
            expires_at=data.expires_at_seconds,
            on_refresh=storage.store_token_response,
        )
        client = globus_sdk.BaseClient(base_url=self.place.base_url, authorizer=authorizer)
        return lambda: client.get(f"{API_PATH}marketplace/show")


class Msal(Client):
    name = "msal, persisted cache"
    early = 300.0

    def _cache(self) -> Any:
        from msal_extensions import FilePersistence, PersistedTokenCache

        return PersistedTokenCache(FilePersistence(str(self.place.path)))

    def seed(self, token: dict[str, Any]) -> None:
        issued_at = token["expires_at"] - token["expires_in"]
        event = {
            "client_id": CLIENT_ID, "scope": ["integ"], "token_endpoint": f"{AUTHORITY}/token",
            "environment": "login.example.test", "grant_type": "authorization_code",
            "response": dict(token),
        }  # fmt: skip
        self._cache().add(event, now=issued_at)

    def stored_refresh_token(self) -> str:
        document = json.loads(self.place.path.read_text())
        return str(next(iter(document["RefreshToken"].values()))["secret"])

    def connect(self) -> Callable[[], Any]:
        import msal
        import requests

        session = requests.Session()
        app = msal.ConfidentialClientApplication(
            CLIENT_ID, client_credential=CLIENT_SECRET, oidc_authority=AUTHORITY,
            token_cache=self._cache(), http_client=_Mapped(session, self.place.token_url),
            instance_discovery=False,
        )  # fmt: skip
        account = app.get_accounts()[0]

        def call() -> None:
            result = app.acquire_token_silent(["integ"], account)
            if not result or "access_token" not in result:
                raise RuntimeError(f"acquire_token_silent: {(result or {}).get('error')}")
            headers = {"Authorization": f"Bearer {result['access_token']}"}
            session.get(self.place.api_url, headers=headers).raise_for_status()

        return call


class _Mapped:
    """An HTTP client for msal whose https authority is the server on loopback."""

    def __init__(self, session: Any, token_url: str) -> None:
        self._session = session
        self._token_url = token_url

    def get(self, url: str, **_: Any) -> Any:
        import requests

        names = ("authorization_endpoint", "token_endpoint")
        found = {name: f"{AUTHORITY}/{name.split('_')[0]}" for name in names}
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps({**found, "issuer": AUTHORITY}).encode()
        return response

    def post(self, url: str, **options: Any) -> Any:
        return self._session.post(self._token_url, **options)

    def close(self) -> None:
        self._session.close()


PEERS: tuple[type[Client], ...] = (
    AuthlibRequests, AuthlibHttpx, AuthlibAsync, RequestsOauthlib, Spotipy, Globus, Msal,
)  # fmt: skip
