"""A program that knows nothing of Sharetribe: ``python -m tests.storm.oauth_program KIND CALLERS``.

For each line of its standard input it calls an API, by so many threads or tasks at once, and writes
what they got as one JSON line. It imports no SDK.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flex_tokenstore import (
    AsyncTokenSession,
    GrantError,
    Secret,
    Token,
    TokenIdentity,
    TokenSession,
    open_async_store,
    open_store,
    store_config_from_env,
)
from flex_tokenstore.auth import TokenAuth, read_token_response

KIND, CALLERS = sys.argv[1], int(sys.argv[2])
URL, CLIENT, SECRET = (os.environ[f"ACME_{name}"] for name in ("URL", "CLIENT", "SECRET"))
IDENTITY = TokenIdentity(URL, CLIENT)
STORE: Any = store_config_from_env("ACME_TOKEN_STORE")

if KIND == "requests":
    import requests

    post: Callable[..., Any] = requests.Session().post
else:
    import httpx2

    post = httpx2.Client(timeout=10.0).post


class Grants:
    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        return read_token_response(self._post(form), refreshing=True)

    def sign_in(self) -> Mapping[str, Any]:
        return read_token_response(
            self._post({"grant_type": "client_credentials"}), refreshing=False
        )

    def revoke(self, token: Token) -> None:
        raise GrantError("it is not revoked here")

    def _post(self, form: Mapping[str, str]) -> Any:
        client = {"client_id": CLIENT, "client_secret": SECRET}
        return post(f"{URL}/token", data={**form, **client}, timeout=10)


class AsyncGrants:
    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        return await asyncio.to_thread(Grants().refresh, refresh_token)

    async def sign_in(self) -> Mapping[str, Any]:
        return await asyncio.to_thread(Grants().sign_in)

    async def revoke(self, token: Token) -> None:
        raise GrantError("it is not revoked here")


def in_threads(get: Callable[[str], Any]) -> None:
    barrier = threading.Barrier(CALLERS)

    def call(_: int) -> int:
        barrier.wait()
        return int(get(f"{URL}/orders").status_code)

    with ThreadPoolExecutor(CALLERS) as threads:
        say("ready")
        for _ in sys.stdin:
            say(list(threads.map(call, range(CALLERS))))


async def in_tasks() -> None:
    store = await open_async_store(STORE, IDENTITY)
    async with (
        AsyncTokenSession(store, AsyncGrants()) as session,
        httpx2.AsyncClient(auth=TokenAuth(session), timeout=30.0) as client,
    ):
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            calls = (client.get(f"{URL}/orders") for _ in range(CALLERS))
            say([each.status_code for each in await asyncio.gather(*calls)])


def main() -> None:
    if KIND == "httpx2 async":
        asyncio.run(in_tasks())
        return
    with TokenSession(open_store(STORE, IDENTITY), Grants()) as session:
        if KIND == "requests":
            with requests.Session() as api:
                api.auth = TokenAuth(session)
                in_threads(lambda url: api.get(url, timeout=30))
        else:
            with httpx2.Client(auth=TokenAuth(session), timeout=30.0) as client:
                in_threads(client.get)


def say(answer: Any) -> None:
    sdk = [name for name in sys.modules if name.startswith("flex_integration_sdk")]
    sys.stdout.write(json.dumps({"said": answer, "sdk": sdk}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
