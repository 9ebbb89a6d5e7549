"""The command ``flex-sdk``. Needs the extra ``cli``."""

from __future__ import annotations

import importlib.util
import sys


def main() -> None:
    """Runs ``flex-sdk`` with the program's arguments."""
    if importlib.util.find_spec("click") is None:
        sys.exit("flex-sdk needs the extra cli: pip install 'flex-integration-sdk[cli]'")
    from ._main import run

    sys.exit(run())
