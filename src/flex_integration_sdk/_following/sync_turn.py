"""A worker's turn in a sync program: a thread renews it while the program handles an event."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from flex_tokenstore import TokenLockTimeoutError, TokenStoreError

from .plan import logger
from .turn import Lock, LockSteps, Turn

if TYPE_CHECKING:
    from flex_tokenstore import TokenStore


class SyncTurn:
    """Takes, renews and ends the turn.

    Args:
        turn: Judges it.
        open_stores: Opens the handles whose locks are used.
        changed: Called when the turn may have ended, in another thread.
    """

    def __init__(
        self,
        turn: Turn,
        open_stores: Callable[[], list[TokenStore]],
        changed: Callable[[], object],
    ) -> None:
        self._turn, self._open, self._changed = turn, open_stores, changed
        self._stores: list[TokenStore] = []
        self._locks: dict[int, AbstractContextManager[float | None]] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> bool:
        """Begins the turn, if nobody else has it.

        Raises:
            TokenUnavailableError: The store cannot answer.
            ConfigurationError: The store cannot keep replicas apart.
        """
        if self._thread is not None:  # of a turn that has ended
            self._thread.join()
            self._thread = None
        if not self._stores:
            self._stores = self._open()
        self._let_go()  # of a try that Ctrl-C has ended
        taken = self._carry_out(self._turn.take())
        if taken and not self._turn.is_lasting:
            # By its name the program's end knows it as one of ours.
            self._thread = threading.Thread(
                target=self._renew, name="flex-integration-turn", daemon=True
            )
            self._thread.start()
        return taken

    def end(self) -> None:
        """Ends the turn and closes the handles. You may call it twice."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._let_go()
        stores, self._stores = self._stores, []
        for store in stores:
            try:
                store.close()
            except TokenStoreError as error:
                logger.warning("a worker's store was not closed cleanly: %s", error)

    def abandon(self) -> None:
        """For a finalizer: the thread, if there is one, ends the turn."""
        self._ended.set()
        if self._thread is None:
            self._let_go()

    def _let_go(self) -> None:
        try:
            self._carry_out(self._turn.drop())
            for number in list(self._locks):
                self._unlock(number)
        except TokenStoreError as error:
            logger.warning("a worker's lock was not released: %s", error)

    def _renew(self) -> None:
        turn = self._turn
        pause = turn.renew_in
        while not self._ended.wait(pause):
            try:
                renewed = self._carry_out(turn.renew())
            except TokenStoreError as error:
                logger.warning("a worker's lock was not renewed yet: %s", error)
                renewed = False
            if not turn.is_ours:
                logger.warning("a worker's turn has ended, since its lock was not renewed in time")
                break
            pause = turn.renew_in if renewed else turn.look
        self._let_go()
        self._changed()

    def _carry_out(self, steps: LockSteps) -> bool:
        try:
            step = next(steps)
            while True:
                try:
                    end = None
                    if isinstance(step, Lock):
                        end = self._lock(step.number)
                    else:
                        self._unlock(step.number)
                except (TokenStoreError, TokenLockTimeoutError) as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(end)
        except StopIteration as stop:
            return bool(stop.value)

    def _lock(self, number: int) -> float | None:
        manager = self._stores[number].token_lock(0, self._turn.lease)
        end = manager.__enter__()
        self._locks[number] = manager
        return end

    def _unlock(self, number: int) -> None:
        manager = self._locks.pop(number, None)
        if manager is not None:
            manager.__exit__(None, None, None)
