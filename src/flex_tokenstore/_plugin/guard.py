"""What stands between a store's own code and the program: checked arguments, errors of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from .._values import host_program
from .._values.foreign_errors import stand_in
from .._values.redaction import Redactor, current
from ..errors import StoreLoadError, TokenStoreError, TokenUnavailableError
from .mistakes import explained

if TYPE_CHECKING:
    from types import TracebackType

    from .._values.host_program import HostProgram

logger = logging.getLogger("flex_tokenstore")

LONGEST = 86_400.0 * 7  # seconds to wait for a lock, or to hold one; a thread's limit is finite


_as_raised: list[bool] = []


@contextmanager
def as_raised() -> Iterator[None]:
    """Lets a store's own errors through unmasked: for the conformance kit, which must see them."""
    _as_raised.append(True)
    try:
        yield
    finally:
        _as_raised.pop()


class Guard:
    """A ``with`` block around a stranger's code: what it raises becomes an error of ours.

    The block ends without an exception then, and the caller raises :attr:`error` after it: raised
    in the block, it would have the stranger's exception for its context, frames and all.
    ``CancelledError``, ``KeyboardInterrupt`` and ``SystemExit`` pass untouched.
    """

    error: TokenStoreError
    """Set once the block has failed."""

    def __init__(
        self,
        redactor: Redactor,
        store: str,
        what: str,
        remedy: str = "",
        place: Callable[[], str | None] = lambda: None,
        mistake: Callable[[Exception], str | None] = lambda error: None,
        *,
        program: HostProgram,
    ) -> None:
        self._redactor, self._store, self._place = redactor, store, place
        self._what, self._remedy, self._mistake = what, remedy, mistake
        self._found: str | None = None
        self._program = program

    def __enter__(self) -> Guard:
        self._before = current.set(self._redactor)
        self._program_before = host_program.current.set(self._program)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        try:
            host_program.current.reset(self._program_before)
            current.reset(self._before)
        except ValueError:
            pass  # a dropped coroutine is closed in another context, where they are not set
        if not isinstance(error, Exception):
            return False
        self.error = self._of_ours(error)
        return True

    def check(self) -> None:
        """Raises the block's error, if it failed."""
        if hasattr(self, "error"):
            raise self.error

    def warn(self) -> None:
        """Logs the type of the block's error, if it failed, or the store's bug."""
        if hasattr(self, "error"):
            said = self._found or type(self.error.__cause__ or self.error).__name__
            logger.warning("token store %r %s: %s", self._store, self._what, said)

    def _of_ours(self, error: Exception) -> TokenStoreError:
        if _as_raised and isinstance(error, TokenStoreError):
            return error
        if isinstance(error, TokenStoreError):
            clean = self._redactor.error(error)
            assert isinstance(clean, TokenStoreError)
            clean.store = clean.store or self._store
            return clean
        self._found = self._mistake(error)
        unavailable = TokenUnavailableError(
            f"token store {self._store!r} {self._what}: "
            f"{explained(error, self._found, self._remedy)}",
            store=self._store,
            place=self._place(),
        )
        # Never the exception itself: docs/decisions/018.
        unavailable.__cause__ = stand_in(error)
        return unavailable


def check_expected(expected: object) -> None:
    """Raises TypeError unless it is a revision or None."""
    if not (expected is None or isinstance(expected, str)):
        raise TypeError(
            f"expected must be a revision (a string) or None, got {type(expected).__name__}"
        )


def lock_times(wait: object, lease: object) -> tuple[float, float]:
    """The arguments of ``token_lock``, none of them longer than a thread can wait.

    Raises:
        TypeError: One is not a number.
        ValueError: One is negative or NaN; a negative wait would be endless for some locks.
    """
    times = []
    for name, value in (("wait", wait), ("lease", lease)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{name} must be a number of seconds, got {type(value).__name__}")
        if not value >= 0:
            raise ValueError(f"{name} must be a number of seconds, 0 or more, got {value}")
        times.append(min(value, LONGEST))
    return times[0], times[1]


def is_lease_end(end: object) -> bool:
    """What a store's ``token_lock`` may yield: None, or a time."""
    number = isinstance(end, (int, float)) and not isinstance(end, bool)
    return end is None or (number and end == end)  # not so for NaN


def wrong_lease_end(store: str, end: object) -> StoreLoadError:
    """For a store whose lock yields something else; to be raised once it was released."""
    return StoreLoadError(
        f"token_lock of token store {store!r} must yield None, or for a lease the time.monotonic() "
        f"at which it expires; got {type(end).__name__}",
        store=store,
    )


def is_manager(given: object) -> Literal["sync", "async"] | None:
    """Which kind of ``with`` block takes what a store's ``token_lock`` returned; None: neither."""
    if hasattr(given, "__aenter__") and hasattr(given, "__aexit__"):
        return "async"
    return "sync" if hasattr(given, "__enter__") and hasattr(given, "__exit__") else None


def wrong_lock(store: str, given: object) -> StoreLoadError:
    """For a store whose lock is not a context manager."""
    return StoreLoadError(
        f"token_lock of token store {store!r} must return a context manager, got "
        f"{type(given).__name__}; mark it with @contextmanager or @asynccontextmanager",
        store=store,
    )


def refuse_false(store: str, given: object) -> None:
    """Raises TokenUnavailableError for what ``set_token`` returns if it thinks that False is heard.

    Raises:
        TokenUnavailableError: A save that failed would be taken for one that succeeded.
    """
    if given is False:
        raise TokenUnavailableError(
            f"the store has a bug: set_token of token store {store!r} returned False. If it wrote "
            "nothing, it must raise TokenConflictError (another token is stored) or "
            "TokenUnavailableError, and else return None",
            store=store,
        )
