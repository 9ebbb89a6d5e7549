"""Records what the first version of format 1 wrote: ``python encrypted_golden.py``.

The file is not made by ``tools/golden.py``: the last version, whose code that runs, had no such
store. What is encrypted is never the same twice, so it is made once: it must be read for ever.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FILE = Path(__file__).resolve().parent / "data" / "format_1.json"
CIPHERS = ("aes-256-gcm", "chacha20-poly1305")


def recorded() -> dict[str, Any]:
    """What the inner store holds for each token, by cipher."""
    from encrypted_support import encrypted
    from flex_tokenstore import Token, open_store
    from tests.support.golden import TOKENS
    from tests.support.handles import IDENTITY

    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "token.json"
        inner = {"name": "file", "path": str(path)}
        for cipher in CIPHERS:
            found[cipher] = {}
            with open_store(encrypted(inner, "golden", cipher=cipher), IDENTITY) as store:
                for name, data in TOKENS.items():
                    store.set_token(Token(data))
                    found[cipher][name] = json.loads(path.read_text())
    return found


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[3])]
    if FILE.exists():
        sys.exit(f"{FILE} exists: it must stay as it is")
    FILE.write_text(json.dumps(recorded(), indent=1) + "\n", encoding="utf-8", newline="\n")
