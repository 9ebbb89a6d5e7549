"""One round: everybody has used the token, it ends, everybody calls at once."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ._clients import Client, Place
from ._holders import LEAD, Holder, Result, start

PROCESSES, CALLERS = 16, 64
LIFE = {"processes": 2, "threads": 1, "tasks": 1}  # seconds; all must have called once by then
TRIES = 3
TOO_SLOW = "the token ended too early"
LATER = 3600  # seconds that the refreshed token lives


@dataclass
class Calls:
    """What came of all callers' calls."""

    results: list[Result]
    counts: dict[str, int]

    @property
    def worst(self) -> float:
        return max(seconds for _, seconds in self.results)

    @property
    def median(self) -> float:
        return sorted(seconds for _, seconds in self.results)[len(self.results) // 2]

    @property
    def errors(self) -> list[str]:
        return [error for error, _ in self.results if error is not None]


@dataclass
class Round:
    """A round with a valid token, the storm, and one call more by everybody."""

    valid: Calls
    storm: Calls
    again: Calls
    stored: str
    """The refresh token in the store after the storm: ``alive``, ``dead``, or what is wrong."""
    notes: list[str] = field(default_factory=list)


class Control:
    """The server's process, and its counts."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def reset(self, *, revoke_family: bool = False, life: int = LATER) -> Any:
        return self._ask("POST", f"/_reset?family={int(revoke_family)}&life={life}")

    def expire(self) -> None:
        self._ask("POST", "/_expire")

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self._ask("GET", "/_stats")
        return found

    def alive(self, refresh_token: str) -> bool:
        return bool(self._ask("GET", f"/_alive?refresh={quote(refresh_token)}"))

    def _ask(self, method: str, path: str) -> Any:
        self._connection.request(method, path)
        return json.loads(self._connection.getresponse().read())


@contextlib.contextmanager
def server() -> Iterator[Control]:
    """The server, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.storm._server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Control(int(process.stdout.readline()))
        finally:
            process.terminate()


@contextlib.contextmanager
def holders_of(client: Client, mode: str) -> Iterator[list[Holder]]:
    """The holders, ready, and closed at the end."""
    holders = start(client, mode, processes=PROCESSES, callers=CALLERS)
    try:
        for holder in holders:
            holder.ready()
        yield holders
    finally:
        for holder in holders:
            holder.close()


def call_all(control: Control, holders: list[Holder]) -> Calls:
    """Lets everybody call at once."""
    before = control.counts()
    at = time.monotonic() + LEAD
    for holder in holders:
        holder.go(at - time.monotonic())
    results = [result for holder in holders for result in holder.results()]
    after = control.counts()
    return Calls(results, {name: after[name] - before[name] for name in after})


def play(
    kind: type[Client], mode: str, control: Control, redis_url: str | None, *, family: bool
) -> Round:
    """One round; again where the machine was so slow that the token ended before the storm."""
    for attempt in range(TRIES):
        life = LIFE[mode] * 3**attempt
        found = _play(kind, mode, control, redis_url, family=family, life=life)
        if TOO_SLOW not in found.notes:
            break
    return found


def _play(
    kind: type[Client],
    mode: str,
    control: Control,
    redis_url: str | None,
    *,
    family: bool,
    life: int,
) -> Round:
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        client = kind(Place(control.base_url, Path(folder), redis_url))
        token = control.reset(revoke_family=family)
        expires_at = math.ceil(time.time() + life + kind.early)
        token["expires_in"] = math.ceil(life + kind.early)
        client.seed({**token, "expires_at": expires_at})
        with holders_of(client, mode) as holders:
            warm = call_all(control, holders)
            valid = call_all(control, holders)
            notes = [f"before the storm: {error}" for error in warm.errors + valid.errors]
            if control.counts()["token_requests"]:
                notes.append(TOO_SLOW)
            time.sleep(max(0.0, expires_at - kind.early + 0.05 - time.time()))
            control.expire()
            storm = call_all(control, holders)
            stored = _state_of_store(client, control)
            return Round(valid, storm, call_all(control, holders), stored, notes)


def _state_of_store(client: Client, control: Control) -> str:
    try:
        return "alive" if control.alive(client.stored_refresh_token()) else "dead"
    except Exception as error:
        return f"unreadable ({type(error).__name__})"
