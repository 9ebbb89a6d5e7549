"""What can go wrong when the API is called, as one tree.

::

    FlexError
    ├── ConfigurationError       (ValueError)          an argument or variable is missing or wrong
    ├── ParameterError           (TypeError, ValueError)  a value has no form on the wire
    ├── NotIncludedError         (KeyError)            a response does not have what is asked of it
    ├── SourceConsumedError      (RuntimeError)        a stream cannot be uploaded a second time
    ├── SourceChangedError       (RuntimeError)        a file changed while it was uploaded
    ├── FileVerificationError    (RuntimeError)        the API did not accept an uploaded file
    ├── FileNotReadyError        (TimeoutError)        an uploaded file is not available yet
    ├── CurrencyMismatchError    (ValueError)          two currencies were added or compared
    ├── TransportError           (ConnectionError)     no response, or one that is not the API's
    │   └── CallTimeoutError     (TimeoutError)        a time limit ended the request or the call
    ├── AuthenticationError      (PermissionError)     the server does not accept this client
    │   ├── ClientSecretError                          the client secret's file or callable fails
    │   ├── MissingSecretError                         a sign-in needs a client secret; none is set
    │   └── UnauthorizedError    (ApiError)            401 from the API, after all tokens were tried
    ├── ExportError              (RuntimeError)        an export cannot be written now
    ├── PaginationLimitError     (LookupError)         the API does not return all that is there
    ├── NestedCallError          (RuntimeError)        called from within a call of the same thread
    ├── CursorError              (ValueError)          the position among the events cannot be kept
    ├── EventGapError            (LookupError)         events may be gone that were not handled
    └── ApiError                 (RuntimeError)        the API returned an error
        ├── BadRequestError      400
        ├── PaymentFailedError   402
        ├── ForbiddenError       (PermissionError)     403
        ├── NotFoundError        (LookupError)         404
        ├── ConflictError        409
        ├── PayloadTooLargeError 413
        ├── RateLimitedError     429
        └── ServerError          5xx

``AuthenticationError``, ``TransportError``, ``RateLimitedError`` and ``ServerError`` are also
``flex_tokenstore.GrantError``, since token requests raise them. Errors of the token store
itself are in ``flex_tokenstore.errors``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flex_tokenstore.errors import GrantError, GrantReason


class FlexError(Exception):
    """Base of all errors of this package."""


class ConfigurationError(FlexError, ValueError):
    """An argument, an environment variable or a file is missing or wrong."""


class ParameterError(FlexError, TypeError, ValueError):
    """An argument of a call cannot be sent. The message names the parameter and the type.

    Nothing was sent, and no token was obtained. It is a ``TypeError`` as well as a ``ValueError``:
    which one fits depends on how the value came about.
    """


class NotIncludedError(FlexError, KeyError):
    """A response does not have the related resource, or the attributes, that a program looks for.

    The API sends related resources only if the call asks for them with ``include``, and the
    attributes of a command's result only with ``expand=True``; the message says what to ask for.
    If a resource of that type has no such relationship, it says which ones there are.
    """

    def __str__(self) -> str:
        return Exception.__str__(self)  # a KeyError shows its message in quotes


class CurrencyMismatchError(FlexError, ValueError):
    """Two amounts of money in different currencies were added, subtracted, or compared by order.

    The message names both currencies. The SDK knows no exchange rates.
    """


class ExportError(FlexError, RuntimeError):
    """An export cannot be written: another run writes the same file."""


class PaginationLimitError(FlexError, LookupError):
    """``iterate`` found more resources than the API returns. It comes after all that it returns.

    The message says which resources are missing, and what to do.

    Args:
        total: How many there are, of the query or of one moment; None: the API does not count them.
        done: How many the iterator returned.
        reachable: How many of ``total`` the API returns.
    """

    def __init__(
        self, message: str = "", *, total: int | None = None, done: int = 0, reachable: int = 0
    ) -> None:
        super().__init__(message)
        self.total, self.done, self.reachable = total, done, reachable


class SourceConsumedError(FlexError, RuntimeError):
    """What is uploaded would have to be sent again, and can be read only once.

    It is a stream, such as a pipe or a generator, of more bytes than are kept to send them again.
    The message says why it had to be sent again. Nothing was uploaded. Pass a path, bytes or a file
    that can seek; or open the stream again and repeat the call.
    """


class SourceChangedError(FlexError, RuntimeError):
    """A file changed while it was being uploaded, or between two sendings.

    The upload was broken off before its end, so that the server has no mixture of two contents.
    """


class FileVerificationError(FlexError, RuntimeError):
    """The API checked an uploaded file, and did not accept its content.

    Args:
        file_id: Id of the file.
    """

    def __init__(self, message: str = "", *, file_id: Any = None) -> None:
        super().__init__(message)
        self.file_id = file_id


class FileNotReadyError(FlexError, TimeoutError):
    """A file was uploaded, and was not ``available`` in the time that the program gave it.

    Args:
        file_id: Id of the file.
        state: Its last state, such as ``"pendingVerification"``.
    """

    def __init__(self, message: str = "", *, file_id: Any = None, state: str | None = None) -> None:
        super().__init__(message)
        self.file_id = file_id
        self.state = state


class AuthenticationError(FlexError, GrantError, PermissionError):
    """The server does not accept the client, its secret or its token.

    Args:
        status: HTTP status, if there was a response.
        code: The OAuth error code (RFC 6749 section 5.2), if there was one.
    """

    def __init__(
        self,
        message: str = "",
        *,
        reason: GrantReason = "failed",
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.status = status
        self.code = code


class ClientSecretError(AuthenticationError):
    """A sign-in is needed, and the client secret's file or callable returns none. Nothing was sent.

    The error that a callable raised is the cause, without its text, which may hold the secret.
    """

    sent = False


class MissingSecretError(AuthenticationError):
    """A sign-in is needed, and no client secret is configured. Nothing was sent.

    The message says why a sign-in is needed: nothing is stored, or the stored refresh token was
    rejected, and by which host. ``store`` and ``place`` name the token store; ``why`` and
    ``rejected_by``, which the session sets, are described at ``GrantError``.

    Args:
        store: Name of the token store, such as ``"file"``.
        place: Where it keeps the token.
        lasting: False if the store keeps nothing beyond this instance.
    """

    sent = False

    def __init__(
        self, *, store: str | None = None, place: str | None = None, lasting: bool = True
    ) -> None:
        super().__init__()
        self.args = ()  # a copy is made from them
        self.store, self.place = store, place
        self.lasting = lasting

    def __str__(self) -> str:
        return self.advise(_WITH_PYTHON)

    # Not built once: the session tells why only after it was raised.
    @property
    def message(self) -> str:
        """What happened, why, and what to do next."""
        return str(self)

    @message.setter
    def message(self, text: str) -> None:
        """It is always built from the facts."""

    def advise(self, remedy: str) -> str:
        """The message, with what to do next in the words of whoever shows it."""
        parts = [f"{self._reason()}, and no client secret is configured to sign in with: {remedy}"]
        if not self.lasting:
            parts.append(
                "The store `memory` keeps a token only inside the instance that obtained it, so "
                "none is left from an earlier run: choose another store, such as `file`, to go on "
                "with a stored refresh token"
            )
        return ". ".join(parts)

    def _reason(self) -> str:
        where = "the token store" if self.store is None else f"the token store `{self.store}`"
        if self.place:
            where += f" ({self.place})"
        if self.why == "empty":
            return f"nothing is stored in {where} for this client"
        if self.why == "no_refresh_token":
            return f"the token in {where} cannot be used any more and has no refresh token"
        if self.why == "rejected":
            said = self.rejected_by or "the server rejected the refresh token"
            return f"{said.rstrip('.')}. It came from {where}, and there is no other refresh token"
        if self.why == "store_unavailable":
            return f"{where} cannot be reached, and this process has no refresh token of its own"
        return f"there is no usable token in {where}"


_WITH_PYTHON = (
    "pass client_secret=… or client_secret_file=…, or set FLEX_INTEGRATION_CLIENT_SECRET or "
    "FLEX_INTEGRATION_CLIENT_SECRET_FILE"
)


class NestedCallError(FlexError, RuntimeError):
    """An SDK instance was used by code that interrupted a call of this thread on that instance.

    Such code is a signal handler, or a finalizer (``__del__``) that the garbage collector ran. The
    interrupted call may hold locks that the new one would wait for, for ever. Let the handler set
    a flag, and make the call afterwards. Nor may a callable ``client_secret`` use the instance that
    it is for: that waits for the secret.
    """


class TransportError(FlexError, GrantError, ConnectionError):
    """No response came, or one that the API cannot have sent.

    Args:
        status: HTTP status, if there was a response.
        passing: Whether the same request may work at another time, such as after a time-out.
    """

    attempts: int = 1
    """How often the call was made."""

    def __init__(
        self,
        message: str = "",
        *,
        reason: GrantReason = "failed",
        status: int | None = None,
        passing: bool = False,
    ) -> None:
        super().__init__(message, reason=reason)
        self.status = status
        self.passing = passing


class CursorError(FlexError, ValueError):
    """The cursor of ``sdk.events.follow`` cannot be read or written, or holds no position.

    What it holds is left as it is. The message names it, and says what to do.
    """


class EventGapError(FlexError, LookupError):
    """The event at which a program goes on is gone from the API, so later ones may be gone too.

    It is given to ``on_error`` of ``sdk.events.follow``, which goes on with what is there. The API
    keeps events for 90 days in live environments, and for 7 in others.

    Args:
        after: ``sequenceId`` of the last event that was handled.
        at: When that happened.
        next: ``sequenceId`` of the first event that the API has after it, of whatever type; None:
            it has none.
    """

    def __init__(self, *, after: int, at: str | None = None, next: int | None = None) -> None:
        self.after, self.at, self.next = after, at, next
        super().__init__()
        self.args = ()  # a copy is made from the facts

    def __str__(self) -> str:
        when = f", of {self.at}," if self.at else ""
        follows = f"the next one that it has is {self.next}" if self.next else "it has no later one"
        return (
            f"the event {self.after}{when} at which this program goes on is gone from the API, and "
            f"{follows}: events after it may be gone too. The API keeps events for 90 days (7 in "
            "development and test environments); or the cursor is of another marketplace"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _gap, (self.after, self.at, self.next)


def _gap(after: int, at: str | None, next: int | None) -> EventGapError:
    return EventGapError(after=after, at=at, next=next)


class CallTimeoutError(TransportError, TimeoutError):
    """A time limit ended the request, or the whole call with its waits and repetitions.

    Args:
        limit: Name of the limit: ``"timeout"``, ``"total_timeout"``, ``"request_timeout"``,
            ``"busy_timeout"``, or ``"connect"`` for the 5 seconds to make a connection.
        seconds: The limit; None: not known.
        spent: For ``total_timeout``, where the time went, in seconds: ``"token"`` (with all else),
            ``"pause"`` (rate limits and repetitions), ``"connection"`` (until one was free) and
            ``"response"``.

    ``sent`` says whether any of the request may have left this program: a command may then have
    been carried out.
    """

    def __init__(
        self,
        message: str = "",
        *,
        reason: GrantReason = "transient",
        status: int | None = None,
        passing: bool = False,
        limit: str = "timeout",
        seconds: float | None = None,
        spent: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(message, reason=reason, status=status, passing=passing)
        self.limit = limit
        self.seconds = seconds
        self.spent: Mapping[str, float] = {} if spent is None else spent


class ApiError(FlexError, RuntimeError):
    """The API returned an error.

    Args:
        status: HTTP status.
        body: The decoded response.
        method: ``"GET"`` or ``"POST"``.
        path: Path under ``/v1/integration_api/``, or of the token request.
        headers: The response's headers, by their names in any case.

    ``retry_after`` is the number of seconds to wait that the server named, if it did. ``attempts``
    is how often the call was made.
    """

    retry_after: float | None = None
    attempts: int = 1

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        body: Any = None,
        method: str = "",
        path: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status: int | None = status
        self.body = body
        self.method = method
        self.path = path
        self.headers: Mapping[str, str] = {} if headers is None else headers

    @property
    def request_id(self) -> str | None:
        """What the API calls the request: tell it if you ask for support. None: it did not say."""
        return self.headers.get("x-request-id")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """``errors`` of the response: objects with ``id``, ``status``, ``code``, ``title``."""
        found = self.body.get("errors") if isinstance(self.body, dict) else None
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def __str__(self) -> str:
        return self.message


class BadRequestError(ApiError):
    """400: a parameter is missing or wrong; see ``errors``."""


class UnauthorizedError(ApiError, AuthenticationError):
    """401: the API refused each token that could be obtained."""


class PaymentFailedError(ApiError):
    """402: the payment provider refused; ``errors[0]["meta"]`` may say why."""


class ForbiddenError(ApiError, PermissionError):
    """403: this application may not do that."""


class NotFoundError(ApiError, LookupError):
    """404: there is no such resource."""


class ConflictError(ApiError):
    """409: the resource is not in a state that allows this, or something named does not exist."""


class PayloadTooLargeError(ApiError):
    """413: the request or the upload is larger than the API accepts."""


class RateLimitedError(ApiError, GrantError):
    """429: too many requests, from the API or from the token endpoint."""


class ServerError(ApiError, GrantError):
    """5xx, from the API or from the token endpoint: it failed; try a query again later."""


BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    402: PaymentFailedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    429: RateLimitedError,
}


def class_for(status: int) -> type[ApiError]:
    """The error class for an HTTP status."""
    return BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
