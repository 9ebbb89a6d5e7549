"""What the tests of the encrypted store share."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any


def key_of(name: str) -> bytes:
    """The same 32 bytes for the same name, on each host."""
    return hashlib.sha256(name.encode()).digest()


def line_of(name: str) -> str:
    """That key as a line of a file."""
    return base64.b64encode(key_of(name)).decode()


def lines_of(*names: str) -> str:
    return "".join(f"{line_of(name)}\n" for name in names)


def id_of(name: str) -> str:
    return hashlib.sha256(b"flex-tokenstore-encrypted key id" + key_of(name)).hexdigest()[:16]


def write_private(path: Path, content: bytes | str) -> Path:
    """Writes a key file as an administrator does: whole, and with mode 0600."""
    data = content.encode() if isinstance(content, str) else content
    new = path.with_name(f"{path.name}.new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    new.replace(path)
    return path


def encrypted(inner: Any, *names: str, **options: Any) -> dict[str, Any]:
    """The config of the store, with its keys in the option ``key``."""
    return {"name": "encrypted", "inner": inner, "key": lines_of(*(names or ("a",))), **options}
