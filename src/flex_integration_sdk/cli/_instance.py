"""The SDK instance of a command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._notices import TokenNotices
from ._repetitions import RepetitionNotices

if TYPE_CHECKING:
    from flex_integration_sdk import IntegrationSDK

    from ._shared_options import Chosen


def instance_of(
    chosen: Chosen,
    *,
    may_sign_in: bool = True,
    rate_limits: Any = None,
    max_retries: int = 0,
) -> IntegrationSDK:
    """An instance with the options of the command; the caller closes it.

    Args:
        chosen: The options.
        may_sign_in: False: the client secret is not sent, whatever happens. Then the token store
            must work: there is nothing to be done without the stored token.
        rate_limits: ``"dev"``, ``"live"``, or None.
        max_retries: How often a call is repeated, of which a line on stderr tells each time.

    Raises:
        ConfigurationError: A setting is missing or wrong.
        TokenStoreError: The store cannot be used.
    """
    from flex_integration_sdk._client.builder import InstanceOptions, build
    from flex_integration_sdk._client.sync import PARTS

    settings = chosen.settings if may_sign_in else replace(chosen.settings, secret_source=None)
    limits: dict[str, Any] = {}
    if chosen.timeout is not None:
        names = ("timeout", "request_timeout", "lock_timeout")
        limits = dict.fromkeys(names, chosen.timeout)
    options = InstanceOptions(
        # A store that nobody chose must not fail a call: a container may have no home folder.
        on_store_error="memory" if may_sign_in and not chosen.is_store_chosen else "raise",
        on_event=TokenNotices(chosen=chosen.is_store_chosen or not may_sign_in),
        rate_limits=rate_limits,
        max_retries=max_retries,
        on_request=RepetitionNotices(max_retries) if max_retries else None,
        **limits,
    )
    return build(PARTS, options, settings)
