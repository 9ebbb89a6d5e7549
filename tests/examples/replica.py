"""``examples/event_worker.py``, with a ``handle`` that says when it began and ended.

python -m tests.examples.replica CURSOR --log FILE …
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "event_worker.py"


def main() -> None:
    place = sys.argv.index("--log")
    _, log, pause = sys.argv[place : place + 3]
    del sys.argv[place : place + 3]
    # One write each, at its end: two processes and a kill leave whole lines.
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(event: Any, what: str) -> None:
        row = {
            "event": event["attributes"]["sequenceId"],
            "pid": os.getpid(),
            "what": what,
            "at": time.monotonic(),  # Linux: the same for all processes
        }
        os.write(file, json.dumps(row).encode() + b"\n")

    def handle(event: Any) -> None:
        note(event, "begins")
        time.sleep(float(pause))
        note(event, "ends")

    program = runpy.run_path(str(EXAMPLE))
    program["main"].__globals__["handle"] = handle
    program["main"](program["parse"]())


if __name__ == "__main__":
    main()
