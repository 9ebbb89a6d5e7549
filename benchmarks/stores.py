"""``python -m benchmarks.stores``: a store's operations beside the bare ones beneath them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ._common import interleaved, keep, machine, sample_token, table
from ._encryption import encryption
from .storm._redis import missing, redis_server

ROUNDS, COUNT = 9, 60
Call = Callable[[], object]


def main() -> int:
    """Prints the table."""
    with TemporaryDirectory(prefix="stores-") as folder:
        pairs = {**raw(Path(folder)), **ours(Path(folder)), **peers(Path(folder))}
        reads = interleaved({n: get for n, (get, _) in pairs.items()}, rounds=ROUNDS, count=COUNT)
        writes = interleaved({n: put for n, (_, put) in pairs.items()}, rounds=ROUNDS, count=COUNT)
    floor_get, floor_set = reads[RAW], writes[RAW]
    rows = [
        (name, f"{reads[name] * 1e6:.1f}", f"{reads[name] / floor_get:.1f}",
         f"{writes[name] * 1e6:.0f}", f"{writes[name] / floor_set:.1f}")
        for name in pairs
    ]  # fmt: skip
    head = ("store", "get, µs", "x raw", "set, µs", "x raw")
    print(f"\n{machine()}\n\n{table(head, rows)}\n")
    keep("stores", {"get": reads, "set": writes})
    print(missing() or f"{remote()}\n")
    with TemporaryDirectory(prefix="stores-") as folder:
        print(encryption(Path(folder)))
    return 0


def remote() -> str:
    """The Redis store beside the same commands, with the same bytes, sent by the raw client."""
    import redis

    from flex_tokenstore import Token, TokenIdentity, open_store
    from flex_tokenstore_redis._scripts import REPLACE

    identity = TokenIdentity("https://api.example.test", "a-client", "integ")
    answers = [{**sample_token(), "refresh_token": f"r{each}"} for each in range(2)]
    tokens = [Token.issued(a, identity_key=identity.key, obtained_at=1.0) for a in answers]
    with redis_server() as url, redis.Redis.from_url(url) as client:
        store = open_store({"name": "redis", "url": url}, identity)
        store.set_token(tokens[0])
        key = client.keys()[0]
        data = [json.dumps(token.to_dict(), separators=(",", ":")).encode() for token in tokens]
        marks = [hashlib.sha1(each, usedforsecurity=False).hexdigest() for each in data]
        turn = {"raw": 0, "ours": 0}

        def raw_set() -> None:
            old, new = turn["raw"], 1 - turn["raw"]
            client.evalsha(REPLACE.sha, 1, "raw", marks[old], data[new], "")
            turn["raw"] = new

        def our_set() -> None:
            old, new = turn["ours"], 1 - turn["ours"]
            store.set_token(tokens[new], tokens[old].revision)
            turn["ours"] = new

        client.set("raw", data[0])
        calls = {"raw get": lambda: client.get(key), "get": store.get_token,
                 "raw set": raw_set, "set": our_set}  # fmt: skip
        times = interleaved(calls, rounds=ROUNDS, count=200)
        keep("stores-redis", times)
        store.close()
    rows = [
        (name, f"{times[f'raw {name}'] * 1e6:.0f}", f"{times[name] * 1e6:.0f}",
         f"{(times[name] - times[f'raw {name}']) * 1e6:.0f}")
        for name in ("get", "set")
    ]  # fmt: skip
    return table(("redis", "raw, µs", "ours, µs", "more, µs"), rows)


RAW = "raw file: two stats; temporary file, fsync, replace, fsync of the folder"


def raw(folder: Path) -> dict[str, tuple[Call, Call]]:
    """The least that sees another process's change, and that loses nothing in a crash."""
    path, temporary = folder / "raw.json", folder / "raw.tmp"
    token = sample_token()

    def put() -> None:
        data = json.dumps(token).encode()
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    put()
    return {RAW: (lambda: (path.stat(), folder.stat()), put)}


def ours(folder: Path) -> dict[str, tuple[Call, Call]]:
    """Through the public handle, checks and all."""
    from flex_tokenstore import Token, TokenIdentity, open_store

    identity = TokenIdentity("https://api.example.test", "a-client", "integ")
    token = Token.issued(sample_token(), identity_key=identity.key, obtained_at=time.time())
    configs: dict[str, Any] = {
        "ours: memory": "memory",
        "ours: file": {"name": "file", "path": str(folder / "token.json")},
    }
    found: dict[str, tuple[Call, Call]] = {}
    for name, config in configs.items():
        store = open_store(config, identity)
        store.set_token(token)
        found[name] = (store.get_token, partial(store.set_token, token))
    time.sleep(0.2)  # a file just written is read again: its time stamp may not tell a change
    return found


def peers(folder: Path) -> dict[str, tuple[Call, Call]]:
    """Those whose store stands by itself; none of them syncs."""
    found: dict[str, tuple[Call, Call]] = {}
    token = sample_token()
    try:
        from globus_sdk.token_storage import JSONTokenStorage, TokenStorageData
    except ImportError:
        pass
    else:
        storage = JSONTokenStorage(str(folder / "globus.json"))
        data = TokenStorageData(
            resource_server="rs", identity_id=None, scope="integ", token_type="Bearer",
            access_token=token["access_token"], refresh_token=token["refresh_token"],
            expires_at_seconds=token["expires_at"],
        )  # fmt: skip

        def put() -> None:
            storage.store_token_data_by_resource_server({"rs": data})

        put()
        found["globus-sdk, JSON storage"] = (lambda: storage.get_token_data("rs"), put)
    try:
        from spotipy.cache_handler import CacheFileHandler
    except ImportError:
        return found
    cache = CacheFileHandler(str(folder / "spotipy"))
    cache.save_token_to_cache(token)
    found["spotipy, file cache"] = (
        cache.get_cached_token,
        lambda: cache.save_token_to_cache(token),
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
