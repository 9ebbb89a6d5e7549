"""What every benchmark needs: a token, a clock, a table, and the machine's name."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"  # ignored by git
LIBRARIES = (
    "flex-integration-sdk", "flex-tokenstore-redis", "httpx2", "pluggy", "redis", "authlib",
    "globus-sdk", "httpx", "msal", "msal-extensions", "requests", "requests-oauthlib", "spotipy",
    "msgspec", "transit-python2",
)  # fmt: skip


def sample_token(lifetime: int = 3600) -> dict[str, Any]:
    """A bearer token of a usual size, 1.9 KB as JSON; expires in ``lifetime`` seconds."""
    return {
        "access_token": f"eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.{'A' * 900}.{'B' * 342}",
        "refresh_token": "v2--" + "r" * 460,
        "token_type": "bearer",
        "scope": "integ",
        "expires_in": lifetime,
        "expires_at": int(time.time()) + lifetime,
    }


Clock = Callable[[], float]


def sample(call: Callable[[], object], count: int, clock: Clock = time.perf_counter) -> list[float]:
    """Durations of ``count`` calls, each, in seconds; the collector of garbage rests."""
    for _ in range(3):
        call()
    durations = [0.0] * count
    enabled = gc.isenabled()
    gc.disable()
    try:
        for index in range(count):
            start = clock()
            call()
            durations[index] = clock() - start
    finally:
        if enabled:
            gc.enable()
    return durations


def interleaved(
    cases: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    count: int,
    clock: Clock = time.perf_counter,
    of_rounds: Callable[[list[float]], float] = statistics.median,
) -> dict[str, float]:
    """Seconds of each case, less the clock's own: of each round the median, of those again the
    median or what else is wanted. In turns, so that noise hits all."""
    empty = statistics.median(sample(lambda: None, 2000, clock))
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, call in cases.items():
            taken[name].append(statistics.median(sample(call, count, clock)))
    return {name: max(0.0, of_rounds(each) - empty) for name, each in taken.items()}


def machine() -> str:
    """The machine, Python, the versions of what is compared, and how busy it is."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}, "
        f"Python {platform.python_version()}; {', '.join(found)}"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def verdict(what: str, value: float, limit: float) -> str:
    """One line that says whether a bound holds."""
    word = "holds" if value <= limit else "FAILS"
    return f"{word}: {what} is {value:.2f}, at most {limit:g} wanted"


def keep(name: str, result: object) -> Path:
    """Writes a result as JSON, for later comparison on the same machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), "result": result}, indent=1))
    return path
