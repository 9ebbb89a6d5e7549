"""The session of a sync program: one thread requests a token, and all threads use it."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from .._concurrency.promise import Promise
from .._concurrency.spawn import spawn
from .._events.dispatch import OnEvent, refuse_within_report
from ..errors import TokenStoreError
from . import flow as _flow
from .base import FlowOf, OnStoreError, SessionBase
from .budget import Budget
from .driver import Port, drive
from .flow.state import Outcome
from .flow.steps import Reply, Step
from .single_flight import Abandoned, Flight
from .waits import finish, wait_for_ever

if TYPE_CHECKING:
    from types import TracebackType

    from .._store.sync import TokenStore
    from .._values.secret import Secret
    from .._values.token import Token
    from .grants import Grants


_RENEWAL = "flex-tokenstore-renewal"  # name of the thread that obtains the token


class TokenSession(SessionBase):
    """Keeps one identity's token usable in a sync program.

    Threads can share it, and it works after a fork. If many threads or processes need a new token
    at once, one of them requests it and all use it.

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
        on_event: Called with each :class:`Event`, in the thread that requests the token. The
            request waits for it, so it must be quick, and it must not use the session. What it
            raises is logged.

    Raises:
        TypeError: ``on_event`` is not callable, or is a coroutine function.
        ValueError: ``request_timeout`` is not positive, ``lock_timeout`` is negative, or
            ``on_store_error`` is another word.
    """

    def __init__(
        self,
        store: TokenStore,
        grants: Grants,
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
        self.store: TokenStore
        self._saver: _Saver | None = None

    @property
    def renews_here(self) -> bool:
        """Whether this thread is the one that obtains the session's token at this moment.

        What gets there must not use the session, since the request would wait for itself: a
        finalizer, which the garbage collector runs in whichever thread it likes, or grants whose
        HTTP client asks this session for a token.
        """
        if not threading.current_thread().name.startswith(_RENEWAL):
            return False
        return self._is_beneath(sys._getframe())

    def token(self) -> Token:
        """Returns a token that should work, from memory, from the store or from the server.

        Raises:
            TokenStoreError: No token could be obtained; :mod:`flex_tokenstore.errors` has the
                reasons.
            Exception: What ``grants`` raised.
        """
        return self._at_hand() or self._obtain().token

    def new_call(self, endpoint: str = "") -> TokenCall:
        """Makes an object for one API call and its repetitions after 401 responses.

        Args:
            endpoint: Name of what is called. A 401 from one endpoint says nothing about the others.
        """
        return TokenCall(self, endpoint)

    def peek(self) -> Token | None:
        """Returns the stored token without a request to the server; None if nothing is stored.

        Raises:
            TokenUnavailableError: The store cannot answer.
            TokenCorruptError: What is stored is not a token.
            TokenIdentityError: What is stored is another identity's token.
            SessionClosedError: The session is closed.
        """
        self._check_open()
        return self.store.get_token()

    def revoke(self) -> bool:
        """Has the server revoke the token, and removes it from the store and from memory.

        Other processes that use the same store must then sign in again. The client secret is not
        sent.

        Returns:
            True if the server revoked a token; False if there was none, or if it no longer worked.

        Raises:
            TokenStoreError: The store or the server failed; then the token is kept.
        """
        return bool(self._alone(_flow.revoke))

    def remove(self) -> None:
        """Removes the token from the store and from memory; it does not revoke the token.

        Raises:
            TokenStoreError: The store failed.
        """
        self._alone(_flow.remove)

    def close(self) -> None:
        """Closes the session and its store. You may call it twice.

        It first waits for a token request under way, at most ``request_timeout`` seconds, and tries
        once more to save a token that could not be saved.
        """
        refuse_within_report()
        self._closed = True  # first: a refresh that began later would find the store closed
        if self._saver is not None:
            self._saver.ended.give(None)
        flight = self._gate.current(self)
        if flight is not None:
            flight.unwanted = True  # it may be waiting for another program, which takes its time
            finish(flight, self, self._limit, self._give_up)
        if self._ended:
            return
        if self._state.unsaved is not None:
            with contextlib.suppress(TokenStoreError):
                self._alone(_flow.save_again, closing=True)
        # Not before: whoever was interrupted while it saved closes the session once more.
        ended, self._ended = self._ended, True
        if not ended:
            self.store.close()

    def __enter__(self) -> TokenSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _obtain(self, tried: Sequence[Secret[str]] = ()) -> Outcome:
        while True:
            self._check_open()
            with self._gate.joined(self) as (flight, waiter):
                leads = flight is waiter
                if leads:
                    self._check_open()  # again: whoever closes it looks for a flight only once
                    self._launch(flight, _flow.obtain(self._state))
                elif meanwhile := self._meanwhile():
                    return meanwhile
                finish(flight, waiter, self._limit, self._give_up)
            # It is a parent process's, or its event loop stands still: another is begun.
            if not flight.done():
                continue
            outcome = self._outcome(flight, leads, tried)
            # None: of no use to this caller, such as a removal that another one asked for.
            if outcome is not None:
                return outcome

    def _look(self, refused: Token) -> Outcome | None:
        outcome: Outcome | None = self._alone(lambda state: _flow.look(state, refused))
        return outcome

    def _alone(self, flow: FlowOf, *, closing: bool = False) -> Any:
        """Runs a flow whose outcome is for this caller only."""
        while True:
            with self._gate.joined(self) as (flight, waiter):
                leads = flight is waiter
                if not closing:
                    self._check_open()
                if leads:
                    flight.private = True
                    self._launch(flight, flow(self._state))
                finish(flight, waiter, self._limit, self._give_up)
            # Given up for another caller's sake, it is begun again.
            if leads and flight.done() and not isinstance(flight.exception(), Abandoned):
                return flight.result()

    def _launch(self, flight: Flight, flow: Generator[Step, Reply, Any]) -> None:
        def fly() -> None:
            if not flight.take_off():
                return
            try:
                port = Port(self.store, self._grants)
                result = drive(self._start(flow), port, flight, self._report)
            except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
                flight.give(None, error)
            else:
                flight.give(result)
            finally:
                # An exception from elsewhere (MemoryError, a debugger, a library that ends threads)
                # may strike where the outcome is given; then others would wait for ever.
                if not flight.done():
                    flight.give(None, Abandoned())
            self._save_later()

        if sys.is_finalizing():
            fly()  # a thread would not run any more: Python 3.11 waits for its start for ever
            return
        # A thread of its own, never a daemon, whatever its caller is: neither Ctrl-C nor the
        # program's end must come between the server's response and the save, or a rotated token is
        # lost. With the caller's context variables, which logs and callbacks may look at.
        context = contextvars.copy_context()
        context.run(wait_for_ever)  # the time of its caller is not that of the refresh
        try:
            spawn(lambda: context.run(fly), _RENEWAL, daemon=False)
        except RuntimeError:
            fly()  # the interpreter is shutting down and starts no thread any more

    def _save_later(self) -> None:
        """Has a token that could not be saved tried again, also if no call comes.

        A program that is idle would else keep the one refresh token that works from all others.
        """
        if self._state.unsaved is None or self._closed:
            return
        if (self._saver is None or not self._saver.works()) and not sys.is_finalizing():
            self._saver = _Saver(self)
            with contextlib.suppress(RuntimeError):  # the interpreter is shutting down
                self._saver.start()

    def _save_again(self) -> None:
        with contextlib.suppress(TokenStoreError):
            self._alone(_flow.save_again)


class _Saver(threading.Thread):
    """Saves a token once the store is back. A daemon: the program's end does not wait for it."""

    def __init__(self, session: TokenSession) -> None:
        super().__init__(name="flex-tokenstore-save", daemon=True)
        self.ended = Promise()
        self._session = session
        self._process = os.getpid()

    def works(self) -> bool:
        """It runs, in this process: a forked child has the object, not the thread."""
        return self._process == os.getpid() and self.is_alive()

    def run(self) -> None:
        while (pause := self._session._until_save()) is not None:
            if self.ended.wait(pause):
                return
            self._session._save_again()


class TokenCall:
    """One API call: a token to send, and another after each 401, at most three times.

    The session's ``new_call`` makes it.
    """

    def __init__(self, session: TokenSession, endpoint: str) -> None:
        self._session = session
        self._budget = Budget(session._state, endpoint)

    def accepted(self) -> None:
        """Call this when the API answered with another status than 401."""
        self._budget.accepted()

    def token(self) -> Token:
        """Returns the token to send first, from memory, from the store or from the server.

        Raises:
            TokenStoreError: No token could be obtained; :mod:`flex_tokenstore.errors` has the
                reasons.
            Exception: What ``grants`` raised.
        """
        held = self._session._at_hand()
        return held if held is not None else self._budget.first(self._session._obtain())

    def refused(self, token: Token) -> Token | None:
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
        outcome = session._look(token) if what == "look" else session._obtain(tried)
        return self._budget.next(outcome, time.monotonic())  # that may have taken long
