"""What encryption costs: the store ``encrypted`` beside its inner store, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ._common import interleaved, keep, sample_token, table, verdict
from .storm._redis import missing, redis_server

MOST = 60.0  # microseconds that a read or a save may take more
ROUNDS, COUNT = 40, 25


def encryption(folder: Path) -> str:
    """The table, and whether the bound holds."""
    if find_spec("flex_tokenstore_encrypted") is None:
        return "flex_tokenstore_encrypted is not installed"
    from flex_tokenstore_encrypted.__main__ import main as make_key

    key = folder / "token.key"
    assert make_key(["new-key", str(key)]) == 0
    with ExitStack() as stack:
        inner: dict[str, dict[str, Any]] = {
            "memory": {"name": "memory"},
            "file": {"name": "file", "path": str(folder / "inner.json")},
        }
        if missing() is None:
            inner["redis"] = {"name": "redis", "url": stack.enter_context(redis_server())}
        calls: dict[str, Callable[[], object]] = {}
        for name, config in inner.items():
            other = {**config, **({"path": str(folder / "outer.json")} if name == "file" else {})}
            calls |= _calls(f"{name} ", config, stack)
            wrapped = {"name": "encrypted", "key_file": str(key), "inner": other}
            calls |= _calls(f"encrypted over {name} ", wrapped, stack)
        # Of this thread alone: a disk, a server and other programs take their time with both.
        times = interleaved(
            calls, rounds=ROUNDS, count=COUNT, clock=time.thread_time, of_rounds=min
        )
    keep("stores-encryption", times)
    rows, worst = [], 0.0
    for name in inner:
        for call in ("get", "set"):
            plain, sealed = (
                times[f"{prefix}{name} {call}"] * 1e6 for prefix in ("", "encrypted over ")
            )
            worst = max(worst, sealed - plain)
            rows.append((name, call, f"{plain:.0f}", f"{sealed:.0f}", f"{sealed - plain:.0f}"))
    head = ("inner store", "call", "inner, µs of CPU", "encrypted, µs of CPU", "more, µs")
    return f"{table(head, rows)}\n\n{verdict('the most that encryption adds, in µs,', worst, MOST)}"


def _calls(prefix: str, config: Any, stack: ExitStack) -> dict[str, Callable[[], object]]:
    from flex_tokenstore import Token, TokenIdentity, open_store

    identity = TokenIdentity("https://api.example.test", f"{prefix}client", "integ")
    answers = [{**sample_token(), "refresh_token": f"r{each}" * 150} for each in range(2)]
    tokens = [Token.issued(a, identity_key=identity.key, obtained_at=1.0) for a in answers]
    store = stack.enter_context(open_store(config, identity))
    store.set_token(tokens[0])
    turn = [0]

    def save() -> None:
        old = turn[0]
        turn[0] = 1 - old
        store.set_token(tokens[1 - old], tokens[old].revision)

    return {f"{prefix}get": store.get_token, f"{prefix}set": save}
