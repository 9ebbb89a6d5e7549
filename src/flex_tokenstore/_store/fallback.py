"""The choice of the store ``fallback``: once, when it is opened, the first that answers.

Only an outage and a missing installation lead to the next store. A wrong option, a misspelt name, a
file that others can read and a bug are the user's to correct: passed over, they would keep a token
where nobody wanted it.
"""

from __future__ import annotations

import contextvars
import inspect
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._concurrency.loop_thread import LoopThread
from .._concurrency.promise import Promise
from .._concurrency.spawn import spawn
from .._config.store_config import parse
from .._plugin.hooks import Binding, Hook
from .._plugin.mistakes import BUG
from .._registry.catalogue import describe_store
from .._registry.packages import PACKAGES
from ..errors import (
    StoreLoadError,
    StoreOptionsError,
    TokenCorruptError,
    TokenIdentityError,
    TokenPermissionError,
    TokenStoreError,
    TokenUnavailableError,
    UnknownStoreError,
)
from .chosen import FALLBACK, Choose, Chosen
from .opened import OpenedStore

if TYPE_CHECKING:
    from .._values.identity import TokenIdentity

logger = logging.getLogger("flex_tokenstore")

Make: TypeAlias = "Callable[[Chosen, TokenIdentity], Binding]"

# Seconds for one store to answer a read. A healthy one needs milliseconds; a keychain that waits
# for somebody to unlock it, or a driver with a long time-out, must not keep a program from its
# start.
PATIENCE = 5.0
PATIENCE_IN_ALL = 10.0  # for all of them: an event loop may have to wait so long
LEAST = 0.5  # what each has in any case


class Candidate(NamedTuple):
    """One of the stores of the list."""

    number: int
    name: str
    chosen: Chosen | None
    """What to make; None: it cannot be loaded."""
    why: str = ""
    """Why it cannot be loaded."""

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors within are of this entry of the option ``stores``."""
        try:
            yield
        except TokenStoreError as error:
            _name(error, self)
            raise


def candidates(chosen: Chosen, choose: Choose) -> Iterator[Candidate]:
    """The stores of a ``fallback``, each loaded when its turn comes.

    Raises:
        TokenStoreError: One is not configured as it should be; the message names it.
    """
    for number, config in enumerate(chosen.options.stores, start=1):
        parsed = parse(config)
        name = parsed.name or type(parsed.own).__name__
        try:
            # Sync: it is asked in a thread.
            found = choose(parsed, prefer_async=False)
        except TokenStoreError as error:
            if not _is_missing(error):
                _name(error, Candidate(number, name, None))
                raise
            yield Candidate(number, name, None, error.message)
        else:
            yield Candidate(number, name, found)


def settled(chosen: Chosen, identity: TokenIdentity, choose: Choose, make: Make) -> Chosen:
    """The same, with the choice made.

    Raises:
        TokenUnavailableError: None of its stores can be opened.
        TokenStoreError: One is not configured as it should be.
    """
    deadline = time.monotonic() + PATIENCE_IN_ALL
    return _Choice(identity, choose, make, deadline).settle(chosen)


class _Choice(NamedTuple):
    identity: TokenIdentity
    choose: Choose
    make: Make
    deadline: float

    def settle(self, chosen: Chosen) -> Chosen:
        if chosen.inner is not None:
            return chosen._replace(inner=self.settle(chosen.inner))
        return self._first(chosen) if chosen.is_list else chosen

    def _first(self, chosen: Chosen) -> Chosen:
        passed: list[str] = []
        for candidate in candidates(chosen, self.choose):
            why = candidate.why
            if candidate.chosen is not None:
                try:
                    inner = self.settle(candidate.chosen)
                    place = self._ask(inner)
                except TokenStoreError as error:
                    if not _is_outage(error):
                        _name(error, candidate)
                        raise
                    why = error.message
                else:
                    _report(candidate, place, passed)
                    return chosen._replace(inner=inner, is_list=False)
            passed.append(f"{candidate.name!r} cannot be opened: {why}")
        raise TokenUnavailableError(
            f"none of the stores of token store {FALLBACK!r} can be opened. " + ". ".join(passed),
            store=FALLBACK,
        )

    def _ask(self, chosen: Chosen) -> str:
        """The location of a store that can be opened and answers one read.

        Raises:
            TokenStoreError: It cannot, or does not answer in time.
        """
        answer = Promise()
        context = contextvars.copy_context()
        # In a thread that ends by itself: what it does cannot be interrupted.
        spawn(
            lambda: context.run(self._read, chosen, answer), "flex-tokenstore-fallback", daemon=True
        )
        patience = max(LEAST, min(PATIENCE, self.deadline - time.monotonic()))
        if not answer.wait(patience):
            raise TokenUnavailableError(
                f"it did not answer within {patience:.1f} s", store=chosen.name
            )
        place: str = answer.result()
        return place

    def _read(self, chosen: Chosen, answer: Promise) -> None:
        loop = LoopThread()
        try:
            store = OpenedStore(
                chosen.name, self.make(chosen, self.identity), self.identity, host_lock=False
            )
            own = chosen.innermost.own
            try:
                if not _needs_its_own_loop(own):
                    _look(store, loop)
                place = store.place
            finally:
                if own is None:  # the user's own object is not made anew
                    _close(store, loop)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            answer.give(None, error)
        else:
            answer.give(place)
        finally:
            loop.stop()


def _look(store: OpenedStore, loop: LoopThread) -> None:
    with store.guard("read the token", "get_token") as failed:
        store.read(_result_of(store.binding.get_token, loop))
        return
    if not isinstance(failed.error, (TokenCorruptError, TokenIdentityError)):
        raise failed.error  # else it answers


def _close(store: OpenedStore, loop: LoopThread) -> None:
    if store.binding.close is not None:
        with store.guard("close", "close") as failed:
            _result_of(store.binding.close, loop)
        failed.warn()  # not raised: it is opened anew, or is not the one to use


def _result_of(hook: Hook, loop: LoopThread) -> Any:
    result = hook.function()
    return loop.run(_wait_for(result)) if inspect.isawaitable(result) else result


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable


def _needs_its_own_loop(own: object) -> bool:
    """An object of the user's own with coroutines: its clients may bind themselves to the loop in
    which they are used first, and that is not the one here."""
    return inspect.iscoroutinefunction(inspect.getattr_static(own, "get_token", None))


def _is_missing(error: TokenStoreError) -> bool:
    """A plugin of ours that is not installed, a driver that is missing, or a store that the
    environment forbids."""
    name = error.store or ""
    if isinstance(error, UnknownStoreError):
        return name in PACKAGES  # any other name is rather a slip
    if not isinstance(error, StoreLoadError) or not name:
        return False
    return describe_store(name).status in ("blocked", "missing-dependency")


def _is_outage(error: TokenStoreError) -> bool:
    return (
        isinstance(error, TokenUnavailableError)
        and not isinstance(error, TokenPermissionError)
        and f"{BUG}: " not in error.message
    )


def _name(error: TokenStoreError, candidate: Candidate) -> None:
    entry = f"stores.{candidate.number}"
    error.message = (
        f"option {entry!r} ({candidate.name!r}) of token store {FALLBACK!r}: {error.message}"
    )
    error.args = (error.message,)
    if isinstance(error, StoreOptionsError):
        error.option = entry if error.option is None else f"{entry}.{error.option}"


def _report(candidate: Candidate, place: str, passed: list[str]) -> None:
    said = f"token store {FALLBACK!r} uses {candidate.name!r} at {place}"
    if not passed:
        logger.info("%s", said)
        return
    logger.warning(
        "%s: %s. Programs that can open a store before it in the list have another token",
        said,
        "; ".join(passed),
    )
