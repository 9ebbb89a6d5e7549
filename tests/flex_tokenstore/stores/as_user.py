"""A store in a process of another user, who has no more rights than users have; and mounts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

is_root = hasattr(os, "geteuid") and os.geteuid() == 0
needs_root = pytest.mark.skipif(not is_root, reason="runs a child as another user")
NOBODY = 65534


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


# The interpreter may be where that user cannot start it: it changes user once all is imported.
USER = """
import os, sys
from tests.flex_tokenstore.stores.traced import store, token
from flex_tokenstore import TokenStoreError
from flex_tokenstore._values.token import ANY_REVISION
opened = store(sys.argv[1], sys.argv[3])
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
print("ready", flush=True)
for line in sys.stdin:
    what, *rest = line.split()
    try:
        if what == "set":
            print("done", opened.set_token(token(rest[0]), ANY_REVISION), flush=True)
        elif what == "prepare":
            print("done", opened.prepare_save(), flush=True)
        elif what == "get":
            print("done", (opened.get_token() or {}).get("access_token"), flush=True)
        else:
            print("done", opened.remove_token(ANY_REVISION), flush=True)
    except TokenStoreError as error:
        print(type(error).__name__, error, flush=True)
"""


@contextmanager
def another_user(
    path: Path, uid: int = NOBODY, permissions: str = "strict"
) -> Iterator[Callable[[str], str]]:
    """A store opened by another user, who does what is asked."""
    with subprocess.Popen(
        [sys.executable, "-c", USER, str(path), str(uid), permissions],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(what: str) -> str:
            stdin.write(what + "\n")
            stdin.flush()
            return stdout.readline().strip()

        try:
            assert stdout.readline() == "ready\n"
            yield ask
        finally:
            process.kill()
