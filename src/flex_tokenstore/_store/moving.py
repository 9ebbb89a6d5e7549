"""A token moves from one store to another: it is never lost, and a second run ends a first one.

At each moment the token is in the source, in both stores, or in the destination. The three look
different to whoever looks next, so a move that was killed needs no record of how far it came.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .._values.token import ANY_REVISION, FORMAT, TAG, Token, TokenObject
from ..errors import (
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenStoreError,
    TokenUnavailableError,
)
from .encrypting import encrypting
from .sync import TokenStore
from .two_locks import HeldLocks, both_locked

MARK = "moving"
"""The field of the tag that shows that both stores are one. It says nothing to anybody else."""

MoveState = Literal["empty", "ready", "copied", "different", "moved"]
"""What two stores hold: nothing; a token in the source; the same token in both; two tokens; a token
in the destination."""


class Move(NamedTuple):
    """What the source and the destination of a move hold, and so what is left to do."""

    state: MoveState
    """``"empty"``: neither holds a token. ``"ready"``: only the source does. ``"copied"``: both
    hold the same one, as after a move that was interrupted. ``"different"``: they hold two.
    ``"moved"``: only the destination holds one."""
    source: Token | None
    """The token in the source; None: there is none."""
    destination: Token | None
    """The token in the destination; None: there is none."""

    @property
    def newer(self) -> Literal["source", "destination"] | None:
        """Which of two different tokens was requested later; None: not known."""
        times = [each.obtained_at if each else None for each in (self.source, self.destination)]
        if times[0] is None or times[1] is None or times[0] == times[1]:
            return None
        return "source" if times[0] > times[1] else "destination"


def find_move(source: TokenStore, destination: TokenStore) -> Move:
    """Finds out what a move would do. It changes no token and takes no lock.

    Args:
        source: The store that the token is to leave.
        destination: The store that it is to be in.

    Raises:
        StoreOptionsError: Both are the same location, or of two identities.
        TokenCorruptError: What one of them holds is not a token.
        TokenPermissionError: The source refuses a removal, or the destination a save.
        TokenUnavailableError: One of them cannot answer.
    """
    _refuse_two_identities(source, destination)
    try:
        here, there = source.get_token(), destination.get_token()
    except TokenCorruptError:
        # Such as a store that encrypts, over the very store that holds the token in the clear.
        if _is_one_place(source, destination):
            raise _one_place(source, destination) from None
        raise
    # After the reads: a store may know only now in which of several backends the token is.
    if _is_one_place(source, destination):
        raise _one_place(source, destination)
    if here is None:
        return Move("empty" if there is None else "moved", None, there)
    # A source that cannot be emptied would leave two live copies of one refresh token.
    with _nothing_copied(source):
        source.prepare_save(here.revision)
    destination.prepare_save(None if there is None else there.revision)
    if there is None:
        return Move("ready", here, None)
    return Move("copied" if is_same_token(here, there) else "different", here, there)


def move_token(
    source: TokenStore,
    destination: TokenStore,
    *,
    wait: float,
    lease: float,
    replace: str | None = None,
) -> Move:
    """Moves the token: copies it, reads it back, compares it, and removes it from the source last.

    It holds the token locks of both stores meanwhile. If it is killed, call it again: it goes on
    where it was.

    Args:
        source: The store that the token is to leave.
        destination: The store that it is to be in.
        wait: Seconds to wait for each token lock. Longer than ``lease``, so that a second run
            outwaits what a killed one has left.
        lease: Seconds after which a lock with a lease expires by itself.
        replace: Revision of a different token in the destination that may be replaced;
            ``ANY_REVISION``: any; None: none.

    Returns:
        What it found; the token is in the destination only, unless that state is ``"empty"``.

    Raises:
        StoreOptionsError: Both are the same location, or of two identities.
        TokenConflictError: The destination holds a different token that ``replace`` does not name;
            or another program changed one of them meanwhile.
        TokenLockTimeoutError: A token lock could not be acquired, or expired too early.
        TokenCorruptError: What one of them holds is not a token.
        TokenPermissionError: The source refuses a removal, or the destination a save.
        TokenUnavailableError: One of them cannot answer, or the destination returned another token
            than was saved in it.
    """
    _refuse_two_identities(source, destination)
    # Before the locks: one that has two names is not seen to be one, and would wait for itself.
    if _is_one_place(source, destination):
        raise _one_place(source, destination)
    with both_locked(source, destination, wait, lease) as locks:
        found = find_move(source, destination)
        if found.source is not None:
            _refuse_to_replace(found, destination, replace)
            _copy_and_remove(source, destination, found, locks)
    return found


def copy_token(
    token: Token, destination: TokenStore, *, wait: float, lease: float, replace: str | None = None
) -> MoveState:
    """Saves a token that another program stored, unless the destination has it, and compares it.

    Args:
        token: The token, with the key of the destination's identity.
        destination: The store that it is to be in.
        wait: Seconds to wait for the token lock.
        lease: Seconds after which a lock with a lease expires by itself.
        replace: Revision of a different token in the destination that may be replaced;
            ``ANY_REVISION``: any; None: none.

    Returns:
        What the destination held: ``"copied"``: this token, so nothing was saved; ``"ready"``:
        nothing; ``"different"``: another one, which is replaced.

    Raises:
        TokenConflictError: The destination holds a different token that ``replace`` does not name.
        TokenLockTimeoutError: The token lock could not be acquired.
        TokenCorruptError: What the destination holds is not a token.
        TokenUnavailableError: It cannot answer, or returned another token than was saved in it.
    """
    with both_locked(destination, destination, wait, lease) as locks:
        there = destination.get_token()
        if there is not None and is_same_token(token, there):
            return "copied"
        found = Move("ready" if there is None else "different", token, there)
        _refuse_to_replace(found, destination, replace)
        expected = None if there is None else there.revision
        destination.prepare_save(expected)
        locks.check()
        destination.set_token(token, expected)
        read_back(destination, token)
    return found.state


def is_same_token(one: Token, other: Token) -> bool:
    """Tells whether two tokens are the same: all that the server gave, and both times.

    Stores may add fields of their own to the tag, which do not count.

    Args:
        one: A token.
        other: Another one.
    """
    if (one.obtained_at, one.expires_at) != (other.obtained_at, other.expires_at):
        return False
    return _untagged(one) == _untagged(other)


def _copy_and_remove(
    source: TokenStore, destination: TokenStore, found: Move, locks: HeldLocks
) -> None:
    assert found.source is not None
    token, there = _with_mark(found.source, None), found.destination
    mark = secrets.token_hex(8)
    locks.check()
    destination.set_token(_with_mark(token, mark), None if there is None else there.revision)
    with _in_both(source, destination):
        # Before anything is removed: the two may be one location by two names, such as a host and
        # its alias. Then the mark, which is in the destination, shows in the source.
        aliased = _mark_of(source.get_token()) == mark
        # Without the mark, so that a token that was moved is what it was, to the last byte.
        destination.set_token(token, token.revision)
        if aliased:
            raise _one_place(source, destination)
        read_back(destination, token)
        # For a source that does not compare, this is what finds another program's write.
        here = source.get_token()
        if here is None or not is_same_token(here, token):
            raise TokenConflictError(
                f"another program changed the token in {source.place} while it was being moved, "
                "so it was not removed",
                store=source.name,
                place=source.place,
            )
        locks.check()
        source.remove_token(token.revision)


@contextmanager
def _nothing_copied(source: TokenStore) -> Iterator[None]:
    """What fails within says that the source cannot be emptied, and what that means."""
    try:
        yield
    except TokenStoreError as error:
        error.message = (
            f"the token cannot be removed from {source.place}, so nothing was copied: "
            f"{error.message}"
        )
        error.args = (error.message,)
        raise


@contextmanager
def _in_both(source: TokenStore, destination: TokenStore) -> Iterator[None]:
    """What fails within leaves the token in both stores, and says so."""
    try:
        yield
    except StoreOptionsError:
        raise  # there is only one store
    except TokenStoreError as error:
        error.message += (
            f". The token is in both {source.place} and {destination.place} now: let no program "
            "use either until you have moved it again"
        )
        error.args = (error.message,)
        raise


def read_back(store: TokenStore, token: Token) -> None:
    """Raises TokenUnavailableError unless the store returns the token that was saved in it."""
    found = store.get_token()
    if found is not None and is_same_token(found, token):
        return
    raise TokenUnavailableError(
        f"{store.place} did not return the token that was saved there: another program wrote it, "
        f"or the store {store.name!r} has a bug",
        store=store.name,
        place=store.place,
    )


def _refuse_to_replace(found: Move, destination: TokenStore, replace: str | None) -> None:
    there = found.destination
    if found.state != "different" or there is None or replace in (ANY_REVISION, there.revision):
        return
    raise TokenConflictError(
        f"{destination.place} holds a different token"
        + (", which is newer" if found.newer == "destination" else "")
        + ("" if replace is None else ", which another program saved meanwhile")
        + "; nothing was changed",
        store=destination.name,
        place=destination.place,
    )


def _refuse_two_identities(source: TokenStore, destination: TokenStore) -> None:
    if source.identity.key != destination.identity.key:
        raise StoreOptionsError(
            f"the stores are opened for two identities: {source.identity.key} and "
            f"{destination.identity.key}; a token moves between stores of one identity"
        )


def _is_one_place(source: TokenStore, destination: TokenStore) -> bool:
    # Two files in one folder have one lock, so that the lock does not say it. As the stores name
    # their locations: what is masked for people depends on what each has read.
    one, other = (each._binding.place for each in (source, destination))
    if one == other:
        return source.lock_key == destination.lock_key
    return one is not None and other is not None and _is_one_file(one, other)


def _is_one_file(one: str, other: str) -> bool:
    """Of two locations that are paths; a folder or a file may have several names."""
    if not (Path(one).is_absolute() and Path(other).is_absolute()):
        return False
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one does not exist
        return os.path.realpath(one) == os.path.realpath(other)


def _one_place(source: TokenStore, destination: TokenStore) -> StoreOptionsError:
    names = " and ".join(dict.fromkeys((source.place, destination.place)))
    hint = ". Name another store, or another location of one of them"
    encrypts = [bool(encrypting(each)) for each in (source, destination)]
    if encrypts == [False, True]:
        command = source.identity.program.command
        rekey = f"`{command} token rekey`" if command else "`rekey_token()`"
        hint = f". {rekey} encrypts a token where it is"
    elif encrypts == [True, False]:
        hint = ". To have the token in the clear, move it elsewhere"
    return StoreOptionsError(
        f"source and destination are the same location, {names}; nothing was changed{hint}",
        store=destination.name,
        place=destination.place,
    )


def _with_mark(token: Token, mark: str | None) -> Token:
    data = TokenObject(token.to_dict())
    tag = {name: value for name, value in data.get(TAG, {}).items() if name != MARK}
    data[TAG] = tag if mark is None else {"format": FORMAT, **tag, MARK: mark}
    return Token(data)


def _mark_of(token: Token | None) -> Any:
    return None if token is None else token.to_dict().get(TAG, {}).get(MARK)


def _untagged(token: Token) -> TokenObject:
    return TokenObject((name, value) for name, value in token.to_dict().items() if name != TAG)
