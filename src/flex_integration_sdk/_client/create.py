"""The functions that make an instance; both have the same arguments.

Do not edit: ``python tools/generate.py`` makes this file from ``_client/builder.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flex_integration_sdk._settings.client_secret import AsyncClientSecret, ClientSecret
from flex_integration_sdk._wire.rate_limits import RateLimits
from flex_integration_sdk._wire.type_handlers import TypeHandler
from flex_integration_sdk.config import shown_to_nobody
from flex_tokenstore._events.dispatch import OnEvent

from .builder import InstanceOptions, OnStoreError, build

if TYPE_CHECKING:
    from .aio import AsyncIntegrationSDK
    from .sync import IntegrationSDK


def create_instance(
    client_id: str | None = None,
    client_secret: ClientSecret | None = None,
    *,
    client_secret_file: str | Path | None = None,
    token_store: Any = None,
    base_url: str | None = None,
    profile: str | None = None,
    allow_http: bool | None = None,
    timeout: float = 30.0,
    request_timeout: float = 15.0,
    lock_timeout: float | None = None,
    busy_timeout: float | None = None,
    on_store_error: OnStoreError = "raise",
    on_event: OnEvent | None = None,
    host_lock: Literal["on", "off"] = "on",
    type_handlers: Sequence[TypeHandler] = (),
    transit_verbose: bool = False,
    rate_limits: Literal["dev", "live"] | RateLimits | None = None,
) -> IntegrationSDK:
    """An SDK for sync programs; threads can share it.

    Args:
        client_id: Of an application of type Integration API; else ``FLEX_INTEGRATION_CLIENT_ID``.
        client_secret: Its secret, or a callable that returns it and is called at each sign-in; of
            an async instance, a coroutine function too. Else ``FLEX_INTEGRATION_CLIENT_SECRET``.
            Not needed while a stored refresh token lives.
        client_secret_file: A file with the secret, instead, read at each sign-in; else
            ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``.
        token_store: A store's name, a mapping with ``name`` and options, or an object with
            ``get_token``, ``set_token`` and ``remove_token``; else
            ``FLEX_INTEGRATION_TOKEN_STORE``; else ``"memory"``. Options that are not given here
            come from ``FLEX_INTEGRATION_TOKEN_STORE__<OPTION>``, unless the environment names
            another store.
        base_url: The server; else ``FLEX_INTEGRATION_BASE_URL``; else the live one.
        profile: A name to keep several tokens of one client apart.
        allow_http: Accept plain http to another host, in a private network such as a container's:
            secret and tokens travel unencrypted; else ``FLEX_INTEGRATION_ALLOW_HTTP``.
        timeout: Seconds to wait for a response, and then for each further 64 KB of it; 20 times
            that for a whole response.
        request_timeout: Seconds that one token request may take in all.
        lock_timeout: Seconds to wait for a renewal by another program; None: as long as the lease
            of one that died may last, and 10 s.
        busy_timeout: Seconds to wait for a connection while all are busy: the instances of a
            process share ten to a server; None: as long as it takes.
        on_store_error: ``"raise"``, or ``"memory"`` to go on without the store while it is down.
        on_event: Called with each ``flex_tokenstore.Event``: see ``docs/events.md``.
        host_lock: ``"off"`` where no lock file can be written, for stores without a lock.
        type_handlers: Types of your own in place of the SDK's.
        transit_verbose: Speak Transit in its readable form, for looking at the wire.
        rate_limits: Wait before calls rather than be refused: ``"dev"`` as development and test
            environments want it, ``"live"``, or a :class:`RateLimits` of your own, which several
            instances can share.

    Raises:
        ConfigurationError: Something is missing or wrong.
        TokenStoreError: The store is unknown, cannot be loaded, or refuses its options.
    """
    client_secret, client_secret_file, token_store, base_url = shown_to_nobody(
        client_secret, client_secret_file, token_store, base_url
    )
    from .sync import PARTS

    options = InstanceOptions(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        allow_http=allow_http,
        timeout=timeout,
        request_timeout=request_timeout,
        lock_timeout=lock_timeout,
        busy_timeout=busy_timeout,
        on_store_error=on_store_error,
        on_event=on_event,
        host_lock=host_lock,
        type_handlers=type_handlers,
        transit_verbose=transit_verbose,
        rate_limits=rate_limits,
    )
    return build(PARTS, options)


def create_async_instance(
    client_id: str | None = None,
    client_secret: AsyncClientSecret | None = None,
    *,
    client_secret_file: str | Path | None = None,
    token_store: Any = None,
    base_url: str | None = None,
    profile: str | None = None,
    allow_http: bool | None = None,
    timeout: float = 30.0,
    request_timeout: float = 15.0,
    lock_timeout: float | None = None,
    busy_timeout: float | None = None,
    on_store_error: OnStoreError = "raise",
    on_event: OnEvent | None = None,
    host_lock: Literal["on", "off"] = "on",
    type_handlers: Sequence[TypeHandler] = (),
    transit_verbose: bool = False,
    rate_limits: Literal["dev", "live"] | RateLimits | None = None,
) -> AsyncIntegrationSDK:
    """An SDK for asyncio programs.

    It can be made before the event loop runs, or in it; it belongs to the loop of its first call.
    It imports the store and reads the file of the secret, if there is one, at once, so that what
    is wrong raises here: some milliseconds, or what a plugin's driver takes to import. Where the
    loop must not wait for that, call it with ``asyncio.to_thread``.

    Args:
        client_id: Of an application of type Integration API; else ``FLEX_INTEGRATION_CLIENT_ID``.
        client_secret: Its secret, or a callable that returns it and is called at each sign-in; of
            an async instance, a coroutine function too. Else ``FLEX_INTEGRATION_CLIENT_SECRET``.
            Not needed while a stored refresh token lives.
        client_secret_file: A file with the secret, instead, read at each sign-in; else
            ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``.
        token_store: A store's name, a mapping with ``name`` and options, or an object with
            ``get_token``, ``set_token`` and ``remove_token``; else
            ``FLEX_INTEGRATION_TOKEN_STORE``; else ``"memory"``. Options that are not given here
            come from ``FLEX_INTEGRATION_TOKEN_STORE__<OPTION>``, unless the environment names
            another store.
        base_url: The server; else ``FLEX_INTEGRATION_BASE_URL``; else the live one.
        profile: A name to keep several tokens of one client apart.
        allow_http: Accept plain http to another host, in a private network such as a container's:
            secret and tokens travel unencrypted; else ``FLEX_INTEGRATION_ALLOW_HTTP``.
        timeout: Seconds to wait for a response, and then for each further 64 KB of it; 20 times
            that for a whole response.
        request_timeout: Seconds that one token request may take in all.
        lock_timeout: Seconds to wait for a renewal by another program; None: as long as the lease
            of one that died may last, and 10 s.
        busy_timeout: Seconds to wait for a connection while all are busy: the instances of a
            process share ten to a server; None: as long as it takes.
        on_store_error: ``"raise"``, or ``"memory"`` to go on without the store while it is down.
        on_event: Called with each ``flex_tokenstore.Event``: see ``docs/events.md``.
        host_lock: ``"off"`` where no lock file can be written, for stores without a lock.
        type_handlers: Types of your own in place of the SDK's.
        transit_verbose: Speak Transit in its readable form, for looking at the wire.
        rate_limits: Wait before calls rather than be refused: ``"dev"`` as development and test
            environments want it, ``"live"``, or a :class:`RateLimits` of your own, which several
            instances can share.

    Raises:
        ConfigurationError: Something is missing or wrong.
        TokenStoreError: The store is unknown, cannot be loaded, or refuses its options.
        AsyncioRequiredError: trio or curio runs the caller.
    """
    client_secret, client_secret_file, token_store, base_url = shown_to_nobody(
        client_secret, client_secret_file, token_store, base_url
    )
    from .aio import PARTS

    options = InstanceOptions(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        allow_http=allow_http,
        timeout=timeout,
        request_timeout=request_timeout,
        lock_timeout=lock_timeout,
        busy_timeout=busy_timeout,
        on_store_error=on_store_error,
        on_event=on_event,
        host_lock=host_lock,
        type_handlers=type_handlers,
        transit_verbose=transit_verbose,
        rate_limits=rate_limits,
    )
    return build(PARTS, options)
