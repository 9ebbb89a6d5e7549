"""The Redis store passes the contract of a token store, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import FaultProxy, TokenStoreContract

if TYPE_CHECKING:
    from tests.servers.valkey import Valkey

pytestmark = pytest.mark.slow  # a server is killed and paused, again and again


@pytest.mark.one_kind
class TestRedisStore(TokenStoreContract):
    patience = 15.0

    @pytest.fixture
    def server_address(self, durable_valkey: Valkey) -> tuple[str, int]:
        return "127.0.0.1", durable_valkey.port

    @pytest.fixture
    def store_config(self, proxy: FaultProxy, request: pytest.FixtureRequest) -> Any:
        # As short as it may be where it runs out, as long as many processes need elsewhere.
        options = {"timeout": 1.0} if "hang" in request.node.name else {}
        return {"name": "redis", "url": f"redis://127.0.0.1:{proxy.port}/0", **options}

    @pytest.fixture
    def fail_over(self, durable_valkey: Valkey) -> Iterator[Callable[[], tuple[str, int]]]:
        """The replica is promoted; the former primary lives on, as its replica."""
        from tests.servers import valkey

        with valkey.start("--repl-diskless-sync-delay", "0") as other:

            def promoted() -> tuple[str, int]:
                other.run("REPLICAOF", "127.0.0.1", durable_valkey.port)
                valkey.wait_until(lambda: other.run("ROLE")[3] == b"connected")
                other.run("REPLICAOF", "NO", "ONE")
                durable_valkey.run("REPLICAOF", "127.0.0.1", other.port)
                return "127.0.0.1", other.port

            yield promoted
            durable_valkey.run("REPLICAOF", "NO", "ONE")

    @pytest.fixture
    def outage(self, durable_valkey: Valkey) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            durable_valkey.kill()
            yield
            durable_valkey.restart()

        return broken

    @pytest.fixture
    def stall(self, durable_valkey: Valkey) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            durable_valkey.pause()
            yield
            durable_valkey.resume()

        return broken

    @pytest.fixture
    def plant(self, durable_valkey: Valkey) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            durable_valkey.run("SET", f"flex-tokenstore:{{{identity.key}}}", content)

        return put
