"""What the sync and the async SDK share."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from flex_integration_sdk._endpoints.param_types import UNSET, Unset, given
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._transport.closing import Closing
from flex_integration_sdk._wire.rate_limits import RateLimits
from flex_integration_sdk._wire.repetition import Failure
from flex_integration_sdk._wire.requests import ApiRequest, prepare
from flex_integration_sdk._wire.type_handlers import TypeHandler, read, write_each
from flex_integration_sdk.config import Settings
from flex_integration_sdk.errors import ApiError
from flex_tokenstore import (
    TokenStoreError,
)

from .at_exit import has_ended, watch
from .call_options import CallOptions, UnknownParameters
from .retrying import Outcome, Repeats

if TYPE_CHECKING:
    from flex_integration_sdk._transport.clients import ClientMaker
    from flex_integration_sdk._uploads.whole import Ways

logger = logging.getLogger("flex_integration_sdk")

# Why an upload is sent again after a 401.
WHY_AGAIN = "the API refused the token, which had expired (HTTP 401; there is a new one now)"


class InstanceBase:
    """What the sync and the async SDK share."""

    def __init__(
        self,
        settings: Settings,
        type_handlers: Sequence[TypeHandler],
        transit_verbose: bool,
        limits: RateLimits | None,
        options: CallOptions,
    ) -> None:
        self.settings = settings
        self._limits = limits
        self._options = options
        self._whole: Self | None = None
        self._own: frozenset[str] = frozenset()
        self._handlers = tuple(type_handlers)
        self._verbose = transit_verbose
        self._closing = Closing()
        watch(self)

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        total_timeout: float | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | Unset = UNSET,
        unknown_parameters: UnknownParameters | Unset = UNSET,
    ) -> Self:
        """The same instance, with other options for the calls that are made by what this returns.

        It is a light object, for one call or many: it shares the token, the connections and the
        rate limits, and to close it is to close the instance.

        Args:
            timeout: Seconds to wait for a response, and then for each further 64 KB of it. None:
                as at the start.
            total_timeout: Seconds for a whole call, with its repetitions and waits. None: no limit.
            max_retries: How often a call that can safely be repeated is repeated.
            headers: Further headers of the API requests, beside those there are already.
            unknown_parameters: ``"send"``: send a parameter although its name is near a known one.

        Raises:
            ConfigurationError: A value is wrong.
        """
        options = self._options.changed(
            timeout, total_timeout, max_retries, headers, unknown_parameters
        )
        made = object.__new__(type(self))
        # Not the attributes of the API's resources, which the first use makes: they send by the
        # object that they were made for.
        mine = {name: value for name, value in vars(self).items() if name in self._own}
        vars(made).update(mine, _options=options, _whole=self._whole or self)
        return made

    @property
    def _closed(self) -> bool:
        return self._closing.closed

    @_closed.setter
    def _closed(self, closed: bool) -> None:
        self._closing.closed = closed

    def _refuse_within_secret(self) -> None:
        if self.settings.secret_source is not None:
            self.settings.secret_source.refuse_within()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.settings.client_id!r} at {self.settings.base_url}>"

    def __reduce__(self) -> Any:
        # A pickle would hold the client secret in the clear.
        raise TypeError("an SDK instance cannot be pickled: make one in each process")

    def __del__(self) -> None:
        # An instance whose `__init__` raised has no `_closing`.
        if getattr(self, "_whole", None) is not None:
            return  # of `with_options`
        if not getattr(self, "_closed", True) and not has_ended():
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)

    def _close_at_exit(self) -> None:
        """Closes at the program's end, without a warning and without an exception."""
        raise NotImplementedError

    def _prepare(
        self, name: str, named: Mapping[str, Any], others: Mapping[str, Any]
    ) -> ApiRequest:
        """Makes the request. A wrong argument raises here, before a token is obtained."""
        if self._handlers:
            named, others = given(named), given(others)
            named, others = write_each(named, self._handlers), write_each(others, self._handlers)
        request = prepare(
            self.settings.identity.base_url,
            ENDPOINTS[name],
            named,
            others,
            verbose=self._verbose,
            unknown=self._options.unknown_parameters,
        )
        request.headers.update(self._options.headers)
        if self._options.timeout is not None:
            request = request._replace(timeout=self._options.timeout)
        self._closing.check()
        return request

    def _repeats(self, name: str, request: ApiRequest) -> Repeats:
        return Repeats(ENDPOINTS[name], self._options, self._closing, self._report, request.body)

    def _report(self, name: str, error: Failure, attempt: int, wait: float) -> None:
        """Tells of a repetition: why, which attempt failed, and the seconds until the next one."""
        from flex_integration_sdk._transport import quiet  # loaded by the request that failed

        if quiet.told_elsewhere:
            return  # the log of requests has it
        why = f"HTTP {error.status}" if isinstance(error, ApiError) else type(error).__name__
        most = self._options.max_retries + 1
        text = "%s: %s, again in %.1f s (attempt %d of %d)"
        logger.info(text, name, why, wait, attempt + 1, most)

    def _result(self, repeats: Repeats, outcome: Outcome) -> Response[Any]:
        """What the call returns.

        Raises:
            ApiError: The API answered with an error.
            TransportError: No response came, or one that is not the API's.
        """
        if not isinstance(outcome, Response):
            try:
                raise repeats.noted(outcome)
            finally:
                del outcome  # its traceback keeps this frame
        if not self._handlers:
            return outcome
        body = read(outcome.body, self._handlers)
        return Response(outcome.status, body, outcome.headers, _unhandled=outcome.body)

    def _ways(self, maker: ClientMaker[Any]) -> Ways:
        """How ``files.upload`` makes its calls, and sends bytes to another server.

        Args:
            maker: The HTTP client for the API; others are made like it.
        """
        from flex_integration_sdk._uploads.whole import Ways

        limit = self._options.timeout or maker.timeout

        def http(url: str) -> Any:
            made = type(maker)(url, limit, limit, connection=maker.connection)
            made.closing = self._closing
            return made

        def within(seconds: float | None) -> Any:
            return self if seconds is None else self.with_options(total_timeout=seconds)

        options = self._options
        return Ways(
            send=lambda seconds, *call: within(seconds)._send(*call),
            http=http,
            closing=self._closing,
            max_retries=options.max_retries,
            total_timeout=options.total_timeout,
        )


def warn_unclean(error: Exception) -> None:
    """Logs an error of closing an instance where no caller could get it."""
    # Only the texts of our own errors are known to hold no secret (decision 018).
    said = str(error) if isinstance(error, TokenStoreError) else type(error).__name__
    logger.warning("the SDK instance was not closed cleanly: %s", said)
