"""Hands events to the log, to metrics and to the program's own callback.

Called in the thread or task that obtains the token, between two steps of the flow, with no mutex of
ours held. Nothing that goes wrong here reaches the token request.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import TokenStoreError

if TYPE_CHECKING:
    from .event import Event, EventName, Note

logger = logging.getLogger("flex_tokenstore")

T = TypeVar("T")
OnEvent = Callable[["Event"], object]

LOGGED: dict[EventName, tuple[int, str]] = {
    "adopted": (logging.DEBUG, "token of another program read from the store"),
    "conflict": (logging.INFO, "store changed before a token was saved"),
    "discarded": (logging.WARNING, "unsaved token dropped"),
    "quarantined": (logging.WARNING, "corrupt token moved aside"),
    "refresh_rejected": (logging.WARNING, "refresh token rejected by the server"),
    "refreshed": (logging.INFO, "token refreshed"),
    "removed": (logging.INFO, "token removed from the store"),
    # Not a warning: whoever asked for the token has the exception, and may handle it.
    "renewal_failed": (logging.INFO, "no new token obtained"),
    "renewal_postponed": (logging.WARNING, "no new token obtained, the old one still works"),
    "request_failed": (logging.INFO, "token request failed"),
    "revoked": (logging.INFO, "token revoked by the server"),
    "save_failed": (logging.WARNING, "token not saved, kept in memory"),
    "saved": (logging.INFO, "token saved"),
    "signed_in": (logging.INFO, "signed in with the client secret"),
    "store_unavailable": (logging.WARNING, "token store unavailable, continuing without it"),
    "waited": (logging.DEBUG, "waited for the token lock"),
}
"""Level and message of each event's log record."""

_LEFT_OUT = {"name", "identity_key", "place"}

# Per thread: a callback may hand the event to another one, which may use the session.
_here = threading.local()


class Reporter:
    """Makes events from the notes of one session and passes them on.

    Args:
        store: The session's store handle.
        on_event: The program's callback.

    Raises:
        TypeError: ``on_event`` cannot be called, or is a coroutine function.
    """

    def __init__(self, store: Any, on_event: OnEvent | None) -> None:
        check_on_event(on_event)
        self._store = store
        self._on_event = on_event

    def report(self, notes: Iterable[Note]) -> None:
        """Passes the notes on, each as an event, in order."""
        if sys.is_finalizing():
            return  # nothing can be imported any more, and logging has ended
        with _reporting():
            for note in notes:
                _shielded("the report", note.name, self._tell, note)

    def _tell(self, note: Note) -> None:
        event = self._event(note)
        _shielded("the log", event.name, _log, event)
        _shielded("metrics", event.name, _count, event)
        if self._on_event is not None:
            _shielded("on_event", event.name, self._on_event, event)

    def _event(self, note: Note) -> Event:
        from .event import Event

        error = note.error
        return Event(
            name=note.name,
            store=self._store.name,
            place=self._location(),
            identity_key=self._store.identity.key,
            reason=note.reason,
            digest=note.digest,
            seconds=note.seconds,
            grant_type=note.grant_type,
            secret_sent=note.secret_sent,
            error_type=None if error is None else type(error).__name__,
            error=str(error) if isinstance(error, TokenStoreError) else None,
        )

    def _location(self) -> str:
        try:
            return str(self._store.place)
        except Exception:  # noqa: BLE001 - a property of a stranger's store
            return f"token store {self._store.name!r}"


def check_on_event(on_event: object) -> None:
    """Checks a callback before a session is made with it.

    Args:
        on_event: What the user passed as ``on_event``.

    Raises:
        TypeError: It is neither None nor a plain callable; a coroutine function is refused too.
    """
    if on_event is None:
        return
    import inspect

    if not callable(on_event):
        raise TypeError(f"on_event must be callable, got {type(on_event).__name__}")
    call = getattr(on_event, "__call__", None)  # noqa: B004 - an object's own, to look at its kind
    if inspect.iscoroutinefunction(on_event) or inspect.iscoroutinefunction(call):
        raise TypeError(
            "on_event must be a plain function, not a coroutine function; in asyncio let "
            "it put the event into a queue, or start a task"
        )


def refuse_within_report() -> None:
    """Raises an error if ``on_event`` or a log handler called the caller, in this thread.

    For a function that waits for the session's token request: the request that called the callback
    would wait for itself.

    Raises:
        RuntimeError: A callback runs in this thread.
    """
    if getattr(_here, "reporting", False):
        raise RuntimeError(
            "on_event and log handlers must not use a token session: the token request that called "
            "them would wait for itself. Hand the event to another thread or task"
        )


@contextlib.contextmanager
def _reporting() -> Iterator[None]:
    before = getattr(_here, "reporting", False)
    _here.reporting = True
    try:
        yield
    finally:
        _here.reporting = before


def _shielded(what: str, name: str, function: Callable[[T], object], argument: T) -> None:
    """Calls the function. Logs only the type of a failure, since its text may hold a secret."""
    try:
        function(argument)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a token just obtained must not be lost for it
        with contextlib.suppress(Exception):
            logger.error("%s failed at event %s: %s", what, name, type(error).__name__)


def _log(event: Event) -> None:
    level, message = LOGGED[event.name]
    if not logger.isEnabledFor(level):
        return
    facts = event.to_dict()
    # Where the token is kept is told in warnings only: that is where an operator has to look.
    left_out = {"name", "identity_key"} if level >= logging.WARNING else _LEFT_OUT
    shown = " ".join(
        f"{key}={value:.3f}" if isinstance(value, float) else f"{key}={value}"
        for key, value in facts.items()
        if key not in left_out and value is not False
    )
    logger.log(level, f"{message}: %s", shown, extra={"flex_tokenstore": facts})


def _count(event: Event) -> None:
    from .metrics import count

    count(event)
