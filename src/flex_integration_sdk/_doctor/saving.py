"""Checks of the token lock, and whether a save would work. No token is changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

from flex_tokenstore import (
    TokenLockTimeoutError,
    TokenStoreError,
    TokenUnavailableError,
    open_store,
)
from flex_tokenstore.embedding import owner_named

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .holders import Holder, holder_of
from .ownership import doctor_as
from .stores import STORE_EXTRA

LEASE = 10.0  # seconds after which others may take it, if this program dies with it


@check("store.lock", extra=STORE_EXTRA)
def lock(ground: Ground) -> Iterator[Outcome]:
    """Whether the token lock can be acquired, keeps others out, and is free again afterwards."""
    store, path = ground.store, ground.files.lock
    _refuse_as_root(ground)
    if path is not None and not path.parent.exists():
        raise SkipCheck(f"The folder of the lock, {path.parent}, does not exist yet.")
    start = time.perf_counter()
    try:
        with store.token_lock(ground.timeout, LEASE):
            taken = time.perf_counter() - start
            is_exclusive = store.layers[-1] == "memory" or _is_refused_to_others(ground)
    except TokenLockTimeoutError as failed:
        ground.lock_is_held = True
        who = None if path is None else holder_of(path)
        # A refresh holds it too, for as long as the server takes; a hung program cannot be told
        # from that.
        yield warning(f"{failed}. {who}" if who else str(failed), _held(who))
        return
    except TokenStoreError as failed:
        ground.lock_problem = str(failed)
        if str(failed) == ground.read_problem:
            raise SkipCheck("The token store does not answer; see store.read.") from None
        raise
    if not is_exclusive:
        why = "its lock" if path is None else f"the file system of {path}"
        yield error(
            f"The token lock of {store.place} was acquired twice at the same time: {why} keeps "
            "nobody out, so two programs may use up one refresh token",
            "Choose a folder on a local file system, or a store whose lock works, such as redis or "
            "sql",
        )
        return
    yield ok(f"The token lock was acquired in {1000 * taken:.1f} ms, kept others out, and released")


@check("store.save", extra=STORE_EXTRA)
def save(ground: Ground) -> Iterator[Outcome]:
    """Whether a token could be saved, as a session asks before it requests one."""
    store, file = ground.store, ground.files.token
    _refuse_as_root(ground)
    if ground.lock_is_held:
        raise SkipCheck("Another program holds the token lock; see store.lock.")
    if not store.abilities.prepare_save:
        raise SkipCheck(f"The token store {store.name!r} cannot tell before it saves.")
    if ground.is_unmade:
        raise SkipCheck(f"{file} does not exist yet; the first save makes it.")
    with ExitStack() as stack:
        try:
            if ground.files.lock is None or ground.files.lock.parent.exists():
                stack.enter_context(store.token_lock(1.0, LEASE))
        except TokenLockTimeoutError:
            raise SkipCheck("Another program holds the token lock; see store.lock.") from None
        except TokenUnavailableError:
            pass  # told by the check of the lock
        try:
            store.prepare_save(ground.revision)
        except TokenStoreError as failed:
            if str(failed) == ground.lock_problem:
                raise SkipCheck("The lock could not be acquired; see store.lock.") from None
            raise
    # An outage or a full memory counts as no refusal there: it may be over when the token comes.
    if problem := next((id for id, said in _earlier(ground) if said), ""):
        raise SkipCheck(f"Not known: the token store does not answer; see {problem}.")
    yield ok(f"A token could be saved in {store.place}")


CHECKS = (lock, save)


def _refuse_as_root(ground: Ground) -> None:
    """Raises SkipCheck if a lock file of root's would keep the files' owner out from then on."""
    if (uid := ground.stranger) is not None:
        raise SkipCheck(
            f"Not tried, since root would leave a lock file among the files of {owner_named(uid)}, "
            f"who could not use it: run `{doctor_as(uid)}`."
        )


def _earlier(ground: Ground) -> tuple[tuple[str, str], ...]:
    return ("store.read", ground.read_problem), ("store.lock", ground.lock_problem)


def _is_refused_to_others(ground: Ground) -> bool:
    """While the lock is held here: whether a second handle, as of another program, is refused."""
    with open_store(ground.store_config, ground.settings.identity) as other:
        if (other.layers, other.place) != (ground.store.layers, ground.store.place):
            return True  # `fallback` has chosen another store by now
        try:
            with other.token_lock(0, LEASE):
                return False
        except TokenLockTimeoutError:
            return True


def _held(who: Holder | None) -> str:
    if who is not None:
        return (
            f"Let the process {who.pid} ({who.name}) end its work; if it hangs, end it, and the "
            "lock is free at once"
        )
    return (
        "Let the program that holds it end its work; if it hangs, end it. A lock with a lease "
        "expires by itself"
    )
