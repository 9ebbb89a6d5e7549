"""The main job, shown on a sandbox: how often the client secret goes over the wire.

``flex-sdk demo`` starts a sandbox and then real programs, each a process of its own, that share
the ``file`` store in a folder of the demo's own. The figures are the sandbox's counters.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .sandbox import RunningSandbox, serve

PROCESSES = 8
WAIT = 60.0  # seconds for one program

_PROGRAM = """
import sys
from flex_integration_sdk import create_instance
with create_instance(token_store={"name": "file", "path": sys.argv[1]}) as sdk:
    print("ready", flush=True)
    sys.stdin.readline()
    print(sdk.marketplace.show().data["attributes"]["name"], flush=True)
"""


class Run(NamedTuple):
    """One row: what was run, and what was counted and expected."""

    title: str
    succeeded: int
    processes: int
    secrets: int
    secrets_expected: int
    refreshes: int
    refreshes_expected: int

    @property
    def as_expected(self) -> bool:
        return (self.succeeded, self.secrets, self.refreshes) == (
            self.processes,
            self.secrets_expected,
            self.refreshes_expected,
        )


def main() -> int:
    """Runs the demo; 0 if every figure is as stated."""
    with tempfile.TemporaryDirectory(prefix="flex-demo-") as folder, serve() as sandbox:
        file = Path(folder) / "token.json"
        runs = [
            _run("run 1: nothing stored", sandbox, file, secrets=1, refreshes=0),
            _run("run 2: a new process", sandbox, file, secrets=0, refreshes=0),
            _run("run 3: the token has expired", sandbox, file, refreshes=1, expire=True),
            _run(
                f"{PROCESSES} processes at once, expired",
                sandbox,
                file,
                processes=PROCESSES,
                refreshes=1,
                expire=True,
            ),
        ]
    _show(runs)
    if all(run.as_expected for run in runs):
        print("Every figure is as it should be.")  # noqa: T201 - a command's output
        return 0
    print("A figure is not as it should be.", file=sys.stderr)  # noqa: T201 - a command's output
    return 1


def _run(
    title: str,
    sandbox: RunningSandbox,
    file: Path,
    *,
    processes: int = 1,
    secrets: int = 0,
    refreshes: int = 0,
    expire: bool = False,
) -> Run:
    if expire:
        sandbox.expire()
    before = sandbox.stats()
    succeeded = _programs(sandbox, file, processes)
    after = sandbox.stats()
    return Run(
        title,
        succeeded,
        processes,
        after["client_credentials"] - before["client_credentials"],
        secrets,
        after["refresh_token"] - before["refresh_token"],
        refreshes,
    )


def _programs(sandbox: RunningSandbox, file: Path, count: int) -> int:
    """Starts so many programs, lets them go at once, and counts those that succeed."""
    environment = {
        **os.environ,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
    }
    environment.pop("FLEX_INTEGRATION_CLIENT_SECRET_FILE", None)
    environment.pop("FLEX_INTEGRATION_PROFILE", None)
    started: list[subprocess.Popen[str]] = []
    try:
        for _ in range(count):
            started.append(
                subprocess.Popen(  # noqa: S603 - this very Python
                    [sys.executable, "-c", _PROGRAM, str(file)],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for program in started:
            assert program.stdout is not None
            program.stdout.readline()
        for program in started:
            assert program.stdin is not None
            program.stdin.write("go\n")
            program.stdin.flush()
        for program in started:
            program.communicate(timeout=WAIT)
    finally:
        for program in started:
            if program.poll() is None:
                program.kill()
                program.wait()
    return sum(program.returncode == 0 for program in started)


def _show(runs: Sequence[Run]) -> None:
    columns = ["", "calls that succeeded", "secret sent", "refreshes", "as stated"]
    rows = [
        [
            run.title,
            f"{run.succeeded} of {run.processes}",
            f"{run.secrets} (stated: {run.secrets_expected})",
            f"{run.refreshes} (stated: {run.refreshes_expected})",
            "yes" if run.as_expected else "NO",
        ]
        for run in runs
    ]
    from .cli._output import table

    table(columns, rows)
