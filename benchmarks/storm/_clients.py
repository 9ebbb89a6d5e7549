"""What a client under test is, ours, and the reference."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, local
from typing import Any, ClassVar
from urllib.parse import urlencode

from ._server import API_PATH, CLIENT_ID, CLIENT_SECRET, TOKEN_PATHS


@dataclass(frozen=True)
class Place:
    """Where the holders of one token are at work."""

    base_url: str
    folder: Path
    redis_url: str | None = None

    @property
    def path(self) -> Path:
        return self.folder / "token.json"

    @property
    def token_url(self) -> str:
        return self.base_url + TOKEN_PATHS[0]

    @property
    def api_url(self) -> str:
        return f"{self.base_url}{API_PATH}marketplace/show"


class Client:
    """One library, used in its documented way to keep a refreshed token.

    ``place`` is the only state that its objects share before :meth:`connect`; each process calls
    that once and its threads share what it gives.
    """

    name: ClassVar[str]
    modes: ClassVar[tuple[str, ...]] = ("processes", "threads")
    early: ClassVar[float] = 0.0
    """Seconds before its end at which it takes a token for expired."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def seed(self, token: dict[str, Any]) -> None:
        """Stores a token as this library would have."""
        self.place.path.write_text(json.dumps(token))

    def stored_refresh_token(self) -> str:
        """The refresh token that the store holds."""
        return str(json.loads(self.place.path.read_text())["refresh_token"])

    def connect(self) -> Callable[[], Any]:
        """Gives the API call: it raises if it fails. In the mode ``tasks`` it is a coroutine."""
        raise NotImplementedError


class Ours(Client):
    """flex_integration_sdk on the file store."""

    name = "ours, file"

    @property
    def config(self) -> Any:
        return {"name": "file", "path": str(self.place.path)}

    def _store(self) -> Any:
        from flex_integration_sdk.config import resolve
        from flex_tokenstore import open_store

        settings = resolve(
            client_id=CLIENT_ID, base_url=self.place.base_url, token_store=self.config, environ={}
        )
        return open_store(settings.token_store, settings.identity)

    def seed(self, token: dict[str, Any]) -> None:
        from flex_tokenstore import Token

        with self._store() as store:
            key = store.identity.key
            issued_at = token["expires_at"] - token["expires_in"]
            store.set_token(Token.issued(token, identity_key=key, obtained_at=issued_at))

    def stored_refresh_token(self) -> str:
        with self._store() as store:
            return str(store.get_token().refresh_token.reveal())

    def connect(self) -> Callable[[], Any]:
        from flex_integration_sdk import create_instance

        sdk = create_instance(
            CLIENT_ID, CLIENT_SECRET, base_url=self.place.base_url, token_store=self.config
        )
        return sdk.marketplace.show


class OursAsync(Ours):
    """flex_integration_sdk for asyncio."""

    modes = ("tasks",)

    def connect(self) -> Callable[[], Any]:
        from flex_integration_sdk import create_async_instance

        sdk = create_async_instance(
            CLIENT_ID, CLIENT_SECRET, base_url=self.place.base_url, token_store=self.config
        )
        return sdk.marketplace.show


class OursRedis(Ours):
    """flex_integration_sdk on the Redis plugin."""

    name = "ours, redis"

    @property
    def config(self) -> Any:
        return {"name": "redis", "url": self.place.redis_url}


class OursRedisAsync(OursRedis, OursAsync):
    """The same for asyncio."""


class Reference(Client):
    """The least that is right on one host: lock, read again, refresh, save whole.

    It has no HTTP library, no errors to tell of and no second grant, and it does not survive an
    access token that the API refuses: a floor, not a peer.
    """

    name = "reference: lock, read again, refresh, save"

    _token: dict[str, Any]

    def connect(self) -> Callable[[], Any]:
        self._mutex = Lock()
        self._local = local()
        self._token = json.loads(self.place.path.read_text())
        return self._call

    def _call(self) -> None:
        access = self._current()["access_token"]
        headers = {"Authorization": f"Bearer {access}"}
        self._send("GET", API_PATH + "marketplace/show", None, headers)

    def _current(self) -> dict[str, Any]:
        with self._mutex:
            if self._token["expires_at"] <= time.time():
                self._token = self._renew()
            return self._token

    def _renew(self) -> dict[str, Any]:
        import fcntl

        fd = os.open(f"{self.place.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            token: dict[str, Any] = json.loads(self.place.path.read_text())
            if token["expires_at"] <= time.time():
                token = self._refresh(token["refresh_token"])
                self._save(token)
            return token
        finally:
            os.close(fd)

    def _refresh(self, refresh_token: str) -> dict[str, Any]:
        form = {
            "client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": refresh_token,
        }  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        token: dict[str, Any] = json.loads(
            self._send("POST", TOKEN_PATHS[0], urlencode(form), headers)
        )
        token["expires_at"] = time.time() + token["expires_in"]
        return token

    def _save(self, token: dict[str, Any]) -> None:
        temporary = self.place.path.with_suffix(f".{os.getpid()}")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump(token, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.place.path)

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            host = self.place.base_url.removeprefix("http://")
            connection = self._local.connection = http.client.HTTPConnection(host)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data: bytes = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: HTTP {response.status}")
        return data
