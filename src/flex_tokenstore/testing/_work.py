"""Loops that many threads or processes run against one store at once."""

from __future__ import annotations

import uuid
from pathlib import Path

from flex_tokenstore import Token, TokenConflictError, TokenIdentity

from ._handles import Handle
from ._tokens import new_token

LOCK_WAIT = 60.0  # seconds
_CONFLICTS = 2_000  # in a row; of 16 writers at once most lose 15 times for each win


def write_tokens(handle: Handle, identity: TokenIdentity, name: str, count: int, size: int) -> int:
    """Stores ``count`` tokens whose parts fit together, each of about ``size`` bytes."""
    for number in range(count):
        text = f"{name}-{number}-"
        handle.set(new_token(identity, text, check=text, filling=text * (size // len(text))))
    return count


def read_tokens(handle: Handle, count: int) -> int:
    """Reads ``count`` times; each time there must be a token whose parts fit together."""
    for _ in range(count):
        check_whole(handle.get())
    return count


def check_whole(token: Token | None) -> None:
    assert token is not None, "a reader saw no token while another replaced it"
    data = token.to_dict()
    text = data["check"]
    fits = f"access-{text}-" in data["access_token"] and f"refresh-{text}-" in data["refresh_token"]
    whole = data["filling"] == text * (len(data["filling"]) // len(text))
    assert fits and whole, "a reader saw a token of two writers"


def numbered(identity: TokenIdentity, number: int) -> Token:
    """A token with this number; another one each time, as a server's are."""
    return new_token(identity, f"{number}-{uuid.uuid4().hex}", number=number)


def increment(handle: Handle, identity: TokenIdentity, times: int) -> int:
    """Adds 1 to ``number`` so often; returns how many conflicts there were."""
    conflicts = 0
    for _ in range(times):
        for _ in range(_CONFLICTS):
            stored = handle.get()
            assert stored is not None
            number = stored.to_dict()["number"] + 1
            try:
                handle.set(numbered(identity, number), stored.revision)
                break
            except TokenConflictError:
                conflicts += 1
        else:
            raise AssertionError("compare-and-set conflicts for ever")
    return conflicts


def count_under_lock(handle: Handle, path: str, lease: float) -> None:
    """Adds 1 to the number in a file; two that do so at once lose one."""
    with handle.lock(LOCK_WAIT, lease):
        file = Path(path)
        number = int(file.read_text())
        file.write_text(str(number + 1))
