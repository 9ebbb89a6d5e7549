"""Repeats a call that failed, where a repetition can do no harm."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._transport.call_deadline import CALL
from flex_integration_sdk._wire.interpret import interpret
from flex_integration_sdk._wire.repetition import KEPT, Failure, may_pass, own_pause
from flex_integration_sdk.errors import ApiError, TransportError
from flex_tokenstore import SessionClosedError
from flex_tokenstore.embedding import submit

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.endpoint import Endpoint
    from flex_integration_sdk._sources.body import Body
    from flex_integration_sdk._transport.closing import Closing
    from flex_integration_sdk._transport.exchange import ApiAnswer
    from flex_integration_sdk._transport.reporting import Exchange

    from .call_options import CallOptions

logger = logging.getLogger("flex_integration_sdk")

Outcome = Response[Any] | Failure
Report = Callable[[str, Failure, int, float], object]
"""Called before a wait: the call's name, why it is repeated, the number of the attempt that failed,
seconds until the next one."""

# ``retry_after`` tells of no more.
MOST_TOLD = 300.0
_LOOK = "it may have been done all the same: look before you repeat it"


def outcome_of(answer: ApiAnswer, name: str) -> Outcome:
    """What a response means."""
    endpoint = ENDPOINTS[name]
    try:
        return interpret(answer, endpoint.method, endpoint.path, again=not endpoint.once)
    except (ApiError, TransportError) as error:
        return error.with_traceback(None)


def may_repeat(endpoint: Endpoint, error: Failure) -> bool:
    """Whether the call can be repeated after this error: it may work, and can do no harm."""
    if not may_pass(error):
        return False
    if endpoint.method == "GET" or endpoint.repeatable:
        return True
    # 429: the API did nothing, whatever was asked.
    return not error.sent if isinstance(error, TransportError) else error.status == 429


class Repeats:
    """The repetitions of one call.

    What fails for good, such as a token request, is raised by an attempt; what may be repeated is
    returned by it, without its traceback, which would keep the frames and with them the error
    alive. So no frame of the library that repeats is in a caller's traceback.

    Args:
        endpoint: What is called.
        options: Those of the call.
        closing: Of the instance; closing it ends a wait.
        report: Told of each repetition.
        body: Of an upload.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        options: CallOptions,
        closing: Closing,
        report: Report,
        body: Body | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._most = options.max_retries
        self._closing = closing
        self._report = report
        self._body = body
        self.attempts = 1
        self._why = ""
        self._failure: Failure | None = None  # after which the call is to be repeated
        self._requests = 0
        self._untold: Callable[..., None] | None = None

    def wants(self, outcome: Outcome) -> bool:
        """Whether another attempt may follow one with this outcome."""
        wanted = (
            not isinstance(outcome, Response)
            and self._most > 0
            and may_repeat(self._endpoint, outcome)
            # The error says more than that the instance is closed: something was sent.
            and not self._closing.closed
        )
        if wanted and self._body is not None and not self._body.repeatable:
            self._why = "not repeated, since the stream that was passed cannot be read again"
            return False
        return wanted

    def run(self, first: Outcome, attempt: Callable[[], Outcome]) -> Outcome:
        """Goes on after a first attempt, until one is not to be followed by another.

        Raises:
            SessionClosedError: The instance was closed during a wait.
        """
        if not _loaded():
            return first
        from tenacity import Retrying

        begun = False

        def made() -> Outcome:
            nonlocal begun
            if not begun:
                begun = True
                return first
            return attempt()

        try:
            outcome: Outcome = Retrying(sleep=self._closing.sleep, **self._policy())(made)
        except SessionClosedError as error:
            closed = self._closed(error)
        else:
            return outcome
        finally:
            self._failure = None  # what is kept until then may be kept for long
        raise closed

    async def run_async(self, first: Outcome, attempt: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Goes on after a first attempt, until one is not to be followed by another.

        Raises:
            SessionClosedError: The instance was closed during a wait.
        """
        import asyncio

        if "tenacity" not in sys.modules and not await asyncio.wrap_future(submit("io", _loaded)):
            return first
        from tenacity import AsyncRetrying

        begun = False

        async def made() -> Outcome:
            nonlocal begun
            if not begun:
                begun = True
                return first
            return await attempt()

        retrying = AsyncRetrying(sleep=self._closing.sleep_async, **self._policy())
        try:
            outcome: Outcome = await retrying(made)
        except SessionClosedError as error:
            closed = self._closed(error)
        else:
            return outcome
        finally:
            self._failure = None  # what is kept until then may be kept for long
        raise closed

    def number_of_next(self) -> int:
        """The number of the request that is sent next, from 1; those after a 401 count, too."""
        self._requests += 1
        return self._requests

    def answered(self, exchange: Exchange, answer: ApiAnswer) -> None:
        """Keeps what can be told of a response, until it is known whether the call is repeated."""
        exchange.ended()
        headers, size = answer.headers, len(answer.content)
        self._untold = partial(exchange.answered, answer.status_code, headers, size)

    def failed(self, exchange: Exchange, error: BaseException) -> None:
        """Keeps what can be told of a request without a response."""
        exchange.ended()
        self._untold = partial(exchange.failed, error)

    def tell(self, retry_in: float | None = None) -> None:
        """Tells of the last request, if that was not done.

        Args:
            retry_in: Seconds until the call is repeated; None: it is not.
        """
        untold, self._untold = self._untold, None
        if untold is not None:
            untold(retry_in=retry_in)

    def noted(self, error: Failure) -> Failure:
        """The error to raise: it says how often the call was made, and if it may have been done."""
        error.attempts = self.attempts
        if self._endpoint.once and _may_be_done(error):
            error.message += f"; {_LOOK}"
            error.args = (error.message,)
        notes = [f"tried {self.attempts} times"] if self.attempts > 1 else []
        notes += filter(None, [self._why])
        if notes:
            error.message += f" ({', '.join(notes)})"
            error.args = (error.message,)  # a copy is made from them
        return error

    def _closed(self, error: SessionClosedError) -> SessionClosedError:
        """What is said if the instance was closed before the next attempt was sent."""
        failure, self._failure = self._failure, None
        if failure is None or (isinstance(failure, TransportError) and not failure.sent):
            return error.with_traceback(None)
        failure.attempts = self.attempts = self.attempts - 1
        times = "once" if self.attempts == 1 else f"{self.attempts} times"
        closed = SessionClosedError(
            f"this SDK instance was closed before {self._endpoint.name} was repeated; it was sent "
            f"{times}, and failed: {failure.message}"
        )
        closed.__cause__ = failure
        return closed

    def _policy(self) -> dict[str, Any]:
        from tenacity import retry_if_result

        return {
            "retry": retry_if_result(self.wants),
            "wait": backoff,
            "stop": self._stop,
            "before_sleep": self._before_sleep,
            # The last outcome as it is, in place of the library's own error.
            "retry_error_callback": lambda state: state.outcome.result(),
            "reraise": True,
        }

    def _stop(self, state: Any) -> bool:
        if state.attempt_number > self._most:
            return True
        wait: float = state.upcoming_sleep
        deadline = CALL.get()
        if wait > KEPT:
            more = " or longer" if wait >= MOST_TOLD else ""
            self._why = f"not repeated, since the server asks to wait {wait:g} s{more}"
        elif deadline is not None and wait >= deadline.left():
            self._why = f"not repeated, since {wait:.1f} s later total_timeout is over"
        return bool(self._why)

    def _before_sleep(self, state: Any) -> None:
        failure, wait = state.outcome.result(), state.upcoming_sleep
        self.tell(wait)
        self._report(self._endpoint.name, failure, state.attempt_number, wait)
        self.attempts = state.attempt_number + 1
        sent = not isinstance(failure, TransportError) or failure.sent
        if sent or self._failure is None:
            self._failure = failure


def _may_be_done(error: Failure) -> bool:
    """Whether the API may have carried out what it was asked for all the same."""
    return error.sent if isinstance(error, TransportError) else (error.status or 0) >= 500


def backoff(state: Any) -> float:
    """Seconds until the next attempt: those that the server asks for, else our own."""
    asked: float | None = state.outcome.result().retry_after
    if asked:
        return asked
    return own_pause(state.attempt_number)


def _loaded() -> bool:
    """Imports the library that repeats. No program needs it before a call fails.

    Returns:
        False: it cannot be imported. The caller should get the error of the call, not of that.
    """
    try:
        import tenacity  # noqa: F401
    except ImportError:
        if not sys.is_finalizing():
            logger.warning("calls are not repeated: the package tenacity cannot be imported")
        return False
    return True
