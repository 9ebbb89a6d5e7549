"""TLS to one server, to a Cluster and to Sentinels: whom a store trusts."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from flex_tokenstore import Secret, TokenUnavailableError, open_async_store
from flex_tokenstore_redis import Options
from flex_tokenstore_redis._clients import ASYNC, SYNC, make_client, read_files
from redis_support import redis_config
from tests.servers import valkey
from tests.servers.tls import Certificates, tls_proxy
from tests.servers.valkey import Valkey
from tests.support.handles import IDENTITY, Open, opener, token


@pytest.fixture(scope="module")
def cluster_server() -> Iterator[Valkey]:
    server = valkey.start_cluster()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def cluster_port(cluster_server: Valkey, certificates: Certificates) -> Iterator[int]:
    with tls_proxy(cluster_server.port, certificates) as port:
        # The node tells clients that it is where the proxy is.
        cluster_server.run("CONFIG", "SET", "cluster-announce-port", port)
        yield port


@pytest.fixture
def single_port(valkey_server: Valkey, certificates: Certificates) -> Iterator[int]:
    with tls_proxy(valkey_server.port, certificates) as port:
        yield port


@pytest.fixture(params=["single", "cluster"])
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    port = request.getfixturevalue(f"{request.param}_port")
    return redis_config(f"rediss://127.0.0.1:{port}", cluster=request.param == "cluster")


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest, config: dict[str, Any]) -> Iterator[Open]:
    """Closes its stores before the proxy ends."""
    with opener(request.param) as function:
        yield function


def test_a_ca_of_ones_own(opened: Open, certificates: Certificates, config: dict[str, Any]) -> None:
    store = opened({**config, "ca_file": str(certificates.certificate)})
    store.set_token(token("a"))
    with store.token_lock(0, 5):
        assert store.get_token() is not None
    store.remove_token()


def test_a_ca_of_ones_own_replaces_those_of_the_system(
    opened: Open,
    certificates: Certificates,
    other_certificates: Certificates,
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.certificate))
    store = opened({**config, "ca_file": str(other_certificates.certificate)})
    with pytest.raises(TokenUnavailableError, match="TLS failed"):
        store.get_token()
    opened(config).get_token()  # the system's


@pytest.mark.parametrize("name", ["sentinel", "primary"])
@pytest.mark.parametrize("kit", [SYNC, ASYNC], ids=["sync", "async"])
def test_a_ca_of_ones_own_replaces_those_of_the_system_for_sentinels(
    single_port: int,
    certificates: Certificates,
    other_certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    kit: Any,
    name: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.certificate))

    async def reach(ca: Certificates) -> None:
        options = Options(
            url=Secret("rediss://"),
            sentinels=(f"127.0.0.1:{single_port}",),
            service_name="mymaster",
            ca_file=str(ca.certificate),
        )
        made = make_client(options, read_files(options), kit)
        primary, sentinel = made.closing
        connection = primary.connection_pool.make_connection()
        try:
            if name == "sentinel":
                await _awaited(sentinel.ping())
            else:
                await _awaited(connection.connect_to(("127.0.0.1", single_port)))
        finally:
            await _awaited(connection.disconnect())
            for each in made.closing:
                await _awaited(each.close() if kit is SYNC else each.aclose())

    asyncio.run(reach(certificates))
    with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
        asyncio.run(reach(other_certificates))


def test_no_certificate_is_read_in_an_event_loop(
    certificates: Certificates, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes tens of milliseconds, in which the program would stand still."""
    make, loops = ssl.create_default_context, []

    def watched(*args: Any, **keywords: Any) -> ssl.SSLContext:
        loops.append(asyncio._get_running_loop())
        return make(*args, **keywords)

    async def main() -> None:
        given = {**config, "ca_file": str(certificates.certificate)}
        async with await open_async_store(given, IDENTITY) as store:
            monkeypatch.setattr(ssl, "create_default_context", watched)
            await store.get_token()

    asyncio.run(main())
    assert loops == [None]


async def _awaited(value: Any) -> None:
    if inspect.isawaitable(value):
        await value
