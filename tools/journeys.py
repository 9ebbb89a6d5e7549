"""``python tools/journeys.py``: how often three journeys through the code change the file.

Of the functions that are called one after the other, each that is in another file than the one
before is a change: a reader who follows the journey has to open that file. The sandbox runs in
another thread, so none of it is counted; nor is an import, or what happens only the first time.

Exits with 1 if a journey has more changes than its limit.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

SOURCE = Path(__file__).resolve().parents[1] / "src"
# To make an instance is to go through 44 files, so it has more changes than that.
LIMITS = {"create an instance": 145, "open a store by name": 40, "query with a valid token": 97}


class Counter:
    """The files of ours, one after the other, that functions are called in."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and (name := file_of(frame)) and self.files[-1:] != [name]:
            self.files.append(name)


def file_of(frame: FrameType) -> str | None:
    """Our file that it runs in; None: not ours, or a module that is only being imported."""
    if frame.f_code.co_name == "<module>":
        return None
    path = frame.f_code.co_filename
    return path.removeprefix(f"{SOURCE}/") if path.startswith(str(SOURCE)) else None


def journey(work: Callable[[], object]) -> list[str]:
    counter = Counter()
    sys.setprofile(counter)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counter.files


def main(arguments: list[str]) -> int:
    from flex_integration_sdk import create_instance
    from flex_integration_sdk.sandbox import serve
    from flex_tokenstore import TokenIdentity, open_store

    for name in [name for name in os.environ if name.startswith(("FLEX", "XDG"))]:
        del os.environ[name]  # a variable that is set is one more thing to look at
    os.environ["HOME"] = tempfile.mkdtemp()
    made: list[Any] = []
    with serve() as sandbox:
        options = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
            "token_store": "file",
        }

        def create() -> None:
            made.append(create_instance(**options))

        def open_by_name() -> None:
            made.append(open_store("file", TokenIdentity("https://api.example.test", "a-client")))

        def query() -> None:
            made[0].users.query(per_page=1)

        # Once before, so that no import and no first use is counted.
        create()
        query()
        open_by_name()
        found = {
            "create an instance": journey(create),
            "open a store by name": journey(open_by_name),
            # On a busy machine a connection may need looking after: then a query takes a step more.
            "query with a valid token": min((journey(query) for _ in range(3)), key=len),
        }
        for each in made:
            each.close()
    for name, files in found.items():
        print(f"{name}: {len(files)} changes of file, limit {LIMITS[name]}")
        if "-v" in arguments:
            print("".join(f"    {file}\n" for file in files), end="")
    return int(any(len(files) > LIMITS[name] for name, files in found.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
