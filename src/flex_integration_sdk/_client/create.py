"""The functions that make an instance; both have the same arguments.

Do not edit: ``python tools/generate.py`` makes this file from ``_client/builder.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flex_integration_sdk._settings.client_secret import AsyncClientSecret, ClientSecret
from flex_integration_sdk._transport.argument_types import (
    AsyncHttpClient,
    ClientCert,
    HttpClient,
    OnRequest,
    Verify,
)
from flex_integration_sdk._wire.rate_limits import RateLimits
from flex_integration_sdk._wire.type_handlers import TypeHandler
from flex_tokenstore import OnEvent, OnStoreError, StoreConfig

from .builder import InstanceOptions, build

if TYPE_CHECKING:
    from .aio import AsyncIntegrationSDK
    from .sync import IntegrationSDK


def create_instance(
    client_id: str | None = None,
    client_secret: ClientSecret | None = None,
    *,
    client_secret_file: str | Path | None = None,
    token_store: StoreConfig | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    config: str | Path | None = None,
    allow_http: bool | None = None,
    require_encrypted: bool | None = None,
    timeout: float = 30.0,
    total_timeout: float | None = None,
    max_retries: int = 2,
    request_timeout: float = 15.0,
    lock_timeout: float | None = None,
    busy_timeout: float | None = None,
    verify: Verify = True,
    client_cert: ClientCert | None = None,
    proxy: str | None = None,
    user_agent: str | None = None,
    http_client: HttpClient | None = None,
    on_store_error: OnStoreError = "raise",
    on_event: OnEvent | None = None,
    on_request: OnRequest | None = None,
    host_lock: Literal["on", "off"] = "on",
    type_handlers: Sequence[TypeHandler] = (),
    transit_verbose: bool = False,
    rate_limits: Literal["dev", "live"] | RateLimits | None = None,
) -> IntegrationSDK:
    """Makes an SDK for a sync program.

    Make one for each process. Threads can share it. Close it, or use it in a ``with`` statement.

    Args:
        client_id: Client id of an application of type Integration API. If omitted:
            ``FLEX_INTEGRATION_CLIENT_ID``.
        client_secret: The client secret, or a callable that returns it and is called at each sign-
            in; for an async instance it may be a coroutine function. If omitted:
            ``FLEX_INTEGRATION_CLIENT_SECRET``. It is not needed while a stored refresh token works.
        client_secret_file: Path of a file that contains the secret, in place of ``client_secret``.
            The file is read at each sign-in. If omitted: ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``.
        token_store: A store's name; or a mapping with ``name`` and the store's options; or an
            object with ``get_token``, ``set_token`` and ``remove_token``. If omitted:
            ``FLEX_INTEGRATION_TOKEN_STORE``, else ``"memory"``. An option that you omit comes from
            ``FLEX_INTEGRATION_TOKEN_STORE__<OPTION>``, unless the environment names another store.
        base_url: Address of the server. If omitted: ``FLEX_INTEGRATION_BASE_URL``, else the live
            API.
        profile: The section ``[profiles.NAME]`` of the config file to use. It also keeps several
            tokens of one client apart. If omitted: ``FLEX_INTEGRATION_PROFILE``, else
            ``"default"``.
        config: Path of the config file, which completes what neither an argument nor a variable
            says. If omitted: ``FLEX_INTEGRATION_CONFIG``, else ``~/.config/flex-integration-
            sdk/config.toml``, if that exists. ``os.devnull``: read none.
        allow_http: True: accept plain http to another host, such as in a private network of
            containers. The secret and the tokens are then not encrypted on the way. If omitted:
            ``FLEX_INTEGRATION_ALLOW_HTTP``, else False.
        require_encrypted: True: refuse a token store that would keep the token as plain text.
            ``FLEX_INTEGRATION_REQUIRE_ENCRYPTED`` requires it too, whatever this argument is.
        timeout: Seconds to wait for a response, and then for each further 64 KB of it. A whole
            response may take at most 20 times as long.
        total_timeout: Seconds for a whole call, with its repetitions and waits. None: no limit.
        max_retries: How often a call that can safely be repeated is repeated, after an answer 429
            or 5xx and where no answer came. 0: never.
        request_timeout: Seconds that one token request may take in all.
        lock_timeout: Seconds to wait while another program requests a token. None: 10 seconds
            longer than the lease that a dead program may have left.
        busy_timeout: Seconds to wait for a connection while all are in use: the instances of a
            process share 10 connections to a server. None: wait as long as it takes.
        verify: Whom to trust. True: this machine's authorities, or those of ``SSL_CERT_FILE`` and
            ``SSL_CERT_DIR``. The path of a PEM file or of a folder as ``openssl rehash`` leaves it:
            only the authorities in it. An ``ssl.SSLContext``: as that says. False: anybody; whoever
            is on the way can then read the client secret and the tokens, so a warning says so.
        client_cert: The certificate to show to a server that asks for one: the path of a PEM file
            with certificate and private key, or ``(certificate, key)``, or ``(certificate, key,
            password)``.
        proxy: The proxy for all requests, such as ``"http://user:password@host:3128"``; with the
            extra ``socks`` also ``socks5://`` and ``socks5h://``. The variables, ``NO_PROXY`` too,
            then do not count. None: the proxy that the variables name.
        user_agent: Your program's name and version, such as ``"my-shop/1.0"``: the header ``User-
            Agent`` begins with it.
        http_client: A client of httpx2 that makes all requests, with its own TLS, proxies and
            limits. The SDK does not close it. None: the SDK makes the connections.
        on_store_error: What to do while the store is down. ``"raise"``: raise
            ``TokenUnavailableError``. ``"memory"``: keep the token in memory, at the price of one
            sign-in for each process.
        on_event: Called with each ``flex_tokenstore.Event``, such as a refresh or a sign-in. It
            must be quick and must not use the instance; ``docs/events.md`` lists the events.
        on_request: Called with a ``RequestEvent`` after each request, API calls and token requests
            alike. It must be quick and must not use the instance; ``docs/network.md`` shows it.
        host_lock: ``"off"``: use no lock file for a store without a lock of its own, on a host
            where no folder can be written.
        type_handlers: Your own types in place of ``UUID``, ``Money`` and the others.
        transit_verbose: True: send and ask for Transit in its readable form, to look at the
            requests and responses.
        rate_limits: Wait before each call, so that the API does not refuse it with 429. ``"dev"``
            has the limits of development and test environments, ``"live"`` those of live ones. A
            :class:`RateLimits` of your own can be shared by several instances. None: do not wait.

    Raises:
        ConfigurationError: An argument or a variable is missing or wrong.
        UnknownStoreError: No installed store has that name.
        StoreLoadError: The store's plugin cannot be loaded.
        StoreOptionsError: An option of the store is unknown, missing or wrong.
        TokenUnavailableError: The store could not be opened.
    """
    options = InstanceOptions(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        config=config,
        allow_http=allow_http,
        require_encrypted=require_encrypted,
        timeout=timeout,
        total_timeout=total_timeout,
        max_retries=max_retries,
        request_timeout=request_timeout,
        lock_timeout=lock_timeout,
        busy_timeout=busy_timeout,
        verify=verify,
        client_cert=client_cert,
        proxy=proxy,
        user_agent=user_agent,
        http_client=http_client,
        on_store_error=on_store_error,
        on_event=on_event,
        on_request=on_request,
        host_lock=host_lock,
        type_handlers=type_handlers,
        transit_verbose=transit_verbose,
        rate_limits=rate_limits,
    )
    # A traceback may show the locals of this function.
    del client_secret, client_secret_file, token_store, base_url, client_cert, proxy
    from .sync import PARTS

    return build(PARTS, options)


def create_async_instance(
    client_id: str | None = None,
    client_secret: AsyncClientSecret | None = None,
    *,
    client_secret_file: str | Path | None = None,
    token_store: StoreConfig | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    config: str | Path | None = None,
    allow_http: bool | None = None,
    require_encrypted: bool | None = None,
    timeout: float = 30.0,
    total_timeout: float | None = None,
    max_retries: int = 2,
    request_timeout: float = 15.0,
    lock_timeout: float | None = None,
    busy_timeout: float | None = None,
    verify: Verify = True,
    client_cert: ClientCert | None = None,
    proxy: str | None = None,
    user_agent: str | None = None,
    http_client: AsyncHttpClient | None = None,
    on_store_error: OnStoreError = "raise",
    on_event: OnEvent | None = None,
    on_request: OnRequest | None = None,
    host_lock: Literal["on", "off"] = "on",
    type_handlers: Sequence[TypeHandler] = (),
    transit_verbose: bool = False,
    rate_limits: Literal["dev", "live"] | RateLimits | None = None,
) -> AsyncIntegrationSDK:
    """Makes an SDK for an asyncio program.

    Make one for each process. Close it with ``aclose``, or use it in an ``async with`` statement.

    Call this before the event loop runs or in it; the instance belongs to the loop of its first
    call. It imports the store and reads the secret's file at once, so that it can raise here. That
    takes some milliseconds, or as long as a plugin's driver takes to import. If the loop must not
    wait for that, use ``asyncio.to_thread(create_async_instance, …)``.

    Args:
        client_id: Client id of an application of type Integration API. If omitted:
            ``FLEX_INTEGRATION_CLIENT_ID``.
        client_secret: The client secret, or a callable that returns it and is called at each sign-
            in; for an async instance it may be a coroutine function. If omitted:
            ``FLEX_INTEGRATION_CLIENT_SECRET``. It is not needed while a stored refresh token works.
        client_secret_file: Path of a file that contains the secret, in place of ``client_secret``.
            The file is read at each sign-in. If omitted: ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``.
        token_store: A store's name; or a mapping with ``name`` and the store's options; or an
            object with ``get_token``, ``set_token`` and ``remove_token``. If omitted:
            ``FLEX_INTEGRATION_TOKEN_STORE``, else ``"memory"``. An option that you omit comes from
            ``FLEX_INTEGRATION_TOKEN_STORE__<OPTION>``, unless the environment names another store.
        base_url: Address of the server. If omitted: ``FLEX_INTEGRATION_BASE_URL``, else the live
            API.
        profile: The section ``[profiles.NAME]`` of the config file to use. It also keeps several
            tokens of one client apart. If omitted: ``FLEX_INTEGRATION_PROFILE``, else
            ``"default"``.
        config: Path of the config file, which completes what neither an argument nor a variable
            says. If omitted: ``FLEX_INTEGRATION_CONFIG``, else ``~/.config/flex-integration-
            sdk/config.toml``, if that exists. ``os.devnull``: read none.
        allow_http: True: accept plain http to another host, such as in a private network of
            containers. The secret and the tokens are then not encrypted on the way. If omitted:
            ``FLEX_INTEGRATION_ALLOW_HTTP``, else False.
        require_encrypted: True: refuse a token store that would keep the token as plain text.
            ``FLEX_INTEGRATION_REQUIRE_ENCRYPTED`` requires it too, whatever this argument is.
        timeout: Seconds to wait for a response, and then for each further 64 KB of it. A whole
            response may take at most 20 times as long.
        total_timeout: Seconds for a whole call, with its repetitions and waits. None: no limit.
        max_retries: How often a call that can safely be repeated is repeated, after an answer 429
            or 5xx and where no answer came. 0: never.
        request_timeout: Seconds that one token request may take in all.
        lock_timeout: Seconds to wait while another program requests a token. None: 10 seconds
            longer than the lease that a dead program may have left.
        busy_timeout: Seconds to wait for a connection while all are in use: the instances of a
            process share 10 connections to a server. None: wait as long as it takes.
        verify: Whom to trust. True: this machine's authorities, or those of ``SSL_CERT_FILE`` and
            ``SSL_CERT_DIR``. The path of a PEM file or of a folder as ``openssl rehash`` leaves it:
            only the authorities in it. An ``ssl.SSLContext``: as that says. False: anybody; whoever
            is on the way can then read the client secret and the tokens, so a warning says so.
        client_cert: The certificate to show to a server that asks for one: the path of a PEM file
            with certificate and private key, or ``(certificate, key)``, or ``(certificate, key,
            password)``.
        proxy: The proxy for all requests, such as ``"http://user:password@host:3128"``; with the
            extra ``socks`` also ``socks5://`` and ``socks5h://``. The variables, ``NO_PROXY`` too,
            then do not count. None: the proxy that the variables name.
        user_agent: Your program's name and version, such as ``"my-shop/1.0"``: the header ``User-
            Agent`` begins with it.
        http_client: A client of httpx2 that makes all requests, with its own TLS, proxies and
            limits. The SDK does not close it. None: the SDK makes the connections.
        on_store_error: What to do while the store is down. ``"raise"``: raise
            ``TokenUnavailableError``. ``"memory"``: keep the token in memory, at the price of one
            sign-in for each process.
        on_event: Called with each ``flex_tokenstore.Event``, such as a refresh or a sign-in. It
            must be quick and must not use the instance; ``docs/events.md`` lists the events.
        on_request: Called with a ``RequestEvent`` after each request, API calls and token requests
            alike. It must be quick and must not use the instance; ``docs/network.md`` shows it.
        host_lock: ``"off"``: use no lock file for a store without a lock of its own, on a host
            where no folder can be written.
        type_handlers: Your own types in place of ``UUID``, ``Money`` and the others.
        transit_verbose: True: send and ask for Transit in its readable form, to look at the
            requests and responses.
        rate_limits: Wait before each call, so that the API does not refuse it with 429. ``"dev"``
            has the limits of development and test environments, ``"live"`` those of live ones. A
            :class:`RateLimits` of your own can be shared by several instances. None: do not wait.

    Raises:
        ConfigurationError: An argument or a variable is missing or wrong.
        UnknownStoreError: No installed store has that name.
        StoreLoadError: The store's plugin cannot be loaded.
        StoreOptionsError: An option of the store is unknown, missing or wrong.
        TokenUnavailableError: The store could not be opened.
        AsyncioRequiredError: It was called under trio or curio.
    """
    options = InstanceOptions(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        config=config,
        allow_http=allow_http,
        require_encrypted=require_encrypted,
        timeout=timeout,
        total_timeout=total_timeout,
        max_retries=max_retries,
        request_timeout=request_timeout,
        lock_timeout=lock_timeout,
        busy_timeout=busy_timeout,
        verify=verify,
        client_cert=client_cert,
        proxy=proxy,
        user_agent=user_agent,
        http_client=http_client,
        on_store_error=on_store_error,
        on_event=on_event,
        on_request=on_request,
        host_lock=host_lock,
        type_handlers=type_handlers,
        transit_verbose=transit_verbose,
        rate_limits=rate_limits,
    )
    # A traceback may show the locals of this function.
    del client_secret, client_secret_file, token_store, base_url, client_cert, proxy
    from .aio import PARTS

    return build(PARTS, options)
