"""A process of a storm: counts in a token, each time under the lock, while the keys are rotated.

Its standard input has one line: the config and the kind of program, as JSON. It counts until its
input ends, and prints a number after each step; at the end, how often it has counted.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from flex_tokenstore import Token
from tests.support.handles import IDENTITY, Handle, open_handle

PAUSE = 0.01  # seconds, in which the others get the lock


def counted(number: int) -> Token:
    return Token.issued(
        {"access_token": f"access-{number}", "refresh_token": "r", "expires_in": 60, "n": number},
        identity_key=IDENTITY.key,
        obtained_at=1_700_000_000.0,
    )


def count(store: Handle) -> None:
    """One more; a lost save, or a token that cannot be read, is noticed."""
    with store.token_lock(30, 60):
        found = store.get_token()
        assert found is not None
        store.set_token(counted(found.to_dict()["n"] + 1), found.revision)


def main() -> None:
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    store = open_handle(given["kind"], given["config"])
    done = 0
    while not ended.is_set():
        count(store)
        done += 1
        print(done, flush=True)
        time.sleep(PAUSE)
    store.close()


if __name__ == "__main__":
    main()
