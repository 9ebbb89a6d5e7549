"""Who is told of an instance's requests: ``on_request``, and the log that a variable asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flex_integration_sdk._settings.variables import LOG, log_level
from flex_integration_sdk._transport.argument_types import OnRequest
from flex_integration_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from flex_integration_sdk._transport.reporting import Reporting


def reporting_to(on_request: OnRequest | None = None) -> Reporting | None:
    """Who is told; None: nobody, and then nothing is imported for it.

    Args:
        on_request: The program's callback.

    Raises:
        ConfigurationError: It cannot be called, or the variable has another value.
    """
    level = log_level(os.environ.get(LOG, ""))
    if not level and on_request is None:
        return None
    from flex_integration_sdk._transport.reporting import Reporting, check_on_request

    if on_request is not None:
        try:
            check_on_request(on_request)
        except TypeError as error:
            raise ConfigurationError(str(error)) from None
    if not level:
        return Reporting(on_request)
    from flex_integration_sdk._transport import request_log

    request_log.start(level)
    return Reporting(on_request, request_log.log)
