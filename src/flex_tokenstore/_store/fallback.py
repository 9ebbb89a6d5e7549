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
from .._plugin.hooks import Binding, Hook
from .._plugin.mistakes import is_bug
from ..errors import (
    TokenCorruptError,
    TokenIdentityError,
    TokenPermissionError,
    TokenStoreError,
    TokenUnavailableError,
)
from .chosen import FALLBACK, Chosen
from .opened import OpenedStore

if TYPE_CHECKING:
    from .._values.identity import TokenIdentity
    from .chosen import Candidate

logger = logging.getLogger("flex_tokenstore")

Make: TypeAlias = "Callable[[Chosen, TokenIdentity], Binding]"

# Seconds for one store to answer a read. A healthy one needs milliseconds; a keychain that waits
# for somebody to unlock it, or a driver with a long time-out, must not keep a program from its
# start.
PATIENCE = 5.0
# For all of them: an event loop may have to wait so long. Each has an equal share of what is left,
# so that the last one is asked too.
PATIENCE_IN_ALL = 10.0


def settled(chosen: Chosen, identity: TokenIdentity, make: Make) -> Chosen:
    """The same, with the choice made.

    Raises:
        TokenUnavailableError: None of its stores can be opened.
        TokenStoreError: One is not configured as it should be.
    """
    return _Choice(identity, make, time.monotonic() + PATIENCE_IN_ALL).settle(chosen)


class _Choice(NamedTuple):
    identity: TokenIdentity
    make: Make
    deadline: float

    def settle(self, chosen: Chosen) -> Chosen:
        if chosen.inner is not None:
            return chosen._replace(inner=self.settle(chosen.inner))
        return self._first(chosen) if chosen.candidates else chosen

    def _first(self, chosen: Chosen) -> Chosen:
        passed: list[str] = []
        for before, candidate in enumerate(chosen.candidates):
            why = candidate.why
            if candidate.chosen is not None:
                turn = self._within(1 / (len(chosen.candidates) - before))
                try:
                    # A list in the list has half of the time for its own choice.
                    inner = turn._within(1 / 2).settle(candidate.chosen)
                    place = turn._ask(inner)
                except TokenStoreError as error:
                    if not is_outage(error):
                        candidate.name_in(error)
                        raise
                    why = error.message
                else:
                    _report(candidate, place, passed)
                    return chosen.settled(inner)
            passed.append(f"{candidate.name!r} cannot be opened: {why}")
        raise TokenUnavailableError(
            f"none of the stores of token store {FALLBACK!r} can be opened. " + ". ".join(passed),
            store=FALLBACK,
        )

    def _within(self, share: float) -> _Choice:
        """The same with this share of the time that is left."""
        now = time.monotonic()
        return self._replace(deadline=now + (self.deadline - now) * share)

    def _ask(self, chosen: Chosen) -> str:
        """The location of a store that can be opened and answers one read.

        Raises:
            TokenStoreError: It cannot, or does not answer in time.
        """
        patience = min(PATIENCE, self.deadline - time.monotonic())
        if patience <= 0:
            raise TokenUnavailableError(
                f"it was not asked: the {PATIENCE_IN_ALL:.0f} s for all stores were over",
                store=chosen.name,
            )
        answer = Promise()
        context = contextvars.copy_context()
        # In a thread that ends by itself: what it does cannot be interrupted.
        spawn(
            lambda: context.run(self._read, chosen, answer), "flex-tokenstore-fallback", daemon=True
        )
        if not answer.wait(patience):
            raise TokenUnavailableError(
                f"it did not answer within {patience:.1f} s", store=chosen.name
            )
        place: str = answer.result()
        return place

    def _read(self, chosen: Chosen, answer: Promise) -> None:
        try:
            with made_for_a_look(chosen, self.identity, self.make) as (store, loop):
                if not _needs_its_own_loop(chosen.innermost.own):
                    _look(store, loop)
                place = store.place
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            answer.give(None, error)
        else:
            answer.give(place)


@contextmanager
def made_for_a_look(
    chosen: Chosen, identity: TokenIdentity, make: Make
) -> Iterator[tuple[OpenedStore, LoopThread]]:
    """A store that is closed again, and the loop in which its coroutines run meanwhile."""
    loop = LoopThread()
    try:
        store = OpenedStore(chosen.name, make(chosen, identity), identity, host_lock=False)
        try:
            yield store, loop
        finally:
            if chosen.innermost.own is None:  # the user's own object is not made anew
                _close(store, loop)
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


def is_outage(error: TokenStoreError) -> bool:
    """Whether the next store is tried after this."""
    return (
        isinstance(error, TokenUnavailableError)
        and not isinstance(error, TokenPermissionError)
        and not is_bug(error.message)
    )


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
