"""The command ``flex-sdk``. Needs the extra ``cli``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Runs ``flex-sdk`` with the arguments of this process, and exits with its code."""
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        print(  # noqa: T201 - click, which would print it, may be what is missing
            f"flex-sdk needs {' and '.join(missing)}: install the extra `cli`, "
            'for example: python -m pip install "flex-integration-sdk[cli]"',
            file=sys.stderr,
        )
        sys.exit(1)
    from ._app import run

    sys.exit(run(sys.argv[1:]))
