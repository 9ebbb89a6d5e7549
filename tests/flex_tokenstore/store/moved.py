"""A program that moves a token, one for each line of JSON on standard input, and is killed at it.

A process of its own, with one thread: it forks for each move, and the child kills itself with
SIGKILL before a call of a store. What happens between two of them changes nothing that is stored.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from flex_tokenstore import TokenStore, open_store
from flex_tokenstore.embedding import move_token
from tests.support.fakes import IDENTITY

MODULE = "tests.flex_tokenstore.store.moved"
# A read changes nothing: whoever is killed before one left what the next of these finds.
CALLS = ("set_token", "remove_token", "_enter", "_leave", "close")
# What a store may find its folder or its service by.
NAMES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "DBUS_SESSION_BUS_ADDRESS")
WAIT, LEASE = 20.0, 15.0  # seconds


class Outcome(NamedTuple):
    """How a move ended."""

    killed: bool
    state: str
    error: str


class Mover:
    """The program, as tests use it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, source: Any, destination: Any, *, at: int | None = None) -> Outcome:
        """Moves; kills before the call number ``at``, from 0; None: not at all."""
        request = {"source": source, "destination": destination, "at": at}
        request["environment"] = {name: os.environ[name] for name in NAMES if name in os.environ}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Outcome(*json.loads(self._process.stdout.readline()))


@contextmanager
def mover() -> Iterator[Mover]:
    with subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        yield Mover(process)


def _die_at(number: int) -> None:
    left = [number]

    def stepped() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    for name in CALLS:
        setattr(TokenStore, name, _counted(getattr(TokenStore, name), stepped))


def _counted(method: Callable[..., Any], stepped: Callable[[], None]) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        stepped()
        return method(*arguments, **named)

    return counted


def _move(request: dict[str, Any]) -> list[str]:
    try:
        with (
            open_store(request["source"], IDENTITY) as source,
            open_store(request["destination"], IDENTITY) as destination,
        ):
            if request["at"] is not None:
                _die_at(request["at"])
            found = move_token(source, destination, wait=WAIT, lease=LEASE)
            return [found.state, ""]
    except Exception as error:
        return ["", f"{type(error).__name__}: {error}"]


@cache
def _warm_up(config: str) -> None:
    """Uses the store once, so that a child need not import what that needs, each again."""
    with open_store(json.loads(config), IDENTITY) as store, store.token_lock(WAIT, LEASE):
        found = store.get_token()
        store.prepare_save()
        if found is not None:
            store.set_token(found, found.revision)


def _answer(request: dict[str, Any]) -> list[Any]:
    os.environ.update(request["environment"])
    for config in (request["source"], request["destination"]):
        _warm_up(json.dumps(config))
    told, teller = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(teller, json.dumps(_move(request)).encode())
        os._exit(0)
    os.close(teller)
    with open(told, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return [killed, *(json.loads(said) if said and not killed else ["", ""])]


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
