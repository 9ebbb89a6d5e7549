"""What the Redis store keeps, as the server's own client sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import redis

from redis_support import KEY, redis_config
from tests.support.golden import HOLDER, Held, Snapshot, filled, normal

if TYPE_CHECKING:
    from tests.servers.valkey import Valkey

LOCK, WAKE = f"{KEY}:lock", f"{KEY}:wake"
BINARY = "binary: "
"""Stands before the hexadecimal digits of what is not UTF-8."""


class RedisVessel:
    """All keys of a server: type, content and seconds to live."""

    name = "redis"
    has_lease = True
    corrupt: Mapping[str, Any] = {
        "not JSON": {"string": "x"},
        "nothing": {"string": ""},
        "not UTF-8": {"string": f"{BINARY}ff00"},
        "JSON of another kind": {"string": '["a"]'},
        "a token that cannot be sent": {"string": '{"access_token":"a\\nb"}'},
        "a hash": {"hash": {"access_token": "a"}},
        "a list": {"list": ["a", "b"]},
    }

    def __init__(self, server: Valkey) -> None:
        self._client = server.client()
        self._run: Callable[..., Any] = self._client.execute_command
        self.config = redis_config(server.url)

    def close(self) -> None:
        self._client.close()

    def empty(self) -> None:
        self._run("FLUSHALL")

    def look(self) -> Snapshot:
        names = sorted(name.decode() for name in self._run("KEYS", "*"))
        return {normal(name): self._one(name) for name in names}

    def put(self, golden: Snapshot) -> None:
        for name, content in filled(golden).items():
            self._put(name, content)

    def plant(self, content: Any) -> None:
        self._run("DEL", KEY)
        self._put(KEY, content)

    def hold(self, golden: Snapshot, lease: float) -> Held:
        assert golden == {LOCK: {"string": "<32 hex>", "seconds": 60}}
        self._run("SET", LOCK, HOLDER, "PX", int(lease * 1000))
        return _Lock(self._client)

    def _one(self, name: str) -> dict[str, Any]:
        kind = self._run("TYPE", name).decode()
        read: dict[str, tuple[Any, ...]] = {
            "string": ("GET", name),
            "hash": ("HGETALL", name),
            "list": ("LRANGE", name, 0, -1),
            "stream": ("XRANGE", name, "-", "+"),
        }
        found = {kind: _shown(self._run(*read[kind]))}
        left = self._run("PTTL", name)
        # Rounded to ten seconds: the machine may be slow.
        return found if left < 0 else {**found, "seconds": round(left / 10_000) * 10}

    def _put(self, name: str, content: dict[str, Any]) -> None:
        for kind, value in content.items():
            if kind == "string":
                self._run("SET", name, _raw(value))
            elif kind == "hash":
                self._run("HSET", name, *(part for pair in value.items() for part in pair))
            elif kind == "list":
                self._run("RPUSH", name, *value)
            elif kind == "stream":
                for fields in value:
                    pairs = [part for pair in fields.items() for part in pair]
                    self._run("XADD", name, "*", *pairs)
        if "seconds" in content:
            self._run("PEXPIRE", name, content["seconds"] * 1000)


class _Lock:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def release(self) -> None:
        # In one step, as the script of the last version did.
        with self._client.pipeline(transaction=True) as step:
            step.delete(LOCK)
            step.xadd(WAKE, {"free": 1}, maxlen=1, approximate=False)
            step.pexpire(WAKE, 60_000)
            step.execute()

    def die(self) -> None:
        """Its key goes on to its end."""


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {_shown(key): _shown(each) for key, each in value.items()}
    if isinstance(value, list):
        # An entry of a stream is a tuple. Its id is a time, and not shown.
        return [_shown(each[1] if isinstance(each, tuple) else each) for each in value]
    try:
        return normal(value.decode())
    except UnicodeDecodeError:
        return f"{BINARY}{value.hex()}"


def _raw(text: str) -> bytes:
    if text.startswith(BINARY):
        return bytes.fromhex(text.removeprefix(BINARY))
    return text.encode()
