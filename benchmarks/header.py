"""``python -m benchmarks.header``: the Authorization header while the token is valid.

The floor compares the expiry and gives a prebuilt header, under a lock. Ours may take three times
as long.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from ._common import interleaved, keep, machine, sample_token, table, verdict

BOUND = 3.0
FLOOR = "floor: compare expiry, prebuilt header, under a lock"
OURS = "ours: TokenSession.token().authorization"
OURS_CALL = "ours: new_call().token().authorization, as each API call does it"
ROUNDS, COUNT = 15, 2000
URL = "https://api.example.test/v1/x?y=1"

Call = Callable[[], object]


def main() -> int:
    """Prints the table; 1 if the bound does not hold."""
    with TemporaryDirectory(prefix="header-") as folder:
        cases = {FLOOR: floor(), **ours(Path(folder))}
        for peer in (authlib, requests_oauthlib, spotipy, globus, msal):
            try:
                cases |= peer()
            except ImportError as error:
                print(f"without {peer.__name__}: {error}", file=sys.stderr)
        taken = interleaved(cases, rounds=ROUNDS, count=COUNT)
        taken |= asyncio.run(asynchronous(Path(folder)))
    rows = [
        (name, f"{seconds * 1e6:.2f}", f"{seconds / taken[FLOOR]:.1f}")
        for name, seconds in taken.items()
    ]
    print(f"\n{machine()}\n\n{table(('header', 'µs', 'x floor'), rows)}\n")
    keep("header", taken)
    ratios = [taken[name] / taken[FLOOR] for name in (OURS, OURS_CALL)]
    for name, ratio in zip((OURS, OURS_CALL), ratios, strict=True):
        print(verdict(f"{name}, in floors", ratio, BOUND))
    return 0 if max(ratios) <= BOUND else 1


def floor() -> Call:
    """What cannot be left out by a program with threads."""
    token = sample_token()
    held = SimpleNamespace(
        header=f"Bearer {token['access_token']}", end=time.monotonic() + token["expires_in"]
    )
    lock, clock = threading.Lock(), time.monotonic

    def call() -> str:
        with lock:
            if clock() < held.end:
                header: str = held.header
                return header
        raise RuntimeError

    return call


def _identity() -> Any:
    from flex_tokenstore import TokenIdentity

    return TokenIdentity("https://api.example.test", "a-client", "integ")


def _token() -> Any:
    from flex_tokenstore import Token

    return Token.issued(sample_token(), identity_key=_identity().key, obtained_at=time.time())


def no_grants() -> Any:
    """A valid token asks the server for nothing."""
    return SimpleNamespace(refresh=None, sign_in=None, revoke=None)


def ours(folder: Path) -> dict[str, Call]:
    """On the file store, which other processes use too."""
    from flex_tokenstore import TokenSession, open_store

    store = open_store({"name": "file", "path": str(folder / "token.json")}, _identity())
    store.set_token(_token())
    session = TokenSession(store, no_grants())
    return {
        OURS: lambda: session.token().authorization,
        OURS_CALL: lambda: session.new_call().token().authorization,
        "ours: the file store read each time": lambda: store.get_token(),
    }


async def asynchronous(folder: Path) -> dict[str, float]:
    """Those that are awaited, in one event loop."""
    from flex_tokenstore import AsyncTokenSession, open_async_store

    config = {"name": "file", "path": str(folder / "token.json")}
    session = AsyncTokenSession(await open_async_store(config, _identity()), no_grants())
    cases: dict[str, Callable[[], Any]] = {"ours: await AsyncTokenSession.token()": session.token}
    try:
        from authlib.integrations.httpx_client import AsyncOAuth2Client
    except ImportError:
        pass
    else:
        client = AsyncOAuth2Client("id", "s", token_endpoint=URL, token=sample_token())

        async def check() -> object:
            await client.ensure_active_token(client.token)
            return client.token_auth.prepare(URL, {}, b"")

        cases["authlib (httpx, async)"] = check
    taken = {name: await _median(call) for name, call in cases.items()}
    await session.aclose()
    return taken


async def _median(call: Callable[[], Any]) -> float:
    durations = []
    for _ in range(ROUNDS * COUNT // 5):
        start = time.perf_counter()
        await call()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def authlib() -> dict[str, Call]:
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.integrations.requests_client import OAuth2Session

    session = OAuth2Session("id", "s", token_endpoint=URL, token=sample_token())
    client = OAuth2Client("id", "s", token_endpoint=URL, token=sample_token())

    def prepare() -> object:
        client.ensure_active_token(client.token)
        return client.token_auth.prepare(URL, {}, b"")

    return {
        "authlib (requests)": lambda: session.token_auth(
            SimpleNamespace(url=URL, headers={}, body=None)
        ),
        "authlib (httpx)": prepare,
    }


def requests_oauthlib() -> dict[str, Call]:
    from requests_oauthlib import OAuth2Session

    session = OAuth2Session("id", token=sample_token(), auto_refresh_url=URL)
    add = session._client.add_token
    return {"requests-oauthlib": lambda: add(URL, http_method="GET", body=None, headers={})}


def spotipy() -> dict[str, Call]:
    import spotipy
    from spotipy.cache_handler import MemoryCacheHandler

    manager = spotipy.SpotifyOAuth(
        "id", "s", "https://example.test/cb", scope="integ", open_browser=False,
        cache_handler=MemoryCacheHandler(sample_token()),
    )  # fmt: skip
    api = spotipy.Spotify(auth_manager=manager)
    return {"spotipy, memory": api._auth_headers}


def globus() -> dict[str, Call]:
    import globus_sdk

    token = sample_token()
    authorizer = globus_sdk.RefreshTokenAuthorizer(
        token["refresh_token"],
        globus_sdk.ConfidentialAppAuthClient("id", "s"),
        access_token=token["access_token"],
        expires_at=token["expires_at"],
    )
    return {"globus-sdk": authorizer.get_authorization_header}


def msal() -> dict[str, Call]:
    import msal

    from .storm._peers import AUTHORITY, _Mapped

    cache = msal.SerializableTokenCache()
    cache.add(
        {
            "client_id": "id", "scope": ["integ"], "token_endpoint": f"{AUTHORITY}/token",
            "environment": "login.example.test", "grant_type": "authorization_code",
            "response": {**sample_token(), "client_info": "eyJ1aWQiOiJ1MSIsInV0aWQiOiJ0MSJ9"},
        }
    )  # fmt: skip
    app = msal.ConfidentialClientApplication(
        "id", client_credential="s", oidc_authority=AUTHORITY, token_cache=cache,
        http_client=_Mapped(SimpleNamespace(), URL), instance_discovery=False,
    )  # fmt: skip
    account = app.get_accounts()[0]
    return {"msal, memory": lambda: app.acquire_token_silent(["integ"], account)["access_token"]}


if __name__ == "__main__":
    sys.exit(main())
