"""Makes the HTTP clients: one for each connection, or what stands for the program's own."""

from __future__ import annotations

from typing import Any

from flex_tokenstore import Secret

from .own_tls import OwnTls
from .proxy_and_tls import Options, tls_context


def make_client(kind: Any, options: Options, backend: Any, keep_idle: float) -> Any:
    """A client for one connection.

    Args:
        kind: Its class.
        options: TLS, proxies and headers.
        backend: Makes its connections.
        keep_idle: Seconds that a connection is kept for the next request.
    """
    import httpx2

    if options.client is not None:
        return kind(options.client, options.user_agent)
    # One connection for each client: so it is known which request uses it, and what to shut down.
    client = kind(
        verify=tls_context(options),
        proxy=None if options.proxy is None else _proxy(options, options.proxy),
        trust_env=options.proxies is not None,
        limits=httpx2.Limits(
            max_connections=1, max_keepalive_connections=1, keepalive_expiry=keep_idle
        ),
        headers={"User-Agent": options.user_agent},
        # API calls have rules of their own; one of a token request could take the secret elsewhere.
        follow_redirects=False,
    )
    _use_backend(client, backend)
    return client


def _proxy(options: Options, url: Secret[str]) -> Any:
    """The proxy of the argument ``proxy``; ``verify`` is for an https one too."""
    import httpx2

    private = url.reveal().lower().startswith("https:") and isinstance(options.tls, OwnTls)
    return httpx2.Proxy(url.reveal(), ssl_context=tls_context(options) if private else None)


def _use_backend(client: Any, backend: Any) -> None:
    """Has a client of httpx2 make its connections through ``backend``, those to a proxy too.

    httpcore2 takes a backend, but httpx2 has no argument for it; a test tells if that changes.
    """
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)  # None means "no proxy"
        if pool is not None:
            pool._network_backend = backend
