"""Names of the files that the store keeps beside a token file."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from flex_tokenstore.stores.file.raw import is_there

LONGEST = 255  # bytes of a name, on nearly every file system


def temporary(path: Path) -> Path:
    """Where a save writes before it replaces the file.

    One name for all writers: the write lock lets in one at a time, and what a crash leaves is
    found by the next.
    """
    return beside(path, ".{}.tmp")


def write_lock(path: Path) -> Path:
    """The lock that each write of the file takes."""
    return beside(path, "{}.write.lock")


def name_aside(path: Path) -> Path:
    """A free name for content that is moved aside: ``<name>.corrupt-<time>``."""
    form = f"{{}}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    aside, count = beside(path, form), 0
    while is_there(aside):
        count += 1
        aside = beside(path, f"{form}-{count}")
    return aside


def beside(path: Path, form: str) -> Path:
    """The file in the same folder that is named by ``form``, with the name of ``path`` in it.

    Of a name that would become too long it has the beginning and a digest.
    """
    name = form.format(path.name)
    if len(os.fsencode(name)) > LONGEST:
        whole = os.fsencode(path.name)
        digest = f"-{hashlib.sha256(whole).hexdigest()[:16]}"
        room = LONGEST - len(form.format(digest))
        # Cut by bytes, perhaps within a character: "ignore" drops what is left of it.
        name = form.format(whole[:room].decode("utf-8", "ignore") + digest)
    return path.parent / name
