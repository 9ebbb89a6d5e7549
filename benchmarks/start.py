"""``python -m benchmarks.start``: whole processes that import one package and end.

``import flex_tokenstore`` may take 1.1 times as long as ``import pluggy``, and
``import flex_integration_sdk`` must load no HTTP client.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from importlib.util import find_spec

from ._common import keep, machine, table, verdict

BOUND = 1.1
ROUNDS, PAIRS = 12, 40  # of all; of the two that the bound compares
CASES = {
    "bare": "pass",
    "pluggy": "import pluggy",
    "flex_tokenstore": "import flex_tokenstore",
    "flex_tokenstore, a memory store opened": (
        "from flex_tokenstore import TokenIdentity, open_store;"
        "open_store('memory', TokenIdentity('https://api.example.test', 'a-client'))"
    ),
    "flex_tokenstore, a file store opened": (
        "from flex_tokenstore import TokenIdentity, open_store;"
        "open_store('file', TokenIdentity('https://api.example.test', 'a-client'))"
    ),
    "flex_integration_sdk": "import flex_integration_sdk",
    "flex_integration_sdk, an instance made": (
        "from flex_integration_sdk import create_instance;"
        "create_instance('a-client', 's', base_url='https://api.example.test').close()"
    ),
    "httpx2": "import httpx2",
    "authlib (httpx)": "from authlib.integrations.httpx_client import OAuth2Client",
    "globus_sdk": "import globus_sdk; globus_sdk.RefreshTokenAuthorizer",
    "requests_oauthlib": "import requests_oauthlib",
    "msal_extensions": "import msal_extensions",
    "spotipy": "import spotipy",
}
HTTP_CLIENTS = ("httpx", "httpx2", "requests", "urllib3", "aiohttp")
LOADED = (
    "import sys, flex_integration_sdk; from flex_integration_sdk import create_instance;"
    f"print(*sorted(set({HTTP_CLIENTS!r}) & set(sys.modules)))"
)


def main() -> int:
    """Prints the table; 1 if a bound does not hold."""
    cases = {name: code for name, code in CASES.items() if _installed(code)}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for code in cases.values():
        _run(code)  # compiled and in the page cache from here on
    for index in range(PAIRS):
        for name in cases if index < ROUNDS else ("pluggy", "flex_tokenstore"):
            start = time.perf_counter()
            _run(cases[name])
            taken[name].append(time.perf_counter() - start)
    # The minimum too: a process is slowed down by others, never sped up.
    rows = [
        (name, _ms(statistics.median(each)), _ms(min(each)), _ms(min(each) - min(taken["bare"])))
        for name, each in taken.items()
    ]
    head = ("import", "ms, median", "ms, minimum", "ms, minimum over bare")
    print(f"\n{machine()}\n\n{table(head, rows)}\n")
    # Of the two in one round: both had the same neighbours.
    pairs = zip(taken["flex_tokenstore"], taken["pluggy"], strict=True)
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    print(verdict("import flex_tokenstore in imports of pluggy", ratio, BOUND))
    loaded = _run(LOADED)
    print(f"{'FAILS' if loaded else 'holds'}: HTTP clients that the SDK loads: {loaded or 'none'}")
    keep("start", taken)
    return 0 if ratio <= BOUND and not loaded else 1


def _installed(code: str) -> bool:
    words = code.replace(";", " ").split()
    return len(words) == 1 or find_spec(words[1].partition(".")[0]) is not None


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


if __name__ == "__main__":
    sys.exit(main())
