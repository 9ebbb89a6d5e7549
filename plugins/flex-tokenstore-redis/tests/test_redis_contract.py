"""The Redis store passes the contract of a token store, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import TokenStoreContract

if TYPE_CHECKING:
    from tests.servers.valkey import Valkey

pytestmark = pytest.mark.slow  # a server is killed and paused, again and again


class TestRedisStore(TokenStoreContract):
    patience = 15.0

    @pytest.fixture
    def store_config(self, durable_valkey: Valkey, request: pytest.FixtureRequest) -> Any:
        # As short as it may be where it runs out, as long as many processes need elsewhere.
        options = {"timeout": 1.0} if "hang" in request.node.name else {}
        return {"name": "redis", "url": durable_valkey.url, **options}

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
