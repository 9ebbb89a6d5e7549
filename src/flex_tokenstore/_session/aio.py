"""The session of an asyncio program: one task requests a token, and all tasks use it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from .._concurrency.event_loops import running_loop
from .._events.dispatch import OnEvent
from ..errors import SessionClosedError, TokenStoreError
from . import flow as _flow
from .aio_driver import Port, drive
from .attend import REQUEST, attend, wait_for
from .base import FlowOf, OnStoreError, SessionBase
from .budget import Budget
from .flow.state import Outcome
from .flow.steps import Reply, Step
from .single_flight import Abandoned, Flight
from .waits import warn

if TYPE_CHECKING:
    from types import TracebackType

    from .._store.aio import AsyncTokenStore
    from .._values.secret import Secret
    from .._values.token import Token
    from .grants import AsyncGrants


class AsyncTokenSession(SessionBase):
    """Keeps one identity's token usable in an asyncio program.

    It belongs to the event loop that first uses it, until that loop is closed. If many tasks or
    processes need a new token at once, one of them requests it and all use it.

    Args:
        store: Where the token is kept. The session closes it.
        grants: How to request a token.
        request_timeout: Seconds that one token request takes at most. ``grants`` must keep to it;
            the lease of the token lock depends on it.
        failure_window: Seconds after a failed token request during which the session only reads the
            store and requests nothing.
        lock_timeout: Seconds to wait while another program requests a token. None: 10 seconds
            longer than the lease that a dead program may have left.
        on_store_error: What to do while the store cannot be reached. ``"raise"``: raise
            :class:`TokenUnavailableError`. ``"memory"``: keep the token in memory; each process
            then signs in once for itself.
        on_event: Called with each :class:`Event`, in the task that requests the token. The request
            waits for it, so it must be quick, and it must not use the session. What it raises is
            logged.

    Raises:
        TypeError: ``on_event`` is not callable, or is a coroutine function.
        ValueError: ``request_timeout`` is not positive, ``lock_timeout`` is negative, or
            ``on_store_error`` is another word.
    """

    def __init__(
        self,
        store: AsyncTokenStore,
        grants: AsyncGrants,
        *,
        request_timeout: float = 15.0,
        failure_window: float = 5.0,
        lock_timeout: float | None = None,
        on_store_error: OnStoreError = "raise",
        on_event: OnEvent | None = None,
    ) -> None:
        super().__init__(
            store,
            grants,
            request_timeout=request_timeout,
            failure_window=failure_window,
            lock_timeout=lock_timeout,
            on_store_error=on_store_error,
            on_event=on_event,
        )
        self.store: AsyncTokenStore
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()
        self._tasks: dict[asyncio.Task[None], Flight] = {}
        self._saver: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that the session belongs to, closed perhaps; None before its first use."""
        return self._loop

    @property
    def renews_here(self) -> bool:
        """Whether this task is the one that obtains the session's token at this moment.

        What gets there must not use the session, since the request would wait for itself: grants
        whose HTTP client asks this session for a token.
        """
        task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
        if task is None or task.get_name() != REQUEST:
            return False
        return self._is_beneath(sys._getframe())

    async def token(self) -> Token:
        """Returns a token that should work, from memory, from the store or from the server.

        Raises:
            TokenStoreError: No token could be obtained; :mod:`flex_tokenstore.errors` has the
                reasons.
            Exception: What ``grants`` raised.
        """
        running_loop()
        return self._at_hand() or (await self._obtain()).token

    def new_call(self, endpoint: str = "") -> AsyncTokenCall:
        """Makes an object for one API call and its repetitions after 401 responses.

        Args:
            endpoint: Name of what is called. A 401 from one endpoint says nothing about the others.
        """
        return AsyncTokenCall(self, endpoint)

    async def peek(self) -> Token | None:
        """Returns the stored token without a request to the server; None if nothing is stored.

        Raises:
            TokenUnavailableError: The store cannot answer.
            TokenCorruptError: What is stored is not a token.
            TokenIdentityError: What is stored is another identity's token.
            SessionClosedError: The session is closed.
        """
        self._check_open()
        return await self.store.get_token()

    async def revoke(self) -> bool:
        """Has the server revoke the token, and removes it from the store and from memory.

        Other processes that use the same store must then sign in again. The client secret is not
        sent.

        Returns:
            True if the server revoked a token; False if there was none, or if it no longer worked.

        Raises:
            TokenStoreError: The store or the server failed; then the token is kept.
        """
        return bool(await self._alone(_flow.revoke))

    async def remove(self) -> None:
        """Removes the token from the store and from memory; it does not revoke the token.

        Raises:
            TokenStoreError: The store failed.
        """
        await self._alone(_flow.remove)

    async def aclose(self) -> None:
        """Closes the session and its store. You may call it twice.

        It first waits for a token request under way, at most ``request_timeout`` seconds, and tries
        once more to save a token that could not be saved.
        """
        running_loop()
        self._closed = True
        # It would try at the same time as the last try below.
        if self._saver is not None and self._loop is asyncio.get_running_loop():
            self._saver.cancel()
            await asyncio.wait([self._saver])
        await self._landed()
        if self._ended:
            return
        if self._state.unsaved is not None:
            with contextlib.suppress(TokenStoreError):
                await self._alone(_flow.save_again, closing=True)
            await self._landed()
        # Not before: whoever was cancelled while it saved closes the session once more.
        ended, self._ended = self._ended, True
        if not ended:
            await self.store.aclose()

    async def _landed(self) -> None:
        """Waits for the refreshes under way; those of another loop, or of the process that this
        one was forked from, are not ours to wait for."""
        while self._tasks and self._loop is asyncio.get_running_loop():
            for flight in self._tasks.values():
                flight.unwanted = True
                # Nobody waits for it, so nobody was told why the program does not end.
                if flight.sent and not (flight.awaited() or flight.over()):
                    warn(flight, self._limit)
            await asyncio.wait(set(self._tasks))

    async def __aenter__(self) -> AsyncTokenSession:
        running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _obtain(self, tried: Sequence[Secret[str]] = ()) -> Outcome:
        standing, thread = _standing(self._own_loop()), threading.get_ident()
        while True:
            self._check_open()
            with self._gate.joined(self, standing, thread) as (flight, waiter):
                leads = flight is waiter
                if leads:
                    self._launch(flight, _flow.obtain(self._state))
                elif meanwhile := self._meanwhile():
                    return meanwhile
                await wait_for(flight)
            # It was lost with its loop, or is a parent process's: the next round begins another.
            if not flight.done():
                continue
            outcome = self._outcome(flight, leads, tried)
            if outcome is not None:
                return outcome

    async def _alone(self, flow: FlowOf, *, closing: bool = False) -> Any:
        standing, thread = _standing(self._own_loop()), threading.get_ident()
        while True:
            if not closing:
                self._check_open()
            with self._gate.joined(self, standing, thread) as (flight, waiter):
                leads = flight is waiter
                if leads:
                    flight.private = True
                    self._launch(flight, flow(self._state))
                await wait_for(flight)
            # Cancelled before it began, or given up for another caller's sake: it is begun again.
            if leads and flight.done() and not isinstance(flight.exception(), Abandoned):
                return flight.result()

    async def _look(self, refused: Token) -> Outcome | None:
        outcome: Outcome | None = await self._alone(lambda state: _flow.look(state, refused))
        return outcome

    def _launch(self, flight: Flight, flow: Generator[Step, Reply, Any]) -> None:
        async def fly() -> None:
            if not flight.take_off():
                return
            try:
                port = Port(self.store, self._grants)
                result = await drive(self._start(flow), port, flight, self._report)
            except asyncio.CancelledError:
                # Others wait for it, in threads too: a CancelledError there would cancel them.
                closed = "the event loop was shut down while a token was being obtained"
                flight.give(None, SessionClosedError(closed))
                raise
            except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
                flight.give(None, error)
            else:
                flight.give(result)
            self._save_later()

        # A task of its own: a caller that is cancelled must not take the server's response along.
        attending = attend(flight, fly, self._limit, self._give_up)
        task = asyncio.get_running_loop().create_task(attending, name="flex-tokenstore-renewal")
        # Kept here: the loop has only weak references to its tasks (asyncio.create_task).
        self._tasks[task] = flight

        def landed(task: asyncio.Task[None]) -> None:
            self._tasks.pop(task, None)
            if not flight.done():  # cancelled before it began: others would wait for ever
                flight.give(None, Abandoned())

        task.add_done_callback(landed)

    def _save_later(self) -> None:
        """Tries again to save an unsaved token, also if no call comes: see the sync session."""
        if self._state.unsaved is None or self._closed:
            return
        if self._saver is None or self._saver.done():
            loop = asyncio.get_running_loop()
            self._saver = loop.create_task(self._keep_saving(), name="flex-tokenstore-save")

    async def _keep_saving(self) -> None:
        while (pause := self._until_save()) is not None:
            await asyncio.sleep(pause)
            with contextlib.suppress(TokenStoreError):
                await self._alone(_flow.save_again)

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        loop = running_loop()
        forked = self._process != os.getpid()  # the parent's loop never runs here
        if self._loop is not None and self._loop is not loop and (forked or self._loop.is_closed()):
            # One ``asyncio.run`` after the other, as web frameworks and Lambda handlers do.
            # Those of a parent process go on there: freeing them here would free the parent's lock.
            for flight in () if forked else self._tasks.values():
                flight.abort()
            self._loop, self._saver, self._tasks = None, None, {}
        if self._loop is None:
            self._loop, self._process = loop, os.getpid()
        elif self._loop is not loop:
            raise SessionClosedError(
                "this session belongs to another event loop, which is still open; make a session "
                "in each event loop"
            )
        return loop


class AsyncTokenCall:
    """One API call: a token to send, and another after each 401, at most three times.

    Its methods are coroutines. The session's ``new_call`` makes it.
    """

    def __init__(self, session: AsyncTokenSession, endpoint: str) -> None:
        self._session = session
        self._budget = Budget(session._state, endpoint)

    def accepted(self) -> None:
        """Call this when the API answered with another status than 401."""
        self._budget.accepted()

    async def token(self) -> Token:
        """Returns the token to send first, from memory, from the store or from the server.

        Raises:
            TokenStoreError: No token could be obtained; :mod:`flex_tokenstore.errors` has the
                reasons.
            Exception: What ``grants`` raised.
        """
        held = self._session._at_hand()
        return held if held is not None else self._budget.first(await self._session._obtain())

    async def refused(self, token: Token) -> Token | None:
        """Call this when the API answered 401 to ``token``.

        Args:
            token: The token that was sent.

        Returns:
            The next token to send; None: give up, no other token can help.

        Raises:
            TokenStoreError: No token could be obtained.
            Exception: What ``grants`` raised.
        """
        what = self._budget.refuse(token, time.monotonic(), time.time())
        if not what:
            return None
        session, tried = self._session, self._budget.refused
        outcome = await (session._look(token) if what == "look" else session._obtain(tried))
        return self._budget.next(outcome, time.monotonic())  # that may have taken long


def _standing(loop: asyncio.AbstractEventLoop) -> Callable[[], bool]:
    """Tells others that this loop does not run, so that they need not wait for it."""
    return lambda: not loop.is_running()
