"""The main job in one go: new processes share one token, and a sandbox counts what they send.

``run()`` is what ``flex-sdk demo`` shows; ``python -m flex_integration_sdk.demo`` is one of its
processes, which takes its settings from the environment as any program does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flex_integration_sdk.sandbox import RunningSandbox

PATIENCE = 60.0  # seconds for one run, start of the interpreters included
END_PATIENCE = 5.0  # seconds for a process to exit after its response
LATENCY = 100  # milliseconds that a token request takes, so that renewals would overlap
READY, GO = "ready", "go"

WORDS = {
    "client_credentials": "sign-ins with the client secret",
    "refresh_token": "refreshes",
    "refresh_rejected": "refreshes rejected",
}


@dataclass(frozen=True)
class Round:
    """One run: what the sandbox counted in it, and what it should have."""

    title: str
    processes: int
    expected: Mapping[str, int]
    actual: Mapping[str, int]
    failures: tuple[str, ...] = ()
    """What the processes that failed said."""

    @property
    def as_expected(self) -> bool:
        """Whether all figures are the expected ones."""
        return all(self.actual[name] == count for name, count in self.expected.items())

    def figures(self) -> Iterator[tuple[str, int, bool]]:
        """Each figure: its name, the actual count, whether it is the expected one."""
        for name, count in self.expected.items():
            yield name, self.actual[name], self.actual[name] == count


def run(*, processes: int = 8, tell: Callable[[str], object] | None = None) -> list[Round]:
    """Runs the demo.

    Args:
        processes: How many find the expired token at the same moment.
        tell: Called with a text when a run begins.

    Raises:
        ImportError: The extra ``sandbox`` is not installed.
        OSError: No folder or process could be made.
    """
    from flex_integration_sdk.sandbox import SandboxSettings, serve

    tell = tell or (lambda text: None)
    plan = [
        ("1: nothing is stored", 1, False, {"client_credentials": 1, "refresh_token": 0}),
        ("2: a token is stored", 1, False, {"client_credentials": 0, "refresh_token": 0}),
        ("3: it has expired", 1, True, {"client_credentials": 0, "refresh_token": 1}),
        ("4: expired, all at once", processes, True, {"client_credentials": 0, "refresh_token": 1}),
    ]
    rounds = []
    with (
        tempfile.TemporaryDirectory(prefix="flex-sdk-demo-") as folder,
        serve(SandboxSettings(latency_ms=LATENCY)) as sandbox,
    ):
        environment = environment_for(sandbox, Path(folder))
        for title, count, expire, grants in plan:
            tell(title)
            if expire:
                sandbox.expire()
            rounds.append(_play(title, count, grants, sandbox, environment))
    return rounds


def environment_for(sandbox: RunningSandbox, folder: Path) -> dict[str, str]:
    """The environment of the demo's processes; nothing of the user's own settings is in it."""
    ours = ("FLEX_INTEGRATION_", "FLEX_TOKENSTORE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        "FLEX_INTEGRATION_TOKEN_STORE": "file",
        "FLEX_INTEGRATION_TOKEN_STORE__PATH": str(folder / "token.json"),
        # A proxy of the user's cannot reach this machine's loopback address.
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONIOENCODING": "utf-8",
    }


def _play(
    title: str,
    count: int,
    grants: Mapping[str, int],
    sandbox: RunningSandbox,
    environment: Mapping[str, str],
) -> Round:
    before = sandbox.stats()
    answers = _workers(count, environment)
    after = sandbox.stats()
    wire = {name: after[name] - before[name] for name in WORDS}
    failures = tuple(str(answer["error"]) for answer in answers if "error" in answer)
    expected = {**grants, "refresh_rejected": 0}
    actual = {WORDS[name]: wire[name] for name in expected}
    done = "processes with a response"
    return Round(
        title,
        count,
        {**{WORDS[name]: number for name, number in expected.items()}, done: count},
        {**actual, done: count - len(failures)},
        failures,
    )


def _workers(count: int, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Starts the processes, lets all go at once when all are ready, and returns their responses."""
    deadline = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(count) as readers, _children(count, environment) as children:

        def lines() -> list[str]:
            futures = [readers.submit(_read_line, child) for child in children]
            return [_within(deadline, future) for future in futures]

        # Starting Python takes longer than a refresh: without the wait few would meet.
        ready = lines()
        for child, line in zip(children, ready, strict=True):
            if line == READY:
                _write_line(child, GO)
        last = lines()
    return [_answer(line) for line in last]


@contextmanager
def _children(count: int, environment: Mapping[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "flex_integration_sdk.demo"]
    children: list[subprocess.Popen[str]] = []
    try:
        for _ in range(count):
            children.append(
                subprocess.Popen(  # noqa: S603 - this very interpreter, with a fixed command
                    command,
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    # Ctrl-C is for the demo only, which stops them.
                    start_new_session=True,
                )
            )
        yield children
        for child in children:
            assert child.stdin is not None
            with suppress(OSError):
                child.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                child.wait(END_PATIENCE)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()  # which also ends a reader that waits for its line
            with suppress(OSError), child:
                pass  # closes its pipes and waits for it


def _read_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def _write_line(child: subprocess.Popen[str], text: str) -> None:
    assert child.stdin is not None
    with suppress(OSError):  # it has ended: that is seen when its line is read
        child.stdin.write(f"{text}\n")
        child.stdin.flush()


def _within(deadline: float, future: Any) -> str:
    try:
        line: str = future.result(max(0.0, deadline - time.monotonic()))
    except Late:
        return json.dumps({"error": f"no response within {PATIENCE:g} s"})
    return line


def _answer(line: str) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        return {"error": "the process exited without a response"}
    return (
        answer if isinstance(answer, dict) else {"error": "the process did not return a response"}
    )


def worker() -> int:
    """One process of the demo: says that it is ready, waits for the word, calls the API."""
    from flex_integration_sdk import create_instance
    from flex_integration_sdk.errors import FlexError
    from flex_tokenstore import TokenStoreError

    try:
        with create_instance() as sdk:
            _say(READY)
            if sys.stdin.readline().strip() != GO:
                return 1
            name = sdk.marketplace.show().data["attributes"]["name"]
    except BrokenPipeError:
        raise  # the demo has ended
    except (FlexError, TokenStoreError, OSError) as error:
        _say(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1
    _say(json.dumps({"marketplace": name}))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(worker())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(1)  # at once: the interpreter would complain at its end
