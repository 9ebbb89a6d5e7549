"""A program that runs scenarios under the tracer, one for each line of JSON on standard input.

A process of its own, with one thread and everything imported: it forks for each scenario, and
what a scenario does is the store's work alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flex_tokenstore import TokenSession, file_store, open_store
from flex_tokenstore._values.token import ANY_REVISION
from flex_tokenstore.stores.file.private_files import Permissions
from flex_tokenstore.stores.file.store import FileStore
from tests.support.fakes import IDENTITY, Server

from . import ptrace
from .ptrace import Call, Trace

MODULE = "tests.flex_tokenstore.stores.traced"


def token(name: str, **more: Any) -> dict[str, Any]:
    tag = {"format": 1, "identity": IDENTITY.key}
    return {
        "access_token": f"a-{name}",
        "refresh_token": f"r-{name}",
        "flex_tokenstore": tag,
        **more,
    }


def store(path: str | None, permissions: Permissions = "strict") -> FileStore:
    return FileStore(FileStore.Options(path=path, permissions=permissions), IDENTITY)


def in_cache(opened: FileStore) -> FileStore:
    """Reads until the file is in the cache: older than what that distrusts."""
    deadline = time.monotonic() + 20
    while opened._cache is None:
        assert time.monotonic() < deadline
        opened.get_token()
    return opened


def get(path: str | None) -> None:
    store(path).get_token()


def get_unchanged(path: str | None) -> None:
    opened = store(path)
    opened.get_token()
    ptrace.note()
    opened.get_token()


def save(path: str | None) -> None:
    store(path).set_token(token("new"), ANY_REVISION)


def prepare(path: str | None) -> None:
    store(path).prepare_save()


def remove(path: str | None) -> None:
    store(path).remove_token(ANY_REVISION)


def renew(path: str | None) -> None:
    """A session's renewal: the server knows the first refresh token; it is asked at the note."""
    server = Server()
    server._issue()
    server.before = ptrace.note
    with TokenSession(open_store(file_store(path=path), IDENTITY), server) as session:
        session.token()


SCENARIOS = {what.__name__: what for what in (get, get_unchanged, save, prepare, remove, renew)}


class Outcome:
    """What came of a scenario.

    Attributes:
        trace: Its system calls.
        error: The error that it raised, as its class and message.
    """

    def __init__(self, answer: dict[str, Any]) -> None:
        calls = [Call(name, tuple(paths), result) for name, paths, result in answer["calls"]]
        self.trace = Trace(calls, answer["killed"])
        self.error: str = answer["error"]

    def on_files(self, folder: Path) -> list[tuple[str, str]]:
        """Kind and file name of each call on the folder and what is in it."""
        return [
            (call.kind, "->".join(Path(path).name for path in call.paths))
            for call in self.trace.calls
            if any(Path(path).is_relative_to(folder) for path in call.paths)
        ]

    @property
    def asked_the_server(self) -> bool:
        return any(call.name == "getpriority" and call.result for call in self.trace.calls[:-1])


class Helper:
    """The program, as tests use it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.why_not: str | None = json.loads(process.stdout.readline())
        """The reason why nothing can be traced here; None: it can."""

    def run(self, scenario: str, path: Path | None, **how: Any) -> Outcome:
        """Runs a scenario; ``how`` as of :func:`.ptrace.trace`."""
        request = {"scenario": scenario, "path": None if path is None else str(path), **how}
        request["environment"] = {
            name: os.environ[name] for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Outcome(json.loads(self._process.stdout.readline()))


@contextmanager
def helper() -> Iterator[Helper]:
    with subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        yield Helper(process)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    os.environ.update(request["environment"])
    told, teller = os.pipe()

    def run() -> None:
        ptrace.start()
        error = ""
        try:
            SCENARIOS[request["scenario"]](request["path"])
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        ptrace.end()
        os.write(teller, error.encode())

    try:
        how = {name: request.get(name) for name in ("kill_at", "kill_at_file", "fail_at")}
        trace = ptrace.trace(run, **how)
        os.close(teller)
        return {"calls": trace.calls, "killed": trace.killed, "error": os.read(told, 4096).decode()}
    finally:
        os.close(told)


def main() -> None:
    import tempfile

    reason = ptrace.why_not()
    print(json.dumps(reason), flush=True)
    if reason:
        return
    with tempfile.TemporaryDirectory() as folder:  # so that nothing is imported under the tracer
        os.environ.update(HOME=folder, XDG_CONFIG_HOME=folder)
        for scenario in SCENARIOS.values():
            scenario(None)
            scenario(f"{folder}/t.json")
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
